from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.evals import claims
from assistant.evals.claims import Claim
from assistant.evals.errors import SetError

LINE = {
    "id": "a",
    "claim": "The bridge was opened in 1921.",
    "label": "supported",
    "evidence": ["A page.", "It was opened in 1921."],
    "supporting_sentences": [[1]],
}


def test_claims_are_read_and_faults_named(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    (claim,) = claims.read(path)
    assert claim.passages == ["A page.\nIt was opened in 1921.\n"]
    path.write_text(json.dumps(LINE) + "\n" + json.dumps(LINE | {"label": "perhaps"}) + "\n")
    with pytest.raises(SetError, match=r"dev.jsonl:2: label: not a claim"):
        claims.read(path)
    path.write_text("")
    with pytest.raises(SetError, match="no claim"):
        claims.read(path)


def test_long_pages_are_several_passages() -> None:
    claim = Claim(id="a", claim="C", label="supported", evidence=("word " * 60,) * 7)
    assert [len(passage) for passage in claim.passages] == [602, 602, 602, 301]


def test_supported_against_the_rest() -> None:
    labels = ["supported"] * 4 + ["partially_supported"] * 3 + ["not_supported"] * 3
    given = [
        Claim(id=str(n), claim=str(n), label=label, evidence=("page",))  # type: ignore[arg-type]
        for n, label in enumerate(labels)
    ]

    def supports(claim: str, passages: Sequence[str]) -> tuple[bool, float]:
        likely = 1 - int(claim) / 10
        return claim in {"0", "1", "2", "5"}, likely

    seen: list[tuple[int, int]] = []
    figures = claims.measure(given, supports, lambda *at: seen.append(at))
    values = {figure.measure: figure.value for figure in figures}
    assert values["support_F1"] == pytest.approx(2 * 3 / (4 + 4))
    assert values["support_accuracy"] == pytest.approx(0.8)
    assert values["support_AUROC"] == 1.0
    assert seen[-1] == (10, 10)
    for figure in figures:
        assert figure.low is not None
        assert figure.value is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high
