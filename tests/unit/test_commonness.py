from __future__ import annotations

import pytest

from assistant.commonness import smoothed, usual


def test_words_that_are_seldom_used_are_rarer() -> None:
    words = ["said", "place", "carry", "protesters", "untranslatableness"]
    rarity = [usual(word) for word in words]
    assert rarity == sorted(rarity)
    assert 0 < rarity[0] < 3 < rarity[-1] == 5


def test_a_small_collection_says_little_and_a_large_one_nearly_all() -> None:
    counted = {"flags": 0.2, "carry": 6.0}.__getitem__
    small, large = smoothed(counted, 4), smoothed(counted, 100_000)
    assert small("flags") > 0.9 * small("carry")
    assert large("flags") == pytest.approx(0.2, abs=0.01)
    assert large("carry") == pytest.approx(6, abs=0.01)
    assert smoothed(counted, 0)("flags") == usual("flags")


def test_a_stop_word_says_nothing() -> None:
    assert smoothed(lambda _: 3.0, 4)("The") == 0
