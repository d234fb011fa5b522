"""Text to the places where it tells a day, a month, a year or a time from some other day.

What they mean is event_dates' part; here they are found and read, in the languages of
data/event_dates.toml. Dates in figures (2022-09-13, 13.09.2022) are read in every language.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

Unit = Literal["day", "weekend", "week", "month", "year"]

_UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")
_WHICH = {"last": -1, "this": 0, "next": 1}
_NUMBERED = {"days", "shift", "n", "o"}
_DIGITS = re.compile(r"\d+")
_YEAR = r"(?P<y>1[5-9]\d\d|20\d\d)"
_MONTH_NUMBER, _DAY_NUMBER = r"(?P<m0>0?[1-9]|1[0-2])", r"(?P<d>0?[1-9]|[12]\d|3[01])"
_FIGURES = (
    rf"(?<![\w.-]){_YEAR}-{_MONTH_NUMBER}-{_DAY_NUMBER}(?![\w-])",
    rf"(?<![\w.]){_DAY_NUMBER}\.{_MONTH_NUMBER}\.{_YEAR}(?!\w)",
)


class Mention(NamedTuple):
    """A time told at ``start:end`` of a text; what it leaves open is None."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    until: int | None = None  # the last day of a span that begins on ``day``
    weekday: int | None = None  # 0 is Monday
    unit: Unit | None = None  # of a time that is told by how far it is
    amount: int = 0  # of units, from the day of publication or, ``spoken``, the day spoken of
    spoken: bool = False
    which: int | None = None  # -1, 0, 1: last, this, next
    year_from: Literal["published", "spoken"] | None = None  # "of last year", "of that year"
    years: int = 0  # from there
    carries: bool = False  # told like the time of what the text goes on to tell


class Language(NamedTuple):
    """One language's expressions; ``patterns`` in the order in which they claim the text."""

    patterns: tuple[re.Pattern[str], ...]
    words: dict[str, Any]


def mentions(text: str, language: str) -> list[Mention]:
    """Those of ``text`` in their order, none inside another."""
    known = of_language(language)
    taken: list[tuple[int, int]] = []
    found: list[Mention] = []
    for pattern in known.patterns:
        for match in pattern.finditer(text):
            start, end = match.span("all" if "all" in pattern.groupindex else 0)
            if not any(start < last and first < end for first, last in taken):
                read = _read(match, known.words, start, end)
                taken += [(mention.start, mention.end) for mention in read]
                found += read
    return sorted(found)


@cache
def of_language(language: str) -> Language:
    """The expressions of ``language``, only those in figures where the data file lacks it."""
    file = importlib.resources.files("assistant").joinpath("data/event_dates.toml")
    words = tomllib.loads(file.read_text(encoding="utf-8")).get(language, {})
    patterns = [*_FIGURES, *(_absolute(words) if words else ()), *(_told(words) if words else ())]
    return Language(tuple(re.compile(p, re.IGNORECASE) for p in patterns), words)


def _absolute(w: dict[str, Any]) -> Iterator[str]:
    """Days of a month, most telling first: what claims its words first has them."""
    number = rf"(?:0?[1-9]|[12]\d|3[01])(?!\d){w['day']}"
    first, second = rf"(?P<d>{number})", rf"(?P<d2>{number})"
    month, ordinal = rf"(?P<m>{_any(w['months'])})\b(?:\.(?=\s?\d))?", _ordinal(w)
    behind = rf"(?:,? {_YEAR}{w['year']}|,? (?:{_named(w['years'], '_year')}))?(?!\w)"
    weekday = rf"(?:(?:(?:{w['weekdays_before'] or '(?!)'})\s)?(?:{_any(w['weekdays'])}),? )?"
    ahead = rf"(?:(?:{_named(w['years_before'], '_year')}) )?"
    front = rf"(?<![\w.,-]){ahead}{weekday}"
    joint = rf"(?:\s?(?P<to>[-–—])\s?|\s(?:(?P<to2>{w['to']})|(?P<and>{w['and']}))\s)"
    yield rf"{front}{first}{joint}{second} {w['of']}{month}{behind}"
    yield rf"{front}{month} {first}{joint}{second}{behind}"
    yield rf"{front}(?:{first}|{ordinal}) {w['of']}{month}{behind}"
    yield rf"{front}{month} (?:the )?{first}{behind}"
    yield rf"(?<!\w){month},? (?:of )?{_YEAR}{w['year']}(?!\w)"
    yield rf"(?<!\w){month},? (?:{_named(w['years'], '_year')})(?!\w)"
    yield rf"(?<!\w)(?:{_named(w['years_before'], '_year')}) {month}(?!\w)"


