"""pool.py, worker.py, confining.py: T15, R04, R36: what a parser can do costs its process alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import pool, worker
from assistant.loading import Held, Loaded, content_digest, document_id
from assistant.pool import Pool
from assistant.types import Document, Failure

WORDS = b"The council met on Monday in the large hall and nobody left before midnight."

# What stands for a parser with a fault: the first word of the text says which.
FAULTY = """
import ctypes, os, pathlib, signal, socket, subprocess, sys, time
from assistant import loading, worker
whole = loading.PARSERS["text/plain"]
def parse(content, uri):
    match content.split()[0].decode():
        case "SEGV": ctypes.string_at(0)
        case "EXIT": os._exit(7)
        case "BUG": raise ZeroDivisionError
        case "SPIN":
            while True: pass
        case "SLEEP": time.sleep(600)
        case "ALLOCATE": bytearray(8 * 2**30)
        case "NEED": len(b"x" * (600 * 2**20))
        case "NOISE": os.write(1, b"x" * 100)
        case "FORGE": os.write(3, b"x" * 10_000)
        case "TRY": return whole(tried(content.split()[1].decode()), uri)
    return whole(content, uri)
def tried(what):
    try:
        ACTIONS[what]()
    except OSError as error:
        return f"refused {error.errno}".encode()
    return b"it did"
libc = ctypes.CDLL(None, use_errno=True)
def checked(value):
    if value < 0: raise OSError(ctypes.get_errno(), "refused")
ACTIONS = {
    "socket": lambda: socket.create_connection(("127.0.0.1", 9)),
    "lookup": lambda: socket.getaddrinfo("localhost", 80),
    "program": lambda: subprocess.run(["true"]),
    "write": lambda: open(PLACE + "/new", "w"),
    "remove": lambda: os.remove(PLACE + "/kept"),
    "c-socket": lambda: checked(libc.socket(2, 1, 0)),
    "c-write": lambda: checked(libc.open((PLACE + "/new").encode(), 0o102, 0o600)),
    "c-truncate": lambda: checked(libc.open((PLACE + "/kept").encode(), 0o1000 | 1)),
    "c-remove": lambda: checked(libc.unlink((PLACE + "/kept").encode())),
    "c-program": lambda: checked(libc.execve(b"/bin/true", None, None)),
    "c-kill": lambda: checked(libc.kill(os.getppid(), 0)),
}
loading.PARSERS["text/plain"] = parse
worker.main(SECONDS, 1024)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    (folder / "kept").write_text("kept")
    return folder


@pytest.fixture(scope="module")
def faulty(place: Path) -> Iterator[Pool]:
    """A pool whose parser of plain text does what it is told."""
    spawn = subprocess.Popen

    def instead(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        code = f"SECONDS = 1; PLACE = {str(place)!r}\n{FAULTY}"
        return spawn([sys.executable, "-B", "-c", code], **options)

    class FaultyPool(Pool):
        def _take(self) -> Any:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(subprocess, "Popen", instead)
                return super()._take()

    made = FaultyPool(1, 1024)
    yield made
    made.close()


def load(made: Pool, content: bytes, name: str = "a.txt") -> list[Loaded]:
    return list(made.load(Path(name), content=content, uri=f"/papers/{name}"))


def one(made: Pool, content: bytes) -> str:
    """The reason of a failure, or the text of a document."""
    (loaded,) = load(made, content)
    if isinstance(loaded, Failure):
        assert loaded.uri == "/papers/a.txt"
        assert loaded.hint
        assert "/papers/a.txt" in loaded.message
        return loaded.reason
    assert isinstance(loaded, Document)
    return loaded.text


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("SEGV", "crashed"),
        ("BUG", "crashed"),
        ("FORGE", "crashed"),
        ("SPIN", "timed_out"),
        ("SLEEP", "timed_out"),
        ("ALLOCATE", "too_large"),
    ],
)
def test_t15_a_fault_is_a_failure_with_a_reason(faulty: Pool, fault: str, reason: str) -> None:
    assert one(faulty, fault.encode()) == reason


def test_what_a_parser_prints_is_no_reply(faulty: Pool) -> None:
    assert one(faulty, b"NOISE " + WORDS) == "NOISE " + WORDS.decode()


def test_a_process_that_needed_much_memory_is_not_kept(faulty: Pool) -> None:
    assert one(faulty, WORDS) == WORDS.decode()
    kept = len(faulty._idle)
    assert kept
    assert one(faulty, b"NEED " + WORDS) == "NEED " + WORDS.decode()
    assert len(faulty._idle) == kept - 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Python code alone is refused")
