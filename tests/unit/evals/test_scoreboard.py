from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.evals import importing, runner, scoreboard, summarizing
from assistant.evals.cases import EvaluationSet
from assistant.evals.errors import SetError
from assistant.evals.metrics import parse
from assistant.evals.runner import Plan


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    files = ["corpus.jsonl", "queries.jsonl", "qrels.tsv"]
    for name, more in {
        "scifact": [],
        "xquad-en": ["queries_ru.jsonl", "queries_ar.jsonl"],
        "mtrag-reduced": [],
    }.items():
        (tmp_path / name).mkdir()
        for file in files + more:
            (tmp_path / name / file).touch()
    (tmp_path / "real-files").mkdir()
    return tmp_path


def test_every_benchmark_that_is_there_has_its_entries(benchmarks: Path) -> None:
    entries = scoreboard.entries(benchmarks)
    assert [importing.name(entry.folder, entry.choice) for entry in entries] == [
        "mtrag-reduced",
        "mtrag-reduced-last-has-rewrite",
        "mtrag-reduced-has-rewrite",
        "mtrag-reduced-rewrite",
        "scifact",
        "xquad-en",
        "xquad-en-ar",
        "xquad-en-ru",
        "xquad-en-without-0.5",
    ]
    assert all(parse(name) for entry in entries for name in entry.measures)
    assert not any(name.startswith("answer") for name in entries[0].measures)
    assert [entry.search_only for entry in entries[5:]] == [False, True, True, False]


def test_without_benchmarks_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="no benchmark in it"):
        scoreboard.entries(tmp_path)


def test_the_table_has_figure_interval_known_figures_commit_and_date(
    make: Callable[..., Any], cities: EvaluationSet, tmp_path: Path
) -> None:
    given = cities.model_copy(update={"name": "scifact"})
    plan = Plan([parse(name) for name in ("nDCG@10", "faithfulness")])
    path = runner.run(make(), given, plan, tmp_path / "out.jsonl")
    part = scoreboard.section(summarizing.summarize(path))
    text = scoreboard.markdown([part], "abc1234", dt.date(2024, 5, 1))
    (row,) = (line for line in text.splitlines() if line.startswith("| scifact"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:5] == ["scifact", "24", "nDCG@10", "1.000", "1.000 to 1.000"]
    assert cells[5].startswith("BM25 .676, all-MiniLM-L6-v2 .645")
    assert cells[6:] == ["abc1234", "2024-05-01"]
    assert part.settings_digest in text


def test_known_figures_are_of_sets_and_measures_that_are_taken() -> None:
    assert scoreboard.known("xquad-en-ar", "R@1") == "BM25 .059"
    assert scoreboard.known("mtrag-reduced-rewrite", "RR@10") == ""
    assert scoreboard.known("elsewhere", "R@1") == ""
    assert {measure for _, measure in scoreboard.OTHERS} <= {
        *scoreboard.RANKING,
        *scoreboard.ANSWERS,
        *("support_F1", "support_accuracy"),
    }