def _told(w: dict[str, Any]) -> Iterator[str]:
    """Times told from another one, weekdays, and at last months and years alone."""
    yield rf"(?<!\w)(?:{_named(w['days'], 'days')})(?!\w)"
    yield rf"(?<!\w)(?:{_named(w['shifts'], 'shift')})(?!\w)"
    amount = rf"(?P<n>\d{{1,3}}|{_named(dict(enumerate(w['amounts'], 1)), 'n')})"
    unit = _named(w["units"], "")
    turn = _named({key: w[key] for key in ("ago", "later", "earlier")}, "")
    which = _named({key: w[key] for key in _WHICH}, "")
    yield rf"(?<!\w){amount} (?:{unit}) (?:{turn})(?!\w)"
    yield rf"(?<!\w)(?P<later>{w['later_first']}) {amount} (?:{unit})(?!\w)"
    yield rf"(?<!\w)(?P<weekend>{w['weekend']})(?!\w)"
    month = rf"(?P<month>{w['units']['month']})"
    yield rf"(?<!\w)(?P<d>{_ordinal(w)}) {w['of']}(?:{which}) {month}(?!\w)"
    yield rf"(?<!\w)(?:{which}) (?:{unit})(?!\w| of )"
    yield w["alone"]
    months, weekdays = (
        rf"(?P<m>{_any(w['months'])})",
        rf"(?P<w>{_any(w['weekdays'])})(?! {w['not_before']})",
    )
    yield rf"(?<!\w)(?:(?:{which})\s)?{weekdays}{_followed(w['weekdays_after'])}"
    yield rf"(?<!\w)(?:(?:{which})\s)?{months}{_followed(w['months_after'])}"
    yield rf"(?<![\w-])(?:(?P<adverb>{w['adverb']})\s)?(?P<all>{_YEAR}{w['year']})(?![\w%.,]*\d)"


def _any(words: list[str]) -> str:
    return "|".join(words)


def _named(words: dict[Any, str], ending: str) -> str:
    """Alternatives, each in a group named by its key; none matches where there are none."""
    groups = (rf"(?P<{_group(key, ending)}>{entry})" for key, entry in words.items())
    return "|".join(groups) or "(?!)"


def _group(key: object, ending: str) -> str:
    return f"{ending}{key}".replace("-", "_minus") if ending in _NUMBERED else f"{key}{ending}"


def _ordinal(w: dict[str, Any]) -> str:
    words = reversed([*enumerate(w["ordinals"], 1)])  # twenty-first before first
    return rf"{w['the']}(?:{_named(dict(words), 'o')})"


def _followed(words: str) -> str:
    return rf"(?=\s?(?:{words}))" if words else r"(?!\w)"


def _read(match: re.Match[str], w: dict[str, Any], start: int, end: int) -> list[Mention]:
    """What one match says: two mentions for "13 and 14 September", none for "may" the verb."""
    said = {name: text for name, text in match.groupdict().items() if text is not None}
    if not _stands(match, said, w):
        return []
    told = Mention(
        start,
        end,
        year=int(said["y"]) if "y" in said else None,
        month=_month(said, w),
        day=_day(said),
        weekday=_entry(said.get("w"), w.get("weekdays", [])),
        unit=_unit(said),
        amount=_amount(said),
        spoken=bool({"later", "earlier"} & said.keys() or _numbered(said, "shift") is not None),
        which=next((n for word, n in _WHICH.items() if word in said), None),
        carries=_carries(match, said, w),
        **_year_from(said),
    )
    if "d2" not in said:
        return [told]
    last = int(_DIGITS.match(said["d2"])[0])  # type: ignore[index]
    if "and" in said and not _ends(w["between"], match.string[:start]):
        first, second = match.span("d"), match.span("d2")
        return [
            told._replace(end=first[1]),
            told._replace(start=second[0], day=last),
        ]
    return [told._replace(until=last)]


