"""What the command line prints of an answer."""

from __future__ import annotations

import datetime as dt

from assistant.terminal import answer_lines
from assistant.types import Answer, AnswerSentence, Citation, Conflict, Event, Side


def cited(marker: int, source: str, quote: str) -> Citation:
    return Citation(
        marker=marker,
        document_id=source,
        passage_id=source,
        title="Border",
        source=source,
        published=dt.date(2022, 9, 12 + marker),
        start=0,
        end=len(quote),
        quote=quote,
    )


FIRST = cited(1, "Meridian", "Zas said 49 were killed.")
SECOND = cited(2, "Ledger", "There were 105 dead.")


def shown(kind: str = "conflict", status: str = "answered") -> list[str]:
    sentence = AnswerSentence(
        text=FIRST.quote, citations=(FIRST,), verdict="supported", speaker="Zas", stance="claim"
    )
    sides = (Side(value="49", citation=FIRST), Side(value="105", citation=SECOND))
    event = Event(date="2022-09-13", reason='"Tuesday", in a text', citation=FIRST)
    answer = Answer(
        id="a",
        question="q",
        query="q",
        status=status,  # type: ignore[arg-type]
        confidence=0.9,
        sentences=(sentence,),
        conflicts=(Conflict(subject="… were killed", kind=kind, sides=sides),),  # type: ignore[arg-type]
        timeline=(event,),
        independent_sources=2,
        settings_digest="d",
    )
    return "\n".join(answer_lines(answer)).splitlines()


def test_who_says_it_and_what_the_sources_say_apart() -> None:
    assert shown() == [
        "Zas said 49 were killed. [1]",
        "",
        "[1] Border (Meridian, 2022-09-13)",
        '    "Zas said 49 were killed."',
        "    claim, said by Zas",
        "",
        "2 independent sources",
        "",
        "The sources disagree: … were killed",
        "  49   Meridian, 2022-09-13 [1]",
        '       "Zas said 49 were killed."',
        "  105  Ledger, 2022-09-14 [2]",
        '       "There were 105 dead."',
        "",
        "Timeline",
        '  2022-09-13             "Zas said 49 were killed." [1]',
        '                         Meridian, 2022-09-13; "Tuesday", in a text',
    ]


def test_an_answer_in_doubt_says_so_first() -> None:
    assert shown(status="partial")[0].startswith("Partial answer: the documents may not answer")


def test_an_update_is_no_disagreement() -> None:
    assert "It changed over time: … were killed" in shown("update")
