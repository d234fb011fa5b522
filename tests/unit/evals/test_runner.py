from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assistant.evals import metrics, results, runner, summarizing
from assistant.evals.cases import Case, EvaluationSet, Exchange
from assistant.evals.errors import ResultFileError, SetError
from assistant.evals.metrics import parse
from assistant.evals.runner import Plan
from assistant.settings import Settings
from assistant.types import Filters

PLAN = Plan([parse(name) for name in metrics.DEFAULT])
Make = Callable[..., Any]


@pytest.fixture
def whole(make: Make, cities: EvaluationSet, tmp_path: Path) -> Path:
    return runner.run(make(), cities, PLAN, tmp_path / "whole.jsonl")


def test_rows_stand_in_the_order_of_the_set(whole: Path, cities: EvaluationSet) -> None:
    rows = list(results.read_rows(whole))
    assert [row.case for row in rows] == list(cities.cases)
    assert rows[0].scores["R@1"] == 1.0
    assert rows[0].answer
    assert rows[0].answer.text == "The council number 1 met in Astana on day 7. [1]"
    assert {timing.id for timing in results.read_timings(whole)} == {c.id for c in cities.cases}


def test_no_clock_no_id_and_no_path_of_the_machine(whole: Path) -> None:
    text = whole.read_text()
    assert "/somewhere" not in text
    assert str(whole.parent) not in text
    assert '"seconds":0.0' in text


@pytest.mark.parametrize("workers", [1, 4])
def test_runs_repeat_byte_for_byte(
    make: Make, cities: EvaluationSet, whole: Path, tmp_path: Path, workers: int
) -> None:
    plan = Plan(PLAN.measures, workers=workers)
    again = runner.run(make(), cities, plan, tmp_path / "again.jsonl")
    assert again.read_bytes() == whole.read_bytes()


def note(seen: list[int], done: int, total: int) -> None:
    seen.append(done)


def test_cut_off_anywhere_it_goes_on_to_the_same_file(
    make: Make, cities: EvaluationSet, whole: Path, tmp_path: Path
) -> None:
    content = whole.read_bytes()
    times = results.timings_path(whole).read_bytes()
    lines = [at + 1 for at, byte in enumerate(content) if byte == 10]
    places = [0, 1, 20, lines[0] - 1, lines[0], lines[0] + 1, lines[5], lines[5] - 1, len(content)]
    for place in places + random.Random(4).sample(range(len(content)), 8):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(content[:place] + (b"\0" * len(content) if place in lines else b""))
        results.timings_path(path).write_bytes(times[: place % len(times)])
        assistant = make()
        seen: list[int] = []
        runner.run(assistant, cities, PLAN, path, on_progress=partial(note, seen))
        assert path.read_bytes() == content, place
        already = sum(end <= place for end in lines[1:])
        assert len(assistant.asked) == len(cities.cases) - already
        assert seen[0] == already
        assert seen[-1] == len(cities.cases)


def test_interrupted_it_keeps_what_was_finished(
    make: Make, cities: EvaluationSet, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "stopped.jsonl"

    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(make(), cities, PLAN, path, on_progress=stop)
    with pytest.raises(ResultFileError, match=f"7 of {len(cities.cases)}"):
        summarizing.summarize(path)
    runner.run(make(), cities, PLAN, path)
    assert path.read_bytes() == whole.read_bytes()


def test_a_file_of_another_run_is_left_alone(
    make: Make, cities: EvaluationSet, whole: Path
) -> None:
    before = whole.read_bytes()
    fewer = EvaluationSet(name="cities", cases=cities.cases[:3])
    other = make()
    other.settings = Settings(library={"data": "x"}, retrieval={"k": 5})  # type: ignore[arg-type]
    for assistant, given, plan, what in [
        (other, cities, PLAN, "another run: settings.retrieval.k was 8, is 5$"),
        (make(), fewer, PLAN, "set_digest"),
        (make(), cities, Plan([parse("R@1")]), "measures"),
        (make(texts={**make().texts, "new.txt": "More."}), cities, PLAN, "collection_digest"),
    ]:
        with pytest.raises(ResultFileError, match=what):
            runner.run(assistant, given, plan, whole)
    assert whole.read_bytes() == before
    runner.run(make(), fewer, PLAN, whole, fresh=True)
    assert results.read_header(whole).questions == 3


def damaged(content: bytes, kind: str) -> bytes:
    lines = content.splitlines(keepends=True)
    header = json.loads(lines[0])
    changed: dict[str, list[bytes]] = {
        "version": [json.dumps(header | {"version": 2}).encode() + b"\n", *lines[1:]],
        "field": [json.dumps(header | {"depth": "x"}).encode() + b"\n", *lines[1:]],
        "other": [b'{"a": 1}\n'],
        "noise": [b"\x00\xff\n"],
        "middle": [*lines[:4], lines[4][:50] + b"\n", *lines[5:]],
        "swapped": [lines[0], lines[2], lines[1], *lines[3:]],
        "too many": [*lines, lines[-1]],
    }
    return b"".join(changed[kind])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("version", "version 2"),
        ("field", "depth"),
        ("other", "not a result file"),
        ("noise", "not a result file"),
        ("middle", ":5 is damaged"),
        ("swapped", ":2 is damaged"),
        ("too many", "damaged"),
    ],
)
def test_a_damaged_file_is_refused(
    make: Make, cities: EvaluationSet, whole: Path, kind: str, words: str
) -> None:
    whole.write_bytes(damaged(whole.read_bytes(), kind))
    with pytest.raises(ResultFileError, match=words):
        runner.run(make(), cities, PLAN, whole)
    if kind not in {"swapped", "too many"}:
        with pytest.raises(ResultFileError):
            summarizing.summarize(whole)


