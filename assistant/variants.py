"""The names in a question, in every spelling that the collection knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.aliases import tokens
from assistant.analysis import analyse, every_stop_word, stem, stop_words, words_of
from assistant.spelling import CYRILLIC

if TYPE_CHECKING:
    from assistant.aliases import Aliases
    from assistant.spelling import Spellings

_SHORTEST = 4  # letters of a word that may be a name in another spelling
_REMEMBERED = 4096  # names
_TEXTS = 16  # questions; each is looked through for its vector and again for its words


Terms = tuple[str, ...]  # of every word of a name


class Spelling(NamedTuple):
    """A name as it is written in the collection."""

    name: str
    terms: tuple[Terms, ...]  # in each way that a language of the collection reads it
    frequency: int  # passages, about


class Mention(NamedTuple):
    """A name in a text, ``text[start:end]``, that the collection writes in another way too."""

    start: int
    end: int
    own: frozenset[str]  # its terms in every language
    spellings: tuple[Spelling, ...]  # the most frequent first


class Variants:
    """Finds names in the words of one index; safe to share between threads."""

    def __init__(self, words: Any, languages: Sequence[str], spellings: Spellings) -> None:
        self._searcher = words.searcher()
        self._languages = languages
        self._spellings = spellings
        self._spelling = lru_cache(_REMEMBERED)(self._look_up)
        self._alike = lru_cache(_REMEMBERED)(self._look_for_alike)
        self.find = lru_cache(_TEXTS)(self._find)

    def _find(self, text: str, aliases: Aliases) -> Sequence[Mention]:
        """The names in the text, in their order, that are not just written as they are here."""
        split = tokens(text)
        named = {found.first: (found.last, found.names) for found in aliases.find(split)}
        mentions = []
        place = 0
        while place < len(split):
            last, names = named.get(place, (place + 1, ()))
            start, end = split[place].start, split[last - 1].end
            own = text[start:end]
            if named_here := self._spelled(own, names):
                terms = frozenset(t for la in self._languages for t in analyse(own, la).words)
                mentions.append(Mention(start, end, terms, named_here))
            place = last
        return mentions

    def respell(self, text: str, aliases: Aliases) -> str:
        """The text with each name as the collection writes it most often."""
        for mention in reversed(self.find(text, aliases)):
            name = mention.spellings[0].name
            text = text[: mention.start] + name + text[mention.end :]
        return text

    def _spelled(self, own: str, names: Sequence[str]) -> tuple[Spelling, ...]:
        """How the collection writes the name, most often first; none if only as it is here."""
        every = dict.fromkeys((own, *names))
        for name in (own, *names):
            every |= dict.fromkeys(self._alike(name.casefold(), bool(names)))
        if len(every) == 1:
            return ()
        known: dict[tuple[Terms, ...], Spelling] = {}
        for name in every:
            if spelling := self._spelling(name):
                known.setdefault(spelling.terms, spelling)
        here = self._spelling(own)
        if not known or (here and known.keys() == {here.terms}):
            return ()
        return tuple(sorted(known.values(), key=lambda spelling: -spelling.frequency))

    def _look_for_alike(self, word: str, named: bool) -> tuple[str, ...]:
        """Other spellings of a word that is ``named``, a name here, or else not known here.

        Those of a name that is ``named`` are known but for its cases: by its sound Géorgie, the
        country, would be George.
        """
        if len(word) < _SHORTEST or not word.isalpha() or word in every_stop_word():
            return ()
        if named and not CYRILLIC.fullmatch(word):
            return ()
        others = self._spellings.of(word)
        if named or word in others or (others and not self._spelling(word)):
            return tuple(sorted(others))
        return ()

    def _look_up(self, name: str) -> Spelling | None:
        """The name as the collection writes it; None when it does not."""
        known: dict[Terms, int] = {}
        for language in self._languages:
            words = words_of(name, language)
            stop = stop_words(words, language)
            stems = stem(words, language)
            way = tuple(s for word, s in zip(words, stems, strict=True) if word not in stop)
            pairs = analyse(name, language).pairs
            counted = [("words", term) for term in way] + [("pairs", pair) for pair in pairs]
            if way and (frequency := min(self._searcher.doc_freq(*each) for each in counted)):
                known[way] = frequency
        return Spelling(name, tuple(known), sum(known.values())) if known else None
