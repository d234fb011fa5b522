"""Which sentence answers: every sentence of the found passages, scored and ordered.

Late interaction (Khattab and Zaharia, ColBERT, 2020) with the tokens of the bundled MiniLM: every
word of the question looks for its best match in a sentence, and rare words count more. What the
question asks for, a number or a name, is looked for too. The weights are in data/selection.json.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.asking import ANSWERS, Question, held, in_other_form, tokens_of
from assistant.reading import Reading, cosines
from assistant.segmenting import sentences
from assistant.types import ScoredPassage, Shape
from assistant.wording import Kind, Word, acronyms, lists, read

READ = 6  # passages read for one answer; each costs a pass of the model
_CARRY = 0.85  # a word matched in the sentence before counts this much: "he", "the organization"
_READABLE = frozenset({"en", "und"})  # languages that the bundled model knows
_STEM = 0.9  # a word that is there by its stem or in another form
_STRANGE = 0.4  # the most for another word in a language that the model cannot read
SENTENCE = 4  # words; shorter ones beside an answer are bylines and headings
_SAME = 0.8  # share of the shorter sentence's words that makes another one a copy of it


class Features(NamedTuple):
    """What speaks for a sentence, each about 0..1."""

    match: float  # of all words of the question, as near as the sentence or the one before has it
    content: float  # the same of the words that say what it is about
    alone: float  # the same in the sentence alone
    weakest: float  # the match of the word that has the poorest
    passage: float  # the score of its passage against the best one's
    covered: float  # share of the question's words that stand in the passage or its title
    asked: float  # likeness of a word that is news to the word that asks
    kind: float  # whether a word that is news is what is asked for: a number, a name, a date


class Weights(Shape):
    """data/selection.json, which says how they were made."""

    made: str
    weights: dict[str, float]  # by name of the feature
    margin: float  # how far below the best sentence a further one may score
    beside: float  # what a sentence next to the best one is given


@dataclass(frozen=True)
class Candidate:
    """One sentence of a found passage; ``start`` and ``end`` count from the document's start."""

    passage: ScoredPassage
    rank: int  # of the passage
    place: int  # of the sentence in it
    start: int
    end: int
    text: str
    words: tuple[Word, ...]
    matched: NDArray[np.float32]  # (question's words,): the best cosine of each here, -1..1
    carried: NDArray[np.float32]  # the same, the sentence before counting a little less
    features: Features
    score: float


@cache
def weights() -> Weights:
    file = importlib.resources.files("assistant").joinpath("data/selection.json")
    return Weights.model_validate_json(file.read_text(encoding="utf-8"))


def candidates(
    question: Question, passages: Sequence[ScoredPassage], readings: Sequence[Reading]
) -> list[Candidate]:
    """Every sentence that the model reads, best first."""
    best = max((scored.score for scored in passages), default=0.0)
    found = [
        candidate
        for rank, (scored, reading) in enumerate(zip(passages, readings, strict=True))
        for candidate in _of_passage(question, scored, rank, reading, best)
    ]
    return sorted(found, key=lambda c: (-c.score, c.rank, c.start))


def _of_passage(
    question: Question, scored: ScoredPassage, rank: int, reading: Reading, best: float
) -> list[Candidate]:
    passage, language = scored.passage, scored.document.language
    similar = cosines(question.reading, reading)
    covered = coverage(question, passage_stems(scored), question.rarity)
    asked = similar[question.asks].max(axis=0) if len(question.asks) else None
    before = np.zeros(len(question.words), np.float32)
    found: list[Candidate] = []
    for place, (start, end) in enumerate(sentences(passage.text, language)):
        inside = tokens_of(reading, start, end)
        if not len(inside):  # past what the model reads
            continue
        words = read(passage.text[start:end], language)
        here = _matched(question, similar[:, inside].max(axis=1), words, language)
        carried, before = np.maximum(here, _CARRY * before), here
        news = _news(question, words)
        features = Features(
            match=_mean(carried, question.counts),
            content=_mean(carried, question.rarity),
            alone=_mean(here, question.rarity),
            weakest=float(here[question.content].min(initial=1)),
            passage=max(scored.score / best, 0.0) if best > 0 else 0.0,
            covered=covered,
            asked=_likeness(asked, reading, news, start),
            kind=float(_holds(question.kind, words, news, language)),
        )
        found.append(
            Candidate(
                passage=scored,
                rank=rank,
                place=place,
                start=passage.start + start,
                end=passage.start + end,
                text=passage.text[start:end],
                words=words,
                matched=here,
                carried=carried,
                features=features,
                score=sum(weights().weights[n] * v for n, v in features._asdict().items()),
            )
        )
    return found


