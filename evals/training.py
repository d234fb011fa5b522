"""Fits data/selection.json and data/silence.json again: ``python -m assistant.evals.training DIR``.

DIR holds the benchmarks xquad-en and squad2-sample; the library of each is made in ``DATA`` or a
temporary directory. Everything is read on the product's own path: the passages that it finds, the
sentences in them, and what it makes of both. Prints the weights as JSON.

Sentences: a conditional logit over the sentences read for a question of XQuAD, the one with the
gold answer against the others. Topic: XQuAD without one half of its articles and without the
other; are there documents? Answer: SQuAD 2, whose unanswerable questions are about the documents
that are there, and at a tenth of the weight XQuAD's questions with their article, and the questions
of both sets when their passage is left out of what was found.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.evals import importing
from assistant.evals.cases import Case
from assistant.evals.squad import contained
from assistant.pipeline import Assistant
from assistant.selection import READ, Features
from assistant.settings import Settings
from assistant.silence import Evidence, Examined, Fit, Logistic, Topic

FURTHER = 0.1  # weight of a question that only fills up the set
# SQuAD's writers, who had the text before them, seldom asked for a name or a number that it lacks.
# Where the data say little of a weight, it stays near these, not near 0.
EXPECTED = {"name_missing": -1.0, "number_missing": -1.5, "kind_missing": -2.5}
NEUTRAL = 1.386  # logit of .8: as many as are answerable among the easy ones
Values = NDArray[np.float64]


class Asked(NamedTuple):
    case: Case
    examined: Examined
    answerable: bool


def ask(source: Path, data: Path, leave_out: float = 0.0, *, drop: bool = False) -> Iterator[Asked]:
    """The questions of a benchmark, examined; with ``drop``, the relevant documents not among
    what was found, which makes them unanswerable.
    """
    choice = importing.Choice(leave_out=leave_out)
    folder = data / "files" / importing.directory(source, choice)
    folder.parent.mkdir(parents=True, exist_ok=True)
    cases = importing.write(source, folder, choice).cases
    settings = Settings(library={"data": data / importing.directory(source, choice)})  # type: ignore[arg-type]
    with Assistant.from_settings(settings) as assistant:
        importing.index(assistant, folder)
        names = {document.id: Path(document.uri).name for document in assistant.documents()}
        for case in cases:
            found = assistant.search(case.question, 4 * READ)
            if drop:
                found = tuple(f for f in found if names[f.document.id] not in case.relevant)
            examined = assistant.examine(case.question, found[:READ])
            held = any(contained(a, c.text) for a in case.answers for c in examined.candidates)
            if examined.evidence and not (drop and (held or not case.answerable)):
                yield Asked(case, examined, bool(case.answerable) and not drop)


def sentences(asked: Sequence[Asked], penalty: float = 1e-3) -> dict[str, float]:
    """The weights under which the sentence with the gold answer comes first most often."""
    groups = []
    for case, examined, _ in asked:
        held = [any(contained(a, c.text) for a in case.answers) for c in examined.candidates]
        if any(held):
            features = np.array([c.features for c in examined.candidates], np.float64)
            groups.append((features, np.array(held)))
    weights = np.zeros(len(Features._fields))
    for _ in range(400):  # gradient steps; the loss is smooth and nearly quadratic
        gradient = -2 * penalty * weights
        for features, gold in groups:
            odds = np.exp(features @ weights - (features @ weights).max())
            every, right = odds / odds.sum(), np.where(gold, odds, 0) / odds[gold].sum()
            gradient += features.T @ (right - every) / len(groups)
        weights += 8 * gradient
    return dict(zip(Features._fields, weights.round(2).tolist(), strict=True))


def logistic(
    names: Sequence[str], rows: Values, gold: Values, weight: Values, penalty: float
) -> Logistic:
    """Newton's method on the likelihood of standardised features; the penalty is for each weight's
    square distance from the EXPECTED one."""
    mean = np.average(rows, axis=0, weights=weight)
    scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight)) + 1e-9
    design = np.column_stack([(rows - mean) / scale, np.ones(len(rows))])
    shrink = np.diag([penalty] * len(names) + [0.0])
    expected = np.append([EXPECTED.get(name, 0.0) for name in names] * scale, 0.0)
    beta = expected.copy()
    for _ in range(25):
        chance = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (gold - chance)) - shrink @ (beta - expected)
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design + shrink
        beta += np.linalg.solve(curvature, gradient)
    named = (dict(zip(names, v.round(5).tolist(), strict=True)) for v in (mean, scale, beta[:-1]))
    means, scales, weights = named
    return Logistic(mean=means, scale=scales, weights=weights, bias=round(float(beta[-1]), 5))


def _evidence(asked: Sequence[tuple[Asked, float]]) -> tuple[list[Evidence], Values, Values]:
    found = [each.examined.evidence for each, _ in asked if each.examined.evidence]
    gold = np.array([float(each.answerable) for each, _ in asked])
    return found, gold, np.array([weight for _, weight in asked])


def main(benchmarks: Path, data: Path) -> None:
    xquad, squad = benchmarks / "xquad-en", benchmarks / "squad2-sample"
    whole = list(ask(xquad, data))
    articles = {
        each.case.id: zlib.crc32(str(sorted(each.case.relevant)).encode()) for each in whole
    }
    halved = list(ask(xquad, data, 0.5))
    others = [(each, 1.0) for each in halved]
    answer = [(each, 1.0) for each in ask(squad, data)]
    answer += [(each, FURTHER) for each in halved if each.answerable]
    answer += [(each, FURTHER) for each in ask(xquad, data, drop=True)]
    answer += [(each, FURTHER) for each in ask(squad, data, drop=True)]
    about, gold, weight = _evidence(others)
    topic = logistic(Topic._fields, np.array([e.topic for e in about]), gold, weight, 1.0)
    about, gold, weight = _evidence(answer)
    fit = logistic(Fit._fields, np.array([e.fit for e in about]), gold, weight, 33.0)
    odd = [each for each in whole if articles[each.case.id] % 2]
    fitted = {
        "selection": sentences(odd),
        "silence": {"topic": topic.model_dump(), "answer": fit.model_dump(), "neutral": NEUTRAL},
    }
    json.dump(fitted, sys.stdout, indent=1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else directory))
