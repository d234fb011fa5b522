"""Two sentences laid side by side: where one says otherwise than the other.

Presence alone cannot catch a value put in the place of another value of the same passage. Where
most words of a claim stand in one sentence in the same order, what differs between them is said
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from assistant import amounts, dates, names
from assistant.dates import Date
from assistant.evidence import Statement, opposites
from assistant.names import Name
from assistant.units import Amount
from assistant.values import Value, agrees

ALIGNED = 0.55  # share of the claim's content words that stand in the other sentence, in order
_CLOSE = 0.7  # from here on negations and opposites are compared too
_AFTER = 12  # characters after the last common word: "agreed to nothing"
_BREAK = re.compile(r"[,;:—–(] |\b(?:but|and|while|although|though|because|а|но|и|ama|ve) ")
_BESIDES = 1  # words besides values that may stand where one value is put for another
_FLANK = 0.05  # a sentence this much less alike may still be the one that is meant


class Aligned(NamedTuple):
    statement: Statement
    share: float  # 0..1 of the claim's content words
    differences: tuple[str, ...]


def differences(claim: Statement, statements: Iterable[Statement]) -> tuple[str, ...]:
    """How the claim differs from the sentence that it is nearest to; nothing when none is near."""
    aligned = [found for found in (_align(claim, other) for other in statements) if found]
    if not aligned:
        return ()
    nearest = max(found.share for found in aligned)
    near = [found for found in aligned if found.share >= nearest - _FLANK]
    return min(near, key=lambda found: (len(found.differences), -found.share)).differences


def _align(claim: Statement, other: Statement) -> Aligned | None:
    size = len(claim.content)
    if not size or len(claim.content & other.content) < ALIGNED * size:
        return None
    matcher = SequenceMatcher(None, claim.stems, other.stems, autojunk=False)
    blocks = matcher.get_opcodes()
    kept = {
        stem for tag, i, j, _, _ in blocks if tag == "equal" for stem in claim.stems[i:j]
    } & claim.content
    share = len(kept) / size
    if share < ALIGNED:
        return None
    found = list(_values_apart(claim, other, blocks))
    if share >= _CLOSE:
        found += _negated(claim, other, blocks)
    return Aligned(other, share, tuple(dict.fromkeys(found)))


def _clause(text: str, place: int) -> int:
    """Where the clause begins that this place is in: what is before "that" governs it."""
    return max((match.end() for match in _BREAK.finditer(text, 0, place)), default=0)


Block = tuple[str, int, int, int, int]


def _values_apart(claim: Statement, other: Statement, blocks: Sequence[Block]) -> Iterator[str]:
    for tag, i, j, k, m in blocks:
        if tag != "replace":
            continue
        mine, its = _within(claim, i, j), _within(other, k, m)
        if max(_besides(claim, i, j, mine), _besides(other, k, m, its)) > _BESIDES:
            continue  # not one value for another, but other words
        for value in mine:
            if any(agrees(value, theirs) for theirs in its):
                continue
            rival = next((theirs for theirs in its if contradict(value, theirs)), None)
            if rival:
                yield f"says {value.text}, the source {rival.text}"


def _within(statement: Statement, first: int, last: int) -> list[Value]:
    """The values that have a word among these."""
    if first == last:
        return []
    start, end = statement.words[first][0], statement.words[last - 1][1]
    return [value for value in statement.values if value.start < end and value.end > start]


def _besides(statement: Statement, first: int, last: int, values: Sequence[Value]) -> int:
    """How many of these words tell something and are part of no value."""
    return sum(
        statement.stems[number] in statement.content
        and not any(value.start < end and value.end > start for value in values)
        for number, (start, end) in enumerate(statement.words[first:last], first)
    )


def contradict(one: Value, other: Value) -> bool:
    """Whether two values answer the same question otherwise: two years, two counts, two names."""
    mine, its = one.meaning, other.meaning
    if isinstance(mine, Name) or isinstance(its, Name):
        return isinstance(mine, Name) and isinstance(its, Name) and not names.agree(mine, its)
    if isinstance(mine, Date) and isinstance(its, Date):
        return _comparable(mine, its) and not dates.agree(mine, its)
    if isinstance(mine, Amount) and isinstance(its, Amount):
        return amounts.comparable(mine, its) and not amounts.agree(mine, its)
    return _bare(mine) and _bare(its) and not agrees(one, other)


def _bare(meaning: Date | Amount) -> bool:
    """Whether four digits could be either: a year, or a number of nothing in particular."""
    return not meaning.unit if isinstance(meaning, Amount) else meaning == Date(year=meaning.year)


def _comparable(one: Date, other: Date) -> bool:
    return any(
        mine is not None and its is not None for mine, its in zip(one[:4], other[:4], strict=True)
    )


def _negated(claim: Statement, other: Statement, blocks: Sequence[Block]) -> Iterator[str]:
    """Negations and opposites in the stretch of the other sentence that the claim follows."""
    equal = [block for block in blocks if block[0] == "equal"]
    start, end = other.words[equal[0][3]][0], other.words[equal[-1][4] - 1][1]
    start = max(_clause(other.text, start), 0)
    covered = [word for place, word in other.negations if start <= place < end + _AFTER]
    own = [word for _, word in claim.negations]
    if len(own) != len(covered):
        words = ", ".join(dict.fromkeys((*own, *covered)))
        yield f"denies what the source says, or the reverse ({words})"
    pairs = opposites(claim.language)
    for tag, i, j, k, m in blocks:
        if tag != "replace":
            continue
        for mine in claim.stems[i:j]:
            for its in other.stems[k:m]:
                if (mine, its) in pairs:
                    yield f"says the opposite of the source ({mine}, {its})"
