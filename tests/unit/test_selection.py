from __future__ import annotations

import numpy as np
import pytest

from assistant import asking, selection
from assistant.asking import Lexicon, Question
from assistant.reading import Reader
from assistant.selection import Candidate
from assistant.types import Document, Passage, ScoredPassage


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def scored(text: str, language: str = "en", number: int = 0, score: float = 1.0) -> ScoredPassage:
    return ScoredPassage(
        passage=Passage(
            id=f"{number}:0", document_id=str(number), start=5, end=5 + len(text), text=text
        ),
        document=Document(
            id=str(number),
            uri="u",
            title="Harbours",
            source="S",
            media_type="text/plain",
            language=language,
        ),
        score=score,
    )


def ranked(
    reader: Reader, question: str, passages: list[ScoredPassage]
) -> tuple[Question, list[Candidate]]:
    asked, *readings = reader.read([question, *(each.passage.text for each in passages)])
    understood = asking.understand(question, asked, Lexicon(lambda _: 3.0, lambda _: ()))
    return understood, selection.candidates(understood, passages, readings)


def test_a_number_is_looked_for_where_one_is_asked_for(reader: Reader) -> None:
    text = "The ferry carried many passengers. The ferry carried 240 passengers. It was late."
    _, found = ranked(reader, "How many passengers did the ferry carry?", [scored(text)])
    best = found[0]
    assert best.text == "The ferry carried 240 passengers."
    assert best.features.kind == 1
    assert text[best.start - 5 : best.end - 5] == best.text
    assert all(0 <= candidate.features.covered <= 1 for candidate in found)


def test_a_word_of_the_sentence_before_counts_a_little_less(reader: Reader) -> None:
    text = "The lighthouse stands on the cape. It was painted red."
    asked, found = ranked(reader, "What colour is the lighthouse?", [scored(text)])
    painted = next(candidate for candidate in found if candidate.place == 1)
    row = [word.text for word in asked.words].index("lighthouse")
    assert painted.matched[row] < painted.carried[row]


def test_in_a_language_the_model_cannot_read_words_match_by_their_stems(reader: Reader) -> None:
    text = "Саммит прошёл в Минске. Погода была хорошая."
    asked, found = ranked(reader, "Где прошёл саммит?", [scored(text, "ru")])
    assert found[0].text == "Саммит прошёл в Минске."
    matched = found[0].matched[asked.content]
    assert np.allclose(matched[matched > 0.5], 0.9)
    assert (found[1].matched <= 0.4 + 1e-6).all()


def test_copies_are_chosen_once_and_distant_sentences_not_at_all(reader: Reader) -> None:
    text = "The ferry carried 240 passengers. Cats sleep."
    passages = [scored(text), scored(text, number=1, score=0.5)]
    asked, found = ranked(reader, "How many passengers did the ferry carry?", passages)
    chosen = selection.choose(asked, found, 3)
    assert [c.text for c in chosen] == ["The ferry carried 240 passengers."]


def test_a_sentence_that_says_no_more_than_the_question_is_not_added(reader: Reader) -> None:
    text = "The ferry carried 240 passengers. Passengers of the ferry. It was full on 3 May 1921."
    asked, found = ranked(reader, "How many passengers did the ferry carry?", [scored(text)])
    assert "Passengers of the ferry." not in [c.text for c in selection.choose(asked, found, 3)]


def test_a_byline_beside_the_answer_is_not_added(reader: Reader) -> None:
    text = "The ferry sank on 4 March.\n\nFerry desk, Monday\n\nThe ferry had left port at noon."
    asked, found = ranked(reader, "When did the ferry sink?", [scored(text)])
    chosen = [candidate.text for candidate in selection.choose(asked, found, 3)]
    assert chosen[0] == "The ferry sank on 4 March."
    assert "Ferry desk, Monday" not in chosen
    assert "The ferry had left port at noon." in chosen


def test_no_passage_gives_no_candidate(reader: Reader) -> None:
    assert ranked(reader, "Why?", [])[1] == []
    assert ranked(reader, "Why?", [scored(" ")])[1] == []
