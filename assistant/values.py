"""Text -> the values in it that can be checked: dates, numbers, names, each with its meaning."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from assistant import amounts, dates, names
from assistant.dates import Date
from assistant.names import Name
from assistant.units import Amount

# What holds a digit and is no date or amount (mp3, 2-1, bff09864d): it is compared as a name.
_CODE = re.compile(r"[^\W_]*\d[^\W_]*")

Kind = Literal["date", "number", "percent", "money", "quantity", "ordinal", "name"]


@dataclass(frozen=True)
class Value:
    """A run of a text that says when, how many or who; ``text`` is its slice [start:end]."""

    kind: Kind
    start: int
    end: int
    text: str
    meaning: Date | Amount | Name


def values(
    text: str, language: str = "en", common: Collection[str] = frozenset()
) -> tuple[Value, ...]:
    """The values of a text in reading order, none overlapping another.

    ``language`` is ISO 639-1. ``common`` are words in lower case that are known to be no names,
    which tells "Soldiers came" from "Pashinyan came".
    """
    found = [
        Value("date", start, end, text[start:end], date)
        for start, end, date in dates.find(text, language)
    ]
    taken = bytearray(len(text))
    for value in found:
        taken[value.start : value.end] = b"\1" * (value.end - value.start)
    for start, end, kind, amount in amounts.find(text, language):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Value(kind, start, end, text[start:end], amount))
    for start, end, name in names.find(text, language, common):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Value("name", start, end, text[start:end], name))
    for code in _CODE.finditer(text):
        if not any(taken[slice(*code.span())]):
            named = Name((names.fold(code[0], language),))
            found.append(Value("name", *code.span(), code[0], named))
    return tuple(sorted(found, key=lambda value: value.start))


def agrees(one: Value, other: Value) -> bool:
    """Whether both can be true of one thing: "13 September" and "September 13, 2022" can.

    Values of two kinds agree only as a year and a bare number, or as an ordinal and a number.
    """
    mine, its = one.meaning, other.meaning
    if isinstance(mine, Date) and isinstance(its, Date):
        return dates.agree(mine, its)
    if isinstance(mine, Name) or isinstance(its, Name):
        return isinstance(mine, Name) and isinstance(its, Name) and names.agree(mine, its)
    return amounts.agree(_amount(mine), _amount(its))


def _amount(meaning: Date | Amount) -> Amount:
    """A year as the number it may have been meant as; another date as none at all."""
    if isinstance(meaning, Amount):
        return meaning
    bare = meaning == Date(year=meaning.year)
    return Amount(float(meaning.year), "") if bare and meaning.year else Amount(float("nan"))
