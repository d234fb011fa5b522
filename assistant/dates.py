"""Text -> the dates in it, in parts: a day, a month, a year, a decade, a century, a weekday.

A text becomes a row of signs, one for each word, number and mark ("13 September 2022" is "D M Y"),
and a few patterns over signs find the dates in every language.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from assistant.signs import Token, ordinal, sign, tokens
from assistant.wordlists import month, numbered, weekday, word_lists

_ISO = re.compile(r"(?<![\w-])(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\w.])(\d{1,2})([./])(\d{1,2})\2(\d{4})(?!\d)")
_SIGNS = re.compile(r"(\d{4})年(?:(\d{1,2})月(?:(\d{1,2})日)?)?")  # Chinese, Japanese
_PLURAL = re.compile(r"\s+(?:[a-z]+s|people|men|women|children|человек|kişi)\b")

# The signs are those of signs.py.
_DAY, _MONTH, _YEAR = "(?P<day>D)t?", "(?P<month>[Mm])", "(?P<year>Y)"
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        rf"(?:(?P<other>D)t? ?[-a] ?)?{_DAY}\.? ?(?:o )?{_MONTH}(?:\.?,?(?: o)? {_YEAR})?",
        r"(?P<month>[Mm])\.? (?P<day>D)t?(?: ?[-a] ?(?P<other>D)t?(?! [Mm]))?(?:,? (?P<year>Y))?",
        r"(?P<day>O) o (?P<month>[Mm])(?:,? (?P<year>Y))?",
        r"(?P<month>[Mm])\.?,?(?: o)?[ -](?P<year>Y)",
        r"(?P<century>[DdO])t?\.?[ -]*C(?: (?P<era>B))?",
        r"(?P<decade>[Yd])[-q]?e|q(?P<decade2>d)e",
        r"(?P<era>B) (?P<year>[YDdn])(?!t)",
        r"(?P<year>[YDdn]) (?P<era>B)",
        r"(?P<year>Y) ?[-/] ?(?P<until>[YDd])(?![-/t])",
        r"(?P<lone>Y)",
        r"(?<=[pao] )(?P<month>m)|(?P<month2>M)",
        r"(?<=[pao] )(?P<weekday>w)|(?P<weekday2>W)",
    )
]


class Date(NamedTuple):
    """What a text tells of a time; ``years`` is 10 for a decade from ``year`` on, 100 a century."""

    year: int | None = None  # negative before Christ
    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # Monday is 0; set when it is all that is told
    years: int = 1


def find(text: str, language: str) -> Iterator[tuple[int, int, Date]]:
    """The dates of a text, each with its span; they do not overlap, and come in no order."""
    taken: list[tuple[int, int]] = []
    for start, end, date in _numeric(text, language):
        taken.append((start, end))
        yield start, end, date
    words = tokens(text)
    signs = "".join(
        "x"
        if any(start <= token.start < end for start, end in taken)
        else sign(text, token, language)
        for token in words
    )
    for pattern in _PATTERNS:
        kept: list[tuple[int, int]] = []
        for match in pattern.finditer(signs):
            found = list(_read(match, words, text, language))
            kept += [match.span()] if found else []
            yield from found
        for start, end in kept:
            signs = signs[:start] + "x" * (end - start) + signs[end:]


def _numeric(text: str, language: str) -> Iterator[tuple[int, int, Date]]:
    for match in _ISO.finditer(text):
        if date := _day(int(match[1]), int(match[3]), int(match[4])):
            yield match.start(), match.end(), date
    for match in _NUMERIC.finditer(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        american = match[2] == "/" and language in {"en", "und"} and first <= 12
        order = [(second, first), (first, second)]
        if date := next(
            filter(None, (_day(year, *o) for o in order[:: -1 if american else 1])), None
        ):
            yield match.start(), match.end(), date
    for match in _SIGNS.finditer(text):
        parts = [int(part or 0) or None for part in match.groups()]
        yield match.start(), match.end(), Date(parts[0], parts[1], parts[2])


def _day(year: int, month: int, day: int) -> Date | None:
    return Date(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


# -- from signs to dates -----------------------------------------------------------------------


def _read(
    match: re.Match[str], words: list[Token], text: str, language: str
) -> Iterator[tuple[int, int, Date]]:
    found = {
        name.rstrip("2"): words[match.start(name)] for name, got in match.groupdict().items() if got
    }
    start, end = words[match.start()].start, words[match.end() - 1].end
    if "century" in found:
        yield start, end, _century(found, language)
    elif "decade" in found:
        yield start, end, _decade(int(found["decade"].text))
    elif "lone" in found:
        if not _counts(text, found["lone"], match):
            yield start, end, Date(year=int(found["lone"].text))
    elif "until" in found:
        yield from _years(found["year"], found["until"])
    elif "weekday" in found:
        yield start, end, Date(weekday=weekday(found["weekday"].text, language))
    else:
        yield from _calendar(found, start, end, language)


def _calendar(
    found: dict[str, Token], start: int, end: int, language: str
) -> Iterator[tuple[int, int, Date]]:
    year = int(found["year"].text) if "year" in found else None
    if year and "era" in found:
        year *= int(numbered(word_lists()["calendar"]["eras"])[found["era"].text.upper()])
    which = month(found["month"].text, language) if "month" in found else None
    day = _number(found["day"], language) if "day" in found else None
    if "other" in found:  # 13-14 September: two dates, the second in the words that are its own
        other = found["other"]
        yield other.start, other.end, Date(year, which, int(other.text))
        if other.start < found["day"].start:
            start = found["day"].start
        else:
            end = found["day"].end
    yield start, end, Date(year, which, day)


def _century(found: dict[str, Token], language: str) -> Date:
    number = _number(found["century"], language)
    before = "era" in found and found["era"].text.upper().startswith("B")
    return Date(year=-100 * number if before else 100 * (number - 1) + 1, years=100)


def _decade(year: int) -> Date:
    full = year if year > 100 else 1900 + year
    if full % 10:  # 2008's
        return Date(year=full)
    return Date(year=full, years=100 if full % 100 == 0 and year > 100 else 10)


def _years(first: Token, last: Token) -> Iterator[tuple[int, int, Date]]:
    begin = int(first.text)
    until = int(last.text)
    yield first.start, first.end, Date(year=begin)
    yield last.start, last.end, Date(year=until if until > 100 else begin // 100 * 100 + until)


def _counts(text: str, year: Token, match: re.Match[str]) -> bool:
    """Whether four digits count something: "2000 soldiers", but "in 2000 soldiers"."""
    before = match.string[max(match.start() - 2, 0) : match.start()]
    return bool(_PLURAL.match(text, year.end)) and before not in {"p ", "o ", "a ", "h "}


def _number(token: Token, language: str) -> int:
    return int(token.text) if token.text.isdecimal() else ordinal(token.text, language) or 0


# -- comparing ---------------------------------------------------------------------------------


def agree(one: Date, other: Date) -> bool:
    """Whether both can be of one time, and have a part in common that says so."""
    if one.weekday is not None or other.weekday is not None:
        known = [_weekday(date) for date in (one, other)]
        return known[0] is not None and known[0] == known[1]
    common = False
    if one.year is not None and other.year is not None:
        if one.year >= other.year + other.years or other.year >= one.year + one.years:
            return False
        common = True
    for mine, its in ((one.month, other.month), (one.day, other.day)):
        if mine is not None and its is not None:
            if mine != its:
                return False
            common = True
    return common


def follows(claim: Date, evidence: Date) -> bool:
    """Whether the evidence tells all that the claim does: "2022" of "13 September 2022"."""
    told = all(
        mine is None or its is not None for mine, its in zip(claim[:3], evidence[:3], strict=True)
    )
    return agree(claim, evidence) and told and claim.years >= evidence.years


def _weekday(date: Date) -> int | None:
    if date.weekday is not None or not (date.year and date.month and date.day):
        return date.weekday
    try:
        return dt.date(date.year, date.month, date.day).weekday()
    except ValueError:
        return None
