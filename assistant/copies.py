"""Which texts are copies of one another, so that they count as one source.

MinHash over runs of three words (Broder, 1997). An edited dispatch keeps most of its runs, though
sentences are added and left out: so the share of the shorter text counts, not of both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rensa import RMinHash

_RUN = 3  # words
_HASHES = 128
_READ = 20_000  # characters; what is longer is compared by its beginning
# Share of the shorter text's runs that the other must have. Two copies in the sample collection
# have .71, its most alike other pair .08; the estimate is off by .05 at most times.
_COPIED = 0.4
_WORD = re.compile(r"\w+")


class Source(NamedTuple):
    """Who says something, and the text in which they do."""

    name: str
    text: str


class _Signature(NamedTuple):
    hashes: RMinHash
    runs: int


def independent(sources: Sequence[Source]) -> int:
    """How many there are when copies of one text, and texts of one name, count once."""
    groups: list[list[Source]] = []
    for source in sources:
        same = [g for g in groups if any(_one_source(source, other) for other in g)]
        groups = [g for g in groups if g not in same] + [[source, *(s for g in same for s in g)]]
    return len(groups)


def copied(one: str, other: str) -> bool:
    """Whether one text is, for the most part, the other."""
    first, second = _signature(one[:_READ]), _signature(other[:_READ])
    alike: float = first.hashes.jaccard(second.hashes)
    shared = alike * (first.runs + second.runs) / (1 + alike)
    return shared >= _COPIED * min(first.runs, second.runs)


def _one_source(one: Source, other: Source) -> bool:
    return one.name == other.name or copied(one.text, other.text)


@lru_cache(1024)
def _signature(text: str) -> _Signature:
    from rensa import RMinHash

    words = _WORD.findall(text.casefold())
    runs = {" ".join(words[i : i + _RUN]) for i in range(max(1, len(words) - _RUN + 1))}
    hashes = RMinHash(_HASHES, 1)
    hashes.update(sorted(runs))
    return _Signature(hashes, len(runs))