@pytest.mark.parametrize(
    "action",
    [
        *("socket", "lookup", "program", "write", "remove"),
        *("c-socket", "c-write", "c-truncate", "c-remove", "c-program", "c-kill"),
    ],
)
def test_t11_t14_a_parser_can_neither_reach_out_nor_write(
    faulty: Pool, action: str, place: Path
) -> None:
    assert one(faulty, f"TRY {action}".encode()) == "refused 1"
    assert [path.name for path in place.iterdir()] == ["kept"]
    assert (place / "kept").read_text() == "kept"


def test_r36_a_member_that_kills_its_process_is_named_and_the_others_are_read(
    faulty: Pool,
) -> None:
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("1.txt", "2.txt", "3.txt", "4.txt", "5.txt"):
            archive.writestr(name, {"2": b"EXIT", "4": b"SPIN"}.get(name[0], WORDS))
    outcomes = load(faulty, packed.getvalue(), "a.zip")
    found = [f.reason if isinstance(f, Failure) else "read" for f in outcomes]
    assert found == ["read", "crashed", "read", "timed_out", "read"]
    assert [f.uri for f in outcomes] == [f"/papers/a.zip!/{n}.txt" for n in range(1, 6)]


def test_a_warm_process_is_used_again_and_one_that_ended_is_not() -> None:
    made = Pool(60, 2048)
    ids = set()
    try:
        for _ in range(3):
            assert one(made, WORDS)
            (process,) = made._idle
            ids.add(process._popen.pid)
        assert len(ids) == 1
        process._popen.kill()  # as it does itself after a minute without work
        assert one(made, WORDS)
        (process,) = made._idle
        assert process._popen.pid not in ids
    finally:
        made.close()


def test_the_memory_of_who_starts_a_process_is_not_its_own() -> None:
    held = b"x" * (700 * 2**20)  # more than a process may keep
    made = Pool(60, 2048)
    try:
        assert one(made, WORDS)
        assert len(made._idle) == 1
    finally:
        made.close()
        del held


def test_known_members_are_not_read_again() -> None:
    made = Pool(60, 2048)
    lines = [json.dumps({"id": n, "text": f"{WORDS.decode()} {n}"}).encode() for n in range(3)]
    known = document_id("/a.jsonl!/1", content_digest(lines[1]))
    try:
        outcomes = list(
            made.load(
                Path("a.jsonl"),
                content=b"\n".join(lines),
                uri="/a.jsonl",
                known=frozenset({known}),
            )
        )
    finally:
        made.close()
    assert [type(outcome) for outcome in outcomes] == [Document, Held, Document]
    assert [outcome.uri for outcome in outcomes] == [f"/a.jsonl!/{n}" for n in range(3)]


def test_threads_do_not_get_each_others_documents() -> None:
    made = Pool(60, 2048)
    wrong = []

    def ask(n: int) -> None:
        for m in range(20):
            text = f"Council {n} met on day {m} and nobody left."
            if one(made, text.encode()) != text:
                wrong.append(text)

    try:
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        made.close()
    assert not wrong


def test_a_reader_that_stops_in_the_middle_leaves_no_process() -> None:
    made = Pool(60, 2048)
    lines = b"\n".join(b'{"text": "%s"}' % WORDS for _ in range(500))
    found = made.load(Path("a.jsonl"), content=lines, uri="/a.jsonl")
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert made._idle == []


def test_a_process_knows_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "CANARY")
    made = pool._Process(Pool(60, 2048))
    try:
        environment = Path(f"/proc/{made._popen.pid}/environ")
        if environment.exists():
            deadline = time.monotonic() + 5
            while not (content := environment.read_bytes()) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert b"CANARY" not in content
    finally:
        made.end()


def test_frames_come_back_as_they_were_sent() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(theirs, "wb") as out, os.fdopen(ours, "rb") as back:
        worker.write_frame(out, {"kind": "document", "title": "Türkiye\n"}, b"\0bytes")
        worker.write_frame(out, {}, b"")
        out.write(b"half")
        out.close()
        assert worker.read_frame(back) == ({"kind": "document", "title": "Türkiye\n"}, b"\0bytes")
        assert worker.read_frame(back) == ({}, b"")
        with pytest.raises(EOFError):
            worker.read_frame(back)
