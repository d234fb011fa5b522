"""The figures of every benchmark folder that is there, as one Markdown table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.evals import importing
from assistant.evals.errors import SetError
from assistant.evals.importing import Choice
from assistant.evals.summarizing import Summary

MEASURES = (
    *("R@1", "R@5", "R@10", "nDCG@10", "answer_contained@1", "answer_contained@3", "token_F1"),
    *("citation_hit", "quote_exact", "support", "abstention_AUROC", "refused@5%"),
)
HALF = 0.5  # of xquad-en's articles, to see silence where the documents are silent


def folders(root: Path) -> list[tuple[Path, Choice]]:
    """Every benchmark below ``root`` and what is taken of it. Raises SetError without one."""
    found = sorted(path.parent for path in root.glob("*/corpus.jsonl"))
    if not found:
        raise SetError(root, "no benchmark in it", importing.LAYOUT)
    runs = [(folder, Choice()) for folder in found]
    for folder in found:
        if folder.name.startswith("xquad"):
            runs.append((folder, Choice(leave_out=HALF)))
        if folder.name.startswith("mtrag"):
            runs += [(folder, Choice(asked=a, tag="has-rewrite")) for a in ("last", "history")]
            runs.append((folder, Choice(asked="rewrite")))
    return runs


def rows(summaries: Sequence[Summary], commit: str, day: dt.date) -> Iterator[str]:
    """The lines of the Markdown table."""
    yield "| set | questions | measure | figure | 95 % interval | settings | commit | date |"
    yield "|---|---|---|---|---|---|---|---|"
    for summary in summaries:
        header = summary.header
        for figure in summary.figures:
            if figure.measure in MEASURES and figure.value is not None:
                yield (
                    f"| {header.set} | {figure.questions} | {figure.measure} | {figure.value:.3f} "
                    f"| {figure.low:.3f} to {figure.high:.3f} | {header.settings_digest} "
                    f"| {commit} | {day} |"
                )


def markdown(summaries: Sequence[Summary], commit: str, day: dt.date) -> str:
    """The whole file."""
    head = (
        "# Scoreboard\n\nMeasured by `make scoreboard` on the sets of third parties; intervals are"
    )
    lines = "\n".join(rows(summaries, commit, day))
    return f"{head} bootstrap intervals over the questions.\n\n{lines}\n"
