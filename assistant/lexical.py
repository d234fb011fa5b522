"""The words half of an index generation: one tantivy document for each passage.

It holds the terms of the passage, of its title and headings, of the passages before and after it
(what a passage is about often stands in its neighbour), and who says it and when. All languages
share one set of fields. (One field per language would be simpler, but BM25 takes the average
length of a field over all passages: in a field that few have, every score falls to nearly nothing.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.analysis import Terms, analyse, analyse_query, every_stop_word
from assistant.lexical_query import Wanted, idf, query

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.filtering import Selection
    from assistant.records import IndexRow
    from assistant.types import Document

_HEAP = 64 * 2**20  # bytes
_NOTHING = ("",) * len(Terms._fields)  # terms of no passage, as text


def schema() -> Any:
    """The key, to get it back from a hit, and what a passage is found by."""
    from tantivy import SchemaBuilder

    builder = SchemaBuilder().add_unsigned_field("key", fast=True)
    builder = builder.add_unsigned_field("document", indexed=True)
    for field in Terms._fields:
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


class Writer:
    """Fills a new tantivy index with passages in their order; nothing is in it before ``commit``.

    A passage is written when the next one has come, for that one's terms.
    """

    def __init__(self, directory: Path) -> None:
        from tantivy import Index

        directory.mkdir()
        self._number = -1  # of the document that the last row is of
        index = Index(schema(), str(directory), reuse=False)
        self._writer = index.writer(_HEAP, num_threads=1)  # one thread: the same index every time
        self._row: IndexRow | None = None  # the last that came; below, its terms and others'
        self._about = self._before = self._here = _NOTHING

    def add(self, rows: Iterable[IndexRow]) -> None:
        for row in rows:
            document, language = row.document, row.document.language
            here = _spaced(analyse("\n".join((*row.passage.headings, row.passage.text)), language))
            if self._row and self._row.document.id == document.id:
                self._write(here)
                self._before = self._here
            else:
                self._write(_NOTHING)
                self._before = _NOTHING
                self._about = _spaced(_about(document))
                self._number += 1
            self._row, self._here = row, here

    def _write(self, after: tuple[str, ...]) -> None:
        from tantivy import Document

        if self._row is None:
            return
        document = Document()
        document.add_unsigned("key", self._row.key)
        document.add_unsigned("document", self._number)
        parts = zip(self._about, self._before, self._here, after, strict=True)
        for field, texts in zip(Terms._fields, parts, strict=True):
            document.add_text(field, " ".join(texts))
        self._writer.add_document(document)

    def commit(self) -> None:
        self._write(_NOTHING)
        self._writer.commit()
        self._writer.wait_merging_threads()


def _spaced(terms: Terms) -> tuple[str, ...]:
    """The text of each field."""
    return tuple(map(" ".join, terms))


def _about(document: Document) -> Terms:
    """The terms of what is known of a document: its title, who says it and when."""
    facts = (document.title, document.source, document.author, document.published)
    return analyse("\n".join(str(fact) for fact in facts if fact), document.language)


def search(
    index: Any,
    wanted: Wanted,
    languages: Sequence[str],
    k: int,
    within: Selection | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Keys and BM25 scores of at most ``k`` passages that hold any of the terms, best first.

    ``within`` some of the documents each scores as it does among all.
    """
    searcher = index.searcher()
    found = query(index.schema, searcher, wanted, languages)
    if within:
        found = _restricted(index.schema, found, within.passes)
    keys, scores = _hits(searcher, found, k)
    return np.array(keys, dtype=np.int64), np.array(scores, dtype=np.float32)


def _restricted(schema: Any, wanted: Any, passes: NDArray[np.bool_]) -> Any:
    """The query, of the documents that pass; named are those that do or those that do not."""
    from tantivy import Occur, Query

    few = passes if 2 * passes.sum() < len(passes) else ~passes
    named = Query.term_set_query(schema, "document", np.flatnonzero(few).tolist())
    if few is passes:
        named = Occur.Must, Query.const_score_query(named, 0.0)
    else:
        named = Occur.MustNot, named
    return Query.boolean_query([(Occur.Must, wanted), named])


def rarity(index: Any, word: str, languages: Iterable[str]) -> float:
    """Inverse document frequency of a word (0 and up); 0 for a stop word."""
    if word.casefold() in every_stop_word():
        return 0.0
    searcher = index.searcher()
    terms = {term for language in languages for term in analyse(word, language).words}
    frequency = max((searcher.doc_freq("words", term) for term in terms), default=0)
    return idf(searcher, frequency)


def shared(index: Any, text: str, languages: Sequence[str]) -> float:
    """Share (0..1) of the text's distinct terms that some passage holds; 0 without any."""
    searcher = index.searcher()
    known = text.encode("utf-8", "replace").decode()  # no lone surrogates
    terms = {term for terms in analyse_query(known, languages) for term in terms.words}
    held = sum(searcher.doc_freq("words", term) > 0 for term in terms)
    return held / len(terms) if terms else 0.0


def all_keys(index: Any) -> list[int]:
    """The keys of every passage in the index."""
    from tantivy import Query

    searcher = index.searcher()
    return _hits(searcher, Query.all_query(), searcher.num_docs)[0]


def find_term(index: Any, term: str, k: int) -> list[int]:
    """The keys of at most ``k`` passages whose words hold the term, as the index spells it."""
    from tantivy import Query

    found = Query.term_query(index.schema, "words", term, "freq")
    return _hits(index.searcher(), found, k)[0]


def _hits(searcher: Any, wanted: Any, k: int) -> tuple[list[int], list[float]]:
    """Keys and scores, best first; ``k`` may be 0."""
    if not k:
        return [], []
    hits = searcher.search(wanted, limit=k, count=False).hits
    keys = searcher.fast_field_values("key", [address for _, address in hits])
    return keys, [score for score, _ in hits]
