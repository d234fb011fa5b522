"""Two results of one set side by side: differences with paired intervals, wins, losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from assistant.evals import metrics, resampling, results
from assistant.evals.errors import IncomparableError
from assistant.evals.resampling import SEED, Floats, Statistic
from assistant.evals.summarizing import Columns, columns
from assistant.types import Shape

LOSSES = 10


class Difference(Shape):
    """One measure in both results; ``change`` is after minus before."""

    measure: str
    before: float
    after: float
    change: float
    low: float  # of the 95 % interval of the change
    high: float
    verdict: Literal["better", "worse", "no clear change"]
    won: int = 0  # questions; none for a measure of the set as a whole
    lost: int = 0
    tied: int = 0


class Loss(Shape):
    """A question that went worse, with what was said before and after."""

    id: str
    question: str
    change: float  # mean over the measures of single questions
    before: str
    after: str


class Comparison(Shape):
    before: results.Header
    after: results.Header
    differences: tuple[Difference, ...]
    losses: tuple[Loss, ...]  # largest first


def compare(before: Path, after: Path, *, seed: int = SEED) -> Comparison:
    """Every measure that both results have, and the questions that lost most.

    Raises IncomparableError when they are of different questions or different documents.
    """
    old, new = columns(before), columns(after)
    check_comparable(old, new)
    return Comparison(
        before=old.header,
        after=new.header,
        differences=tuple(differences(old, new, seed=seed)),
        losses=tuple(_losses(before, after, old, new)),
    )


def check_comparable(old: Columns, new: Columns) -> None:
    for what, name in (("set", "set_digest"), ("collection", "collection_digest")):
        one, other = getattr(old.header, name), getattr(new.header, name)
        if one != other:
            raise IncomparableError(
                f"the results are of different {what}s ({one}, {other})",
                f"measure the older one again with this {what}, into a new file",
            )


def shared_measures(old: Columns, new: Columns) -> list[str]:
    """The measures of both, those that a model judged only when it was the same model."""
    same_judge = old.header.judge == new.header.judge
    return [
        name
        for name in old.header.measures
        if name in new.header.measures and (same_judge or not metrics.parse(name).judged)
    ]


def differences(old: Columns, new: Columns, *, seed: int = SEED) -> list[Difference]:
    """The change in each shared measure that has a value in both results."""
    names = shared_measures(old, new)
    changes = {name: _change(old.statistic(name), new.statistic(name)) for name in names}
    found = resampling.intervals(changes, len(old.ids), seed=seed)
    everything = np.ones((1, len(old.ids)))
    return [
        _difference(old, new, name, found[name], everything)
        for name in names
        if not np.isnan(found[name].value)
    ]


def _change(old: Statistic, new: Statistic) -> Statistic:
    return lambda weights: new(weights) - old(weights)


def _difference(
    old: Columns, new: Columns, name: str, interval: resampling.Interval, everything: Floats
) -> Difference:
    up = metrics.parse(name).better == "higher"
    verdict: Literal["better", "worse", "no clear change"] = "no clear change"
    if interval.low > 0 or interval.high < 0:
        verdict = "better" if (interval.low > 0) == up else "worse"
    gains = _gains(old, new, name)
    return Difference(
        measure=name,
        before=float(old.statistic(name)(everything)[0]),
        after=float(new.statistic(name)(everything)[0]),
        change=interval.value,
        low=interval.low,
        high=interval.high,
        verdict=verdict,
        won=int((gains > 0).sum()),
        lost=int((gains < 0).sum()),
        tied=int((gains == 0).sum()),
    )


def _gains(old: Columns, new: Columns, name: str) -> Floats:
    """How much better each question went, where both results have a score."""
    if name not in old.scores:
        return np.zeros(0)
    gains = new.scores[name] - old.scores[name]
    gains = gains if metrics.parse(name).better == "higher" else -gains
    return gains[~np.isnan(gains)]


def _losses(before: Path, after: Path, old: Columns, new: Columns) -> list[Loss]:
    names = [
        name
        for name in shared_measures(old, new)
        if name in old.scores and metrics.parse(name).better == "higher"
    ]
    changes = np.array([new.scores[name] - old.scores[name] for name in names])
    counted = ~np.isnan(changes)
    means = np.where(counted, changes, 0).sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
    worst = [int(at) for at in np.argsort(means, kind="stable")[:LOSSES] if means[at] < 0]
    said, now = _said(before, worst), _said(after, worst)
    return [
        Loss(
            id=old.ids[at],
            question=said[at][0],
            change=float(means[at]),
            before=said[at][1],
            after=now[at][1],
        )
        for at in worst
    ]


def _said(path: Path, wanted: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Question and answer of the rows wanted."""
    found = {}
    for at, row in enumerate(results.read_rows(path)):
        if at in wanted:
            answer = row.answer.text if row.answer else row.failure or ""
            found[at] = (row.case.question, answer or "Not in the documents.")
    return found


def lines(comparison: Comparison) -> list[str]:
    """The comparison as a table to read in a terminal."""
    before, after = comparison.before, comparison.after
    out = [f"{before.set}: {before.questions} questions"]
    for name, old, new in results.differing(before, after):
        if name.startswith(("settings", "versions")):
            out.append(f"{name} was {old}, is {new}")
    heads = f"{'measure':22} {'before':>7} {'after':>7} {'change':>8}"
    out += ["", f"{heads}  95 % interval      won/lost/tied"]
    for d in comparison.differences:
        interval = f"[{d.low:+.3f}, {d.high:+.3f}]"
        counts = f"{d.won}/{d.lost}/{d.tied}" if d.won + d.lost + d.tied else ""
        verdict = "" if d.verdict == "no clear change" else f"  {d.verdict}"
        out.append(
            f"{d.measure:22} {d.before:7.3f} {d.after:7.3f} {d.change:+8.3f}  {interval:18} "
            f"{counts:14}{verdict}".rstrip()
        )
    out += ["", "largest losses:" if comparison.losses else "no question went worse"]
    for loss in comparison.losses:
        out += [f"  {loss.change:+.3f}  {loss.id}: {loss.question}"]
        out += [f"          before: {loss.before}", f"          after:  {loss.after}"]
    return out
