from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.backup import backup, restore
from assistant.database import FILE
from assistant.errors import LibraryError, PathError
from assistant.generations import Generations
from assistant.integrity import verify
from assistant.library import Library
from tests.fakes import ChromaHere, document, fill
from tests.unit.test_ingestion import Place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)
    place = Place(tmp_path)
    place.write("a.txt", "The summit was held in Minsk.\n\nThe treaty was signed.")
    place.write("b.txt", "Troops withdrew in March.")
    place.index()
    yield place
    place.close()


def dump(directory: Path) -> list[str]:
    """All that a library holds, but for which index is searched."""
    connection = sqlite3.connect(directory / FILE)
    lines = [line for line in connection.iterdump() if '"meta"' not in line]
    connection.close()
    return lines


def test_a_backup_of_a_library_in_use_is_restored_elsewhere(place: Place, tmp_path: Path) -> None:
    backup(place.library.directory, tmp_path / "saved")
    place.write("c.txt", "Written after the backup.")
    place.index()
    restore(tmp_path / "saved", tmp_path / "new")

    with Library.open(tmp_path / "new") as library:
        generations = Generations(library, lambda _: None)
        with generations.lease() as index:
            assert len(index.lexical("summit", 5)[0]) == 1
        assert not verify(library, generations).problems
        assert len(library.documents()) == 2
        generations.close()
    assert stat.S_IMODE((tmp_path / "saved").stat().st_mode) == 0o600


def test_a_backup_while_documents_are_taken_in_is_one_moment(place: Place, tmp_path: Path) -> None:
    """R32: each backup is whole, whatever is being written."""
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            fill(place.library, document(f"Report number {number}.", uri=f"/docs/{number}.txt"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup(place.library.directory, tmp_path / "saved")
            restore(tmp_path / "saved", tmp_path / f"new{number}")
            with Library.open(tmp_path / f"new{number}") as library:
                connection = library._connection
                orphans = connection.execute(
                    "SELECT COUNT(*) FROM passages WHERE document_id NOT IN"
                    " (SELECT id FROM documents)"
                )
                assert orphans.fetchone() == (0,)
                assert len(library.documents()) == 2
    finally:
        done.set()
        writer.join()


def test_a_library_that_nobody_uses_is_backed_up(place: Place, tmp_path: Path) -> None:
    unused = tmp_path / "unused"
    with Library.open(unused) as library:
        fill(library, document("The summit was held in Minsk."))
    backup(unused, tmp_path / "saved")
    restore(tmp_path / "saved", tmp_path / "new")
    assert dump(tmp_path / "new") == dump(unused)


def test_nothing_else_is_overwritten(place: Place, tmp_path: Path) -> None:
    precious = tmp_path / "thesis.docx"
    precious.write_text("ten years of work")
    with pytest.raises(PathError, match="is no backup"):
        backup(place.library.directory, precious)
    assert precious.read_text() == "ten years of work"
    backup(place.library.directory, tmp_path / "saved")
    restore(tmp_path / "saved", tmp_path / "new")
    with pytest.raises(LibraryError, match="holds a library already"):
        restore(tmp_path / "saved", tmp_path / "new")
    with pytest.raises(PathError, match="writ"):
        backup(place.library.directory, tmp_path / "nowhere" / "saved")
    with pytest.raises(LibraryError, match="no library"):
        backup(tmp_path / "nothing", tmp_path / "saved")
    backup(place.library.directory, tmp_path / "saved")  # an older backup gives way
    assert sorted(os.listdir(tmp_path)) == ["data", "docs", "new", "saved", "thesis.docx"]


def test_a_directory_that_was_only_looked_at_takes_a_backup(place: Place, tmp_path: Path) -> None:
    backup(place.library.directory, tmp_path / "saved")
    with Library.open(tmp_path / "new") as library:
        Generations(library).close()
    restore(tmp_path / "saved", tmp_path / "new")
    with Library.open(tmp_path / "new") as library:
        assert len(library.documents()) == 2


def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    place: Place, tmp_path: Path
) -> None:
    good, new = tmp_path / "saved", tmp_path / "new"
    backup(place.library.directory, good)
    content = good.read_bytes()
    refused = 0
    for name, bad in {
        "empty": b"",
        "text": b"no database",
        "half": content[: len(content) // 2],
        "header": content[:100],
        "zeros": content[:4096] + bytes(len(content) - 4096),
        "other": content.replace(b"CREATE TABLE vectors", b"CREATE TABLE vectorz"),
        "newer": content[:60] + (99).to_bytes(4) + content[64:],
    }.items():
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(LibraryError):
            restore(tmp_path / "bad", new)
        refused += 1
        assert not (new / FILE).exists(), name
        assert sorted(os.listdir(new) if new.exists() else []) in ([], ["lock"])
    assert refused == 7
    with pytest.raises(PathError, match="no backup"):
        restore(tmp_path / "typo", new)
    restore(good, new)
