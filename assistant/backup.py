"""The library as one file that can be carried away, and back from it on any machine.

A backup is a copy of the SQLite file, the truth; the search index is made from it again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from assistant.database import APPLICATION_ID, FILE
from assistant.errors import LibraryError, LibraryInUseError, PathError
from assistant.library import Library
from assistant.locking import Lock
from assistant.storage import flush, translated

_PATIENCE = 60.0  # seconds to wait for a transaction of the process that owns the library


def backup(directory: Path, file: Path) -> None:
    """Writes the library of ``directory`` to ``file`` as it is at one moment, in use or not.

    An older backup of that name gives way once the new one is whole. Raises PathError when the
    file is something else or cannot be written, LibraryError when the library cannot be read.
    """
    source = directory / FILE
    if not source.is_file():
        raise LibraryError(f"no library in {directory}", "name its directory with --data")
    if file.exists() and not _is_ours(file):
        raise PathError(f"{file} is there and is no backup", "name another file")
    part = file.with_name(f"{file.name}.part")
    try:
        with _written(file), _undisturbed(directory) as opening:
            _create(part)
            with translated(directory), closing(opening) as library:
                _copy(library, part, file)
            flush(part)
            part.replace(file)
            flush(file.absolute().parent)
    finally:
        part.unlink(missing_ok=True)


def restore(file: Path, directory: Path) -> None:
    """Makes ``directory``, which must hold no documents yet, a library of what ``file`` holds.

    Its search index is built when it is first asked for. Raises PathError when the file is not
    there, LibraryError when it is no whole backup or the directory is taken, and leaves nothing.
    """
    if not file.is_file():
        raise PathError(f"no backup {file}", "check how it is spelled")
    if not _is_ours(file):
        raise LibraryError(f"{file} is no backup of a library", "name a file that `backup` wrote")
    with translated(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Lock(directory)
        part = directory / "restoring"
        try:
            if (directory / FILE).exists() and not _is_empty(directory / FILE):
                raise LibraryError(
                    f"{directory} holds a library already", "name an empty directory with --data"
                )
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            _create(part / FILE)
            with closing(_read_only(file)) as source:
                _copy(source, part / FILE, file)
            with Library.open(part) as library, library.writing() as connection:
                # A search index that is not there is made when it is first asked for.
                connection.execute("UPDATE meta SET value = 'none' WHERE name = 'generation'")
            flush(part / FILE)
            (part / FILE).replace(directory / FILE)
            flush(directory)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            lock.release()


def _create(part: Path) -> None:
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _copy(source: sqlite3.Connection, part: Path, file: Path) -> None:
    with closing(sqlite3.connect(part)) as copy:
        try:
            source.backup(copy, pages=-1)  # in one go: else each write of the owner starts it anew
            problem = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # the disk
                raise
            problem = str(error)
    if problem != "ok":
        raise LibraryError(f"{file} would not be whole: {problem}", "use another backup")


@contextmanager
def _undisturbed(directory: Path) -> Iterator[sqlite3.Connection]:
    """A connection to read the library with; when nobody owns it, after what a crash left."""
    try:
        lock = Lock(directory)
    except LibraryInUseError:
        yield _read_only(directory / FILE)
        return
    try:
        yield sqlite3.connect(directory / FILE, timeout=_PATIENCE)
    finally:
        lock.release()


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)


def _is_ours(file: Path) -> bool:
    """Whether the header of a file says that it is a library (sqlite.org/fileformat.html)."""
    with _written(file), file.open("rb") as opened:
        header = opened.read(100)
    return header[:16] == b"SQLite format 3\0" and header[68:72] == APPLICATION_ID.to_bytes(4)


def _is_empty(file: Path) -> bool:
    """Whether it is a library that nothing was taken into, such as whoever looks here makes."""
    try:
        with closing(_read_only(file)) as library:
            made = library.execute("SELECT 1 FROM sqlite_schema").fetchone()
            return not (made and library.execute("SELECT 1 FROM documents").fetchone())
    except sqlite3.Error:
        return False


@contextmanager
def _written(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PathError(
            f"{file}: {error.strerror or error}", "name a file in a folder that can be written"
        ) from error
