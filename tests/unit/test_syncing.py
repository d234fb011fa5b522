from __future__ import annotations

import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from assistant import syncing
from assistant.errors import MassDeleteError, PathError
from assistant.types import IndexReport, Move, SyncPlan
from tests.fakes import ChromaHere
from tests.making import Text, letter
from tests.unit.test_ingestion import Place


class Synced(Place):
    """A folder that the library is made to follow."""

    def plan(self, *folders: Path) -> SyncPlan:
        return syncing.plan(self.library, self.settings, folders or [self.docs])

    def sync(self, *folders: Path, mass_delete: bool = False) -> IndexReport:
        return syncing.apply(
            self.plan(*folders),
            self.library,
            self.generations,
            self.embedder,
            self.settings,
            mass_delete=mass_delete,
        )

    def names(self) -> set[str]:
        return {os.path.relpath(uri, self.docs) for uri in self.library.held()}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Synced]:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)
    place = Synced(tmp_path)
    yield place
    place.close()


def test_a_plan_says_what_differs_and_changes_nothing(place: Synced) -> None:
    for name in "abcdefgh":
        place.write(f"{name}.txt", f"The {name} treaty was signed in Astana.")
    place.sync()
    place.write("a.txt", "The treaty was renounced.")
    place.write("new.txt", "A summit was held in Minsk.")
    (place.docs / "b.txt").unlink()
    (place.docs / "c.txt").rename(place.docs / "moved.txt")
    before = place.library.held()

    planned = place.plan()

    at = str(place.docs)
    assert planned.added == (f"{at}/new.txt",)
    assert planned.updated == (f"{at}/a.txt",)
    assert planned.removed == (f"{at}/b.txt",)
    assert planned.moved == (Move(old=f"{at}/c.txt", new=f"{at}/moved.txt"),)
    assert planned.unchanged == 5
    assert place.library.held() == before


def test_what_was_planned_is_seen_at_once_and_a_move_embeds_nothing(place: Synced) -> None:
    for name in ("a.md", "b.md", "c.md", "d.md"):
        place.write(name, f"# About {name}\n\nThe summit was held in Minsk.")
    place.sync()
    place.embedder.embedded.clear()
    (place.docs / "d.md").rename(place.docs / "e.md")

    report = place.sync()

    assert [Path(move.new).name for move in report.moved] == ["e.md"]
    assert (report.added, report.removed) == ((), ())
    assert place.embedder.embedded == []
    assert place.names() == {"a.md", "b.md", "c.md", "e.md"}
    assert not place.problems()


def test_a_second_sync_does_nothing(place: Synced) -> None:
    place.write("a.txt", "The summit was held in Minsk.")
    place.sync()
    generation = place.library.generation
    report = place.sync()
    assert report.documents == 1
    assert place.library.generation == generation


def test_removed_words_are_gone_from_the_disk(place: Synced) -> None:
    for name in "abcd":
        place.write(f"{name}.txt", f"Number {name} of the summits.")
    place.write("secret.txt", "The zzcanaryzz was sold.")
    place.sync()
    (place.docs / "secret.txt").unlink()
    place.sync()
    for path in place.library.directory.rglob("*"):
        assert path.is_dir() or b"zzcanaryzz" not in path.read_bytes(), path


@pytest.mark.parametrize("root", ["emptied", "gone"])
def test_a_mass_delete_has_to_be_allowed(place: Synced, root: str) -> None:
    for name in "abc":
        place.write(f"{name}.txt", f"Number {name} of the summits.")
    place.sync()
    shutil.rmtree(place.docs)  # as if the disk were not mounted
    if root == "emptied":
        place.docs.mkdir()
    assert place.plan().mass_delete
    with pytest.raises(MassDeleteError) as caught:
        place.sync()
    assert "3 documents" in str(caught.value)
    assert "--yes" in caught.value.hint
    assert len(place.library.held()) == 3
    assert place.sync(mass_delete=True).documents == 0


def test_a_folder_of_which_nothing_is_known_has_to_be_there(place: Synced) -> None:
    with pytest.raises(PathError):
        place.plan(place.docs / "typo")


def test_what_cannot_be_read_is_kept(place: Synced) -> None:
    place.write("deep/a.txt", "The summit was held in Minsk.")
    for name in "bcd":
        place.write(f"{name}.txt", f"Number {name} of the summits.")
    place.sync()
    (place.docs / "b.txt").unlink()
    os.mkfifo(place.docs / "b.txt")
    hidden = place.docs / "deep"
    shutil.rmtree(hidden)
    hidden.symlink_to("/nowhere")  # as unreadable as a folder without permission is to its user

    planned = place.plan()

    assert planned.removed == ()
    assert {Path(uri).name for uri in planned.unreadable} == {"b.txt", "deep"}
    report = place.sync()
    assert {failure.reason for failure in report.failed} == {"unsupported"}
    assert place.names() == {"b.txt", "c.txt", "d.txt", "deep/a.txt"}


