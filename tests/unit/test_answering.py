from __future__ import annotations

import pytest

from assistant.answering import Extract, extract
from assistant.asking import Lexicon
from assistant.reading import Reader
from assistant.settings import AnsweringSettings
from assistant.types import Document, Passage, ScoredPassage

BRIDGE = (
    "The harbour bridge was opened in May 1921 by the mayor. It is 310 metres long. "
    "The mayor was elected in 1919."
)
FERRY = "The ferry sails twice a day. A ticket costs four crowns for an adult."


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def found(*texts: str, start: int = 0) -> list[ScoredPassage]:
    return [
        ScoredPassage(
            passage=Passage(
                id=f"{number}:0",
                document_id=str(number),
                start=start,
                end=start + len(text),
                text=text,
            ),
            document=Document(
                id=str(number), uri="u", title="T", source="S", media_type="text/plain"
            ),
            score=1 / (1 + number),
        )
        for number, text in enumerate(texts)
    ]


def weigh(word: str) -> float:
    return 0.0 if word.casefold() in {"when", "was", "the", "how", "is", "it", "a"} else 3.0


def ask(reader: Reader, question: str, passages: list[ScoredPassage], **settings: float) -> Extract:
    chosen = AnsweringSettings(**{"threshold": 0.0, **settings})  # type: ignore[arg-type]
    return extract(question, passages, reader, Lexicon(weigh, lambda _: ()), chosen)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("When was the harbour bridge opened?", "The harbour bridge was opened in May 1921"),
        ("How many metres long is it?", "It is 310 metres long."),
        ("what does a ticket cost", "A ticket costs four crowns"),
        ("WHAT DOES A TICKET COST", "A ticket costs four crowns"),
    ],
)
def test_the_sentence_that_answers_comes_first(reader: Reader, question: str, first: str) -> None:
    answer = ask(reader, question, found(FERRY, BRIDGE), max_sentences=1)
    assert answer.sentences[0].text.startswith(first)


def test_quotes_are_slices_of_the_document_and_markers_count_up(reader: Reader) -> None:
    passages = found(BRIDGE, FERRY, start=7)
    answer = ask(reader, "When was the bridge opened and the mayor elected?", passages)
    assert [s.citations[0].marker for s in answer.sentences] == [
        *range(1, len(answer.sentences) + 1)
    ]
    for sentence in answer.sentences:
        (cited,) = sentence.citations
        text = passages[int(cited.document_id)].passage.text
        assert text[cited.start - 7 : cited.end - 7] == cited.quote == sentence.text
        assert sentence.verdict == "unchecked"


def test_a_copy_in_another_document_is_not_said_twice(reader: Reader) -> None:
    answer = ask(reader, "When was the harbour bridge opened?", found(BRIDGE, BRIDGE))
    assert len({sentence.text for sentence in answer.sentences}) == len(answer.sentences)


def test_confidence_is_high_on_the_topic_and_low_off_it(reader: Reader) -> None:
    passages = found(BRIDGE, FERRY)
    on = ask(reader, "When was the harbour bridge opened?", passages).confidence
    off = ask(reader, "Which vitamins does a kiwi contain?", passages).confidence
    assert 0 <= off < 0.1 < 0.7 < on <= 1
    assert ask(reader, "Which vitamins does a kiwi contain?", passages, threshold=0.2) == Extract(
        "not_in_documents", (), off
    )


@pytest.mark.parametrize("question", ["🌍", "the", "?!", "x" * 5000, "word " * 3000])
def test_odd_questions_are_answered_or_refused(reader: Reader, question: str) -> None:
    assert len(ask(reader, question, found(BRIDGE, FERRY)).sentences) <= 3


@pytest.mark.parametrize("passages", [[], found(" ")])
def test_nothing_found_is_no_answer(reader: Reader, passages: list[ScoredPassage]) -> None:
    assert ask(reader, "When?", passages) == Extract("not_in_documents", (), 0.0)


def test_a_pronoun_is_shown_with_the_sentence_that_says_who_is_meant(reader: Reader) -> None:
    answer = ask(reader, "How many metres long is it?", found(BRIDGE), max_sentences=2)
    texts = [sentence.text for sentence in answer.sentences]
    assert texts == ["It is 310 metres long.", BRIDGE.split(" It")[0]]
    assert all(len(sentence.citations) == 1 for sentence in answer.sentences)


def test_partial_when_a_part_of_the_question_is_in_no_sentence(reader: Reader) -> None:
    whole = ask(reader, "When was the harbour bridge opened, and by whom?", found(BRIDGE), doubt=0)
    assert whole.status == "answered"
    part = ask(
        reader,
        "When was the harbour bridge opened, and how much did the painting of the towers cost?",
        found("The harbour bridge was opened in May 1921 by the mayor."),
        doubt=0,
    )
    assert part.status == "partial"
    assert part.sentences


def test_partial_when_hardly_above_the_threshold(reader: Reader) -> None:
    question = "When was the harbour bridge opened?"
    confidence = ask(reader, question, found(BRIDGE)).confidence
    close = ask(reader, question, found(BRIDGE), threshold=confidence - 0.01, doubt=0.05)
    sure = ask(reader, question, found(BRIDGE), threshold=confidence - 0.01, doubt=0.005)
    assert (close.status, sure.status) == ("partial", "answered")
