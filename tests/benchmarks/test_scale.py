"""Large collections: what a passage costs in one of a million, and what memory it takes.

``pytest tests/benchmarks/test_scale.py -s``. ASSISTANT_TEST_PASSAGES are the sizes of libraries to
compare, "10000 100000" unless it says otherwise; a million takes an hour or more.
ASSISTANT_TEST_CHART names the SVG file that is drawn of them. ASSISTANT_TEST_FILES is how many
files are followed and taken in, ASSISTANT_TEST_MEGABYTES how large the one text is. Costs are
processor time, of every process together, so that what else the machine does hardly counts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pytest

from assistant import models
from assistant.embedding import Embedder
from assistant.errors import AssistantError
from assistant.pipeline import Assistant
from assistant.records import Embedded
from assistant.segmenting import Span, sentences
from assistant.settings import Settings
from assistant.types import Progress
from tests.benchmarks.test_speed import CLUSTERS, SCIFACT, fill, near, percentiles

SAMPLE = Path(__file__).parents[2] / "corpus" / "documents"
SIZES = [int(n) for n in os.environ.pop("ASSISTANT_TEST_PASSAGES", "10000 100000").split()]
CHART = os.environ.pop("ASSISTANT_TEST_CHART", "")
UNCHANGED, FILES = (
    int(os.environ.get("ASSISTANT_TEST_FILES", number)) for number in (5183, 20_000)
)
os.environ.pop("ASSISTANT_TEST_FILES", None)
MEGABYTES = int(os.environ.pop("ASSISTANT_TEST_MEGABYTES", "100"))
PUBLISHED = int(os.environ.pop("ASSISTANT_TEST_PUBLISHED", "100000"))
LINES = 100  # passages of a document
LENGTHS = 8, 12  # words of a passage, from and below
READ = 256  # passages that are really embedded, to know what it costs
SEARCHES = 100
FLAT = 1.5  # times as much a passage may cost in the largest library as in the smallest
_TICK = os.sysconf("SC_CLK_TCK")

_SYLLABLES = ("bdfgklmnprst", "aeiou", "lmnrst", "aeiou", "bdfgklmnprstvz")
WORDS = np.array(["".join(letters) for letters in product(*_SYLLABLES)])
_SHARES = np.cumsum(1 / (np.arange(len(WORDS)) + 50))  # Zipf's law, past the commonest words
np.random.default_rng(3).shuffle(WORDS)


def line(rng: np.random.Generator, length: int) -> str:
    """A sentence of made-up words, some of them frequent."""
    ranks = np.searchsorted(_SHARES, rng.random(length) * _SHARES[-1])
    return " ".join(WORDS[ranks]).capitalize() + "."


def written(folder: Path, count: int) -> Path:
    """A folder of documents that make ``count`` passages, a hundred in each."""
    rng = np.random.default_rng(count)
    for number in range(count // LINES):
        below = folder / f"{number // 1000:03}"
        below.mkdir(parents=True, exist_ok=True)
        lines = (line(rng, int(rng.integers(*LENGTHS))) for _ in range(LINES))
        (below / f"{number:06}.txt").write_text("\n\n".join(lines), encoding="utf-8")
    return folder


def family() -> list[int]:
    """This process and all below it."""
    found = [os.getpid()]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def worked() -> float:
    """Seconds of processor time that this process and all below it have used so far."""
    ticks = 0
    for pid in family():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # its own, and those of children that have ended
    return ticks / _TICK


class Unread(Embedder):
    """The bundled engine, int8, that reads only the first documents; other vectors are made up.

    To read a passage costs the same whatever the others are, and for a million it is an hour.
    """

    def __init__(self) -> None:
        self._engine = models.build_embedder(Settings(models={"precision": "int8", "threads": 1}))
        self.identity, self.dimension = self._engine.identity, self._engine.dimension
        self.max_tokens = self._engine.max_tokens
        self._random = np.random.default_rng(0)
        self._centres = near(np.zeros((CLUSTERS, self.dimension)), self._random)
        self.read, self.reading = 0, 0.0  # passages, and seconds of processor time for them

    def documents(self, texts: Sequence[str]) -> np.ndarray:
        return near(self._centres[self._random.integers(CLUSTERS, size=len(texts))], self._random)

    def passages(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[Embedded]:
        if self.read < READ:
            started = time.thread_time()
            made = self._engine.passages(texts, sentences)
            self.reading += time.thread_time() - started
            self.read += len(texts)
            return made
        return [Embedded(vector, vector[None]) for vector in self.documents(texts)]

    def query(self, text: str) -> np.ndarray:
        return self._engine.query(text)

    def tokens(self, text: str) -> list[Span]:
        return self._engine.tokens(text)


class Cost(NamedTuple):
    """What a passage costs in a library of so many: microseconds of processor time."""

    passages: int
    embed: float
    store: float  # find, read, cut and keep it
    publish: float
    search: float  # of one search, milliseconds
    waited: float  # the same by the clock, p50
    disk: float  # bytes

    @property
    def all(self) -> float:
        return self.embed + self.store + self.publish


def measured(place: Path, count: int) -> Cost:
    docs = written(place / "docs", count)
    settings = Settings(library={"data": place / "data"}, chunking={"size": 32})
    at: dict[str, float] = {}

    def tell(progress: Progress) -> None:
        at.setdefault(progress.stage, worked())
        if progress.done % 50_000 == 0 or (progress.stage == "load" and progress.done % 1000 == 0):
            print(f"  {progress.stage} {progress.done:,}: {time.strftime('%H:%M:%S')}", flush=True)

    assistant = Assistant.from_settings(settings)
    assistant._loaded = embedder = Unread()
    with assistant:
        started = worked()
        report = assistant.index([docs], tell)
        ended = worked()
        assert not report.failed
    with Assistant.from_settings(settings) as assistant:
        assistant._loaded = embedder_again = Unread()
        assert embedder_again.identity == embedder.identity
        next(searches := searched(assistant))  # it opens the index
        began = worked()
        p50, _ = percentiles(list(searches))
        searching = worked() - began
    each = 1e6 / report.passages
    disk = sum(path.stat().st_size for path in (place / "data").rglob("*") if path.is_file())
    return Cost(
        report.passages,
        1e6 * embedder.reading / embedder.read,
        each * (at["publish"] - started - embedder.reading),
        each * (ended - at["publish"]),
        1e3 * searching / SEARCHES,
        p50,
        disk / report.passages,
    )


class Memory:
    """The most that this process and all below it hold at once while the block runs, in MB.

    What they share counts once (PSS), and pages of files that are only mapped not at all: the
    system takes them back.
    """

    peak = 0.0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            self.peak = max(self.peak, sum(map(self._held, family())) / 2**10)

    def _held(self, pid: int) -> int:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            return 0
        found = dict(re.findall(r"(\w+): +(\d+) kB", text))
        return int(found["Pss_Anon"]) + int(found["Pss_Shmem"])


def searched(assistant: Assistant) -> Iterator[float]:
    """Seconds that each search took."""
    rng = np.random.default_rng(1)
    for _ in range(SEARCHES + 1):
        question = line(rng, 12)
        started = time.perf_counter()
        found = assistant.search(question)
        yield time.perf_counter() - started
        assert found


@pytest.mark.timeout(0)
def test_a_passage_costs_the_same_in_every_library(tmp_path: Path) -> None:
    measured(tmp_path / "warm", 1000)
    costs = []
    for count in SIZES:
        costs.append(cost := measured(tmp_path / str(count), count))
        shutil.rmtree(tmp_path / str(count))
        print(f"{cost.passages:9,} passages, each {cost.all:.0f} µs: {cost.embed:.0f} to embed,")
        print(f"{'':9} {cost.store:.0f} to store, {cost.publish:.0f} to publish;")
        print(f"{'':9} {cost.disk:.0f} bytes of disk each; a search {cost.search:.1f} ms,")
        print(f"{'':9} by the clock {cost.waited:.1f} ms p50", flush=True)
    ratio = costs[-1].all / costs[0].all
    print(f"in the largest library {ratio:.2f} times what it costs in the smallest")
    if CHART:
        Path(CHART).write_text(chart(costs), encoding="utf-8")
    assert ratio <= FLAT


@pytest.mark.skipif(not SCIFACT.is_dir(), reason="the shared benchmarks are not here")
@pytest.mark.timeout(0)
def test_a_sync_of_unchanged_files_against_their_first_indexing(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    names: set[str] = set()
    for row in (SCIFACT / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(row)
        if len(names) == UNCHANGED:
            break
        names.add(entry["id"])
        text = f"{entry['title']}\n\n{entry['text']}"
        (docs / f"{entry['id']}.txt").write_text(text, encoding="utf-8")
    with Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant:
        started = worked()
        added = assistant.sync(assistant.plan_sync([docs]))
        first = worked() - started
    with Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant:
        started = worked()
        again = assistant.sync(assistant.plan_sync([docs]))
        second = worked() - started
        assert again.documents == added.documents == UNCHANGED
    print(f"\n{UNCHANGED:,} files {first:.1f} s, then {second:.2f} s: {first / second:.0f} times")
    assert first / second >= 200


@pytest.mark.timeout(0)
def test_the_memory_that_many_files_take(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    rng = np.random.default_rng(5)
    for number in range(FILES):
        text = " ".join(line(rng, 12) for _ in range(12))
        (docs / f"{number}.txt").write_text(text, encoding="utf-8")
    assert taken_in(tmp_path, docs, f"{FILES:,} files") < 1536


@pytest.mark.timeout(0)
def test_the_memory_that_one_long_text_takes(tmp_path: Path) -> None:
    """As large as library.max_file_mb lets it be, of the sample's sentences in other orders."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SAMPLE.glob("*.md"))]
    told = [text[slice(*span)] for text in texts for span in sentences(text, "en")]
    rng = np.random.default_rng(6)
    path = tmp_path / "long.txt"
    left = MEGABYTES * 2**20
    with path.open("wb") as file:
        while left:
            paragraph = " ".join(told[at] for at in rng.integers(len(told), size=12))
            left -= file.write(f"{paragraph}\n\n".encode()[:left])
    assert taken_in(tmp_path, path, f"a text of {MEGABYTES} MB") < 1024


