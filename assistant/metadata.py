"""What a document is called, who says it and when: by what it says of itself, then by its name.

Unknown stays unknown: no day of the file system and none made up from half a date.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import urlsplit

from assistant.normalizing import one_line
from assistant.parsing import Parsed, day
from assistant.types import Mark

MAX_TITLE = 300  # characters of a title or a heading
MAX_NAME = 200  # of a source or an author
_SHORT = 120  # of a first line that can be the title
_FIRST_YEAR = 1900  # before it a number in a file name is hardly a year

# What programs write into properties when nobody says anything.
_NOBODY = {
    "", "admin", "administrator", "anonymous", "author", "document", "document1", "owner", "title",
    "unknown", "unspecified", "untitled", "untitled document", "user", "windows user",
    "microsoft office user", "microsoft word", "word document", "python-docx", "openpyxl",
    "powerpoint presentation", "presentation",
}  # fmt: skip
_FILE_NAME = re.compile(r"\S+\.[A-Za-z][A-Za-z0-9]{1,4}$")
_DATED_NAME = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)")
_DATED_ADDRESS = re.compile(r"/(\d{4})([/-])(\d\d?)\2(\d\d?)(?=[/-])")


class Dated(NamedTuple):
    """A day of publication and what names it; both None where nothing does."""

    day: dt.date | None = None
    named_by: str | None = None


def published(parsed: Parsed, uri: str, path: PurePath) -> Dated:
    """By what the file says of itself, else by its address or name.

    A day in the name is somebody's choice; one in the properties is when a program made the file,
    which may be years after its words were said, so the name goes first.
    """
    said = Dated(parsed.published, parsed.published_from if parsed.published else None)
    if said.day and not parsed.published_is_made:
        return said
    if uri.startswith(("http://", "https://")):
        named = Dated(_only_day(_DATED_ADDRESS, urlsplit(uri).path), "address")
    else:
        named = Dated(_only_day(_DATED_NAME, path.stem), "file name")
    return named if named.day else said


def _only_day(pattern: re.Pattern[str], name: str) -> dt.date | None:
    """The day in a name that has one, of a year that can be meant."""
    found = {day(f"{m[1]}-{m[3]}-{m[4]}") for m in pattern.finditer(name)} - {None}
    only = found.pop() if len(found) == 1 else None
    return only if only and _FIRST_YEAR <= only.year < _FIRST_YEAR + 200 else None


def title(parsed: Parsed, text: str, marks: Sequence[Mark], path: PurePath) -> str:
    """The one it gives itself, its first heading, a short first line, or the name of the file."""
    given = named((parsed.title or "").removeprefix("Microsoft Word - "), MAX_TITLE)
    if given and not _FILE_NAME.fullmatch(given):
        return given
    for mark in marks:
        if mark.kind == "heading":
            return mark.label
    line, rest = text.partition("\n\n")[::2]
    rows = any(mark.kind == "row" for mark in marks)
    if rest and not rows and len(line) <= _SHORT and not re.search(r"\n|[.,;:]$", line):
        return line
    undated = _DATED_NAME.sub(" ", path.stem)
    stem = undated if re.search(r"[^\W\d_]", undated) else path.stem
    words = re.sub(r"(?<!\d)[-_]+|[-_]+(?!\d)", " ", stem).strip()
    return one_line(words[:1].upper() + words[1:], MAX_TITLE) or "Untitled"


def source(parsed: Parsed, uri: str, path: PurePath) -> str:
    """The outlet or person it names, else the host, else the name of the file."""
    host = urlsplit(uri).hostname if uri.startswith(("http://", "https://")) else None
    by_place = host.removeprefix("www.") if host else one_line(path.name, MAX_NAME)
    return named(parsed.source, MAX_NAME) or by_place


def named(value: str | None, limit: int) -> str | None:
    """A name that somebody gave, on one line, or None."""
    name = one_line(value or "", limit).strip("() ")
    return None if name.casefold() in _NOBODY else name
