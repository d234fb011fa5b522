"""Measures that a chat model judges; marked as judged wherever they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.errors import ModelError
from assistant.evals.prompting import HINT, ask

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.evals.cases import Case
    from assistant.types import Answer


class ModelJudge:
    """Judges by ``prompts/judge.md``; ``name`` is written into the result file."""

    def __init__(self, name: str, chat: BaseChatModel) -> None:
        self.name, self._chat = name, chat

    def judge(self, case: Case, answer: Answer) -> dict[str, float]:
        """``faithfulness``, and ``correctness`` where there are gold answers: 0 to 1.

        Nothing for an answer that was silent. Raises ModelError when the model gives no grades.
        """
        if answer.status == "not_in_documents":
            return {}
        quotes = [c.quote for sentence in answer.sentences for c in sentence.citations]
        grades = ask(
            self._chat,
            "judge",
            question=case.question,
            answer=answer.text,
            quotes="\n".join(f"- {quote}" for quote in quotes) or "(none)",
            golds="\n".join(f"- {gold}" for gold in case.answers) or "(none)",
        )
        wanted = ["faithfulness", *(["correctness"] if case.answers else [])]
        return {name: _grade(grades.get(name)) for name in wanted}


def _grade(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 5:
        raise ModelError(f"the judge's grade is {value!r}, not 1 to 5", HINT)
    return (value - 1) / 4
