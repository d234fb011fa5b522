from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant import Answer, Assistant, Settings, Turn
from assistant.analysis import likely_language
from assistant.condensing import condense, embed
from tests.fakes import ChromaHere, FakeEmbedder

EARLIER = ["What sanctions did the EU impose on Belarus?", "When were the sanctions lifted?"]
FIRST, LAST = EARLIER
EMBEDDER = FakeEmbedder()


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "What about Germany?",
        "Who voted for them?",
        "Tell me more",
        "And gas?",
        "WHY?",
        "👩‍🔬",
    ],
)
def test_a_question_that_leans_on_earlier_ones_carries_them(question: str) -> None:
    query = condense(question, EARLIER)
    assert query.carried == {FIRST: 0.3, LAST: 0.5}
    assert query.text.startswith(f"{question} (sanctions, lifted")
    assert {"EU", "Belarus"} <= set(query.text.replace(")", "").replace(",", "").split())


def test_a_longer_one_carries_less() -> None:
    assert condense("Did they raise gas prices across Germany?", EARLIER).carried[LAST] == 0.35
    assert condense("Capital of France?", EARLIER).carried[LAST] == 0.2


@pytest.mark.parametrize(
    "question",
    ["How did farmers in Brittany react to new fishing quotas?", " ".join(["gas oil coal"] * 3000)],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    query = condense(question, EARLIER)
    assert (query.text, dict(query.carried)) == (question, {})


@pytest.mark.parametrize("question", ["Why?", "It?", "", "what is it", "(a AND"])
def test_without_earlier_questions_nothing_is_carried(question: str) -> None:
    query = condense(question)
    assert (query.text, dict(query.carried)) == (question, {})
    if question:
        np.testing.assert_allclose(embed(query, EMBEDDER), EMBEDDER.query(question))


def test_only_the_first_and_the_last_question_are_carried() -> None:
    assert set(condense("Why?", [FIRST, "Who is Jane Doe?", LAST]).carried) == {FIRST, LAST}
    assert condense("Why?", [LAST]).carried == {LAST: 0.5}
    assert condense("Why?", [LAST, LAST]).carried == {LAST: 0.5}


def test_words_that_the_question_has_itself_are_not_shown_twice() -> None:
    assert condense("Which sanction?", [FIRST]).text == "Which sanction? (EU, impose, Belarus)"
    assert condense("Why?", ["Why is that so?"]).text == "Why?"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("А когда их сняли?", "ru"),
        ("Und warum ist er noch nicht da?", "de"),
        ("Why is it so?", "en"),
        ("Zürich", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_question_is_that_of_its_small_words(
    question: str, language: str
) -> None:
    assert likely_language(question.casefold().replace("?", "").split()) == language


def test_other_languages_refer_too() -> None:
    query = condense("А когда их сняли?", ["Какие санкции ввёл ЕС против Белоруссии?"])
    assert query.text == "А когда их сняли? (санкции, ввёл, ЕС, против, Белоруссии)"
    assert condense("Ne zaman kaldırdılar onları?", [FIRST]).carried


def test_the_vector_moves_towards_the_topic_and_keeps_its_length() -> None:
    query = condense("Why?", EARLIER)
    vector = embed(query, EMBEDDER)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector @ EMBEDDER.query(LAST) > EMBEDDER.query("Why?") @ EMBEDDER.query(LAST) + 0.2
    assert vector @ EMBEDDER.query("Why?") > 0.7


def test_a_conversation_finds_what_its_last_question_alone_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)
    for number, word in enumerate(["Volcanoes", "Sanctions", "Bridges", "Elections"]):
        text = f"{word}, only {word}, were discussed. The reason given was a storm over {word}."
        (tmp_path / f"{number}.txt").write_text(text)
    settings = Settings.load(
        library={"data": tmp_path / "data"},
        retrieval={"dense_weight": 0},  # words alone
    )
    with Assistant.from_settings(settings) as assistant:
        monkeypatch.setattr(assistant, "_loaded", EMBEDDER)
        assistant.index([tmp_path / f"{n}.txt" for n in range(4)])
        answer = Answer(
            id="a", question="", query="", status="answered", confidence=1, settings_digest=""
        )
        for topic in ("volcanoes", "sanctions", "bridges", "elections"):
            history = [Turn(question=f"What about {topic}?\u202e", answer=answer)]
            found = assistant.search("Why was that?", 1, history)
            assert found[0].passage.text.casefold().startswith(topic)
            asked = assistant.ask("Why was that?", history)
            assert asked.query == f"Why was that? ({topic})"
            assert asked.question == "Why was that?"
            assert asked.passages[0] == found[0]
        assert assistant.ask("Why was that?").query == "Why was that?"
