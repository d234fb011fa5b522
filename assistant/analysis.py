"""Text to the terms that are searched: words without their endings, compounds, neighbours.

A passage is analysed as its language asks, a query in every language that is present. What a
question and a passage write apart is brought together: case ("NATO", "nato"), endings, compounds
("TNF-alpha", "TNFalpha"), letters with digits ("th17", "Th 17").
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import compress, filterfalse, pairwise
from operator import or_
from typing import Any, NamedTuple

# ISO 639-1 to tantivy's name of the Snowball stemmer; words of other languages stay whole.
STEMMERS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
_STOP_LISTS = {"da", "fi", "hu", "it", "nl", "no", "pt", "sv"}  # tantivy's, where we have none
_LONGEST = 80  # characters of a word; longer ones are no words
_DOTLESS = {"az", "tr"}  # where the capital of ı is I
# Marks belong to the word they stand in (Devanagari vowels, Arabic and Hebrew points); Chinese and
# Japanese have no spaces, so that each sign is a word, and two neighbours a pair.
_LETTER = r"[\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963]"
_WORD = re.compile(rf"{_LETTER}+")
_SIGN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# and/or, U.S, NF-κB, 1.5; looking behind keeps it from trying again at every letter of a long word
_COMPOUND = re.compile(rf"(?<!{_LETTER}){_LETTER}++(?:[-\u2010\u2011/'’.]{_LETTER}++)++")
_JOINT = re.compile(r"[-\u2010\u2011/'’.]")
_PART = re.compile(r"\d+|\D+")  # th17 -> th, 17


class Terms(NamedTuple):
    """What a text is found by, repeated as often as it says it."""

    words: list[str]
    pairs: list[str]


def words_of(text: str, language: str = "und") -> list[str]:
    """The words of a text in their order, in lower case, stop words too; ё is е, as most write."""
    if language in _DOTLESS:
        text = text.replace("I", "ı")
    text = text.casefold().replace("i\u0307", "i").replace("_", " ").replace("ё", "е")
    if not text.isascii():
        text = _SIGN.sub(r" \g<0> ", text)
    words: list[str] = _WORD.findall(text)
    if max(map(len, words), default=0) > _LONGEST:
        words = [word for word in words if len(word) <= _LONGEST]
    return words


def analyse(text: str, language: str, also_stop: Iterable[str] = ()) -> Terms:
    """The terms of a text in ``language`` (ISO 639-1, or "und"); ``also_stop`` are left out too."""
    words = words_of(text, language)
    stop = stop_words(words, language) | set(also_stop)
    stems = stem(words, language)
    telling = [word not in stop for word in words]
    terms = [*compress(stems, telling)]
    if compounds := _COMPOUND.findall(text):
        joined = words_of(" ".join(_JOINT.sub("", compound) for compound in compounds), language)
        terms += stem(joined, language)
    for word in filterfalse(str.isalpha, words):
        if len(parts := _PART.findall(word)) > 1:
            terms += parts
    pairs = compress(map("_".join, pairwise(stems)), map(or_, telling, telling[1:]))
    return Terms(terms, [*pairs])


def analyse_query(text: str, languages: Sequence[str]) -> list[Terms]:
    """A query's terms in each language that the passages have.

    What is a stop word in the language the query seems to be in (the one with most of them) is
    none of its content in any other: one passage that was taken for Finnish would else be the only
    one where "the" and "what" count, and be found by every English question.
    """
    stop = {language: stop_words(words_of(text, language), language) for language in languages}
    most = max(map(len, stop.values()), default=0)
    own = {word for words in stop.values() if len(words) == most for word in words}
    return [analyse(text, language, own) for language in languages]


def stop_words(words: Sequence[str], language: str) -> set[str]:
    """Those of the words that say little of what a text in this language is about."""
    if language in _lists():
        return set(words) & _lists()[language]
    if language not in _STOP_LISTS:
        return set()
    return set(words) - set(_analyzer(language, "stopword")(" ".join(words)))


def likely_language(words: Sequence[str]) -> str:
    """The language that most of the words are stop words of, English when that decides nothing.

    Better than a language model for the few words of a question.
    """
    known = set(words)
    return max(_lists(), key=lambda language: (len(known & _lists()[language]), language == "en"))


@cache
def every_stop_word() -> frozenset[str]:
    """The stop words of every language of data/stopwords.toml."""
    return frozenset().union(*_lists().values())


def stem(words: Sequence[str], language: str) -> list[str]:
    """Each word without its ending; ı becomes i, as it is typed where the keyboard has none."""
    text = " ".join(words)
    stems = _analyzer(language, "stemmer")(text) if language in STEMMERS else list(words)
    return [stem.replace("ı", "i") for stem in stems] if "ı" in text else stems


@cache
def _lists() -> dict[str, frozenset[str]]:
    file = importlib.resources.files("assistant").joinpath("data/stopwords.toml")
    lists = tomllib.loads(file.read_text(encoding="utf-8"))
    return {language: frozenset(words.split()) for language, words in lists.items()}


@cache
def _analyzer(language: str, kind: str) -> Callable[[str], list[str]]:
    """Words with spaces between to what tantivy's filter of this kind leaves of them."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    make: Any = getattr(Filter, kind)
    builder = TextAnalyzerBuilder(Tokenizer.whitespace()).filter(make(STEMMERS[language]))
    analyze: Callable[[str], list[str]] = builder.build().analyze
    return analyze
