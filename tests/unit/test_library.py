from __future__ import annotations

import datetime as dt
import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant import publication
from assistant.errors import (
    IndexMismatchError,
    LibraryError,
    LibraryInUseError,
    UnknownDocumentError,
)
from assistant.failing import failures
from assistant.library import Counts, Library
from assistant.records import vector_seal
from assistant.types import Document, Failure, Mark
from tests.fakes import SPEC, FakeEmbedder, chunks, document, embed, fill


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


def states(library: Library) -> dict[str, str]:
    with library.reading() as connection:
        return dict(connection.execute("SELECT id, state FROM documents"))


def keys(library: Library) -> list[int]:
    with library.reading() as connection:
        return [key for (key,) in connection.execute("SELECT key FROM passages ORDER BY key")]


def alter(library: Library, statement: str) -> None:
    """What a flipped bit does: a change that goes past the library."""
    with library.reading() as connection:
        connection.execute(statement)


def test_what_is_stored_comes_back_as_it_was(library: Library) -> None:
    text = "Ağrı – Чечня 👩‍🔬 x\u0301\nשלום עולם\n" + "长" * 3000
    original = document(
        text,
        uri="/тексты/a b.md",
        title="T",
        author="A. Author",
        published=dt.date(2022, 9, 13),
        groups=("staff",),
        marks=(Mark(start=0, kind="heading", label="Top"),),
    )
    fill(library, original)
    assert library.document(original.id) == original
    found = library.passages(keys(library)[::-1])
    assert [p for p, _ in found] == [chunk.passage for chunk in chunks(original)][::-1]
    assert all(d == original.model_copy(update={"text": ""}) for _, d in found)


def test_a_version_goes_from_pending_to_ready_to_live_to_retired(library: Library) -> None:
    first, second = document("one\ntwo"), document("one\nthree")
    library.add([(first, chunks(first))], SPEC)
    assert states(library) == {first.id: "pending"}
    assert publication.complete(library, SPEC) == 0, "it has no vectors yet"
    embed(library)
    assert states(library) == {first.id: "ready"}
    assert library.documents() == []
    published = publication.publish(library, "000001", SPEC)
    assert published == ((first.uri,), ())
    assert library.generation == "000001"
    assert library.counts() == Counts(documents=1, passages=2)

    library.add([(second, chunks(second))], SPEC)
    assert [w.embedded for w in library.unembedded(SPEC, 0, 9)] == ["three"], "one has its vector"
    embed(library)
    assert publication.publish(library, "000002", SPEC) == ((), (first.uri,))
    assert states(library) == {first.id: "retired", second.id: "live"}
    assert [(d.id, d.version) for d in library.documents()] == [(second.id, 2)]
    before = keys(library)
    publication.sweep(library)
    assert len(before) == 4
    assert keys(library) == before[2:], "the retired one has lost its passages"
    assert library.document(first.id).text == "one\ntwo", "but old citations open"

    fill(library, first)
    publication.publish(library, "000003", SPEC)
    publication.sweep(library)
    assert [(d.id, d.version) for d in library.documents()] == [(first.id, 3)]
    assert library.counts() == Counts(documents=1, passages=2)


def test_a_version_that_was_never_live_gives_way_to_the_next(library: Library) -> None:
    first, second = document("one"), document("two")
    library.add([(first, chunks(first))], SPEC)
    fill(library, second)
    assert states(library) == {second.id: "ready"}


def test_a_key_is_never_used_twice(library: Library) -> None:
    fill(library, document("one\ntwo", uri="/a"))
    publication.publish(library, "000001", SPEC)
    named = keys(library)
    publication.publish(library, None, SPEC, erase={"/a"})
    publication.sweep(library)
    fill(library, document("three\nfour", uri="/b"))
    assert min(keys(library)) > max(named), "an index that is still open may name the old ones"


def test_adding_again_changes_nothing(library: Library) -> None:
    fill(library, document("one"))
    before = keys(library)
    fill(library, document("one"))
    assert keys(library) == before


def test_an_interrupted_add_leaves_nothing(library: Library) -> None:
    def entries() -> Iterator[tuple[Document, list[object]]]:
        first = document("one")
        yield first, chunks(first)  # type: ignore[misc]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.add(entries(), SPEC)  # type: ignore[arg-type]
    assert states(library) == {}
    assert library.spec is None


def test_another_spec_is_refused_by_the_name_of_its_setting(library: Library) -> None:
    library.check_spec(SPEC)
    fill(library, document("one"))
    library.check_spec(SPEC)
    for change, setting in (
        ({"embedding": "fake:2"}, "models.embedding"),
        ({"size": 100}, "chunking.size"),
        ({"dimension": 33}, "dimension"),
        ({"chunking": 2}, "chunking"),
    ):
        with pytest.raises(IndexMismatchError) as caught:
            library.check_spec(SPEC.model_copy(update=change))
        assert caught.value.setting == setting


