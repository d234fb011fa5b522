"""A folder of notes, its library, and the commands on it that are killed, starved or hurt."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

from assistant import index
from assistant.integrity import verify
from assistant.library import Library
from assistant.records import document_row
from tests.children import Child, Children, Outcome, opened
from tests.fakes import document
from tests.unit.test_library import downgrade

FILES = 60
CHANGED = range(0, FILES, 4)
REMOVED = range(0, FILES, 5)
MOVED = range(1, FILES, 10)
DELAY = 0.01  # seconds that the fake embedder takes for a batch of 8 passages
FILLER = (
    "The ferry left the harbour early that morning, and the people who had waited for it on the"
    " quay went home again through the narrow streets, a little disappointed but not surprised."
)


def marker(number: int) -> str:
    """A word that one note alone holds; all letters, which the index does not take apart."""
    return "zq" + "".join("abcdefghij"[int(digit)] for digit in f"{number:03d}") + "x"


def name(number: int) -> str:
    return f"note-{number:03d}.txt"


def text(number: int, *, revised: bool = False) -> str:
    last = f"The revised timetable {number} says so." if revised else f"So ends note {number}."
    return f"Note {number} is about {marker(number)}.\n\n{FILLER}\n\n{last}\n"


def write(docs: Path, numbers: range, *, revised: bool = False) -> Path:
    docs.mkdir(exist_ok=True)
    for number in numbers:
        (docs / name(number)).write_text(text(number, revised=revised))
    return docs


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
        assert verify(library, generations).problems == ()
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


def age(data: Path) -> None:
    """Makes a data directory what the first version wrote."""
    with Library.open(data) as library, library.reading() as connection:
        downgrade(connection)
        directory = data / "generations" / str(library.generation)
    manifest = index.read_manifest(directory)
    assert manifest
    older = manifest.model_copy(update={"format": index.FORMAT - 1}).sealed()
    (directory / "manifest.json").write_text(older.model_dump_json())


def change(docs: Path, *, rearranged: bool) -> None:
    """Some notes are written anew and some come; ``rearranged``, some go and some move too."""
    for number in CHANGED:
        write(docs, range(number, number + 1), revised=True)
    write(docs, range(FILES, FILES + 10))
    for number in MOVED if rearranged else ():
        (docs / name(number)).rename(docs / f"{name(number)[:-4]}-moved.txt")
    for number in REMOVED if rearranged else ():
        (docs / name(number)).unlink()


def weigh_down(data: Path) -> None:
    """Adds an older version of something large, so that a copy takes its time."""
    large = document_row(document("ballast " * 4_000_000, uri="/docs/large.txt"), 1)
    with Library.open(data) as library, library.writing() as connection:
        connection.execute(
            "INSERT INTO documents (id, uri, version, facts, text, seal, text_seal, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'retired')",
            large,
        )


def small_library(root: Path, children: Children) -> Path:
    """The data directory of 14 notes, of which some have older versions, and of files that fail."""
    docs = write(root / "docs", range(12))
    (docs / "empty.txt").write_text("")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    data = root / "start"
    children.run("index", data, docs=str(docs))
    write(docs, range(4), revised=True)
    write(docs, range(12, 14))
    children.run("index", data, docs=str(docs))
    return data


class Window:
    """A command on a data directory, with what may be live before it and must be after it.

    ``seconds`` is how long it takes when nobody interferes.
    """

    def __init__(self, root: Path, children: Children, kind: str) -> None:
        self.children, self.kind = children, kind
        self.data, self.start, self.file = root / "data", root / "start", root / "saved"
        self._looked = root / "looked"
        self.before: dict[str, str] = {}
        self._prepare(docs := write(root / "docs", range(FILES)))
        delayed = {"docs": str(docs), "delay": DELAY}
        self.verb, self.arguments = {
            "first": ("index", delayed),
            "parsing": ("index", {**delayed, "parse_here": False}),
            "update": ("index", delayed),
            "sync": ("sync", delayed),
            "remove": ("remove", {"names": [name(number) for number in REMOVED]}),
            "publish": ("rebuild", {"chroma_here": False}),
            "embed": ("rebuild", {"model": "fake:2", "delay": DELAY}),
            "backup": ("backup", {"file": str(self.file)}),
            "restore": ("restore", {"file": str(self.file)}),
        }.get(kind, ("rebuild", {}))
        self.reset()
        began = time.monotonic()
        outcome = children.run(self.verb, self.data, **self.arguments)
        self.seconds = time.monotonic() - began
        self.embedded = outcome.get("embedded", 0)
        self.after, self.content = live(self.data), content(self.data)
        self.done = 0  # passages that were told to be embedded by those killed
        self.found = Counter[str]()  # how often what was left was the old, and how often the new

    def _prepare(self, docs: Path) -> None:
        """Makes ``start`` and what belongs to it, and changes the notes."""
        if self.kind in {"first", "parsing"}:
            self.start.mkdir()
            return
        self.children.run("index", self.start, docs=str(docs))
        if self.kind in {"backup", "restore"}:
            weigh_down(self.start)
        if self.kind == "restore":
            self.children.run("backup", self.start, file=str(self.file))
            shutil.rmtree(self.start)
            self.start.mkdir()
            return
        self.before = live(self.start)
        if self.kind == "migrate":
            age(self.start)
        if self.kind in {"update", "sync"}:
            change(docs, rearranged=self.kind == "sync")

    def reset(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.start, self.data)
        if self.kind == "backup":
            self.file.unlink(missing_ok=True)
        self.done = 0

    def kill(self, moment: float) -> bool:
        """Whether it was killed, ``moment`` seconds after it began."""
        child = self.children.start(self.verb, self.data, **self.arguments)
        killed = child.kill_after(moment)
        self.done += embedded(child)
        if not killed:
            self.ended(child.outcome())
        return killed

    def ended(self, outcome: Outcome) -> None:
        """Whether it went well, or an earlier one had done it before it died."""
        if "error" in outcome:
            expected = {"remove": "no document", "restore": "holds a library already"}
            assert self.kind in expected, outcome
            assert expected[self.kind] in outcome["message"], outcome

    def look(self, *, killed: bool) -> None:
        """Nothing acknowledged is lost: all of the old state, or all of the new.

        On a copy, so that what comes next finds what was left and not what was mended.
        """
        shutil.rmtree(self._looked, ignore_errors=True)
        shutil.copytree(self.data, self._looked)
        found = live(self._looked)
        assert found in ((self.before, self.after) if killed else (self.after,))
        self.found["new" if found == self.after else "old"] += 1
        if self.kind == "backup" and self.file.exists():
            self._carried()

    def finish(self) -> None:
        """The same command again ends as if nothing had happened."""
        outcome = self.children.run(self.verb, self.data, **self.arguments)
        self.ended(outcome)
        assert outcome.get("embedded", 0) <= self.embedded - self.done, "embedded once more"
        if self.kind == "restore":
            assert live(self.data) == self.after  # what was restored has its index by now
        assert content(self.data) == self.content
        if self.kind == "remove":
            for number in REMOVED:
                assert files_with(self.data, marker(number)) == []
        if self.kind == "backup":
            assert sorted(self.file.parent.glob("saved*")) == [self.file]
            self._carried()

    def _carried(self) -> None:
        """A backup that is there is whole."""
        shutil.rmtree(self._looked)
        outcome = self.children.run("restore", self._looked, file=str(self.file))
        assert "error" not in outcome, outcome
        assert content(self._looked) == self.content


LONGER = ("parsing", "publish")  # than the others: they start the processes that users have
WINDOWS = (
    *("first", "update", "sync", "remove", "rebuild", "embed", "migrate", "backup", "restore"),
    *LONGER,
)


def embedded(child: Child) -> int:
    """How many passages it had said were embedded."""
    return max((done for stage, done in child.said() if stage == "embed"), default=0)


def kill_at_random(window: Window, wanted: int, dice: random.Random) -> int:
    """Kills it at ``wanted`` moments, and looks at what is left after each; how many rounds."""
    kills = rounds = 0
    while kills < wanted:
        window.reset()
        for earlier in range(dice.choice([1, 2, 3])):  # killed again before it was whole again
            killed = window.kill(dice.uniform(0, window.seconds))
            kills += killed
            window.look(killed=killed)
            if not earlier:  # about one in five is to come too late, however busy the machine
                window.seconds *= 1.05 if killed else 0.8
            if not killed:
                break
        window.finish()
        rounds += 1
        assert rounds < 9 * wanted, "it is hardly ever killed: too short"
    return rounds


# -- no space ----------------------------------------------------------------------------------


def refused(outcome: Outcome, *words: str) -> None:
    """The outcome is one line of error, with a way out."""
    assert outcome.get("error") == "LibraryError", outcome
    assert outcome["hint"]
    for line in (outcome["message"], outcome["hint"]):
        assert "\n" not in line
        assert "Traceback" not in line
    for word in words:
        assert word in outcome["message"]


# -- flipped bits and lost ends ----------------------------------------------------------------


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
