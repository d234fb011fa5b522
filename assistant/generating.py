"""A chat model's reply: streamed, bounded in time, attempts and length, every failure named.

R10 to R15: nothing that a model or its server does raises here, and no caller waits longer than
``models.chat_deadline``. What came before a failure is kept and marked.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from assistant.normalizing import one_line
from assistant.types import Problem

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable

    from assistant.prompts import Messages
    from assistant.settings import ModelSettings

_CHARS = 8  # of a token, at most: past it the provider's own limit has failed
_WAIT = 20.0  # seconds that a Retry-After may ask for
_BACKOFF = 0.5  # seconds before the second attempt, twice as many before each further one
# What providers call an end that the model chose; anything else cut it short.
_ENDS = {"stop", "end_turn", "stop_sequence", "completed", "complete", "eos"}
_REASONS = ("finish_reason", "stop_reason", "stopReason", "done_reason", "status")
_CUT = {
    "length": "was cut off at its limit of tokens",
    "max_tokens": "was cut off at its limit of tokens",
    "content_filter": "was cut off by its provider's filter",
    "refusal": "refused to answer",
    "tool_calls": "called a tool where it has none",
    "tool_use": "called a tool where it has none",
}
_AGAIN = "ask again; without models.chat the answer is quoted, with no model"
_HINTS = {
    400: "see whether models.chat names a model of this provider that takes as much text",
    401: "set the provider's key in the environment, OPENAI_API_KEY for openai",
    403: "see whether the key may use this model",
    404: "see what models.chat and models.chat_base_url name",
    429: "wait, or raise the limits of the account",
}
# Raised by httpx in either of its versions, which need not be the one a provider uses.
_UNREACHED = {"OSError", "TransportError", "ConnectionError"}


@dataclass(frozen=True)
class Reply:
    """What a model wrote, what it cost, and why it is not whole, if so."""

    text: str = ""
    tokens: Counter[str] = field(default_factory=Counter)  # input_tokens, output_tokens
    problem: Problem | None = None
    retry_in: float | None = None  # seconds; None where another attempt is of no use


class Chat:
    """A chat model within the bounds of the settings; ``name`` is what answers say of it.

    One with ``grammars`` writes only what a grammar of llama.cpp (GBNF) lets it.
    """

    def __init__(
        self, name: str, model: BaseChatModel, bounds: ModelSettings, *, grammars: bool = False
    ) -> None:
        self.name, self._model, self._bounds, self._grammars = name, model, bounds, grammars

    def complete(self, messages: Messages) -> Reply:
        """The whole reply; as ``stream``."""
        replies = self.stream(messages)
        while True:
            try:
                next(replies)
            except StopIteration as end:
                reply: Reply = end.value
                return reply

    def stream(self, messages: Messages, grammar: str = "") -> Generator[str, None, Reply]:
        """The text so far, each time it has grown; returns the Reply and raises nothing.

        A request is repeated only while no word has come.
        """
        model: Runnable[Any, AIMessage] = self._model
        if grammar and self._grammars:
            model = model.bind(extra_body={"grammar": grammar})
        deadline = time.monotonic() + self._bounds.chat_deadline
        for attempt in range(self._bounds.chat_retries + 1):
            reply = yield from self._attempt(model, messages, deadline)
            if reply.text or reply.retry_in is None:
                break
            backoff = _BACKOFF * 2**attempt * random.uniform(0.5, 1)  # noqa: S311  # jitter
            wait = max(reply.retry_in, backoff)
            last = attempt == self._bounds.chat_retries
            if last or wait > _WAIT or time.monotonic() + wait >= deadline:
                break
            time.sleep(wait)
        return reply

    def _attempt(
        self, model: Runnable[Any, AIMessage], messages: Messages, deadline: float
    ) -> Generator[str, None, Reply]:
        text, reason = "", ""
        tokens: Counter[str] = Counter()
        with _Worker(model, messages, self._bounds.chat_tokens * _CHARS) as worker:
            while True:
                left = deadline - time.monotonic()
                try:
                    item = worker.said.get(timeout=max(0.0, min(self._bounds.chat_timeout, left)))
                except queue.Empty:
                    late = left <= self._bounds.chat_timeout
                    return Reply(text, tokens, self._silent(late=late), None if late else 0.0)
                if item is None:
                    return Reply(text, tokens, self._ending(text, reason))
                if isinstance(item, Exception):
                    return Reply(text, tokens, self._failure(item, text), _retry_in(item))
                if usage := item.usage_metadata:
                    tokens["input_tokens"] += usage["input_tokens"]
                    tokens["output_tokens"] += usage["output_tokens"]
                said = (item.response_metadata.get(key) for key in _REASONS)
                reason = next((str(word) for word in said if word), reason)
                if item.text:
                    text += item.text
                    yield text

    def _silent(self, *, late: bool) -> Problem:
        if late:
            said = f"took longer than {self._bounds.chat_deadline:g} s"
            return self._problem(said, "raise models.chat_deadline")
        said = f"said nothing for {self._bounds.chat_timeout:g} s"
        return self._problem(said, "ask again, or raise models.chat_timeout")

    def _ending(self, text: str, reason: str) -> Problem | None:
        reason = reason.lower()
        if reason in _ENDS:
            return None if text.strip() else self._problem("gave an empty reply", _AGAIN)
        if len(text) >= self._bounds.chat_tokens * _CHARS:
            return self._problem("did not stop", _AGAIN)
        if reason:
            cut = _CUT.get(reason, f"ended with {one_line(reason, 40)!r}")
            hint = "raise models.chat_tokens" if "limit" in cut else _AGAIN
            return self._problem(cut, hint)
        return self._problem("was cut off" if text else "gave no reply", _AGAIN)

    def _failure(self, error: Exception, text: str) -> Problem:
        said = one_line(str(error), 300) or type(error).__name__
        status = _status(error)
        if status == -1:
            said = f"cannot be reached: {said}"
        known = "see whether it is served where models.chat_base_url says" if status == -1 else None
        hint = known or _HINTS.get(status, _AGAIN)
        return self._problem(f"was cut off: {said}" if text else said, hint)

    def _problem(self, said: str, hint: str) -> Problem:
        return Problem(message=f"model {self.name}: {said}", hint=hint)


class _Worker(threading.Thread):
    """Reads a stream apart, so that whoever waits for its next word can stop waiting.

    ``said`` holds its chunks and last what ended it: None, or the error. Leaving the context tells
    it to stop, which it does at the next chunk, or when the provider's own timeout strikes.
    """

    def __init__(self, model: Runnable[Any, AIMessage], messages: Messages, most: int) -> None:
        super().__init__(name="chat model", daemon=True)
        self.said: queue.SimpleQueue[AIMessage | Exception | None] = queue.SimpleQueue()
        self._model, self._messages, self._most = model, messages, most
        self._left = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()

    def run(self) -> None:
        with _Told(self.said):
            length = 0
            for chunk in self._model.stream(self._messages):
                self.said.put(chunk)
                length += len(chunk.text)
                if length >= self._most or self._left.is_set():
                    break


class _Told:
    """Puts into a queue how the block ended: models share no parent class of errors."""

    def __init__(self, said: queue.SimpleQueue[AIMessage | Exception | None]) -> None:
        self._said = said

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        ours = isinstance(error, Exception)
        self._said.put(error if isinstance(error, Exception) else None)
        return ours


def _status(error: Exception) -> int:
    """The HTTP status of a failure; -1 when there was no server to give one; else 0."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status > 0:
        return status
    names = {kind.__name__ for kind in type(error).__mro__}
    return -1 if names & {*_UNREACHED, "ModelConnectionError", "ModelTimeoutError"} else 0


def _retry_in(error: Exception) -> float | None:
    status = _status(error)
    if not (status in {-1, 408, 429} or status >= 500):
        return None
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(headers.get("retry-after", 0)))
    except ValueError:  # a date, which needs a clock that agrees with the server's
        return 0.0
