"""What a number in a sentence counts: people or another thing, whose, and what became of them."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from assistant import wording
from assistant.analysis import stem
from assistant.names import fold, same_word
from assistant.units import number_lists
from assistant.wording import Word, read, seats

_NOUN = 3  # words after a number in which its noun stands
_REACH = 20  # words from a number in which it is said what became of those it counts
_PART = 4  # words beside a number that say that it is of a part
_MARK = re.compile(r"[^\w\s'’-]")


class Lists(NamedTuple):
    """One language's part of data/rivals.toml, in stems, which says what they are."""

    persons: frozenset[str]
    states: dict[str, str]  # to what became of them
    alike: dict[str, int]  # to the number of their row
    sizes: frozenset[str]
    beside: frozenset[str]  # words as they are
    part: re.Pattern[str]
    share: re.Pattern[str]
    further: re.Pattern[str]
    percent: re.Pattern[str]


class Count(NamedTuple):
    """What one number counts; ``noun`` is a stem, none where the number stands alone."""

    persons: bool
    noun: str | None
    state: str | None  # what became of them
    owner: str | None  # the country whose number it is
    part: bool  # whether it counts some of those that were counted before


@cache
def table(language: str) -> dict[str, Any]:
    """The language's part of data/rivals.toml, empty where there is none."""
    file = importlib.resources.files("assistant").joinpath("data/rivals.toml")
    found: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")).get(language, {})
    return found


@cache
def lists(language: str) -> Lists:
    """The language's lists, empty ones where there are none."""
    found = table(language)

    def stems(words: str) -> frozenset[str]:
        return frozenset(stem(words.split(), language))

    return Lists(
        stems(found.get("persons", "")),
        {each: kind for kind, row in found.get("states", {}).items() for each in stems(row)},
        {each: row for row, words in enumerate(found.get("alike", [])) for each in stems(words)},
        stems(found.get("sizes", "")),
        frozenset(found.get("beside", "").split()),
        *(
            re.compile(rf"(?<!\w)(?:{found.get(name, '(?!)')})(?!\w)", re.IGNORECASE)
            for name in ("part", "share", "further", "percent")
        ),
    )


def counted(text: str, start: int, end: int, language: str, before: str = "") -> Count:
    """What ``text[start:end]`` counts, a number or the words that ask for one.

    ``before`` is the sentence before, which says what became of "them".
    """
    words = read(text, language)
    first = sum(word.end <= start for word in words)
    after = [word for word in words if word.start >= end]
    known = lists(language)
    noun = _noun(text, end, after, known) or _crowd(words[:first], language, known)
    state = _state(words[:first], words[first : len(words) - len(after)], after, known)
    if state is None and before and words and words[0].text in wording.lists(language).pronouns:
        state = _state(read(before, language), (), (), known)
    beside = _beside(text, words, first, after)
    if any(map(known.further.search, beside)):
        return Count(persons=False, noun=None, state=None, owner=None, part=True)
    return Count(
        persons=noun in known.persons if noun else state is not None,
        noun=noun,
        state=state,
        owner=_owner(text, end, words, first, after, known),
        part=any(map(known.part.search, beside)),
    )


def _noun(text: str, end: int, after: Sequence[Word], known: Lists) -> str | None:
    """The noun that the number counts: the last word of the run that follows it."""
    noun = None
    for word in after[:_NOUN]:
        ends = word.stop or word.stem in known.sizes or text[end : word.start].strip()
        if ends or (word.stem in known.states and word.stem not in known.persons):
            break
        noun, end = word.stem, word.end
        if noun in known.persons:
            break
    return noun


def _crowd(before: Sequence[Word], language: str, known: Lists) -> str | None:
    """The noun for people that the number is of: "a crowd of about 40,000"."""
    hedges = number_lists(language).bounds
    rest = [word for word in before[-_PART:] if word.text not in hedges]
    of = len(rest) > 1 and rest[-1].text == "of" and rest[-2].stem in known.persons
    return rest[-2].stem if of else None


def _state(
    before: Sequence[Word], inside: Sequence[Word], after: Sequence[Word], known: Lists
) -> str | None:
    """What became of those counted, by the nearest word that says so; what follows comes first."""
    near = [
        *((0.0, word) for word in inside),
        *((place + 1.0, word) for place, word in enumerate(after[:_REACH])),
        *((place + 1.5, word) for place, word in enumerate(reversed(before[-_REACH:]))),
    ]
    found = [(far, known.states[word.stem]) for far, word in near if word.stem in known.states]
    return min(found)[1] if found else None


def _owner(
    text: str, end: int, words: Sequence[Word], first: int, after: Sequence[Word], known: Lists
) -> str | None:
    """The country right beside the number, or else the first that is no mere place."""
    run = [word for word in after[:_NOUN] if not _MARK.search(text[end : word.start])]
    near = [*run, *words[max(first - 1, 0) : first]]
    free = [
        word
        for place, word in enumerate(words)
        if not known.beside & {each.text for each in words[max(place - 2, 0) : place]}
    ]
    return next(iter(countries(text, (*near, *free))), None)


def _beside(text: str, words: Sequence[Word], first: int, after: Sequence[Word]) -> tuple[str, str]:
    """The few words before a number, and those after it."""
    before = words[max(first - _PART, 0) : first]
    return (
        text[before[0].start : before[-1].end] if before else "",
        text[after[0].start : after[:_PART][-1].end] if after else "",
    )


def countries(text: str, words: Sequence[Word]) -> list[str]:
    """The countries that these words of the text name, in their order."""
    capitals = (word.text for word in words if text[word.start].isupper() and not word.stop)
    return [named for word in capitals if (named := country(word))]


@cache
def country(word: str) -> str | None:
    """The country that a word names: Armenia for "Armenian" and for "Yerevan", in its own stem."""
    folded = fold(word)
    named = next((each for each in _countries() if same_word(each, folded)), None)
    if named:
        return named
    seated = seats().get(stem([word.casefold()], "en")[0], ())
    return next((each for each in _countries() if any(same_word(each, s) for s in seated)), None)


@cache
def _countries() -> tuple[str, ...]:
    from babel import Locale

    names = Locale.parse("en").territories
    return tuple(fold(name) for code, name in names.items() if code.isalpha() and name.isalpha())
