"""How long a search takes, stage by stage, against the bare embedding of its question.

``pytest tests/benchmarks/test_speed.py -s``. Texts are generated and vectors made up, so that a
large collection takes no hour to embed; questions are embedded for real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import publication, vectorizing
from assistant.pipeline import Assistant
from assistant.records import Embedded
from assistant.settings import Settings
from tests.fakes import document

WORDS = np.array(
    [a + b + c + d for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst" for d in "aeiou"]
)
PER_DOCUMENT = 10  # passages
SENTENCES = 4  # of a passage
CLUSTERS = 500
SEARCHES = 200


def sentence(rng: np.random.Generator, length: int = 14) -> str:
    ranks = np.minimum(rng.zipf(1.3, length), len(WORDS)) - 1
    return " ".join(WORDS[ranks]).capitalize() + "."


def near(centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    vectors = centres + 0.6 * rng.normal(size=centres.shape) / np.sqrt(centres.shape[1])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def fill(assistant: Assistant, count: int) -> None:
    """Puts ``count`` passages into the library and publishes them."""
    rng = np.random.default_rng(0)
    library, embedder = assistant._library, assistant._embedder
    spec = vectorizing.spec_of(embedder, assistant.settings)
    for start in range(0, count, 1000):
        entries = []
        for number in range(start, min(start + 1000, count), PER_DOCUMENT):
            lines = (" ".join(sentence(rng) for _ in range(SENTENCES)) for _ in range(PER_DOCUMENT))
            source = document("\n\n".join(lines), uri=f"/{number}", title=sentence(rng, 5))
            passages = vectorizing.passages_of(source, embedder, assistant.settings)
            entries.append((source, passages[:PER_DOCUMENT]))
        library.add(entries, spec)
    centres = near(np.zeros((CLUSTERS, embedder.dimension)), rng)
    after = 0
    while window := library.unembedded(spec, after, 2000):
        after = window[-1].key
        chosen = centres[rng.integers(CLUSTERS, size=len(window))]
        vectors = near(chosen, rng)
        parts = [near(np.repeat(vector[None], SENTENCES, 0), rng) for vector in vectors]
        made = [Embedded(vector, rows) for vector, rows in zip(vectors, parts, strict=True)]
        library.put_vectors([waiting.name for waiting in window], made)
    publication.complete(library, spec)
    with assistant._generations.changing:
        assistant._generations.publish(spec)


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return float(p50), float(p95)


def stages(assistant: Assistant, question: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """The parts of one search, each to be timed by itself."""
    embedder, library = assistant._embedder, assistant._library
    vector = embedder.query(question)
    yield "embed the question", lambda: embedder.query(question)
    yield "search, all of it", lambda: assistant.search(question)
    with assistant._generations.lease() as index:
        keys, _ = index.dense(vector, 100)
        rows = index.rows(keys)
        yield "- candidates by meaning", lambda: index.dense(vector, 100)
        yield "- candidates by words", lambda: index.lexical(question, 300)
        yield "- cosines of sentences", lambda: index.sentence_cosines(vector, rows)
        yield "- passages to show", lambda: library.passages(keys[:8].tolist())
        yield (
            "- settings checked",
            lambda: library.check_spec(vectorizing.spec_of(embedder, assistant.settings)),
        )


@pytest.mark.parametrize(("count", "most"), [(10_000, 2.0), (100_000, 3.0)])
@pytest.mark.timeout(7200)
def test_a_search_against_the_bare_embedding_of_its_question(
    count: int, most: float, tmp_path: Path
) -> None:
    settings = Settings(library={"data": tmp_path / "data"}, models={"threads": 1})
    rng = np.random.default_rng(1)
    with Assistant.from_settings(settings) as assistant:
        started = time.perf_counter()
        fill(assistant, count)
        print(f"\n{count:,} passages, made in {time.perf_counter() - started:.0f} s")
        times: dict[str, list[float]] = {}
        for _ in range(SEARCHES):  # all stages in turn: what else the machine does hits all alike
            for name, run in stages(assistant, sentence(rng, 12)):
                started = time.perf_counter()
                run()
                times.setdefault(name, []).append(time.perf_counter() - started)
    for name, seconds in times.items():
        p50, p95 = percentiles(seconds)
        print(f"{name:26} {p50:7.2f} ms p50 {p95:7.2f} ms p95")
    bare, whole = (percentiles(times[n])[0] for n in ("embed the question", "search, all of it"))
    print(f"{'ratio':26} {whole / bare:7.2f} of {most} at most")
    assert whole / bare <= most
