"""Is a generation sound? To be asked in another process: a damaged HNSW file can end this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant import dense, index, lexical
from assistant.errors import LibraryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE = 50  # self-queries of a quick check
_ASTRAY = 2  # vectors of passages that say nearly the same: a sound graph may have no way to them
_FOUND = 0.99  # least share of vectors that must find themselves; HNSW is approximate
_SAME = 1e-3  # two float32 cosines of one pair of vectors differ by less
_PAGE = 500


def examine(directory: Path, *, thorough: bool = False) -> list[str]:
    """What is wrong with the closed generation in ``directory``, if this process lives to tell.

    A quick look counts, and lets a sample of vectors look for themselves; a thorough one compares
    every vector and looks for every one.
    """
    try:
        with dense.translated(directory):
            return list(_problems(directory, thorough))
    except LibraryError as error:
        return [str(error)]


def _problems(directory: Path, thorough: bool) -> Iterator[str]:
    yield from dense.check_configuration(directory / "chroma")
    yield from _check_chroma_files(directory / "chroma")
    opened = index.Index(directory)
    try:
        if opened.meaning:
            yield from _check_counts(opened, opened.meaning)
            yield from _check_words(opened)
            yield from _check_meaning(opened, opened.meaning, thorough)
    finally:
        opened.close()


def _check_chroma_files(directory: Path) -> Iterator[str]:
    for links in directory.rglob("link_lists.bin"):
        level0 = links.with_name("data_level0.bin")
        # Higher layers are a fraction of the first. A damaged one can claim 800 GB (chroma #7510).
        if not level0.exists() or links.stat().st_size > level0.stat().st_size:
            yield f"{links.name} is larger than {level0.name}"
    try:
        with closing(sqlite3.connect(directory / dense.DATABASE)) as database:
            answer = database.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        answer = str(error)
    if answer != "ok":
        yield f"{dense.DATABASE}: {answer}"


def _check_counts(opened: index.Index, chroma: dense.Collection) -> Iterator[str]:
    counts = {
        "keys.npy": len(opened.keys),
        "vectors.npy": len(opened.vectors),
        "documents.npy": len(opened.documents),
        "bounds.npy": len(opened.bounds) - 1,
        "Chroma": chroma.count(),
        "tantivy": opened.words.searcher().num_docs,
    }
    for name, count in counts.items():
        if count != opened.passages:
            yield f"{name} holds {count} passages of {opened.passages}"
    if opened.bounds[-1] != len(opened.sentences):
        yield f"sentences.npy holds {len(opened.sentences)} of {opened.bounds[-1]} sentences"


def _check_words(opened: index.Index) -> Iterator[str]:
    if set(lexical.all_keys(opened.words)) != set(opened.keys.tolist()):
        yield "tantivy holds other passages than the library"
    for term, count in opened.words.searcher().terms_with_prefix("words", "", limit=5):
        if len(lexical.find_term(opened.words, term, count)) != count:
            yield f"tantivy does not find {term!r}"


def _check_meaning(opened: index.Index, chroma: dense.Collection, thorough: bool) -> Iterator[str]:
    count = opened.passages
    if thorough:
        rows = np.arange(count)
    else:
        rows = np.random.default_rng(0).choice(count, min(_SAMPLE, count), replace=False)
    lost = 0
    for start in range(0, len(rows), _PAGE):
        page = np.sort(rows[start : start + _PAGE])
        vectors = np.asarray(opened.vectors[page])
        if thorough and not _holds(chroma, opened.keys[page], vectors):
            yield f"Chroma holds other vectors, from passage {opened.keys[page[0]]} on"
        nearest = [keys[0] for keys in chroma.nearest(vectors, 1)]
        found = opened.vectors[np.searchsorted(opened.keys, nearest)]
        # Its own vector or an equal one: two passages may say the same.
        lost += int(np.sum(np.einsum("ij,ij->i", vectors, found) < 1 - _SAME))
    if lost > max((1 - _FOUND) * len(rows), min(_ASTRAY, len(rows) // 10)):
        yield f"Chroma does not find {lost} of {len(rows)} vectors by themselves"


def _holds(chroma: dense.Collection, keys: NDArray[np.int64], vectors: NDArray[np.float32]) -> bool:
    stored = chroma.vectors(keys.tolist())
    return stored.shape == vectors.shape and bool(np.allclose(stored, vectors, atol=1e-5))
