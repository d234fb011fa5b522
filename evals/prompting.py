"""Prompts of the evaluation, and the JSON that comes back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from assistant import models, prompts
from assistant.errors import AsModelError
from assistant.settings import ModelSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

HINT = "see that its package is installed and its key is set, or go without a model"


def chat_model(name: str) -> BaseChatModel:
    """The model that ``models.chat = name`` means. Raises ModelError when there is no such one."""
    return models.build_chat_model(ModelSettings(chat=name))


def ask(chat: BaseChatModel, prompt: str, **values: str) -> dict[str, Any]:
    """The JSON object in the model's reply to ``prompts/NAME.md``; empty when there is none.

    Raises ModelError when the model does not reply.
    """
    with AsModelError(prompt, HINT, "chat model"):
        reply = chat.invoke(prompts.messages(prompt, **values)).text
    found = re.search(r"\{.*\}", reply, re.DOTALL)
    try:
        parsed = json.loads(found[0]) if found else {}
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
