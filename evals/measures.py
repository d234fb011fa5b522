"""The measures: what each says in one sentence, its bounds, its source, how a question scores.

A measure of the set as a whole (AUROC, coverage) is computed from every row's confidence, in
``resampling``; one of a ranking by the ir-measures package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.evals import squad
from assistant.evals.cases import Case
from assistant.evals.outcomes import shown, was_answered
from assistant.evals.results import Row


@dataclass(frozen=True)
class Measure:
    """``applies`` tells from the case alone, so that a failure can score zero."""

    name: str
    sentence: str
    source: str
    applies: Callable[[Case], bool]
    score: Callable[[Row], float | None] | None = None  # None: of the set, or by ir-measures
    high: float = 1.0  # every measure starts at 0
    better: str = "higher"
    of_the_set: bool = False
    of_ranking: bool = False  # by ir-measures
    judged: bool = False  # by a model


# -- which cases a measure applies to --------------------------------------------------------------


def has_relevant(case: Case) -> bool:
    return bool(case.relevant)


def _has_answers(case: Case) -> bool:
    return bool(case.answers) and case.answerable is not False


def _has_gold(case: Case) -> bool:
    return bool(case.answers) or case.answerable is False


def _has_quotes(case: Case) -> bool:
    return bool(case.quotes)


def _should_cite(case: Case) -> bool:
    return bool(case.relevant) and case.answerable is not False


def _is_labelled(case: Case) -> bool:
    return case.answerable is not None


def _always(case: Case) -> bool:  # noqa: ARG001
    return True


def first(count: int, what: str) -> str:
    """``the first 5 documents``."""
    return f"the first {count} {what}s" if count > 1 else f"the first {what}"


# -- how a question scores -------------------------------------------------------------------------


def _answer_contained(k: int) -> Measure:
    def contained(row: Row) -> float:
        return float(any(squad.contained(gold, shown(row, k)) for gold in row.case.answers))

    sentence = f"a gold answer stands in {first(k, 'sentence')} of the answer"
    return Measure(f"answer_contained@{k}", sentence, "own", _has_answers, contained)


def _passage_contained(k: int) -> Measure:
    def contained(row: Row) -> float:
        texts = [s.passage.text for s in row.answer.passages[:k]] if row.answer else []
        return float(any(squad.contained(gold, t) for gold in row.case.answers for t in texts))

    sentence = f"a gold answer stands in {first(k, 'passage')}"
    return Measure(f"passage_contained@{k}", sentence, "own", _has_answers, contained)


def _golds(row: Row) -> tuple[str, ...]:
    return () if row.case.answerable is False else row.case.answers


def _citation_precision(row: Row) -> float:
    return sum(name in row.relevant for name in row.cited) / max(len(row.cited), 1)


def _citation_recall(row: Row) -> float:
    return len(set(row.cited) & set(row.relevant)) / len(row.relevant)


def _citation_hit(row: Row) -> float:
    return float(any(name in row.relevant for name in row.cited))


def _quote_recall(row: Row) -> float:
    sentences = row.answer.sentences if row.answer else ()
    cited = [squad.squash(c.quote) for sentence in sentences for c in sentence.citations]
    golds = [squad.squash(gold) for gold in row.case.quotes]
    return sum(any(g in c or c in g for c in cited if c) for g in golds) / len(golds)


def _quote_exact(row: Row) -> float | None:
    return sum(row.exact) / len(row.exact) if row.exact else None


def _support(row: Row) -> float | None:
    verdicts = [sentence.verdict for sentence in row.answer.sentences] if row.answer else []
    return verdicts.count("supported") / len(verdicts) if verdicts else None


def _tokens(row: Row) -> float:
    stages = row.answer.trace.stages if row.answer else ()
    return sum(n for stage in stages for name, n in stage.counts.items() if name.endswith("tokens"))


CUT: dict[str, Callable[[int], Measure]] = {
    "answer_contained": _answer_contained,
    "passage_contained": _passage_contained,
}
RANKING = {
    "R": "share of the relevant documents that are among {}",
    "P": "share of {} that are relevant",
    "RR": "1 over the rank of the first relevant one among {}",
    "nDCG": "gain of the relevant among {}, less the lower they rank, over that of the best order",
    "AP": "precision at each relevant one among {}, averaged",
    "Success": "1 when a relevant one is among {}",
}
OWN = {
    measure.name: measure
    for measure in (
        Measure(
            "exact_match",
            "the answer is a gold answer, nothing more; silence where there is none",
            "SQuAD 2.0",
            _has_gold,
            lambda row: squad.exact_match(_golds(row), shown(row)),
        ),
        Measure(
            "token_F1",
            "words shared between the answer and the nearest gold answer",
            "SQuAD 2.0",
            _has_gold,
            lambda row: squad.token_f1(_golds(row), shown(row)),
        ),
        Measure(
            "citation_precision",
            "share of the citations that point to a relevant document",
            "own, after ALCE",
            _should_cite,
            _citation_precision,
        ),
        Measure(
            "citation_recall",
            "share of the relevant documents that are cited",
            "own, after ALCE",
            _should_cite,
            _citation_recall,
        ),
        Measure("citation_hit", "a relevant document is cited", "own", _should_cite, _citation_hit),
        Measure(
            "quote_recall", "share of the gold quotes cited", "own", _has_quotes, _quote_recall
        ),
        Measure(
            "quote_exact",
            "share of the quotes shown that stand letter by letter where their citation says",
            "own",
            _always,
            _quote_exact,
        ),
        Measure("support", "share of the sentences shown that verified", "own", _always, _support),
        Measure(
            "abstention_accuracy",
            "answered when the documents answer, silent when they do not",
            "own",
            _is_labelled,
            lambda row: float(was_answered(row) == row.case.answerable),
        ),
        Measure(
            "abstention_AUROC",
            "chance that an answerable question has a higher confidence than an unanswerable one",
            "Hanley and McNeil 1982",
            _is_labelled,
            of_the_set=True,
        ),
        Measure(
            "refused@5%",
            "share of the unanswerable refused, with at most 5 % of the answerable refused",
            "own",
            _is_labelled,
            of_the_set=True,
        ),
        Measure(
            "coverage@5%",
            "largest share of all questions answered, most confident first, with at most 5 % wrong",
            "Kamath et al. 2020",
            _is_labelled,
            of_the_set=True,
        ),
        Measure(
            "tokens",
            "tokens sent to and received from models",
            "the trace",
            _always,
            _tokens,
            high=float("inf"),
            better="lower",
        ),
        Measure(
            "faithfulness",
            "a model finds the answer borne out by its quotes",
            "prompts/judge.md",
            _always,
            lambda row: row.judged.get("faithfulness"),
            judged=True,
        ),
        Measure(
            "correctness",
            "a model finds the answer to agree with the gold answers",
            "prompts/judge.md",
            _has_answers,
            lambda row: row.judged.get("correctness"),
            judged=True,
        ),
    )
}
