"""Settings -> models: the one place that knows which string means which engine."""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING, Any

from assistant import local_model
from assistant.errors import AsModelError, ModelError, SettingsError
from assistant.settings import ModelSettings, Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel

    from assistant.embedding import Embedder
    from assistant.generating import Chat
    from assistant.reading import Reader
    from assistant.reranking import Reranker
    from assistant.verification import Judge

_LOCAL = "sentence-transformers:"
_CHOICES = f"use bundled, multilingual, {_LOCAL}<id or path>, or LangChain's provider:model"
_CHAT_CHOICES = "use openai:MODEL, anthropic:MODEL, ollama:MODEL, or local"
_PACKAGE = re.compile(r"pip install [\w.-]+")
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_GRACE = 5.0  # seconds that a provider's own timeout comes after ours, to let go of the connection


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
    if not (name := settings.models.reranker):
        return None
    from assistant.reranking import Reranker

    return Reranker(_local("reranker", name))


def build_judges(settings: Settings, chat: Chat | None) -> tuple[Judge, ...]:
    """Who may object to a sentence that is no quote: as ``models.verifier`` and the judge say.

    Raises SettingsError for ``answering.judge`` without a chat model.
    """
    judges: list[Judge] = []
    if name := settings.models.verifier:
        from assistant.entailment import Entailment

        judges.append(Entailment(_local("verifier", name)))
    if settings.answering.judge:
        from assistant.judging import ChatJudge

        if not chat:
            raise SettingsError("answering.judge has no chat model to ask", "set models.chat")
        judges.append(ChatJudge(chat))
    return tuple(judges)


def _local(setting: str, name: str) -> str:
    """The id or path of a cross-encoder."""
    if not name.startswith(_LOCAL):
        raise ModelError(f"models.{setting} = {name!r} is none", f"use {_LOCAL}<id or path>")
    return name.removeprefix(_LOCAL)


def build_chat(settings: ModelSettings, given: BaseChatModel | None = None) -> Chat | None:
    """The model given, or of ``build_chat_model``, within its bounds; None when there is none."""
    from assistant.generating import Chat

    if given:
        return Chat(given.get_name(), given, settings)
    if not settings.chat:
        return None
    model, name = build_chat_model(settings), settings.chat
    return Chat(local_model.label(name), model, settings, grammars=local_model.is_local(name))


@functools.lru_cache(maxsize=8)
def build_chat_model(settings: ModelSettings) -> BaseChatModel:
    """The model that ``models.chat`` names: ``local``, or what LangChain's ``provider:model`` is.

    The same one for the same settings. It repeats no request: ``generating`` does. Raises
    ModelError for a package or key that is missing and for a name that is none.
    """
    name = settings.chat
    if local_model.is_local(name):
        return local_model.load(settings)
    from langchain.chat_models import init_chat_model

    provider = name.partition(":")[0]
    bounds = _bounds(provider, settings) | _access(provider, settings)
    with AsModelError(name, "give the key or the address that the provider asks for", "chat model"):
        try:
            model: BaseChatModel = init_chat_model(name, temperature=0, **bounds)
            if (model.profile or {}).get("temperature") is False:
                model = init_chat_model(name, **bounds)
        except ImportError as error:
            raise _missing(f"chat model {name}", error) from error
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            raise ModelError(f"chat model {name}: {reason}", _CHAT_CHOICES) from error
    return model


def _bounds(provider: str, settings: ModelSettings) -> dict[str, Any]:
    """What the settings bound, in the provider's words; the others are bounded from outside."""
    silence = settings.chat_timeout + _GRACE
    if provider == "ollama":
        return {"client_kwargs": {"timeout": silence}, "num_predict": settings.chat_tokens}
    usage = {"stream_usage": True} if provider == "openai" else {}
    return {"timeout": silence, "max_retries": 0, "max_tokens": settings.chat_tokens, **usage}


def _access(provider: str, settings: ModelSettings) -> dict[str, Any]:
    access: dict[str, Any] = {}
    if settings.chat_base_url:
        access["base_url"] = settings.chat_base_url
    key = _KEYS.get(provider)
    if key and not os.environ.get(key):
        if not settings.chat_base_url:
            raise ModelError(
                f"chat model {settings.chat}: there is no {key} in the environment",
                f"export {key}=..., or set models.chat_base_url to a server that needs none",
            )
        access["api_key"] = "none"  # servers on one's own machine ask for no key
    return access


def build_reader(settings: Settings) -> Reader:
    """The model that reads questions and passages word by word."""
    from assistant.reading import Reader

    return Reader(settings.models.threads or _cores())


def _provider(name: str) -> Embeddings:
    """What LangChain makes of ``provider:model``."""
    from langchain.embeddings import init_embeddings

    with AsModelError(name, "give the key or the address that the provider asks for"):
        try:
            return init_embeddings(name)
        except ImportError as error:
            raise _missing(f"embedding model {name}", error) from error
        except ValueError as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"models.embedding = {name!r}: {reason}", _CHOICES) from error


def _missing(model: str, error: ImportError) -> ModelError:
    named = _PACKAGE.search(str(error))
    install = named.group() if named else "install the provider's LangChain package"
    return ModelError(f"{model}: its package is missing", install)


def _cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
