"""Read the best passages once more, each together with the question, by a cross-encoder.

Slower than all the rest of a search together, and better where the model fits the language and the
kind of question: so off unless ``models.reranker`` names one. (Nogueira and Cho, arXiv:1901.04085)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from assistant import minilm
from assistant.errors import AsModelError, ModelError
from assistant.pretrained import load
from assistant.types import ScoredPassage

_NAMED = (
    "set models.reranker to sentence-transformers: and a cross-encoder's folder or hub id, or to"
    " nothing"
)


class Reranker:
    """A cross-encoder of sentence-transformers, on one thread; safe to share between threads.

    Raises ModelError when it is not there, is not in safetensors, wants to run its own code, or
    tells more than one number of a pair.
    """

    reads = 20  # passages of one question, or as many as are wanted if these are more

    def __init__(self, name: str) -> None:
        with AsModelError(name, f"{_NAMED}; a hub id needs the network once"):
            self._model = load(name, "CrossEncoder", _NAMED)
            if (labels := self._model.num_labels) != 1:
                raise ModelError(f"reranker {name}: it sorts into {labels} kinds", _NAMED)
        self._lock = threading.Lock()  # its tokenizer and torch's thread count are shared
        self._name = name

    def rerank(self, question: str, passages: Sequence[ScoredPassage]) -> tuple[ScoredPassage, ...]:
        """The same passages, those that answer first; ``score`` is what the model says."""
        import torch

        pairs = [
            (minilm.encodable(question), minilm.encodable(f"{p.document.title}\n{p.passage.text}"))
            for p in passages
        ]
        if not pairs:
            return ()
        with self._lock, AsModelError(self._name, _NAMED):
            torch.set_num_threads(1)
            scores = self._model.predict(pairs, show_progress_bar=False)
            scores = np.asarray(scores, np.float32).reshape(len(pairs))
        if not np.isfinite(scores).all():
            raise ModelError(f"reranker {self._name} gives no numbers", _NAMED)
        return tuple(
            passages[place].model_copy(update={"score": float(scores[place])})
            for place in np.argsort(-scores, kind="stable").tolist()
        )
