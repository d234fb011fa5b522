from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant import ingestion, pool, vectorizing
from assistant.errors import (
    EmptyLibraryError,
    IndexMismatchError,
    LibraryError,
    ModelError,
    PathError,
    UnknownDocumentError,
)
from assistant.failing import failures
from assistant.generations import Generations
from assistant.integrity import verify
from assistant.library import Library
from assistant.loading import Loaded
from assistant.pool import Pool
from assistant.settings import ChunkingSettings, Settings
from assistant.types import Document, Failure, IndexReport, Progress
from tests.fakes import ChromaHere, FakeEmbedder, ReadHere
from tests.making import Text, letter

SETTINGS = Settings(chunking=ChunkingSettings(size=32))
CANARY = "zzcanaryzz"


class Place:
    """A folder of documents, a data directory, and the verbs between them."""

    def __init__(self, root: Path) -> None:
        self.docs = root / "docs"
        self.docs.mkdir()
        self.embedder = FakeEmbedder()
        self.settings = SETTINGS
        self.warnings: list[str] = []
        self.library = Library.open(root / "data")
        self.generations = Generations(self.library, self.warnings.append)

    def close(self) -> None:
        self.generations.close()
        self.library.close()

    def write(self, name: str, text: str) -> Path:
        path = self.docs / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def index(self, *paths: Path, **more: object) -> IndexReport:
        return ingestion.ingest(
            self.library,
            self.generations,
            self.embedder,
            self.settings,
            paths or [self.docs],
            **more,  # type: ignore[arg-type]
        )

    def remove(self, *names: str) -> IndexReport:
        return ingestion.remove(self.library, self.generations, names)

    def rebuild(self, *, embed: bool = False) -> IndexReport:
        embedder = self.embedder if embed else None
        return ingestion.rebuild(self.library, self.generations, embedder, self.settings)

    def problems(self) -> tuple[str, ...]:
        return verify(self.library, self.generations).problems

    def found(self, query: str) -> list[str]:
        """Names of the files that a search by words finds."""
        with self.generations.lease() as index:
            keys, _ = index.lexical(query, 50)
            pairs = self.library.passages(keys.tolist())
        return sorted({Path(document.uri).name for _, document in pairs})


@pytest.fixture(autouse=True)
def check_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    for name in "abc":
        place.write(f"{name}.txt", f"{name}lpha came first.\n\nThen came {name}eta.\n")
    yield place
    place.close()


def files_with(directory: Path, word: str) -> list[Path]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return [path for path in paths if word.encode() in path.read_bytes().lower()]


def test_documents_go_in_once(place: Place) -> None:
    first = place.index()
    assert [Path(uri).name for uri in first.added] == ["a.txt", "b.txt", "c.txt"]
    assert (first.documents, first.passages) == (3, 3)
    embedded = len(place.embedder.embedded)
    again = place.index()
    assert [Path(uri).name for uri in again.unchanged] == ["a.txt", "b.txt", "c.txt"]
    assert not again.added
    assert len(place.embedder.embedded) == embedded
    assert place.found("blpha") == ["b.txt"]
    assert place.problems() == ()


