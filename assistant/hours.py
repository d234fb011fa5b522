"""The time of day that a statement tells: by the clock, or as a part of the day."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from assistant.analysis import stem
from assistant.counting import table
from assistant.statements import Statement
from assistant.units import Amount
from assistant.values import Value

Hours = frozenset[int]  # of the day, 0 to 23


class TimeOfDay(NamedTuple):
    value: Value  # the words that tell it
    hours: Hours


def asks_for_hour(question: str) -> bool:
    return any(_hour_asked(language).search(question) for language in ("en", "ru", "tr"))


def parts_of_day(language: str) -> frozenset[str]:
    """The stems of words such as "evening", and of "time" itself."""
    return frozenset(
        stem([*_parts(language), *table(language).get("hour_words", "").split()], language)
    )


def hours(statement: Statement) -> TimeOfDay | None:
    """The first one told, if any."""
    for value in statement.values:
        if isinstance(value.meaning, Amount) and value.meaning.unit == "clock":
            return TimeOfDay(value, frozenset({int(value.meaning.number) // 60 % 24}))
    parts = _parts(statement.language)
    for word in statement.words:
        if word.text in parts:
            start, end = _told(statement, word.start, word.end)
            amount = Amount(float(min(parts[word.text])) * 60, "clock")
            return TimeOfDay(
                Value("quantity", start, end, statement.text[start:end], amount), parts[word.text]
            )
    return None


def _told(statement: Statement, start: int, end: int) -> tuple[int, int]:
    """The span with what belongs to it: "shortly after midnight", "the evening of September 13"."""
    before = _before(statement.language).search(statement.text, 0, start)
    after = next(
        (v for v in statement.values if v.kind == "date" and 0 <= v.start - end <= 4), None
    )
    return before.start() if before else start, after.end if after else end


@cache
def _before(language: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{table(language).get('hour_before', '(?!)')}) $", re.IGNORECASE)


@cache
def _hour_asked(language: str) -> re.Pattern[str]:
    asked = table(language).get("hour_asked", "(?!)")
    return re.compile(rf"(?<!\w)(?:{asked})(?!\w)", re.IGNORECASE)


@cache
def _parts(language: str) -> dict[str, Hours]:
    found = {}
    for entry in table(language).get("hours", "").split():
        word, _, span = entry.partition("=")
        first, last = map(int, span.split("-"))
        found[word] = frozenset(hour % 24 for hour in range(first, last + 1 + 24 * (last < first)))
    return found
