"""Child processes to be killed, starved and refused, forked from one process that stays clean.

``python -m tests.children`` reads orders from stdin, a JSON object a line: ``{"start": verb, ...}``
forks a child and answers with its pid; ``{"wait": pid}`` answers how it ended (negative for a
signal). A fork has everything imported already, so that a child costs no start of Python.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from assistant import backup as carrying
from assistant import generations, ingestion, pool, syncing, vectorizing
from assistant.errors import AssistantError
from assistant.failing import failures
from assistant.generations import Generations
from assistant.integrity import verify
from assistant.languages import detect
from assistant.library import Library
from assistant.settings import Settings
from assistant.types import Progress
from tests.fakes import ChromaHere, FakeEmbedder, ReadHere

ROOT = Path(__file__).parents[1]
SETTINGS = Settings(chunking={"size": 32})
NOBODY = 65534
Outcome = dict[str, Any]


class Children:
    """Starts children and learns how they ended."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._number = 0
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.children"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._server.communicate()

    def start(self, verb: str, data: Path, **arguments: Any) -> Child:
        self._number += 1
        out = self._place / f"{self._number}.json"
        pid = self._order({"start": verb, "data": str(data), "out": str(out), **arguments})
        return Child(pid, out, lambda: self._order({"wait": pid}))

    def run(self, verb: str, data: Path, **arguments: Any) -> Outcome:
        """What the verb returns, or the ``error``, ``message`` and ``hint`` that it raised."""
        child = self.start(verb, data, **arguments)
        assert (code := child.wait()) == 0, (
            f"{verb} {arguments} ended with {code}: {child.outcome() if code > 0 else ''}"
        )
        return child.outcome()

    def _order(self, order: Outcome) -> int:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


class Child:
    """One that was started; it must be waited for once."""

    def __init__(self, pid: int, out: Path, wait: Callable[[], int]) -> None:
        self.pid, self._out, self.wait = pid, out, wait

    def kill_after(self, seconds: float) -> bool:
        """Whether SIGKILL came before its end."""
        time.sleep(seconds)
        os.kill(self.pid, signal.SIGKILL)  # not yet waited for, so the pid is still its own
        return self.wait() == -signal.SIGKILL

    def outcome(self) -> Outcome:
        """What it returned or raised."""
        found: Outcome = json.loads(self._out.read_text())
        return found

    def said(self) -> list[list[Any]]:
        """What it had told before it ended: lists of a stage and how many were done."""
        path = self._out.with_suffix(".said")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# -- in the child ------------------------------------------------------------------------------


Say = Callable[..., None]


def index(data: Path, say: Say, docs: str, delay: float = 0.0) -> Outcome:
    embedder = FakeEmbedder(delay=delay)
    with opened(data) as (library, generations):
        report = ingestion.ingest(
            library, generations, embedder, SETTINGS, [Path(docs)], telling(say)
        )
    return {"embedded": len(embedder.embedded), **report.model_dump(mode="json")}


def sync(data: Path, say: Say, docs: str, delay: float = 0.0) -> Outcome:
    embedder = FakeEmbedder(delay=delay)
    with opened(data) as (library, generations):
        planned = syncing.plan(library, SETTINGS, [Path(docs)])
        report = syncing.apply(
            planned, library, generations, embedder, SETTINGS, telling(say), mass_delete=True
        )
    return {"embedded": len(embedder.embedded), **report.model_dump(mode="json")}


def rebuild(data: Path, say: Say, model: str = "", delay: float = 0.0) -> Outcome:
    """A new index; with a model, passages and vectors of its own too."""
    embedder = FakeEmbedder(model, delay=delay) if model else None
    with opened(data) as (library, generations):
        report = ingestion.rebuild(library, generations, embedder, SETTINGS, telling(say))
    embedded = len(embedder.embedded) if embedder else 0
    return {"embedded": embedded, **report.model_dump(mode="json")}


def backup(data: Path, say: Say, file: str) -> Outcome:
    carrying.backup(data, Path(file))
    return {}


def restore(data: Path, say: Say, file: str) -> Outcome:
    carrying.restore(Path(file), data)
    with opened(data) as (library, generations):
        return ingestion.rebuild(library, generations, None, SETTINGS).model_dump(mode="json")


def telling(say: Say) -> Callable[[Progress], None]:
    return lambda progress: say(progress.stage, progress.done)


def remove(data: Path, say: Say, names: list[str]) -> Outcome:
    with opened(data) as (library, generations):
        return ingestion.remove(library, generations, names).model_dump(mode="json")


