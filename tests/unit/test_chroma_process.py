from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import arrays, chroma_process, dense, health, index
from assistant.chroma_process import ChromaProcess
from assistant.errors import LibraryError
from assistant.records import IndexRow
from tests.fakes import FakeEmbedder, chunks, document

EMBEDDER = FakeEmbedder()


def made(count: int) -> list[IndexRow]:
    rows = []
    for number in range(count):
        source = document(f"Line {number} says {number % 7} things of {number % 11}.", uri="/a")
        (chunk,) = chunks(source)
        vector = EMBEDDER.query(source.text).astype("<f4").tobytes()
        rows.append(
            IndexRow(number + 1, source.model_copy(update={"text": ""}), chunk.passage, vector)
        )
    return rows


ROWS = made(40)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_BATCH", 3)
    monkeypatch.setattr(chroma_process, "_PART", 7)


@pytest.mark.usefixtures("small_parts")
def test_an_index_filled_by_parts_is_whole(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with ChromaProcess() as process:
        index.build(tmp_path / "i", ROWS, len(ROWS), 32, process, lambda *at: seen.append(at))
        assert process.examine(tmp_path / "i", thorough=True) == []
    assert seen == sorted(seen)
    assert seen[-1] == (40, 40)
    assert len(seen) > 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it looks for a call")
def test_it_is_killed_with_who_started_it(tmp_path: Path) -> None:
    """Else it would go on writing into what the next start clears away."""
    code = (
        "import time; from pathlib import Path\n"
        "from assistant.chroma_process import ChromaProcess\n"
        "p = ChromaProcess(); p.begin(Path('.')); p._catch_up(0)\n"
        "print(p._process.pid, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert child.stdout
    pid = int(child.stdout.readline())
    assert is_running(pid)
    os.kill(pid, signal.SIGSTOP)  # as if it were at work: it does not see that its calls end
    child.kill()
    child.communicate()
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    lives_on = is_running(pid)
    if lives_on:
        os.kill(pid, signal.SIGKILL)
    assert not lives_on


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def process() -> Iterator[ChromaProcess]:
    with ChromaProcess() as process:
        yield process


@pytest.mark.usefixtures("small_parts")
def test_its_end_is_an_error_that_says_how(tmp_path: Path, process: ChromaProcess) -> None:
    def rows() -> Iterator[IndexRow]:
        yield from ROWS[:10]
        process._process.send_signal(signal.SIGKILL)
        yield from ROWS[10:]

    with pytest.raises(LibraryError, match="was not made: its process ends with SIGKILL"):
        index.build(tmp_path / "i", rows(), len(ROWS), 32, process)


def test_what_chroma_raises_comes_out_in_our_words(tmp_path: Path, process: ChromaProcess) -> None:
    (tmp_path / "i").mkdir()
    (tmp_path / "i" / "chroma").write_text("in its way")
    process.begin(tmp_path / "i")
    with pytest.raises(LibraryError, match=r"the search index in .* failed") as caught:
        process.finish()
    assert "rebuild" in caught.value.hint


def test_an_endless_examination_is_given_up(
    tmp_path: Path, process: ChromaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma_process, "_SECONDS", 0.2)
    process._process.send_signal(signal.SIGSTOP)
    assert process.examine(tmp_path) == ["opening it takes more than 0 s"]


def test_what_it_ends_with_is_told(tmp_path: Path, process: ChromaProcess) -> None:
    process._send("no such call")
    (problem,) = process.examine(tmp_path)
    assert problem.startswith("opening it ends with exit code 1: AttributeError")


def test_an_array_is_read_while_it_is_written(tmp_path: Path) -> None:
    with arrays.Writer(tmp_path, 32) as writer:
        writer.add(ROWS[:5])
        assert arrays.part(tmp_path, "keys", 1, 4).tolist() == [2, 3, 4]
        writer.add(ROWS[5:])
        vectors = arrays.part(tmp_path, "vectors", 4, 40)
    assert np.array_equal(vectors, np.load(tmp_path / "vectors.npy")[4:])
    with pytest.raises(ValueError, match="reshape"):
        arrays.part(tmp_path, "vectors", 30, 50)


def test_the_collection_takes_what_one_call_holds(tmp_path: Path) -> None:
    count = chroma_process._PART
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    collection = dense.Collection(tmp_path / "chroma", create=True)
    collection.add(range(1, count + 1), vectors)
    assert collection.count() == count
    collection.close()
    assert list(health._check_chroma_files(tmp_path / "chroma")) == []
