"""What is asked, as a tantivy query: terms by their weight, names in every spelling."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.analysis import Terms, analyse, analyse_query

if TYPE_CHECKING:
    from assistant.variants import Mention, Spelling

MAX_TERMS = 1024  # distinct terms of one query that are searched, and as many pairs, and names


@dataclass(frozen=True)
class Wanted:
    """What is searched: texts, which count as much as they map to, and the names in them."""

    texts: Mapping[str, float]
    names: Mapping[str, Sequence[Mention]] = field(default_factory=dict)  # by text
    pair_weight: float = 0.25  # of two neighbouring words against a word


def weigh(wanted: Wanted, languages: Sequence[str]) -> list[dict[str, float]]:
    """What each distinct term of the texts counts, then each pair.

    Of the texts' weights, times the root of how often the text says it, the greatest. The words of
    a name are left out: ``_named`` searches them.
    """
    weights: list[dict[str, float]] = [{} for _ in Terms._fields]
    for text, weight in wanted.texts.items():
        known = text.encode("utf-8", "replace").decode()  # no lone surrogates
        mentions = wanted.names.get(text, ())
        named = {term for mention in mentions for term in mention.own}
        for terms in analyse_query(known, languages):
            for found, repeated in zip(weights, terms, strict=True):
                for term, count in Counter(repeated).items():
                    found[term] = max(found.get(term, 0.0), weight * count**0.5)
        for pair in _pairs(text, mentions, languages):
            weights[1].setdefault(pair, weight)
        for term in named:
            weights[0].pop(term, None)
    return weights


def _pairs(text: str, mentions: Sequence[Mention], languages: Sequence[str]) -> Iterator[str]:
    """The pairs in each spelling of each name, with the words before and after it."""
    for mention in mentions:
        before = text[: mention.start].split()[-1:]
        after = text[mention.end :].split()[:1]
        for spelling in mention.spellings:
            for language in languages:
                yield from analyse(" ".join((*before, spelling.name, *after)), language).pairs


def query(schema: Any, searcher: Any, wanted: Wanted, languages: Sequence[str]) -> Any:
    """The tantivy Query for any of the terms.

    They are looked up as terms: nothing in them is ever read as query syntax.
    """
    from tantivy import Occur, Query

    scales = Terms._fields, (1.0, wanted.pair_weight), weigh(wanted, languages)
    terms = [
        Query.boost_query(Query.term_query(schema, name, term, "freq"), w * by)
        for name, by, weights in zip(*scales, strict=True)
        for term, w in list(weights.items())[: MAX_TERMS if by else 0]
    ]
    names: dict[tuple[Spelling, ...], float] = {}
    for text, weight in wanted.texts.items():
        counts = Counter(mention.spellings for mention in wanted.names.get(text, ()))
        for spellings, count in counts.items():
            names[spellings] = max(names.get(spellings, 0.0), weight * count**0.5)
    terms += [_named(schema, searcher, *name) for name in list(names.items())[:MAX_TERMS]]
    return Query.boolean_query([(Occur.Should, term) for term in terms])


def _named(schema: Any, searcher: Any, spellings: Sequence[Spelling], weight: float) -> Any:
    """A name in any of its spellings: a passage scores by one of them, as if it were always that.

    Each counts as much as one word that is as frequent as all spellings together; else the rare
    spelling of a frequent name would outweigh everything else that is asked.
    """
    from tantivy import Occur, Query

    whole = idf(searcher, sum(spelling.frequency for spelling in spellings))
    ways = []
    for terms in dict.fromkeys(way for spelling in spellings for way in spelling.terms):
        apart = sum(idf(searcher, searcher.doc_freq("words", term)) for term in terms)
        found = [Query.term_query(schema, "words", term, "freq") for term in terms]
        way = Query.boolean_query([(Occur.Must, one) for one in found])
        ways.append(Query.boost_query(way, weight * whole / apart))
    return Query.disjunction_max_query(ways)


def idf(searcher: Any, frequency: int) -> float:
    """Inverse document frequency, as BM25 takes it."""
    found = min(frequency, searcher.num_docs)
    return math.log(1 + (searcher.num_docs - found + 0.5) / (found + 0.5))
