"""Answers questions from your documents and proves every sentence with words you can open.

from assistant import Assistant

with Assistant.from_settings() as assistant:
    answer = assistant.ask("Who chairs the organization?")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError
from assistant.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Draft,
    Filters,
    Passage,
    ScoredPassage,
    Turn,
)

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = [
    "Answer",
    "AnswerSentence",
    "Assistant",
    "AssistantError",
    "Citation",
    "Document",
    "Draft",
    "Filters",
    "Passage",
    "ScoredPassage",
    "Settings",
    "Turn",
]


def __getattr__(name: str) -> Any:
    """The two classes whose modules take time to import, when they are first asked for."""
    if name == "Assistant":
        from assistant.pipeline import Assistant

        return Assistant
    if name == "Settings":
        from assistant.settings import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
