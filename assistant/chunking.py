"""Document -> passages: whole sentences packed by the embedding model's own count of tokens.

Offsets are exact by construction: a passage is a slice between two sentence ends. Whatever the
text, the work grows with its length only.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from assistant.segmenting import Span
from assistant.segmenting import sentences as sentences
from assistant.types import Document, Mark, Passage

FORMAT = 1  # of the passages this module cuts; those of another format are cut again
PREFIX_TOKENS = 30  # most tokens of title and headings before an embedded passage
LEAST = 32  # tokens, the smallest size of a passage that makes sense

_STRETCH = 2**20  # characters whose sentences are found at once
_TOGETHER = 1000  # passages of one section that are made equally long

_CHARS = 8  # most characters for each token of a passage's size: prose has 3 to 6, a blob thousands

_INK = re.compile(r"\S")
_CLAUSE = re.compile(r"[,;:،؛)\]»”—–]\s|[、，；：]")
_SPACE = re.compile(r"\s")
_BLANK = re.compile(r"\n\s*\n|$")
_JOINER = "\u200d"  # binds the code points beside it
_SELECTORS = "\ufe0e\ufe0f"  # bind to the one before

Tokens = Callable[[str], Sequence[Span]]
"""Spans of a text's tokens, one each and in order, special tokens left out."""


class _Section(NamedTuple):
    """A stretch of text that no passage leaves."""

    start: int
    end: int
    titles: tuple[int, ...]  # where its heading lines begin
    headings: tuple[str, ...]


class _Unit(NamedTuple):
    """A sentence, or a piece of one that is longer than a passage."""

    start: int
    end: int
    tokens: int


def chunk(document: Document, tokens: Tokens, size: int) -> Iterator[Passage]:
    """Passages of at most ``size`` tokens each, in reading order, covering all but white space.

    A passage holds whole sentences unless a single one is longer, and never leaves its section or
    its page. A heading stands at the start of the passage below it and in that one's ``headings``.
    No more of a long text is worked on at a time than some thousand passages, or one paragraph.
    """
    places = _places(document.marks)
    ordinals = itertools.count()
    for section in _sections(document):
        for units in _groups(_units(document, section, tokens, size), _TOGETHER * size):
            for start, end in _pack(document.text, units, tokens, size):
                yield Passage(
                    id=f"{document.id}:{next(ordinals)}",
                    document_id=document.id,
                    start=start,
                    end=end,
                    text=document.text[start:end],
                    headings=section.headings,
                    locator=_place_at(places, start),
                )


def locator(marks: Sequence[Mark], start: int) -> str | None:
    """What a citation says of where a place in the text is: its page, slide, sheet or row."""
    return _place_at(_places(marks), start)


