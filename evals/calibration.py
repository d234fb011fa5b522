"""``assistant calibrate``: the threshold of silence and the share of meaning, fitted to a set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command import Config, Data, Json, open_assistant
from assistant.evals.options import Set
from assistant.terminal import say, show

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.calibrating import Calibration
    from assistant.evals.cases import Case, EvaluationSet
    from assistant.pipeline import Assistant
    from assistant.types import ScoredPassage

WEIGHTS = (0.5, 0.3, 0.4, 0.6, 0.7)  # shares of meaning that are tried, the usual one first
LEAST = 20  # answerable questions
_FOLDS = 5
_K = 10

OnProgress = Callable[[str], None]


def calibrate(
    evaluation_set: Set,
    wrong_refusals: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of answerable questions that may be lost.")
    ] = 0.05,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Fit the threshold of silence and the share of meaning to your own questions."""
    from assistant import calibrating
    from assistant.evals import cases

    loaded = cases.load(evaluation_set)
    with open_assistant(data, config) as assistant:
        found = fit(assistant, loaded, wrong_refusals, say)
        calibrating.save(found, assistant.settings.library.data)
        settings = assistant.settings
    show(found, calibrating.lines(settings), as_json)


def fit(
    assistant: Assistant,
    evaluation_set: EvaluationSet,
    wrong_refusals: float,
    on_progress: OnProgress = lambda _: None,
) -> Calibration:
    """What suits the set best; SetError when it has too few answerable questions to tell.

    Questions with a history are left out: what they ask depends on the answers before.
    """
    import numpy as np

    from assistant.calibrating import Calibration
    from assistant.evals.errors import SetError

    known = [c for c in evaluation_set.cases if c.answerable is not None and not c.history]
    gold = np.array([bool(case.answerable) for case in known], np.bool_)
    if gold.sum() < LEAST:
        raise SetError(
            Path(evaluation_set.name),
            f"has {gold.sum()} answerable questions, {LEAST} at least are needed",
            "add questions; `assistant eval draft` proposes some",
        )
    weight = _dense_weight(assistant, known, on_progress)
    on_progress(f"asking {len(known)} questions")
    asked = assistant.adjusted(
        retrieval={"dense_weight": weight}, answering={"threshold": 0.0, "doubt": 0.0}
    )
    confidence = np.array([asked.ask(case.question).confidence for case in known])
    wrongly, rightly = _expected(confidence, gold, wrong_refusals)
    return Calibration(
        evaluation_set=evaluation_set.name,
        made=dt.date.today(),
        dense_weight=weight,
        threshold=_threshold(confidence[gold], wrong_refusals),
        answerable=int(gold.sum()),
        unanswerable=int((~gold).sum()),
        wrongly_refused=wrongly,
        refused=rightly,
    )


def _dense_weight(assistant: Assistant, known: Sequence[Case], on_progress: OnProgress) -> float:
    """The share of meaning with the best mean reciprocal rank of the first relevant document.

    Another than the usual one only where the gain is above its standard error.
    """
    import numpy as np

    from assistant.evals import collection as collections

    collection = collections.read(assistant)
    judged = [(case, relevant) for case in known if (relevant := collection.relevant(case))]
    ranks: dict[float, NDArray[np.float64]] = {}
    for weight in WEIGHTS if judged else ():
        on_progress(f"searching with a share of meaning of {weight:g}")
        varied = assistant.adjusted(retrieval={"dense_weight": weight})
        ranks[weight] = np.array(
            [_reciprocal(varied.search(c.question, _K), r, collection.names) for c, r in judged]
        )
    usual = WEIGHTS[0]
    best = max(ranks, key=lambda weight: (ranks[weight].mean(), weight == usual), default=usual)
    if best == usual:
        return usual
    gain = ranks[best] - ranks[usual]
    return best if gain.mean() > gain.std() / len(gain) ** 0.5 else usual


def _reciprocal(
    found: Sequence[ScoredPassage], relevant: Mapping[str, int], names: Mapping[str, str]
) -> float:
    documents = list(dict.fromkeys(names.get(each.document.id) for each in found))
    places = [place for place, name in enumerate(documents, 1) if name in relevant]
    return 1 / places[0] if places else 0.0


def _threshold(answerable: NDArray[np.float64], wrong_refusals: float) -> float:
    """The highest that refuses no greater share of the answerable ones, as far up as the next."""
    ordered = sorted(answerable.tolist())
    return float(ordered[int(len(ordered) * wrong_refusals)])


def _expected(
    confidence: NDArray[np.float64], gold: NDArray[np.bool_], share: float
) -> tuple[float, float | None]:
    """Shares of the answerable and of the unanswerable that are refused, by cross-validation."""
    import numpy as np

    fold = np.arange(len(gold)) % _FOLDS
    refused = np.zeros(len(gold), np.bool_)
    for part in range(_FOLDS):
        inside = fold == part
        limit = _threshold(confidence[gold & ~inside], share)
        refused[inside] = confidence[inside] < limit
    rightly = float(refused[~gold].mean()) if (~gold).any() else None
    return float(refused[gold].mean()), rightly
