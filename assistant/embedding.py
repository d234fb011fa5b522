"""Text -> vectors of length 1, by one of three engines behind LangChain's Embeddings.

A document and a query are embedded apart, since many models want different words before the two.
"""

from __future__ import annotations

import functools
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from assistant import minilm
from assistant.errors import AsModelError
from assistant.records import Embedded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Span = tuple[int, int]
Made = TypeVar("Made")

_REACH = "check the network, the provider's key and the model's name, or use the bundled model"


class Prompts(NamedTuple):
    """What to put before a text; None leaves it to the model."""

    query: str | None = None
    document: str | None = None


NO_PROMPTS = Prompts()
_E5 = re.compile(r"(?:^|[:/_-])e5-", re.IGNORECASE)  # arXiv:2212.03533, arXiv:2402.05672


class Embedder(Embeddings):
    """What every engine answers; all are safe to share between threads."""

    identity: str  # changes whenever the vectors could; vectors of two identities never mix
    dimension: int
    max_tokens: int  # most tokens of a document's text that are read, as ``tokens`` counts them

    @abstractmethod
    def documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dimension) of length 1; a text's vector does not depend on its neighbours."""

    def passages(
        self,
        texts: Sequence[str],
        sentences: Sequence[Sequence[Span]],  # noqa: ARG002
    ) -> list[Embedded]:
        """``documents`` of texts whose sentences are at these spans, with their vectors, if any.

        An engine that does not let its tokens be seen has none: embedding each sentence by itself
        would cost as much again.
        """
        none = np.empty((0, self.dimension), np.float32)
        return [Embedded(vector, none) for vector in self.documents(texts)]

    @abstractmethod
    def query(self, text: str) -> Vectors:
        """The vector (dimension,) of length 1 that is to be near those of the answers."""

    @abstractmethod
    def tokens(self, text: str) -> list[tuple[int, int]]:
        """Spans of the text's tokens, special ones and any prompt left out."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in vector] for vector in self.documents(texts)]

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self.query(text)]


class OnnxEmbedder(Embedder):
    """The bundled all-MiniLM-L6-v2; needs neither torch nor a network.

    Each text runs alone and unpadded, on one thread; ``threads`` texts run side by side. That is as
    fast as padded batches, and makes a text's vector the same to the last bit in any company.
    A sentence's vector is the mean of its tokens' states, from the pass that reads the passage.
    """

    def __init__(self, threads: int, precision: minilm.Precision = "fp32") -> None:
        self._model = minilm.load(precision)
        self._threads = threads
        self.identity = f"bundled:{minilm.SHA256['model.safetensors'][:12]}+sentences"
        if precision != "fp32":
            self.identity += f"+{precision}"
        self.dimension = minilm.DIMENSION
        self.max_tokens = minilm.MAX_TOKENS - 2

    def documents(self, texts: Sequence[str]) -> Vectors:
        vectors = self._side_by_side(self.query, texts)
        return np.array(vectors, np.float32).reshape(len(texts), self.dimension)

    def passages(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[Embedded]:
        return self._side_by_side(self._passage, texts, sentences)

    def _side_by_side(self, work: Callable[..., Made], *inputs: Sequence[Any]) -> list[Made]:
        if len(inputs[0]) < 2 or self._threads < 2:
            return list(map(work, *inputs))
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(work, *inputs))

    def _passage(self, text: str, sentences: Sequence[Span]) -> Embedded:
        spans, states = minilm.states(self._model, text)
        places = np.array(spans)
        real = places[:, 1] > places[:, 0]  # the special tokens span nothing
        means = [states.mean(axis=0)]
        for start, end in sentences:
            inside = real & (places[:, 0] >= start) & (places[:, 1] <= end)
            if inside.any():  # else it is past what the model reads
                means.append(states[inside].mean(axis=0))
        vectors = _unit(np.array(means))
        return Embedded(vectors[0], vectors[1:])

    def query(self, text: str) -> Vectors:
        _, states = minilm.states(self._model, text)
        return _unit(states.mean(axis=0))

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return spans(self._model.tokenizer, text)


class ProviderEmbedder(Embedder):
    """A model behind LangChain's Embeddings, such as a provider's; raises ModelError when it fails.

    Its own tokens are not known: the bundled model's stand in for them.
    """

    max_tokens = 512  # fewer than any provider reads

    def __init__(self, name: str, model: Embeddings, prompts: Prompts = NO_PROMPTS) -> None:
        self._before_query, self._before_document = chosen_prompts(name, prompts, {})
        self.identity = name
        if self._before_document:
            self.identity += f"+{self._before_document!r}"
        self._model = model
        self._tokenizer = minilm.tokenizer()

    @functools.cached_property
    def dimension(self) -> int:  # type: ignore[override]
        return len(self.query("dimension"))

    def documents(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        with AsModelError(self.identity, _REACH):
            before = self._before_document
            vectors = self._model.embed_documents([minilm.encodable(before + t) for t in texts])
            made = np.array(vectors, np.float32).reshape(len(texts), self.dimension)
        return _unit(made)

    def query(self, text: str) -> Vectors:
        with AsModelError(self.identity, _REACH):
            vector = self._model.embed_query(minilm.encodable(self._before_query + text))
        return _unit(np.array(vector, np.float32))

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return spans(self._tokenizer, text)


def chosen_prompts(name: str, given: Prompts, shipped: Mapping[str, str]) -> tuple[str, str]:
    """What goes before a query and before a document: as set, as shipped, or as e5 models want."""
    is_e5 = _E5.search(name) and "instruct" not in name.lower()
    query, document = ("query: ", "passage: ") if is_e5 else ("", "")
    # sentence-transformers 6.2 adds an empty "document", which hides the two other names.
    own = [shipped.get(key) for key in ("document", "passage", "corpus")]
    return (
        (shipped.get("query") or query) if given.query is None else given.query,
        next(filter(None, own), document) if given.document is None else given.document,
    )


def spans(tokenizer: Tokenizer, text: str) -> list[tuple[int, int]]:
    return tokenizer.encode(minilm.encodable(text), add_special_tokens=False).offsets


def _unit(vectors: Vectors) -> Vectors:
    """Each vector divided by its length; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
