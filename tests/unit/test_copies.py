"""Copies of one text count as one source."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from assistant import Assistant
from assistant.copies import Source, copied, independent

COPIES = {  # corpus/README.md names them
    frozenset({"khazar-truce-announced.html", "meridian-ceasefire-105-dead.md"}),
    frozenset({"ala-archa-exercise-called-off.html", "meridian-kyrgyz-exercise-cancelled.md"}),
}


def words(seed: int, count: int = 300) -> str:
    chance = random.Random(seed)
    return " ".join(f"w{chance.randrange(500)}" for _ in range(count))


def test_the_copies_in_the_sample_collection_are_found_and_no_others(sample: Assistant) -> None:
    texts = {Path(d.uri).name: sample.document(d.id).text for d in sample.documents()}
    found = {frozenset(pair) for pair in combinations(texts, 2) if copied(*map(texts.get, pair))}
    assert found == COPIES


def test_copies_and_texts_of_one_name_count_once() -> None:
    first, second, third = words(1), words(2), words(3)
    assert independent([]) == 0
    assert independent([Source("A", first), Source("B", second), Source("C", third)]) == 3
    assert independent([Source("A", first), Source("B", first + " " + words(4, 90))]) == 1
    assert independent([Source("A", first), Source("A", second), Source("B", third)]) == 2
    # B copies A and C copies B's other half
    joined = f"{first} {second}"
    assert independent([Source("A", first), Source("C", second), Source("B", joined)]) == 1


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_text_is_a_copy_of_itself_and_copying_is_mutual(one: str, other: str) -> None:
    assert copied(one, one)
    assert copied(one, other) == copied(other, one)