def test_what_left_an_archive_leaves_the_library(place: Synced) -> None:
    def pack(*names: str) -> None:
        with zipfile.ZipFile(place.docs / "a.zip", "w") as archive:
            for name in names:
                archive.writestr(name, f"The {name} treaty was signed in Astana.")

    pack("one.txt", "two.txt", "three.txt")
    place.write("b.txt", "The summit was held in Minsk.")
    place.sync()
    assert len(place.names()) == 4
    assert place.sync().documents == 4
    pack("one.txt", "three.txt")
    report = place.sync()
    assert [uri.rpartition("/")[2] for uri in report.removed] == ["two.txt"]
    (place.docs / "a.zip").write_bytes(b"PK broken")
    place.sync()
    assert len(place.names()) == 3, "an archive that cannot be opened keeps what is known of it"
    (place.docs / "a.zip").unlink()
    assert place.plan().mass_delete
    place.sync(mass_delete=True)
    assert place.names() == {"b.txt"}
    assert not place.problems()


def test_other_folders_are_left_alone(place: Synced, tmp_path: Path) -> None:
    place.write("a.txt", "The summit was held in Minsk.")
    other = tmp_path / "docs2"  # begins with the other's name
    other.mkdir()
    (other / "b.txt").write_text("The treaty was signed in Astana.")
    place.sync(place.docs, other)
    (place.docs / "a.txt").unlink()
    report = place.sync(place.docs, mass_delete=True)
    assert [Path(uri).name for uri in report.removed] == ["a.txt"]
    assert [Path(uri).name for uri in place.library.held()] == ["b.txt"]


def test_changes_are_told_when_it_is_quiet_again(tmp_path: Path) -> None:
    stop = threading.Event()
    told = syncing.changes([tmp_path], stop)
    timer = threading.Timer(0.5, lambda: (tmp_path / "a.txt").write_text("words"))
    timer.start()
    assert next(told) is None
    stop.set()
    assert list(told) == []


class Folder(RuleBasedStateMachine):
    """R20: files come, change, move and go; after each sync the library holds just the folder."""

    names = st.sampled_from(["a.txt", "b.txt", "sub/c.txt", "sub/d.txt"])
    texts = st.sampled_from(["The summit was held.", "The treaty was signed.", "Troops withdrew."])

    @initialize()
    def begin(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("assistant.generations.ChromaProcess", ChromaHere)
        import tempfile

        self.root = Path(tempfile.mkdtemp())
        self.place = Synced(self.root)

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.close()
            shutil.rmtree(self.root)
            self.patch.undo()

    @rule(name=names, text=texts)
    def write(self, name: str, text: str) -> None:
        self.place.write(name, text)

    @rule(name=names)
    def delete(self, name: str) -> None:
        (self.place.docs / name).unlink(missing_ok=True)

    @rule(old=names, new=names)
    def move(self, old: str, new: str) -> None:
        if (self.place.docs / old).exists():
            (self.place.docs / new).parent.mkdir(exist_ok=True)
            (self.place.docs / old).rename(self.place.docs / new)

    @rule()
    def sync(self) -> None:
        if any(path.is_file() for path in self.place.docs.rglob("*")) or self.place.names():
            self.place.sync(mass_delete=True)
        present = {
            os.path.relpath(path, self.place.docs): path.read_text()
            for path in self.place.docs.rglob("*")
            if path.is_file()
        }
        held = {
            os.path.relpath(document.uri, self.place.docs): self.place.library.document(
                document.id
            ).text
            for document in self.place.library.documents()
        }
        assert held == present

    @invariant()
    def sound(self) -> None:
        if hasattr(self, "place"):
            assert not self.place.problems()


Folder.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestFolder = Folder.TestCase


def test_what_is_attached_to_a_mail_follows_it(place: Synced) -> None:
    def write(name: str, *attached: str) -> None:
        message = letter(Text("Talks", ["The council met on Monday."]))
        for number in attached:
            message.add_attachment(f"Treaty {number} was signed.", filename=f"{number}.txt")
        (place.docs / name).write_bytes(message.as_bytes())

    write("a.eml", "1", "2")
    place.sync()
    assert place.names() == {"a.eml", "a.eml!/1.txt", "a.eml!/2.txt"}
    report = place.sync()
    assert (report.removed, len(report.unchanged)) == ((), 3)
    write("a.eml", "2", "3")
    report = place.sync()
    assert place.names() == {"a.eml", "a.eml!/2.txt", "a.eml!/3.txt"}
    assert [os.path.basename(uri) for uri in report.removed] == ["1.txt"]
    (place.docs / "a.eml").rename(place.docs / "b.eml")
    place.sync(mass_delete=True)
    assert place.names() == {"b.eml", "b.eml!/2.txt", "b.eml!/3.txt"}
    (place.docs / "b.eml").unlink()
    place.sync(mass_delete=True)
    assert place.names() == set()
