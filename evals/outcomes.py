"""What became of a question: answered or not, right or not, and which stage lost it."""

from __future__ import annotations

from typing import Literal

from assistant.evals import squad
from assistant.evals.results import Row

Outcome = Literal[
    "right",
    "not retrieved",
    "retrieved but not chosen",
    "chosen but wrong",
    "wrongly refused",
    "wrongly answered",
    "failed",
    "only searched",
]
OUTCOMES: tuple[Outcome, ...] = Outcome.__args__  # type: ignore[attr-defined]

EXPLAINED: dict[Outcome, str] = {
    "right": "a gold answer was given, or a relevant document cited, or silence was right",
    "not retrieved": "no passage of a relevant document was among those it could choose from",
    "retrieved but not chosen": "a relevant passage was found, but other documents were cited",
    "chosen but wrong": "a relevant document was cited, but no gold answer stands in the answer",
    "wrongly refused": "the documents answer, a relevant passage was found, and it stayed silent",
    "wrongly answered": "the documents do not answer, and it answered",
    "failed": "an error stopped it",
    "only searched": "no answer was asked for",
}


def was_answered(row: Row) -> bool:
    """Whether an answer was shown, whole or in part."""
    return bool(row.answer and row.answer.status != "not_in_documents")


def is_right(row: Row) -> bool:
    """Whether what was shown is right, by the most exact gold that the case has.

    Gold answers: one of them stands in the answer. Else relevant documents: one of them is cited.
    Else: the question can be answered. Silence is right when the question cannot be answered.
    """
    if row.failure or row.case.answerable is False or not was_answered(row):
        return not row.failure and row.case.answerable is False and not was_answered(row)
    if row.case.answers:
        return any(squad.contained(gold, shown(row)) for gold in row.case.answers)
    return not row.relevant or any(name in row.relevant for name in row.cited)


def shown(row: Row, sentences: int | None = None) -> str:
    """The answer's words without markers; empty when it was silent."""
    parts = row.answer.sentences[:sentences] if row.answer and was_answered(row) else ()
    return " ".join(part.text for part in parts)


def outcome(row: Row) -> Outcome:
    """What became of the question, by the stage that lost it."""
    if row.failure:
        return "failed"
    if row.answer is None:
        return "only searched"
    if is_right(row):
        return "right"
    if row.case.answerable is False:
        return "wrongly answered"
    if row.relevant and not _passages_of(row) & set(row.relevant):
        return "not retrieved"
    if not was_answered(row):
        return "wrongly refused"
    if row.relevant and not set(row.cited) & set(row.relevant):
        return "retrieved but not chosen"
    return "chosen but wrong"


def _passages_of(row: Row) -> set[str]:
    """The documents whose passages the answer was chosen from."""
    return {scored.document.uri for scored in row.answer.passages} if row.answer else set()
