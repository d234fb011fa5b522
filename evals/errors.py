"""What can be wrong with an evaluation: the set, a measure's name, a result file, a comparison."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import AssistantError


class SetError(AssistantError):
    """An evaluation set that cannot be used; names the file, the line and the field."""

    exit_code = 2

    def __init__(
        self, path: Path, problem: str, hint: str, *, line: int | None = None, field: str = ""
    ) -> None:
        place = f"{path}:{line}" if line else str(path)
        super().__init__(": ".join(part for part in (place, field, problem) if part), hint)
        self.path, self.line, self.field, self.problem = path, line, field, problem


class MeasureError(AssistantError):
    """A measure that there is not, or one that cannot be used in this way."""

    exit_code = 2


class ResultFileError(AssistantError):
    """A result file that is damaged, of another version, or of another run."""

    exit_code = 2


class IncomparableError(AssistantError):
    """Two results that say nothing about each other: other questions or other documents."""

    exit_code = 2