def test_passages_of_two_specs_stand_side_by_side_until_one_is_published(library: Library) -> None:
    kept = document("one\ntwo")
    fill(library, kept)
    publication.publish(library, "000001", SPEC)
    other = SPEC.model_copy(update={"embedding": "fake:2"})
    assert library.unchunked(SPEC) == []
    assert library.unchunked(other) == [kept.id]
    library.add_chunks(chunks(kept), other)
    assert library.unembedded_count(other)[0] == 2, "a vector of one model is not another's"
    with pytest.raises(LibraryError, match="vector"):
        list(publication.next_rows(library, other))
    embed(library, other)
    assert library.spec == SPEC
    assert library.counts() == Counts(1, 2)
    publication.publish(library, "000002", other)
    publication.sweep(library)
    assert library.spec == other
    assert library.counts() == Counts(1, 2)
    assert len(keys(library)) == 2


def test_what_is_removed_is_out_of_sight_at_once_and_then_gone(library: Library) -> None:
    gone, kept = document("canary", uri="/a"), document("kept", uri="/b")
    fill(library, gone, kept)
    publication.publish(library, "000001", SPEC)
    named = keys(library)
    publication.publish(library, "000002", SPEC, erase={"/a"})
    assert [d.uri for d in library.documents()] == ["/b"]
    assert len(library.passages(named)) == 2, "who holds the older index can still read"
    with pytest.raises(UnknownDocumentError):
        library.document(gone.id)
    publication.sweep(library)
    assert states(library) == {kept.id: "live"}
    for path in library.directory.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes()
    fill(library, gone)
    assert states(library)[gone.id] == "ready"


def test_what_is_swept_is_overwritten_even_without_vacuum(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "_VACUUM_BELOW", 0)
    rng = np.random.default_rng(0)
    for number in range(60):
        word = "canary" if number % 3 == 0 else "kept"
        lines = (f"{word} {'x' * int(rng.integers(5, 3000))}{n}" for n in range(8))
        fill(library, document("\n".join(lines), uri=f"/{word}/{number}"))
    publication.publish(library, "000001", SPEC)
    assert b"canary" in (library.directory / "library.sqlite3").read_bytes()
    canaries = {d.uri for d in library.documents() if "canary" in d.uri}
    publication.publish(library, "000002", SPEC, erase=canaries)
    publication.sweep(library)
    for path in library.directory.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes()


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ("UPDATE documents SET text = 'anf'", "assistant remove"),
        ("UPDATE documents SET facts = replace(facts, 'test', 'tess')", "assistant remove"),
        ("UPDATE documents SET version = 3", "assistant remove"),
        ("UPDATE passages SET text = 'onf'", "rebuild --embed"),
        ('UPDATE passages SET "start" = 1', "rebuild --embed"),
        ("UPDATE passages SET locator = 'page 2'", "rebuild --embed"),
        ("UPDATE passages SET lead = 'Title'", "rebuild --embed"),
        ("DELETE FROM passages", "rebuild --embed"),
    ],
)
def test_a_changed_bit_is_an_error_and_not_an_answer(
    library: Library, change: str, hint: str
) -> None:
    fill(library, document("one"))
    alter(library, change)

    def read() -> None:
        library.passages([1])
        library.document(document("one").id)

    with pytest.raises(LibraryError) as caught:
        read()
    assert hint in caught.value.hint


def test_a_changed_or_missing_vector_reaches_no_index(library: Library) -> None:
    fill(library, document("one"))
    alter(library, "UPDATE vectors SET vector = zeroblob(128)")
    with pytest.raises(LibraryError, match="vector of passage 1"):
        list(publication.next_rows(library, SPEC))
    alter(library, "DELETE FROM vectors")
    with pytest.raises(LibraryError, match="vector of passage 1"):
        list(publication.next_rows(library, SPEC))


def test_a_person_may_name_a_document_in_several_ways(library: Library) -> None:
    here = os.path.abspath("notes.txt")
    fill(library, document("one", uri=here), document("two", uri="/x/a.txt"))
    fill(library, document("three", uri="/y/a.txt"))
    assert library.uris(here) == [here]
    assert library.uris("notes.txt") == [here]
    assert library.uris("./notes.txt") == [here]
    assert library.uris(document("two", uri="/x/a.txt").id) == ["/x/a.txt"]
    assert library.uris("/x/../x/a.txt") == ["/x/a.txt"]
    assert library.uris("a.txt") == ["/x/a.txt", "/y/a.txt"]
    assert library.uris("txt") == []
    fill(library, document("four", uri="/z/all.zip!/a.md"))
    assert library.uris("all.zip") == library.uris("/z/all.zip") == ["/z/all.zip"]
    assert library.uris("a.md") == library.within("/z/all.zip") == ["/z/all.zip!/a.md"]
    assert library.within("/x/a.txt") == ["/x/a.txt"]
    with pytest.raises(UnknownDocumentError):
        library.document("nothing")


