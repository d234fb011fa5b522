"""The library's rows as shapes and back, each row with a seal that shows a changed bit."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.errors import LibraryError
from assistant.storage import seal
from assistant.types import Document, Passage, Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Spec(Shape):
    """What the vectors of a library depend on; those of two specs are never mixed."""

    embedding: str  # the embedder's identity
    dimension: int
    size: int  # most tokens in a passage
    chunking: int  # the version of the chunker


class Chunk(NamedTuple):
    """A passage and what is embedded for it, which ends with its text."""

    passage: Passage
    embedded: str


class Waiting(NamedTuple):
    """A passage that has no vector yet."""

    key: int
    name: bytes  # of the vector
    embedded: str
    lead: int  # how many characters of it stand before the passage's text
    language: str


class Embedded(NamedTuple):
    """What an embedder makes of a passage; every vector has length 1."""

    vector: NDArray[np.float32]  # (dimension,)
    sentences: NDArray[np.float32]  # (sentences, dimension); none where the engine has none


class IndexRow(NamedTuple):
    """A passage as an index generation takes it in."""

    key: int
    document: Document  # without its text
    passage: Passage
    vector: bytes  # float32, little-endian
    sentences: bytes = b""  # the vectors of its sentences, float16, little-endian


def document_row(document: Document, version: int) -> tuple[Any, ...]:
    """Values of id, uri, version, facts, text, seal, text_seal."""
    facts = document.model_dump_json(exclude={"id", "uri", "version", "text"})
    head = (document.id, document.uri, version, facts)
    return *head, document.text, seal(*head), seal(document.text)


def read_document(row: Sequence[Any]) -> Document:
    """The document, without its text, of id, uri, version, facts, seal.

    Raises LibraryError when they are damaged.
    """
    *head, sealed = row
    if seal(*head) != sealed:
        raise beyond_repair(head[0])
    document_id, uri, version, facts = head
    known = {"id": document_id, "uri": uri, "version": version}
    return Document.model_validate(known | json.loads(facts), strict=False)


def passage_row(chunk: Chunk, embedding: str) -> tuple[Any, ...]:
    """Values of document_id, ordinal, start, end, headings, locator, text, lead, seal, hash."""
    passage, embedded = chunk
    ordinal = int(passage.id.removeprefix(f"{passage.document_id}:"))
    headings = json.dumps(passage.headings, ensure_ascii=False)
    head = (passage.document_id, ordinal, passage.start, passage.end, headings, passage.locator)
    row = (*head, passage.text, embedded.removesuffix(passage.text))
    return *row, seal(*row), vector_name(embedded, embedding)


def read_passage(row: Sequence[Any]) -> Passage:
    """The passage of document_id, ordinal, start, end, headings, locator, text, lead, seal.

    Raises LibraryError when they are damaged.
    """
    *values, sealed = row
    document_id, ordinal, start, end, headings, locator, text, _ = values
    if seal(*values) != sealed:
        raise repairable(f"passage {document_id}:{ordinal}")
    return Passage(
        id=f"{document_id}:{ordinal}",
        document_id=document_id,
        start=start,
        end=end,
        text=text,
        headings=tuple(json.loads(headings)),
        locator=locator,
    )


def vector_name(embedded: str, embedding: str) -> bytes:
    """What a vector is found by: equal texts have one, whatever their passages."""
    return hashlib.blake2b(f"{embedding}\0{embedded}".encode(), digest_size=16).digest()


def vector_row(name: bytes, made: Embedded) -> tuple[bytes, bytes, int, bytes]:
    """Values of hash, vector, seal, sentences."""
    vector = made.vector.astype("<f4").tobytes()
    sentences = made.sentences.astype("<f2").tobytes()
    return name, vector, vector_seal(name, vector, sentences), sentences


def vector_seal(name: bytes, vector: bytes, sentences: bytes) -> int:
    return zlib.crc32(name + vector + sentences)


def repairable(what: str) -> LibraryError:
    """The error for a row that can be made again from the text of its document."""
    return LibraryError(
        f"{what} is damaged or missing",
        "`assistant rebuild --embed` makes it again from its document",
    )


def beyond_repair(document_id: str) -> LibraryError:
    """The error for a document whose stored words can no longer be trusted."""
    return LibraryError(
        f"document {document_id} is damaged",
        f"take it in anew: `assistant remove {document_id}`, then `assistant index` its file",
    )
