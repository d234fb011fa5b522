"""Warm processes that load documents, each of which can be killed at any moment.

A file that takes too long, needs too much memory or brings down its parser costs its process and
nothing else: it is a Failure, and the next file goes to another process (T15, R04, R36).
"""

from __future__ import annotations

import atexit
import functools
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from assistant.errors import LoadingError
from assistant.loading import Began, Held, Loaded, failure
from assistant.normalizing import one_line
from assistant.types import Document, Failure
from assistant.worker import read_frame, write_frame

_TRIES = 2  # of a document whose process ended; the second shows whether it was the document
_BY_THE_CLOCK = 3  # times the processor time: a busy machine is no reason to give up
_START = 120  # seconds by the clock until it is ready for the first file
_LOOK = 0.1  # seconds between looks at the clock
_PASSED_ON = ("PATH", "SYSTEMROOT", "TESSDATA_PREFIX", "LANG", "LC_ALL")  # no keys, no proxies


class Pool:
    """Loads files in processes of its own; any number of threads may ask at once."""

    def __init__(self, seconds: float, memory_mb: int, *, ocr: bool = False) -> None:
        self.seconds, self.memory_mb, self.ocr = seconds, memory_mb, ocr
        self._idle: list[_Process] = []
        self._lock = threading.Lock()

    def load(
        self,
        path: Path,
        *,
        content: bytes,
        uri: str,
        known: frozenset[str] = frozenset(),
        shunned: frozenset[str] = frozenset(),
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[Loaded]:
        """What ``loading.load_all`` yields, loaded elsewhere; every failure is a Failure.

        A document whose process ends is tried once more. Reasons besides those of LoadingError's
        own: ``timed_out``, ``crashed``, and ``too_large`` for what needs more memory.
        """
        request = {
            "name": path.name.encode("utf-8", "backslashreplace").decode(),
            "uri": uri,
            "known": sorted(known),
            "shunned": sorted(shunned),
            "fields": fields or {},
        }
        skip = tries = 0
        while True:
            process, begun = self._take(), None
            try:
                for loaded in process.load({**request, "skip": skip}, content):
                    if isinstance(loaded, Began):
                        begun = loaded.uri
                        continue
                    yield loaded
                    skip, tries, begun = skip + (begun is not None), 0, None
                self._put(process)
                return
            except _EndedError as ended:
                tries += 1
                if ended.reason == "crashed" and tries < _TRIES:
                    continue
                yield failure(begun or uri, _error(ended, one_line(begun or uri, 300), self))
                if begun is None:
                    return
                skip, tries = skip + 1, 0
            finally:
                process.end_unless_idle()

    def close(self) -> None:
        """Ends the idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _take(self) -> _Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    process.idle = False
                    return process
                process.end()
        return _Process(self)

    def _put(self, process: _Process) -> None:
        if not process.worn:
            with self._lock:
                process.idle = True
                self._idle.append(process)


@functools.cache
def shared(seconds: float, memory_mb: int, *, ocr: bool = False) -> Pool:
    """The pool of this process for these limits; its processes end with it, or when unused."""
    pool = Pool(seconds, memory_mb, ocr=ocr)
    atexit.register(pool.close)
    return pool


class _EndedError(Exception):
    """The process is gone before it had answered."""

    def __init__(self, reason: str, how: str) -> None:
        super().__init__(reason)
        self.reason, self.how = reason, how


class _Process:
    """One process and its pipes."""

    def __init__(self, pool: Pool) -> None:
        self.idle = self.worn = self._late = False
        self._seconds = pool.seconds * _BY_THE_CLOCK
        self._deadline = math.inf
        self._ready = False
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from assistant import worker;"
            f" worker.main({pool.seconds!r}, {pool.memory_mb!r}, {pool.ocr!r})"
        )
        # Isolated: neither the working directory nor the environment decides what is imported.
        self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-I", "-B", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for us; and what it starts ends with it
        )
        # A pipe is there where one was asked for.
        self._requests = cast("BinaryIO", self._popen.stdin)
        self._replies = cast("BinaryIO", self._popen.stdout)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def load(self, request: dict[str, Any], content: bytes) -> Iterator[Loaded | Began]:
        """The replies to one request. Raises _EndedError when the process is gone before the last.

        The clock runs while it is waited for, anew for each reply.
        """
        try:
            if not self._ready:
                self._next(_START)
                self._ready = True
            self._deadline = time.monotonic() + self._seconds
            write_frame(self._requests, request, content)
            self._requests.flush()
            while True:
                head, body = self._next(self._seconds)
                match head["kind"]:
                    case "end":
                        self.worn = head["worn"]
                        return
                    case "starved":
                        raise _EndedError("too_large", "")
                loaded = _loaded(head, body)
                del head, body  # it may be long before the next is asked for
                yield loaded
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise self._ended() from None
        except (ValueError, KeyError, TypeError):  # it was turned against us: a reply of no shape
            raise _EndedError("crashed", "made no sense") from None
        finally:
            self._deadline = math.inf

    def _next(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        self._deadline = time.monotonic() + seconds
        frame = read_frame(self._replies)
        self._deadline = math.inf
        return frame

    def _ended(self) -> _EndedError:
        code = self._popen.wait()
        if self._late or (os.name == "posix" and code == -signal.SIGXCPU):
            return _EndedError("timed_out", "")
        signals = {-number: number.name for number in signal.Signals}
        return _EndedError("crashed", f"ended with {signals.get(code, f'exit code {code}')}")

    def _watch(self) -> None:
        while self._popen.poll() is None:
            if time.monotonic() > self._deadline:
                self._late = True
                self._kill()
            time.sleep(_LOOK)

    def _kill(self) -> None:
        if os.name == "posix":
            try:
                os.killpg(self._popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
        else:
            self._popen.kill()

    def end_unless_idle(self) -> None:
        if not self.idle:
            self.end()

    def end(self) -> None:
        """Kills it, if it is still there, and closes its pipes."""
        if self.is_alive:
            self._kill()
        self._popen.wait()
        for pipe in (self._requests, self._replies):
            try:
                pipe.close()
            except BrokenPipeError:  # what it did not read
                continue


def _loaded(head: dict[str, Any], body: bytes) -> Loaded | Began:
    match head["kind"]:
        case "document":
            facts = {**head["facts"], "text": body.decode()}
            return Document.model_validate(facts, strict=False)
        case "failure":
            return Failure.model_validate(head["facts"])
        case "held":
            return Held(head["uri"])
        case _:
            return Began(head["uri"])


def _error(ended: _EndedError, uri: str, pool: Pool) -> LoadingError:
    match ended.reason:
        case "timed_out":
            return LoadingError(
                "timed_out",
                f"{uri} was not read within {pool.seconds:g} seconds of work",
                "split or simplify it, or raise library.parse_seconds",
            )
        case "too_large":
            return LoadingError(
                "too_large",
                f"{uri} needs more than {pool.memory_mb} MB of memory",
                "split it, or raise library.parse_memory_mb",
            )
    return LoadingError(
        "crashed",
        f"{uri} brought down the process that read it: it {ended.how}",
        "save it again, or in another format",
    )
