"""Which passages the next index generation holds, and the one transaction that makes it live."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

from assistant.database import FILE
from assistant.errors import LibraryError
from assistant.library import Library, spec_id
from assistant.records import (
    IndexRow,
    Spec,
    read_document,
    read_passage,
    repairable,
    vector_seal,
)

_PAGE = 1000  # rows read at a time, so that other threads get their turn between
_VACUUM_BELOW = 256 * 2**20  # bytes; a larger file keeps its (overwritten) free pages for later
_SWEEP = (
    "DELETE FROM documents WHERE state = 'removed'",
    "DELETE FROM passages WHERE document_id IN (SELECT id FROM documents WHERE state = 'retired')",
    "DELETE FROM passages WHERE spec_id IN (SELECT id FROM specs WHERE state = 'retired')",
    "DELETE FROM specs WHERE state = 'retired'",
    "DELETE FROM vectors WHERE hash NOT IN (SELECT hash FROM passages)",
)


class Published(NamedTuple):
    """The uris that became live: for the first time, and as a newer version."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()


def complete(library: Library, spec: Spec) -> int:
    """Makes the pending versions whose every passage has its vector ready; how many are."""
    with library.writing() as connection:
        connection.execute(
            "UPDATE documents AS d SET state = 'ready' WHERE state = 'pending'"
            " AND EXISTS (SELECT 1 FROM passages WHERE document_id = d.id AND spec_id = ?1)"
            " AND NOT EXISTS (SELECT 1 FROM passages p WHERE document_id = d.id AND spec_id = ?1"
            " AND NOT EXISTS (SELECT 1 FROM vectors WHERE hash = p.hash))",
            (spec_id(connection, spec),),
        )
        row = connection.execute("SELECT COUNT(*) FROM documents WHERE state = 'ready'")
        return int(row.fetchone()[0])


def next_count(library: Library, spec: Spec, without: Collection[str] = ()) -> int:
    """How many passages ``next_rows`` yields."""
    with library.reading() as connection:
        row = connection.execute(
            "SELECT COUNT(*) FROM passages p JOIN coming d ON d.id = p.document_id"
            " WHERE p.spec_id = ? AND d.uri NOT IN (SELECT value FROM json_each(?))",
            (spec_id(connection, spec), json.dumps([*without])),
        )
        return int(row.fetchone()[0])


def next_rows(library: Library, spec: Spec, without: Collection[str] = ()) -> Iterator[IndexRow]:
    """The passages of the next generation, uris ``without`` left out, ascending by key.

    Raises LibraryError at the first one that is damaged or has no sound vector.
    """
    last, facts = 0, None
    while True:
        with library.reading() as connection:
            rows = connection.execute(
                "SELECT p.key, p.hash, v.vector, v.sentences, v.seal,"
                " d.id, d.uri, d.version, d.facts, d.seal,"
                ' p.document_id, p.ordinal, p."start", p."end", p.headings, p.locator, p.text,'
                " p.lead, p.seal FROM passages p JOIN coming d ON d.id = p.document_id"
                " LEFT JOIN vectors v ON v.hash = p.hash WHERE p.spec_id = ? AND p.key > ?"
                " AND d.uri NOT IN (SELECT value FROM json_each(?)) ORDER BY p.key LIMIT ?",
                (spec_id(connection, spec), last, json.dumps([*without]), _PAGE),
            ).fetchall()
        if not rows:
            return
        for key, name, vector, parts, sealed, *row in rows:
            if vector is None or vector_seal(name, vector, parts) != sealed:
                raise repairable(f"the vector of passage {key}")
            if row[:5] != facts:  # most often it is that of the passage before
                facts = row[:5]
                document = read_document(facts)
            yield IndexRow(key, document, read_passage(row[5:]), vector, parts)
        last = rows[-1][0]


def publish(
    library: Library, generation: str | None, spec: Spec, erase: Collection[str] = ()
) -> Published:
    """Makes ``generation`` the one that is searched, in one transaction with all that goes with it.

    Ready versions become live and those they replace retired, ``spec`` becomes the library's, and
    every version of the uris in ``erase`` removed: gone from sight, erased by ``sweep``.
    """
    with library.writing() as connection:
        for statement in (
            "UPDATE documents SET state = 'removed' WHERE uri IN (SELECT value FROM json_each(?))",
            "DELETE FROM failures WHERE uri IN (SELECT value FROM json_each(?))",
            "DELETE FROM visits WHERE uri IN (SELECT value FROM json_each(?))",
            "DELETE FROM ends WHERE uri IN (SELECT value FROM json_each(?))",
        ):
            connection.execute(statement, (json.dumps([*erase]),))
        replaced = connection.execute(
            "UPDATE documents SET state = 'retired' WHERE state = 'live' AND uri IN"
            " (SELECT uri FROM documents WHERE state = 'ready') RETURNING uri"
        ).fetchall()
        turned = connection.execute(
            "UPDATE documents SET state = 'live' WHERE state = 'ready' RETURNING uri"
        ).fetchall()
        wanted = spec.model_dump_json()
        connection.execute("UPDATE specs SET state = 'retired' WHERE spec != ?", (wanted,))
        connection.execute(
            "UPDATE specs SET state = 'live' WHERE spec = ? AND state = 'building'", (wanted,)
        )
        connection.execute("DELETE FROM meta WHERE name = 'generation'")
        if generation:
            connection.execute("INSERT INTO meta VALUES ('generation', ?)", (generation,))
    updated = {uri for (uri,) in replaced}
    added = {uri for (uri,) in turned} - updated
    return Published(tuple(sorted(added)), tuple(sorted(updated)))


def sweep(library: Library) -> None:
    """Erases what nothing live or coming needs: removed documents, old passages and vectors.

    Only once no index that names them is open any more.
    """
    with library.writing() as connection:
        for statement in _SWEEP:
            connection.execute(statement)  # secure_delete overwrites what they free
    with suppress(LibraryError), library.reading() as connection:  # a full disk can wait
        (size,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if free > size // 4 and (library.directory / FILE).stat().st_size < _VACUUM_BELOW:
            connection.execute("VACUUM")