def taken_in(tmp_path: Path, path: Path, what: str) -> float:
    """The megabytes that indexing it takes."""
    stages: dict[str, float] = {}

    with Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant:
        assistant._loaded = Unread()
        with Memory() as memory:

            def tell(progress: Progress) -> None:
                stages[progress.stage] = memory.peak

            report = assistant.index([path], tell)
    print(f"\n{what}, {report.passages:,} passages: {memory.peak:.0f} MB", stages, report.failed)
    assert not report.failed
    return memory.peak


@pytest.mark.timeout(0)
def test_publishing_without_embedding(tmp_path: Path) -> None:
    settings = Settings(library={"data": tmp_path / "data"}, models={"threads": 1})
    refused: list[str] = []
    waits: list[float] = []
    with Assistant.from_settings(settings) as assistant:
        fill(assistant, PUBLISHED)
        done = threading.Event()

        def read() -> None:
            rng = np.random.default_rng(4)
            while not done.is_set():
                started = time.perf_counter()
                try:
                    assert assistant.search(line(rng, 12))
                except (AssistantError, AssertionError) as error:
                    refused.append(str(error))
                waits.append(time.perf_counter() - started)
                done.wait(0.5)

        reader = threading.Thread(target=read)
        reader.start()
        before, started = worked(), time.perf_counter()
        assistant.rebuild()
        spent, seconds = worked() - before, time.perf_counter() - started
        done.set()
        reader.join()
    print(
        f"\n{PUBLISHED:,} passages published in {seconds:.0f} s, {spent:.0f} s of processor time;"
    )
    print(
        f"{len(waits)} searches meanwhile, the longest {max(waits):.2f} s, {len(refused)} refused"
    )
    assert not refused
    assert seconds <= 60


