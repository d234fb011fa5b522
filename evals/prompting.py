"""Prompts of the evaluation, filled in by one literal replacement, and the JSON that comes back."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assistant
from assistant.errors import ModelError

if TYPE_CHECKING:
    from types import TracebackType

    from langchain_core.language_models import BaseChatModel

HINT = "see that its package is installed and its key is set, or go without a model"


class _AsModelError(contextlib.AbstractContextManager[None]):
    """One ModelError of whatever a provider's library raises: these share no parent class."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            said = str(error).partition("\n")[0][:300] or type(error).__name__
            raise ModelError(f"chat model, {self._what}: {said}", HINT) from error


def chat_model(name: str) -> BaseChatModel:
    """The model that LangChain's ``init_chat_model`` makes of ``provider:model``.

    Raises ModelError for an unknown provider, a missing package or key.
    """
    from langchain.chat_models import init_chat_model

    with _AsModelError(name):
        return init_chat_model(name, temperature=0)


def ask(chat: BaseChatModel, prompt: str, **values: str) -> dict[str, Any]:
    """The JSON object in the model's reply to ``prompts/NAME.md``; empty when there is none.

    ``{{name}}`` in the prompt becomes the value and nothing in a value is looked at again (T42);
    ``{{fence}}`` becomes a mark that no value contains.
    """
    fence = hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
    filled = re.sub(r"\{\{(\w+)\}\}", lambda m: (values | {"fence": fence})[m[1]], _text(prompt))
    with _AsModelError(prompt):
        reply = chat.invoke(filled).text
    found = re.search(r"\{.*\}", reply, re.DOTALL)
    try:
        parsed = json.loads(found[0]) if found else {}
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


@cache
def _text(name: str) -> str:
    package = Path(assistant.__file__).parent
    inside = package / "prompts"
    folder = inside if inside.is_dir() else package.parent / "prompts"
    return (folder / f"{name}.md").read_text(encoding="utf-8")
