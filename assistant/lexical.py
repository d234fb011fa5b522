"""The words half of an index generation: a tantivy index over passages, stemmed by language.

A passage is stemmed as its document's language asks, a query in every language that is present, and
all share one set of fields. (One field per language would be simpler, but BM25 takes the average
length of a field over all passages: in a field that few have, every score falls to nearly nothing.)
"""

from __future__ import annotations

import importlib.resources
import math
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.records import IndexRow

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
BOOSTS = {"title": 0.5, "headings": 0.5, "text": 1.0}
MAX_TERMS = 1024  # distinct words of one query that are searched
_LONGEST_WORD = 80  # bytes
_HEAP = 64 * 2**20


@cache
def analyzer(language: str) -> Callable[[str], list[str]]:
    """Text in ``language`` (ISO 639-1, or "und") to its terms: words, lower-cased, stemmed."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple())
    builder = builder.filter(Filter.remove_long(_LONGEST_WORD)).filter(Filter.lowercase())
    if language in STEMMERS:
        builder = builder.filter(Filter.stemmer(STEMMERS[language]))
    analyze: Callable[[str], list[str]] = builder.build().analyze
    return analyze


def schema() -> Any:
    """The key, to get it back from a hit, and the terms of each part of a passage."""
    from tantivy import SchemaBuilder

    builder = SchemaBuilder().add_unsigned_field("key", fast=True)
    for part in BOOSTS:
        builder.add_text_field(part, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


class Writer:
    """Fills a new tantivy index; nothing is in it before ``commit``."""

    def __init__(self, directory: Path) -> None:
        from tantivy import Index

        directory.mkdir()
        index = Index(schema(), str(directory), reuse=False)
        self._writer = index.writer(_HEAP, num_threads=1)  # one thread: the same index every time

    def add(self, rows: Iterable[IndexRow]) -> None:
        from tantivy import Document

        for row in rows:
            analyze = analyzer(row.document.language)
            document = Document()
            document.add_unsigned("key", row.key)
            document.add_text("title", " ".join(analyze(row.document.title)))
            document.add_text("headings", " ".join(analyze("\n".join(row.passage.headings))))
            document.add_text("text", " ".join(analyze(row.passage.text)))
            self._writer.add_document(document)

    def commit(self) -> None:
        self._writer.commit()
        self._writer.wait_merging_threads()


@cache
def stop_words() -> frozenset[str]:
    """Words of any language that say little of what a text is about."""
    file = importlib.resources.files("assistant").joinpath("data/stopwords.toml")
    lists = tomllib.loads(file.read_text(encoding="utf-8"))
    return frozenset(word for words in lists.values() for word in words.split())


def rarity(index: Any, word: str, languages: Iterable[str]) -> float:
    """Inverse document frequency of a word (0 and up); 0 for a stop word."""
    if word.casefold() in stop_words():
        return 0.0
    searcher = index.searcher()
    terms = {term for language in languages for term in analyzer(language)(word)}
    frequency = max((searcher.doc_freq("text", term) for term in terms), default=0)
    return math.log(1 + (searcher.num_docs - frequency + 0.5) / (frequency + 0.5))


def query(schema: Any, words: str, languages: Iterable[str]) -> Any:
    """The tantivy Query for any of the words, stemmed in each of ``languages``.

    They are looked up as terms: nothing in them is ever read as query syntax.
    """
    from tantivy import Occur, Query

    words = words.encode("utf-8", "replace").decode()  # no lone surrogates
    terms = dict.fromkeys(term for language in languages for term in analyzer(language)(words))
    return Query.boolean_query(
        [
            (Occur.Should, Query.boost_query(Query.term_query(schema, part, term, "freq"), boost))
            for term in list(terms)[:MAX_TERMS]
            for part, boost in BOOSTS.items()
        ]
    )


def search(
    index: Any, words: str, languages: Iterable[str], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Keys and BM25 scores of at most ``k`` passages that hold any of the words, best first."""
    keys, scores = _hits(index.searcher(), query(index.schema, words, languages), k)
    return np.array(keys, dtype=np.int64), np.array(scores, dtype=np.float32)


def all_keys(index: Any) -> list[int]:
    """The keys of every passage in the index."""
    from tantivy import Query

    searcher = index.searcher()
    return _hits(searcher, Query.all_query(), searcher.num_docs)[0]


def find_term(index: Any, term: str, k: int) -> list[int]:
    """The keys of at most ``k`` passages whose text holds the term, as the index spells it."""
    from tantivy import Query

    found = Query.term_query(index.schema, "text", term, "freq")
    return _hits(index.searcher(), found, k)[0]


def _hits(searcher: Any, wanted: Any, k: int) -> tuple[list[int], list[float]]:
    """Keys and scores, best first; ``k`` may be 0."""
    if not k:
        return [], []
    hits = searcher.search(wanted, limit=k, count=False).hits
    keys = searcher.fast_field_values("key", [address for _, address in hits])
    return keys, [score for score, _ in hits]
