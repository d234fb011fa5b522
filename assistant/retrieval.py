"""Find passages: by meaning (Chroma) and by words (tantivy), fused into one score."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from assistant.settings import RetrievalSettings
from assistant.types import ScoredPassage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.index import Index
    from assistant.library import Library


def retrieve(
    library: Library,
    index: Index,
    query: str,
    vector: NDArray[np.float32],
    settings: RetrievalSettings,
    k: int,
) -> tuple[ScoredPassage, ...]:
    """At most ``k`` passages, best first, no more than ``settings.per_document`` of one document.

    The score is ``w * dense + (1 - w) * lexical``, both min-max normalised over the candidates of
    this query (Bruch et al., An Analysis of Fusion Functions for Hybrid Retrieval, 2023). A
    candidate that only the words found gets its true cosine, one that only the meaning found
    a BM25 of 0.
    """
    dense_keys, _ = index.dense(vector, settings.dense_k)
    lexical_keys, bm25 = index.lexical(query, settings.lexical_k)
    keys = np.union1d(dense_keys, lexical_keys)
    if not len(keys):
        return ()
    dense = index.cosines(vector, keys)
    lexical = np.zeros(len(keys), dtype=np.float32)
    lexical[np.searchsorted(keys, lexical_keys)] = bm25
    scores = settings.dense_weight * min_max(dense) + (1 - settings.dense_weight) * min_max(lexical)
    order = np.lexsort((keys, -scores))  # ties by key, so that a search repeats exactly

    found = library.passages(keys[order].tolist())
    taken: Counter[str] = Counter()
    results: list[ScoredPassage] = []
    for (passage, document), row in zip(found, order, strict=True):
        if taken[document.id] == settings.per_document:
            continue
        taken[document.id] += 1
        results.append(
            ScoredPassage(
                passage=passage,
                document=document,
                score=float(scores[row]),
                dense_score=float(dense[row]),
                lexical_score=float(lexical[row]),
            )
        )
        if len(results) == k:
            break
    return tuple(results)


def min_max(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores moved to 0..1; all zero when they are all equal."""
    low, high = scores.min(), scores.max()
    if high <= low:
        return np.zeros_like(scores)
    scaled: NDArray[np.float32] = (scores - low) / (high - low)
    return scaled
