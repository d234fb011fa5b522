from __future__ import annotations

import numpy as np
import pytest

from assistant.asking import Lexicon, Question, held, in_other_form, parts, understand
from assistant.reading import Reading


def question(text: str) -> Question:
    """A question whose tokens are its words."""
    import re

    spans = np.array([m.span() for m in re.finditer(r"\w+", text)], np.int64).reshape(-1, 2)
    tokens = np.eye(max(len(spans), 1), 400, dtype=np.float32)[: len(spans)]
    return understand(
        text,
        Reading(spans, tokens, np.zeros(400, np.float32)),
        Lexicon(lambda _: 3.0, lambda _: ()),
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Who headed the mission?", "person"),
        ("In what year did it end?", "date"),
        ("How many soldiers came when it began?", "number"),
        ("Where did it happen?", "place"),
        ("Why did they leave?", "reason"),
        ("Did they leave?", "yes_no"),
        ("What happened?", "thing"),
        ("What happened when it ended?", "thing"),
        ("When the war ended, who signed the treaty?", "person"),
        ("The church supports those who oppose what?", "thing"),
        ("How did it change when they left?", "thing"),
        ("strength of the contingent", "thing"),
        ("Сколько стран подписали декларацию?", "number"),
        ("Когда и почему это было?", "date"),
        ("Просила ли Россия помощи?", "yes_no"),
        ("Toplantı ne zaman yapıldı?", "date"),
        ("Kaç asker öldü?", "number"),
        ("", "thing"),
    ],
)
def test_what_is_asked_for(text: str, kind: str) -> None:
    assert question(text).kind == kind


def test_words_that_ask_and_stop_words_say_nothing_of_the_topic() -> None:
    asked = question("How many wolves did the rangers take?")
    topic = {asked.words[row].text: float(asked.rarity[row]) for row in asked.content}
    assert topic == {"wolves": 3.0, "rangers": 3.0, "take": 1.5}
    assert asked.asks.tolist() == [2]
    assert question("How long is it?").asks.tolist() == [1]


def test_a_country_goes_by_the_seat_of_its_government_and_a_body_by_its_initials() -> None:
    asked = question("Did Armenia call the Collective Security Treaty Organization?")
    rows = {word.text: row for row, word in enumerate(asked.words)}
    assert in_other_form(asked, rows["armenia"], frozenset({"yerevan"}))
    assert in_other_form(asked, rows["treaty"], frozenset({"csto"}))
    assert held(asked, rows["armenia"], frozenset({"armenian"}))
    assert not held(asked, rows["armenia"], frozenset({"baku", "csto"}))


def test_parts_begin_where_something_more_is_asked() -> None:
    asked = question("When was the treaty signed, and where did the leaders meet?")
    assert [part.kind for part in parts(asked)] == ["date", "place"]
    assert {asked.words[row].text for row in parts(asked)[1].words} == {"leaders", "meet"}
    assert len(parts(question("Who knows when it was signed?"))) == 1
    assert parts(question("size of the force")) == []
