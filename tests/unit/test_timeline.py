"""What happened when."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.statements import Citing, statements
from assistant.timeline import asked_for, timeline
from assistant.types import Document, Event, Passage, ScoredPassage

FRIDAY = dt.date(2022, 9, 16)
TEXT = (
    "The border fighting began on Tuesday. A truce in the border fighting was agreed two days"
    " later. On 12 September the parliament sat. In 2020 the border fighting was worse."
)


def rows(question: str, *texts: str, published: dt.date | None = FRIDAY) -> list[Event]:
    scored = []
    for number, text in enumerate(texts):
        name = str(number)
        document = Document(
            id=name,
            uri=name,
            title="News",
            source=f"Source {name}",
            published=published,
            language="en",
            media_type="text/plain",
        )
        passage = Passage(id=name, document_id=name, start=0, end=len(text), text=text)
        scored.append(ScoredPassage(passage=passage, document=document, score=1.0))
    return list(
        timeline(
            question,
            statements(scored),
            lambda i: texts[int(i)],
            lambda word: 0.0 if word in {"the", "of", "what", "when", "in"} else 3.0,
            Citing([]),
        )
    )


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What happened when in the border fighting?", True),
        ("Give me a timeline of the border fighting", True),
        ("When did the fighting begin and the truce hold?", True),
        ("Хронология боёв на границе", True),
        ("Sınır çatışmalarının kronolojisi", True),
        ("What happened on September 13?", True),
        ("What happened at the border in March 2022?", True),
        ("Что произошло 13 сентября?", True),
        ("13 Eylül'de ne oldu?", True),
        ("What happened at the border?", False),
        ("What happened to the mission of 2022?", False),
        ("How many were killed in the border fighting?", False),
        ("When did the fighting begin?", False),
    ],
)
def test_it_is_told_from_the_question(question: str, wanted: bool) -> None:
    assert asked_for(question) == wanted


def test_rows_are_about_the_question_and_in_the_order_of_days() -> None:
    events = rows("timeline of the border fighting", TEXT)
    assert [event.date for event in events] == ["2020", "2022-09-13", "2022-09-15"]
    assert events[1].reason == '"Tuesday", in a text published 2022-09-16'
    assert events[2].reason == '"two days later", from 2022-09-13'
    for event in events:
        assert TEXT[event.citation.start : event.citation.end] == event.citation.quote
    assert [event.citation.marker for event in events] == [1, 2, 3]


def test_one_event_told_twice_is_one_row() -> None:
    again = "The border fighting began on 13 September, it was said."
    assert len(rows("timeline of the border fighting", TEXT, again)) == 3
    other = "On 13 September ten villages were left in the border fighting by everybody there."
    assert len(rows("timeline of the border fighting", TEXT, other)) == 4


def test_days_without_a_year_come_last() -> None:
    text = TEXT.replace("Tuesday", "May 3")
    events = rows("timeline of the border fighting", text, published=None)
    assert [event.date for event in events] == ["2020", "--05-03", "--05-05"]


def test_a_question_about_a_year_has_no_other_ones() -> None:
    events = rows("timeline of the border fighting in 2022", TEXT)
    assert [event.date for event in events] == ["2022-09-13", "2022-09-15"]
    events = rows("timeline of the border fighting from 2020 to 2022", TEXT)
    assert [event.date for event in events] == ["2020", "2022-09-13", "2022-09-15"]


LEDGER = (
    "On 13 September the border fighting began. The truce was signed on 14 September."
    " On 13 January the mission left. A convoy crossed the bridge on 12 and 13 September."
    " In September 2021 the road was closed."
)


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("What happened on September 13?", ["2022-09-13"]),
        ("What happened on 13 September 2022?", ["2022-09-13"]),
        ("What happened on 13 September 2021?", []),
        ("What happened in January?", ["2022-01-13"]),
        ("What happened in September 2022?", ["2022-09-12", "2022-09-13", "2022-09-14"]),
        ("What happened on 13 September with the mission?", []),
        ("What happened on 13 and 14 September?", ["2022-09-13", "2022-09-14"]),
    ],
)
def test_of_a_day_only_what_happened_then_is_told(question: str, days: list[str]) -> None:
    found = [event.date for event in rows(question, LEDGER)]
    assert [day for day in dict.fromkeys(found) if "/" not in day] == days


def test_a_day_without_a_year_may_be_the_one_asked_for() -> None:
    question = "What happened on 13 September 2022?"
    assert [e.date for e in rows(question, LEDGER, published=None)][:1] == ["--09-13"]


def test_a_course_of_events_between_two_days_is_not_only_of_those_days() -> None:
    question = "A timeline of the border fighting between 10 September and 20 September 2022"
    assert "2022-09-13" in [event.date for event in rows(question, LEDGER)]
