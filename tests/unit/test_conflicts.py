"""Disagreements between statements, and the answers that show them."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.comparing import Comparison, compare
from assistant.types import (
    AnswerSentence,
    Citation,
    Conflict,
    Document,
    Passage,
    ScoredPassage,
)

DAY = dt.date(2022, 9, 14)


def found(name: str, text: str, source: str = "", published: dt.date | None = DAY) -> ScoredPassage:
    document = Document(
        id=name,
        uri=f"/{name}.txt",
        title="Border",
        source=source or name,
        published=published,
        language="en",
        media_type="text/plain",
    )
    passage = Passage(id=f"{name}-0", document_id=name, start=0, end=len(text), text=text)
    return ScoredPassage(passage=passage, document=document, score=1.0)


def answer(scored: ScoredPassage) -> AnswerSentence:
    """The whole passage, cited."""
    text, document = scored.passage.text, scored.document
    citation = Citation(
        marker=1,
        document_id=document.id,
        passage_id=scored.passage.id,
        title=document.title,
        source=document.source,
        published=document.published,
        start=0,
        end=len(text),
        quote=text,
    )
    return AnswerSentence(text=text, citations=(citation,), verdict="supported")


def compared(question: str, cited: ScoredPassage, *others: ScoredPassage) -> Comparison:
    texts = {scored.document.id: scored.passage.text for scored in (cited, *others)}
    stop = {"the", "of", "in", "on", "was", "were", "by", "a", "how", "many"}
    return compare(
        question,
        [answer(cited)],
        [cited, *others],
        texts.__getitem__,
        lambda word: 0.0 if word.casefold() in stop else 3.0,
    )


def values(comparison: Comparison) -> list[list[str]]:
    return [[side.value for side in conflict.sides] for conflict in comparison.conflicts]


FIRST = found("a", "In the border fighting 49 Armenian soldiers were killed by shelling.")
ASKED = "How many Armenian soldiers were killed in the border fighting?"


def test_another_number_for_the_same_thing_is_a_conflict() -> None:
    other = found("b", "In the border fighting 105 Armenian soldiers were killed by shelling.")
    (conflict,) = compared(ASKED, FIRST, other).conflicts
    assert conflict.kind == "conflict"
    assert [side.value for side in conflict.sides] == ["49", "105"]
    assert [side.citation.marker for side in conflict.sides] == [1, 2]
    assert conflict.subject == "In the border fighting … Armenian soldiers were killed by shelling."
    for side, scored in zip(conflict.sides, (FIRST, other), strict=True):
        text = scored.passage.text
        assert text[side.citation.start : side.citation.end] == side.citation.quote


@pytest.mark.parametrize(
    "text",
    [
        "In the border fighting 49 Armenian soldiers were killed by shelling, it said.",
        "In the border fighting forty-nine Armenian soldiers were killed by shelling.",
        "In the border fighting about 50 Armenian soldiers were killed by shelling.",
        "In the border fighting 49% of the Armenian soldiers were killed by shelling.",
        "The parliament sat for 105 hours.",
        "Armenian soldiers were killed in the fighting of 2020 near Shushi; 105 were buried.",
    ],
)
def test_what_agrees_or_is_something_else_is_none(text: str) -> None:
    assert values(compared(ASKED, FIRST, found("b", text))) == []


def test_dates_and_names() -> None:
    first = found("a", "The border fighting near the village began on 13 September at night.")
    other = found("b", "The border fighting near the village began on 15 September at night.")
    same = found("c", "The border fighting near the village began on September 13, 2022 at night.")
    when = "When did the border fighting near the village begin?"
    assert values(compared(when, first, same, other)) == [["13 September", "15 September"]]
    first = found("a", "The advance group of the alliance was led by Anatoly Sidorov in Yerevan.")
    other = found("b", "The advance group of the alliance was led by Stanislav Zas in Yerevan.")
    who = "Who led the advance group of the alliance?"
    assert values(compared(who, first, other)) == [["Anatoly Sidorov", "Stanislav Zas"]]
    assert values(compared("How many led the group?", first, other)) == []


def test_three_sources_make_one_conflict_and_those_who_agree_are_one_side() -> None:
    text = "In the border fighting {} Armenian soldiers were killed by shelling."
    others = [found(n, text.format(v)) for n, v in (("b", "105"), ("c", "207"), ("d", "105"))]
    assert values(compared(ASKED, FIRST, *others)) == [["49", "105", "207"]]


def test_a_later_figure_of_the_same_source_is_an_update_in_the_order_of_days() -> None:
    text = "In the border fighting {} Armenian soldiers were killed by shelling."
    late = found("late", text.format(105), "Meridian", dt.date(2022, 9, 15))
    early = found("early", text.format(49), "Meridian", dt.date(2022, 9, 13))
    (conflict,) = compared(ASKED, late, early).conflicts
    assert conflict.kind == "update"
    assert [side.value for side in conflict.sides] == ["49", "105"]
    undated = found("early", text.format(49), "Meridian", None)
    (conflict,) = compared(ASKED, late, undated).conflicts
    assert conflict.kind == "conflict"


def test_nothing_cited_is_nothing_compared() -> None:
    assert compare(ASKED, [], [FIRST], str, len) == Comparison(())


def test_both_sides_cited_are_shown_once() -> None:
    other = found("b", "In the border fighting 105 Armenian soldiers were killed by shelling.")
    texts = {"a": FIRST.passage.text, "b": other.passage.text}
    second = answer(other)
    second = second.model_copy(
        update={"citations": (second.citations[0].model_copy(update={"marker": 2}),)}
    )
    sentences = [answer(FIRST), second]
    seen = compare(ASKED, sentences, [FIRST, other], texts.__getitem__, lambda _: 3.0)
    (conflict,) = seen.conflicts
    assert isinstance(conflict, Conflict)
    assert [side.citation.marker for side in conflict.sides] == [1, 2]
    assert seen.independent_sources == 1  # one is a copy of the other, but for the figure


LEFT = found("a", "Moscow said that Azerbaijani troops had left the village of Parukh.")


@pytest.mark.parametrize(
    ("text", "denies"),
    [
        ("The ministry denied that Azerbaijani troops had left the village of Parukh.", True),
        ("Reports that troops left Parukh village were untrue, a spokesperson said.", True),
        ("The ministry confirmed that Azerbaijani troops had left the village of Parukh.", False),
        ("The ministry denied that Azerbaijani troops had shelled a school near Shushi.", False),
        ("Armenia denied this.", False),
    ],
)
def test_what_one_says_and_another_denies_is_a_conflict(text: str, denies: bool) -> None:
    other = found("b", text)
    for first, second in ((LEFT, other), (other, LEFT)):
        apart = compared("Did the troops leave Parukh?", first, second).conflicts
        sides = {(side.citation.document_id, side.value) for c in apart for side in c.sides}
        assert sides == ({("a", "says so"), ("b", "denies it")} if denies else set())
