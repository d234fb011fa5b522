"""The numbers of an index generation: .npy files, written as streams and read memory-mapped.

One row for each passage, ascending by key: its ``vectors``, ``keys`` and ``documents`` (the number
of its document). The vectors of its ``sentences`` are the rows between two ``bounds``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.records import IndexRow

_KINDS = {"keys": "<i8", "documents": "<i4", "vectors": "<f4", "bounds": "<i8", "sentences": "<f2"}
_WIDE = {"vectors", "sentences"}
_PICKED = 5  # reading every vector in its order is quicker than picking out a fifth of them
_UNSHARED = 2**13  # numbers of a matrix that OpenBLAS multiplies in the calling thread


class Writer:
    """Fills the files of a new generation; they are whole once it is left.

    As streams, since on a full disk a memory map dies of SIGBUS.
    """

    def __init__(self, directory: Path, dimension: int) -> None:
        self._dimension = dimension
        self._documents: dict[str, int] = {}  # id -> number
        self._sizes = dict.fromkeys(_KINDS, 0)  # rows written
        self._stack = ExitStack()
        self._files = {
            name: self._stack.enter_context((directory / f"{name}.npy").open("wb"))
            for name in _KINDS
        }

    def __enter__(self) -> Self:
        for name in _KINDS:
            self._write_header(name)
        self._write("bounds", [0])
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._stack:
            for name in _KINDS if kind is None else ():
                self._files[name].seek(0)  # numpy leaves room for more rows in a header
                self._write_header(name)

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Writes the rows, which ``part`` can read when this returns."""
        owners = [self._documents.setdefault(r.document.id, len(self._documents)) for r in rows]
        counts = [len(row.sentences) // (2 * self._dimension) for row in rows]
        self._write("keys", [row.key for row in rows])
        self._write("documents", owners)
        self._write("vectors", b"".join(row.vector for row in rows))
        self._write("bounds", list(accumulate(counts, initial=self._sizes["sentences"]))[1:])
        self._write("sentences", b"".join(row.sentences for row in rows))
        for file in self._files.values():
            file.flush()

    def _write(self, name: str, values: bytes | list[int]) -> None:
        kind = np.dtype(_KINDS[name])
        content = values if isinstance(values, bytes) else np.array(values, kind).tobytes()
        self._files[name].write(content)
        width = self._dimension if name in _WIDE else 1
        self._sizes[name] += len(content) // (kind.itemsize * width)

    def _write_header(self, name: str) -> None:
        shape = (self._sizes[name], *([self._dimension] * (name in _WIDE)))
        facts = {"descr": _KINDS[name], "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._files[name], facts)


def part(directory: Path, name: str, first: int, last: int) -> NDArray[Any]:
    """The rows from ``first`` and below ``last`` of an array that may still be written."""
    with (directory / f"{name}.npy").open("rb") as file:
        np.lib.format.read_magic(file)
        (_, *rest), _, kind = np.lib.format.read_array_header_1_0(file)
        width = math.prod(rest)
        file.seek(first * width * kind.itemsize, os.SEEK_CUR)
        values = np.fromfile(file, kind, (last - first) * width)
    return values.reshape(last - first, *rest)


class Arrays:
    """The arrays of a generation, to compare with; safe to share between threads."""

    def __init__(self, directory: Path) -> None:
        self.keys: NDArray[np.int64] = np.load(directory / "keys.npy")
        self.documents: NDArray[np.int32] = np.load(directory / "documents.npy")
        self.vectors: NDArray[np.float32] = np.load(directory / "vectors.npy", mmap_mode="r")
        self.bounds: NDArray[np.int64] = np.load(directory / "bounds.npy")
        self.sentences: NDArray[np.float16] = np.load(directory / "sentences.npy", mmap_mode="r")

    def rows(self, keys: NDArray[np.int64] | Sequence[int]) -> NDArray[np.intp]:
        """The row of each of these passages.

        Raises KeyError for a key that this generation does not hold.
        """
        wanted = np.asarray(keys, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        if not np.array_equal(self.keys[rows], wanted):
            raise KeyError("a key that this generation does not hold")
        return rows

    def cosines(
        self, vector: NDArray[np.float32], keys: NDArray[np.int64] | Sequence[int]
    ) -> NDArray[np.float32]:
        """The cosine of the vector (unit length) with each of these passages, in their order."""
        cosines: NDArray[np.float32] = np.clip(
            products(self.vectors[self.rows(keys)], vector), -1, 1
        )
        return cosines

    def nearest(
        self, vector: NDArray[np.float32], k: int, rows: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and cosines of the ``k`` nearest passages, of all or of these rows, in no order."""
        if rows is None:
            cosines, rows = products(self.vectors, vector), np.arange(len(self.keys))
        elif len(rows) > len(self.keys) // _PICKED:
            cosines = products(self.vectors, vector)[rows]
        else:
            cosines = products(self.vectors[rows], vector)
        best = np.argpartition(-cosines, k)[:k] if k < len(rows) else np.arange(len(rows))
        return self.keys[rows[best]], np.clip(cosines[best], -1, 1)

    def sentence_cosines(
        self, vector: NDArray[np.float32], rows: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """The greatest cosine of the vector with a sentence of each row's passage; -1 without."""
        first, last = self.bounds[rows], self.bounds[rows + 1]
        ends = np.cumsum(last - first)
        places = np.repeat(last - ends, last - first) + np.arange(ends[-1])
        cosines = products(self.sentences[places].astype(np.float32), vector)
        best = np.full(len(rows), -1, np.float32)
        some = last > first
        best[some] = np.maximum.reduceat(cosines, (ends - last + first)[some])
        return best


def products(rows: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The dot product of each row with the vector, computed in this thread.

    A larger product BLAS would share out over every core, whose threads wait for each other on a
    busy machine: 2,000 rows took 23 ms so, and take 0.04 ms.
    """
    height = max(1, _UNSHARED // len(vector))
    whole = len(rows) // height * height
    blocks = rows[:whole].reshape(-1, height, len(vector)) @ vector
    return np.concatenate([blocks.ravel(), rows[whole:] @ vector])
