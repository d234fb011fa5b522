"""Models of sentence-transformers, from a folder or a hub: never one that brings its own code."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assistant import minilm
from assistant.embedding import (
    NO_PROMPTS,
    Embedder,
    Prompts,
    Vectors,
    chosen_prompts,
    spans,
)
from assistant.errors import AsModelError, ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

_BATCH = 16  # texts through torch at once; more gains nothing on a CPU
_NAMED = (
    "set models.embedding to bundled, or to sentence-transformers: and a model's folder or hub id"
)


class SentenceTransformerEmbedder(Embedder):
    """Any model of sentence-transformers, by hub id or local path.

    Raises ModelError when it is not there, is not in safetensors, or wants to run its own code.
    """

    def __init__(self, name: str, threads: int, prompts: Prompts = NO_PROMPTS) -> None:
        with AsModelError(name, f"{_NAMED}; a hub id needs the network once"):
            self._model: SentenceTransformer = load(name, "SentenceTransformer", _NAMED)
            self._tokenizer = _own_tokenizer(self._model)
        self._threads = threads
        self._lock = threading.Lock()  # its tokenizer and torch's thread count are shared
        self._name = name
        self._before_query, self._before_document = chosen_prompts(
            name, prompts, self._model.prompts
        )
        digest = _digest(self._model, self._before_document)
        self.identity = f"sentence-transformers:{Path(name).name}:{digest[:12]}"
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        self.max_tokens = (self._model.max_seq_length or 512) - special
        self.max_tokens -= len(self.tokens(self._before_document))

    def documents(self, texts: Sequence[str]) -> Vectors:
        batches = [list(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)]
        encode = functools.partial(self._model.encode_document, prompt=self._before_document)
        vectors = [self._encode(encode, batch, self._threads) for batch in batches]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *vectors])

    def query(self, text: str) -> Vectors:
        encode = functools.partial(self._model.encode_query, prompt=self._before_query)
        return self._encode(encode, [text], 1).reshape(-1)

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return spans(self._tokenizer, text)

    def _encode(self, encode: Any, texts: list[str], threads: int) -> Vectors:
        import torch

        texts = [minilm.encodable(text) for text in texts]
        with self._lock, AsModelError(self._name, _NAMED):
            torch.set_num_threads(threads)
            vectors = encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


def load(name: str, kind: Literal["SentenceTransformer", "CrossEncoder"], hint: str) -> Any:
    """The model in a folder or in the hub's cache; only one that is in neither is downloaded."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # it warns when the process forks
    path = Path(name).expanduser()
    is_path = path.exists() or path.is_absolute() or name[:1] in ".~" or len(path.parts) > 2
    if not name or (is_path and not path.is_dir()):
        raise ModelError(f"there is no folder {name!r} with a model", hint)
    import sentence_transformers
    from huggingface_hub import model_info
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    make = functools.partial(
        getattr(sentence_transformers, kind),
        str(path) if is_path else name,
        device="cpu",
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
    try:
        return make(local_files_only=True)
    except OSError:
        if is_path:
            raise
    model_info(name, timeout=10)  # fails at once; a download would first retry for a minute
    return make()


def _own_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """A copy of the model's tokenizer: the model sets truncation on its own while it runs."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _digest(model: SentenceTransformer, prompt: str) -> str:
    """SHA-256 over all that makes the vectors: weights, prompts, length, modules, pooling."""
    import torch

    digest = hashlib.sha256()
    modules = [(type(module).__name__, getattr(module, "pooling_mode", None)) for module in model]
    facts = [prompt, model.prompts, model.max_seq_length, modules]
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
