"""The truth: every document version, its passages and their vectors, in one SQLite file.

A version moves ``pending`` (stored, some vectors missing) -> ``ready`` (complete) -> ``live`` (in
the published index) -> ``retired`` (a newer version is live; its text stays, so that old citations
open). Search indexes are made from here and can always be made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from pydantic import ValidationError

from assistant.database import Database
from assistant.errors import IndexMismatchError, UnknownDocumentError
from assistant.records import (
    Chunk,
    Embedded,
    Spec,
    Waiting,
    beyond_repair,
    document_row,
    passage_row,
    read_document,
    read_passage,
    repairable,
    vector_row,
)
from assistant.storage import damaged, seal
from assistant.types import Document, Passage
from assistant.unpacking import INSIDE

_LAST = "\U0010ffff"  # sorts after every other
_document = lru_cache(256)(read_document)  # one with many marks takes milliseconds to read
_SETTINGS = {"embedding": "models.embedding", "size": "chunking.size"}


class Counts(NamedTuple):
    documents: int
    passages: int


class Library(Database):
    """The documents of one data directory. A write that fails leaves nothing half done."""

    # -- what it was made with -----------------------------------------------------------------

    @property
    def spec(self) -> Spec | None:
        """The spec of the live passages; None before the first document."""
        with self.reading() as connection:
            row = connection.execute("SELECT spec FROM specs WHERE state = 'live'").fetchone()
        try:
            return Spec.model_validate_json(row[0]) if row else None
        except ValidationError as error:
            raise damaged(self.directory, "what it was made with cannot be read") from error

    def check_spec(self, wanted: Spec) -> None:
        """Raises IndexMismatchError naming the setting when the library has another spec."""
        for name, held in self.spec or wanted:
            if held != (value := getattr(wanted, name)):
                raise IndexMismatchError(_SETTINGS.get(name, name), str(held), str(value))

    @property
    def generation(self) -> str | None:
        """The name of the published index generation; None while nothing is live."""
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return row[0] if row else None

    @property
    def digest(self) -> str:
        """12 hex digits that change when an answer from this library could."""
        ids = sorted(document.id for document in self.documents())
        content = "\n".join([str(self.spec), *ids])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    # -- taking in -----------------------------------------------------------------------------

    def state(self, document_id: str) -> str | None:
        """pending, ready, live, retired or removed; None for a version that is not held."""
        with self.reading() as connection:
            row = connection.execute("SELECT state FROM documents WHERE id = ?", (document_id,))
            return next((state for (state,) in row), None)

    def add(self, entries: Iterable[tuple[Document, Iterable[Chunk]]], spec: Spec) -> None:
        """Stores documents, pending, in one transaction; those already held are left as they are.

        A version of the same uri that never became live gives way; one that was retired comes back.
        """
        with self.writing() as connection:
            for document, chunks in entries:
                if self.state(document.id) not in {"pending", "ready", "live"}:
                    _insert_document(connection, document)
                    _insert_chunks(connection, chunks, spec)

    def add_chunks(self, chunks: Iterable[Chunk], spec: Spec) -> None:
        """Stores passages of documents already held, beside those they have under other specs."""
        with self.writing() as connection:
            _insert_chunks(connection, chunks, spec)

    def unchunked(self, spec: Spec) -> list[str]:
        """Ids of the documents, retired ones left out, that have no passages under ``spec``."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM documents WHERE state IN ('pending', 'ready', 'live') AND id NOT IN"
                " (SELECT document_id FROM passages WHERE spec_id = ?) ORDER BY uri",
                (spec_id(connection, spec),),
            )
            return [document_id for (document_id,) in rows]

    def unembedded(self, spec: Spec, after: int, limit: int) -> list[Waiting]:
        """At most ``limit`` passages that lack a vector, with keys above ``after``, ascending."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT key, hash, lead || p.text, LENGTH(lead),"
                " json_extract(d.facts, '$.language') FROM passages p"
                " JOIN documents d ON d.id = p.document_id WHERE spec_id = ? AND key > ?"
                " AND NOT EXISTS (SELECT 1 FROM vectors WHERE hash = p.hash)"
                " ORDER BY key LIMIT ?",
                (spec_id(connection, spec), after, limit),
            )
            return [Waiting(*row) for row in rows]

    def unembedded_count(self, spec: Spec, after: int = 0) -> tuple[int, int]:
        """How many texts of passages with keys above ``after`` lack a vector, and the last key.

        Equal texts count once. Counted on from the last key, a passage is looked at once.
        """
        with self.reading() as connection:
            row = connection.execute(
                "SELECT COUNT(DISTINCT hash), COALESCE(MAX(key), ?2) FROM passages p"
                " WHERE spec_id = ?1 AND key > ?2"
                " AND NOT EXISTS (SELECT 1 FROM vectors WHERE hash = p.hash)",
                (spec_id(connection, spec), after),
            )
            count, last = row.fetchone()
        return int(count), int(last)

    def put_vectors(self, names: Sequence[bytes], made: Sequence[Embedded]) -> None:
        """Stores what was made under each name, in one transaction."""
        rows = [vector_row(*entry) for entry in zip(names, made, strict=True)]
        with self.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def held_in(self, prefix: str) -> dict[str, str]:
        """The uris that begin so, of documents that are or will be live, each with its id."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT uri, id FROM documents WHERE uri >= ? AND uri < ?"
                " AND state IN ('pending', 'ready', 'live')",
                (prefix, prefix + _LAST),
            )
            return dict(rows.fetchall())

    # -- reading -------------------------------------------------------------------------------

    def documents(self) -> list[Document]:
        """The live documents, without their text, by uri."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id, uri, version, facts, seal FROM documents WHERE state = 'live'"
                " ORDER BY uri"
            ).fetchall()
        return [read_document(row) for row in rows]

    def held(self) -> dict[str, str]:
        """Of every live document the uri and the id."""
        with self.reading() as connection:
            return dict(connection.execute("SELECT uri, id FROM documents WHERE state = 'live'"))

    def document(self, document_id: str) -> Document:
        """One version, live or older, with its text. Raises UnknownDocumentError."""
        with self.reading() as connection:
            row = connection.execute(
                "SELECT id, uri, version, facts, seal, text, text_seal FROM documents"
                " WHERE id = ? AND state != 'removed'",
                (document_id,),
            ).fetchone()
        if row is None:
            raise UnknownDocumentError(document_id)
        *head, text, text_seal = row
        if seal(text) != text_seal:
            raise beyond_repair(document_id)
        return read_document(head).model_copy(update={"text": text})

    def passages(self, keys: Sequence[int]) -> list[tuple[Passage, Document]]:
        """The passages of these keys, in this order, each with its document (without text).

        Every key of an index that is leased is found; LibraryError says that one is not.
        """
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT p.key, d.id, d.uri, d.version, d.facts, d.seal, p.document_id, p.ordinal,"
                ' p."start", p."end", p.headings, p.locator, p.text, p.lead, p.seal'
                " FROM passages p JOIN documents d ON d.id = p.document_id"
                " WHERE p.key IN (SELECT value FROM json_each(?))",
                (json.dumps([*keys]),),
            )
            found = {key: row for key, *row in rows}
        if missing := set(keys) - found.keys():
            raise repairable(f"passage {min(missing)}")
        documents = {row[0]: _document(tuple(row[:5])) for row in found.values()}
        return [(read_passage(found[key][5:]), documents[found[key][0]]) for key in keys]

    def uris(self, name: str) -> list[str]:
        """What a person may mean by ``name``: an id, a uri, a path, or else a file name.

        Of a document, of a file that holds several, or of one that could not be taken in.
        """
        with self.reading() as connection:
            held = connection.execute(
                "SELECT id, uri FROM documents WHERE state != 'removed'"
                " UNION ALL SELECT '', uri FROM failures"
            ).fetchall()
        exact = {uri for document_id, uri in held if name in {document_id, uri}}
        files = {uri.split(INSIDE)[0] for _, uri in held} | {uri for _, uri in held}
        path = os.path.abspath(name)
        return sorted(
            exact
            or {uri for uri in files if uri in {name, path}}
            or {uri for uri in files if os.path.basename(uri) == name}
        )

    def within(self, uri: str) -> list[str]:
        """The uris of the document and of all that is held, or failed, inside of it."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT uri FROM documents WHERE state != 'removed' UNION SELECT uri FROM failures"
            )
            return sorted(u for (u,) in rows if u == uri or u.startswith(uri + INSIDE))

    def counts(self) -> Counts:
        """How many documents are live, and their passages."""
        with self.reading() as connection:
            row = connection.execute(
                "SELECT (SELECT COUNT(*) FROM documents WHERE state = 'live'), (SELECT COUNT(*)"
                " FROM passages p JOIN documents d ON d.id = p.document_id JOIN specs s"
                " ON s.id = p.spec_id WHERE d.state = 'live' AND s.state = 'live')"
            ).fetchone()
        return Counts(*row)


