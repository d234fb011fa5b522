"""Vectors are made beside the reading, and what fails there is raised."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant import vectorizing
from assistant.library import Library
from assistant.settings import Settings
from assistant.types import Progress
from tests.fakes import SPEC, FakeEmbedder, document

SETTINGS = Settings()


def store(library: Library, text: str, uri: str) -> None:
    source = document(text, uri=uri)
    entry = (source, vectorizing.passages_of(source, FakeEmbedder(), SETTINGS))
    library.add([entry], SPEC)


def test_what_is_stored_is_embedded_while_the_next_is_still_to_come(tmp_path: Path) -> None:
    seen = threading.Event()
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        seen.set()

    with Library.open(tmp_path) as library:
        with vectorizing.embedding(library, FakeEmbedder(), SPEC, tell):
            store(library, "one", "/1")
            assert seen.wait(20)
            store(library, "two", "/2")
        assert library.unembedded_count(SPEC)[0] == 0
    assert [(progress.done, progress.total) for progress in told] == [(1, 1), (2, 2)]
    assert all(progress.stage == "embed" for progress in told)


def test_equal_texts_are_embedded_once_whatever_their_documents(tmp_path: Path) -> None:
    embedder = FakeEmbedder()
    with Library.open(tmp_path) as library:
        for uri in ("/1", "/2"):
            with vectorizing.embedding(library, embedder, SPEC, print):
                library.add([(source := document("one", uri=uri, title=""), [])], SPEC)
                library.add_chunks(vectorizing.passages_of(source, embedder, SETTINGS), SPEC)
    assert embedder.embedded == ["one"]


def test_what_fails_in_the_other_thread_is_raised(tmp_path: Path) -> None:
    class Failing(FakeEmbedder):
        def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
            raise MemoryError

    with (
        Library.open(tmp_path) as library,
        pytest.raises(MemoryError),
        vectorizing.embedding(library, Failing(), SPEC, print),
    ):
        store(library, "one", "/1")


def test_what_fails_inside_stops_the_other_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    with (
        Library.open(tmp_path) as library,
        pytest.raises(ValueError, match="inside"),
        vectorizing.embedding(library, FakeEmbedder(), SPEC, print),
    ):
        raise ValueError("inside")
    assert threading.active_count() == before


def test_the_title_before_a_passage_counts_as_a_sentence(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        with vectorizing.embedding(library, FakeEmbedder(), SPEC, print):
            store(library, "It met. It left.", "/1")
        with library.reading() as connection:
            ((rows,),) = connection.execute("SELECT sentences FROM vectors").fetchall()
    found = np.frombuffer(rows, "<f2").reshape(-1, SPEC.dimension)
    for vector, text in zip(found, ("/1\n", "It met.", "It left."), strict=True):
        np.testing.assert_allclose(vector, FakeEmbedder().query(text), atol=1e-3)
