"""Whichever spelling of a name is asked with, the same documents are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant import Assistant, Settings

PAIRS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "name_pairs.yaml").read_text(encoding="utf-8")
)
MADE = PAIRS["made"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("names")
    for number, (name, *_) in enumerate(MADE["names"]):
        (folder / f"{number}.txt").write_text(MADE["text"].format(name) + "\n", encoding="utf-8")
    with Assistant.from_settings(Settings(library={"data": folder / "data"})) as assistant:  # type: ignore[arg-type]
        assistant.index(sorted(folder.glob("*.txt")))
        yield assistant


def recall(assistant: Assistant, question: str, relevant: list[str], k: int = 10) -> float:
    found = {Path(scored.document.uri).name for scored in assistant.search(question, k)}
    return len(found & set(relevant)) / len(relevant)


def test_pairs_differ_by_no_more_than_a_point(sample: Assistant, made: Assistant) -> None:
    asks = [(sample, c["ask"], c["names"], c["relevant"]) for c in PAIRS["sample"]]
    asks += [(made, MADE["ask"], names, [f"{n}.txt"]) for n, names in enumerate(MADE["names"])]
    pairs = []
    for assistant, ask, (first, *others), relevant in asks:
        one = recall(assistant, ask.format(first), relevant)
        pairs += [(recall(assistant, ask.format(name), relevant), one, name) for name in others]
    assert len(pairs) >= 60
    firsts = sum(one for _, one, _ in pairs) / len(pairs)
    seconds = sum(other for other, _, _ in pairs) / len(pairs)
    print(f"{len(pairs)} pairs: recall@10 {firsts:.3f} and {seconds:.3f}")
    assert abs(firsts - seconds) <= 0.01
    assert sum(abs(one - other) for one, other, _ in pairs) / len(pairs) <= 0.01


def test_the_text_with_the_name_comes_first(made: Assistant) -> None:
    """All texts are alike but for the name, so that only the name can put one first."""
    asked = [(name, n) for n, names in enumerate(MADE["names"]) for name in names]
    first = [recall(made, MADE["ask"].format(name), [f"{n}.txt"], 1) for name, n in asked]
    assert sum(first) / len(first) >= 0.95
