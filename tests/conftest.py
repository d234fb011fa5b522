"""Fixtures that several tests share: one assistant over the sample collection, models and all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Assistant, Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that holds the sample collection; nobody has it open."""
    data = tmp_path_factory.mktemp("sample")
    with Assistant.from_settings(Settings(library={"data": data})) as assistant:
        report = assistant.index([ROOT / "corpus" / "documents"])
        assert not report.failed
    return data


@pytest.fixture(scope="session")
def sample(sample_data: Path) -> Iterator[Assistant]:
    """The assistant over the sample collection; tests only ask it."""
    with Assistant.from_settings(Settings(library={"data": sample_data})) as assistant:
        yield assistant
