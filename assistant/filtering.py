"""Which documents a question is asked of: Filters to the documents of an index that pass them.

What is asked for is only ever compared with what the documents say of themselves; nothing of it is
read as a query (T26).
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from assistant.errors import FilterError
from assistant.languages import declared
from assistant.types import Filters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.types import Document

_NEAR = 3  # names that are suggested in the place of an unknown one
_FEW = 12  # names that are listed in full
_UNDATED = 0  # the ordinal of no day


class Known(NamedTuple):
    """What a document is filtered by."""

    id: str
    uri: str
    source: str
    language: str
    published: str | None  # ISO 8601


class Selection(NamedTuple):
    """The documents that pass, and how many would, had they a date."""

    passes: NDArray[np.bool_]  # for each document of the index
    undated: int


class Catalogue:
    """The documents of an index generation in the order of their numbers, to select among."""

    def __init__(self, documents: Sequence[Known]) -> None:
        self._documents = documents
        self._by_name: dict[str, dict[str, list[int]]] = {}
        days = (d.published and dt.date.fromisoformat(d.published).toordinal() for d in documents)
        self._days = np.array([day or _UNDATED for day in days], dtype=np.int32)

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        return cls([Known(*values) for values in json.loads(path.read_text(encoding="utf-8"))])

    def select(self, filters: Filters) -> Selection:
        """The documents that pass all of the filters.

        Raises FilterError for a period that ends before it begins, and for a source, language or
        document that no document of the index has: a typing error must not read as "nothing found".
        """
        first, last = _period(filters)
        passes = np.ones(len(self._documents), dtype=np.bool_)
        for what, wanted in (
            ("source", filters.sources),
            ("language", filters.languages),
            ("document", filters.documents),
        ):
            if wanted:
                passes &= self._having(what, wanted)
        if first is None and last is None:
            return Selection(passes, 0)
        dated = self._days != _UNDATED
        undated = int((passes & ~dated).sum())
        passes &= dated
        if first:
            passes &= self._days >= first.toordinal()
        if last:
            passes &= self._days <= last.toordinal()
        return Selection(passes, undated)

    def _having(self, what: str, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """Which documents have any of the ``wanted`` among their names."""
        numbers = self._numbers(what)
        passes = np.zeros(len(self._documents), dtype=np.bool_)
        for name in wanted:
            found = [numbers[known] for known in _spellings(what, name) if known in numbers]
            if not found:
                raise _unknown(what, name, self._documents)
            for one in found:
                passes[one] = True
        return passes

    def _numbers(self, what: str) -> dict[str, list[int]]:
        """The numbers of the documents that have a name, by the name; made when first needed."""
        if what not in self._by_name:
            by_name: dict[str, list[int]] = {}
            for number, document in enumerate(self._documents):
                for name in _NAMES[what](document):
                    by_name.setdefault(name, []).append(number)
            self._by_name[what] = by_name
        return self._by_name[what]


def known(document: Document) -> Known:
    """What of a document is kept beside an index to filter by."""
    published = document.published.isoformat() if document.published else None
    return Known(document.id, document.uri, document.source, document.language, published)


def read_filters(
    since: str | None = None,
    until: str | None = None,
    as_of: str | None = None,
    sources: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
) -> Filters:
    """Filters of what a person typed. Raises FilterError as ``checked`` does."""
    days = {"since": since, "until": until, "as_of": as_of}
    return checked(
        {name: (day or "").strip() or None for name, day in days.items()}
        | {"sources": sources or (), "languages": languages or (), "documents": documents or ()}
    )


def checked(values: Mapping[str, Any]) -> Filters:
    """Filters of what a program sent. Raises FilterError for a day that does not exist, a filter
    that does not, or names that are no list of texts."""
    try:
        return Filters.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise misread(first["loc"], first) from None


def misread(place: Sequence[int | str], found: Mapping[str, Any]) -> FilterError:
    """What pydantic found at this place of filters, as everyone is told it."""
    name = str(place[0]).replace("_", " ") if place else ""
    got, all_there_are = repr(found["input"])[:80], f"filters are {', '.join(Filters.model_fields)}"
    if not place:
        return FilterError(f"filters: {got} is no map", all_there_are)
    if found["type"] == "extra_forbidden":
        return FilterError(f"there is no filter {place[0]}", all_there_are)
    if found["type"] == "day":
        return FilterError(f"{name}: {found['msg']}", "write a day as year-month-day: 2022-09-13")
    if found["type"] == "too_long":
        most = found["ctx"]["max_length"]
        return FilterError(f"{name}: more than {most}", "ask of some of them at a time")
    return FilterError(f"{name}: {got} is no list of names", 'write a list of texts: ["Reuters"]')


def _period(filters: Filters) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last day on which what passes was published; None where nothing bounds."""
    ends = [(day, name) for name in ("until", "as_of") if (day := getattr(filters, name))]
    last, name = min(ends, default=(None, ""))
    if filters.since and last and filters.since > last:
        raise FilterError(
            f"since {filters.since} is after {name.replace('_', ' ')} {last}",
            "swap them, or leave one out",
        )
    return filters.since, last


def _documents(document: Known) -> set[str]:
    uri = document.uri
    return {_folded(document.id), _folded(uri), _folded(os.path.basename(uri))}


_NAMES: dict[str, Callable[[Known], set[str]]] = {
    "source": lambda document: {_folded(document.source)},
    "language": lambda document: {document.language},
    "document": _documents,
}


def _spellings(what: str, name: str) -> set[str]:
    """What a name that is asked for may be written like in a document."""
    if what == "language":
        return {declared(name) or name}
    if what == "document":  # a path counts from where the program was started
        return {_folded(name), _folded(os.path.abspath(name))}
    return {_folded(name)}


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _unknown(what: str, name: str, documents: Sequence[Known]) -> FilterError:
    """The error that suggests the nearest names there are, or the only ones."""
    if what == "document":
        held = {os.path.basename(document.uri) for document in documents}
    else:
        held = {getattr(document, what) for document in documents}
    folded = {_folded(other): other for other in sorted(held, reverse=True)}
    words = {word: other for other in folded for word in other.split()}
    near = difflib.get_close_matches(_folded(name), folded, n=_NEAR, cutoff=0.6)
    near += [words[w] for w in difflib.get_close_matches(_folded(name), words, _NEAR, 0.8)]
    within = [other for other in folded if _folded(name) in other]
    found = [folded[other] for other in dict.fromkeys(near + within)][:_NEAR]
    if not found and len(folded) <= _FEW:
        found = sorted(folded.values())
    suggestion = f"there is {', '.join(found)}; " if found else ""
    return FilterError(
        f"no document has the {what} {name!r}" if what != "document" else f"no document {name!r}",
        f"{suggestion}`assistant documents` lists all",
    )
