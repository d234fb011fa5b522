"""Killed, starved of space, refused, damaged: nothing acknowledged is lost, nothing is made up.

ASSISTANT_TEST_KILLS is the number of random kills, 12 unless set.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import health
from assistant.errors import LibraryInUseError
from assistant.integrity import verify
from assistant.library import Library
from tests.children import Children, Outcome, listing, opened
from tests.fakes import CheckHere

KILLS = int(os.environ.pop("ASSISTANT_TEST_KILLS", "12"))  # the command knows no such setting
FILES = 100
CHANGED = range(0, FILES, 4)
REMOVED = [f"note-{number:03d}.txt" for number in range(0, FILES, 5)]
DELAY = 0.01  # seconds that the fake embedder takes for a batch of 8 passages
FILLER = (
    "The ferry left the harbour early that morning, and the people who had waited for it on the"
    " quay went home again through the narrow streets, a little disappointed but not surprised."
)
QUERIES = ["zqaahx", "zqabbx zqabcx", "the ferry left early", "revised timetable"]
CASES = 30  # of damage


def marker(number: int) -> str:
    """A word that one note alone holds; all letters, which the index does not take apart."""
    return "zq" + "".join("abcdefghij"[int(digit)] for digit in f"{number:03d}") + "x"


def text(number: int, *, revised: bool = False) -> str:
    last = f"The revised timetable {number} says so." if revised else f"So ends note {number}."
    return f"Note {number} is about {marker(number)}.\n\n{FILLER}\n\n{last}\n"


def write(docs: Path, numbers: range, *, revised: bool = False) -> Path:
    docs.mkdir(exist_ok=True)
    for number in numbers:
        path = docs / f"note-{number:03d}.txt"
        path.write_text(text(number, revised=revised))
    return docs


@pytest.fixture(autouse=True)
def check_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "Check", CheckHere)


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    children = Children(tmp_path_factory.mktemp("children"))
    yield children
    children.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A new folder, in memory where it can be: nothing here needs a real disk to wait for."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, children: Children) -> Path:
    """A folder with ``docs``, 12 files, and ``data``, their library."""
    root = tmp_path_factory.mktemp("small")
    write(root / "docs", range(12))
    children.run("index", root / "data", docs=str(root / "docs"))
    return root


def copied(root: Path, to: Path) -> Path:
    """A fresh copy of the ``data`` of ``root``."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(root / "data", to))


def live(data: Path) -> dict[str, str]:
    """The text of each live document, by file name; every one is found, once, by its own word."""
    texts: dict[str, str] = {}
    with opened(data) as (library, generations):
        documents = library.documents()
        for document in documents:
            name = Path(document.uri).name
            texts[name] = library.document(document.id).text
            with generations.lease() as index:
                keys, _ = index.lexical(marker(int(name[5:8])), 9)
            found = {found.id for _, found in library.passages(keys.tolist())}
            assert found == {document.id}, name
    assert len(texts) == len(documents), "a document is there twice"
    return texts


def content(data: Path) -> list[tuple[Any, ...]]:
    """Every live passage with its place, text and vector; the library is sound and tidy."""
    with opened(data) as (library, generations):
        assert verify(library, generations).problems == ()
        names = [path.name for path in (data / "generations").iterdir()]
        assert names == [library.generation]
        with library.reading() as connection:
            states = connection.execute("SELECT DISTINCT state FROM documents").fetchall()
            assert {state for (state,) in states} <= {"live", "retired"}
            rows = connection.execute(
                'SELECT d.uri, d.text, p.ordinal, p."start", p.text, v.vector FROM documents d'
                " JOIN passages p ON p.document_id = d.id JOIN vectors v ON v.hash = p.hash"
                " WHERE d.state = 'live' ORDER BY d.uri, p.ordinal"
            ).fetchall()
        with generations.lease() as index:
            assert index.passages == len(rows)
    return rows


def files_with(directory: Path, word: str) -> list[Path]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return [path for path in paths if word.encode() in path.read_bytes().lower()]


# -- R01, R02, R03: kill -9 --------------------------------------------------------------------


