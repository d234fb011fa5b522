"""Find passages: by meaning (Chroma) and by words (tantivy), fused into one score."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from assistant.arrays import products
from assistant.settings import RetrievalSettings
from assistant.types import ScoredPassage, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.aliases import Aliases
    from assistant.filtering import Selection
    from assistant.index import Index
    from assistant.library import Library


class Weights(Shape):
    """What each signal counts; data/fusion.json says how they were chosen."""

    meaning: float
    sentence: float  # of the passage's best sentence
    words: float
    shared: bool  # whether that is times the share of the question's words that the collection has
    feedback: float  # of the likeness to the passages that are best so far,
    feedback_passages: int  # this many, by how far they are above
    feedback_floor: int  # the one of this rank
    pair: float  # of two neighbouring words against a word
    lexical_reach: int  # BM25 is asked for this many times the candidates, to know more scores


class Fusion(Shape):
    """data/fusion.json."""

    made: str
    bundled: Weights
    multilingual: Weights
    other: Weights  # any other model, of which it is not known what languages it has

    def of(self, embedding: str) -> Weights:
        """The weights for an embedder of this identity."""
        kind = embedding.partition(":")[0]
        return getattr(self, kind) if kind in {"bundled", "multilingual"} else self.other


@dataclass(frozen=True)
class Query:
    """What is searched: a question, and what it leaves for earlier ones to say."""

    text: str
    vector: NDArray[np.float32]  # (dimension,), of length 1
    carried: Mapping[str, float] = field(default_factory=dict)  # earlier question -> its weight
    aliases: Aliases | None = None  # names to search in every spelling


def retrieve(
    library: Library,
    index: Index,
    query: Query,
    settings: RetrievalSettings,
    k: int,
    within: Selection | None = None,
) -> tuple[ScoredPassage, ...]:
    """At most ``k`` passages, best first, no more than ``settings.per_document`` of one document.

    ``within`` some of the documents nothing else is searched, and one alone may fill the result.

    The candidates are those that either half finds best. Their cosines, those of their best
    sentences, and their BM25, each standardised over the candidates, are added; then, by the last
    signal, what is like the best five gains (pseudo-relevance feedback). ``settings.dense_weight``
    is the share of the signals of meaning: 0.5 leaves the weights as they were calibrated, 0 is
    words only. A model of many languages leaves a question in another language than the passages to
    meaning: it shares few words with them, and those by chance.
    """
    weights = fusion().of(library.spec.embedding if library.spec else "")
    found, _ = index.dense(query.vector, max(settings.dense_k, k), within)
    by_words = max(settings.lexical_k, k)
    wide, bm25 = index.lexical(
        query.text,
        by_words * weights.lexical_reach,
        carried=query.carried,
        pair_weight=weights.pair,
        within=within,
        aliases=query.aliases,
    )
    keys = np.union1d(found, wide[:by_words])
    if not len(keys):
        return ()
    rows = index.rows(keys)
    vectors = index.vectors[rows]
    cosines = np.clip(products(vectors, query.vector), -1, 1)
    words = _bm25_of(keys, wide, bm25, complete=len(wide) < by_words * weights.lexical_reach)

    meaning = 2 * settings.dense_weight
    scores = meaning * weights.meaning * standardised(cosines)
    if weights.sentence and len(index.sentences):
        best = index.sentence_cosines(query.vector, rows)
        scores += meaning * weights.sentence * standardised(best)
    share = index.shared(" ".join((query.text, *query.carried))) if weights.shared else 1.0
    scores += (2 - meaning) * weights.words * share * standardised(words)
    centre = _centre(scores, vectors, weights)
    scores += meaning * weights.feedback * standardised(products(vectors, centre))

    order = np.lexsort((keys, -scores))  # ties by key, so that a search repeats exactly
    if within is None or within.passes.sum() > 1:
        order = order[capped(index.documents[rows[order]], settings.per_document)]
    order = order[:k]
    shown = library.passages(keys[order].tolist())
    return tuple(
        ScoredPassage(
            passage=passage,
            document=document,
            score=float(scores[row]),
            dense_score=float(cosines[row]),
            lexical_score=float(words[row]),
        )
        for (passage, document), row in zip(shown, order.tolist(), strict=True)
    )


@cache
def fusion() -> Fusion:
    file = importlib.resources.files("assistant").joinpath("data/fusion.json")
    return Fusion.model_validate_json(file.read_text(encoding="utf-8"))


def _bm25_of(
    keys: NDArray[np.int64],
    found: NDArray[np.int64],
    scores: NDArray[np.float32],
    *,
    complete: bool,
) -> NDArray[np.float32]:
    """The score of each key among those ``found``; one that is not has 0 if that is all there is.

    Else it shares some word and scores at most what the last one does, which it is given: its own
    score would take a second query, and changes no figure.
    """
    missing = 0.0 if complete or not len(scores) else float(scores[-1])
    values = np.full(len(keys), missing, dtype=np.float32)
    places = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
    known = keys[places] == found
    values[places[known]] = scores[known]
    return values


def _centre(
    scores: NDArray[np.float32], vectors: NDArray[np.float32], weights: Weights
) -> NDArray[np.float32]:
    """The mean of the best passages' vectors, weighed by how far they stand out."""
    order = np.argsort(-scores, kind="stable")
    best, floor = order[: weights.feedback_passages], order[: weights.feedback_floor + 1][-1]
    lead = np.maximum(scores[best] - scores[floor], 1e-6)
    centre: NDArray[np.float32] = (lead / lead.sum()) @ vectors[best]
    return centre


def standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values with mean 0 and deviation 1; all zero when they are all equal."""
    deviation = values.std()
    if deviation < 1e-9:
        return np.zeros_like(values)
    scaled: NDArray[np.float32] = (values - values.mean()) / deviation
    return scaled


def capped(groups: NDArray[np.int32], most: int) -> NDArray[np.bool_]:
    """For each place, whether at most ``most`` of its group have come up to and with it."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = np.searchsorted(ordered, ordered)
    kept = np.empty(len(groups), dtype=np.bool_)
    kept[order] = np.arange(len(groups)) - first < most
    return kept
