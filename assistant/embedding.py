"""Text -> vectors of length 1, by one of three engines behind LangChain's Embeddings.

A document and a query are embedded apart, since many models want different words before the two.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from assistant import minilm
from assistant.errors import AssistantError, ModelError
from assistant.records import Embedded

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Span = tuple[int, int]
Made = TypeVar("Made")

_BATCH = 16  # texts through torch at once; more gains nothing on a CPU
_NAMED = (
    "set models.embedding to bundled, or to sentence-transformers: and a model's folder or hub id"
)
_REACH = "check the network, the provider's key and the model's name, or use the bundled model"


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

    def __init__(self, threads: int) -> None:
        self._model = minilm.load()
        self._threads = threads
        self.identity = f"bundled:{minilm.SHA256['model.safetensors'][:12]}+sentences"
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
        return _spans(self._model.tokenizer, text)


class SentenceTransformerEmbedder(Embedder):
    """Any model of sentence-transformers, by hub id or local path, with its own prompts.

    Raises ModelError when it is not there, is not in safetensors, or wants to run its own code.
    """

    def __init__(self, name: str, threads: int) -> None:
        with AsModelError(name, f"{_NAMED}; a hub id needs the network once"):
            self._model = _load_sentence_transformer(name)
            self._tokenizer = _own_tokenizer(self._model)
        self._threads = threads
        self._lock = threading.Lock()  # its tokenizer and torch's thread count are shared
        self._name = name
        self.identity = f"sentence-transformers:{Path(name).name}:{_digest(self._model)[:12]}"
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        # sentence-transformers 6.2 adds an empty "document", which hides the two other names.
        prompts = [self._model.prompts.get(key) for key in ("document", "passage", "corpus")]
        self._prompt = next(filter(None, prompts), "")
        special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        self.max_tokens = (self._model.max_seq_length or 512) - special
        self.max_tokens -= len(self.tokens(self._prompt))

    def documents(self, texts: Sequence[str]) -> Vectors:
        batches = [list(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)]
        encode = functools.partial(self._model.encode_document, prompt=self._prompt)
        vectors = [self._encode(encode, batch, self._threads) for batch in batches]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *vectors])

    def query(self, text: str) -> Vectors:
        return self._encode(self._model.encode_query, [text], 1).reshape(-1)

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return _spans(self._tokenizer, text)

    def _encode(self, encode: Any, texts: list[str], threads: int) -> Vectors:
        import torch

        texts = [minilm.encodable(text) for text in texts]
        with self._lock, AsModelError(self._name, _NAMED):
            torch.set_num_threads(threads)
            vectors = encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


class ProviderEmbedder(Embedder):
    """A model behind LangChain's Embeddings, such as a provider's; raises ModelError when it fails.

    Its own tokens are not known: the bundled model's stand in for them.
    """

    max_tokens = 512  # fewer than any provider reads

    def __init__(self, name: str, model: Embeddings) -> None:
        self.identity = name
        self._model = model
        self._tokenizer = minilm.tokenizer()

    @functools.cached_property
    def dimension(self) -> int:  # type: ignore[override]
        return len(self.query("dimension"))

    def documents(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        with AsModelError(self.identity, _REACH):
            vectors = self._model.embed_documents([minilm.encodable(text) for text in texts])
            made = np.array(vectors, np.float32).reshape(len(texts), self.dimension)
        return _unit(made)

    def query(self, text: str) -> Vectors:
        with AsModelError(self.identity, _REACH):
            vector = self._model.embed_query(minilm.encodable(text))
        return _unit(np.array(vector, np.float32))

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return _spans(self._tokenizer, text)


class AsModelError(contextlib.AbstractContextManager[None]):
    """Makes one ModelError of whatever a model's library raises: these share no parent class."""

    def __init__(self, model: str, hint: str) -> None:
        self._model, self._hint = model, hint

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, AssistantError):
            said = " ".join(str(error).split())[:300] or type(error).__name__
            raise ModelError(f"embedding model {self._model}: {said}", self._hint) from error


def _load_sentence_transformer(name: str) -> SentenceTransformer:
    """The model in a folder or in the hub's cache; only one that is in neither is downloaded."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # it warns when the process forks
    path = Path(name).expanduser()
    is_path = path.exists() or path.is_absolute() or name[:1] in ".~" or len(path.parts) > 2
    if not name or (is_path and not path.is_dir()):
        raise ModelError(f"there is no folder {name!r} with a model", _NAMED)
    from huggingface_hub import model_info
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    load = functools.partial(
        SentenceTransformer,
        str(path) if is_path else name,
        device="cpu",
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
    try:
        return load(local_files_only=True)
    except OSError:
        if is_path:
            raise
    model_info(name, timeout=10)  # fails at once; a download would first retry for a minute
    return load()


def _own_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """A copy of the model's tokenizer: the model sets truncation on its own while it runs."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _digest(model: SentenceTransformer) -> str:
    """SHA-256 over all that makes the vectors: weights, prompts, length, modules, pooling."""
    import torch

    digest = hashlib.sha256()
    modules = [(type(module).__name__, getattr(module, "pooling_mode", None)) for module in model]
    facts = [model.prompts, model.max_seq_length, modules]
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _spans(tokenizer: Tokenizer, text: str) -> list[tuple[int, int]]:
    return tokenizer.encode(minilm.encodable(text), add_special_tokens=False).offsets


def _unit(vectors: Vectors) -> Vectors:
    """Each vector divided by its length; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
