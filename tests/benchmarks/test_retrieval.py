"""What search finds on the sets of third parties, what each signal is worth, what int8 loses.

``pytest tests/benchmarks/test_retrieval.py -s``. Indexes are kept in build/, where those of `make
scoreboard` are, so that only the first run embeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistant import models, retrieval
from assistant.evals import importing, metrics, runner, summarizing
from assistant.evals.importing import Choice
from assistant.pipeline import Assistant
from assistant.segmenting import sentences
from assistant.settings import Settings
from tests.shared import BENCHMARKS

KEPT = (Path(__file__).parents[2] / "build" / "scoreboard").resolve()
MEASURES = ("R@1", "R@10", "nDCG@10")
SLICES, SLICE = 4, 16  # of documents that are embedded by both

Measured = Callable[[Choice], dict[str, float]]

pytestmark = [
    pytest.mark.skipif(not (BENCHMARKS / "scifact").is_dir(), reason="the sets are not here"),
    pytest.mark.timeout(7200),
]


@contextmanager
def indexed(name: str, **model: str) -> Iterator[Measured]:
    """What gives the means of MEASURES over the questions chosen of a benchmark."""
    data = KEPT / "-".join((name, *model.values()))
    settings = Settings(library={"data": data}, models=model)
    plan = runner.Plan([metrics.parse(measure) for measure in MEASURES], search_only=True)
    importing.write(BENCHMARKS / name, data / "documents", Choice())
    with Assistant.from_settings(settings) as assistant:
        importing.index(assistant, data / "documents")

        def measured(choice: Choice) -> dict[str, float]:
            questions = importing.write(BENCHMARKS / name, data / "documents", choice)
            path = runner.run(assistant, questions, plan, data / "benchmark.jsonl", fresh=True)
            return {f.measure: f.value or 0 for f in summarizing.summarize(path).figures}

        yield measured


def show(name: str, found: dict[str, float]) -> None:
    print(f"{name:36}", *(f"{measure} {found[measure]:.3f}" for measure in MEASURES))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("scifact", {"nDCG@10": 0.755}),
        ("xquad-en", {"R@1": 0.965, "nDCG@10": 0.985}),
        ("multihop-rag-sample", {"R@10": 0.93}),
    ],
)
def test_what_is_found(name: str, least: dict[str, float]) -> None:
    with indexed(name) as measured:
        found = measured(Choice())
    show(f"\n{name}", found)
    assert all(found[measure] >= value for measure, value in least.items()), least


def test_questions_in_another_language_than_the_passages() -> None:
    least = {"queries.jsonl": 0.970, "queries_ru.jsonl": 0.830, "queries_tr.jsonl": 0.770}
    print()
    with indexed("xquad-en", embedding="multilingual") as measured:
        found = {name: measured(Choice(queries=name)) for name in least}
    for name in least:
        show(f"multilingual, {name}", found[name])
    assert all(found[name]["R@1"] >= value for name, value in least.items()), least


def test_how_much_of_a_rewrite_condensing_makes_up_for() -> None:
    """Of the way from the last turn alone to what people have rewritten it to."""
    with indexed("mtrag-reduced") as measured:
        last, condensed, rewritten = (
            measured(Choice(asked=asked, tag="has-rewrite"))
            for asked in ("last", "history", "rewrite")
        )
    print()
    for name, found in (("last", last), ("condensed", condensed), ("rewritten", rewritten)):
        show(f"mtrag-reduced, {name}", found)
    share = {m: (condensed[m] - last[m]) / (rewritten[m] - last[m]) for m in MEASURES}
    show("share of the gap", share)
    assert share["nDCG@10"] >= 0.6


def test_what_each_signal_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    fusion = retrieval.fusion()
    off = {
        "whole": (),
        "words alone": ("meaning", "sentence", "feedback"),
        "without words": ("words",),
        "without vectors of passages": ("meaning",),
        "without vectors of sentences": ("sentence",),
        "without likeness to the best": ("feedback",),
    }
    found = {}
    print()
    with indexed("scifact") as measured:
        for name, signals in off.items():
            weights = fusion.bundled.model_copy(update=dict.fromkeys(signals, 0.0))
            less = fusion.model_copy(update={"bundled": weights})
            monkeypatch.setattr(retrieval, "fusion", lambda less=less: less)
            found[name] = measured(Choice())
            show(f"scifact, {name}", found[name])
    whole = found.pop("whole")
    assert whole["nDCG@10"] > max(less["nDCG@10"] for less in found.values())


@pytest.mark.parametrize("name", ["xquad-en", "scifact"])
def test_what_int8_loses_and_gains(name: str) -> None:
    with indexed(name) as measured:
        exact = measured(Choice())
    with indexed(name, precision="int8") as measured:
        rounded = measured(Choice())
    print()
    show(f"{name}, fp32", exact)
    show(f"{name}, int8", rounded)
    show("loss", {measure: exact[measure] - rounded[measure] for measure in MEASURES})
    print(f"gain: {_gain(name):.2f} times the passages a second")
    assert exact["nDCG@10"] - rounded["nDCG@10"] <= 0.01


def _gain(name: str) -> float:
    """How many times as many of a benchmark's documents int8 embeds, in turn with fp32."""
    files = sorted((KEPT / name / "documents").iterdir())[: SLICES * SLICE]
    texts = [file.read_text(encoding="utf-8") for file in files]
    spans = [sentences(text, "en") for text in texts]
    embedders = [models.build_embedder(Settings(models={"precision": p})) for p in ("fp32", "int8")]
    spent = [0.0, 0.0]
    for start in range(0, len(texts), SLICE):
        part = slice(start, start + SLICE)
        for way, embedder in enumerate(embedders):
            started = time.perf_counter()
            embedder.passages(texts[part], spans[part])
            spent[way] += time.perf_counter() - started
    return spent[0] / spent[1]
