"""A chat model as a judge of sentences: it may object to one that passed every other test."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from assistant import prompts
from assistant.normalizing import one_line

if TYPE_CHECKING:
    from assistant.generating import Chat

_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
_REASON = 200  # characters of a reason that are shown


class ChatJudge:
    """Asks ``models.chat`` for its verdict, with the source and the sentence as fenced data.

    Only a plain "supported" lets a sentence pass: a model that fails, or replies with anything
    else, has not agreed. It sees nothing but the cited words, and decides nothing but this.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def __call__(self, sentence: str, evidence: str) -> tuple[bool, str]:
        """Whether it agrees, and its reason on one line."""
        reply = self._chat.complete(prompts.messages("verify", source=evidence, sentence=sentence))
        if reply.problem:
            return False, f"the judge gave no verdict: {reply.problem.message}"
        verdict = _parsed(reply.text)
        supported = verdict.get("supported")
        if not isinstance(supported, bool):
            return False, "the judge gave no verdict"
        reason = one_line(str(verdict.get("reason", "")), _REASON)
        return supported, f"the judge objects: {reason}" if not supported else "the judge agrees"


def _parsed(text: str) -> dict[str, object]:
    found = _OBJECT.search(text)
    try:
        parsed = json.loads(found[0]) if found else {}
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
