"""A text as verification compares it: its sentences, their words, values, negations and tokens."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from assistant.analysis import stem, stop_words
from assistant.reading import Reading
from assistant.segmenting import sentences
from assistant.values import Value, values

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_POSSESSIVE = re.compile(r"['’]s?$")
_NOT = re.compile(r"n['’]t$|^cannot$")


@dataclass(frozen=True)
class Statement:
    """One sentence: its place in its text, and what it says, word by word."""

    text: str
    start: int
    language: str
    words: tuple[tuple[int, int], ...]  # spans in ``text``
    stems: tuple[str, ...]  # one for each word
    content: frozenset[str]  # the stems that are no stop words
    values: tuple[Value, ...]
    negations: tuple[tuple[int, str], ...]  # each with where it begins

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Evidence:
    """A passage, prepared once for every sentence that cites it."""

    text: str
    statements: tuple[Statement, ...]
    common: frozenset[str] = frozenset()  # its words in lower case, which are no names
    reading: Reading | None = None  # None where only the rules are asked

    @cached_property
    def values(self) -> tuple[Value, ...]:
        return tuple(value for statement in self.statements for value in statement.values)

    @cached_property
    def inside(self) -> list[NDArray[np.intp]]:
        """For each statement the rows of its tokens; none past what the model reads."""
        if self.reading is None:
            return [np.zeros(0, np.intp) for _ in self.statements]
        starts, ends = self.reading.spans[:, 0], self.reading.spans[:, 1]
        return [np.flatnonzero((starts >= s.start) & (ends <= s.end)) for s in self.statements]


def prepare(text: str, language: str, reading: Reading | None = None) -> Evidence:
    """The passage as evidence."""
    common = frozenset(m.group() for m in _WORD.finditer(text) if m.group().islower())
    found = tuple(
        statement(text[start:end], language, common, start)
        for start, end in sentences(text, language)
    )
    return Evidence(text, found, common, reading)


def statement(
    text: str, language: str, common: Collection[str] = frozenset(), start: int = 0
) -> Statement:
    """One sentence, prepared; ``common`` are words in lower case that are no names."""
    spans = [match.span() for match in _WORD.finditer(text)]
    lower = [text[begin:end].casefold() for begin, end in spans]
    bare = [_POSSESSIVE.sub("", word) for word in lower]
    stop = stop_words(bare, language)
    stems = stem(bare, language)
    content = frozenset(s for s, word in zip(stems, bare, strict=True) if word not in stop)
    negative = frozenset(_words("negations", language))
    return Statement(
        text=text,
        start=start,
        language=language,
        words=tuple(spans),
        stems=tuple(stems),
        content=content,
        values=values(text, language, common),
        negations=tuple(
            (begin, word)
            for (begin, _), word in zip(spans, lower, strict=True)
            if word in negative or _NOT.search(word)
        ),
    )


def opposites(language: str) -> frozenset[tuple[str, str]]:
    """Pairs of stems of which one denies the other: agreed and refused, rose and fell."""
    return _opposites(language)


@cache
def _opposites(language: str) -> frozenset[tuple[str, str]]:
    pairs = [pair.split("/") for pair in _words("opposites", language)]
    found = set()
    for left, right in pairs:
        for one in left.split(","):
            for other in right.split(","):
                a, b = stem([one, other], language)
                found |= {(a, b), (b, a)}
    return frozenset(found)


def _words(kind: str, language: str) -> Sequence[str]:
    table = _lists().get(language, _lists()["en"])
    return table[kind].split()


@cache
def _lists() -> dict[str, dict[str, str]]:
    file = importlib.resources.files("assistant").joinpath("data/opposites.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
