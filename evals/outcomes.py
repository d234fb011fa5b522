"""What became of a question: answered or not, right or not, and which stage lost it."""

from __future__ import annotations

from typing import Literal

from assistant.evals import squad
from assistant.evals.results import Row
from assistant.types import Answer

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


def stages(row: Row) -> list[tuple[str, bool, str]]:
    """Each stage that ran, whether it did its part as far as the gold tells, and what it did."""
    if row.answer is None:
        return []
    steps = []
    if row.relevant:
        found = [scored.document.uri in row.relevant for scored in row.answer.passages]
        what = f"{sum(found)} of {len(found)} passages are of relevant documents"
        first = f", the first at rank {found.index(True) + 1}" if any(found) else ""
        steps.append(("retrieved", any(found), what + first))
    did = "answered" if was_answered(row) else "silent"
    right = row.case.answerable is None or was_answered(row) == row.case.answerable
    steps.append(("decided", right, f"{did}, at a confidence of {row.answer.confidence:.2f}"))
    if was_answered(row) and row.relevant:
        cited = [name in row.relevant for name in row.cited]
        what = f"{sum(cited)} of {len(cited)} citations are of relevant documents"
        steps.append(("chosen", any(cited), what))
    if was_answered(row) and row.case.answers and row.case.answerable is not False:
        steps.append(_gold_step(row, row.answer))
    return steps


def _gold_step(row: Row, answer: Answer) -> tuple[str, bool, str]:
    for at, sentence in enumerate(answer.sentences, start=1):
        if any(squad.contained(gold, sentence.text) for gold in row.case.answers):
            return "said", True, f"a gold answer stands in sentence {at} of {len(answer.sentences)}"
    return "said", is_right(row), "no gold answer stands in any one sentence"


def _passages_of(row: Row) -> set[str]:
    """The documents whose passages the answer was chosen from."""
    return {scored.document.uri for scored in row.answer.passages} if row.answer else set()
