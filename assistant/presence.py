"""Where each value of a sentence stands in its evidence, and how much of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from assistant import dates, names
from assistant.dates import Date
from assistant.evidence import Evidence, Statement
from assistant.meaning import Place
from assistant.names import Name
from assistant.units import Amount
from assistant.values import Value, agrees


class Held(NamedTuple):
    """A value of a claim in the evidence."""

    value: Value
    places: tuple[Place, ...]  # where most of it stands
    share: float  # of its parts, 0..1
    apart: tuple[Place, ...] = ()  # one for each word of a name that no sentence has whole


def held(
    claim: Statement, evidence: Sequence[Evidence], published: Iterable[dt.date] = ()
) -> list[Held]:
    """Each value of the claim, and where the evidence has it.

    A year that a date of the evidence leaves out may stand elsewhere in it, or be the year in which
    one of its documents was ``published``.
    """
    years = {date.year for date in published}
    years |= {
        value.meaning.year
        for passage in evidence
        for value in passage.values
        if isinstance(value.meaning, Date) and value.meaning.year
    }
    places = [
        (Place(number, row), statement)
        for number, passage in enumerate(evidence)
        for row, statement in enumerate(passage.statements)
    ]
    found = []
    for value in claim.values:
        shares = [(_share(value, statement, years), place) for place, statement in places]
        most = max((share for share, _ in shares), default=0.0)
        where = tuple(place for share, place in shares if share == most) if most else ()
        apart = _apart(value.meaning, places) if most < 1 else ()
        found.append(Held(value, where, 1.0 if apart else most, apart))
    return found


def _share(value: Value, statement: Statement, years: set[int]) -> float:
    """How much of the value one sentence has."""
    if isinstance(value.meaning, Name):
        return _named(value.meaning, statement)
    if isinstance(value.meaning, Date) and value.meaning != Date(year=value.meaning.year):
        return max(
            (_dated(value.meaning, its.meaning, years) for its in statement.values), default=0.0
        )
    return float(any(agrees(value, its) for its in statement.values))


def _dated(claim: Date, its: object, years: set[int]) -> float:
    if not isinstance(its, Date):
        return 0.0
    whole = its._replace(year=claim.year) if its.year is None and claim.year in years else its
    if dates.follows(claim, whole):
        return 1.0
    parts = [part for part in range(4) if claim[part] is not None]
    return sum(claim[part] == whole[part] for part in parts) / len(parts) if len(parts) > 1 else 0.0


def _named(name: Name, statement: Statement) -> float:
    if any(
        isinstance(its.meaning, Name)
        and (
            names.stands_for(name, its.meaning)
            or (len(its.meaning.words) >= len(name.words) and names.agree(name, its.meaning))
        )
        for its in statement.values
    ):
        return 1.0
    return _found(name, statement)


def _apart(
    name: Date | Amount | Name, places: Sequence[tuple[Place, Statement]]
) -> tuple[Place, ...]:
    """Where each word of a name stands; nothing unless all of them do."""
    if not isinstance(name, Name) or len(name.words) == 1:
        return ()
    found = [
        next(
            (p for p, its in places if _has(word, its, inflects=name.inflects)),
            None,
        )
        for word in names.canonical(name.words)
    ]
    return tuple(filter(None, found)) if None not in found else ()


def _found(name: Name, statement: Statement) -> float:
    """How much of a name the sentence has; one that is a letter alone is no initial of others."""
    if len(name.words) == 1 and len(name.words[0]) == 1:
        return float(name.words[0] in _folded(statement).words)
    parts = names.canonical(name.words)
    return sum(_has(part, statement, inflects=name.inflects) for part in parts) / len(parts)


def _has(word: str, statement: Statement, *, inflects: bool) -> bool:
    """Whether the sentence has a word of a name, or a form of it; initials stand in names only."""
    has = _folded(statement)
    others = has.named if len(word) == 1 else has.others
    return word in has.words or any(names.same_word(word, its, inflects=inflects) for its in others)


class _Folded(NamedTuple):
    """The words of a sentence, folded as those of names are."""

    words: frozenset[str]  # all but letters alone that are written small: "a" is an article
    named: frozenset[str]  # those of names of several words, initials among them
    others: frozenset[str]  # what a word of a name may be a form of


@lru_cache(4096)
def _folded(statement: Statement) -> _Folded:
    found = [its.meaning.words for its in statement.values if isinstance(its.meaning, Name)]
    written = (statement.text[start:end] for start, end in statement.words)
    alone = {
        names.fold(word, statement.language) for word in written if len(word) > 1 or word.isupper()
    }
    words = frozenset(alone.union(*found))
    named = frozenset(chain.from_iterable(name for name in found if len(name) > 1))
    return _Folded(words, named, named | {word for word in words if len(word) > 1})
