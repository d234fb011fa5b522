"""Planted disagreements: a passage copied with the answer changed, and both in one collection.

The passages are those of XQuAD, with which the constants in conflicts.py were found, and of SQuAD
2. Whole questions are asked, search and all, one of each passage whose answer is a value.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from assistant import Answer, Assistant, Settings

BENCHMARKS = Path(__file__).parents[3] / "shared" / "benchmarks"
FOUND, FALSE = 0.80, 0.05
SETS = ("xquad-en", "squad2-sample")
KINDS = {  # of answers, in the order in which they are tried
    "year": re.compile(r"1\d{3}|20\d\d"),
    "date": re.compile(
        r"(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August"
        r"|September|October|November|December)(?: \d{1,2})?(?:,? \d{4})?"
    ),
    "percent": re.compile(r"\d[\d,.]*(?:%| percent)"),
    "money": re.compile(r"[$£€]\d[\d,.]*(?: (?:million|billion))?"),
    "number": re.compile(r"\d[\d,.]*(?: (?:million|billion|miles|km|years))?"),
    "name": re.compile(r"(?:[A-Z][\w'-]+)(?: [A-Z][\w'-]+){0,3}"),
}


class Planted(NamedTuple):
    """A question, and what its passage answers before and after the change."""

    question: str
    kind: str
    passage: dict[str, Any]
    text: str  # the passage with the answer changed
    was: str
    now: str


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def kind_of(answer: str) -> str | None:
    return next((kind for kind, form in KINDS.items() if form.fullmatch(answer)), None)


def planted(folder: Path) -> Iterator[Planted]:
    """One of each passage that has a question with a number, a date or a name for an answer."""
    chance = random.Random(5)
    passages = {row["id"]: row for row in rows(folder / "corpus.jsonl")}
    asked = [q for q in rows(folder / "queries.jsonl") if q["answers"]]
    pool: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for query in asked:
        if kind := kind_of(query["answers"][0]):
            pool[kind].append(query["answers"][0])
    seen = set()
    chance.shuffle(asked)
    for query in asked:
        was = query["answers"][0]
        kind, passage = kind_of(was), passages[query["passage_id"]]
        if kind is None or passage["id"] in seen:
            continue
        others = [o for o in pool[kind] if o not in passage["text"] and not shares(o, was)]
        if not others:
            continue
        now = chance.choice(others)
        seen.add(passage["id"])
        text = re.sub(rf"(?<!\w){re.escape(was)}(?!\w)", lambda _, n=now: n, passage["text"])
        yield Planted(query["question"], kind, passage, text, was, now)


def shares(one: str, other: str) -> bool:
    return bool(set(one.split()) & set(other.split()))


def write(folder: Path, name: str, title: str, source: str, text: str) -> None:
    head = f"---\ntitle: {json.dumps(title)}\nsource: {source}\n---\n\n"
    (folder / f"{name}.md").write_text(head + text + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.timeout(3600)
def test_planted_disagreements_are_found(name: str, tmp_path: Path) -> None:
    folder = BENCHMARKS / name
    if not folder.exists():
        pytest.skip("the shared benchmarks are not here")
    texts = tmp_path / "texts"
    texts.mkdir()
    cases = list(planted(folder))
    for row in rows(folder / "corpus.jsonl"):
        write(texts, f"a-{row['id']}", row["title"], "The Original", row["text"])
    for case in cases:
        write(texts, f"b-{case.passage['id']}", case.passage["title"], "The Copy", case.text)
    found = {kind: [0, 0] for kind in KINDS}
    with Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant:
        assistant.index([texts])
        for case in cases:
            shown = shows(assistant.ask(case.question), case)
            found[case.kind][0] += shown
            found[case.kind][1] += 1
    print(name, "planted:", {kind: f"{n} of {m}" for kind, (n, m) in found.items()})
    hits, asked = (sum(n[i] for n in found.values()) for i in (0, 1))
    assert hits >= FOUND * asked


def shows(answer: Answer, case: Planted) -> bool:
    """Whether one conflict has both values, each of its own source."""
    for conflict in answer.conflicts:
        said = {side.citation.source: side.value for side in conflict.sides}
        if len(said) == 2 and same(case.was, said["The Original"], case.now, said["The Copy"]):
            return True
    return False


def same(was: str, original: str, now: str, copy: str) -> bool:
    return (was in original or original in was) and (now in copy or copy in now)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.timeout(3600)
def test_where_nothing_was_planted_nothing_is_found(name: str, tmp_path: Path) -> None:
    """The collection as it is, and with an untouched copy of every passage under another name."""
    folder = BENCHMARKS / name
    if not folder.exists():
        pytest.skip("the shared benchmarks are not here")
    texts = tmp_path / "texts"
    texts.mkdir()
    cases = list(planted(folder))
    for row in rows(folder / "corpus.jsonl"):
        write(texts, f"a-{row['id']}", row["title"], f"Original {row['id']}", row["text"])
    for case in cases:
        row = case.passage
        write(texts, f"b-{row['id']}", row["title"], f"Copy {row['id']}", row["text"])
    with Assistant.from_settings(Settings(library={"data": tmp_path / "data"})) as assistant:
        assistant.index([texts])
        wrong = sum(bool(assistant.ask(case.question).conflicts) for case in cases)
    print(name, "untouched:", f"{wrong} of {len(cases)} answers show a conflict")
    assert wrong <= FALSE * len(cases)
