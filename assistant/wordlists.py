"""The words that values are written with: data/values.toml, and CLDR's months and weekdays."""

from __future__ import annotations

import importlib.resources
import tomllib
from functools import cache
from typing import Any

from assistant.analysis import stem

_NO_BABEL = {"und": "en"}


@cache
def word_lists() -> dict[str, Any]:
    """data/values.toml as it is."""
    file = importlib.resources.files("assistant").joinpath("data/values.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def numbered(pairs: str) -> dict[str, float]:
    """``"two=2 ten=10"`` as a table."""
    return {word: float(number) for word, number in (pair.split("=") for pair in pairs.split())}


@cache
def languages(which: str) -> frozenset[str]:
    """One of the sets in [languages]: what languages, or endings, are of that kind."""
    return frozenset(word_lists()["languages"][which].split())


@cache
def months(language: str) -> dict[str, int]:
    """Month by its names in lower case, short ones and word stems too; January is 1."""
    locale = _locale(language)
    table: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[context][width].items():
                word = name.strip(".").casefold()
                if word.isalpha() and len(word) > 2:
                    table[word] = number
                    if width == "wide":
                        table.setdefault(stem([word], language)[0], number)
    for word, number in numbered(word_lists()["calendar"]["months"]).items():
        table.setdefault(word.casefold(), int(number))
    return table


@cache
def weekdays(language: str) -> dict[str, int]:
    """Weekday by its names in lower case and their stems; Monday is 0."""
    table: dict[str, int] = {}
    for number, name in _locale(language).days["format"]["wide"].items():
        word = name.casefold()
        if word.isalpha():
            table[word] = number
            table.setdefault(stem([word], language)[0], number)
    return table


def month(word: str, language: str) -> int | None:
    """Which month the word is, 1 to 12."""
    return _look_up(word, language, months(language))


def weekday(word: str, language: str) -> int | None:
    """Which weekday the word is; Monday is 0."""
    return _look_up(word, language, weekdays(language))


def _look_up(word: str, language: str, table: dict[str, int]) -> int | None:
    folded = word.casefold().replace("i\u0307", "i")
    found = table.get(folded)
    if found is not None or language in {"en", "und"} or len(folded) < 3:
        return found
    return table.get(_stem(folded, language))


@cache
def _stem(word: str, language: str) -> str:
    return stem([word], language)[0]


def _locale(language: str) -> Any:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(_NO_BABEL.get(language, language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