def _stands(match: re.Match[str], said: dict[str, str], w: dict[str, Any]) -> bool:
    """Whether a month or weekday that stands alone has the words around it that it needs."""
    alone = {"m", "w"} & said.keys()
    ahead = match.string[: match.start()]
    if w.get("capitals") and _numbered(said, "days") is not None and match[0][0].isupper():
        return not re.search(r"\w\s$", ahead[-2:])  # the programme "Entertainment Tonight"
    if len(alone) != 1 or {"d", "y"} & said.keys() or _ordinals(said):
        return True
    kind = alone.pop()
    if w["capitals"] and not match.group(kind)[0].isupper():
        return False
    before = w["months_before" if kind == "m" else "weekdays_before"]
    if kind == "w" and _ends(w["not_after"], ahead):
        return False
    told = set(_WHICH) & said.keys() or any(name.endswith("_year") for name in said)
    return bool(told or not before or _ends(before, ahead))


def _ends(words: str, text: str) -> bool:
    """Whether one of ``words`` and a space end the text."""
    return re.search(rf"(?<!\w)(?:{words})\s$", text[-40:], re.IGNORECASE) is not None


def _month(said: dict[str, str], w: dict[str, Any]) -> int | None:
    if "m0" in said:
        return int(said["m0"])
    place = _entry(said.get("m"), w.get("months", []))
    return None if place is None else place + 1


def _entry(word: str | None, entries: list[str]) -> int | None:
    for place, entry in enumerate(entries):
        if word is not None and re.fullmatch(entry, word, re.IGNORECASE):
            return place
    return None


def _day(said: dict[str, str]) -> int | None:
    if ordinals := _ordinals(said):
        return ordinals
    digits = _DIGITS.match(said.get("d", ""))
    return int(digits[0]) if digits else None


def _ordinals(said: dict[str, str]) -> int | None:
    return _numbered(said, "o")


def _numbered(said: dict[str, str], ending: str) -> int | None:
    """The number in the name of the group "days_minus1"."""
    for name in said:
        if found := re.fullmatch(rf"{ending}(_minus)?(\d+)", name):
            return -int(found[2]) if found[1] else int(found[2])
    return None


def _unit(said: dict[str, str]) -> Unit | None:
    if _numbered(said, "days") is not None or _numbered(said, "shift") is not None:
        return "day"
    return next((unit for unit in (*_UNITS, "weekend") if unit in said), None)


def _amount(said: dict[str, str]) -> int:
    for ending in ("days", "shift"):
        if (offset := _numbered(said, ending)) is not None:
            return offset
    amount = _numbered(said, "n")
    amount = int(said["n"]) if amount is None and "n" in said else amount or 0
    return -amount if {"ago", "earlier"} & said.keys() else amount


def _year_from(said: dict[str, str]) -> dict[str, Any]:
    for word, years in {**_WHICH, "that": 0, "after": 1}.items():
        if f"{word}_year" in said:
            return {"year_from": "published" if word in _WHICH else "spoken", "years": years}
    return {}


def _carries(match: re.Match[str], said: dict[str, str], w: dict[str, Any]) -> bool:
    """Whether the year holds for what follows: "In 2015", not "the statement of 9 May 2015"."""
    if "y" not in said or not w:
        return False
    if "adverb" in match.re.groupindex:
        return "adverb" in said
    return not _ends(w["statement"], match.string[: match.start()])
