"""The sentences of found passages, as statements that can be compared and cited."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from assistant.analysis import every_stop_word, stem
from assistant.citing import cite
from assistant.segmenting import sentences
from assistant.types import Citation, ScoredPassage
from assistant.values import Value, agrees, values

Weigh = Callable[[str], float]  # a word to its inverse document frequency in the collection

_WORD = re.compile(r"[^\W_]+")


class Word(NamedTuple):
    """A word of a statement, from its start, and what it is compared by."""

    start: int
    end: int
    stem: str
    text: str


@dataclass(frozen=True)
class Statement:
    """One sentence; ``start`` and ``end`` count from the document's start."""

    passage: ScoredPassage
    start: int
    end: int

    @cached_property
    def text(self) -> str:
        first = self.passage.passage.start
        return self.passage.passage.text[self.start - first : self.end - first]

    @property
    def language(self) -> str:
        return self.passage.document.language

    @cached_property
    def words(self) -> list[Word]:
        found = [(m.start(), m.end(), m[0].casefold()) for m in _WORD.finditer(self.text)]
        stems = stem([word for _, _, word in found], self.language)
        return [Word(*word[:2], s, word[2]) for word, s in zip(found, stems, strict=True)]

    @cached_property
    def content(self) -> frozenset[str]:
        """The stems of the words that are no stop words."""
        stop = every_stop_word()
        return frozenset(word.stem for word in self.words if word.text not in stop)

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.words)

    @cached_property
    def values(self) -> tuple[Value, ...]:
        return values(self.text, self.language)


@dataclass(frozen=True)
class Told:
    """A value and the statement that gives it."""

    statement: Statement
    value: Value

    def agrees(self, other: Told) -> bool:
        return agrees(self.value, other.value)

    def is_at(self, other: Told) -> bool:
        mine, its = self.value, other.value
        here = mine.start < its.end and its.start < mine.end
        return self.statement is other.statement and here


class Citing:
    """Statement to citation; those that an answer has keep their numbers, others come after."""

    def __init__(self, citations: Iterable[Citation]) -> None:
        self._markers = {(c.document_id, c.start): c.marker for c in citations}
        self._last = max(self._markers.values(), default=0)

    def __call__(self, statement: Statement) -> Citation:
        key = (statement.passage.document.id, statement.start)
        if key not in self._markers:
            self._last += 1
            self._markers[key] = self._last
        return cite(statement.passage, self._markers[key], statement.start, statement.end)


def statements(passages: Sequence[ScoredPassage]) -> list[Statement]:
    """The sentences of the passages, in their order; one that two passages share comes once."""
    found: dict[tuple[str, int], Statement] = {}
    for scored in passages:
        passage = scored.passage
        for start, end in sentences(passage.text, scored.document.language):
            key = (passage.document_id, passage.start + start)
            found.setdefault(key, Statement(scored, key[1], passage.start + end))
    return list(found.values())
