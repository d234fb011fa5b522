"""Reading: a vector for every token of a text, so that a sentence is matched word by word.

The bundled MiniLM reads, whatever model searches: what answers are measured and calibrated with
must not change with ``models.embedding``.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant import minilm

Vectors = NDArray[np.float32]


_KEPT = 256  # readings kept, of at most 400 kB: the next question is often about the same passages


class Reading(NamedTuple):
    """A text as the model reads it; special tokens left out, nothing past its 254 tokens."""

    spans: NDArray[np.int64]  # (tokens, 2): start and end in the text
    tokens: Vectors  # (tokens, dimension), of length 1: each token in the light of all others
    vector: Vectors  # (dimension,), of length 1: the text as a whole


class Reader:
    """The model that reads questions and passages; safe to share between threads."""

    def __init__(self, threads: int) -> None:
        self._model = minilm.load("fp32")
        self._threads = threads
        self._read = lru_cache(_KEPT)(self._read_anew)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One Reading for each text; ``threads`` texts are read side by side."""
        if len(texts) < 2 or self._threads < 2:
            return [self._read(text) for text in texts]
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(self._read, texts))

    def _read_anew(self, text: str) -> Reading:
        found, states = minilm.states(self._model, text)
        spans = np.array(found, np.int64)
        inner = spans[:, 1] > spans[:, 0]  # [CLS] and [SEP] span nothing
        return Reading(spans[inner], _unit(states[inner]), _unit(states.mean(axis=0)))


def cosines(one: Reading, other: Reading) -> Vectors:
    """(tokens of one, tokens of the other), -1..1.

    Not ``@``: for products this small, BLAS's threads wait for each other longer than they compute.
    """
    found: Vectors = np.einsum("ad,bd->ab", one.tokens, other.tokens)
    return found


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, 1e-12)
    return unit