def _matched(
    question: Question, likeness: NDArray[np.float32], words: tuple[Word, ...], language: str
) -> NDArray[np.float32]:
    """How well each word of the question is matched (about 0..1), ``likeness`` being by its tokens.

    The model reads English: of other languages it knows little but letters, so that there a word
    is matched by its stem or not at all.
    """
    matched: NDArray[np.float32] = question.pieces @ likeness
    stems = stems_of(words)
    for row in question.content:
        if in_other_form(question, row, stems):
            matched[row] = max(matched[row], _STEM)
    if language in _READABLE and question.language in _READABLE:
        return matched
    known = np.array([held(question, row, stems) for row in range(len(matched))], np.bool_)
    return np.where(known, _STEM, np.minimum(matched, _STRANGE)).astype(np.float32)


def _mean(values: NDArray[np.float32], weight: NDArray[np.float32]) -> float:
    return float(values @ weight / max(float(weight.sum()), 1e-9))


def _likeness(
    asked: NDArray[np.float32] | None, reading: Reading, news: list[Word], start: int
) -> float:
    if asked is None:
        return 0.0
    places = [tokens_of(reading, start + word.start, start + word.end) for word in news]
    return max((float(asked[place].max()) for place in places if len(place)), default=0.0)


def answers(kind: Kind, question: Question, candidate: Candidate) -> bool:
    """Whether what is asked for is in a sentence: a number that the question does not say, ...

    A date may be written as a number ("13,000 BP"), and a number look like a year ("2000 guests").
    Where nothing of a known form is asked for, as in "what happened", that is true.
    """
    news = _news(question, candidate.words)
    if kind in ("date", "number"):
        found = [w for w in news if w.mark == "number" or (w.mark and w.text[0].isdigit())]
        return bool(found) or (kind == "date" and any(w.mark == "date" for w in news))
    language = candidate.passage.document.language
    return kind not in (*ANSWERS, "reason") or _holds(kind, candidate.words, news, language)


def _holds(kind: Kind, words: Sequence[Word], news: Sequence[Word], language: str) -> bool:
    if kind == "reason":
        return any(word.text in lists(language).reasons for word in words)
    wanted = ANSWERS.get(kind)
    return wanted is not None and any(word.mark == wanted for word in news)


def _news(question: Question, words: Sequence[Word]) -> list[Word]:
    """The words of content that the question does not have."""
    return [word for word in words if word.stem not in question.stems and not word.stop]


def passage_stems(scored: ScoredPassage) -> frozenset[str]:
    """The stems of a passage, its title and its headings."""
    published = str(scored.document.published or "")[:4]
    texts = (scored.document.title, published, *scored.passage.headings, scored.passage.text)
    return stems_of(read("\n".join(texts), scored.document.language))


@lru_cache(maxsize=4096)
def stems_of(words: tuple[Word, ...]) -> frozenset[str]:
    """The stems of the words, and what names among them are short as."""
    short = (letters for _, letters in acronyms(words))
    return frozenset((*(word.stem for word in words), *short))


def coverage(question: Question, stems: frozenset[str], weight: NDArray[np.float32]) -> float:
    """Share (0..1) of the question's words, by weight, whose stems are among these."""
    share = np.array([held(question, row, stems) for row in range(len(question.words))], np.float32)
    return _mean(share, weight)


def choose(question: Question, found: Sequence[Candidate], most: int) -> list[Candidate]:
    """The best one and those close to it that say something else; ``found`` is best first.

    Close in score: the sentences on both sides of the best one are given a little more.
    """
    known = weights()
    chosen: list[Candidate] = list(found[:1])
    for candidate in sorted(found[1:], key=lambda c: -_merit(c, found[0])):
        if len(chosen) == most or _merit(candidate, found[0]) < found[0].score - known.margin:
            break
        new = len(_news(question, candidate.words)) > 0
        if (
            new
            and len(candidate.words) >= SENTENCE
            and not any(_same(candidate, other) for other in chosen)
        ):
            chosen.append(candidate)
    return chosen


def _merit(candidate: Candidate, best: Candidate) -> float:
    beside = candidate.rank == best.rank and abs(candidate.place - best.place) == 1
    return candidate.score + weights().beside * beside


def _same(one: Candidate, other: Candidate) -> bool:
    first, second = ({word.stem for word in c.words} for c in (one, other))
    return len(first & second) > _SAME * max(1, min(len(first), len(second)))
