"""Measures: what each says in one sentence, its bounds, its source, and how a question scores.

``parse("nDCG@10")`` gives the measure of that name; the name is the same in code, on the command
line and in the report. Ranking measures are computed by the ir-measures package. A question that
failed scores zero in every measure that applies to it. Measures of the set as a whole (AUROC,
coverage) are computed from every row's confidence, in ``resampling``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from assistant.evals import squad
from assistant.evals.cases import Case
from assistant.evals.errors import MeasureError
from assistant.evals.outcomes import shown, was_answered
from assistant.evals.results import Row

CUTOFF = "[1-9][0-9]{0,2}"
ELSEWHERE = {"recall": "R", "precision": "P", "mrr": "RR", "map": "AP", "hit": "Success"}


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


def parse(name: str) -> Measure:
    """The measure of that name. Raises MeasureError with the nearest name there is."""
    if name in OWN:
        return OWN[name]
    base, _, cutoff = name.partition("@")
    if base in CUT and re.fullmatch(CUTOFF, cutoff):
        return CUT[base](int(cutoff))
    if base in RANKING and (re.fullmatch(CUTOFF, cutoff) or name in {"RR", "AP"}):
        where = f"the first {cutoff} documents" if cutoff else "the documents ranked"
        return Measure(
            name, RANKING[base].format(where), "ir-measures", _has_relevant, of_ranking=True
        )
    raise MeasureError(f"there is no measure {name!r}", f"did you mean {_nearest(name)}?")


def score(row: Row, measures: Iterable[Measure]) -> dict[str, float | None]:
    """The row's score in each measure of single questions; None where one does not apply."""
    single = [m for m in measures if not m.of_the_set]
    scores: dict[str, float | None] = dict.fromkeys(m.name for m in single)
    ranking = [m.name for m in single if m.of_ranking and m.applies(row.case)]
    if row.failure:
        zero = [m.name for m in single if m.applies(row.case) and m.better == "higher"]
        return scores | dict.fromkeys(zero, 0.0)
    if ranking:
        scores |= _ranking_scores(row, ranking)
    for measure in single:
        if measure.score and measure.applies(row.case):
            scores[measure.name] = measure.score(row)
    return scores


def _ranking_scores(row: Row, names: list[str]) -> dict[str, float]:
    import ir_measures

    qrels = {"q": dict(row.relevant)}
    # scores that only fall, so that trec_eval's rule for ties cannot reorder what was shown
    run = {"q": {r.document: float(-place) for place, r in enumerate(row.ranking)}}
    measures = [ir_measures.parse_measure(name) for name in names]
    return {str(m.measure): m.value for m in ir_measures.iter_calc(measures, qrels, run)}


def _nearest(name: str) -> str:
    base, _, cutoff = name.partition("@")
    folded = {known.casefold(): known for known in (*OWN, *CUT, *RANKING)} | ELSEWHERE
    near = difflib.get_close_matches(base.casefold(), folded, n=1, cutoff=0)[0]
    whole = folded[near]
    if whole in OWN or (whole in {"RR", "AP"} and not cutoff):
        return whole
    return f"{whole}@{cutoff if re.fullmatch(CUTOFF, cutoff) else 10}"


# -- which cases a measure applies to --------------------------------------------------------------


def _has_relevant(case: Case) -> bool:
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


# -- how a question scores -------------------------------------------------------------------------


def _answer_contained(k: int) -> Measure:
    def contained(row: Row) -> float:
        return float(any(squad.contained(gold, shown(row, k)) for gold in row.case.answers))

    sentence = f"a gold answer stands in the first {k} sentences of the answer"
    return Measure(f"answer_contained@{k}", sentence, "own", _has_answers, contained)


def _passage_contained(k: int) -> Measure:
    def contained(row: Row) -> float:
        texts = [s.passage.text for s in row.answer.passages[:k]] if row.answer else []
        return float(any(squad.contained(gold, t) for gold in row.case.answers for t in texts))

    sentence = f"a gold answer stands in one of the first {k} passages"
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
DEFAULT = (
    *("R@1", "R@5", "R@10", "RR", "nDCG@10", "AP"),
    *("passage_contained@5", "answer_contained@1", "answer_contained@3", "exact_match", "token_F1"),
    *("citation_hit", "citation_precision", "citation_recall", "quote_recall"),
    *("quote_exact", "support"),
    *("abstention_accuracy", "abstention_AUROC", "refused@5%", "coverage@5%", "tokens"),
)
