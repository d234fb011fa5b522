"""What happened when: the dated sentences of the found passages that are about the question."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from assistant.analysis import likely_language, stem, words_of
from assistant.event_dates import EventDate, event_dates
from assistant.statements import Citing, Statement, Weigh
from assistant.types import Event

TextOf = Callable[[str], str]  # a document's id to its text

READ = 24  # passages that are read for the dates in them; an answer is chosen from fewer
_ROWS = 12
_ABOUT = 0.4  # share of the question's words, by rarity, that the statement and its title must have
_SAME = 0.6  # share of the shorter statement's words that makes it the same event on the same day
_YEAR = re.compile(r"(?<!\w)(?:1[5-9]|20)\d\d(?!\w)")
_WORD = re.compile(r"[^\W_]+")


class _Row(NamedTuple):
    statement: Statement
    date: EventDate


def asked_for(question: str) -> bool:
    """Whether a question wants a course of events, in one of the languages of the data file.

    So does what happened on a day or in a month.
    """
    known = _asking()
    if known.ways.search(question):
        return True
    return bool(known.happened.search(question) and _days(question))


def timeline(
    question: str, candidates: Sequence[Statement], text_of: TextOf, weigh: Weigh, cite: Citing
) -> tuple[Event, ...]:
    """At most twelve rows, earliest first, days without a year last; no event twice on one day.

    ``candidates`` come in the order in which their passages answer.
    """
    days = [] if _asking().ways.search(question) else _days(question)
    besides = question
    for day in reversed(days):
        besides = besides[: day.start] + besides[day.end :]
    words = [word.casefold() for word in _WORD.findall(besides)]
    wanted = {w: weight for w in words if w not in _asking().words and (weight := weigh(w))}
    years = [int(year) for year in _YEAR.findall(besides)]
    rows: list[_Row] = []
    for row in _dated(candidates, text_of):
        if not _within(row.date, years) or (days and not any(_on(row.date, d) for d in days)):
            continue
        if _about(row, wanted) and not any(_same(row, other) for other in rows):
            rows.append(row)
        if len(rows) == _ROWS:
            break
    rows.sort(key=lambda row: (row.date.value.startswith("--"), row.date.value))
    return tuple(
        Event(date=date.value, reason=date.reason, citation=cite(statement))
        for statement, date in rows
    )


def _dated(candidates: Sequence[Statement], text_of: TextOf) -> Iterator[_Row]:
    """The times that each statement tells as exactly as it tells any, each once."""
    for _, of_passage in groupby(candidates, key=lambda each: each.passage.passage.id):
        told = list(of_passage)
        document, first, last = told[0].passage.document, told[0].start, told[-1].end
        text = text_of(document.id)
        dates = event_dates(text, document.published, document.language, first, last)
        for statement in told:
            found = [date for date in dates if statement.start <= date.start < statement.end]
            exact = max((_exactness(date) for date in found), default=0)
            for date in {d.value: d for d in found if _exactness(d) == exact}.values():
                yield _Row(statement, date)


def _days(question: str) -> list[EventDate]:
    """The days and months that the question names, with or without their year."""
    language = likely_language(words_of(question))
    return [date for date in event_dates(question, None, language) if _exactness(date) > 1]


def _on(date: EventDate, asked: EventDate) -> bool:
    """Whether it may be on the day or in the month asked for; a year counts where both have one."""
    years = {value[:4] for value in (date.value, asked.value) if not value.startswith("--")}
    (first, last), (begin, end) = map(_in_year, (date, asked))
    exact = len(begin)
    return len(years) < 2 and first[:exact] <= end and begin <= last[:exact]


def _in_year(date: EventDate) -> tuple[str, str]:
    """The first and the last day of it as "09-13", or its month as "09"; empty for a year."""
    days = [day[2:] if day.startswith("--") else day[5:] for day in date.value.split("/")]
    return days[0], days[-1]


def _within(date: EventDate, years: Sequence[int]) -> bool:
    """Whether it is in the years that the question names, from the first to the last, if any."""
    year = date.value[:4]
    return not years or not year.isdecimal() or min(years) <= int(year) <= max(years)


def _exactness(date: EventDate) -> int:
    """1 for a year, 2 for a month, 3 for a day or a span of days."""
    first = date.value.split("/")[0]
    return first.removeprefix("-").count("-") + 1


def _about(row: _Row, wanted: dict[str, float]) -> bool:
    """Whether what is told, with its title, headings and year, has the words of the question."""
    passage, document = row.statement.passage.passage, row.statement.passage.document
    around = " ".join((document.title, *passage.headings))
    said = row.statement.stems | set(_stems(around, document.language)) | {row.date.value[:4]}
    held = sum(
        weight
        for (word, weight), stemmed in zip(
            wanted.items(), _stems(" ".join(wanted), document.language), strict=True
        )
        if stemmed in said
    )
    return not wanted or (held > 0 and held >= _ABOUT * sum(wanted.values()))


def _stems(text: str, language: str) -> list[str]:
    return stem([word.casefold() for word in _WORD.findall(text)], language)


def _same(one: _Row, other: _Row) -> bool:
    """Whether two rows tell the same event on the same day."""
    if one.date.value != other.date.value:
        return False
    mine, its = one.statement.content, other.statement.content
    return len(mine & its) >= _SAME * max(1, min(len(mine), len(its)))


class _Asking(NamedTuple):
    ways: re.Pattern[str]
    happened: re.Pattern[str]
    words: frozenset[str]


@cache
def _asking() -> _Asking:
    file = importlib.resources.files("assistant").joinpath("data/timeline.toml")
    tables = [*tomllib.loads(file.read_text(encoding="utf-8")).values()]
    ways, happened = (
        re.compile(rf"(?<!\w)(?:{'|'.join(way for t in tables for way in t[kind])})(?!\w)", re.I)
        for kind in ("ways", "happened")
    )
    words = frozenset(word for table in tables for word in table["words"].split())
    return _Asking(ways, happened, words)