def test_a_failure_is_a_row_that_scores_zero(make: Make, cities: EvaluationSet) -> None:
    assistant = make(fail_on="number 5 ")
    assistant.document = lambda document_id: make().document(document_id)
    path = runner.run(assistant, cities, PLAN)
    rows = {row.case.id: row for row in results.read_rows(path)}
    assert len(rows) == len(cities.cases)
    assert rows["where-5"].failure == "QuestionError: the question is bad"
    assert rows["where-5"].scores["nDCG@10"] == 0.0
    assert rows["where-6"].failure is None
    summary = summarizing.summarize(path)
    assert summary.outcomes["failed"] == 1
    assert summary.value("R@1") == pytest.approx(23 / 24)


def test_a_defect_costs_one_row_too(make: Make, cities: EvaluationSet) -> None:
    assistant = make()
    ask = assistant.ask

    def broken(question: str, *more: Any) -> Any:
        if "number 2 " in question:
            raise ZeroDivisionError("by zero")
        return ask(question, *more)

    assistant.ask = broken
    rows = list(results.read_rows(runner.run(assistant, cities, PLAN)))
    assert [row.failure for row in rows if row.failure] == ["ZeroDivisionError: by zero"]


def test_a_library_that_cannot_be_searched_stops_the_run(
    make: Make, cities: EvaluationSet, tmp_path: Path
) -> None:
    from assistant.errors import ModelError

    assistant = make()

    def no_model(query: str, k: int | None = None) -> Any:
        raise ModelError("the model is damaged", "install it again")

    assistant.search = no_model
    with pytest.raises(ModelError):
        runner.run(assistant, cities, PLAN, tmp_path / "none.jsonl")


def test_gold_that_is_not_in_the_collection(make: Make) -> None:
    case = Case(id="lost", question="Q?", relevant={"gone.txt": 1})
    with pytest.raises(SetError, match=r"case 'lost'.*'gone.txt' is not in the collection"):
        runner.run(make(), EvaluationSet(name="s", cases=(case,)), PLAN)


def test_filters_reach_the_assistant(make: Make, tmp_path: Path) -> None:
    filters = Filters(documents=("day3.txt", "day9.txt"))
    case = Case(id="f", question="In which city met the council number 4?", filters=filters)
    given = EvaluationSet(name="filtered", cases=(case,))
    for search_only in (False, True):
        path = runner.run(make(), given, Plan([parse("R@1")], search_only=search_only))
        (row,) = results.read_rows(path)
        assert {ranked.document for ranked in row.ranking} == {"day3.txt", "day9.txt"}
        assert row.case.filters == filters


def test_history_reaches_the_assistant(make: Make) -> None:
    heard: list[Any] = []
    assistant = make()
    ask = assistant.ask

    def listening(question: str, history: Any, *more: Any) -> Any:
        heard.extend(history)
        return ask(question)

    assistant.ask = listening
    turns = (Exchange(question="First?", answer="Yes."), Exchange(question="Second?"))
    case = Case(id="q", question="And then the council?", history=turns)
    runner.run(assistant, EvaluationSet(name="s", cases=(case,)), PLAN)
    assert [(turn.question, turn.answer.text, turn.answer.status) for turn in heard] == [
        ("First?", "Yes.", "answered"),
        ("Second?", "", "not_in_documents"),
    ]


def test_a_quote_that_slipped_is_not_exact(make: Make, cities: EvaluationSet) -> None:
    path = runner.run(make(shift=1), cities, PLAN)
    assert summarizing.summarize(path).value("quote_exact") == 0.0


def test_deep_measures_search_deeper(make: Make, cities: EvaluationSet) -> None:
    assistant = make()
    wanted: list[int | None] = []
    search = assistant.search

    def counting(query: str, k: int | None = None, *more: Any) -> Any:
        wanted.append(k)
        return search(query, k, *more)

    assistant.search = counting
    runner.run(assistant, cities, Plan([parse("R@50")]))
    assert wanted[-1] == 50 * assistant.settings.retrieval.per_document


def test_a_disk_that_is_full_loses_nothing(
    make: Make, cities: EvaluationSet, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "full.jsonl"
    sync, left = os.fsync, iter(range(9))

    def full(handle: int) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResultFileError, match="No space left"):
            runner.run(make(), cities, PLAN, path)
    runner.run(make(), cities, PLAN, path)
    assert path.read_bytes() == whole.read_bytes()


def test_a_place_that_cannot_be_written(make: Make, cities: EvaluationSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultFileError, match="cannot be written"):
        runner.run(make(), cities, PLAN, tmp_path / "file" / "out.jsonl")


def test_only_searching_asks_for_no_answer(make: Make, cities: EvaluationSet, whole: Path) -> None:
    assistant = make()
    path = runner.run(assistant, cities, Plan(PLAN.measures, search_only=True))
    assert assistant.asked == []
    summary = summarizing.summarize(path)
    assert [f.measure for f in summary.figures] == ["R@1", "R@5", "R@10", "RR", "nDCG@10", "AP"]
    assert summary.value("nDCG@10") == summarizing.summarize(whole).value("nDCG@10")
    assert summary.outcomes == {"only searched": 32}
    turns = (Exchange(question="First?"),)
    case = Case(id="q", question="Where met the council number 3?", history=turns)
    plan = Plan(PLAN.measures, search_only=True)
    search, earlier = assistant.search, []
    assistant.search = lambda query, k=None, history=(), *filters: (
        earlier.append(history) or search(query, k)
    )
    runner.run(assistant, EvaluationSet(name="s", cases=(case,)), plan)
    assert assistant.asked == []
    assert [turn.question for turn in earlier[-1]] == ["First?"]
