from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assistant.evals import calibration
from assistant.evals.cases import Case, EvaluationSet
from assistant.evals.errors import SetError
from assistant.types import Document


class FakeAssistant:
    """Confident in question n by n/100; finds the relevant document first by words alone."""

    def __init__(self, weight: float = 0.5) -> None:
        self.settings = SimpleNamespace()
        self.weight = weight

    def adjusted(self, **groups: Any) -> FakeAssistant:
        return FakeAssistant(groups["retrieval"]["dense_weight"])

    def documents(self) -> list[Document]:
        return [
            Document(id=name, uri=f"/{name}.txt", title="", source="", media_type="text/plain")
            for name in "ab"
        ]

    def document(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(text=name)

    def search(self, question: str, k: int) -> list[SimpleNamespace]:
        order = "ab" if self.weight < 0.4 else "ba"
        return [SimpleNamespace(document=SimpleNamespace(id=name)) for name in order][:k]

    def ask(self, question: str) -> SimpleNamespace:
        return SimpleNamespace(confidence=int(question) / 100)


def questions(answerable: int, unanswerable: int) -> EvaluationSet:
    cases = [
        Case(id=f"a{n}", question=str(50 + n), relevant={"a.txt": 1}) for n in range(answerable)
    ]
    cases += [Case(id=f"u{n}", question=str(n), answerable=False) for n in range(unanswerable)]
    return EvaluationSet(name="mine", cases=tuple(cases))


def test_threshold_and_weight_suit_the_set() -> None:
    found = calibration.fit(FakeAssistant(), questions(40, 20), 0.05)  # type: ignore[arg-type]
    assert found.dense_weight == 0.3
    assert found.threshold == 0.52  # two of forty are below it
    assert (found.answerable, found.unanswerable, found.refused) == (40, 20, 1.0)
    assert 0 < found.wrongly_refused <= 0.1


def test_without_unanswerable_questions_their_share_is_not_known() -> None:
    found = calibration.fit(FakeAssistant(), questions(20, 0), 0.0)  # type: ignore[arg-type]
    assert found.refused is None
    assert found.threshold == 0.5


def test_a_set_that_is_too_small_is_refused() -> None:
    with pytest.raises(SetError, match="19 answerable"):
        calibration.fit(FakeAssistant(), questions(19, 50), 0.05)  # type: ignore[arg-type]
