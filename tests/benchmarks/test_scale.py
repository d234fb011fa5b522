"""Large collections: what a passage costs in one of a million, and what memory it takes.

``pytest tests/benchmarks/test_scale.py -s``. ASSISTANT_TEST_PASSAGES are the sizes of libraries to
compare, "10000 100000" unless it says otherwise; a million takes an hour or more.
ASSISTANT_TEST_CHART is where the chart of them is written.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from assistant import models
from assistant.embedding import Embedder
from assistant.pipeline import Assistant
from assistant.records import Embedded
from assistant.segmenting import Span
from assistant.settings import Settings
from assistant.types import Progress
from tests.benchmarks.test_speed import CLUSTERS, near, percentiles, sentence

SIZES = [int(n) for n in os.environ.pop("ASSISTANT_TEST_PASSAGES", "10000 100000").split()]
CHART = os.environ.pop("ASSISTANT_TEST_CHART", "")
LINES = 100  # passages of a document, about
WORDS = (8, 13)  # of a passage, from and below
SEARCHES = 100
FLAT = 1.5  # times as much a passage may cost in the largest library as in the smallest


class Unread(Embedder):
    """The bundled engine, int8, but for the reading of documents: their vectors are made up.

    What reading costs is the same for every passage, and for a million it is an hour.
    """

    def __init__(self) -> None:
        self._engine = engine = models.build_embedder(Settings(models={"precision": "int8"}))
        self.identity, self.dimension = engine.identity, engine.dimension
        self.max_tokens = engine.max_tokens
        self._random = np.random.default_rng(0)
        self._centres = near(np.zeros((CLUSTERS, self.dimension)), self._random)

    def documents(self, texts: Sequence[str]) -> np.ndarray:
        return near(self._centres[self._random.integers(CLUSTERS, size=len(texts))], self._random)

    def passages(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[Embedded]:
        return [Embedded(vector, vector[None]) for vector in self.documents(texts)]

    def query(self, text: str) -> np.ndarray:
        return self._engine.query(text)

    def tokens(self, text: str) -> list[Span]:
        return self._engine.tokens(text)


class Cost(NamedTuple):
    """What a library of so many passages took: seconds, but for the last two."""

    passages: int
    stored: float  # files read, cut, and all of it in the library
    published: float
    reopened: float
    search: float  # p50, milliseconds
    disk: float  # bytes


def written(folder: Path, count: int) -> Path:
    """A folder of documents that make about ``count`` passages, a hundred in each."""
    rng = np.random.default_rng(count)
    for number in range(count // LINES):
        below = folder / f"{number // 1000:03}"
        below.mkdir(parents=True, exist_ok=True)
        lines = (sentence(rng, int(rng.integers(*WORDS))) for _ in range(LINES))
        (below / f"{number:06}.txt").write_text("\n\n".join(lines), encoding="utf-8")
    return folder


def measured(place: Path, count: int) -> Cost:
    docs = written(place / "docs", count)
    settings = Settings(library={"data": place / "data"}, chunking={"size": 32})
    began = {"load": time.perf_counter()}

    def tell(progress: Progress) -> None:
        began.setdefault(progress.stage, time.perf_counter())
        if progress.stage != "load" and progress.done % 50_000 < 64:
            seconds = time.perf_counter() - began["load"]
            print(f"  {progress.stage} {progress.done:,} {seconds:.0f} s", flush=True)

    assistant = Assistant.from_settings(settings)
    assistant._loaded = Unread()
    with assistant:
        report = assistant.index([docs], tell)
        ended = time.perf_counter()
        assert not report.failed
    reopening = time.perf_counter()
    with Assistant.from_settings(settings) as assistant:
        assistant._loaded = Unread()
        times = list(searches(assistant))
    return Cost(
        report.passages,
        began["publish"] - began["load"],
        ended - began["publish"],
        times[0] + 0 * reopening,
        percentiles(times[1:])[0],
        sum(path.stat().st_size for path in (place / "data").rglob("*") if path.is_file()),
    )


def searches(assistant: Assistant) -> Iterator[float]:
    """Seconds that each search took; the first opens the index."""
    rng = np.random.default_rng(1)
    for _ in range(SEARCHES + 1):
        question = sentence(rng, 12)
        started = time.perf_counter()
        found = assistant.search(question)
        yield time.perf_counter() - started
        assert found


@pytest.mark.timeout(0)
def test_a_passage_costs_the_same_in_every_library(tmp_path: Path) -> None:
    costs = []
    for count in SIZES:
        costs.append(cost := measured(tmp_path / str(count), count))
        shutil.rmtree(tmp_path / str(count))
        each = 1e6 / cost.passages
        print(f"{cost.passages:9,} passages: a passage {each * cost.stored:.0f} µs to store,")
        print(
            f"{'':9} {each * cost.published:.0f} µs to publish, {cost.disk / cost.passages:.0f} bytes;"
        )
        print(
            f"{'':9} opened in {cost.reopened:.1f} s, search {cost.search:.1f} ms p50", flush=True
        )
