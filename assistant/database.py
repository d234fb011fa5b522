"""The SQLite file under the library: its tables, its owner, its transactions."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from assistant.errors import LibraryError
from assistant.locking import Lock
from assistant.storage import damaged, translated

FILE = "library.sqlite3"
SCHEMA_VERSION = 5
_BACKUP = 60.0  # seconds that a write waits for a backup that another process takes
APPLICATION_ID = 0x43495445  # "CITE"

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE specs (
    id INTEGER PRIMARY KEY,
    spec TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired'))
) STRICT;
CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    uri TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'ready', 'live', 'retired', 'removed')),
    facts TEXT NOT NULL,  -- the rest of the Document as JSON, without its text
    text TEXT NOT NULL,
    seal INTEGER NOT NULL,
    text_seal INTEGER NOT NULL
) STRICT;
CREATE INDEX documents_by_uri ON documents (uri, state);
CREATE UNIQUE INDEX one_live ON documents (uri) WHERE state = 'live';
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: an older index may still name it
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    spec_id INTEGER NOT NULL REFERENCES specs,
    ordinal INTEGER NOT NULL,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    headings TEXT NOT NULL,  -- a JSON array
    locator TEXT,
    text TEXT NOT NULL,
    lead TEXT NOT NULL,  -- what stands before the text when it is embedded
    hash BLOB NOT NULL,  -- of what is embedded and by which model: the name of its vector
    seal INTEGER NOT NULL,
    UNIQUE (document_id, spec_id, ordinal)
) STRICT;
CREATE INDEX passages_by_hash ON passages (hash);
CREATE TABLE vectors (
    hash BLOB PRIMARY KEY,
    vector BLOB NOT NULL,  -- float32, little-endian
    seal INTEGER NOT NULL
    -- the same of its sentences, float16; empty for an engine without; so spaced as SQLite adds it
    , sentences BLOB NOT NULL DEFAULT x'') STRICT;
CREATE VIEW coming AS  -- what the next generation holds: complete versions, unless a newer one is
    SELECT * FROM documents d WHERE state = 'ready' OR state = 'live' AND NOT EXISTS
        (SELECT 1 FROM documents n WHERE n.uri = d.uri AND n.state = 'ready');
CREATE TABLE visits (  -- what the server of a document from the web said, for the next visit
    uri TEXT PRIMARY KEY,
    document_id TEXT NOT NULL,
    etag TEXT,
    modified TEXT
) STRICT;
CREATE TABLE failures (uri TEXT PRIMARY KEY, reason TEXT NOT NULL, hint TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE ends (  -- what ended the processes that read it, in which file, in how many runs
    uri TEXT PRIMARY KEY, file TEXT NOT NULL, runs INTEGER NOT NULL
) STRICT;
"""
# What makes a database of the version before into one of this version. The text of the tables is
# compared afterwards, so it must come out as SCHEMA has it.
MIGRATIONS = {
    2: ("ALTER TABLE failures ADD COLUMN message TEXT NOT NULL DEFAULT ''",),
    3: ("ALTER TABLE vectors ADD COLUMN sentences BLOB NOT NULL DEFAULT x''",),
    4: (
        """CREATE TABLE visits (
            uri TEXT PRIMARY KEY, document_id TEXT NOT NULL, etag TEXT, modified TEXT
        ) STRICT""",
    ),
    5: (
        """CREATE TABLE ends (
            uri TEXT PRIMARY KEY, file TEXT NOT NULL, runs INTEGER NOT NULL
        ) STRICT""",
    ),
}


class Database:
    """The SQLite file of one data directory, owned until ``close``; safe to share between threads.

    What the disk raises comes out as LibraryError.
    """

    def __init__(self, directory: Path, lock: Lock, connection: sqlite3.Connection) -> None:
        self.directory = directory
        self._ownership = lock
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The database of ``directory``, both made when they are not there.

        Raises LibraryInUseError while it is open elsewhere, LibraryError for one that a newer
        version wrote or that is not ours.
        """
        directory = Path(os.path.abspath(directory))
        with translated(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = Lock(directory)
            try:
                return cls(directory, lock, _connect(directory))
            except BaseException:
                lock.release()
                raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._ownership.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone; statements commit by themselves."""
        with self._lock, translated(self.directory):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection inside one transaction: all of it happens, or nothing."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has already rolled it back
                    connection.execute("ROLLBACK")
                raise


def problems(directory: Path) -> list[str]:
    """What is wrong with how the file of a library holds together; its owner may go on reading."""
    # On a connection of its own, for it takes its time; read-only, SQLite passes over CHECK.
    with translated(directory), closing(sqlite3.connect(directory / FILE, _BACKUP)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        answers = connection.execute("PRAGMA integrity_check(20)").fetchall()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [answer for (answer,) in answers if answer != "ok"] + [
        f"a row of {table} has lost its {parent}" for table, _, parent, _ in orphans[:20]
    ]


def _connect(directory: Path) -> sqlite3.Connection:
    path = directory / FILE
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # its journal takes on this mode
    connection = sqlite3.connect(
        path, timeout=_BACKUP, isolation_level=None, check_same_thread=False
    )
    # A flipped bit may leave no UTF-8: the seal of its row says so, and what mends it.
    connection.text_factory = lambda text: text.decode(errors="replace")
    try:
        # This SQLite may be in the range of the WAL-reset bug (sqlite.org/wal.html#walresetbug), so
        # a rollback journal. secure_delete: what is removed is overwritten. temp_store: VACUUM must
        # not copy documents to /tmp. trusted_schema: a restored file may be hostile.
        connection.executescript(
            "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
            "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
            "PRAGMA cell_size_check = ON;"
        )
        _check_or_create(connection, directory)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_or_create(connection: sqlite3.Connection, directory: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = _tables(connection)
    if version == 0 and not tables:
        if (directory / "generations").exists():  # made after the tables, so they were there
            raise damaged(directory, f"{FILE} is empty or gone")
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
        return
    if version > SCHEMA_VERSION:
        raise LibraryError(
            f"a newer version wrote {directory}: schema {version}, known is {SCHEMA_VERSION}",
            "update cited-assistant, or name another data directory with --data",
        )
    if 0 < version < SCHEMA_VERSION:
        tables = _migrate(connection, version)
    if version < 1 or tables != _expected_tables():
        raise damaged(directory, f"{FILE} does not hold the tables of a library")


def _migrate(connection: sqlite3.Connection, version: int) -> dict[str, str]:
    """The tables after every migration above ``version``: all of them on the disk, or none.

    Those of a file that is no library's are left as they were.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")  # executescript would commit
        for step in range(version + 1, SCHEMA_VERSION + 1):
            for statement in MIGRATIONS[step]:
                connection.execute(statement)
        if (tables := _tables(connection)) == _expected_tables():
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        return tables
    except sqlite3.OperationalError as error:
        if any(word in str(error) for word in ("no such", "duplicate", "already exists")):
            return {}
        raise
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _tables(connection: sqlite3.Connection) -> dict[str, str]:
    """Name -> what makes it, without comments: a flipped bit may be in a column's name, or rule."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema")
    return {name: " ".join(re.sub("--.*", "", sql or "").split()) for name, sql in rows}


def _expected_tables() -> dict[str, str]:
    model = sqlite3.connect(":memory:")
    try:
        model.executescript(SCHEMA)
        return _tables(model)
    finally:
        model.close()
