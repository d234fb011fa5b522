"""What the report's script needs to show: the table of questions, and each question's evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.evals import results
from assistant.evals.outcomes import EXPLAINED, stages, was_answered
from assistant.evals.results import Row
from assistant.evals.summarizing import Columns
from assistant.types import ScoredPassage

MOST_QUESTIONS = 5000  # shown; of a larger set, those that went worst
RANKED = 10  # documents named per question
SHOWN = ("nDCG@10", "answer_contained@3", "citation_hit")  # in the table, where they were measured


def collect(path: Path, table: Columns) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table's rows, and their details; passages stand once, however many questions found them.

    The script reads the details only when the first question is opened.
    """
    chosen = _chosen(table)
    shown = [name for name in SHOWN if name in table.scores]
    passages = _Passages()
    rows, details = [], []
    for at, row in enumerate(results.read_rows(path)):
        if at in chosen:
            rows.append(_row(row, table, at, shown))
            details.append(_detail(row, table, at, passages))
    return (
        {"columns": shown, "measures": list(table.scores), "list": rows},
        {"passages": passages.list, "list": details},
    )


def _chosen(table: Columns) -> set[int]:
    if len(table.ids) <= MOST_QUESTIONS:
        return set(range(len(table.ids)))
    scores = np.array(list(table.scores.values()))
    means = np.nan_to_num(scores).sum(axis=0) / np.maximum((~np.isnan(scores)).sum(axis=0), 1)
    return set(np.lexsort((means, table.right))[:MOST_QUESTIONS].tolist())


class _Passages:
    def __init__(self) -> None:
        self.list: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def place(self, scored: ScoredPassage) -> int:
        """Where the passage stands in the list."""
        key = scored.passage.id
        if key not in self._places:
            self._places[key] = len(self.list)
            published = scored.document.published
            self.list.append(
                {
                    "document": scored.document.id,
                    "name": scored.document.uri,
                    "title": scored.document.title,
                    "published": published.isoformat() if published else None,
                    "locator": scored.passage.locator,
                    "text": scored.passage.text,
                }
            )
        return self._places[key]


def _row(row: Row, table: Columns, at: int, shown: Sequence[str]) -> dict[str, Any]:
    return {
        "id": row.case.id,
        "question": row.case.question,
        "find": f"{row.case.id} {row.case.question}".lower(),
        "tags": row.case.tags,
        "outcome": table.outcomes[at],
        "confidence": row.answer.confidence if row.answer else None,
        "scores": [row.scores.get(name) for name in shown],
    }


def _detail(row: Row, table: Columns, at: int, passages: _Passages) -> dict[str, Any]:
    answer = row.answer
    sentences = answer.sentences if answer and was_answered(row) else ()
    return {
        "why": EXPLAINED[table.outcomes[at]],
        "stages": stages(row),
        "failure": row.failure,
        "history": [f"{turn.question} {turn.answer}" for turn in row.case.history],
        "query": answer.query if answer else None,
        "sentences": [
            {
                "text": sentence.text,
                "markers": [citation.marker for citation in sentence.citations],
                "verdict": sentence.verdict,
                "reasons": sentence.reasons,
            }
            for sentence in sentences
        ],
        "conflicts": [
            f"{conflict.subject}: " + " · ".join(side.value for side in conflict.sides)
            for conflict in (answer.conflicts if answer else ())
        ],
        "citations": [
            {"document": citation.document_id, "quote": citation.quote}
            for sentence in sentences
            for citation in sentence.citations
        ],
        "answers": row.case.answers,
        "quotes": row.case.quotes,
        "relevant": list(row.relevant),
        "ranking": [
            f"{ranked.document} ✓" if ranked.document in row.relevant else ranked.document
            for ranked in row.ranking[:RANKED]
        ],
        "scores": [row.scores.get(name) for name in table.scores],
        "passages": [
            [passages.place(scored), scored.document.uri in row.relevant, scored.score]
            for scored in (answer.passages if answer else ())
        ],
    }