class Window:
    """A command on a data directory, with what may be live before it and must be after it."""

    def __init__(self, root: Path, children: Children, name: str) -> None:
        self.children, self.name = children, name
        self.data, self.start = root / "data", root / "start"
        docs = write(root / "docs", range(FILES))
        if name == "first":
            self.start.mkdir()
            self.before: dict[str, str] = {}
        else:
            children.run("index", self.start, docs=str(docs))
            self.before = live(self.start)
        if name == "update":
            for number in CHANGED:
                write(docs, range(number, number + 1), revised=True)
            write(docs, range(FILES, FILES + 10))
        self.arguments: Outcome = {"docs": str(docs), "delay": DELAY}
        if name == "remove":
            self.arguments = {"names": REMOVED}
        self.verb = "remove" if name == "remove" else "index"
        self.seconds = 60.0
        for _ in range(2):  # the first time, much is still to be loaded
            self.reset()
            started = time.monotonic()
            outcome = children.run(self.verb, self.data, **self.arguments)
            self.seconds = min(self.seconds, time.monotonic() - started)
        self.embedded = outcome.get("embedded", 0)
        self.after = live(self.data)
        self.content = content(self.data)

    def reset(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.start, self.data)

    def kill(self, moment: float) -> bool:
        """Whether it was killed, ``moment`` seconds after it began; then looks at what is left."""
        child = self.children.start(self.verb, self.data, **self.arguments)
        killed = child.kill_after(moment)
        told = [done for stage, done in child.said() if stage == "embed"]
        self.done += max(told, default=0)
        if not killed:
            self.ended(child.outcome())
        return killed

    def ended(self, outcome: Outcome) -> None:
        if self.verb == "remove" and "error" in outcome:  # an earlier one did it before it died
            assert outcome["error"] == "UnknownDocumentError"
        else:
            assert "error" not in outcome, outcome

    def look(self, *, killed: bool) -> None:
        """Nothing acknowledged is lost: all of the old state, or all of the new."""
        found = live(self.data)
        assert found in ((self.before, self.after) if killed else (self.after,))

    def finish(self) -> None:
        """The same command again ends as if nothing had happened."""
        outcome = self.children.run(self.verb, self.data, **self.arguments)
        self.ended(outcome)
        if self.verb == "index":
            assert outcome["embedded"] <= self.embedded - self.done, "embedded once more"
        assert content(self.data) == self.content
        if self.verb == "remove":
            for name in REMOVED:
                assert files_with(self.data, marker(int(name[5:8]))) == []

    done = 0  # passages that were told to be embedded by those killed


@pytest.mark.parametrize("name", ["first", "update", "remove"])
def test_r01_killed_at_random_moments(name: str, place: Path, children: Children) -> None:
    window = Window(place, children, name)
    moments = random.Random(name)
    kills = rounds = 0
    while kills < -(-KILLS // 3):
        window.reset()
        window.done = 0
        for _ in range(moments.choice([1, 1, 2])):  # killed again before it was whole again
            killed = window.kill(moments.uniform(0, window.seconds))
            kills += killed
            window.look(killed=killed)
        window.finish()
        rounds += 1
        assert rounds < 9 * KILLS, "it is hardly ever killed: too short"


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


def refused(outcome: Outcome, *words: str) -> None:
    """The outcome is one line of error, with a way out."""
    assert outcome.get("error") == "LibraryError", outcome
    assert outcome["hint"]
    for line in (outcome["message"], outcome["hint"]):
        assert "\n" not in line
        assert "Traceback" not in line
    for word in words:
        assert word in outcome["message"]


@pytest.fixture
def mount() -> Iterator[Any]:
    """Mounts, in a folder that anyone may enter; skips who may not mount."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    root = Path(tempfile.mkdtemp(prefix="mount-"))
    root.chmod(0o755)
    mounted: list[Path] = []

    def run(name: str, *arguments: object) -> Path:
        (root / name).mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", *map(str, arguments), root / name], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"mount is refused here: {done.stderr.strip()}")
        mounted.append(root / name)
        return root / name

    yield run
    for path in reversed(mounted):
        subprocess.run(["umount", path], check=True)
    shutil.rmtree(root)


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
        outcome = children.run("index", data, docs=str(docs), fsize=fsize * 1024)
        if "error" in outcome:
            refused(outcome, str(data))
        else:  # the limit struck the processes that parse first
            assert not outcome["added"]
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


def kinds(data: Path) -> dict[str, Path]:
    """The files of a data directory, by what they are for."""
    return {
        path.name if path.parent.name != "tantivy" else path.suffix: path
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.name != "lock" and path.stat().st_size
    }


def damage(path: Path, dice: random.Random) -> str:
    """Flips a bit or cuts the end off; says what it did."""
    held = bytearray(path.read_bytes())
    if dice.random() < 0.3:
        size = dice.choice([0, len(held) - 1, dice.randrange(len(held))])
        path.write_bytes(held[:size])
        return f"{path.name} cut to {size} of {len(held)}"
    place, bit = dice.randrange(len(held)), dice.randrange(8)
    held[place] ^= 1 << bit
    path.write_bytes(held)
    return f"{path.name}: bit {bit} of byte {place}"


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
            child = children.start("ask", hurt, queries=QUERIES, real_check=True)
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
