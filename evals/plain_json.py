"""JSON lines read one by one, bounded, with the line in every message (T41)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.evals.errors import SetError

MAX_LINE = 1024 * 1024  # bytes


def read(path: Path, hint: str = "mend or delete the line") -> Iterator[tuple[int, Any]]:
    """Line number, from 1, and value of every line that is not blank.

    Raises SetError for a line that is not JSON, is too long, or holds half a character.
    """
    with _open(path, hint) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), start=1):
            if len(line) > MAX_LINE:
                raise SetError(path, f"longer than {MAX_LINE} bytes", hint, line=number)
            if line.strip():
                yield number, _value(path, number, line, hint)


def _open(path: Path, hint: str) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise SetError(path, f"cannot be read: {error.strerror}", hint) from None


def _value(path: Path, number: int, line: bytes, hint: str) -> Any:
    try:
        value = json.loads(line)
        if b"\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise SetError(path, f"not JSON: {error}", hint, line=number) from None
    return value
