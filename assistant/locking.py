"""One process owns a data directory: two that write one Chroma path lose vectors without a word."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from pathlib import Path

from assistant.errors import LibraryInUseError
from assistant.storage import translated

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LENGTH = 63  # of what the lock file says
_PATIENCE = 0.5  # seconds for an owner that has just locked to write down who it is


class Lock:
    """Ownership of ``directory`` from construction to ``release``.

    The operating system takes the lock from a process that ends, however it ends, and children
    started with exec do not inherit it. Raises LibraryInUseError at once when another owns it.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "lock"
        with translated(directory):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _try_lock(self._file):
                os.close(self._file)
                raise LibraryInUseError(directory, *_owner(path))
            since = dt.datetime.now().astimezone().isoformat(timespec="seconds")
            os.lseek(self._file, 0, os.SEEK_SET)  # written over, not anew: the disk may be full
            os.write(self._file, f"{os.getpid()} {since}".ljust(_LENGTH).encode())

    def release(self) -> None:
        """Lets the next process in; the file stays, because removing it would split the waiters."""
        os.close(self._file)


def _owner(path: Path) -> tuple[int, str]:
    """The pid that holds the lock and since when, ISO 8601; (0, "unknown") if it never said."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        pid, _, since = path.read_text(encoding="ascii", errors="replace").strip().partition(" ")
        if pid.isdigit() and since:
            return int(pid), since
        time.sleep(0.02)
    return 0, "unknown"


if sys.platform == "win32":
    _BEYOND = 1 << 30  # Windows locks are mandatory: lock a byte that nobody reads

    def _try_lock(file: int) -> bool:
        os.lseek(file, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
