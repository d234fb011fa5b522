"""The full check of a data directory: every row and file against every other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assistant.arrays import Arrays
from assistant.database import problems
from assistant.errors import LibraryError, UnknownDocumentError
from assistant.generations import Generations
from assistant.library import Library
from assistant.records import beyond_repair, read_passage, vector_seal
from assistant.types import VerifyReport

_PAGE = 1000  # rows read at a time
_UNIT = 1e-3  # how far from 1 the length of a vector may be
_MOST = 100  # problems told; the next ones are only more of the same
_EMBED = "`assistant rebuild --embed` makes it again"
_REBUILD = "`assistant rebuild` makes a new index"


class Damage(NamedTuple):
    """Something that can be made again from the text of a document."""

    problem: str
    document_id: str | None = None  # its passages are damaged
    vector: bytes | None = None  # the name of a damaged vector


def verify(library: Library, generations: Generations) -> VerifyReport:
    """What is wrong with the library and its index, each problem with its remedy.

    Reads everything, and looks every vector up in the index by itself; readers go on meanwhile.
    """
    with generations.changing:  # what is compared must hold still
        found = [*_database(library), *_documents(library), *_rows(library)]
        found += [f"search index: {problem}; {_REBUILD}" for problem in generations.check()]
        found += _agreement(library)
        counts = library.counts()
    return VerifyReport(
        documents=counts.documents, passages=counts.passages, problems=tuple(found[:_MOST])
    )


def drop_damaged(library: Library) -> None:
    """Takes out damaged vectors, and the passages of documents that have damaged ones."""
    found = [*damaged_passages(library), *damaged_vectors(library)]
    with library.writing() as connection:
        connection.executemany(
            "DELETE FROM passages WHERE document_id = ?", {(d.document_id,) for d in found}
        )
        connection.executemany("DELETE FROM vectors WHERE hash = ?", {(d.vector,) for d in found})


def damaged_passages(library: Library) -> Iterator[Damage]:
    """Passages that are not as they were written, or not the slice of their document they claim."""
    with library.reading() as connection:
        ids = connection.execute("SELECT DISTINCT document_id FROM passages").fetchall()
    for (document_id,) in ids:
        try:
            text = library.document(document_id).text
        except (LibraryError, UnknownDocumentError):
            continue  # a problem of the document
        with library.reading() as connection:
            rows = connection.execute(
                'SELECT document_id, ordinal, "start", "end", headings, locator, text, lead, seal'
                " FROM passages WHERE document_id = ?",
                (document_id,),
            ).fetchall()
        for row in rows:
            try:
                passage = read_passage(row)
            except LibraryError as error:
                yield Damage(f"{error}; {_EMBED}", document_id)
            else:
                if text[passage.start : passage.end] != passage.text:
                    yield Damage(f"passage {passage.id} is not its slice; {_EMBED}", document_id)


def damaged_vectors(library: Library) -> Iterator[Damage]:
    """Vectors that are not as they were written, not finite, or not of length 1."""
    last = b""
    while True:
        with library.reading() as connection:
            rows = connection.execute(
                "SELECT hash, vector, sentences, seal FROM vectors WHERE hash > ?"
                " ORDER BY hash LIMIT ?",
                (last, _PAGE),
            ).fetchall()
        if not rows:
            return
        for name, vector, parts, sealed in rows:
            if vector_seal(name, vector, parts) != sealed or not _is_unit(vector):
                yield Damage(f"vector {name.hex()} is damaged; {_EMBED}", vector=name)
        last = rows[-1][0]


def _is_unit(vector: bytes) -> bool:
    length = float(np.linalg.norm(np.frombuffer(vector, dtype="<f4")))
    return abs(length - 1) < _UNIT  # false for NaN


def _database(library: Library) -> list[str]:
    found = problems(library.directory)
    return [f"library.sqlite3: {problem}; put a backup in its place" for problem in found]


def _documents(library: Library) -> Iterator[str]:
    with library.reading() as connection:
        ids = connection.execute("SELECT id FROM documents WHERE state != 'removed'").fetchall()
    for (document_id,) in ids:
        try:
            library.document(document_id)
        except LibraryError as error:
            yield f"{error}; {error.hint}"
        except UnknownDocumentError:  # its row and the index of its rows differ
            lost = beyond_repair(document_id)
            yield f"{lost}; {lost.hint}"


def _rows(library: Library) -> Iterator[str]:
    for damage in (*damaged_passages(library), *damaged_vectors(library)):
        yield damage.problem
    with library.reading() as connection:
        missing = connection.execute(
            "SELECT COUNT(*) FROM passages p JOIN documents d ON d.id = p.document_id"
            " JOIN specs s ON s.id = p.spec_id WHERE d.state = 'live' AND s.state = 'live'"
            " AND NOT EXISTS (SELECT 1 FROM vectors WHERE hash = p.hash)"
        ).fetchone()[0]
        bare = connection.execute(
            "SELECT COUNT(*) FROM documents WHERE state = 'live' AND id NOT IN (SELECT document_id"
            " FROM passages JOIN specs s ON s.id = spec_id WHERE s.state = 'live')"
        ).fetchone()[0]
    if missing:
        yield f"{missing} passages have no vector; {_EMBED}"
    if bare:
        yield f"{bare} documents have no passages; {_EMBED}"


def _agreement(library: Library) -> Iterator[str]:
    """The published index against the library: the same passages with the same vectors."""
    name = library.generation
    if name is None:
        if library.counts().passages:
            yield f"there is no search index; {_REBUILD}"
        return
    directory: Path = library.directory / "generations" / name
    try:
        held = Arrays(directory)
    except (OSError, ValueError, EOFError):
        return  # told by the check of the index itself
    row = 0
    for row, (key, vector, sentences) in enumerate(_live_vectors(library), start=1):
        if row > len(held.keys) or held.keys[row - 1] != key:
            yield f"the search index does not hold passage {key} of the library; {_REBUILD}"
            return
        parts = held.sentences[slice(*held.bounds[row - 1 : row + 1])]
        if (held.vectors[row - 1].tobytes(), parts.tobytes()) != (vector, sentences):
            yield f"the search index holds another vector of passage {key}; {_REBUILD}"
            return
    if row < len(held.keys):
        yield f"the search index holds {len(held.keys) - row} passages too many; {_REBUILD}"


def _live_vectors(library: Library) -> Iterator[tuple[int, Any, Any]]:
    last = 0
    while True:
        with library.reading() as connection:
            rows = connection.execute(
                "SELECT p.key, v.vector, v.sentences FROM passages p JOIN documents d"
                " ON d.id = p.document_id JOIN specs s ON s.id = p.spec_id"
                " LEFT JOIN vectors v ON v.hash = p.hash WHERE d.state = 'live'"
                " AND s.state = 'live' AND p.key > ? ORDER BY p.key LIMIT ?",
                (last, _PAGE),
            ).fetchall()
        if not rows:
            return
        yield from rows
        last = rows[-1][0]
