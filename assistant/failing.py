"""What could not be taken in, and which documents are given up because they end what reads them.

A document that brought down or held up its process in two runs is not tried again (R36), until it
is another, or the limits are, or somebody names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from assistant.errors import LoadingError
from assistant.types import Failure
from assistant.unpacking import INSIDE

if TYPE_CHECKING:
    from assistant.library import Library

_ENDS = {"crashed", "timed_out"}  # reasons that cost a process
_MOST = 2  # runs in which a document may do so
_LAST = "\U0010ffff"  # sorts after every other


def note(
    library: Library,
    failed: Iterable[Failure],
    *,
    sound: Iterable[str] = (),
    tried: Iterable[str] = (),
) -> None:
    """Remembers what could not be taken in; forgets what is ``sound`` or of the files ``tried``."""
    inside = [(uri, uri + INSIDE, uri + INSIDE + _LAST) for uri in tried]
    with library.writing() as connection:
        connection.executemany("DELETE FROM failures WHERE uri = ?", [(uri,) for uri in sound])
        connection.executemany("DELETE FROM failures WHERE uri = ? OR uri >= ? AND uri < ?", inside)
        connection.executemany(
            "INSERT OR REPLACE INTO failures (uri, reason, hint, message) VALUES (?, ?, ?, ?)",
            [(f.uri, f.reason, f.hint, f.message) for f in failed],
        )


def failures(library: Library) -> list[Failure]:
    """What could not be taken in when it was last tried, by uri."""
    with library.reading() as connection:
        rows = connection.execute("SELECT uri, reason, hint, message FROM failures ORDER BY uri")
        return [Failure(uri=u, reason=r, hint=h, message=m) for u, r, h, m in rows]


def count(library: Library, failure: Failure, file: str) -> None:
    """Counts a failure that cost a process; ``file`` names content and limits, not only a place."""
    if failure.reason in _ENDS:
        with library.writing() as connection:
            connection.execute(
                "INSERT INTO ends (uri, file, runs) VALUES (?, ?, 1) ON CONFLICT (uri) DO UPDATE"
                " SET runs = IIF(file = excluded.file, runs + 1, 1), file = excluded.file",
                (failure.uri, file),
            )


def given_up(library: Library, file: str) -> frozenset[str]:
    """The uris of what, in this file, is not to be tried again."""
    with library.reading() as connection:
        rows = connection.execute(
            "SELECT uri FROM ends WHERE file = ? AND runs >= ?", (file, _MOST)
        )
        return frozenset(uri for (uri,) in rows)


def not_tried(uri: str) -> LoadingError:
    """Why what is given up has no words."""
    return LoadingError(
        "given_up",
        f"{uri} is not read any more: twice it brought down or held up the process that read it",
        "save it again or in another format; or try it once more: `assistant index` with its name",
    )
