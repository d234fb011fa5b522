"""What the parser of a format hands over: blocks of text, and what the file says of itself.

A parser is a top-level function of (content, uri) that returns a Parsed or raises LoadingError, so
that it can run in another process.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from assistant.normalizing import normalize, one_line
from assistant.types import Mark


@dataclass(frozen=True)
class Block:
    """A paragraph, heading, row group or whole text; ``marks`` start within it."""

    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """Blocks in reading order; the rest is None where the file does not say."""

    blocks: tuple[Block, ...]
    title: str | None = None
    source: str | None = None
    author: str | None = None
    published: dt.date | None = None
    published_from: str | None = None  # what names that day
    published_is_made: bool = False  # it is the day on which a program made the file
    language: str | None = None
    groups: tuple[str, ...] = ()
    truncated: str | None = None  # how far it was read, where that is not to its end


MAX_HEADING = 300  # characters of its label

Parser = Callable[[bytes, str], Parsed]


def heading(text: str, level: int) -> Block:
    """A block that is itself a heading; level 1 is the top."""
    label = one_line(text, MAX_HEADING)
    return Block(" ".join(text.split()), (Mark(start=0, kind="heading", label=label, level=level),))


def row(cells: Iterable[str]) -> str:
    """The cells of a table row on one line, as a reader would say them: ``a | b | c``."""
    words = [" ".join(cell.split()) for cell in cells]
    return " | ".join(words) if any(words) else ""


def assemble(blocks: Iterable[Block]) -> tuple[str, tuple[Mark, ...]]:
    """The normalised text, blocks apart by an empty line, and the marks ascending in it.

    Blocks with nothing to read leave nothing; a mark of theirs goes to the next block.
    """
    parts: list[str] = []
    marks: list[Mark] = []
    carried: list[Mark] = []
    length = 0
    for block in blocks:
        # A block whose marks are inside it comes normalised and stripped: its offsets stay true.
        text = normalize(block.text).strip()
        carried += block.marks
        if not text:
            carried = [mark.model_copy(update={"start": 0}) for mark in carried]
            continue
        start = length + 2 if parts else 0
        marks += [mark.model_copy(update={"start": mark.start + start}) for mark in carried]
        carried = []
        parts.append(text)
        length = start + len(text)
    return "\n\n".join(parts), tuple(marks)


_ISO = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))(?![\d-])")
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? ", re.IGNORECASE)
_SPELLED = ("%d %B %Y", "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%d.%m.%Y")


def day(value: object) -> dt.date | None:
    """The calendar day that ``value`` names, in the zone it was written in, or None.

    Part of a date is no date, and neither is one that two countries read differently (04/05/2022).
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = " ".join(str(value)[:64].split())
    if found := _ISO.match(text):
        spellings: tuple[str, ...] = ("%Y-%m-%d",)
        text = "{}-{}-{}".format(*filter(str.isdigit, found.groups("")))
    else:
        spellings = _SPELLED
        text = re.sub(r"(?<=\d{4}) \d\d:.*", "", _WEEKDAY.sub("", text, count=1))
    for spelling in spellings:
        try:
            return dt.datetime.strptime(text, spelling).date()
        except ValueError:
            continue
    return None
