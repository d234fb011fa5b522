"""A question that leans on earlier ones to a query that stands alone, without a model.

What it leaves out is carried over from the last question, and from the first, which set the topic.
Joining all turns makes it worse: how much is carried depends on how little the question says.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from assistant.analysis import likely_language, stem, stop_words, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.embedding import Embedder

# Weights of the last question against the present one's 1, chosen on MTRAG's 150 rewritten ones.
_REFERS, _REFERS_AT_LENGTH = 0.5, 0.35
_LONG = 4  # words of its own topic
_BY_WORDS = {0: 0.5, 1: 0.5, 2: 0.2}  # words of its own topic -> weight
_FIRST = 0.6  # of the first question against the last


@dataclass(frozen=True)
class Condensed:
    """A question, and the earlier ones that are searched with it."""

    question: str
    text: str  # to show: the question, and in brackets the words it is completed with
    carried: Mapping[str, float] = field(default_factory=dict)  # earlier question -> weight, 0..1


class _Lists(NamedTuple):
    """One language's part of data/followups.toml, which says what they are."""

    referring: frozenset[str]
    openings: tuple[tuple[str, ...], ...]
    generic: frozenset[str]  # stems


def condense(question: str, earlier: Sequence[str] = ()) -> Condensed:
    """The question with what it needs of the ``earlier`` ones, which are in their order."""
    language = likely_language(words_of(question))
    weight = _dependence(question, language) if earlier else 0.0
    if not weight:
        return Condensed(question, question)
    carried = {earlier[0]: weight * _FIRST} | {earlier[-1]: weight}
    missing: dict[str, str] = {}  # stem -> word
    for text in reversed(carried):
        for stemmed, word in _topic(text).items():
            missing.setdefault(stemmed, word)
    for stemmed in stem(words_of(question, language), language):
        missing.pop(stemmed, None)
    shown = f"{question} ({', '.join(missing.values())})" if missing else question
    return Condensed(question, shown, carried)


def embed(
    query: Condensed, embedder: Embedder, respell: Callable[[str], str] = str
) -> NDArray[np.float32]:
    """The vector to search with, (dimension,), of length 1; of texts as ``respell`` writes them."""
    import numpy as np

    vector = embedder.query(respell(query.question))
    if not query.carried:
        return vector
    earlier = np.stack([embedder.query(respell(text)) for text in query.carried])
    weights = np.array([*query.carried.values()], dtype=np.float32)
    topic = weights @ earlier
    vector = vector + weights.max() * topic / max(float(np.linalg.norm(topic)), 1e-9)
    unit: NDArray[np.float32] = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit


def _topic(text: str) -> dict[str, str]:
    """The words that say what a question is about, by their stems, spelled as it spells them."""
    language = likely_language(words_of(text))
    words = words_of(text, language)
    idle = stop_words(words, language) | _lists(language).referring
    spelled = {word.casefold(): word for word in re.findall(r"\w+", text)}
    return {
        stemmed: spelled.get(word, word)
        for word, stemmed in zip(words, stem(words, language), strict=True)
        if word not in idle and stemmed not in _lists(language).generic
    }


def _dependence(question: str, language: str) -> float:
    """How much of the last question this one needs; 0 when it stands alone."""
    lists = _lists(language)
    words = words_of(question, language)
    said = _topic(question)
    begins = any(tuple(words[: len(opening)]) == opening for opening in lists.openings)
    if begins or lists.referring & set(words):
        return _REFERS if len(said) < _LONG else _REFERS_AT_LENGTH
    return _BY_WORDS.get(len(said), 0.0)


@cache
def _lists(language: str) -> _Lists:
    file = importlib.resources.files("assistant").joinpath("data/followups.toml")
    lists = tomllib.loads(file.read_text(encoding="utf-8")).get(language, {})
    openings = lists.get("openings", "").split("|")
    return _Lists(
        referring=frozenset(lists.get("referring", "").split()),
        openings=tuple(tuple(words_of(opening, language)) for opening in openings if opening),
        generic=frozenset(stem(words_of(lists.get("generic", ""), language), language)),
    )
