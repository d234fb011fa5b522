"""The figures of every benchmark folder that is there, as one Markdown table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.evals import importing
from assistant.evals.errors import SetError
from assistant.evals.importing import Choice
from assistant.evals.summarizing import Figure, Summary
from assistant.types import Shape

RANKING = ("R@1", "R@5", "R@10", "RR@10", "nDCG@10")
ANSWERS = (
    *("answer_contained@1", "answer_contained@3", "token_F1", "citation_hit"),
    *("citation_precision", "quote_exact", "support"),
    *("abstention_accuracy", "abstention_AUROC", "refused@5%", "coverage@5%"),
)
HALF = 0.5  # of xquad-en's articles, to see silence where the documents are silent
NO_SPANS = ("mtrag",)  # gold answers are whole sentences: whether they are contained says nothing

# What others reach on the same questions and documents, as the sets' own README tells it.
BM25 = {  # by bm25s: Lucene's form, English stemmer and stop words; in the order of RANKING
    "scifact": (0.533, 0.740, 0.801, 0.641, 0.676),
    "xquad-en": (0.933, 0.988, 0.993, 0.958, 0.967),
    "xquad-en-de": (0.380, 0.540, 0.582, 0.447, 0.480),
    "xquad-en-tr": (0.333, 0.476, 0.490, 0.387, 0.412),
    "xquad-en-ru": (0.113, 0.173, 0.188, 0.138, 0.150),
    "xquad-en-ar": (0.059, 0.112, 0.127, 0.080, 0.091),
    "squad2-sample": (0.860, 0.962, 0.974, 0.905, 0.922),
    "multihop-rag-sample": (0.349, 0.781, 0.884, 0.906, 0.819),
    "mtrag-reduced": (0.287, 0.660, 0.748, 0.688, 0.666),  # the last turn
    "mtrag-reduced-last-has-rewrite": (0.194, 0.517, 0.640, None, 0.530),
    "mtrag-reduced-has-rewrite": (0.115, 0.374, 0.536, None, 0.391),  # all turns joined
    "mtrag-reduced-rewrite": (0.197, 0.560, 0.722, None, 0.579),
}
OTHERS = {  # published; and peers as their own documentation shows them, with all-MiniLM-L6-v2
    ("scifact", "R@10"): "all-MiniLM-L6-v2 .783",
    ("scifact", "nDCG@10"): "all-MiniLM-L6-v2 .645, bge-small-en-v1.5 .713, bge-base .741, "
    "BM25 + bge-base .747; LangChain .666, txtai .651, LlamaIndex .645",
    ("xquad-en", "R@1"): "txtai .954, LlamaIndex .881, LangChain .856",
    ("xquad-en", "nDCG@10"): "all-MiniLM-L6-v2 .944, multilingual-e5-base .980; "
    "txtai .980, LlamaIndex .944, LangChain .929",
    ("squad2-sample", "abstention_accuracy"): "always silent .516",
    ("wice", "support_F1"): "T5-3B (ANLI) .618, GPT-4 .610, on its test set",
    ("wice", "support_accuracy"): "T5-3B (ANLI) .740, GPT-4 .770, on its test set",
}


@dataclass(frozen=True)
class Entry:
    """One benchmark, what is taken of it, and what is measured."""

    folder: Path
    choice: Choice
    measures: tuple[str, ...]
    search_only: bool = False


def entries(root: Path) -> list[Entry]:
    """Every benchmark below ``root`` and what is taken of it. Raises SetError without one."""
    found = sorted(path.parent for path in root.glob("*/corpus.jsonl"))
    if not found:
        raise SetError(root, "no benchmark in it", importing.LAYOUT)
    return [entry for folder in found for entry in _of(folder)]


def claims(root: Path) -> list[Path]:
    """The sets of claims below ``root``."""
    return sorted(root.glob("wice/*.jsonl"))


def _of(folder: Path) -> Iterator[Entry]:
    spans = not folder.name.startswith(NO_SPANS)
    answers = tuple(name for name in ANSWERS if spans or not name.startswith(("answer", "token")))
    yield Entry(folder, Choice(), RANKING + answers)
    for queries in sorted(folder.glob("queries_*.jsonl")):  # other languages
        yield Entry(folder, Choice(queries=queries.name), RANKING, search_only=True)
    if folder.name.startswith("xquad"):
        yield Entry(folder, Choice(leave_out=HALF), RANKING + answers)
    if folder.name.startswith("mtrag"):
        chosen = [Choice(asked=asked, tag="has-rewrite") for asked in ("last", "history")]
        for choice in (*chosen, Choice(asked="rewrite")):
            yield Entry(folder, choice, RANKING, search_only=True)


def known(name: str, measure: str) -> str:
    """What others reach; empty where nothing is known."""
    figures = dict(zip(RANKING, BM25.get(name, ()), strict=False))
    bm25 = f"BM25 {value:.3f}".replace("0.", ".") if (value := figures.get(measure)) else ""
    return ", ".join(part for part in (bm25, OTHERS.get((name, measure))) if part)


class Section(Shape):
    """One set and its figures."""

    name: str
    settings_digest: str
    figures: tuple[Figure, ...]


def section(summary: Summary) -> Section:
    header = summary.header
    return Section(name=header.set, settings_digest=header.settings_digest, figures=summary.figures)


def rows(sections: Sequence[Section], commit: str, day: dt.date) -> Iterator[str]:
    """The lines of the Markdown table."""
    yield "| set | questions | measure | figure | 95 % interval | known figures | commit | date |"
    yield "|---|---|---|---|---|---|---|---|"
    for part in sections:
        for figure in part.figures:
            if figure.value is not None:
                yield (
                    f"| {part.name} | {figure.questions} | {figure.measure} | {figure.value:.3f} "
                    f"| {figure.low:.3f} to {figure.high:.3f} "
                    f"| {known(part.name, figure.measure)} | {commit} | {day} |"
                )


def markdown(sections: Sequence[Section], commit: str, day: dt.date) -> str:
    """The whole file."""
    table = "\n".join(rows(sections, commit, day))
    digests = ", ".join(sorted({part.settings_digest for part in sections}))
    return f"{HEAD}\nSettings digest {digests}.\n\n{table}\n"


HEAD = """# Scoreboard

Written by `make scoreboard` on sets of third parties, which are not part of this repository; with
them in `../shared/benchmarks` it runs again. The bundled model, default settings; intervals are
95 % bootstrap intervals over the questions; `assistant eval measures` says what each measure is.

- `xquad-en-de`, `-tr`, `-ru`, `-ar`: questions in that language about the English paragraphs.
- `xquad-en-without-0.5`: half of the articles left out, so that their questions have no answer.
- `mtrag-reduced`: the last turn with its conversation. Of the questions that people have rewritten
  to stand alone: `-last-has-rewrite` the last turn by itself, `-has-rewrite` with its conversation,
  `-rewrite` as rewritten.
- `wice`: claims and the pages that they cite; `support` is the verification of sentences. Its
  threshold was chosen on this very set: `tests/benchmarks/test_verification.py` holds claims out.
- A question of which nobody knows whether it can be answered counts in no measure of abstention.
- Known figures come with the sets: BM25 (bm25s, Lucene's form, English stemmer; of conversations
  the last turn, or all turns joined where the conversation is searched), published figures of
  models; LangChain, LlamaIndex and txtai as their documentation shows them, with the same model.
"""
