from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import SettingsError
from assistant.evals import runner, summarizing, sweeping
from assistant.evals.cases import EvaluationSet
from assistant.evals.errors import MeasureError
from assistant.evals.metrics import parse
from assistant.evals.runner import Plan
from assistant.evals.summarizing import Summary
from assistant.evals.sweeping import Point, Sweep
from assistant.settings import Settings


def test_all_combinations_in_order() -> None:
    assert sweeping.variations(["retrieval.k=4,8", "chunking.size=40,220"]) == [
        {"retrieval.k": "4", "chunking.size": "40"},
        {"retrieval.k": "4", "chunking.size": "220"},
        {"retrieval.k": "8", "chunking.size": "40"},
        {"retrieval.k": "8", "chunking.size": "220"},
    ]


@pytest.mark.parametrize("text", ["retrieval.k", "retrieval.k=", "k=4", "a.b.c=4", "=4"])
def test_what_varies_nothing(text: str) -> None:
    with pytest.raises(SettingsError, match="varies nothing"):
        sweeping.variations([text])


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"retrieval.kk": "4"}, "unknown setting retrieval.kk"),
        ({"retrieval.dense_weight": "2"}, "less than or equal to 1"),
    ],
)
def test_a_setting_that_cannot_be_is_told_before_anything_runs(
    cities: EvaluationSet, tmp_path: Path, choice: dict[str, str], words: str
) -> None:
    base = Settings(library={"data": tmp_path / "data"})  # type: ignore[arg-type]
    plan = Plan([parse("R@1")])
    with pytest.raises(SettingsError, match=words):
        sweeping.sweep(base, None, cities, [{"retrieval.k": "4"}, choice], plan, "R@1")
    with pytest.raises(MeasureError, match="needs an answer"):
        sweeping.sweep(base, None, cities, [], Plan([parse("R@1")], search_only=True), "support")
    assert not (tmp_path / "data").exists()


@pytest.fixture
def summary(make: Callable[..., Any], cities: EvaluationSet, tmp_path: Path) -> Summary:
    path = runner.run(make(), cities, Plan([parse("R@1")]), tmp_path / "r.jsonl")
    return summarizing.summarize(path)


def test_the_frontier_is_what_nothing_beats(summary: Summary, tmp_path: Path) -> None:
    figures = [(0.8, 0.2), (0.7, 0.1), (0.7, 0.3), (0.8, 0.2), (0.6, 0.1)]
    points = sweeping._with_frontier(
        [
            Point(
                settings={"retrieval.k": f"<b>{at}"},
                summary=summary,
                quality=quality,
                interval=sweeping._interval(summary, "R@1"),
                seconds=seconds,
                results=tmp_path,
            )
            for at, (quality, seconds) in enumerate(figures)
        ]
    )
    assert [point.on_frontier for point in points] == [True, True, False, True, False]
    swept = Sweep(measure="R@1", points=tuple(points))
    lines = sweeping.lines(swept)
    assert lines[1].split() == ["*", "0.8000", "1.000", "to", "1.000", "200", "retrieval.k=<b>0"]
    page = sweeping.page(swept, "<i>towns")
    assert page.count("on the frontier") == 3
    assert "&lt;b&gt;0" in page
    assert "<b>" not in page
    assert "<i>" not in page