def test_an_unchanged_collection_is_not_parsed_nor_published(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.index()
    before = place.library.generation
    monkeypatch.setattr(Pool, "load", None)
    os.utime(place.docs / "a.txt", (0, 0))  # R21: content decides, not dates
    assert len(place.index().unchanged) == 3
    assert place.library.generation == before


def test_a_changed_file_is_a_new_version_and_the_old_one_still_opens(place: Place) -> None:
    place.index()
    (old,) = [d for d in place.library.documents() if d.uri.endswith("a.txt")]
    path = place.write("a.txt", "alpha came first.\n\nThen came omega.\n")
    report = place.index()
    assert report.updated == (str(path),)
    assert len(report.unchanged) == 2
    (new,) = [d for d in place.library.documents() if d.uri == str(path)]
    assert (old.version, new.version) == (1, 2)
    assert place.found("aeta") == []
    assert place.found("omega") == ["a.txt"]
    assert "aeta" in place.library.document(old.id).text
    place.write("a.txt", "alpha came first.\n\nThen came aeta.\n")
    assert place.index().updated == (str(path),)
    (back,) = [d for d in place.library.documents() if d.uri == str(path)]
    assert (back.id, back.version) == (old.id, 3)
    assert place.found("aeta") == ["a.txt"]
    assert place.problems() == ()


def test_only_what_changed_is_embedded(place: Place) -> None:
    sections = [f"# Part {n}\n\n{'word ' * 20}{n}." for n in range(10)]
    place.write("long.md", "\n\n".join(sections))
    place.index()
    place.embedder.embedded.clear()
    sections[4] = "# Part 4\n\nquite another thing."
    place.write("long.md", "\n\n".join(sections))
    place.index()
    assert len(place.embedder.embedded) == 1
    assert "another" in place.embedder.embedded[0]
    assert place.problems() == ()


def test_equal_texts_are_embedded_once(place: Place) -> None:
    for name in ("one", "two"):
        place.write(f"{name}.md", "# Same\n\nThe very same words.\n")
    place.index(place.docs / "one.md", place.docs / "two.md", place.docs)
    assert sum("very same" in text for text in place.embedder.embedded) == 1
    assert place.found("words") == ["one.md", "two.md"]


def test_a_file_that_cannot_be_read_is_a_failure_and_the_others_go_on(place: Place) -> None:
    path = place.write("empty.txt", "")
    report = place.index()
    assert [(f.uri, f.reason) for f in report.failed] == [(str(path), "empty")]
    assert report.failed[0].hint
    assert len(report.added) == 3
    assert str(path) not in report.unchanged
    assert failures(place.library) == list(report.failed)
    place.write("empty.txt", "now it says something")
    assert place.index().added == (str(path),)
    assert failures(place.library) == []


def test_a_version_that_cannot_be_read_leaves_the_live_one(place: Place) -> None:
    place.index()
    place.write("a.txt", "")
    report = place.index()
    assert [f.reason for f in report.failed] == ["empty"]
    assert place.found("alpha") == ["a.txt"]


def test_when_all_fail_the_report_says_so(place: Place) -> None:
    for name in "abc":
        place.write(f"{name}.txt", "")
    report = place.index()
    assert len(report.failed) == 3
    assert (report.documents, report.passages) == (0, 0)
    assert place.library.generation is None
    with pytest.raises(EmptyLibraryError):
        place.found("x")
    with pytest.raises(EmptyLibraryError):
        place.rebuild()


def test_a_folder_without_files_and_a_missing_path_are_named(place: Place) -> None:
    (place.docs / "nothing").mkdir()
    with pytest.raises(PathError, match="nothing"):
        place.index(place.docs / "nothing")
    with pytest.raises(PathError, match="missing"):
        place.index(place.docs / "missing")


def test_a_file_name_may_hold_any_bytes(place: Place) -> None:
    try:
        (place.docs / os.fsdecode(b"caf\xe9 \xff.txt")).write_text("strange name")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    report = place.index()
    assert report.model_dump_json()
    assert any("caf\\xe9" in uri or "caf\\udce9" in uri for uri in report.added)
    assert len(place.index().unchanged) == 4


def test_progress_is_told_stage_by_stage(place: Place) -> None:
    told: list[Progress] = []
    place.index(on_progress=told.append)
    last = {progress.stage: progress for progress in told}
    assert list(last) == ["load", "embed", "publish"]
    assert all(progress.done == progress.total == 3 for progress in last.values())


class Stopping(FakeEmbedder):
    """Is interrupted at its ``left``-th batch from now."""

    left = 1

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().documents(texts)


def test_an_interrupted_run_goes_on_where_it_stopped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectorizing, "BATCH", 2)
    place.embedder = Stopping()
    with pytest.raises(KeyboardInterrupt):
        place.index()
    assert place.library.documents() == []
    assert len(place.embedder.embedded) == 2
    place.embedder.left = 9
    with monkeypatch.context() as patch:
        patch.setattr(Pool, "load", None)  # nothing is parsed again
        report = place.index()
    assert len(report.added) == 3
    assert len(place.embedder.embedded) == 3, "nothing is embedded twice"
    assert place.problems() == ()


def test_what_was_left_undone_is_finished_whatever_is_indexed_next(place: Place) -> None:
    place.embedder = Stopping()
    place.embedder.left = 0
    with pytest.raises(KeyboardInterrupt):
        place.index(place.docs / "a.txt")
    place.embedder.left = 9
    report = place.index(place.docs / "b.txt")
    assert [Path(uri).name for uri in report.added] == ["a.txt", "b.txt"]


