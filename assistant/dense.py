"""The meaning half of an index generation: one Chroma collection of vectors.

Chroma keeps vectors only: ids are passage keys, words and facts stay in the library, and it never
embeds. (Facts would take it half as long again as vectors do; filters are the catalogue's.)
"""

from __future__ import annotations

import ctypes
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.errors import LibraryError
from assistant.storage import full, is_full

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATABASE = "chroma.sqlite3"
COLLECTION = "passages"
HNSW = {
    "space": "cosine",
    "max_neighbors": 32,
    "ef_construction": 100,  # 200 takes twice as long and finds hardly more
    "ef_search": 200,
    # Every batch goes into the HNSW files at once. What Chroma leaves in its log instead is
    # replayed at every opening.
    "batch_size": 2,
    "sync_threshold": 2,
}
_PERTURB = -6  # M_PERTURB of malloc.h: fill what is taken
# What Chroma writes for a collection that never embeds; anything else would be built when opened.
_NO_EMBEDDING = ({"type": "legacy"}, {"type": "unknown"}, None)


def overwrite_memory() -> None:
    """Memory taken from now on holds nothing of what it held before, where the C library can.

    HNSW writes slots to disk that it never filled: they would carry what was erased.
    """
    with suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).mallopt(_PERTURB, 1)


def give_back_memory() -> None:
    """Returns to the system what was freed, where the C library would keep it for later."""
    with suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def translated(directory: Path) -> Iterator[None]:
    """Raises LibraryError for what Chroma or tantivy raise inside."""
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, ValueError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())
        if is_full(directory.parent) or "is full" in reason:  # Chroma seldom says so
            raise full(directory.parent) from error
        raise LibraryError(
            f"the search index in {directory} failed: {reason[:200]}",
            "make a new one from the library: `assistant rebuild`",
        ) from error


class Collection:
    """An open Chroma collection of a directory; of no use after ``close``."""

    def __init__(self, directory: Path, *, create: bool = False) -> None:
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient
        from chromadb.config import Settings

        # Everything that could be set otherwise from the environment, or a .env of the working
        # directory, to reach for a server.
        settings = Settings(
            _env_file=None,
            chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
            anonymized_telemetry=False,
            chroma_otel_collection_endpoint="",
        )
        try:
            self._client = chromadb.PersistentClient(directory, settings)
        except BaseException:  # else Chroma would hand out the failed client for this path again
            SharedSystemClient._identifier_to_system.pop(str(directory), None)
            raise
        try:
            if create:
                self._collection = self._client.create_collection(
                    COLLECTION, embedding_function=None, configuration={"hnsw": HNSW}
                )
            else:
                self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._client.close()

    def add(self, keys: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Takes in at most 5,461 passages, one row of vectors each."""
        self._collection.add(ids=list(map(str, keys)), embeddings=vectors)

    def count(self) -> int:
        return int(self._collection.count())

    def nearest(self, vectors: NDArray[np.float32], k: int) -> list[list[int]]:
        """For each row, the keys of its ``k`` nearest passages, nearest first."""
        found = self._collection.query(query_embeddings=vectors, n_results=k, include=[])
        return [[int(key) for key in keys] for keys in found["ids"]]

    def vectors(self, keys: Sequence[int]) -> NDArray[np.float32]:
        """The vectors that Chroma holds for these keys, one row each, in this order."""
        found = self._collection.get(ids=[str(key) for key in keys], include=["embeddings"])
        place = {int(key): row for row, key in enumerate(found["ids"])}
        stored = np.asarray(found["embeddings"], dtype=np.float32)
        return stored[[place[key] for key in keys]]


def check_configuration(directory: Path) -> list[str]:
    """What Chroma must not be asked to open: a collection that is not as ``create`` makes it.

    Chroma builds the embedding function that a stored configuration names, and some run code that
    the configuration names (T36), so this reads the database without Chroma.
    """
    try:
        with closing(sqlite3.connect(directory / DATABASE)) as database:
            rows = database.execute(
                "SELECT name, config_json_str, schema_str FROM collections"
            ).fetchall()
            configurations = [json.loads(text) for row in rows for text in row[1:] if text]
    except (sqlite3.Error, ValueError) as error:
        return [f"{DATABASE} cannot be read: {error}"]
    if [row[0] for row in rows] != [COLLECTION]:
        return [f"{DATABASE} holds other collections than ours"]
    if any(function not in _NO_EMBEDDING for function in _embedding_functions(configurations)):
        return [f"{DATABASE} names an embedding function; ours never does"]
    return []


def _embedding_functions(value: Any) -> Iterator[Any]:
    """Every value that is stored under "embedding_function", at any depth."""
    if isinstance(value, dict):
        yield from (value[key] for key in value.keys() & {"embedding_function"})
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _embedding_functions(item)
