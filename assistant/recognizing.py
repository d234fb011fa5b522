"""Pictures of text -> their words, by Tesseract where it is installed (the extra ``ocr``)."""

from __future__ import annotations

import functools
import importlib.util
import shutil
from typing import Any

from assistant.errors import LoadingError

enabled = False  # in this process
RESOLUTION = 200  # dots per inch; Tesseract wants letters 20 pixels high at least
_PAGE_SECONDS = 30


@functools.cache
def is_available() -> bool:
    """Whether both pytesseract and Tesseract itself are there."""
    return bool(importlib.util.find_spec("pytesseract") and shutil.which("tesseract"))


def recognized(picture: Any, uri: str) -> str:
    """The words in a PIL image, in the languages Tesseract has been given, lines as they stand.

    Raises LoadingError ``unreadable`` when Tesseract fails.
    """
    import pytesseract

    try:
        text: str = pytesseract.image_to_string(picture, lang=_languages(), timeout=_PAGE_SECONDS)
        return text
    except (pytesseract.TesseractError, RuntimeError, OSError) as error:
        raise LoadingError(
            "unreadable", f"Tesseract could not read {uri}: {error}", "check how it is installed"
        ) from error


@functools.cache
def _languages() -> str:
    import pytesseract

    installed = [name for name in pytesseract.get_languages() if name != "osd"]
    return "+".join(sorted(installed, key=lambda name: name != "eng")) or "eng"