def _insert_document(connection: sqlite3.Connection, document: Document) -> None:
    connection.execute(
        "DELETE FROM documents WHERE uri = ? AND state IN ('pending', 'ready')", (document.uri,)
    )
    (newest,) = connection.execute(
        "SELECT COALESCE(MAX(version), 0) FROM documents WHERE uri = ?", (document.uri,)
    ).fetchone()
    connection.execute(
        "INSERT INTO documents (id, uri, version, facts, text, seal, text_seal, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')"
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version, facts = excluded.facts,"
        " text = excluded.text, seal = excluded.seal, text_seal = excluded.text_seal,"
        " state = 'pending'",
        document_row(document, newest + 1),
    )


def _insert_chunks(connection: sqlite3.Connection, chunks: Iterable[Chunk], spec: Spec) -> None:
    wanted = spec.model_dump_json()
    connection.execute(  # the first spec of a library is its live one
        "INSERT INTO specs (spec, state)"
        " SELECT ?, IIF(EXISTS (SELECT 1 FROM specs WHERE state = 'live'), 'building', 'live')"
        " WHERE NOT EXISTS (SELECT 1 FROM specs WHERE spec = ? AND state != 'retired')",
        (wanted, wanted),
    )
    made_for = spec_id(connection, spec)
    # A retired version that comes back may still have its passages: a reader may hold them.
    connection.executemany(
        'INSERT OR IGNORE INTO passages (document_id, ordinal, "start", "end", headings, locator,'
        " text, lead, seal, hash, spec_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((*passage_row(chunk, spec.embedding), made_for) for chunk in chunks),
    )


def spec_id(connection: sqlite3.Connection, spec: Spec) -> int | None:
    """The row of a spec that passages are, or are being, made for."""
    row = connection.execute(
        "SELECT id FROM specs WHERE spec = ? AND state != 'retired'", (spec.model_dump_json(),)
    )
    return next((found for (found,) in row), None)
