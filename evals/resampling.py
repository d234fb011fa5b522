"""Bootstrap intervals: questions drawn again with replacement, for all measures at once.

A statistic maps weights, shape (draws, questions), to values, shape (draws,): how often each
question was drawn. One drawing serves every measure and, where two results are compared, both of
them, which is what pairs them (Efron and Tibshirani 1993; Sakai 2006 for retrieval).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]

SEED = 20240913
DRAWS = 2000
BATCH = 4_000_000  # weights in memory at once
LEVEL = 0.95
ALLOWED = 0.05  # error, or wrong refusals


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval; ``value`` is NaN when nothing was measured."""

    value: float
    low: float
    high: float


def intervals(
    statistics: Mapping[str, Statistic], questions: int, *, seed: int = SEED, draws: int = DRAWS
) -> dict[str, Interval]:
    """Each statistic over all questions, with its percentile interval over the drawings."""
    drawn: dict[str, list[Floats]] = {name: [] for name in statistics}
    for weights in drawings(questions, draws, seed):
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    everything = np.ones((1, questions))
    edges = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    result = {}
    for name, statistic in statistics.items():
        values = np.concatenate(drawn[name])
        values = values[~np.isnan(values)]
        low, high = np.quantile(values, edges) if len(values) else (np.nan, np.nan)
        result[name] = Interval(float(statistic(everything)[0]), float(low), float(high))
    return result


def drawings(questions: int, draws: int, seed: int) -> Iterator[Floats]:
    """Weights in batches, shape (draws of the batch, questions); each row sums to ``questions``."""
    random = np.random.default_rng(seed)
    size = max(1, BATCH // questions)
    for start in range(0, draws, size):
        rows = min(size, draws - start)
        picked = random.integers(0, questions, size=(rows, questions))
        picked += np.arange(rows)[:, None] * questions
        counts = np.bincount(picked.ravel(), minlength=rows * questions)
        yield counts.reshape(rows, questions).astype(np.float64)


def mean(values: Sequence[float] | Floats) -> Statistic:
    """The mean over the questions that have a value (not NaN)."""
    column = np.asarray(values, dtype=np.float64)
    present = ~np.isnan(column)
    filled, counted = np.where(present, column, 0.0), present.astype(np.float64)
    return lambda weights: _share(weights @ filled, weights @ counted)


def auroc(confidence: Floats, positive: NDArray[np.bool_]) -> Statistic:
    """The chance that a positive has the higher confidence; a tie counts half."""
    order, starts = _ascending(confidence)

    def statistic(weights: Floats) -> Floats:
        ups = _per_group(weights[:, order] * positive[order], starts)
        downs = _per_group(weights[:, order] * ~positive[order], starts)
        below = np.cumsum(downs, axis=1) - downs / 2
        pairs = ups.sum(axis=1) * downs.sum(axis=1)
        return _share((ups * below).sum(axis=1), pairs)

    return statistic


def refused(confidence: Floats, answerable: NDArray[np.bool_], wrong: float = ALLOWED) -> Statistic:
    """Share of the unanswerable below the highest threshold that refuses few of the answerable.

    Few: at most the share ``wrong`` of them.
    """
    order, starts = _ascending(confidence)

    def statistic(weights: Floats) -> Floats:
        wrongly = np.cumsum(_per_group(weights[:, order] * answerable[order], starts), axis=1)
        rightly = np.cumsum(_per_group(weights[:, order] * ~answerable[order], starts), axis=1)
        allowed = wrongly <= wrong * wrongly[:, -1:] + 1e-9
        return _share(np.where(allowed, rightly, 0).max(axis=1), rightly[:, -1])

    return statistic


def coverage(
    confidence: Floats,
    shown: NDArray[np.bool_],
    right: NDArray[np.bool_],
    wrong: float = ALLOWED,
) -> Statistic:
    """Largest share of the questions answered with at most the share ``wrong`` of them wrong.

    The most confident are answered first; a question with no answer to show is never among them.
    """
    order, starts = _ascending(-confidence)
    answers, mistakes = shown[order], shown[order] & ~right[order]

    def statistic(weights: Floats) -> Floats:
        taken = np.cumsum(_per_group(weights[:, order] * answers, starts), axis=1)
        errors = np.cumsum(_per_group(weights[:, order] * mistakes, starts), axis=1)
        allowed = errors <= wrong * taken + 1e-9
        return _share(np.where(allowed, taken, 0).max(axis=1), weights.sum(axis=1))

    return statistic


def _ascending(values: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order of the values, and where in it each run of equal ones begins."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return order, np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _per_group(weights: Floats, starts: NDArray[np.intp]) -> Floats:
    return np.add.reduceat(weights, starts, axis=1)


def _share(part: Floats, whole: Floats) -> Floats:
    """part / whole, NaN where whole is 0."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
