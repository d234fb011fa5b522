"""What the sources of the sample collection say apart and together, asked for real."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from assistant import Answer, Assistant
from assistant.types import Citation

ROOT = Path(__file__).parents[2]


def citations(answer: Answer) -> list[Citation]:
    return [
        *(cited for sentence in answer.sentences for cited in sentence.citations),
        *(side.citation for conflict in answer.conflicts for side in conflict.sides),
        *(event.citation for event in answer.timeline),
    ]


@pytest.fixture(scope="module")
def questions() -> dict[str, str]:
    """The sample set's, by the id of their case."""
    text = (ROOT / "evals" / "sets" / "sample.yaml").read_text(encoding="utf-8")
    return {case["id"]: case["question"] for case in yaml.safe_load(text)["cases"]}


@pytest.mark.parametrize(
    ("question", "days"),
    [
        (
            "What happened when in the border fighting between Kyrgyzstan and Tajikistan?",
            ["2022-09-14", "2022-09-16"],
        ),
        ("timeline of the unrest in Kazakhstan in January 2022", ["2022-01-02", "2022-01-05"]),
    ],
)
def test_a_timeline_has_days_that_no_text_spells_out(
    sample: Assistant, question: str, days: list[str]
) -> None:
    answer = sample.ask(question)
    told = [event.date for event in answer.timeline]
    assert set(days) <= set(told)
    assert told == sorted(told, key=lambda date: (date.startswith("--"), date))
    numbered: dict[int, Citation] = {}
    for cited in citations(answer):
        assert sample.document(cited.document_id).text[cited.start : cited.end] == cited.quote
        assert numbered.setdefault(cited.marker, cited).quote == cited.quote


@pytest.mark.parametrize("day", ["September 13, 2022", "13 Sept 2022"])
def test_a_timeline_is_made_of_more_passages_than_an_answer(sample: Assistant, day: str) -> None:
    answer = sample.ask(f"What happened on {day}?")
    assert {event.date for event in answer.timeline} == {"2022-09-13"}
    assert any("fighting broke out along the border" in e.citation.quote for e in answer.timeline)
    first = sample.search(f"What happened on {day}?")
    ids = [scored.passage.id for scored in answer.passages]
    assert ids[: len(first)] == [scored.passage.id for scored in first]
    assert set(ids[len(first) :]) <= {event.citation.passage_id for event in answer.timeline}
    assert {cited.passage_id for cited in citations(answer)} <= set(ids)


def test_reported_speech_keeps_its_speaker(sample: Assistant) -> None:
    answer = sample.ask("What did Sidorov say about the use of the collective forces in Armenia?")
    said = [s for s in answer.sentences if "had not been raised" in s.text]
    assert said[0].stance in {"claim", "denial"}
    assert "Sidorov" in (said[0].speaker or "")
    assert all((s.speaker or "") in s.text for s in answer.sentences)
    assert answer.independent_sources >= 1


@pytest.mark.parametrize(
    ("case", "kind", "told"),
    [
        ("c01", "update", ["49", "105"]),
        ("c02", "conflict", ["shortly after midnight on Tuesday", "evening of September 13"]),
        ("c06", "conflict", ["about 2,500", "2,030"]),
        ("c07", "conflict", ["164", "225"]),
        ("c12", "conflict", ["46", "63"]),
        ("c16", "conflict", ["at least 170", "At least 20"]),
        ("c18", "conflict", ["one hundred", "some fifty"]),
        ("c21", "conflict", ["says so", "denies it"]),
        ("c25", "conflict", ["says so", "denies it"]),
        ("c30", "update", ["Eighteen", "21"]),
        ("c33", "update", ["около 98 тысяч", "более двухсот тысяч"]),
    ],
)
def test_what_its_sources_say_apart_is_shown(
    sample: Assistant, questions: dict[str, str], case: str, kind: str, told: list[str]
) -> None:
    answer = sample.ask(questions[case])
    (conflict,) = answer.conflicts
    assert conflict.kind == kind
    assert sorted(side.value for side in conflict.sides) == sorted(told)
    for side in conflict.sides:
        cited = side.citation
        assert sample.document(cited.document_id).text[cited.start : cited.end] == cited.quote
    assert (len({side.citation.source for side in conflict.sides}) == 1) == (kind == "update")


def test_sources_that_agree_are_not_set_against_each_other(
    sample: Assistant, questions: dict[str, str]
) -> None:
    apart = {"c01", "c02", "c06", "c07", "c12", "c16", "c18", "c21", "c25", "c30", "c33"}
    shown = {case for case, asked in questions.items() if sample.ask(asked).conflicts}
    assert shown == apart
