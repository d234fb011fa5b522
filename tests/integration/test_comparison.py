"""What the sources of the sample collection say apart and together, asked for real."""

from __future__ import annotations

import pytest

from assistant import Answer, Assistant
from assistant.types import Citation


def citations(answer: Answer) -> list[Citation]:
    return [
        *(cited for sentence in answer.sentences for cited in sentence.citations),
        *(side.citation for conflict in answer.conflicts for side in conflict.sides),
        *(event.citation for event in answer.timeline),
    ]


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


def test_reported_speech_keeps_its_speaker(sample: Assistant) -> None:
    answer = sample.ask("What did Sidorov say about the use of the collective forces in Armenia?")
    said = [s for s in answer.sentences if "had not been raised" in s.text]
    assert said[0].stance in {"claim", "denial"}
    assert "Sidorov" in (said[0].speaker or "")
    assert all((s.speaker or "") in s.text for s in answer.sentences)
    assert answer.independent_sources >= 1
