"""What stands beside a number: its scale, its unit, and how exact it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

from assistant.wordlists import numbered, word_lists

Kind = Literal["number", "percent", "money", "quantity", "ordinal"]
Bound = Literal["", "about", "over", "under"]


_PERCENT = re.compile(
    r"\s?[%٪]|[\s-](?:per\s?cents?|pct|percentage points?|процент\w*|проц)(?!\w)", re.I
)
_PERCENT_BEFORE = re.compile(r"(?:%|yüzde\s)\s?$", re.I)
_HALF = re.compile(r" and a half\b", re.I)
_LEADING = re.compile(r"(?:(?:[^\W\d_]+|[~<>])\s*){0,3}$")


class Amount(NamedTuple):
    """A number in the base of its unit; ``bound`` is "over" for "more than"."""

    number: float
    unit: str = ""  # "%", a currency, or a dimension: "length" (metres), "time" (seconds) ...
    bound: Bound = ""


class Found(NamedTuple):
    start: int
    end: int
    kind: Kind
    amount: Amount


class NumberLists(NamedTuple):
    words: dict[str, float]
    scales: dict[str, float]
    alone: frozenset[str]
    ordinals: dict[str, float]
    bounds: dict[str, Bound]


@cache
def number_lists(language: str) -> NumberLists:
    every = word_lists()["numbers"]
    table = every.get(language, every["en"])
    bounds: dict[str, Bound] = {}
    for bound in ("about", "over", "under"):
        bounds |= dict.fromkeys(table[bound].split(), bound)
    return NumberLists(
        numbered(table["words"]),
        numbered(table["scales"]),
        frozenset(table["alone"].split()),
        numbered(table["ordinals"]),
        bounds,
    )


def with_unit(text: str, start: int, end: int, number: float, language: str) -> Iterator[Found]:
    bound = bound_before(text, start, language)
    number, end = _scaled(text, end, number, language)
    before = text[max(start - 6, 0) : start]
    if percent := _PERCENT.match(text, end):
        yield Found(start, percent.end(), "percent", Amount(number, "%", bound))
        return
    if percent := _PERCENT_BEFORE.search(before):
        yield Found(start - len(percent[0]), end, "percent", Amount(number, "%", bound))
        return
    currency = re.search(r"([A-Z]{0,3}[$€£₽¥₺₴₸֏₼₹₩]|\b[A-Z]{3}) ?$", before)
    code = currency and (
        _currencies().get(currency[1].lower()) or _currencies().get(currency[1][-1:])
    )
    if currency and code:
        if short := re.compile(r"(m|k|bn|b)\b").match(text, end):
            number *= {"k": 1e3, "m": 1e6}.get(short[1], 1e9)
            end = short.end()
        bound = bound_before(text, start - len(currency[0]), language)
        yield Found(start - len(currency[0]), end, "money", Amount(number, code, bound))
        return
    yield _measured(text, start, end, number, bound)


def _measured(text: str, start: int, end: int, number: float, bound: Bound) -> Found:
    word = re.compile(r"[\s\u00a0-]?([^\W\d_]+[²2]?|[$€£₽])(?!\w)").match(text, end)
    # A "US" between number and currency, as in "40 US dollars", is no unit of its own.
    if word and word[1] in {"US", "Canadian", "Australian"}:
        word = re.compile(r"[\s\u00a0-]?\w+ ([^\W\d_]+)(?!\w)").match(text, end) or word
    unit = word[1] if word else ""
    if code := _currencies().get(unit.lower()):
        return Found(start, word.end() if word else end, "money", Amount(number, code, bound))
    if square := re.compile(r"[\s-](?:square (\w+)|кв\.? ?(\w+))").match(text, end):
        side = _units().get(square[1] or square[2])
        if side and side[0] == "length":
            amount = Amount(number * side[1] ** 2, "area", bound)
            return Found(start, square.end(), "quantity", amount)
    if known := _units().get(unit) or _units().get(unit.lower()):
        amount = Amount(number * known[1], known[0], bound)
        return Found(start, word.end() if word else end, "quantity", amount)
    return Found(start, end, "number", Amount(number, "", bound))


def _scaled(text: str, end: int, number: float, language: str) -> tuple[float, int]:
    """The number and its end with "million" and "and a half" after it."""
    half = _HALF.match(text, end)
    if half:
        number, end = number + 0.5, half.end()
    word = re.compile(r"[\s\u00a0-]{0,2}([^\W\d_]+)(?!\w)").match(text, end)
    scale = number_lists(language).scales.get(word[1].lower()) if word else None
    if word and scale:
        return _scaled(text, word.end(), number * scale, language)
    return number, end


def bound_before(text: str, start: int, language: str) -> Bound:
    """What the few words before a number say of it; "more than" and "no more than" differ."""
    before = text[max(start - 24, 0) : start].lower()
    words = _LEADING.search(before)[0].split()  # type: ignore[index]
    for word in reversed(words):
        if bound := number_lists(language).bounds.get(word):
            negated = words[0] in {"no", "not"} and bound in {"over", "under"}
            return ("under" if bound == "over" else "over") if negated else bound
        if word not in {"a", "an", "to", "of", "the", "us"}:
            break
    return ""


@cache
def _currencies() -> dict[str, str]:
    lists: dict[str, str] = word_lists()["currencies"]
    return {word.lower(): code for code, words in lists.items() for word in words.split()}


@cache
def _units() -> dict[str, tuple[str, float]]:
    table = word_lists()["units"].values()
    return {
        word: (dimension, factor) for dimension, factor, words in table for word in words.split()
    }
