"""Files that a person named: written whole, with an error that names the way out."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import PathError


def write_text(path: Path, text: str) -> None:
    """Folders above it are made. Raises PathError where nothing can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise PathError(f"{path} cannot be written: {reason}", "name another file") from None
