"""Answer without a model: the sentences of the found passages that answer, quoted verbatim."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assistant.chunking import sentences
from assistant.settings import AnsweringSettings
from assistant.types import AnswerSentence, Citation, ScoredPassage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.embedding import Embedder

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Candidate:
    """One sentence of a found passage; ``start`` and ``end`` count from the document's start."""

    passage: ScoredPassage
    rank: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Extract:
    """The sentences chosen, and how sure we are (0..1) that the documents answer at all."""

    sentences: tuple[AnswerSentence, ...]
    confidence: float


def extract(
    question: str,
    passages: Sequence[ScoredPassage],
    embedder: Embedder,
    settings: AnsweringSettings,
) -> Extract:
    """One to ``settings.max_sentences`` quotes in reading order; none below the threshold."""
    candidates = _candidates(passages)
    if not candidates:
        return Extract((), 0.0)
    cosines = embedder.documents([c.text for c in candidates]) @ embedder.query(question)
    coverage = _coverage(question, [c.text for c in candidates])
    rank = np.array([1 / (1 + c.rank) for c in candidates])
    scores = 0.6 * cosines + 0.3 * coverage + 0.1 * rank
    best = np.argsort(-scores, kind="stable")
    confidence = float(min(1.0, max(0.0, scores[best[0]])))
    if confidence < settings.threshold:
        return Extract((), confidence)
    chosen = [
        candidates[i] for i in best[: settings.max_sentences] if scores[i] >= 0.8 * scores[best[0]]
    ]
    chosen.sort(key=lambda c: (c.rank, c.start))
    return Extract(
        tuple(_cite(candidate, marker) for marker, candidate in enumerate(chosen, 1)), confidence
    )


def _candidates(passages: Sequence[ScoredPassage]) -> list[Candidate]:
    found: list[Candidate] = []
    for rank, scored in enumerate(passages):
        passage = scored.passage
        for start, end in sentences(passage.text, scored.document.language):
            text = passage.text[start:end]
            found.append(Candidate(scored, rank, passage.start + start, passage.start + end, text))
    return found


def _coverage(question: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """Share of the question's words in each text, rarer words among the texts counting more."""
    asked = set(WORD.findall(question.casefold()))
    held = [asked & set(WORD.findall(text.casefold())) for text in texts]
    frequency = Counter(word for words in held for word in words)
    weight = {word: math.log(1 + len(texts) / (1 + frequency[word])) for word in asked}
    total = sum(weight.values()) or 1.0
    return np.array([sum(weight[word] for word in words) / total for words in held])


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
    return AnswerSentence(text=candidate.text, citations=(citation,), verdict="supported")
