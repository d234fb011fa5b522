"""Settings -> models: the one place that knows which string means which engine."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from assistant.errors import ModelError
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from assistant.embedding import Embedder
    from assistant.entailment import Entailment
    from assistant.reading import Reader
    from assistant.reranking import Reranker

_LOCAL = "sentence-transformers:"
_CHOICES = f"use bundled, multilingual, {_LOCAL}<id or path>, or LangChain's provider:model"
_PACKAGE = re.compile(r"pip install [\w.-]+")


def build_embedder(settings: Settings) -> Embedder:
    """The engine that ``models.embedding`` names; ModelError says how to mend what is missing."""
    from assistant import embedding

    name = settings.models.embedding
    threads = settings.models.threads or _cores()
    if name == "bundled":
        return embedding.OnnxEmbedder(threads, settings.models.precision)
    if name == "multilingual":
        from assistant.multilingual import MultilingualEmbedder

        return MultilingualEmbedder(threads)
    prompts = embedding.Prompts(settings.models.query_prompt, settings.models.document_prompt)
    if name.startswith(_LOCAL):
        from assistant import pretrained

        return pretrained.SentenceTransformerEmbedder(name.removeprefix(_LOCAL), threads, prompts)
    return embedding.ProviderEmbedder(name, _provider(name), prompts)


def build_reranker(settings: Settings) -> Reranker | None:
    """What ``models.reranker`` names, if it names anything."""
    name = settings.models.reranker
    if not name:
        return None
    if not name.startswith(_LOCAL):
        raise ModelError(f"models.reranker = {name!r} is none", f"use {_LOCAL}<id or path>")
    from assistant.reranking import Reranker

    return Reranker(name.removeprefix(_LOCAL))


def build_verifier(settings: Settings) -> Entailment | None:
    """What ``models.verifier`` names, if it names anything."""
    name = settings.models.verifier
    if not name:
        return None
    if not name.startswith(_LOCAL):
        raise ModelError(f"models.verifier = {name!r} is none", f"use {_LOCAL}<id or path>")
    from assistant.entailment import Entailment

    return Entailment(name.removeprefix(_LOCAL))


def build_reader(settings: Settings) -> Reader:
    """The model that reads questions and passages word by word."""
    from assistant.reading import Reader

    return Reader(settings.models.threads or _cores())


def _provider(name: str) -> Embeddings:
    """What LangChain makes of ``provider:model``."""
    from langchain.embeddings import init_embeddings

    from assistant.embedding import AsModelError

    with AsModelError(name, "give the key or the address that the provider asks for"):
        try:
            return init_embeddings(name)
        except ImportError as error:
            missing = _PACKAGE.search(str(error))
            install = missing.group() if missing else "install the provider's LangChain package"
            raise ModelError(f"embedding model {name}: its package is missing", install) from error
        except ValueError as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"models.embedding = {name!r}: {reason}", _CHOICES) from error


def _cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
