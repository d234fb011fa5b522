"""What a filter costs, and that it loses nothing: 50,000 passages of 10,000 documents.

The vectors are drawn around a thousand topics, the words by Zipf's law; neither needs a model.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import numpy as np
import pytest

from assistant import publication
from assistant.filtering import Selection
from assistant.generations import Generations
from assistant.index import Index
from assistant.library import Library
from assistant.records import Embedded, Spec
from assistant.retrieval import Query, retrieve
from assistant.settings import RetrievalSettings
from assistant.types import Filters
from tests.fakes import ChromaHere, chunks, document

DOCUMENTS, PASSAGES, DIMENSION, TOPICS, WORDS = 10_000, 5, 384, 1000, 30_000
SPEC = Spec(embedding="drawn", dimension=DIMENSION, size=220, chunking=1)
QUERIES = 100
FIRST_DAY = dt.date(2000, 1, 1)
FILTERS = {
    "none": None,
    "since, all": Filters(since=FIRST_DAY),
    "language, 90 %": Filters(languages=("en",)),
    "as of, 50 %": Filters(as_of=FIRST_DAY + dt.timedelta(days=4999)),
    "since, 20 %": Filters(since=FIRST_DAY + dt.timedelta(days=8000)),
    "source, 10 %": Filters(sources=("source 3",)),
    "source and since, 1 %": Filters(
        sources=("source 3",), since=FIRST_DAY + dt.timedelta(days=9000)
    ),
    "document": Filters(documents=("/77",)),
}


class Drawn:
    """A library and its index, and queries to put to them."""

    def __init__(self, library: Library, generations: Generations) -> None:
        self.library, self.generations = library, generations
        self._rng = np.random.default_rng(0)
        self._topics = self._unit(self._rng.normal(size=(TOPICS, DIMENSION)))
        frequencies = 1 / np.arange(1, WORDS + 1)
        self._frequencies = frequencies / frequencies.sum()

    def fill(self) -> None:
        for start in range(0, DOCUMENTS, 1000):
            numbers = range(start, start + 1000)
            texts = ["\n".join(self.words(40) for _ in range(PASSAGES)) for _ in numbers]
            entries = [
                document(
                    text,
                    uri=f"/{n}",
                    source=f"source {n % 10}",
                    language="en" if n % 10 else "fr",
                    published=FIRST_DAY + dt.timedelta(days=n),
                )
                for n, text in zip(numbers, texts, strict=True)
            ]
            self.library.add([(entry, chunks(entry)) for entry in entries], SPEC)
        none = np.zeros((0, DIMENSION), np.float32)
        waiting = self.library.unembedded(SPEC, 0, DOCUMENTS * PASSAGES)
        made = [Embedded(self.vector(), none) for _ in waiting]
        self.library.put_vectors([passage.name for passage in waiting], made)
        publication.complete(self.library, SPEC)
        self.generations.publish(SPEC)

    def words(self, count: int) -> str:
        drawn = self._rng.choice(WORDS, count, p=self._frequencies)
        return " ".join(f"word{number}" for number in drawn)

    def vector(self) -> np.ndarray:
        topic = self._topics[self._rng.integers(TOPICS)]
        return self._unit(topic + 0.05 * self._rng.normal(size=DIMENSION))

    def query(self) -> Query:
        return Query(self.words(10), self.vector())

    @staticmethod
    def _unit(vectors: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        return (vectors / lengths).astype(np.float32)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.generations.ChromaProcess", ChromaHere)
        with Library.open(tmp_path_factory.mktemp("filters") / "data") as library:
            made = Drawn(library, Generations(library))
            made.fill()
            yield made
            made.generations.close()


@pytest.mark.timeout(1800)
def test_a_filtered_search_takes_no_more_than_twice_as_long(drawn: Drawn) -> None:
    queries = [drawn.query() for _ in range(QUERIES)]
    seconds: dict[str, list[float]] = {name: [] for name in FILTERS}
    with drawn.generations.lease() as index:
        for filters in filter(None, FILTERS.values()):  # what is made when first needed
            index.catalogue.select(filters)
        for query in queries:  # in turn, so that a busy moment falls on all alike
            for name, filters in FILTERS.items():
                started = time.process_time()  # of the machine's load it says nothing
                within = index.catalogue.select(filters) if filters else None
                retrieve(drawn.library, index, query, RetrievalSettings(), 8, within)
                seconds[name].append(time.process_time() - started)
    medians = {name: float(np.median(times)) for name, times in seconds.items()}
    print(f"\n{'filter':24}{'p50 ms':>8}{'p95 ms':>8}{'ratio':>7}")
    for name, times in seconds.items():
        ratio = medians[name] / medians["none"]
        high = np.quantile(times, 0.95)
        print(f"{name:24}{medians[name] * 1e3:8.2f}{high * 1e3:8.2f}{ratio:7.2f}")
    assert max(medians.values()) <= 2 * medians["none"]


def test_no_recall_is_lost(drawn: Drawn) -> None:
    """What both halves find is exactly what comparing every passage finds."""
    with drawn.generations.lease() as index:
        for filters in FILTERS.values():
            if filters:
                for query in [drawn.query() for _ in range(10)]:
                    same(index, query, index.catalogue.select(filters))


def same(index: Index, query: Query, within: Selection) -> None:
    passing = within.passes[index.documents]
    found, cosines = index.dense(query.vector, 100, within)
    exact = np.where(passing, index.vectors @ query.vector, -2)
    best = np.sort(exact)[::-1][: len(found)]
    assert len(found) == min(100, passing.sum())
    assert passing[index.rows(found)].all()
    np.testing.assert_allclose(cosines, best, atol=1e-6)
    keys, scores = index.lexical(query.text, 300, within=within)
    every, bm25 = index.lexical(query.text, index.passages)
    kept = passing[index.rows(every)]
    assert passing[index.rows(keys)].all()
    assert len(keys) == min(300, kept.sum())
    np.testing.assert_allclose(scores, bm25[kept][: len(keys)], rtol=1e-5)
