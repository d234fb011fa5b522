"""A cross-encoder for natural language inference as a judge: does the evidence entail the sentence?

It reads the cited words and the sentence together, a pass of the model for each sentence: so off
unless ``models.verifier`` names one. (Honovich et al., TRUE, 2022)
"""

from __future__ import annotations

import threading

import numpy as np

from assistant import minilm
from assistant.errors import AsModelError, ModelError
from assistant.pretrained import load

_NAMED = (
    "set models.verifier to sentence-transformers: and the folder or hub id of a cross-encoder"
    " with an entailment label, or to nothing"
)


class Entailment:
    """A cross-encoder of sentence-transformers, on one thread; safe to share between threads.

    Raises ModelError when it is not there, is not in safetensors, wants to run its own code, or
    has no label that begins with "entail".
    """

    def __init__(self, name: str) -> None:
        with AsModelError(name, f"{_NAMED}; a hub id needs the network once"):
            self._model = load(name, "CrossEncoder", _NAMED)
        labels = {int(n): str(text).lower() for n, text in self._model.config.id2label.items()}
        entailing = [number for number, text in labels.items() if text.startswith("entail")]
        if len(labels) < 2 or not entailing:
            raise ModelError(f"verifier {name} tells {', '.join(labels.values())} apart", _NAMED)
        self._entails = entailing[0]
        self._lock = threading.Lock()  # its tokenizer and torch's thread count are shared
        self._name = name

    def __call__(self, sentence: str, evidence: str) -> tuple[bool, str]:
        """Whether entailment is the likeliest label, and how likely it is, in words."""
        import torch

        pair = (minilm.encodable(evidence), minilm.encodable(sentence))
        with self._lock, AsModelError(self._name, _NAMED):
            torch.set_num_threads(1)
            scores = self._model.predict([pair], show_progress_bar=False, apply_softmax=True)
        likely = np.asarray(scores, np.float32).reshape(-1)
        if not np.isfinite(likely).all():
            raise ModelError(f"verifier {self._name} gives no numbers", _NAMED)
        entails = int(likely.argmax()) == self._entails
        words = "entailed by its source" if entails else "not entailed by its source"
        return entails, f"{words}, says the verifier ({likely[self._entails]:.2f})"
