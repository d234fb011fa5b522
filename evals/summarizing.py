"""From the rows of a result file to columns, figures with intervals, and what went wrong where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.evals import metrics, resampling, results
from assistant.evals.outcomes import OUTCOMES, Outcome, is_right, outcome, was_answered
from assistant.evals.results import Header, Row
from assistant.types import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.evals.resampling import Floats, Statistic


class Figure(Shape):
    """A measure over the set; None where no question could be scored."""

    measure: str
    value: float | None
    low: float | None  # of the 95 % bootstrap interval
    high: float | None
    questions: int  # that it is over
    judged: bool = False


class Latency(Shape):
    """Seconds in one stage, or "total"."""

    stage: str
    p50: float
    p95: float


class Summary(Shape):
    header: Header
    outcomes: dict[Outcome, int]
    figures: tuple[Figure, ...]
    latency: tuple[Latency, ...] = ()

    def value(self, measure: str) -> float | None:
        """The figure of a measure; None where there is none."""
        return next((f.value for f in self.figures if f.measure == measure), None)


@dataclass(frozen=True)
class Columns:
    """A result file as arrays over its questions, in their order."""

    header: Header
    ids: list[str]
    scores: dict[str, Floats]  # measure -> score; NaN where it does not apply
    confidence: Floats  # of a failed question: the worst it could have said
    answerable: Floats  # 1, 0, or NaN where it is not known
    shown: NDArray[np.bool_]  # an answer was given
    right: NDArray[np.bool_]
    outcomes: list[Outcome]
    tags: list[tuple[str, ...]]

    def statistic(self, measure: str) -> Statistic:
        """What the measure comes to over weighted questions."""
        if not metrics.parse(measure).of_the_set:
            return resampling.mean(self.scores[measure])
        labelled = ~np.isnan(self.answerable)
        if not labelled.any():
            return lambda weights: np.full(len(weights), np.nan)
        confidence, positive = self.confidence[labelled], self.answerable[labelled] == 1
        if measure == "coverage@5%":
            whole = resampling.coverage(confidence, self.shown[labelled], self.right[labelled])
        elif measure == "refused@5%":
            whole = resampling.refused(confidence, positive)
        else:
            whole = resampling.auroc(confidence, positive)
        return lambda weights: whole(weights[:, labelled])

    def questions(self, measure: str) -> int:
        """How many questions the measure is over."""
        of_the_set = metrics.parse(measure).of_the_set
        return int((~np.isnan(self.answerable if of_the_set else self.scores[measure])).sum())


def columns(path: Path) -> Columns:
    """The result file, its texts left behind. Raises ResultFileError unless it is complete."""
    header = results.read_header(path)
    single = [name for name in header.measures if not metrics.parse(name).of_the_set]
    scores = np.full((len(single), header.questions), np.nan)
    facts = np.full((2, header.questions), np.nan)
    ids, tags, outcomes, shown, right = [], [], [], [], []
    for at, row in enumerate(results.read_rows(path)):
        scores[:, at] = [np.nan if (s := row.scores.get(m)) is None else s for m in single]
        facts[:, at] = _confidence(row), np.nan if (a := row.case.answerable) is None else a
        ids.append(row.case.id)
        tags.append(row.case.tags)
        outcomes.append(outcome(row))
        shown.append(was_answered(row))
        right.append(is_right(row))
    return Columns(
        header=header,
        ids=ids,
        scores=dict(zip(single, scores, strict=True)),
        confidence=facts[0],
        answerable=facts[1],
        shown=np.array(shown, dtype=bool),
        right=np.array(right, dtype=bool),
        outcomes=outcomes,
        tags=tags,
    )


def _confidence(row: Row) -> float:
    if row.answer:
        return row.answer.confidence
    return 2.0 if row.case.answerable is False else -1.0


def summarize(path: Path, table: Columns | None = None) -> Summary:
    """The figures of a complete result file; ``table`` is its columns where they are at hand."""
    table = table or columns(path)
    statistics = {name: table.statistic(name) for name in table.header.measures}
    found = resampling.intervals(statistics, len(table.ids), seed=table.header.seeds["bootstrap"])
    figures = tuple(
        Figure(
            measure=name,
            value=_known(interval.value),
            low=_known(interval.low),
            high=_known(interval.high),
            questions=table.questions(name),
            judged=metrics.parse(name).judged,
        )
        for name, interval in found.items()
    )
    counts = Counter(table.outcomes)
    return Summary(
        header=table.header,
        outcomes={name: counts[name] for name in OUTCOMES if counts[name]},
        figures=figures,
        latency=latency([timing.seconds for timing in results.read_timings(path)]),
    )


def latency(seconds: Sequence[dict[str, float]]) -> tuple[Latency, ...]:
    """p50 and p95 of each stage in the order they first ran, the total last."""
    stages: dict[str, list[float]] = {}
    for times in seconds:
        for stage, duration in times.items():
            stages.setdefault(stage, []).append(duration)
    order = sorted(stages, key=lambda stage: stage == "total")
    return tuple(
        Latency(
            stage=s, p50=float(np.quantile(stages[s], 0.5)), p95=float(np.quantile(stages[s], 0.95))
        )
        for s in order
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def lines(summary: Summary) -> list[str]:
    """The summary as a table to read in a terminal."""
    header = summary.header
    parts = [f"{count} {name}" for name, count in summary.outcomes.items()]
    out = [f"{header.set}: {header.questions} questions: {', '.join(parts)}", ""]
    for figure in summary.figures:
        if figure.value is None or figure.low is None or figure.high is None:
            continue
        name = figure.measure + (" (judged)" if figure.judged else "")
        interval = f"[{figure.low:.3f}, {figure.high:.3f}]"
        out.append(f"{name:24} {figure.value:8.3f}  {interval:18} n = {figure.questions}")
    for stage in summary.latency:
        p50, p95 = stage.p50 * 1000, stage.p95 * 1000
        out.append(f"latency {stage.stage:16} {p50:8.0f} ms p50 {p95:7.0f} ms p95")
    return out
