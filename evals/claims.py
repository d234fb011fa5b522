"""Claims and the pages they cite: does the page support the claim? In the layout of WiCE.

Kamoi et al., WiCE: Real-World Entailment for Claims in Wikipedia (2023): a claim that is supported
in part counts as one that is not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import ConfigDict, ValidationError

from assistant.evals import plain_json, resampling
from assistant.evals.errors import SetError
from assistant.evals.summarizing import Figure
from assistant.types import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.evals.resampling import Floats, Statistic
    from assistant.settings import Settings

LAYOUT = "a line is an object of id, claim, label and evidence, a list of sentences"
PASSAGE = 900  # characters, about as many as a passage of the library has

Supports = Callable[[str, Sequence[str]], tuple[bool, float]]  # verdict, and how likely, 0..1


class Claim(Shape):
    model_config = ConfigDict(extra="ignore")

    id: str
    claim: str
    label: Literal["supported", "partially_supported", "not_supported"]
    evidence: tuple[str, ...]

    @property
    def passages(self) -> list[str]:
        """The page's sentences, in passages."""
        found = [""]
        for sentence in self.evidence:
            if found[-1] and len(found[-1]) + len(sentence) > PASSAGE:
                found.append("")
            found[-1] += sentence + "\n"
        return found


def read(path: Path) -> list[Claim]:
    """The claims in the file. Raises SetError naming the line of one that is none."""
    claims = []
    for number, row in plain_json.read(path, LAYOUT):
        try:
            claims.append(Claim.model_validate(row))
        except ValidationError as error:
            field = ".".join(map(str, error.errors()[0]["loc"]))
            raise SetError(path, "not a claim", LAYOUT, line=number, field=field) from None
    if not claims:
        raise SetError(path, "no claim in it", LAYOUT)
    return claims


def measure(
    claims: Sequence[Claim],
    supports: Supports,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Figure, ...]:
    """Supported against the rest: F1, accuracy and AUROC, with intervals over the claims."""
    verdicts = []
    for done, claim in enumerate(claims, start=1):
        verdicts.append(supports(claim.claim, claim.passages))
        on_progress(done, len(claims))
    said = np.array([verdict for verdict, _ in verdicts])
    true = np.array([claim.label == "supported" for claim in claims])
    statistics = {
        "support_F1": _f1(said, true),
        "support_accuracy": resampling.mean((said == true).astype(np.float64)),
        "support_AUROC": resampling.auroc(np.array([likely for _, likely in verdicts]), true),
    }
    found = resampling.intervals(statistics, len(claims))
    return tuple(
        Figure(measure=name, value=i.value, low=i.low, high=i.high, questions=len(claims))
        for name, i in found.items()
    )


def _f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> Statistic:
    both, either = said & true, said.astype(np.float64) + true

    def statistic(weights: Floats) -> Floats:
        return 2 * (weights @ both) / np.maximum(weights @ either, 1e-9)

    return statistic


def supports(settings: Settings, claims: Sequence[Claim]) -> Supports:
    """The assistant's own verification, words weighed by how rare they are among the pages."""
    from assistant.models import build_reader
    from assistant.verification import Verifier

    texts = {passage for claim in claims for passage in claim.passages}
    verifier = Verifier(build_reader(settings), _rarity(texts))

    def judged(claim: str, passages: Sequence[str]) -> tuple[bool, float]:
        support = verifier.support(claim, passages)
        sure = float(support.supported)
        return support.supported, sure if support.likelihood is None else support.likelihood

    return judged


def _rarity(texts: set[str]) -> Callable[[str], float]:
    from assistant.analysis import stem, words_of

    def stems(text: str) -> Iterator[str]:
        return iter(stem(words_of(text), "en"))

    counts = Counter(word for text in texts for word in set(stems(text)))

    @cache
    def rarity(word: str) -> float:
        found = sum(counts[own] for own in list(stems(word))[:1])
        return math.log(1 + (len(texts) - found + 0.5) / (found + 0.5))

    return rarity