def test_a_pending_version_gives_way_to_a_newer_file(place: Place) -> None:
    place.embedder = Stopping()
    place.embedder.left = 0
    with pytest.raises(KeyboardInterrupt):
        place.index()
    place.write("a.txt", "quite different")
    place.embedder.left = 9
    assert len(place.index().added) == 3
    assert place.found("alpha") == []
    assert place.found("different") == ["a.txt"]


def test_an_embedder_that_gives_rubbish_is_named(place: Place) -> None:
    class Broken(FakeEmbedder):
        spoil: Callable[[NDArray[np.float32]], NDArray[np.float32]]

        def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return self.spoil(super().documents(texts))

    place.embedder = Broken()
    for spoil in (lambda v: v * np.nan, lambda v: v * 0, lambda v: v[:, :9], lambda v: v[1:]):
        place.embedder.spoil = spoil
        with pytest.raises(ModelError, match="fake:1"):
            place.index()
    assert place.library.documents() == []


# -- settings ----------------------------------------------------------------------------------


def test_passages_are_no_longer_than_the_model_reads(place: Place) -> None:
    place.write("long.txt", "alpha beta gamma. " * 200)
    place.settings = Settings()
    place.embedder.max_tokens = 70
    place.index()
    assert place.library.spec == vectorizing.spec_of(place.embedder, place.settings)
    assert place.library.spec.size == 40
    assert max(len(place.embedder.tokens(text)) for text in place.embedder.embedded) <= 70
    place.embedder.max_tokens = 256
    with pytest.raises(IndexMismatchError, match=r"chunking.size = 40"):
        place.index()
    place.embedder.max_tokens = 60
    with pytest.raises(ModelError, match="reads 60 tokens"):
        place.index()


def test_other_settings_are_refused_and_rebuild_mends_it(place: Place) -> None:
    place.index()
    place.embedder = FakeEmbedder("fake:2", 16)
    place.write("d.txt", "delta")
    with pytest.raises(IndexMismatchError, match=r"models\.embedding = fake:1"):
        place.index()
    assert place.rebuild(embed=True).documents == 3
    assert place.index().added
    place.settings = Settings(chunking=ChunkingSettings(size=100))
    with pytest.raises(IndexMismatchError, match=r"chunking.size = 32, the settings say 100"):
        place.index()
    place.rebuild(embed=True)
    assert place.library.spec == vectorizing.spec_of(place.embedder, place.settings)
    assert place.problems() == ()
    with place.library.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM specs").fetchone() == (1,)
        assert connection.execute("SELECT COUNT(*) FROM vectors").fetchone() == (4,)


def test_embedding_again_serves_the_old_index_and_goes_on_when_interrupted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectorizing, "BATCH", 1)
    place.index()
    before = place.library.generation
    place.embedder = Stopping("fake:2")
    place.embedder.left = 2
    with pytest.raises(KeyboardInterrupt):
        place.rebuild(embed=True)
    assert place.library.generation == before
    assert place.found("alpha") == ["a.txt"]
    assert place.problems() == ()
    place.embedder.left = 9
    place.rebuild(embed=True)
    assert len(place.embedder.embedded) == 3
    assert place.problems() == ()


def test_embedding_again_takes_along_what_was_pending(place: Place) -> None:
    place.index()
    place.write("d.txt", "delta")
    place.embedder = Stopping()
    place.embedder.left = 0
    with pytest.raises(KeyboardInterrupt):
        place.index()
    place.embedder = FakeEmbedder("fake:2")
    assert place.rebuild(embed=True).documents == 4
    assert place.found("delta") == ["d.txt"]
    assert place.problems() == ()


def test_rebuild_without_embedding_asks_for_no_embedder(place: Place) -> None:
    place.index()
    before = place.library.generation
    shutil.rmtree(place.library.directory / "generations" / str(before))
    assert place.rebuild().documents == 3
    assert place.library.generation != before
    assert place.found("alpha") == ["a.txt"]


