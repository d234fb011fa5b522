"""How likely it is that passages say what a sentence says, beyond its values: three features.

Late interaction with the tokens of the bundled MiniLM: every token of the sentence looks for its
best match. A logistic regression, fitted on the claims and cited pages of WiCE (Kamoi et al. 2023).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.evidence import Evidence, Statement
from assistant.reading import Reading, cosines
from assistant.values import Value

Weigh = Callable[[str], float]  # a word to its inverse document frequency in the collection
Floats = NDArray[np.float32]

_NEAREST = 12  # sentences that are tried for the cover
_COVER = 3  # sentences of it
_LEXICAL = 0.5  # what a word that stands there adds to its likeness
_FADE = 0.8  # how much less each word away from a value tells what is said of it
_PLAIN = 0.5  # a word less rare than this tells nothing
# Of the cover's likeness, of the values astray and of the value least found; standardised.
_MEAN, _SCALE = (0.6817, 0.9492, 0.4257), (0.1092, 1.1515, 0.4707)
_WEIGHTS, _BIAS = (1.0223, -0.9777, -0.8421), -1.4593
THRESHOLD = 0.33  # the best F1 of WiCE's development claims, "supported" against the rest


class Place(NamedTuple):
    """A sentence of the evidence: the passage's number and the sentence's number in it."""

    passage: int
    sentence: int


class Meaning(NamedTuple):
    features: tuple[float, float, float]
    cover: tuple[Place, ...]  # the sentences that say it, the one that says most of it first


class _Tokens(NamedTuple):
    weights: Floats  # (tokens,) rarity of a token's word, shared by its pieces
    word: NDArray[np.intp]  # (tokens,) which word of the claim it is of, -1 for none


def meaning(
    claim: Statement,
    read: Reading,
    evidence: Sequence[Evidence],
    held: Sequence[tuple[Value, Sequence[Place], float, Sequence[Place]]],
    weigh: Weigh,
) -> Meaning:
    """What the logistic sees, and the sentences of the evidence that the claim rests on.

    ``held``: each value of the claim, where it stands, the share of it (0..1) that was found, and
    where its words stand apart.
    """
    tokens = _tokens(claim, read, weigh)
    places, best = _best(read, evidence)
    total = float(tokens.weights.sum())
    if not places or not total:
        return Meaning((0.0, float(len(held)), 1.0 if held else 0.0), ())
    lexical = _lexical(claim, tokens, places, evidence)
    chosen, covered = _cover(best, lexical, tokens.weights)
    local = sum(_astray(claim, value, where, tokens, places, best) for value, where, *_ in held)
    worst = 1 - min((share for _, _, share, _ in held), default=1.0)
    score = float(covered @ tokens.weights) / total
    return Meaning((score, local, worst), tuple(places[row] for row in chosen))


def _tokens(claim: Statement, read: Reading, weigh: Weigh) -> _Tokens:
    weights = np.zeros(len(read.spans), np.float32)
    word = np.full(len(read.spans), -1, np.intp)
    for number, (start, end) in enumerate(claim.words):
        inside = (read.spans[:, 0] < end) & (read.spans[:, 1] > start)
        if pieces := int(inside.sum()):
            rarity = weigh(claim.text[start:end])
            weights[inside] = rarity / pieces if rarity > _PLAIN else 0.0
            word[inside] = number
    return _Tokens(weights, word)


def _best(read: Reading, evidence: Sequence[Evidence]) -> tuple[list[Place], Floats]:
    """The sentences that were read, and for each the best match of every token of the claim."""
    places, rows = [], []
    for number, passage in enumerate(evidence):
        if passage.reading is None or not len(passage.reading.tokens):
            continue
        similar = cosines(read, passage.reading)
        for sentence, inside in enumerate(passage.inside):
            if len(inside):
                places.append(Place(number, sentence))
                rows.append(similar[:, inside].max(axis=1))
    return places, np.array(rows, np.float32)


def _lexical(
    claim: Statement, tokens: _Tokens, places: Sequence[Place], evidence: Sequence[Evidence]
) -> Floats:
    """(sentences, tokens): 1 where the token's word stands in the sentence."""
    found = np.zeros((len(places), len(tokens.word)), np.float32)
    for row, (passage, sentence) in enumerate(places):
        stems = evidence[passage].statements[sentence].content
        has = np.array([stem in stems for stem in claim.stems] + [False])
        found[row] = has[tokens.word]
    return found


def _cover(best: Floats, lexical: Floats, weights: Floats) -> tuple[list[int], Floats]:
    """Rows of the sentences that together say most, found greedily, and the maxima they give."""
    nearest = np.argsort(-(best @ weights), kind="stable")[:_NEAREST]
    soft = np.zeros(best.shape[1], np.float32)
    words = np.zeros(best.shape[1], np.float32)
    chosen: list[int] = []
    for _ in range(min(_COVER, len(nearest))):
        gains = [
            float((np.maximum(best[row], soft) - soft) @ weights)
            + _LEXICAL * float((np.maximum(lexical[row], words) - words) @ weights)
            for row in nearest
        ]
        most = int(np.argmax(gains))
        if gains[most] <= 0:
            break
        row = int(nearest[most])
        chosen.append(row)
        soft, words = np.maximum(soft, best[row]), np.maximum(words, lexical[row])
    return chosen, soft


def _astray(
    claim: Statement,
    value: Value,
    where: Sequence[Place],
    tokens: _Tokens,
    places: Sequence[Place],
    best: Floats,
) -> float:
    """0 where the value stands in the sentence that speaks of it, up to 1 where it does not."""
    own = [
        n for n, (start, end) in enumerate(claim.words) if start < value.end and end > value.start
    ]
    if not own or not where:
        return 0.0 if where else 1.0
    distance = np.array(
        [max(own[0] - word, word - own[-1], 0) if word >= 0 else 99 for word in tokens.word]
    )
    weights = np.where(distance > 0, tokens.weights * _FADE**distance, 0).astype(np.float32)
    if not weights.sum():
        return 0.0
    rows = {place: row for row, place in enumerate(places)}
    context = np.array(
        [
            float(
                np.max([best[rows[near]] for near in _around(place) if near in rows], axis=0)
                @ weights
            )
            for place in places
        ]
    )
    holding = [context[rows[place]] for place in where if place in rows]
    top = float(context.max())
    return 1 - float(max(holding)) / top if holding and top > 0 else 1.0


def _around(place: Place) -> tuple[Place, Place, Place]:
    return (
        Place(place.passage, place.sentence - 1),
        place,
        Place(place.passage, place.sentence + 1),
    )


def likelihood(features: tuple[float, float, float]) -> float:
    """How likely (0..1) the logistic holds it that the meaning is the same."""
    score = _BIAS
    for value, mean, scale, weight in zip(features, _MEAN, _SCALE, _WEIGHTS, strict=True):
        score += weight * (value - mean) / scale
    return 1 / (1 + math.exp(-score))
