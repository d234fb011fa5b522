"""Every error a caller can meet: what happened, the thing it happened to, and the way out.

``str(error)`` is one line fit to print; ``hint`` says what to do. Third-party exceptions are
translated into these once, where the library is called.
"""

from __future__ import annotations

import contextlib
import copyreg
from pathlib import Path
from types import TracebackType
from typing import Any


class AssistantError(Exception):
    """The parent of all of them. ``exit_code`` is what the command line ends with."""

    exit_code = 3

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuilt from its parts: the arguments of a child's constructor are not its message."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class SettingsError(AssistantError):
    """A setting that is unknown or out of bounds."""

    exit_code = 2


class QuestionError(AssistantError):
    """A question that cannot be asked: empty, or too long."""

    exit_code = 2


class FilterError(AssistantError):
    """A filter that cannot be meant: no such day, source, language or document, or an empty period.

    A filter that merely leaves no document is no error: the answer is then not in the documents.
    """

    exit_code = 2


class RequestError(AssistantError):
    """A request over HTTP that is not JSON of the shape that it has to be."""

    exit_code = 2


class PathError(AssistantError):
    """A path named by the user that is not there or holds nothing to read."""

    exit_code = 2


class MassDeleteError(AssistantError):
    """A sync that would remove more than three in ten of the documents it looks after."""

    exit_code = 2

    def __init__(self, removed: int, folders: str) -> None:
        super().__init__(
            f"{removed} documents of {folders} are no longer there and would be removed",
            "see which with --dry-run; if that is meant, say --yes",
        )
        self.removed = removed


class UnknownDocumentError(AssistantError):
    """A document or passage id that the library does not hold."""

    exit_code = 2

    def __init__(self, wanted: str) -> None:
        super().__init__(
            f"no document {wanted!r} in the library", "`assistant documents` lists what there is"
        )
        self.wanted = wanted


class LoadingError(AssistantError):
    """A document that could not be read; ``reason`` is a word a program can match.

    Reasons: not_found, permission, empty, no_text, encrypted, unreadable, unsupported, too_large,
    and of the process that parses it: timed_out, crashed, and
    given_up for what did so in two runs.
    """

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.reason = reason


class LibraryInUseError(AssistantError):
    """Another process owns the data directory."""

    exit_code = 2

    def __init__(self, directory: Path, pid: int, since: str) -> None:
        super().__init__(
            f"{directory} is in use by pid {pid} since {since}",
            "wait for it, stop it, or ask it over HTTP (`assistant serve`)",
        )
        self.directory, self.pid, self.since = directory, pid, since


class LibraryError(AssistantError):
    """The data directory cannot be read or written: no permission, disk full, damaged."""


class EmptyLibraryError(AssistantError):
    """A question to a library that holds no document yet."""

    exit_code = 2

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"nothing is indexed in {directory}",
            "index a folder first: `assistant index PATH`; `assistant chat` brings a sample",
        )
        self.directory = directory


class IndexMismatchError(AssistantError):
    """The library was made with another embedding model or chunking than the settings name."""

    exit_code = 2

    def __init__(self, setting: str, indexed: str, wanted: str) -> None:
        super().__init__(
            f"the library was indexed with {setting} = {indexed}, the settings say {wanted}",
            f"put {setting} back, or embed everything again: `assistant rebuild --embed`",
        )
        self.setting, self.indexed, self.wanted = setting, indexed, wanted


class ModelError(AssistantError):
    """A model that is missing, damaged, or does not answer."""


class AsModelError(contextlib.AbstractContextManager[None]):
    """Makes one ModelError of whatever a model's library raises: these share no parent class."""

    def __init__(self, model: str, hint: str, kind: str = "embedding model") -> None:
        self._model, self._hint = f"{kind} {model}", hint

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, AssistantError):
            said = " ".join(str(error).split())[:300] or type(error).__name__
            raise ModelError(f"{self._model}: {said}", self._hint) from error
