"""Answer without a model: the sentences of the found passages that answer, quoted verbatim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant import asking, selection, silence
from assistant.asking import Lexicon, Question
from assistant.citing import cite
from assistant.reading import Reader
from assistant.selection import Candidate
from assistant.settings import AnsweringSettings
from assistant.silence import Examined
from assistant.types import AnswerSentence, ScoredPassage
from assistant.wording import lists

_COVERED = 0.5  # mean match of a part's words, from which on a sentence is about the part

Status = Literal["answered", "partial", "not_in_documents"]


@dataclass(frozen=True)
class Extract:
    """The sentences chosen, and how likely it is (0..1) that the documents answer at all."""

    status: Status
    sentences: tuple[AnswerSentence, ...]
    confidence: float


def extract(
    question: str,
    passages: Sequence[ScoredPassage],
    reader: Reader,
    lexicon: Lexicon,
    settings: AnsweringSettings,
) -> Extract:
    """One to ``settings.max_sentences`` quotes, none below the threshold.

    The best one comes first, since it answers; the others follow in reading order. When it begins
    with a pronoun, one of them is the sentence before, which says who is meant. It is partial when
    a part of the question is in none of them, or when it is hardly above the threshold.
    """
    asked, found, evidence = examine(question, passages, reader, lexicon)
    if evidence is None:
        return Extract("not_in_documents", (), 0.0)
    confidence = silence.probability(evidence)
    if confidence < settings.threshold:
        return Extract("not_in_documents", (), confidence)
    best, *further = _with_antecedent(asked, found, settings.max_sentences)
    chosen = [best, *sorted(further, key=lambda c: (c.rank, c.start))]
    sure = confidence >= min(settings.threshold + settings.doubt, 1)
    status: Status = "answered" if sure and _complete(asked, chosen) else "partial"
    cited = tuple(_cite(candidate, marker) for marker, candidate in enumerate(chosen, 1))
    return Extract(status, cited, confidence)


def examine(
    question: str, passages: Sequence[ScoredPassage], reader: Reader, lexicon: Lexicon
) -> Examined:
    """Every sentence of the first passages, best first, and what speaks for an answer in them."""
    read = passages[: selection.READ]
    reading, *readings = reader.read([question, *(scored.passage.text for scored in read)])
    asked = asking.understand(question, reading, lexicon)
    found = selection.candidates(asked, read, readings)
    if not found or not asked.counts.any():
        return Examined(asked, [], None)
    return Examined(asked, found, silence.evidence(asked, found, read, readings))


def _with_antecedent(asked: Question, found: Sequence[Candidate], most: int) -> list[Candidate]:
    """The sentences chosen, the one before the best among them if that begins with a pronoun."""
    best = found[0]
    before = next((c for c in found if c.rank == best.rank and c.place == best.place - 1), None)
    pronouns = lists(best.passage.document.language).pronouns
    refers_back = bool(best.words) and best.words[0].text in pronouns
    if most < 2 or before is None or len(before.words) < selection.SENTENCE or not refers_back:
        return selection.choose(asked, found, most)
    others = [candidate for candidate in found if candidate is not before]
    return [best, before, *selection.choose(asked, others, most - 1)[1:]]


def _complete(question: Question, chosen: Sequence[Candidate]) -> bool:
    """Whether every part of a question of several parts is in one of the sentences."""
    parts = asking.parts(question)
    return len(parts) < 2 or all(
        any(_covers(question, part, candidate) for candidate in chosen) for part in parts
    )


def _covers(question: Question, part: asking.Part, candidate: Candidate) -> bool:
    if not selection.answers(part.kind, question, candidate):
        return False
    rarity = question.rarity[list(part.words)]
    matched = candidate.carried[list(part.words)]
    return not rarity.any() or float(matched @ rarity / rarity.sum()) >= _COVERED


def _cite(candidate: Candidate, marker: int) -> AnswerSentence:
    citation = cite(candidate.passage, marker, candidate.start, candidate.end)
    return AnswerSentence(text=candidate.text, citations=(citation,), verdict="unchecked")