# -- removing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("named_by", ["id", "path", "name", "uri"])
def test_what_is_removed_is_in_no_file_any_more(place: Place, named_by: str) -> None:
    path = place.write("secret.txt", f"{CANARY} one.\n\n" + f"{CANARY} again and again. " * 300)
    place.index()
    place.write("secret.txt", f"A second version, with {CANARY} in it.")
    place.index()
    data = place.library.directory
    assert files_with(data, CANARY)
    assert place.found(CANARY) == ["secret.txt"]
    (document,) = [d for d in place.library.documents() if d.uri == str(path)]
    name = {"id": document.id, "path": os.path.relpath(path), "name": path.name, "uri": str(path)}
    report = place.remove(name[named_by])
    assert report.removed == (str(path),)
    assert report.documents == 3
    assert files_with(data, CANARY) == []
    assert place.found(CANARY) == []
    with pytest.raises(UnknownDocumentError):
        place.library.document(document.id)
    assert place.problems() == ()
    assert place.index().added == (str(path),), "it may come back"


def test_what_was_never_published_can_be_removed(place: Place) -> None:
    place.index()
    place.write("secret.txt", CANARY)
    place.embedder = Stopping()
    place.embedder.left = 0
    with pytest.raises(KeyboardInterrupt):
        place.index()
    place.remove("secret.txt")
    assert files_with(place.library.directory, CANARY) == []


def test_everything_can_be_removed(place: Place) -> None:
    place.index()
    assert place.remove("a.txt", "b.txt", "c.txt").documents == 0
    assert place.library.generation is None
    assert list((place.library.directory / "generations").iterdir()) == []
    with pytest.raises(EmptyLibraryError):
        place.found("alpha")
    assert place.problems() == ()
    assert len(place.index().added) == 3


def pack(place: Place, **members: str) -> Path:
    path = place.docs / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.txt", text)
    return path


def test_a_file_of_several_is_removed_by_its_own_name_with_its_failures(place: Place) -> None:
    path = pack(place, one=f"The {CANARY} was signed.", two="The summit was held.", three="")
    place.index()
    assert [failure.uri for failure in failures(place.library)] == [f"{path}!/three.txt"]

    report = place.remove("all.zip")

    names = [f"{path}!/{name}.txt" for name in ("one", "three", "two")]
    assert (list(report.removed), report.documents) == (names, 3)
    assert failures(place.library) == []
    assert files_with(place.library.directory, CANARY) == []
    with pytest.raises(UnknownDocumentError):
        place.remove("all.zip")


def test_what_failed_is_forgotten_when_it_goes_well(place: Place) -> None:
    path = pack(place, one="The treaty was signed.", two="")
    place.index()
    pack(place, one="The treaty was signed.")
    place.index()
    assert failures(place.library) == []
    path.write_bytes(path.read_bytes()[:40])
    place.index()
    assert [failure.uri for failure in failures(place.library)] == [str(path)]
    pack(place, one="The treaty was signed.")
    place.index()
    assert failures(place.library) == []


def test_what_is_attached_to_a_mail_comes_and_goes_with_it(place: Place) -> None:
    message = letter(Text("Talks", ["The council met on Monday."]))
    message.add_attachment(f"The {CANARY} was signed.", filename="treaty.txt")
    message.add_attachment(b"MZ", maintype="application", subtype="x", filename="x.exe")
    path = place.docs / "a.eml"
    path.write_bytes(message.as_bytes())
    for known in (False, True, True):
        report = place.index(path)
        assert (report.unchanged if known else report.added) == (str(path), f"{path}!/treaty.txt")
        assert [failure.uri for failure in failures(place.library)] == [f"{path}!/x.exe"]
    assert place.found(CANARY) == ["treaty.txt"]

    place.remove("a.eml")

    assert failures(place.library) == []
    assert files_with(place.library.directory, CANARY) == []


