from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evals import resampling

ONES = np.ones((1, 6))
CONFIDENCE = np.array([0.9, 0.8, 0.8, 0.4, 0.4, 0.1])
YES = np.array([True, True, False, True, False, False])


def by_pairs(confidence: np.ndarray, positive: np.ndarray) -> float:
    wins = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a in confidence[positive]
        for b in confidence[~positive]
    ]
    return float(np.mean(wins))


def test_auroc_counts_pairs() -> None:
    assert resampling.auroc(CONFIDENCE, YES)(ONES)[0] == pytest.approx(by_pairs(CONFIDENCE, YES))


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.booleans()), min_size=2))
def test_auroc_of_weights_is_that_of_repeated_questions(pairs: list[tuple[float, bool]]) -> None:
    confidence = np.array([pair[0] for pair in pairs])
    positive = np.array([pair[1] for pair in pairs])
    weights = np.arange(len(pairs)) % 3
    repeated = np.repeat(np.arange(len(pairs)), weights)
    if positive[repeated].all() or not positive[repeated].any():
        assert np.isnan(resampling.auroc(confidence, positive)(weights[None, :].astype(float))[0])
        return
    got = resampling.auroc(confidence, positive)(weights[None, :].astype(float))[0]
    assert got == pytest.approx(by_pairs(confidence[repeated], positive[repeated]))


def test_mean_leaves_out_what_does_not_apply() -> None:
    values = [1.0, 0.0, float("nan"), 1.0]
    assert resampling.mean(values)(np.ones((1, 4)))[0] == pytest.approx(2 / 3)
    assert resampling.mean(values)(np.array([[0, 2, 5, 1.0]]))[0] == pytest.approx(1 / 3)
    assert np.isnan(resampling.mean([float("nan")])(np.ones((1, 1)))[0])


def test_refused_keeps_the_answerable() -> None:
    confidence = np.array([0.9] * 19 + [0.3] + [0.1] * 6 + [0.5] * 4)
    answerable = np.array([True] * 20 + [False] * 10)
    ones = np.ones((1, 30))
    assert resampling.refused(confidence, answerable)(ones)[0] == pytest.approx(1.0)
    assert resampling.refused(confidence, answerable, wrong=0.0)(ones)[0] == pytest.approx(0.6)


def test_coverage_stops_at_the_allowed_error() -> None:
    confidence = np.linspace(1, 0.01, 40)
    right = np.array([True] * 20 + [False] + [True] * 9 + [False] * 10)
    shown = np.ones(40, dtype=bool)
    ones = np.ones((1, 40))
    assert resampling.coverage(confidence, shown, right)(ones)[0] == pytest.approx(30 / 40)
    assert resampling.coverage(confidence, shown, right, 0.0)(ones)[0] == pytest.approx(20 / 40)
    shown[20:] = False
    assert resampling.coverage(confidence, shown, right)(ones)[0] == pytest.approx(20 / 40)


def test_intervals_repeat_for_a_seed_and_hold_the_value() -> None:
    values = np.random.default_rng(1).random(80)
    statistics = {"mean": resampling.mean(list(values))}
    one = resampling.intervals(statistics, 80)["mean"]
    assert one == resampling.intervals(statistics, 80)["mean"]
    assert one != resampling.intervals(statistics, 80, seed=1)["mean"]
    assert one.low < one.value < one.high
    error = values.std() / np.sqrt(80)
    assert one.high - one.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(7)
    held = 0
    for seed in range(200):
        values = random.random(60) < 0.7
        statistics = {"mean": resampling.mean(list(values.astype(float)))}
        found = resampling.intervals(statistics, 60, seed=seed, draws=500)["mean"]
        held += found.low <= 0.7 <= found.high
    assert 180 <= held <= 199


def test_drawings_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "BATCH", 50)
    batches = list(resampling.drawings(20, 9, seed=3))
    assert [len(batch) for batch in batches] == [2, 2, 2, 2, 1]
    assert all((batch.sum(axis=1) == 20).all() for batch in batches)
