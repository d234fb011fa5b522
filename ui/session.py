"""One reader's conversation: what is asked in it, how it ends, and what its markers open.

A conversation is a tuple of exchanges that the caller holds. A marker opens only what an answer of
that conversation cites (T28): the page sends a key, never a place in a document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError
from assistant.filtering import read_filters
from assistant.types import Answer, Draft, Turn
from assistant.ui import markup, reader
from assistant.ui.markup import Notice
from assistant.ui.render import Exchange

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

Conversation = tuple[Exchange, ...]

STOPPED = Notice("Stopped before the answer was checked.", "ask again")
FAILED = Notice("Something went wrong in this program.", "see its log, where it was started")
FOREIGN = Notice("This source belongs to another conversation.", "ask the question here")
GONE = "This document has left the library."


def ask(
    assistant: Assistant, question: str, before: Conversation, *filters: Any
) -> Iterator[Conversation]:
    """``before`` with the question, again and again as its outcome grows from draft to answer.

    ``filters`` are as ``read_filters`` takes them. An error of ours ends it with a Notice; any
    other goes through.
    """
    yield (*before, Exchange(question, Draft(stage="condense")))
    history = [
        Turn(question=exchange.question, answer=exchange.outcome)
        for exchange in before
        if isinstance(exchange.outcome, Answer)
    ]
    try:
        for outcome in assistant.stream(question, history, read_filters(*filters)):
            yield (*before, Exchange(question, outcome))
    except AssistantError as error:
        yield (*before, Exchange(question, Notice(f"{error}.", error.hint)))


def end(exchanges: Conversation, notice: Notice) -> Conversation:
    """``exchanges`` with ``notice`` in the place of a last outcome that is still a draft."""
    if exchanges and isinstance(exchanges[-1].outcome, Draft):
        return (*exchanges[:-1], Exchange(exchanges[-1].question, notice))
    return exchanges


def open_source(assistant: Assistant, exchanges: Conversation, wanted: Any) -> str:
    """The reading panel for what the page sent: ``{"ref": key, "whole": bool}``."""
    ref = str(wanted.get("ref")) if isinstance(wanted, dict) else ""
    reference = _find(exchanges, ref)
    if reference is None:
        return markup.notice(FOREIGN)
    try:
        document = assistant.document(reference.document_id)
    except AssistantError as error:  # asked at every opening: it may have been removed since (T27)
        return markup.notice(Notice(GONE, error.hint))
    if wanted.get("whole") or not reference.end:
        return reader.whole(ref, reference, document)
    return reader.passage(ref, reference, document)


def _find(exchanges: Conversation, ref: str) -> reader.Reference | None:
    if ref.startswith("document/"):
        return reader.Reference(ref.removeprefix("document/"))
    for exchange in exchanges:
        if isinstance(exchange.outcome, Answer):
            found = reader.references(exchange.outcome).get(ref)
            if found:
                return found
    return None
