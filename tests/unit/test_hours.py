"""Times of day in statements."""

from __future__ import annotations

import pytest

from assistant.hours import asks_for_hour, hours, parts_of_day
from assistant.statements import statements
from assistant.types import Document, Passage, ScoredPassage


def told(text: str, language: str = "en") -> tuple[str, list[int]] | None:
    document = Document(
        id="d", uri="d", title="t", source="s", language=language, media_type="text/plain"
    )
    passage = Passage(id="d-0", document_id="d", start=0, end=len(text), text=text)
    scored = ScoredPassage(passage=passage, document=document, score=1.0)
    found = hours(statements([scored])[0])
    return found and (found.value.text, sorted(found.hours))


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("It broke out shortly after midnight on Tuesday.", "shortly after midnight on Tuesday",
         [0, 1, 23]),
        ("It began on the evening of September 13.", "evening of September 13", [*range(17, 23)]),
        ("Units were shelled from 00:05 local time.", "00:05", [0]),
        ("It lasted overnight, they said.", "overnight", [0, 1, 2, 3, 4, 5, 22, 23]),
    ],
)  # fmt: skip
def test_the_hours_and_the_words_that_tell_them(text: str, words: str, expected: list[int]) -> None:
    assert told(text) == (words, expected)


def test_a_day_alone_tells_none() -> None:
    assert told("It began on September 13.") is None
    assert told("Comenzó por la mañana.", "es") is None
    assert told("Бои начались вечером.", "ru") == ("вечером", [*range(17, 23)])


def test_what_asks_for_an_hour() -> None:
    assert asks_for_hour("At what time did the shooting start?")
    assert asks_for_hour("Во сколько начался обстрел?")
    assert not asks_for_hour("When did the shooting start?")
    assert {"midnight", "time"} <= parts_of_day("en")
