"""Kills at random moments, full disks and damaged files, by the hundred: `make bench`, or -k with
killed, disk or damage.

ASSISTANT_TEST_KILLS is the number of random kills, 1080 unless set; ASSISTANT_TEST_DAMAGES that of
flipped bits and lost ends, 400 unless set.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.children import Children, Outcome
from tests.fakes import ChromaHere
from tests.faults import (
    WINDOWS,
    Window,
    damage,
    kill_at_random,
    kinds,
    marker,
    refused,
    small_library,
    write,
)
from tests.shared import BENCHMARKS

NEWS = BENCHMARKS / "xquad-en" / "corpus.jsonl"
KILLS = int(os.environ.pop("ASSISTANT_TEST_KILLS", "1080"))  # the command knows no such setting
DAMAGES = int(os.environ.pop("ASSISTANT_TEST_DAMAGES", "400"))
COMMANDS = 50  # kills of the command itself
LEFT = (0, 4, 16, 40, 80, 150, 300, 600, 1200, 3000)  # KiB
NAMED = {"LibraryError", "IndexMismatchError", "UnknownDocumentError", "EmptyLibraryError"}
QUERIES = [marker(3), f"{marker(5)} {marker(7)}", "the ferry left early", "revised timetable"]


@pytest.fixture
def check_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("check_here")
def test_r01_killed_at_random_moments(kind: str, place: Path, children: Children) -> None:
    wanted = -(-KILLS // len(WINDOWS))
    window = Window(place, children, kind)
    began = time.monotonic()
    rounds = kill_at_random(window, wanted, random.Random(f"{kind} {KILLS}"))
    facts = {"window_s": round(window.seconds, 2), "rounds": rounds, "left": dict(window.found)}
    print(f"\n{kind}: {wanted} kills", json.dumps(facts), f"{time.monotonic() - began:.0f} s")


def assistant(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "assistant", *map(str, arguments)]


@pytest.mark.skipif(not NEWS.exists(), reason="the shared benchmarks are not here")
@pytest.mark.timeout(3600)
def test_r01_the_command_killed_at_random_moments(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for line in NEWS.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        (source / f"{document['id']}.txt").write_text(document["text"], encoding="utf-8")
    names = sorted(path.name for path in source.iterdir())
    data = tmp_path / "data"
    began = time.monotonic()
    subprocess.run(assistant("index", source, "--data", data), check=True, capture_output=True)
    whole = time.monotonic() - began
    moments = random.Random(7)
    landed = 0
    for _ in range(COMMANDS):
        shutil.rmtree(data)
        process = subprocess.Popen(
            assistant("index", source, "--data", data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        landed += process.wait() == -signal.SIGKILL
        subprocess.run(assistant("index", source, "--data", data), check=True, capture_output=True)
        listed = subprocess.check_output(assistant("documents", "--json", "--data", data))
        assert sorted(Path(d["uri"]).name for d in json.loads(listed)) == names
        checked = subprocess.run(
            assistant("verify", "--json", "--data", data), capture_output=True, text=True
        )
        assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, [])
    print(f"\nthe command: {landed} kills within {whole:.1f} s")


@pytest.mark.parametrize("kind", [kind for kind in WINDOWS if kind != "parsing"])
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("check_here")
def test_r05_a_full_disk(
    kind: str, place: Path, children: Children, mount: Callable[..., Path]
) -> None:
    window = Window(place, children, kind)
    disk = mount("disk", "-t", "tmpfs", "-o", "size=160m", "tmpfs")
    window.data = disk / "data"
    if kind == "backup":
        window.file = disk / "saved"
        window.arguments["file"] = str(window.file)
    outcomes: Counter[str] = Counter()
    for left in LEFT:
        window.reset()
        with (disk / "ballast").open("wb") as file:
            space = shutil.disk_usage(disk).free - left * 1024
            os.posix_fallocate(file.fileno(), 0, space)
        outcome = children.run(window.verb, window.data, **window.arguments)
        if "error" in outcome:
            outcomes["refused"] += 1
            refused(outcome, "no space left")
            assert "free some space" in outcome["hint"]
        else:
            outcomes["done"] += 1
        still_answers(window, children, failed="error" in outcome)
        (disk / "ballast").unlink()
        window.look(killed="error" in outcome)
        window.finish()
    print(f"\n{kind}: {dict(outcomes)}, left as it was before and after: {dict(window.found)}")
    assert outcomes["refused"]


def still_answers(window: Window, children: Children, *, failed: bool) -> None:
    """What is indexed can be asked for while the disk is full."""
    if window.kind in {"update", "sync", "remove", "rebuild", "backup"}:
        found = children.run("ask", window.data, queries=[marker(3)])
        assert "error" not in found, found
        assert found["found"][0][0][0] == "note-003.txt"
    elif failed and window.kind in {"first", "migrate", "restore"}:  # nothing was, or nothing can
        found = children.run("ask", window.data, queries=[marker(3)])
        assert {"hint", "found"} & {*found}, found


EVERYTHING = [*QUERIES, *map(marker, range(14))]


class Hurt:
    """A library that is damaged in one place after another, and what is made of it."""

    def __init__(self, place: Path, children: Children) -> None:
        self.children, self.start = children, small_library(place, children)
        self.data, self.hurt = place / "data", place / "hurt"
        self.sound = self._answers(self._copied(self.start))
        self.rows = children.run("dump", self._copied(self.start))
        write(docs := place / "docs", range(5, 7), revised=True)
        self.works: list[tuple[str, dict[str, Any]]] = [
            ("index", {"docs": str(docs)}),
            ("sync", {"docs": str(docs)}),
            ("remove", {"names": ["note-003.txt"]}),
            ("rebuild", {}),
            ("rebuild", {"model": "fake:1"}),
        ]
        self.worked = [self._after(number, self.start) for number in range(len(self.works))]
        assert not any(o.get("warnings") or "error" in o for o in (self.sound, *self.worked))

    def damage(self, name: str, dice: random.Random) -> str:
        shutil.rmtree(self.hurt, ignore_errors=True)
        shutil.copytree(self.start, self.hurt)
        return damage(kinds(self.hurt)[name], dice)

    def ends(self, case: int) -> str:
        """How asking and verifying it end; after each, and after work, no answer is another."""
        asked = self._answers(self._copied(self.hurt))
        checked = self._run("check", self._copied(self.hurt))
        if checked.get("problems") == [] and "error" not in asked:
            assert self.children.run("dump", self.data) == self.rows, "verify finds what matters"
        result = self._after(number := case % len(self.works), self.hurt)
        if "error" not in result:
            assert answers(result) == answers(self.worked[number]), self.works[number]
        verified = "verified" if checked.get("problems") != [] else "nothing to verify"
        if "error" in asked:
            return f"named, {verified}"
        assert answers(asked) == answers(self.sound)
        return f"{'mended' if asked['warnings'] else 'the same answers'}, {verified}"

    def _copied(self, source: Path) -> Path:
        shutil.rmtree(self.data, ignore_errors=True)
        return Path(shutil.copytree(source, self.data))

    def _after(self, number: int, source: Path) -> Outcome:
        """What is answered after this work, or the error that it ends with."""
        verb, arguments = self.works[number]
        done = self._run(verb, self._copied(source), **arguments)
        return done if "error" in done else self._answers(self.data)

    def _answers(self, data: Path) -> Outcome:
        return self._run("ask", data, queries=EVERYTHING)

    def _run(self, verb: str, data: Path, **arguments: Any) -> Outcome:
        """What it returns; Chroma dies of some damage, which is why a process looks first."""
        kept = Path(shutil.copytree(data, data.with_name("kept"), dirs_exist_ok=False))
        child = self.children.start(verb, data, **arguments)
        if child.wait() < 0:
            child = self.children.start(verb, kept, chroma_here=False, **arguments)
            assert child.wait() == 0
        shutil.rmtree(kept)
        outcome = child.outcome()
        if "error" in outcome:
            assert outcome["error"] in NAMED, outcome
            assert outcome["hint"]
        return outcome


def answers(outcome: Outcome) -> Outcome:
    return {name: value for name, value in outcome.items() if name != "warnings"}


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("check_here")
def test_r08_damage_is_mended_or_named_and_never_answered_from(
    place: Path, children: Children
) -> None:
    hurt = Hurt(place, children)
    names = sorted(kinds(hurt.start))
    dice = random.Random(8)
    table: dict[str, Counter[str]] = {}
    wrong = []
    for case in range(DAMAGES):
        name = "library.sqlite3" if case % 3 == 0 else names[case % len(names)]
        what = hurt.damage(name, dice)
        try:
            table.setdefault(name, Counter())[hurt.ends(case // 3)] += 1
        except AssertionError as error:
            wrong.append(f"{what}: {error}"[:2000])
    print()
    for name, ends in sorted(table.items()):
        print(f"  {name:24}", ", ".join(f"{n} {end}" for end, n in ends.most_common()))
    print(f"{DAMAGES} damages:", dict(sum(table.values(), Counter())))
    assert wrong == []


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("check_here")
def test_r08_a_damaged_backup_is_refused_or_whole(place: Path, children: Children) -> None:
    start = small_library(place, children)
    whole, saved, data = place / "whole", place / "saved", place / "data"
    children.run("backup", start, file=str(whole))
    children.run("restore", data, file=str(whole))
    truth = children.run("dump", data)
    dice = random.Random(9)
    ends: Counter[str] = Counter()
    for _ in range(DAMAGES // 4):
        shutil.rmtree(data, ignore_errors=True)
        shutil.copy(whole, saved)
        what = damage(saved, dice)
        outcome = children.run("restore", data, file=str(saved))
        if "error" in outcome:
            assert outcome["error"] in NAMED, (what, outcome)
            assert outcome["hint"]
            ends["refused"] += 1
        elif (problems := children.run("check", data)).get("problems") != []:
            assert problems, what
            ends["found by verify"] += 1
        else:
            assert children.run("dump", data) == truth, what
            ends["whole"] += 1
    print(f"\n{sum(ends.values())} damaged backups: {dict(ends)}")
