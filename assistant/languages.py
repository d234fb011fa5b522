"""Which language a text is in."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = "und"
SAMPLE = 10_000  # characters read; more changes nothing
CONFIDENCE = 0.5  # "Merhaba dünya" has 0.73, the lone word "Hello" 0.06

# Labels of the model that ISO 639-1 has under another name, or as part of another language.
_PARTS = {"ary": "ar", "arz": "ar", "grc": "el", "hbo": "he", "uzs": "uz", "wuu": "zh", "yue": "zh"}


def detect(text: str) -> str:
    """ISO 639-1 code of the language of ``text``, ``und`` where it is too short or odd to tell."""
    return guess(text)[0]


def guess(text: str) -> tuple[str, float]:
    """ISO 639-1 code, or ``und``, and the model's confidence in it, 0 to 1."""
    label, confidence = _model().classify(text[:SAMPLE])
    code = _PARTS.get(label, label)
    if confidence < CONFIDENCE or len(code) != 2:
        return UNKNOWN, float(confidence)
    return code, float(confidence)


def declared(tag: str | None) -> str | None:
    """``en`` of a tag such as ``en-US`` or ``EN``; None where no ISO 639-1 code begins it."""
    found = re.match(r"([a-z]{2})(?![a-z])", (tag or "").strip().lower())
    return found[1] if found else None


@functools.cache
def _model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
