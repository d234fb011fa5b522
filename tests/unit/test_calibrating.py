from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from assistant import calibrating
from assistant.calibrating import Calibration
from assistant.errors import LibraryError, SettingsError
from assistant.settings import Settings

FOUND = Calibration(
    evaluation_set="mine",
    made=dt.date(2024, 5, 1),
    dense_weight=0.3,
    threshold=0.4,
    answerable=40,
    unanswerable=20,
    wrongly_refused=0.05,
    refused=0.75,
)


def test_what_was_calibrated_is_used_where_the_settings_say_nothing(tmp_path: Path) -> None:
    calibrating.save(FOUND, tmp_path)
    assert calibrating.load(tmp_path) == FOUND
    used = calibrating.apply(Settings(library={"data": tmp_path}))
    assert (used.answering.threshold, used.retrieval.dense_weight) == (0.4, 0.3)
    given = Settings(library={"data": tmp_path}, answering={"threshold": 0.1})
    used = calibrating.apply(given)
    assert (used.answering.threshold, used.retrieval.dense_weight) == (0.1, 0.3)
    assert used.digest != given.digest


def test_expected_errors_are_shown(tmp_path: Path) -> None:
    settings = Settings(library={"data": tmp_path})
    assert all("expected" in line for line in calibrating.lines(settings))
    assert calibrating.apply(settings) is settings
    calibrating.save(FOUND, tmp_path)
    assert "5% of 40 answerable questions wrongly refused, 75% of 20" in "\n".join(
        calibrating.lines(settings)
    )
    calibrating.save(FOUND.model_copy(update={"refused": None, "unanswerable": 0}), tmp_path)
    assert "not known of 0" in "\n".join(calibrating.lines(settings))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"threshold": 2}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / calibrating.FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=r"calibration\.json"):
        calibrating.apply(Settings(library={"data": tmp_path}))


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="cannot use"):
        calibrating.save(FOUND, tmp_path / "missing")
