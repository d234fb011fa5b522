"""What every file of the data directory needs: flushed, checksummed, its errors in our words."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import LibraryError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_SQLITE = {  # the low byte of an error code says its kind; those not named are mistakes of ours
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_NOMEM: errno.ENOMEM,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
}
_LITTLE = 2**20  # bytes
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def translated(directory: Path) -> Iterator[None]:
    """Raises LibraryError, naming the directory and the way out, for what the disk raises."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _SQLITE_DAMAGED:
            raise damaged(directory, f"library.sqlite3: {error}") from error
        if code not in _SQLITE:
            raise
        raise _trouble(directory, _SQLITE[code], str(error)) from error
    except UnicodeDecodeError as error:  # SQLite quotes what it cannot read
        raise damaged(directory, f"library.sqlite3: {error.reason}") from error
    except OSError as error:
        raise _trouble(directory, error.errno or 0, error.strerror or str(error)) from error


def _trouble(directory: Path, number: int, reason: str) -> LibraryError:
    if number in _FULL:
        return full(directory)
    if number in _REFUSED:
        return LibraryError(
            f"cannot write in {directory}: {reason}",
            "make it writable, or name another data directory with --data",
        )
    return LibraryError(
        f"cannot use {directory}: {reason}",
        "check the disk and the path, or name another data directory with --data",
    )


def full(directory: Path) -> LibraryError:
    """The error for a disk, a quota or a file size limit that is used up."""
    return LibraryError(
        f"no space left to write in {directory}",
        "free some space and run the same command again; nothing is lost",
    )


def is_full(directory: Path) -> bool:
    """Whether want of space is the likely reason of a failed write below ``directory``."""
    return shutil.disk_usage(directory).free < _LITTLE


def damaged(directory: Path, what: str) -> LibraryError:
    """The error for a library that is not as it was written; unlike an index, it has no source."""
    return LibraryError(
        f"{directory} is damaged: {what}",
        "put a backup in its place, or move it away and index your documents again",
    )


def seal(*values: str | int | None) -> int:
    """A CRC-32 to store beside a row and compare when it is read: SQLite has no page checksums."""
    return zlib.crc32("\x1f".join(map(str, values)).encode())


def checksum(path: Path) -> int:
    """CRC-32 of a file: 4 times as fast as BLAKE2b here, and nothing secret signs the manifest."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def flush(path: Path) -> None:
    """Returns once the file or directory ``path`` would survive a power cut."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot flush a directory, and a file only through a writable handle
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_tree(directory: Path) -> None:
    """Returns once everything below ``directory`` would survive a power cut."""
    for folder, _, names in os.walk(directory):
        for name in names:
            flush(Path(folder, name))
        flush(Path(folder))
