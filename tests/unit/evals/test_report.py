from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.evals import charts, evidence, metrics, report, runner, summarizing
from assistant.evals.cases import Case, EvaluationSet
from assistant.evals.summarizing import Latency

HIDDEN = "\u202e\u200b\U000e0041"  # right-to-left, zero width, a tag character
HOSTILE = (
    f"{HIDDEN}</script></title><script>hacked()</script><img src=x onerror=hacked()>"
    "\"' {{7*7}} &lt;"
)
PLAN = runner.Plan([metrics.parse(name) for name in metrics.DEFAULT])


class Elements(HTMLParser):
    """Every element with its attributes, and the content of scripts by id."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        self._open = dict(attrs).get("id") or "code" if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[self._open] = self.scripts.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = None


@pytest.fixture
def page(make: Callable[..., Any], tmp_path: Path) -> str:
    name = "hostile<b>.txt"
    texts = {name: f"The hostile council says {HOSTILE} to all."}
    cases = (
        Case(
            id=HOSTILE,
            question=f"What says the hostile council {HOSTILE}",
            relevant={name: 1},
            answers=(HOSTILE,),
            quotes=(HOSTILE,),
            tags=(HOSTILE,),
        ),
        Case(id="b", question="zebra", answerable=False, tags=("plain",)),
    )
    given = EvaluationSet(name=HOSTILE, description=HOSTILE, cases=cases)
    path = runner.run(make(texts=texts), given, PLAN, tmp_path / "r.jsonl")
    report.write(path, tmp_path / "r.html")
    return (tmp_path / "r.html").read_text(encoding="utf-8")


def test_hostile_text_stays_text(page: str) -> None:
    elements = Elements(page)
    tags = [tag for tag, _ in elements.seen]
    assert tags.count("script") == 3
    assert "img" not in tags
    assert not any(name.startswith("on") for _, attrs in elements.seen for name in attrs)
    assert "hacked" not in elements.scripts["code"]
    data = json.loads(elements.scripts["rows"])
    assert data["list"][0]["id"] == HOSTILE.removeprefix(HIDDEN)
    assert not set(HIDDEN) & set(page)


def test_nothing_is_fetched_and_only_its_own_script_may_run(page: str) -> None:
    elements = Elements(page)
    assert not {"link", "iframe", "object", "img", "base"} & {tag for tag, _ in elements.seen}
    assert not any({"src", "href", "action"} & attrs.keys() for _, attrs in elements.seen)
    without_data = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.S)
    assert "http" not in without_data.replace("http-equiv", "")
    assert "url(" not in without_data
    policy = next(a["content"] for t, a in elements.seen if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_passages_stand_once(make: Callable[..., Any], cities: EvaluationSet) -> None:
    path = runner.run(make(), cities, PLAN)
    rows, details = evidence.collect(path, summarizing.columns(path))
    assert len(rows["list"]) == len(details["list"]) == len(cities.cases)
    texts = [passage["text"] for passage in details["passages"]]
    assert len(texts) == len(set(texts))
    for detail in details["list"]:
        for at, relevant, _ in detail["passages"]:
            assert relevant == (details["passages"][at]["name"] in detail["relevant"])


def test_of_a_huge_set_the_worst_are_shown(
    make: Callable[..., Any], cities: EvaluationSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_QUESTIONS", 10)
    path = runner.run(make(hidden={f"day{n}.txt" for n in range(1, 8)}), cities, PLAN)
    table = summarizing.columns(path)
    rows, _ = evidence.collect(path, table)
    assert len(rows["list"]) == 10
    shown = {row["id"] for row in rows["list"]}
    assert {i for i, right in zip(table.ids, table.right, strict=True) if not right} <= shown
    assert "22 more are in the result file" in report.page(path, table, summarizing.summarize(path))


def test_an_interval_is_named_for_those_who_cannot_see_it() -> None:
    assert 'aria-label="0.500, from 0.250 to 0.750"' in charts.interval(0.5, 0.25, 0.75)


def test_charts_escape_and_survive_nothing() -> None:
    empty = np.array([])
    for svg in (
        charts.distributions({"<b>": empty, "&": empty}, "<i>"),
        charts.calibration(empty, empty.astype(bool)),
        charts.latency([Latency(stage="<script>", p50=0.0, p95=0.0)]),
        charts.latency([]),
        charts.frontier([(0.0, 0.0, "<b>", True)], "<i>"),
    ):
        assert svg.startswith("<svg")
        assert not {"b", "i", "script"} & {tag for tag, _ in Elements(svg).seen}
        assert "nan" not in svg
