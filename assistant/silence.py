"""Do the documents answer at all? How likely it is, from the best sentence and what was found.

Two logistic models, multiplied: are the documents about what is asked (topic), and does the best
sentence say what is asked of it (answer)? The second is what tells a question whose detail is
missing, or was swapped for another, from one that is answered: the task of SQuAD 2 (Rajpurkar et
al., 2018). The weights, and how they were made, are in data/silence.json.
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from assistant.asking import Question, held, tokens_of
from assistant.reading import Reading
from assistant.selection import Candidate, answers, passage_stems, stems_of
from assistant.types import ScoredPassage, Shape
from assistant.wording import Word, lists, read

_LONG = 14  # most words of content of a question that a single sentence answers
_POOR = 0.6  # a match below it
_NO_NUMBER = 0.8  # stands for the match of a number where the question has none


class Topic(NamedTuple):
    """Are the documents about what is asked?"""

    match: float  # of the best sentence
    cosine: float  # of the question and the passage that is nearest to it as a whole
    covered: float  # share of the question's words in the best sentence's passage and title


class Fit(NamedTuple):
    """Does the best sentence answer? It is taken with the one before it, passage and title."""

    match: float  # as above
    cosine: float  # as above
    sentence: float  # cosine of the question and the best sentence
    poor: float  # share of the question's words of content whose match is poor
    number: float  # match of its number or date that has the poorest
    missing: float  # most rarity that goes unmatched: a rare word without a match is a bad sign
    name_missing: float  # a name of the question is not in what was found of the document
    swapped: float  # ... nor in the sentence, and what stands nearest to it there is another name
    number_missing: float  # a number of the question, in digits, is not in that
    negated: float  # the question has a negation
    negation: float  # either the question has one or the sentence
    kind_missing: float  # a number or a date is asked for and there is none
    reason: float  # a reason is asked for
    yes_no: float  # yes or no is asked for


class Logistic(Shape):
    """A logistic regression over standardised features."""

    mean: dict[str, float]
    scale: dict[str, float]
    weights: dict[str, float]
    bias: float

    def logit(self, features: dict[str, float]) -> float:
        return self.bias + sum(
            weight * (features[name] - self.mean[name]) / self.scale[name]
            for name, weight in self.weights.items()
        )


class Rate(Shape):
    """What a threshold gave on questions that the weights had not seen."""

    questions: str
    threshold: float
    wrongly_refused: float  # share of the answerable
    refused: float  # share of the unanswerable


class Weights(Shape):
    """data/silence.json, which says how they were made."""

    made: str
    topic: Logistic
    answer: Logistic
    neutral: float  # the answer's logit where the model does not apply
    expected: tuple[Rate, ...]


class Evidence(NamedTuple):
    topic: Topic
    fit: Fit
    simple: bool  # a single sentence can hold all that is asked


class Examined(NamedTuple):
    """A question beside the passages found for it; no evidence where there is nothing to read."""

    question: Question
    candidates: list[Candidate]  # best first
    evidence: Evidence | None


@cache
def weights() -> Weights:
    file = importlib.resources.files("assistant").joinpath("data/silence.json")
    return Weights.model_validate_json(file.read_text(encoding="utf-8"))


def evidence(
    question: Question,
    found: Sequence[Candidate],
    passages: Sequence[ScoredPassage],
    readings: Sequence[Reading],
) -> Evidence:
    """What speaks for an answer; ``found`` is best first and not empty."""
    best = found[0]
    reading = readings[best.rank]
    cosine = max(float(question.reading.vector @ each.vector) for each in readings)
    before = next((c for c in found if c.rank == best.rank and c.place == best.place - 1), None)
    language = best.passage.document.language
    document: frozenset[str] = frozenset().union(
        *(passage_stems(p) for p in passages if p.document.id == best.passage.document.id)
    )
    content = best.carried[question.content]
    numbers = [best.carried[row] for row in question.content if _numeric(question.words[row])]
    offset = best.passage.passage.start
    inside = tokens_of(reading, best.start - offset, best.end - offset)
    sentence = reading.tokens[inside].mean(axis=0)
    unmatched = question.rarity * (1 - np.clip(best.carried, 0, 1))
    counted = question.kind in ("number", "date")
    negations = lists(language).negations & {word.text for word in best.words}
    return Evidence(
        Topic(best.features.match, cosine, best.features.covered),
        Fit(
            match=best.features.match,
            cosine=cosine,
            sentence=float(question.reading.vector @ sentence / np.linalg.norm(sentence)),
            poor=float(np.mean(content < _POOR)) if len(content) else 0.0,
            number=float(min(numbers, default=_NO_NUMBER)),
            missing=float(unmatched.max(initial=0)),
            name_missing=float(_lacks(question, document, _named)),
            swapped=float(_swapped(question, best, before, reading)),
            number_missing=float(_lacks(question, document, _in_digits)),
            negated=float(question.negated),
            negation=float(question.negated != bool(negations)),
            kind_missing=float(counted and not answers(question.kind, question, best)),
            reason=float(question.kind == "reason"),
            yes_no=float(question.kind == "yes_no"),
        ),
        question.kind != "yes_no" and len(question.content) <= _LONG,
    )


def _named(word: Word) -> bool:
    return word.mark == "name"


def _numeric(word: Word) -> bool:
    return word.mark in ("number", "date")


def _in_digits(word: Word) -> bool:
    """Of "two" and "first" as many say nothing that a document would have to have."""
    return word.text[0].isdigit()


def _lacks(question: Question, document: frozenset[str], kind: Callable[[Word], bool]) -> bool:
    """Whether a name or number of the question is not among the stems of the document."""
    return any(
        kind(question.words[row]) and not held(question, row, document) for row in question.content
    )


def _swapped(
    question: Question, best: Candidate, before: Candidate | None, reading: Reading
) -> bool:
    """Whether another name stands where the question has one that is missing."""
    title = read(best.passage.document.title, best.passage.document.language)
    context = (*(before.words if before else ()), *best.words, *title)
    stems = stems_of(context)
    missing = [
        row
        for row in question.content
        if _named(question.words[row]) and not held(question, row, stems)
    ]
    if not missing or not best.words:
        return False
    offset = best.passage.passage.start
    inside = tokens_of(reading, best.start - offset, best.end - offset)
    similar = question.pieces[missing] @ question.reading.tokens @ reading.tokens[inside].T
    nearest = reading.spans[inside[similar.argmax(axis=1)], 0] - (best.start - offset)
    starts = np.array([word.start for word in best.words])
    words = np.maximum(np.searchsorted(starts, nearest, side="right") - 1, 0)
    return any(best.words[word].mark == "name" for word in words)


def probability(found: Evidence) -> float:
    """How likely it is (0..1) that the documents answer."""
    known = weights()
    topic = known.topic.logit(found.topic._asdict())
    answer = known.answer.logit(found.fit._asdict())
    if not found.simple:
        answer = known.neutral
    return _sigmoid(2 * topic + 2) * _sigmoid(answer)


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))
