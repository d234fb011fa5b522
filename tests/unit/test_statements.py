"""Sentences of found passages, as statements that can be compared and cited."""

from __future__ import annotations

from assistant.statements import Citing, statements
from assistant.types import Document, Passage, ScoredPassage

TEXT = "Zas spoke. Forty-nine soldiers were killed. It ended."


def passage(start: int, end: int) -> ScoredPassage:
    document = Document(
        id="d", uri="d", title="t", source="s", language="en", media_type="text/plain"
    )
    cut = Passage(id=f"d-{start}", document_id="d", start=start, end=end, text=TEXT[start:end])
    return ScoredPassage(passage=cut, document=document, score=1.0)


def test_a_sentence_of_two_passages_comes_once_and_counts_from_the_document_s_start() -> None:
    found = statements([passage(11, len(TEXT)), passage(0, 43)])
    assert [statement.text for statement in found] == [
        "Forty-nine soldiers were killed.",
        "It ended.",
        "Zas spoke.",
    ]
    for statement in found:
        assert TEXT[statement.start : statement.end] == statement.text
    assert "soldier" in found[0].content
    assert "were" in found[0].stems - found[0].content
    assert [value.text for value in found[0].values] == ["Forty-nine"]


def test_what_an_answer_cites_keeps_its_number_and_others_come_after() -> None:
    first, second, third = statements([passage(0, len(TEXT))])
    known = Citing([])(second).model_copy(update={"marker": 4})
    cite = Citing([known])
    assert [cite(s).marker for s in (third, second, first, third)] == [5, 4, 6, 5]
    assert cite(second) == known
