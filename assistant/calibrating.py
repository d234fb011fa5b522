"""What `assistant calibrate` found for a data directory: kept beside the library, used afterwards.

A setting that is given, in a file, the environment or an argument, is stronger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from assistant.errors import SettingsError
from assistant.settings import Settings
from assistant.storage import translated
from assistant.types import Shape

FILE = "calibration.json"


class Calibration(Shape):
    """The two numbers that were fitted, and what they are expected to give."""

    evaluation_set: str  # its name
    made: dt.date
    dense_weight: float = Field(ge=0, le=1)
    threshold: float = Field(ge=0, le=1)
    answerable: int  # questions it was fitted to
    unanswerable: int
    wrongly_refused: float  # expected share of the answerable; cross-validated
    refused: float | None  # expected share of the unanswerable; None where the set has none


def load(data: Path) -> Calibration | None:
    """The calibration of a data directory, None where there is none.

    Raises SettingsError for a file that cannot be read.
    """
    path = data / FILE
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise SettingsError(
            f"{path} cannot be read", "run `assistant calibrate` again, or delete it"
        ) from error


def save(calibration: Calibration, data: Path) -> None:
    """Written whole or not at all; raises LibraryError when the directory cannot be written."""
    with translated(data):
        new = data / f"{FILE}.new"
        new.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
        new.replace(data / FILE)


def apply(settings: Settings) -> Settings:
    """The settings with what was calibrated for their data directory, where they say nothing."""
    found = load(settings.library.data)
    if found is None:
        return settings
    groups = {}
    for group, name in (("answering", "threshold"), ("retrieval", "dense_weight")):
        given = getattr(settings, group)
        if name not in given.model_fields_set:
            groups[group] = given.model_copy(update={name: getattr(found, name)})
    return settings.model_copy(update=groups)


def lines(settings: Settings) -> Iterator[str]:
    """What is expected of the threshold, for people to read."""
    found = load(settings.library.data)
    if found is None:
        from assistant.silence import weights

        for rate in weights().expected:
            yield (
                f"# expected of threshold {rate.threshold:g}, {rate.questions}:"
                f" {rate.wrongly_refused:.1%} wrongly refused, {rate.refused:.1%} rightly"
            )
        return
    yield (
        f"# calibrated on {found.evaluation_set!r}, {found.made}:"
        f" dense_weight {found.dense_weight:g}, threshold {found.threshold:.3f}"
    )
    refused = "not known" if found.refused is None else f"{found.refused:.0%}"
    yield (
        f"# expected: {found.wrongly_refused:.0%} of {found.answerable} answerable questions"
        f" wrongly refused, {refused} of {found.unanswerable} unanswerable ones rightly"
    )