def test_a_mail_that_was_cut_off_from_what_is_attached_gets_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = letter(Text("Talks", ["The council met on Monday."]))
    message.add_attachment("The treaty was signed.", filename="treaty.txt")
    path = place.docs / "a.eml"
    path.write_bytes(message.as_bytes())
    monkeypatch.setattr(ingestion, "_ADD_DOCUMENTS", 1)
    add, added = Library.add, []

    def interrupted(library: Library, entries: Any, spec: Any) -> None:
        added.append(entries)
        if len(added) == 2:
            raise KeyboardInterrupt
        add(library, entries, spec)

    monkeypatch.setattr(Library, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place.index(path)
    assert place.index(path).added == (str(path), f"{path}!/treaty.txt")


class Deadly(ReadHere):
    """What holds the word dies of it; told how often."""

    died = 0

    def load(self, path: Path, *, content: bytes, uri: str, **rest: Any) -> Iterator[Loaded]:
        for loaded in super().load(path, content=content, uri=uri, **rest):
            if isinstance(loaded, Document) and "poison" in loaded.text:
                Deadly.died += 1
                yield Failure(uri=loaded.uri, reason="crashed", hint="", message="it died")
            else:
                yield loaded


@pytest.mark.parametrize("packed", [False, True], ids=["file", "member"])
def test_r36_what_ended_its_process_in_two_runs_is_tried_when_it_changes_or_is_named(
    packed: bool, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "shared", Deadly)
    monkeypatch.setattr(Deadly, "died", 0)

    def write(text: str) -> Path:
        if packed:
            return pack(place, d=text, e="This one is sound.")
        return place.write("d.txt", text)

    path = write("This is poison.")
    reasons = [[failure.reason for failure in place.index().failed] for _ in range(4)]
    assert reasons == [["crashed"], ["crashed"], ["given_up"], ["given_up"]]
    assert Deadly.died == 2
    assert "twice" in place.index().failed[0].message
    place.index(path)
    assert Deadly.died == 3
    write("This is poison again.")
    place.index()
    assert Deadly.died == 4
    write("This is harmless.")
    assert place.index().failed == ()
    assert place.index().failed == ()


def test_an_unknown_or_ambiguous_name_removes_nothing(place: Place) -> None:
    place.write("sub/a.txt", "another file of this name")
    place.index()
    with pytest.raises(UnknownDocumentError, match="nowhere"):
        place.remove("b.txt", "nowhere.txt")
    with pytest.raises(PathError, match="names 2 documents"):
        place.remove("b.txt", "a.txt")
    assert place.index().documents == 4
    assert place.remove(str(place.docs / "a.txt")).documents == 3


# -- checking ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem", "mended"),
    [
        ("UPDATE documents SET text = text || '!'", "document", False),
        ("UPDATE documents SET facts = '{}' WHERE state = 'live'", "document", False),
        ("UPDATE passages SET text = 'x' WHERE key = 1", "passage", True),
        ('UPDATE passages SET "start" = "start" + 1', "passage", True),
        ("UPDATE vectors SET vector = zeroblob(128)", "vector", True),
        ("UPDATE vectors SET vector = x'00'", "vector", True),
        ("UPDATE vectors SET sentences = zeroblob(64)", "vector", True),
        ("DELETE FROM vectors", "no vector", True),
        ("DELETE FROM passages WHERE key = 2", "no passages", True),
        ("UPDATE documents SET state = 'retired'", "too many", True),
        ("DELETE FROM meta", "no search index", True),
    ],
)
def test_verify_finds_every_kind_of_damage_and_its_remedy_works(
    place: Place, change: str, problem: str, mended: bool
) -> None:
    place.index()
    with place.library.reading() as connection:
        connection.execute(change)
    problems = place.problems()
    assert any(problem in line for line in problems), problems
    assert all("assistant" in line for line in problems)
    if mended and "retired" not in change:
        place.rebuild(embed=True)
        assert place.problems() == ()
        assert place.found("alpha") == ["a.txt"]


def test_a_damaged_document_names_the_way_out_and_it_works(place: Place) -> None:
    place.index()
    (document,) = [d for d in place.library.documents() if d.uri.endswith("a.txt")]
    with place.library.reading() as connection:
        connection.execute("UPDATE documents SET text = 'x' WHERE id = ?", (document.id,))
    with pytest.raises(LibraryError) as caught:
        place.library.document(document.id)
    assert f"assistant remove {document.id}" in caught.value.hint
    place.remove(document.id)
    place.index()
    assert place.problems() == ()


def test_verify_compares_the_index_with_the_library(place: Place) -> None:
    place.index()
    place.generations.close()
    directory = place.library.directory / "generations" / str(place.library.generation)
    for path in (directory / "keys.npy", directory / "chroma" / "chroma.sqlite3"):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + b"x")
        assert any("rebuild" in problem for problem in place.problems()), path
        path.write_bytes(content)
    vectors = np.load(directory / "vectors.npy")
    np.save(directory / "vectors.npy", vectors[::-1])
    assert any("another vector" in problem for problem in place.problems())
    place.rebuild()
    assert place.problems() == ()
