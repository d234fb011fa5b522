"""What a question asks for: a person, a date, a number ..., and with which words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.analysis import likely_language, words_of
from assistant.reading import Reading
from assistant.wording import Kind, Mark, Word, acronyms, akin, lists, read, seats

if TYPE_CHECKING:
    from assistant.variants import Mention

_LIGHT = 1.5  # most that a word such as "take" or "become" counts, which may be rare by accident
_PLAIN = 0.5  # weight of a word that says little, such as "how", against the rarity of the others
# What a word that answers looks like; nothing is said of the other kinds.
ANSWERS: dict[Kind, Mark] = {"person": "name", "place": "name", "date": "date", "number": "number"}


class Lexicon(NamedTuple):
    """What a collection knows of words."""

    rarity: Callable[[str], float]  # a word to its inverse document frequency
    mentions: Callable[[str], Sequence[Mention]]  # a text to its names that are written otherwise


class Question(NamedTuple):
    """A question, read; arrays are by its words or by the model's tokens."""

    text: str
    language: str
    kind: Kind
    reading: Reading
    words: tuple[Word, ...]  # all of them, in their order
    counts: NDArray[np.float32]  # (words,): their rarity, that of stop words a little
    rarity: NDArray[np.float32]  # (words,): the same, 0 for stop words and those that ask
    forms: tuple[tuple[frozenset[str], ...], ...]  # of each word: the stems it may go by as well
    pieces: NDArray[np.float32]  # (words, tokens): takes the mean over the tokens of each word
    stems: frozenset[str]
    asks: NDArray[np.intp]  # the tokens that ask: "wolves" in "which wolves", "long" in "how long"
    negated: bool

    @property
    def content(self) -> list[int]:
        """The places of the words that say what it is about."""
        return np.flatnonzero(self.rarity).tolist()


class Part(NamedTuple):
    """A part of a question that asks for something of its own."""

    kind: Kind
    words: tuple[int, ...]  # the places of its words of content


def understand(text: str, reading: Reading, lexicon: Lexicon) -> Question:
    """The question as it is answered, its words weighed by the ``lexicon``."""
    language = likely_language(words_of(text))
    words = read(text, language)
    known = lists(language)
    kind, asking = _kind(words, language, text)
    idle = [word.stop or word in asking for word in words]
    counts = np.array([max(lexicon.rarity(w.text), _PLAIN) for w in words], np.float32)
    counts[idle] = _PLAIN
    light = [word.text in known.light and not idle[row] for row, word in enumerate(words)]
    counts[light] = np.minimum(counts[light], _LIGHT)
    pieces = np.zeros((len(words), len(reading.spans)), np.float32)
    for row, word in enumerate(words):
        inside = tokens_of(reading, word.start, word.end)
        pieces[row, inside] = 1 / max(len(inside), 1)
    counts[~pieces.any(axis=1)] = 0  # past what the model reads
    after = words[words.index(asking[-1]) + 1 :][:1] if asking else ()
    asked = after if after and not after[0].stop else asking[-1:]
    places = [tokens_of(reading, word.start, word.end) for word in asked]
    return Question(
        text=text,
        language=language,
        kind=kind,
        reading=reading,
        words=words,
        counts=counts,
        rarity=np.where(idle, 0, counts).astype(np.float32),
        forms=_forms(words, lexicon.mentions(text)),
        pieces=pieces,
        stems=frozenset(word.stem for word in words),
        asks=np.concatenate(places) if places else np.zeros(0, np.intp),
        negated=bool(known.negations & {word.text for word in words}),
    )


def parts(question: Question) -> list[Part]:
    """The parts of a question, one for each phrase that asks: "when was it signed, and where?"."""
    said = [word.text for word in question.words]
    starts: dict[int, Kind] = {}
    for phrase, kind in lists(question.language).asking:
        for place in range(len(said) - len(phrase) + 1):
            if tuple(said[place : place + len(phrase)]) == phrase and _opens(question, place):
                starts.setdefault(place, kind)
    ends = [*sorted(starts), len(said)][1:]
    return [
        Part(starts[start], tuple(row for row in question.content if start <= row < end))
        for start, end in zip(sorted(starts), ends, strict=True)
    ]


def _opens(question: Question, place: int) -> bool:
    """Whether a part can begin here: at the start, or after "and" or a mark."""
    if not place:
        return True
    before = question.words[place - 1]
    between = question.text[before.end : question.words[place].start]
    joined = before.text in lists(question.language).joining
    return joined or bool(set(between) & set(",;?!.:"))


def held(question: Question, row: int, stems: frozenset[str]) -> bool:
    """Whether a word of the question, or what it goes by as well, is among these stems."""
    return held_by(question.words[row].stem, stems) or in_other_form(question, row, stems)


def in_other_form(question: Question, row: int, stems: frozenset[str]) -> bool:
    return any(all(held_by(each, stems) for each in form) for form in question.forms[row])


@lru_cache(maxsize=65536)
def held_by(stem: str, stems: frozenset[str]) -> bool:
    """Whether the stem, or one that is akin to it, is among these."""
    return stem in stems or any(akin(stem, other) for other in stems)


def _forms(
    words: tuple[Word, ...], mentions: Sequence[Mention]
) -> tuple[tuple[frozenset[str], ...], ...]:
    """Yerevan for Armenia, whose government it is; CSTO for its words; Türkiye for Turkey."""
    forms = [[frozenset({seat}) for seat in seats().get(word.stem, ())] for word in words]
    for run, letters in acronyms(words):
        for place in run:
            forms[place].append(frozenset({letters}))
    for mention in mentions:
        spelled = {frozenset(terms) for each in mention.spellings for terms in each.terms}
        for place, word in enumerate(words):
            if mention.start <= word.start < mention.end:
                forms[place].extend(spelled)
    return tuple(tuple(each) for each in forms)


def tokens_of(reading: Reading, start: int, end: int) -> NDArray[np.intp]:
    """The places of the model's tokens between two characters of the text it read."""
    first, last = np.searchsorted(reading.spans[:, 0], (start, end))
    return np.arange(first, last)


def _kind(words: tuple[Word, ...], language: str, text: str) -> tuple[Kind, tuple[Word, ...]]:
    """What is asked for, and the words that say so."""
    known = lists(language)
    said = [word.text for word in words]
    found = sorted(
        (place, -len(phrase), kind)
        for phrase, kind in known.asking
        for place in range(len(said) - len(phrase) + 1)
        if tuple(said[place : place + len(phrase)]) == phrase
    )
    if said and (said[0] in known.openings or known.particles.intersection(said)):
        return "yes_no", words[:1] if said[0] in known.openings else ()
    if found:
        place, length, kind = next((f for f in found if _asks(f[0], words, text)), found[0])
        return kind, words[place : place - length]
    return "thing", tuple(word for word in words if word.stop)[:1]


def _asks(place: int, words: tuple[Word, ...], text: str) -> bool:
    """Whether it stands where what asks stands: last, or after a comma (When it ended, who ...)."""
    before = text[words[place - 1].end : words[place].start] if place else ""
    return 0 < place == len(words) - 1 or before.strip() == ","
