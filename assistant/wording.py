"""The words of a text as an answer is judged by: stems, names, numbers and dates, in place."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from assistant.analysis import stem, stop_words, words_of

Kind = Literal["person", "date", "place", "number", "reason", "yes_no", "thing"]
Mark = Literal["name", "number", "date", ""]

_WORD = re.compile(r"[^\W_]+(?:[.,:]\d+)*")
_PROBABLY = {"und": "en"}
_YEAR = re.compile(r"(?:1\d{3}|20\d{2})s?")  # also "1990s"
_ALIKE, _SHARE = 4, 0.66  # letters, and share of the shorter, that two forms of one name begin with


class Word(NamedTuple):
    """One word of a text; ``text`` is in lower case, ``start`` and ``end`` count characters."""

    text: str
    stem: str
    start: int
    end: int
    stop: bool  # says little of what the text is about
    mark: Mark  # what it could be an answer to, as far as its form tells


class Lists(NamedTuple):
    """One language's part of data/questions.toml, which says what they are."""

    asking: tuple[tuple[tuple[str, ...], Kind], ...]  # phrase -> what it asks for
    openings: frozenset[str]
    particles: frozenset[str]
    dates: frozenset[str]
    numbers: frozenset[str]
    reasons: frozenset[str]
    negations: frozenset[str]
    light: frozenset[str]
    joining: frozenset[str]
    pronouns: frozenset[str]


@lru_cache(maxsize=2048)
def read(text: str, language: str) -> tuple[Word, ...]:
    """The words of a text, in their order; one of no known language is read as English."""
    language = _PROBABLY.get(language, language)
    found = list(_WORD.finditer(text))
    lowered = [" ".join(words_of(m.group(), language)) or m.group().casefold() for m in found]
    single = [word.partition(" ")[0] for word in lowered]  # a stemmer takes one word at a time
    stems = stem(single, language)
    if len(stems) != len(found):
        stems = single
    stop = stop_words(single, language)
    marks = _marks([m.group() for m in found], single, stop, lists(language))
    return tuple(
        Word(word, stemmed, match.start(), match.end(), word in stop, mark)
        for word, stemmed, match, mark in zip(single, stems, found, marks, strict=True)
    )


def _marks(written: list[str], lowered: list[str], stop: set[str], known: Lists) -> list[Mark]:
    marks: list[Mark] = []
    for place, (form, word) in enumerate(zip(written, lowered, strict=True)):
        if word in known.dates and (form[0].isupper() or word not in stop):
            marks.append("date")
        elif form[0].isdigit():
            marks.append("date" if _YEAR.fullmatch(form) else "number")
        elif word in known.numbers:
            marks.append("number")
        elif form[0].isupper() and word not in stop and (place or _begins_name(written[1:2])):
            marks.append("name")
        else:
            marks.append("")
    for place, mark in enumerate(marks):  # 13 September
        near = (*lowered[max(place - 1, 0) : place], *lowered[place + 1 : place + 2])
        if mark == "number" and lowered[place].isdigit() and known.dates.intersection(near):
            marks[place] = "date"
    return marks


def _begins_name(following: list[str]) -> bool:
    """Whether the first word of a sentence, which has a capital anyway, begins a name."""
    return bool(following) and following[0][0].isupper()


def acronyms(words: Sequence[Word]) -> list[tuple[range, str]]:
    """The rows of names among the words, two and more, and what they are short as: ``csto``."""
    found = []
    start = 0
    for place in range(len(words) + 1):
        if place < len(words) and words[place].mark == "name":
            continue
        if place - start > 1:
            letters = "".join(word.text[0] for word in words[start:place])
            found.append((range(start, place), letters))
        start = place + 1
    return found


def akin(one: str, other: str) -> bool:
    """Whether two stems are of one name or word: Kazakh, Kazakhstan; Tokaev, Tokayev."""
    if one == other:
        return True
    shorter = min(len(one), len(other))
    alike = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    return alike >= _ALIKE and alike >= _SHARE * shorter and not (one + other).isdigit()


@cache
def seats() -> dict[str, tuple[str, ...]]:
    """Stems of countries to those of the seats of their governments, and the reverse."""
    known: dict[str, tuple[str, ...]] = {}
    for language, found in _file().items():
        for pair in found.get("seats", "").split():
            one, other = stem(pair.split("/"), language)
            known[one] = (*known.get(one, ()), other)
            known[other] = (*known.get(other, ()), one)
    return known


@cache
def lists(language: str) -> Lists:
    """The language's lists, empty ones where there are none."""
    found = _file().get(_PROBABLY.get(language, language), {})
    kinds: tuple[Kind, ...] = ("person", "date", "place", "number", "reason", "thing")
    asking = [
        (tuple(words_of(phrase, language)), kind)
        for kind in kinds
        for phrase in found.get(kind, "").split("|")
        if phrase
    ]
    openings = [
        word for phrase in found.get("yes_no", "").split("|") for word in phrase.split()[:1]
    ]
    words = (frozenset(found.get(name, "").split()) for name in Lists._fields[2:])
    return Lists(tuple(asking), frozenset(openings), *words)


@cache
def _file() -> dict[str, dict[str, str]]:
    file = importlib.resources.files("assistant").joinpath("data/questions.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
