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
    return _found(name, _folded(statement))


def _apart(
    name: Date | Amount | Name, places: Sequence[tuple[Place, Statement]]
) -> tuple[Place, ...]:
    """Where each word of a name stands; nothing unless all of them do."""
    if not isinstance(name, Name) or len(name.words) == 1:
        return ()
    found = [
        next(
            (p for p, its in places if _has(word, _folded(its), inflects=name.inflects)),
            None,
        )
        for word in names.canonical(name.words)
    ]
    return tuple(filter(None, found)) if None not in found else ()


def _found(name: Name, words: frozenset[str]) -> float:
    """How much of a name is among the words; one that is a letter alone is no initial of others."""
    if len(name.words) == 1 and len(name.words[0]) == 1:
        return float(name.words[0] in words)
    parts = names.canonical(name.words)
    return sum(_has(part, words, inflects=name.inflects) for part in parts) / len(parts)


def _has(word: str, words: frozenset[str], *, inflects: bool) -> bool:
    return word in words or any(names.same_word(word, its, inflects=inflects) for its in words)


@lru_cache(4096)
def _folded(statement: Statement) -> frozenset[str]:
    """Every word of the sentence, folded as those of names are, and those of its names."""
    named = (its.meaning.words for its in statement.values if isinstance(its.meaning, Name))
    spans = statement.words
    alone = (names.fold(statement.text[a:b], statement.language) for a, b in spans)
    return frozenset(chain(alone, *named))
