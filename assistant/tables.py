"""Rows of a table -> lines a reader understands alone: ``Country: Armenia; Year: 2022``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from assistant.parsing import Block, row
from assistant.types import Mark

_LOOKED_AT = 10  # rows among which the head is looked for
_MAX_LABEL = 60  # characters of a column's name
MAX_MARKS = 4000  # rows that each have a locator of their own; then every so many have one
_STEP = 50

_LETTER = re.compile(r"[^\W\d_]")


def rows(cells: Iterable[Sequence[str]]) -> Iterator[tuple[int, str]]:
    """Each row that holds something with its number, from 1: every cell after its column's name.

    The head is the first row of several cells, if they read as names and a row follows; it stands
    as ``a | b``, and so do all rows of a table without one. A cell in a column without a name
    stands alone.
    """
    given = iter(cells)
    first = list(islice(given, _LOOKED_AT))
    head = _head(first)
    labels = [] if head is None else [_one_line(label).rstrip(":") for label in first[head]]
    for number, values in enumerate(chain(first, given)):
        if head is not None and number > head:
            line = _named(values, labels)
        else:
            line = row(_trimmed(values) if number != head else filter(str.strip, values))
        if line:
            yield number + 1, line


def blocks(cells: Iterable[Sequence[str]]) -> Iterator[Block]:
    """The rows of a small table inside a document."""
    return (Block(line) for _, line in rows(cells))


def located(cells: Iterable[Sequence[str]], place: str = "") -> Iterator[Block]:
    """The rows of a table that is a document, each marked: ``sheet Budget, row 7``."""
    before = f"{place}, " if place else ""
    last = 0
    for number, line in rows(cells):
        marks: tuple[Mark, ...] = ()
        if number <= MAX_MARKS:
            marks = (Mark(start=0, kind="row", label=f"{before}row {number}"),)
        elif number // _STEP > last // _STEP:
            upper = (number // _STEP + 1) * _STEP - 1
            marks = (Mark(start=0, kind="row", label=f"{before}rows {number}-{upper}"),)
        last = number
        yield Block(line, marks)


def _head(first: Sequence[Sequence[str]]) -> int | None:
    """The index of the row that names the columns."""
    for index, values in enumerate(first):
        filled = [_one_line(value) for value in values if value.strip()]
        if len(filled) < 2:
            continue
        distinct = len(set(filled)) > len(filled) / 2
        follows = any(any(value.strip() for value in later) for later in first[index + 1 :])
        names = all(len(value) <= _MAX_LABEL and _LETTER.search(value) for value in filled)
        return index if distinct and follows and names else None
    return None


def _named(values: Sequence[str], labels: Sequence[str]) -> str:
    parts = []
    for number, value in enumerate(map(_one_line, values)):
        label = labels[number] if number < len(labels) else ""
        if value:
            parts.append(f"{label}: {value}" if label and label != value else value)
    return "; ".join(parts)


def _trimmed(values: Sequence[str]) -> Sequence[str]:
    """The cells from the first to the last that is filled."""
    filled = [index for index, value in enumerate(values) if value.strip()]
    return values[filled[0] : filled[-1] + 1] if filled else ()


def _one_line(value: str) -> str:
    return " ".join(value.split())
