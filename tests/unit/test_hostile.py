"""T09 to T15: files that mean harm end in a named outcome; all of them in tests/benchmarks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.pool import Pool
from assistant.types import Document
from tests.hostile import CANARY, FAST, Hostile, describe, files

FILES = files()


@pytest.fixture(scope="module")
def warm() -> Iterator[Pool]:
    pool = Pool(20, 1024)
    yield pool
    pool.close()


def test_every_one_that_is_fast_is_known() -> None:
    assert len(FAST) >= 40
    assert set(FAST) <= FILES.keys()


@pytest.mark.parametrize("what", FAST)
def test_the_outcome_is_right(
    what: str, warm: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check(FILES[what], warm)
    assert os.listdir(tmp_path) == []


def check(file: Hostile, pool: Pool) -> set[str]:
    """The outcomes of a file, which have to be right and without the canary."""
    content, uri = file.make(), f"/papers/{file.name}"
    loaded = list(pool.load(Path(file.name), content=content, uri=uri))
    outcomes = {describe(one) for one in loaded}
    assert outcomes, "neither read nor refused"
    assert outcomes <= file.outcomes, loaded
    for one in loaded:
        if isinstance(one, Document):
            assert CANARY not in one.text
        assert ".." not in one.uri
        assert one.uri == uri or one.uri.startswith(f"{uri}!/")
    return outcomes
