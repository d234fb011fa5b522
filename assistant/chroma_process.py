"""The process in which Chroma fills an index, and in which a finished one is examined.

It is another process because Chroma holds the interpreter's lock while it works, for seconds at a
time, and because a damaged HNSW file can end whoever opens it. ``python -m
assistant.chroma_process`` reads one call from each line of stdin, [name, argument...] in JSON, and
answers with a line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Self

from assistant import arrays, dense, health, index
from assistant.errors import LibraryError

_PART = 2500  # passages that one call takes in; Chroma makes lists of their vectors, 24 kB each
_AHEAD = 2  # calls that wait while it works on one
_SECONDS = 300  # for a quick examination, and one more
_PER_SECOND = 1000  # for so many passages; a thorough one takes what it takes
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


class _EndedError(Exception):
    """The process is gone before it had answered; ``str`` says how."""


class ChromaProcess:
    """The process, while it is entered; it gets ready (a second) beside what its caller does."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed on leaving
        self._process = subprocess.Popen(
            # -P: no module of the working directory may pose as one of ours.
            [sys.executable, "-P", "-m", "assistant.chroma_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for us
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def begin(self, directory: Path) -> None:
        """Makes Chroma's collection of the generation that is being written in ``directory``."""
        self._directory = directory
        self._send("begin", str(directory))
        self._waiting = 1  # answers that are still to come
        self._called = self._written = self._filled = 0  # rows

    def fill(self, rows: int) -> int:
        """Has it take in what the arrays of the generation hold by now: so many ``rows``.

        Returns how many it has taken in already; waits only when it is far behind. Raises
        LibraryError when Chroma fails.
        """
        for last in range(self._called + _PART, rows + 1, _PART):
            self._call("fill", last)
        self._written = rows
        self._catch_up(_AHEAD)
        return self._filled

    def finish(self) -> None:
        """Returns once everything is taken in and Chroma is closed. Raises as ``fill`` does."""
        if self._written > self._called:
            self._call("fill", self._written)
        self._call("finish", self._written)
        self._catch_up(0)

    def _call(self, name: str, rows: int) -> None:
        self._send(name, rows)
        self._called = rows
        self._waiting += 1

    def examine(self, directory: Path, *, thorough: bool = False) -> list[str]:
        """What ``health.examine`` finds wrong with the closed generation in ``directory``."""
        manifest = index.read_manifest(directory)
        limit = _SECONDS + (manifest.passages if manifest else 0) / _PER_SECOND
        self._send("examine", str(directory), thorough)
        try:
            return [str(problem) for problem in self._answer(None if thorough else limit)]
        except _EndedError as ended:
            return [f"opening it {ended}"]

    def _catch_up(self, behind: int) -> None:
        try:
            while self._waiting > behind:
                self._filled = self._answer()
                self._waiting -= 1
        except _EndedError as ended:
            raise LibraryError(
                f"the search index in {self._directory} was not made: its process {ended}",
                "run the command again; what was indexed before is still searched",
            ) from None

    def _send(self, name: str, *arguments: Any) -> None:
        try:
            print(json.dumps([name, *arguments]), file=self._process.stdin, flush=True)
        except BrokenPipeError:  # the answer, which does not come, will tell
            return

    def _answer(self, seconds: float | None = None) -> Any:
        """The answer to the oldest call that has none. Raises LibraryError, _EndedError."""
        timer = threading.Timer(seconds or 0, self._process.kill)
        if seconds:
            timer.start()
        line = self._process.stdout.readline() if self._process.stdout else ""
        late = not line and seconds is not None and not timer.is_alive()
        timer.cancel()
        if late:
            raise _EndedError(f"takes more than {seconds:.0f} s")
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise _EndedError(f"ends with {_name(code)}: {said[:200]}")
        answer = json.loads(line)
        if "failed" in answer:
            raise LibraryError(*answer["failed"])
        return answer["done"]


def _name(code: int) -> str:
    signals = {-number: number.name for number in signal.Signals}
    return signals.get(code, f"exit code {code}")


class Calls:
    """What can be called, in the process."""

    def begin(self, directory: str) -> int:
        self._directory, self._filled = Path(directory), 0
        dense.overwrite_memory()
        with dense.translated(self._directory):
            self._collection = dense.Collection(self._directory / "chroma", create=True)
        return 0

    def fill(self, rows: int) -> int:
        with dense.translated(self._directory):
            keys, vectors = (
                arrays.part(self._directory, name, self._filled, rows)
                for name in ("keys", "vectors")
            )
            self._collection.add(keys.tolist(), vectors)
        self._filled = rows
        return rows

    def finish(self, rows: int) -> int:
        self._collection.close()
        dense.give_back_memory()  # an examination takes as much again
        return rows

    def examine(self, directory: str, thorough: bool) -> list[str]:
        return health.examine(Path(directory), thorough=thorough)


def main() -> None:
    if sys.platform == "linux":  # a build that is given up must not go on writing
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    import chromadb  # noqa: F401 - now, while there is nothing to do yet

    calls = Calls()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"done": getattr(calls, name)(*arguments)}
        except LibraryError as error:
            answer = {"failed": [str(error), error.hint]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