def ask(data: Path, say: Say, queries: list[str], k: int = 5) -> Outcome:
    """What is listed, and what is found and read for each query, by words and by meaning."""
    warnings: list[str] = []
    with opened(data, warnings) as (library, generations):
        library.check_spec(vectorizing.spec_of(FakeEmbedder(), SETTINGS))
        found = [answers(library, generations, query, k) for query in queries]
        failed = [failure.model_dump() for failure in failures(library)]
        listed = listing(library)
        return {"listed": listed, "failed": failed, "found": found, "warnings": warnings}


def check(data: Path, say: Say) -> Outcome:
    with opened(data) as (library, generations):
        return {"problems": verify(library, generations).problems}


def dump(data: Path, say: Say) -> Outcome:
    """All that the library holds, but for which index is searched."""
    with Library.open(data) as library, library.reading() as connection:
        rows = [line for line in connection.iterdump() if line.startswith("INSERT")]
        lines = [row for row in rows if "'generation'" not in row]
    return {"digest": hashlib.sha256("\n".join(lines).encode()).hexdigest(), "lines": len(lines)}


def hold(data: Path, say: Say) -> Outcome:
    """Owns the data directory until killed."""
    with Library.open(data):
        say("open")
        time.sleep(60)
    return {}


def answers(library: Library, generations: Generations, query: str, k: int) -> list[Any]:
    with generations.lease() as index:
        words, bm25 = index.lexical(query, k)
        meanings, cosines = index.dense(FakeEmbedder().query(query), k)
        scores = [round(float(score), 4) for score in (*bm25, *cosines)]
        pairs = library.passages([*words.tolist(), *meanings.tolist()])
    return [
        [Path(document.uri).name, passage.text, library.document(document.id).text, score]
        for (passage, document), score in zip(pairs, scores, strict=True)
    ]


def listing(library: Library) -> list[list[Any]]:
    return [[Path(d.uri).name, d.title, d.version] for d in library.documents()]


@contextmanager
def opened(data: Path, warnings: list[str] | None = None) -> Iterator[tuple[Library, Generations]]:
    with Library.open(data) as library:
        generations = Generations(library, [].append if warnings is None else warnings.append)
        try:
            yield library, generations
        finally:
            generations.close()


def limit(
    fsize: int | None = None,
    nobody: bool = False,
    batch: int = 8,
    chroma_here: bool = True,
    parse_here: bool = True,
    point: str | None = None,
    **rest: Any,
) -> Outcome:
    """Sets the child up for what is to happen to it; gives the arguments that are for its verb."""
    vectorizing.BATCH = batch
    if chroma_here:
        generations.ChromaProcess = ChromaHere  # type: ignore[misc]
    if parse_here:
        pool.shared = ReadHere  # type: ignore[assignment]
    if point:
        die_at(*point.split(" "))
    if fsize is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (fsize, resource.RLIM_INFINITY))
    if nobody:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return rest


def die_at(module: str, name: str, when: str) -> None:
    """Dies by SIGKILL ``before`` or ``after`` a function, or at its n-th SQL statement."""
    owner = importlib.import_module(module.partition(":")[0])
    if ":" in module:
        owner = getattr(owner, module.partition(":")[2])
    function = getattr(owner, name)

    def deadly(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            die()
        if when.isdigit():
            die_at_statement(arguments[0], int(when))
        result = function(*arguments, **named)
        if when == "after":
            die()
        return result

    setattr(owner, name, deadly)


def die_at_statement(library: Library, number: int) -> None:
    left = [number]

    def count(statement: str) -> None:
        left[0] -= 1
        if not left[0]:
            die()

    with library.reading() as connection:
        connection.set_trace_callback(count)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def live(order: Outcome) -> NoReturn:
    """The whole life of a child."""
    out = Path(order.pop("out"))
    verb = globals()[order.pop("start")]
    told = os.open(out.with_suffix(".said"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    result = os.open(out, os.O_WRONLY | os.O_CREAT)
    code = 0
    try:
        arguments = limit(**order)
        data = Path(arguments.pop("data"))
        outcome = verb(
            data, lambda *line: os.write(told, f"{json.dumps(line)}\n".encode()), **arguments
        )
    except AssistantError as error:
        outcome = {"error": type(error).__name__, "message": str(error), "hint": error.hint}
    except BaseException:  # noqa: BLE001 - told to the parent, which fails
        outcome, code = {"error": traceback.format_exc()}, 99
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    content = memoryview(json.dumps(outcome).encode())
    while content:
        content = content[os.write(result, content) :]
    os._exit(code)


def serve() -> None:
    for module in ("chromadb", "tantivy", "charset_normalizer"):
        importlib.import_module(module)
    detect("This loads what tells languages apart.")
    assert threading.active_count() == 1
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        elif not (answer := os.fork()):
            live(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
