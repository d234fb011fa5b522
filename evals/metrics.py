"""Measures by name, and a question's score in them.

``parse("nDCG@10")`` gives the measure of that name; the name is the same in code, on the command
line and in the report. A question that failed scores zero in every measure that applies to it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.evals.errors import MeasureError
from assistant.evals.measures import CUT, OWN, RANKING, Measure, first, has_relevant
from assistant.evals.results import Row
from assistant.types import Shape

CUTOFF = "[1-9][0-9]{0,2}"
DEFAULT = (
    *("R@1", "R@5", "R@10", "RR", "nDCG@10", "AP"),
    *("passage_contained@5", "answer_contained@1", "answer_contained@3", "exact_match", "token_F1"),
    *("citation_hit", "citation_precision", "citation_recall", "quote_recall"),
    *("quote_exact", "support"),
    *("abstention_accuracy", "abstention_AUROC", "refused@5%", "coverage@5%", "tokens"),
)
EXAMPLES = ("P@5", "Success@5", "faithfulness", "correctness")  # of those not taken by default
ELSEWHERE = {"recall": "R", "precision": "P", "mrr": "RR", "map": "AP", "hit": "Success"}


def parse(name: str) -> Measure:
    """The measure of that name. Raises MeasureError with the nearest name there is."""
    if name in OWN:
        return OWN[name]
    base, _, cutoff = name.partition("@")
    if base in CUT and re.fullmatch(CUTOFF, cutoff):
        return CUT[base](int(cutoff))
    if base in RANKING and (re.fullmatch(CUTOFF, cutoff) or name in {"RR", "AP"}):
        where = first(int(cutoff), "document") if cutoff else "the documents ranked"
        return Measure(
            name, RANKING[base].format(where), "ir-measures", has_relevant, of_ranking=True
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


class Description(Shape):
    """What a person needs to know of a measure."""

    name: str
    sentence: str
    source: str
    low: float = 0.0
    high: float | None  # None: no bound
    better: str
    default: bool  # taken unless --measure says otherwise


def described() -> list[Description]:
    """Every measure there is; of those with a cut-off, the cut-offs taken by default."""
    return [
        Description(
            name=measure.name,
            sentence=measure.sentence,
            source=measure.source,
            high=None if measure.high == float("inf") else measure.high,
            better=measure.better,
            default=measure.name in DEFAULT,
        )
        for measure in map(parse, (*DEFAULT, *EXAMPLES))
    ]


def lines(listed: Sequence[Description]) -> Iterator[str]:
    """The descriptions as a list to read in a terminal."""
    for measure in listed:
        bounds = f"{measure.low:g}..{'' if measure.high is None else f'{measure.high:g}'}"
        mark = "*" if measure.default else " "
        better = "" if measure.better == "higher" else ", lower is better"
        yield f"{mark} {measure.name:20} {bounds:5} {measure.sentence} ({measure.source}{better})"
    yield "* taken unless --measure names others; any cut-off from 1 to 999 will do: R@3, nDCG@20"
