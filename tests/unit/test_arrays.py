"""The arrays of a generation: what was written is what is read, in passages of any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.arrays import Arrays, Writer, products
from assistant.records import IndexRow
from tests.fakes import chunks, document

WIDTH = 4
SOURCE = document("text")
(CHUNK,) = chunks(SOURCE)


def written(directory: Path, parts: list[NDArray[np.float32]], batch: int = 3) -> Arrays:
    vectors = np.eye(WIDTH, dtype="<f4")
    rows = [
        IndexRow(
            2 * n + 1,
            SOURCE,
            CHUNK.passage,
            vectors[n % WIDTH].tobytes(),
            p.astype("<f2").tobytes(),
        )
        for n, p in enumerate(parts)
    ]
    with Writer(directory, WIDTH) as writer:
        for start in range(0, len(rows), batch):
            writer.add(rows[start : start + batch])
    return Arrays(directory)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(1, 5))
def test_the_best_sentence_of_each_passage(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], batch: int
) -> None:
    rng = np.random.default_rng(sum(counts))
    parts = [rng.normal(size=(count, WIDTH)).astype(np.float16) for count in counts]
    arrays = written(tmp_path_factory.mktemp("arrays"), parts, batch)
    vector = rng.normal(size=WIDTH).astype(np.float32)
    chosen = rng.integers(len(counts), size=6)
    best = [max(parts[n].astype(np.float32) @ vector, default=-1) for n in chosen]
    np.testing.assert_allclose(arrays.sentence_cosines(vector, chosen), best, atol=1e-5)
    assert arrays.vectors.shape == (len(counts), WIDTH)
    assert arrays.keys.tolist() == [2 * n + 1 for n in range(len(counts))]
    assert arrays.bounds[-1] == len(arrays.sentences) == sum(counts)


def test_a_key_that_is_not_held_is_refused(tmp_path: Path) -> None:
    arrays = written(tmp_path, [np.empty((0, WIDTH), np.float32)] * 3)
    assert arrays.rows([5, 1]).tolist() == [2, 0]
    for key in (0, 2, 9):
        with pytest.raises(KeyError):
            arrays.rows([1, key])


@pytest.mark.parametrize(
    ("rows", "width"), [(0, 384), (1, 384), (20, 384), (21, 384), (500, 384), (3, 9000), (9, 1)]
)
def test_products_are_those_of_the_whole_matrix(rows: int, width: int) -> None:
    rng = np.random.default_rng(rows)
    matrix = rng.normal(size=(rows, width)).astype(np.float32)
    vector = rng.normal(size=width).astype(np.float32)
    found = products(matrix, vector)
    assert (found.shape, found.dtype) == ((rows,), np.float32)
    np.testing.assert_allclose(found, matrix @ vector, rtol=1e-4, atol=1e-3)
