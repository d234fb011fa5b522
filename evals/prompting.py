"""Prompts of the evaluation, filled in by one literal replacement, and the JSON that comes back."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assistant
from assistant.errors import ModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

HINT = "try another model, or go without one"


def chat_model(name: str) -> BaseChatModel:
    """The model that LangChain's ``init_chat_model`` makes of ``provider:model``.

    Raises ModelError when the provider is unknown or its package is not installed.
    """
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(name, temperature=0)
    except (ImportError, ValueError) as error:
        raise ModelError(f"model {name}: {error}", HINT) from None


def ask(chat: BaseChatModel, prompt: str, **values: str) -> dict[str, Any]:
    """The JSON object in the model's reply to ``prompts/NAME.md``; empty when there is none.

    ``{{name}}`` in the prompt becomes the value and nothing in a value is looked at again (T42);
    ``{{fence}}`` becomes a mark that no value contains.
    """
    fence = hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
    filled = re.sub(r"\{\{(\w+)\}\}", lambda m: (values | {"fence": fence})[m[1]], _text(prompt))
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
