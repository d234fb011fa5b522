"""Killed, starved of space, refused, damaged: nothing acknowledged is lost, nothing is made up.

ASSISTANT_TEST_KILLS is the number of random kills, 60 unless set.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import LibraryInUseError
from assistant.library import Library
from tests.children import Children, listing, opened
from tests.fakes import ChromaHere
from tests.faults import (
    LONGER,
    WINDOWS,
    Window,
    content,
    copied,
    damage,
    files_with,
    kill_at_random,
    kinds,
    live,
    marker,
    refused,
    write,
)

KILLS = int(os.environ.pop("ASSISTANT_TEST_KILLS", "60"))  # the command knows no such setting
QUERIES = ["zqaahx", "zqabbx zqabcx", "the ferry left early", "revised timetable"]
CASES = 30  # of damage


@pytest.fixture(autouse=True)
def check_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, children: Children) -> Path:
    """A folder with ``docs``, 12 files, and ``data``, their library."""
    root = tmp_path_factory.mktemp("small")
    write(root / "docs", range(12))
    children.run("index", root / "data", docs=str(root / "docs"))
    return root


# -- R01, R02, R03: kill -9 --------------------------------------------------------------------


@pytest.mark.parametrize("kind", WINDOWS)
def test_r01_killed_at_random_moments(kind: str, place: Path, children: Children) -> None:
    wanted = 2 if kind in LONGER else -(-KILLS // (len(WINDOWS) - len(LONGER)))
    kill_at_random(Window(place, children, kind), wanted, random.Random(kind))


POINTS = [
    "assistant.library:Library add after",
    "assistant.library:Library put_vectors after",
    "assistant.publication complete after",
    "assistant.index mark_closed before",
    "assistant.index build after",
    "pathlib:Path rename after",
    *(f"assistant.publication publish {number}" for number in range(1, 10)),
    "assistant.publication publish after",
    *(f"assistant.publication sweep {number}" for number in range(2, 8)),
    "assistant.publication sweep after",
]


@pytest.mark.parametrize("erase", [False, True], ids=["update", "remove"])
def test_r02_r03_killed_between_any_two_steps(
    erase: bool, place: Path, small: Path, children: Children
) -> None:
    data = place / "data"
    docs = Path(shutil.copytree(small / "docs", place / "docs"))
    start = place / "start"
    children.run("index", start / "data", docs=str(docs))
    before = live(start / "data")
    write(docs, range(4), revised=True)
    write(docs, range(12, 14))
    verb, arguments = "index", {"docs": str(docs)}
    if erase:
        verb, arguments = "remove", {"names": ["note-001.txt", "note-002.txt"]}
    children.run(verb, copied(start, data), **arguments)
    after, whole = live(data), content(data)
    missed = []
    for point in POINTS[3:] if erase else POINTS:  # nothing is embedded when documents go
        child = children.start(verb, copied(start, data), point=point, **arguments)
        if child.wait() == 0:
            missed.append(point)
        assert live(data) in (before, after), point
        children.run(verb, data, **arguments)
        assert content(data) == whole, point
        assert not erase or not files_with(data, marker(1)), point
    assert missed == []


# -- R18: one owner ----------------------------------------------------------------------------


def test_r18_a_second_process_is_told_who_and_since_when(place: Path, children: Children) -> None:
    data = place / "data"
    owner = children.start("hold", data)
    while not owner.said():
        time.sleep(0.01)
    others = [children.start("check", data) for _ in range(3)]
    assert [other.wait() for other in others] == [0, 0, 0]
    for other in others:
        outcome = other.outcome()
        assert outcome["error"] == "LibraryInUseError"
        assert f"in use by pid {owner.pid} since 20" in outcome["message"]
        assert "\n" not in outcome["message"]
    started = time.monotonic()
    with pytest.raises(LibraryInUseError) as caught:
        Library.open(data)
    assert time.monotonic() - started < 1
    assert (caught.value.pid, caught.value.since[:2]) == (owner.pid, "20")
    assert owner.kill_after(0)
    with Library.open(data) as library:  # and what it left behind is no obstacle
        assert library.documents() == []


def test_r18_of_many_at_once_one_gets_in(place: Path, children: Children) -> None:
    data = place / "data"
    for _ in range(5):
        crowd = [children.start("hold", data) for _ in range(4)]
        deadline = time.monotonic() + 10
        while not any(child.said() for child in crowd) and time.monotonic() < deadline:
            time.sleep(0.01)
        (owner,) = [child for child in crowd if child.said()]
        for child in crowd:
            if child is not owner:
                assert child.wait() == 0
                assert child.outcome()["error"] == "LibraryInUseError"
        assert owner.kill_after(0)


# -- R05, R06, R07: no space, no permission ----------------------------------------------------


def starved(children: Children, data: Path, docs: Path) -> bool:
    """Indexes without enough space; whether that was refused, with nothing lost."""
    outcome = children.run("index", data, docs=str(docs))
    if "error" not in outcome:
        return False
    refused(outcome, "no space left", str(data))
    assert "free some space" in outcome["hint"]
    found = children.run("ask", data, queries=[marker(3)])
    assert "error" not in found, "what is indexed can still be asked for"
    assert found["found"][0][0][:1] == ["note-003.txt"]
    return True


def test_r05_a_full_disk(place: Path, small: Path, children: Children, mount: Any) -> None:
    disk = mount("disk", "-t", "tmpfs", "-o", "size=12m", "tmpfs")
    docs = Path(shutil.copytree(small / "docs", place / "docs"))
    children.run("index", place / "start" / "data", docs=str(docs))
    before = live(place / "start" / "data")
    write(docs, range(4), revised=True)
    write(docs, range(12, 40))
    children.run("index", copied(place / "start", place / "data"), docs=str(docs))
    after, whole = live(place / "data"), content(place / "data")
    outcomes = []
    for left in (0, 4, 12, 40, 120, 400, 900, 3000):  # KiB
        data = copied(place / "start", disk / "data")
        ballast = shutil.disk_usage(disk).free - left * 1024
        with (disk / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, ballast)
        outcomes.append(starved(children, data, docs))
        (disk / "ballast").unlink()
        assert live(data) == (before if outcomes[-1] else after)
        assert "error" not in children.run("index", data, docs=str(docs))
        assert content(data) == whole
    assert outcomes[:3] == [True] * 3, outcomes
    assert not outcomes[-1], outcomes


def test_r06_a_limit_on_the_size_of_files(place: Path, small: Path, children: Children) -> None:
    docs = Path(shutil.copytree(small / "docs", place / "docs"))
    children.run("index", place / "start" / "data", docs=str(docs))
    before = live(place / "start" / "data")
    write(docs, range(12, 60))
    children.run("index", copied(place / "start", place / "data"), docs=str(docs))
    whole = content(place / "data")
    for fsize in (1, 16, 64, 128):  # KiB
        data = copied(place / "start", place / "data")
        refused(children.run("index", data, docs=str(docs), fsize=fsize * 1024), str(data))
        assert live(data) == before
        assert "error" not in children.run("index", data, docs=str(docs))
        assert content(data) == whole


@pytest.mark.parametrize("how", ["mount", "user"])
@pytest.mark.parametrize("fresh", [False, True], ids=["filled", "empty"])
def test_r07_a_data_directory_that_is_read_only(
    how: str, fresh: bool, small: Path, children: Children, request: pytest.FixtureRequest
) -> None:
    nobody = how == "user" and os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="read-only-") as folder:
        os.chmod(folder, 0o755)
        data = Path(folder, "data")
        if fresh:
            data.mkdir()
        else:
            copied(small, data)
        for path in (data, *data.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        kept = sorted((p, p.stat().st_size) for p in data.rglob("*"))
        where = data
        if how == "mount":
            mount = request.getfixturevalue("mount")
            where = mount("data", "--bind", data)
            subprocess.run(["mount", "-o", "remount,ro,bind", where], check=True)
        for verb, arguments in (
            ("index", {"docs": str(small / "docs")}),
            ("ask", {"queries": QUERIES}),
            ("check", {}),
        ):
            outcome = children.run(verb, where, nobody=nobody, **arguments)
            refused(outcome, "cannot write in", str(where))
            assert "--data" in outcome["hint"]
        assert sorted((p, p.stat().st_size) for p in data.rglob("*")) == kept
        for path in (data, *data.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        expected = [] if fresh else ["note-000.txt", "note-011.txt"]
        with opened(data) as (library, _):
            assert [line[0] for line in listing(library)][::11] == expected


def test_r07_the_command_says_so_in_a_line(small: Path, mount: Any, place: Path) -> None:
    data = mount("data", "--bind", copied(small, place / "data"))
    subprocess.run(["mount", "-o", "remount,ro,bind", data], check=True)
    command = [sys.executable, "-m", "assistant", "documents", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    error, way_out = done.stderr.splitlines()
    assert error.startswith(f"error: cannot write in {data}: ")
    assert way_out.startswith("  try: ")


# -- R08: flipped bits and lost ends -----------------------------------------------------------


def test_r08_damage_is_mended_or_named_and_never_answered_from(
    place: Path, small: Path, children: Children
) -> None:
    data = place / "data"
    sound = children.run("ask", copied(small, data), queries=QUERIES)
    assert sound.pop("warnings") == []
    assert all(sound["found"])
    names = sorted(kinds(data))
    assert {"library.sqlite3", "chroma.sqlite3", "vectors.npy", ".term", "closed"} <= {*names}
    dice = random.Random(8)
    mended = named = 0
    for case in range(CASES):
        path = kinds(copied(small, data))[
            names[case % len(names)] if case % 3 else "library.sqlite3"
        ]
        what = damage(path, dice)
        hurt = Path(shutil.copytree(data, place / "hurt"))
        child = children.start("ask", data, queries=QUERIES)
        if child.wait() < 0:  # Chroma dies of some, which is why a process of its own looks first
            child = children.start("ask", hurt, queries=QUERIES, chroma_here=False)
            assert child.wait() == 0, what
        shutil.rmtree(hurt)
        outcome = child.outcome()
        if "error" in outcome:
            assert outcome["error"] in {"LibraryError", "IndexMismatchError"}, (what, outcome)
            assert outcome["hint"], what
            named += 1
        else:
            mended += len(outcome.pop("warnings"))
            assert outcome == sound, what
    assert mended >= CASES // 3
    assert named >= 1


@pytest.mark.parametrize(
    ("held", "becomes", "says", "way_out"),
    [
        (None, b"", "library.sqlite3 is empty", "backup"),
        (b"locator TEXT,", b"locatnr TEXT,", "does not hold the tables", "backup"),
        (b"locator TEXT,", b"locator TEX\xd4,", "library.sqlite3", "backup"),
        (b"d WHERE state = 'ready'", b"d WHERE state = 'rdady'", "tables", "backup"),
        (b"zqaadx.", b"zq\xe1adx.", "passage", "rebuild --embed"),
        (b'"title":"Note 003"', b'"title":"Note\xa0003"', "document", "assistant remove"),
        (b"note-003.txt", b"note-0\xb03.txt", "document", "assistant remove"),
        (b'"chunking":', b'"khunking":', "what it was made with", "backup"),
    ],
)
def test_r08_a_library_without_a_source_is_never_begun_anew_nor_believed(
    held: bytes | None,
    becomes: bytes,
    says: str,
    way_out: str,
    place: Path,
    small: Path,
    children: Children,
) -> None:
    path = copied(small, place / "data") / "library.sqlite3"
    content = path.read_bytes()
    assert held is None or held in content
    path.write_bytes(becomes if held is None else content.replace(held, becomes))
    outcome = children.run("ask", path.parent, queries=[marker(3)])
    assert outcome.get("error") == "LibraryError", outcome
    assert "\n" not in outcome["message"]
    assert says in outcome["message"]
    assert way_out in outcome["hint"]
    assert [*(path.parent / "generations").iterdir()], "nothing is cleaned away for want of names"


def test_r08_no_index_is_made_of_a_library_that_does_not_hold_together(
    place: Path, small: Path, children: Children
) -> None:
    """A document whose state is no state would be left out of it without a word."""
    path = copied(small, place / "data") / "library.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"note-010.txtlive", b"note-010.txtlivd"))
    outcome = children.run("remove", path.parent, names=["note-003.txt"])
    refused(outcome, "is damaged")
    found = children.run("ask", path.parent, queries=[marker(3), marker(10)])["found"]
    assert [rows[0][0] for rows in found] == ["note-003.txt", "note-010.txt"]


def test_r08_verify_names_what_it_cannot_read(place: Path, small: Path, children: Children) -> None:
    data = copied(small, place / "data")
    with opened(data) as (library, _):
        (lost, *_) = (document.id for document in library.documents())
    path = data / "library.sqlite3"
    content = path.read_bytes()
    for name, becomes in (
        ("bounds.npy", b""),
        (path.name, content.replace(lost.encode(), b"x" * 24, 1)),
    ):
        data = copied(small, place / "data")
        kinds(data)[name].write_bytes(becomes)
        assert children.run("check", data)["problems"], name


@pytest.mark.parametrize(
    ("held", "becomes"), [('"en"', '"un"'), ('"passages":', '"qassages":'), ('"format":', "]")]
)
def test_r08_what_is_said_about_an_index_is_not_believed_when_changed(
    held: str, becomes: str, place: Path, small: Path, children: Children
) -> None:
    sound = children.run("ask", copied(small, place / "data"), queries=QUERIES)
    (path,) = copied(small, place / "data").rglob("manifest.json")
    text = path.read_text()
    assert held in text
    path.write_text(text.replace(held, becomes))
    outcome = children.run("ask", place / "data", queries=QUERIES)
    assert "manifest.json" in outcome.pop("warnings")[0]
    assert outcome == {name: sound[name] for name in outcome}


def test_r08_an_index_whose_name_is_damaged_is_made_again(
    place: Path, small: Path, children: Children
) -> None:
    sound = children.run("ask", copied(small, place / "data"), queries=QUERIES)
    path = copied(small, place / "data") / "library.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"000001-", b"00p001-"))
    outcome = children.run("ask", place / "data", queries=QUERIES)
    assert "making the search index again" in outcome.pop("warnings")[0]
    assert outcome == {name: sound[name] for name in outcome}
