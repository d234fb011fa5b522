"""Where one source says what another denies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.analysis import every_stop_word, stem
from assistant.attribution import attribute, said_in
from assistant.statements import Citing, Statement, Weigh
from assistant.types import Conflict, Side

_COVERED = 0.7  # share of the words of what is denied, by rarity, that the other statement has
_SHARED = 3  # words, at least: "Armenia denied this" denies nothing that could be found
_SHOWN = 2  # of one answer
_WORD = re.compile(r"[^\W_]+")


def denials(
    cited: Sequence[Statement], others: Sequence[Statement], weigh: Weigh, cite: Citing
) -> tuple[Conflict, ...]:
    """Cited statements that another document denies, and denials cited of what another says."""
    shown: list[Conflict] = []
    seen: set[frozenset[str]] = set()
    for statement in cited:
        for other in others:
            pair = frozenset((statement.text, other.text))
            if len(shown) < _SHOWN and pair not in seen and _denies(statement, other, weigh):
                seen.add(pair)
                shown.append(_conflict(statement, other, cite))
    return tuple(shown)


def _denies(one: Statement, other: Statement, weigh: Weigh) -> bool:
    """Whether just one of two documents' statements is a denial, and of what the other says."""
    if one.passage.document.uri == other.passage.document.uri:
        return False
    if len(one.content & other.content) < _SHARED:
        return False
    first, second = _is_denial(one), _is_denial(other)
    if first == second:
        return False
    denied, said = (one, other) if first else (other, one)
    words = _denied(denied)
    shared = words.keys() & said.content
    total = sum(map(weigh, words.values()))
    held = sum(weigh(words[word]) for word in shared)
    return len(shared) >= _SHARED and held >= _COVERED * total


def _is_denial(statement: Statement) -> bool:
    return attribute(statement.text, statement.language).stance == "denial"


def _denied(statement: Statement) -> dict[str, str]:
    """The words of what is denied, by stem."""
    core = said_in(statement.text, statement.language)
    words = [word.casefold() for word in _WORD.findall(core)]
    kept = [word for word in words if word not in every_stop_word()]
    return dict(zip(stem(kept, statement.language), kept, strict=True))


def _conflict(one: Statement, other: Statement, cite: Citing) -> Conflict:
    sides = tuple(
        Side(value="denies it" if _is_denial(s) else "says so", citation=cite(s))
        for s in (one, other)
    )
    said = other if _is_denial(one) else one
    return Conflict(subject=said.text, sides=sides)