def test_the_digest_changes_with_the_documents(library: Library) -> None:
    fill(library, document("one"))
    empty = library.digest
    publication.publish(library, "000001", SPEC)
    assert library.digest != empty


def test_threads_share_a_library(library: Library) -> None:
    def run(worker: int) -> None:
        for number in range(10):
            fill(library, document(f"text {worker} {number}", uri=f"/{worker}/{number}"))
            library.documents()
            library.passages(keys(library))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert list(states(library).values()) == ["ready"] * 40


def test_files_are_their_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    """T46."""
    before = os.umask(0)
    try:
        with Library.open(tmp_path / "new" / "data") as library:
            fill(library, document("one"))
            for path in (library.directory, *library.directory.iterdir()):
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    finally:
        os.umask(before)


def test_sqlite_is_set_for_safety(library: Library) -> None:
    wanted = {"journal_mode": "truncate", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with library.reading() as connection:
        for pragma, value in wanted.items():
            assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_a_full_disk_is_named_and_loses_nothing(library: Library) -> None:
    fill(library, document("one"))
    with library.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(LibraryError, match="no space left") as caught:
        fill(library, document("x" * 100_000, uri="/big"))
    assert str(library.directory) in str(caught.value)
    assert "free some space" in caught.value.hint
    alter(library, "PRAGMA max_page_count = 1000000")
    fill(library, document("x" * 100_000, uri="/big"))
    assert len(states(library)) == 2


def test_a_second_owner_is_told_who_the_first_is(library: Library) -> None:
    with pytest.raises(LibraryInUseError, match=f"in use by pid {os.getpid()} since 20"):
        Library.open(library.directory)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("PRAGMA user_version = 99", "newer version"),
        ("CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM documents; END", "tables"),
        ("DROP TABLE failures", "tables"),
    ],
)
def test_a_database_that_is_not_ours_is_refused(tmp_path: Path, damage: str, message: str) -> None:
    with Library.open(tmp_path) as library:
        alter(library, damage)
    with pytest.raises(LibraryError, match=message):
        Library.open(tmp_path)
    with pytest.raises(LibraryError, match=message):
        Library.open(tmp_path)  # and the lock was let go


def downgrade(connection: sqlite3.Connection) -> None:
    """Makes a database what the first version wrote."""
    connection.execute("DROP TABLE visits")
    connection.execute("DROP TABLE ends")
    connection.executescript(
        "DROP TABLE failures; CREATE TABLE failures (uri TEXT PRIMARY KEY, reason TEXT NOT NULL,"
        " hint TEXT NOT NULL) STRICT; CREATE TABLE kept AS SELECT hash, vector FROM vectors;"
        "DROP TABLE vectors; CREATE TABLE vectors ( hash BLOB PRIMARY KEY, vector BLOB NOT NULL,"
        " seal INTEGER NOT NULL ) STRICT; PRAGMA user_version = 1"
    )
    for name, vector in connection.execute("SELECT * FROM kept").fetchall():
        row = (name, vector, vector_seal(name, vector, b""))
        connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", row)
    connection.execute("DROP TABLE kept")


def test_r31_a_library_of_an_older_version_is_carried_over(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        fill(library, document("It met on Monday."))
        with library.reading() as connection:
            downgrade(connection)
            connection.execute("INSERT INTO failures VALUES ('/a', 'encrypted', 'unlock it')")
    for _ in range(2):
        with Library.open(tmp_path) as library:
            assert failures(library) == [Failure(uri="/a", reason="encrypted", hint="unlock it")]
            assert len(states(library)) == 1
            (row,) = publication.next_rows(library, SPEC)
            assert row.vector == FakeEmbedder().query("It met on Monday.").tobytes()
            assert row.sentences == b""


def test_r31_an_older_version_that_is_no_library_is_left_alone(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library, library.reading() as connection:
        downgrade(connection)
        connection.execute("CREATE TABLE ours (x)")
    before = (tmp_path / "library.sqlite3").read_bytes()
    with pytest.raises(LibraryError, match="tables"):
        Library.open(tmp_path)
    assert (tmp_path / "library.sqlite3").read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite3").write_text("nonsense " * 1000)
    with pytest.raises(LibraryError, match="damaged") as caught:
        Library.open(tmp_path)
    assert "backup" in caught.value.hint


def test_a_torn_page_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        fill(library, *(document(f"text {n}\n" * 50, uri=f"/{n}") for n in range(50)))
        publication.publish(library, "000001", SPEC)
    path = tmp_path / "library.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(LibraryError, match="damaged"), Library.open(tmp_path) as library:
        library.documents()


def test_a_path_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(LibraryError, match="data"):
        Library.open(tmp_path / "data")


def test_mistakes_of_ours_are_not_dressed_up_as_the_disks(library: Library) -> None:
    with pytest.raises(sqlite3.OperationalError), library.reading() as connection:
        connection.execute("SELECT nothing FROM nowhere")
