from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.evals import comparing, gate, metrics, resampling, runner, summarizing
from assistant.evals.cases import EvaluationSet
from assistant.evals.errors import IncomparableError, MeasureError
from assistant.evals.gate import Check
from assistant.evals.metrics import parse
from assistant.evals.runner import Plan

PLAN = Plan([parse(name) for name in metrics.DEFAULT])
Run = Callable[..., Path]


@pytest.fixture
def run(make: Callable[..., Any], cities: EvaluationSet, tmp_path: Path) -> Run:
    """Runs an assistant with planted regressions and gives the result file."""
    made = iter(range(1000))

    def run_one(given: EvaluationSet = cities, **planted: Any) -> Path:
        return runner.run(make(**planted), given, PLAN, tmp_path / f"{next(made)}.jsonl")

    return run_one


def test_an_equal_run_differs_in_nothing(run: Run) -> None:
    comparison = comparing.compare(run(), run())
    assert {(d.change, d.low, d.high, d.verdict) for d in comparison.differences} == {
        (0.0, 0.0, 0.0, "no clear change")
    }
    assert not comparison.losses


def test_a_worse_run_shows_where(run: Run) -> None:
    comparison = comparing.compare(run(), run(hidden={f"day{n}.txt" for n in range(1, 13)}))
    recall = next(d for d in comparison.differences if d.measure == "R@10")
    assert (recall.before, recall.after, recall.verdict) == (1.0, 0.5, "worse")
    assert (recall.won, recall.lost, recall.tied) == (0, 12, 12)
    assert recall.low < recall.change == -0.5 < recall.high < 0
    assert len(comparison.losses) == 10
    loss = comparison.losses[0]
    assert loss.change < 0
    assert loss.before != loss.after
    assert "worse" in "\n".join(comparing.lines(comparison))


def test_paired_intervals_are_narrower_than_apart(run: Run) -> None:
    one, other = run(), run(hidden={"day1.txt", "day2.txt"})
    old, new = summarizing.columns(one), summarizing.columns(other)
    paired = next(d for d in comparing.differences(old, new) if d.measure == "RR")
    apart = summarizing.summarize(other)
    figure = next(f for f in apart.figures if f.measure == "RR")
    assert figure.low is not None
    assert figure.high is not None
    assert paired.high - paired.low <= figure.high - figure.low + 1e-9


def test_other_questions_or_documents_are_not_compared(run: Run, cities: EvaluationSet) -> None:
    fewer = EvaluationSet(name="cities", cases=cities.cases[1:])
    with pytest.raises(IncomparableError, match="different sets"):
        comparing.compare(run(), run(fewer))
    texts = {f"day{n}.txt": f"Other words {n}." for n in range(1, 25)}
    with pytest.raises(IncomparableError, match="different collections"):
        comparing.compare(run(), run(texts=texts))


REGRESSIONS: dict[str, dict[str, Any]] = {
    "every third document missing": {"hidden": {f"day{n}.txt" for n in range(3, 25, 3)}},
    "citations shifted by one": {"shift": 1},
    "threshold 0": {"threshold": 0.0},
    "threshold too high": {"threshold": 0.95},
    "scores upside down": {"weight": lambda text: 1 / (1 + text.count("council") * 10)},
    "numbers ignored": {"weight": lambda text: 1.0 - (sum(map(ord, text)) % 7) / 10},
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_the_gate_catches(run: Run, name: str) -> None:
    checks = gate.no_loss(summarizing.columns(run(**REGRESSIONS[name])), summarizing.columns(run()))
    assert not all(check.passed for check in checks)


def test_the_gate_lets_equal_runs_pass(run: Run) -> None:
    assert all(check.passed for check in gate.no_loss(*[summarizing.columns(run())] * 2))


def test_chance_alone_seldom_alarms() -> None:
    """Pairs of systems that are wrong on other questions, equally often."""
    chance = np.random.default_rng(5)
    alarms = 0
    for seed in range(200):
        old, new = (chance.random((2, 100)) < 0.8).astype(float)
        changes = {"R@1": resampling.mean(new - old)}
        found = resampling.intervals(changes, 100, seed=seed, draws=500)["R@1"]
        alarms += found.high < -gate.TOLERANCE
    assert alarms <= 8  # 2.5 % of 200, and fewer by the tolerance


def test_a_baseline_of_other_measures_guards_nothing(
    run: Run, make: Callable[..., Any], cities: EvaluationSet
) -> None:
    other = runner.run(make(), cities, Plan([parse("P@3")]))
    with pytest.raises(IncomparableError, match="none of the measures"):
        gate.no_loss(summarizing.columns(run()), summarizing.columns(other))


def test_a_loss_within_the_tolerance_passes(run: Run) -> None:
    worse = summarizing.columns(run(hidden={"day1.txt"}))
    assert all(
        check.passed for check in gate.no_loss(worse, summarizing.columns(run()), tolerance=0.5)
    )


def test_floors(run: Run) -> None:
    summary = summarizing.summarize(run(hidden={"day1.txt", "day2.txt"}))
    wanted = gate.floors(["R@1 = 0.99", "nDCG@10=0.5"])
    checks = gate.over_floors(summary, wanted)
    assert [check.passed for check in checks] == [False, True]
    assert "below 0.99" in checks[0].message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nDCG@10", "no measure|not a number"),
        ("nDCG@10=high", "not a number"),
        ("nDGC@10=0.5", "no measure"),
        ("tokens=5", "lower"),
        ("nDCG@10=75", "never be met"),
        ("nDCG@10=nan", "never be met"),
    ],
)
def test_floors_that_say_nothing(text: str, words: str) -> None:
    with pytest.raises(MeasureError, match=words):
        gate.floors([text])


def test_a_floor_under_what_was_not_measured(run: Run) -> None:
    with pytest.raises(MeasureError, match="P@3 was not measured"):
        gate.over_floors(summarizing.summarize(run()), {"P@3": 0.5})


def test_junit_is_xml_whatever_the_names() -> None:
    checks = [
        Check(name='a <b> & "c"', passed=False, message="is \x00\x1b[31m low"),
        Check(name="b", passed=True, message="fine"),
    ]
    root = ElementTree.fromstring(gate.junit(checks, "suite\x08"))
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert [len(case) for case in root] == [1, 0]
    assert root[0].get("name") == 'a <b> & "c"'
