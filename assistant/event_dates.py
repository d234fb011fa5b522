"""When something happened, which is seldom the day on which a text about it was published.

"On September 13" in a text published 2022-09-16 is 2022-09-13, "on Tuesday" the Tuesday before,
"two days later" counts from the day spoken of. In an undated text a day stays without its year.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import NamedTuple

from assistant.date_mentions import Mention, mentions, of_language

CONTEXT = 1500  # characters before a sentence that are read for the day and the year spoken of
_RECENT = 45  # days: a date that was so lately needs no year from the text before
_FAR = 320  # days back from which a date without its year is the next one and not the last
_NEAR = 8  # words before a date that can say that it is still to come
_DAY = dt.timedelta(days=1)
_CLAUSE = re.compile(r"[,;:.!?()—]|\s[-–]\s|\n|\b(?:and|that|which|that|и|что|ve)\b")
_YEARLESS = 2000  # a leap year, to count days in where the year cannot be told


class EventDate(NamedTuple):
    """A time told at ``start:end``: ISO 8601, "--09-13" without year, "a/b" for a span of days."""

    start: int
    end: int
    value: str
    reason: str


@dataclass(frozen=True)
class _Spoken:
    """The last day spoken of, and the last year that holds for what follows."""

    day: dt.date | None = None
    paragraph: int = -1  # of the day
    year: Mention | None = None
    year_paragraph: int = -1


def event_dates(
    text: str, published: dt.date | None, language: str, start: int = 0, end: int | None = None
) -> list[EventDate]:
    """The times told in ``text[start:end]``, read with what stands before, in their order.

    Left out is what no date can be given, such as "on Tuesday" in an undated text.
    """
    end = len(text) if end is None else end
    base = max(0, start - CONTEXT)
    window = text[base:end]
    spoken, found = _Spoken(), []
    for mention in mentions(window, language):
        reader = _Reader(window, published, language, spoken, mention)
        value, why = reader.read()
        spoken = reader.after(value)
        if value and mention.start + base >= start:
            why = f'"{" ".join(window[mention.start : mention.end].split())}"{why}'
            found.append(EventDate(mention.start + base, mention.end + base, value, why))
    return found


class _Reader:
    """Reads one mention: the rules, each for one way to tell a time."""

    def __init__(
        self,
        text: str,
        published: dt.date | None,
        language: str,
        spoken: _Spoken,
        mention: Mention,
    ) -> None:
        self.text, self.published, self.spoken, self.mention = text, published, spoken, mention
        self.words = of_language(language).words
        self.paragraph = text.count("\n", 0, mention.start)
        self.dated = f", in a text published {published}" if published else ", in an undated text"

    def read(self) -> tuple[str | None, str]:
        """The date and how it was found."""
        told = self.mention
        if told.month and told.day:
            return self._day_of_month()
        if told.day:
            return self._day_alone()
        if told.month:
            return self._month()
        if told.year:
            return str(told.year), ""
        if told.weekday is not None:
            return self._weekday()
        return self._distance()

    def after(self, value: str | None) -> _Spoken:
        """What is spoken of once this mention was read."""
        spoken, told = self.spoken, self.mention
        day, paragraph = spoken.day, spoken.paragraph
        if value and (first := _first_day(value)):
            day, paragraph = first, self.paragraph
        year, year_paragraph = spoken.year, spoken.year_paragraph
        if told.carries:
            year, year_paragraph = told, self.paragraph
        return _Spoken(day, paragraph, year, year_paragraph)

    # -- days of a month -----------------------------------------------------------------------

    def _day_of_month(self) -> tuple[str | None, str]:
        told = self.mention
        year, why = self._year()
        first = _date(year or _YEARLESS, told.month, told.day)
        if first is None:
            return None, ""
        value = first.isoformat() if year else f"-{first:-%m-%d}"
        if told.until and (last := _date(year or _YEARLESS, told.month, told.until)):
            value += "/" + (last.isoformat() if year else f"-{last:-%m-%d}")
        return value, why

    def _year(self) -> tuple[int | None, str]:
        """The year of a day and month, told or found, and how."""
        told = self.mention
        if told.year:
            return told.year, ""
        if told.year_from == "published":
            return (self.published.year + told.years if self.published else None), self.dated
        if told.year_from == "spoken":
            known = self._spoken_year()
            return (known + told.years if known else None), self.dated
        if self.published is None:
            year, why = self._carried()
            return (year, why) if year else (None, self.dated)
        return self._nearest(self.published)

    def _nearest(self, published: dt.date) -> tuple[int | None, str]:
        """The year that puts a day or a month where its sentence means it: lately, or soon."""
        past = self._in_year(published.year)
        if past is None or past > published:
            past = self._in_year(published.year - 1)
        coming = past and self._in_year(past.year + 1)
        if past is None or coming is None:
            return published.year, self.dated
        back, ahead = (published - past).days, (coming - published).days
        tense = self._tense()
        if (tense == "future" and ahead <= _FAR) or (tense == "planned" and ahead < back):
            return coming.year, self.dated
        if back > _RECENT or tense:
            year, why = self._carried()
            if year:
                return year, why
        month = 0 if self.mention.day else 30
        return (coming if back - month > _FAR else past).year, self.dated

    def _in_year(self, year: int) -> dt.date | None:
        return _date(year, self.mention.month, self.mention.day or 1)

    def _carried(self) -> tuple[int | None, str]:
        """The year of the text before, where it goes on from there and not past the publication."""
        context = self.spoken.year
        if context is None or not self._beside(self.spoken.year_paragraph) or not context.year:
            return None, ""
        since = _date(context.year, context.month or 1, context.day or 1)
        day = self._in_year(context.year)
        if since is None or day is None or day < since or day > (self.published or day):
            return None, ""
        source = " ".join(self.text[context.start : context.end].split())
        return context.year, f', its year from "{source}" before'

    def _spoken_year(self) -> int | None:
        if self.spoken.year and self._beside(self.spoken.year_paragraph):
            return self.spoken.year.year
        day = self._spoken_day()
        return day.year if day and day.year != _YEARLESS else None

    def _beside(self, paragraph: int) -> bool:
        return paragraph >= 0 and self.paragraph - paragraph <= 2  # a blank line between

    def _spoken_day(self) -> dt.date | None:
        return self.spoken.day if self._beside(self.spoken.paragraph) else None

    # -- months and days told by little ---------------------------------------------------------

    def _month(self) -> tuple[str | None, str]:
        told, published = self.mention, self.published
        month = told.month or 1
        if told.which is not None and published:
            year = published.year + told.which
            if told.which < 0 and month < published.month:
                year = published.year
            if told.which > 0 and month > published.month:
                year = published.year
            return f"{year}-{month:02}", self.dated
        found, why = self._year()
        return (f"{found}-{month:02}" if found else f"--{month:02}"), why

    def _day_alone(self) -> tuple[str | None, str]:
        """The 16th of the month that is spoken of, or the thirteenth of "this" one."""
        told, spoken = self.mention, self._spoken_day()
        if told.which is not None or spoken is None:
            if self.published is None:
                return None, ""
            month = _month_after(self.published, told.which or 0)
            day = _date(month.year, month.month, told.day)
            return _iso(day), self.dated
        return _iso(_date(spoken.year, spoken.month, told.day)), ", in the month spoken of"

    def _weekday(self) -> tuple[str | None, str]:
        told, published = self.mention, self.published
        if published is None or told.weekday is None:
            return None, ""
        back = (published.weekday() - told.weekday) % 7
        ahead = (told.weekday - published.weekday()) % 7
        tense = self._tense()
        if told.which is not None:
            days = {-1: -(back or 7), 0: told.weekday - published.weekday(), 1: ahead or 7}
            return _iso(published + _DAY * days[told.which]), self.dated
        if tense == "future" or (tense == "planned" and ahead < back):
            return _iso(published + _DAY * ahead), self.dated
        return _iso(published - _DAY * back), self.dated

    # -- so far from another day ------------------------------------------------------------------

    def _distance(self) -> tuple[str | None, str]:
        told = self.mention
        origin = self._spoken_day() if told.spoken else self.published
        if origin is None or (told.which is not None and told.unit == "day"):
            return None, ""
        why = f", from {_iso(origin)}" if told.spoken else self.dated
        return self._counted(origin, told.amount if told.which is None else told.which), why

    def _counted(self, origin: dt.date, amount: int) -> str | None:
        unit = self.mention.unit
        if unit == "day":
            return _iso(origin + _DAY * amount)
        if origin.year == _YEARLESS:
            return None
        if unit == "weekend":
            return self._weekend(origin, amount)
        if unit == "week":
            monday = origin + _DAY * (7 * amount - origin.weekday())
            return f"{monday}/{monday + _DAY * 6}"
        if unit == "month":
            return f"{_month_after(origin, amount):%Y-%m}"
        return str(origin.year + amount)

    def _weekend(self, origin: dt.date, which: int) -> str:
        """The last one that is over, unless this one has begun or one to come is meant."""
        saturday = origin + _DAY * (5 - origin.weekday())
        if which < 0 or (which == 0 and origin.weekday() < 5 and self._tense() != "future"):
            saturday -= _DAY * 7
        elif which > 0 and origin.weekday() >= 5:
            saturday += _DAY * 7
        return f"{saturday}/{saturday + _DAY}"

    # -- tense ----------------------------------------------------------------------------------

    def _tense(self) -> str | None:
        """Whether the clause says near the mention that it is "future", or was "planned"."""
        if not self.words:
            return None
        told = self.mention
        before = _CLAUSE.split(self.text[max(0, told.start - 200) : told.start])[-1].split()
        after = _CLAUSE.split(self.text[told.end : told.end + 200])[0].split()
        opens = len(before) < 2
        if self.words["verb_last"]:
            near = after
        else:
            near = before[-_NEAR:] + (["", *after[: _NEAR - 2]] if opens else [])
        said = " ".join(near)
        for tense in ("future", "planned"):
            if re.search(rf"(?<!\w)(?:{self.words[tense]})(?!\w)", said, re.IGNORECASE):
                return tense
        return None


def _date(year: int, month: int | None, day: int | None) -> dt.date | None:
    """None for a day that this month does not have."""
    try:
        return dt.date(year, month or 1, day or 1)
    except ValueError:
        return None


def _iso(day: dt.date | None) -> str | None:
    if day is None:
        return None
    return f"-{day:-%m-%d}" if day.year == _YEARLESS else day.isoformat()


def _first_day(value: str) -> dt.date | None:
    """The day a value begins on, in the year without a year where it has none; None for a month."""
    first = value.split("/")[0].replace("--", f"{_YEARLESS}-", 1)
    return dt.date.fromisoformat(first) if len(first) == 10 else None


def _month_after(day: dt.date, months: int) -> dt.date:
    """The first of the month that is so many months on."""
    years, month = divmod(day.month - 1 + months, 12)
    return dt.date(day.year + years, month + 1, 1)