def _places(marks: Sequence[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.kind != "heading"]


def _place_at(places: Sequence[Mark], start: int) -> str | None:
    before = bisect_right(places, start, key=lambda mark: mark.start)
    return places[before - 1].label if before else None


def embedded_text(document: Document, passage: Passage, tokens: Tokens) -> str:
    """What is embedded for a passage: its text below a line of title and headings.

    The line has at most PREFIX_TOKENS tokens and leaves out what the passage opens with anyway.
    """
    opening = passage.text[:400].casefold()
    labels = dict.fromkeys(label.strip() for label in (document.title, *passage.headings))
    line = ": ".join(label for label in labels if label and label.casefold() not in opening)[:400]
    while len(spans := tokens(line)) > PREFIX_TOKENS:
        line = line[: spans[PREFIX_TOKENS][0]].rstrip()
    return f"{line}\n{passage.text}" if line else passage.text


def _sections(document: Document) -> list[_Section]:
    """The text cut at every mark, but a heading with nothing below it goes to its first child."""
    sections: list[_Section] = []
    begin, titles = 0, ()
    path: list[Mark] = []
    cutting = (mark for mark in document.marks if mark.kind != "row")  # many rows make a passage
    for start, group in itertools.groupby(cutting, key=lambda mark: mark.start):
        marks = list(group)
        level = min((mark.level for mark in marks if mark.kind == "heading"), default=0)
        bare = titles and _is_bare(document.text, titles[-1], start) and level > path[-1].level
        if not (bare and all(mark.kind == "heading" for mark in marks)):
            sections.append(_Section(begin, start, titles, _labels(path)))
            begin, titles = start, ()
        for mark in marks:
            if mark.kind == "heading":
                path = [above for above in path if above.level < mark.level] + [mark]
        titles += (start,) if level else ()
    sections.append(_Section(begin, len(document.text), titles, _labels(path)))
    return sections


def _is_bare(text: str, title: int, end: int) -> bool:
    """Whether only a heading's own line stands between its start and ``end``."""
    return _INK.search(text, _line_end(text, title, end), end) is None


def _line_end(text: str, start: int, end: int) -> int:
    found = text.find("\n", start, end)
    return end if found < 0 else found


def _labels(path: Iterable[Mark]) -> tuple[str, ...]:
    return tuple(mark.label for mark in path)


def _units(document: Document, section: _Section, tokens: Tokens, size: int) -> Iterator[_Unit]:
    text = document.text
    stops = [_line_end(text, title, section.end) for title in section.titles]
    for begin, stop in itertools.pairwise([section.start, *stops, section.end]):
        for start, end in _stretches(text, begin, stop):
            for first, last in sentences(text[start:end], document.language):
                yield from _pieces(text, start + first, start + last, tokens, size)


def _stretches(text: str, start: int, end: int) -> Iterator[Span]:
    """The span in parts that end with a paragraph: no sentence goes beyond one."""
    while end - start > _STRETCH:
        found = _BLANK.search(text, start + _STRETCH, end)
        stop = found.end() if found else end
        yield start, stop
        start = stop
    yield start, end


def _groups(units: Iterable[_Unit], most: int) -> Iterator[list[_Unit]]:
    """The units in runs of ``most`` tokens."""
    group: list[_Unit] = []
    count = 0
    for unit in units:
        if count >= most:
            yield group
            group, count = [], 0
        group.append(unit)
        count += unit.tokens
    yield group


def _pieces(text: str, start: int, end: int, tokens: Tokens, size: int) -> Iterator[_Unit]:
    """A sentence whole, or else halved until each piece is no longer than a passage."""
    if end - start <= size * _CHARS:
        count = len(tokens(text[start:end]))
        if count <= size or end - start == 1:
            yield _Unit(start, end, count)
            return
    cut = _middle(text, start, end)
    left = start + len(text[start:cut].rstrip())
    right = _INK.search(text, cut, end)
    yield from _pieces(text, start, left, tokens, size)
    yield from _pieces(text, right.start() if right else end, end, tokens, size)


def _middle(text: str, start: int, end: int) -> int:
    """Where to halve a sentence: at the clause, else the word, that ends nearest its middle."""
    middle = (start + end) // 2
    reach = min((end - start) // 4, 400)
    for pattern in (_CLAUSE, _SPACE):
        ends = [match.end() for match in pattern.finditer(text, middle - reach, middle + reach)]
        if ends:
            return min(ends, key=lambda cut: abs(cut - middle))
    return next((cut for cut in range(middle, start, -1)[:8] if not _joined(text, cut)), middle)


def _joined(text: str, cut: int) -> bool:
    """Whether the characters around ``cut`` show as one."""
    before, after = text[cut - 1], text[cut]
    if before == _JOINER or after == _JOINER:
        return True
    return after in _SELECTORS or unicodedata.combining(after) > 0


def _pack(text: str, units: Sequence[_Unit], tokens: Tokens, size: int) -> Iterator[Span]:
    """Spans of as few runs of units as ``size`` allows, the longest as short as can be.

    Even runs are found better than full ones with a short rest: nDCG@10 .949 against .945 on
    xquad-en, .811 against .803 on 900 documents of scifact, dense search alone.
    """
    runs = _runs(units, size, size)
    low, high = sum(unit.tokens for unit in units) // max(1, len(runs)), size
    while low < high:
        middle = (low + high) // 2
        if len(_runs(units, middle, size)) > len(runs):
            low = middle + 1
        else:
            high = middle
    for run in _runs(units, high, size):
        yield from _counted(text, run, tokens, size)


def _runs(units: Sequence[_Unit], most: int, size: int) -> list[list[_Unit]]:
    """Units in order, each added to the run before it unless that one then has too many tokens."""
    runs: list[list[_Unit]] = []
    count = 0
    for unit in units:
        count += unit.tokens
        if runs and count <= most and unit.end - runs[-1][0].start <= size * _CHARS:
            runs[-1].append(unit)
        else:
            runs.append([unit])
            count = unit.tokens
    return runs


def _counted(text: str, run: Sequence[_Unit], tokens: Tokens, size: int) -> Iterator[Span]:
    """The span of a run, or of its halves where it counts more tokens than its units did alone."""
    start, end = run[0].start, run[-1].end
    if len(run) == 1 or len(tokens(text[start:end])) <= size:
        yield start, end
        return
    half = len(run) // 2
    yield from _counted(text, run[:half], tokens, size)
    yield from _counted(text, run[half:], tokens, size)
