"""Answer without a model: the sentences of the found passages that answer, quoted verbatim.

Late interaction (Khattab and Zaharia, ColBERT, 2020) with the tokens of the bundled MiniLM: every
word of the question looks for its best match in a sentence, and rare words count more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.reading import Reader, Reading
from assistant.segmenting import sentences
from assistant.settings import AnsweringSettings
from assistant.types import AnswerSentence, Citation, ScoredPassage

Weigh = Callable[[str], float]  # a word to its inverse document frequency in the collection

READ = 6  # passages read for one answer; each costs a pass of the model
_PLAIN = 0.5  # weight of a word that says little, such as "how", against the rarity of the others
_CARRY = 0.85  # a word matched in the sentence before counts this much: "he", "the organization"
_MARGIN = 0.15  # how far below the best sentence a further one may score
_SAME = 0.8  # share of the shorter sentence's words that makes another one a copy of it
# Logistic regression on the training half of XQuAD, half of whose articles were left out: does
# the collection answer? Of the best sentence's score, the best passage's cosine, and the share of
# the question's words in the best passage; standardised. evals/SCOREBOARD.md has what it gives.
_MEAN, _SCALE = (0.6436, 0.4498, 0.4948), (0.1635, 0.1798, 0.3395)
_COEFFICIENTS, _BIAS = (2.299, 2.427, 1.546), 0.840

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Candidate:
    """One sentence of a found passage; ``start`` and ``end`` count from the document's start."""

    passage: ScoredPassage
    rank: int
    start: int
    end: int
    text: str
    score: float  # 0..1


@dataclass(frozen=True)
class Extract:
    """The sentences chosen, and how likely it is (0..1) that the documents answer at all."""

    sentences: tuple[AnswerSentence, ...]
    confidence: float


def extract(
    question: str,
    passages: Sequence[ScoredPassage],
    reader: Reader,
    weigh: Weigh,
    settings: AnsweringSettings,
) -> Extract:
    """One to ``settings.max_sentences`` quotes, none below the threshold.

    The best one comes first, since it answers; the others follow in reading order.
    """
    read = passages[:READ]
    asked, *readings = reader.read([question, *(scored.passage.text for scored in read)])
    weights = _weights(question, asked, weigh)
    candidates = [
        candidate
        for rank, (scored, reading) in enumerate(zip(read, readings, strict=True))
        for candidate in _candidates(scored, rank, reading, asked, weights)
    ]
    if not candidates or not weights.any():
        return Extract((), 0.0)
    candidates.sort(key=lambda c: (-c.score, c.rank, c.start))
    cosine = max(float(asked.vector @ reading.vector) for reading in readings)
    coverage = _coverage(question, candidates[0].passage, weigh)
    confidence = _confidence(candidates[0].score, cosine, coverage)
    if confidence < settings.threshold:
        return Extract((), confidence)
    best, *further = _choose(candidates, settings.max_sentences)
    chosen = [best, *sorted(further, key=lambda c: (c.rank, c.start))]
    cited = tuple(_cite(candidate, marker) for marker, candidate in enumerate(chosen, 1))
    return Extract(cited, confidence)


def _weights(question: str, asked: Reading, weigh: Weigh) -> NDArray[np.float32]:
    """How much each token of the question counts; a word's rarity is shared by its pieces."""
    weights = np.zeros(len(asked.spans), np.float32)
    for word in _WORD.finditer(question):
        inside = (asked.spans[:, 0] < word.end()) & (asked.spans[:, 1] > word.start())
        if pieces := int(inside.sum()):
            rarity = weigh(word.group())
            weights[inside] = rarity / pieces if rarity > _PLAIN else _PLAIN
    return weights


def _candidates(
    scored: ScoredPassage,
    rank: int,
    reading: Reading,
    asked: Reading,
    weights: NDArray[np.float32],
) -> list[Candidate]:
    passage = scored.passage
    similar = asked.tokens @ reading.tokens.T
    before = np.zeros(len(asked.tokens), np.float32)
    found = []
    for start, end in sentences(passage.text, scored.document.language):
        inside = (reading.spans[:, 0] >= start) & (reading.spans[:, 1] <= end)
        if not inside.any():  # past what the model reads
            continue
        best = similar[:, inside].max(axis=1)
        matched = np.maximum(best, _CARRY * before)
        before = best
        found.append(
            Candidate(
                passage=scored,
                rank=rank,
                start=passage.start + start,
                end=passage.start + end,
                text=passage.text[start:end],
                score=float(matched @ weights / max(weights.sum(), 1e-9)),
            )
        )
    return found


def _coverage(question: str, scored: ScoredPassage, weigh: Weigh) -> float:
    """Share (0..1) of the question's words, by rarity, that stand in the passage or its title."""
    held = _words(f"{scored.document.title} {scored.passage.text}")
    asked = {word: weigh(word) for word in _words(question)}
    total = sum(asked.values())
    return sum(asked[word] for word in asked.keys() & held) / total if total else 0.0


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _confidence(*features: float) -> float:
    values = (np.array(features) - _MEAN) / _SCALE
    return 1 / (1 + math.exp(-float(values @ np.array(_COEFFICIENTS)) - _BIAS))


def _choose(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """The best one and those close to it that say something else."""
    chosen: list[Candidate] = []
    for candidate in candidates:
        if len(chosen) == most or candidate.score < candidates[0].score - _MARGIN:
            break
        if not any(_same(candidate, other) for other in chosen):
            chosen.append(candidate)
    return chosen


def _same(one: Candidate, other: Candidate) -> bool:
    first, second = _words(one.text), _words(other.text)
    return len(first & second) > _SAME * max(1, min(len(first), len(second)))


def _cite(candidate: Candidate, marker: int) -> AnswerSentence:
    passage, document = candidate.passage.passage, candidate.passage.document
    citation = Citation(
        marker=marker,
        document_id=document.id,
        passage_id=passage.id,
        title=document.title,
        source=document.source,
        published=document.published,
        locator=passage.locator,
        start=candidate.start,
        end=candidate.end,
        quote=candidate.text,
    )
    return AnswerSentence(text=candidate.text, citations=(citation,), verdict="unchecked")