def chart(costs: Sequence[Cost]) -> str:
    """Bars of what a passage costs, one for each size, as SVG."""
    kinds = {"embed": "#8aa9c9", "store": "#c9b88a", "publish": "#9bbf9b"}
    width, high, step, left = 560, 150, 150, 20
    scale = high / max(cost.all for cost in costs)
    size = f'width="{width}" height="{high + 70}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (kind, colour) in enumerate(kinds.items()):
        y = 20 + 18 * number
        parts.append(f'<rect x="{width - 90}" y="{y}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{width - 72}" y="{y + 11}">{kind}</text>')
    for number, cost in enumerate(costs):
        x, top = left + number * step, high + 20.0
        for kind, colour in kinds.items():
            tall = scale * getattr(cost, kind)
            top -= tall
            parts.append(
                f'<rect x="{x}" y="{top:.1f}" width="90" height="{tall:.1f}" fill="{colour}"/>'
            )
        parts.append(f'<text x="{x}" y="{top - 5:.1f}">{cost.all / 1000:.2f} ms</text>')
        parts.append(f'<text x="{x}" y="{high + 38}">{cost.passages:,} passages</text>')
        parts.append(f'<text x="{x}" y="{high + 54}">search {cost.search:.0f} ms</text>')
    return "\n".join([*parts, "</svg>\n"])
