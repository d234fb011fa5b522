"""Files that hold several documents -> each of them, with an address within the file.

``letters.zip!/2022/a.txt`` is a member of ``letters.zip``, and ``a.eml!/b.pdf`` is attached to a
mail; nothing is written to the disk.
"""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from assistant import archives, jsonfiles, mail
from assistant.decoding import decoded
from assistant.errors import LoadingError
from assistant.normalizing import one_line
from assistant.sniffing import EML, JSON, JSONL, MBOX, ZIP, media_type

INSIDE = "!/"  # between a file's address and a member's
MAX_MEMBERS = 20_000  # of a zip
MAX_DEPTH = 2  # archives within archives
_MAX_NAME = 300
_HIDDEN = re.compile(r"(?:^|/)(?:\.|~\$|__MACOSX/)")

_LETTER = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]{0,300}\n")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id:\s*<([^<>\s]{1,200})>", re.MULTILINE | re.IGNORECASE)


T = TypeVar("T")


class Member(NamedTuple):
    """One document of several; ``content`` is why it cannot be had, where it cannot."""

    uri: str
    name: str
    content: bytes | LoadingError
    kind: str | None = None  # its media type, where the file says


def unpack(
    kind: str, content: bytes, uri: str, fields: Mapping[str, str], depth: int = MAX_DEPTH
) -> Iterator[Member] | None:
    """The documents in a file, in its order; None for a file that is one document itself.

    Raises LoadingError, when it is asked for the first, where the file as a whole cannot be read.
    """
    if kind == ZIP:
        return _zip(content, uri, fields, depth)
    if kind == MBOX:
        return _correspondence(content, uri, fields, depth)
    if kind == EML and depth > 0 and (files := mail.attached(content)):
        letter = Member(uri, _file_name(uri), content, EML)
        return _with_attached(letter, files, fields, depth)
    if kind == JSONL:
        return _named(uri, _records(decoded(content).split("\n"), fields))
    if kind == JSON and content.lstrip()[:1] == b"[":
        return _objects(content, uri, fields)
    return None


def _zip(content: bytes, uri: str, fields: Mapping[str, str], depth: int) -> Iterator[Member]:
    shown = one_line(uri, _MAX_NAME)
    try:
        with archives.opened(content, shown, MAX_MEMBERS) as archive:
            files = ((name, (name, member)) for name, member in _files(archive))
            for address, (name, member) in _distinct(files):
                packed = _unpacked(archive, member, f"{shown}{INSIDE}{address}")
                place = f"{uri}{INSIDE}{address}"
                yield from _nested(Member(place, name, packed), fields, depth)
    except archives.BROKEN_ZIP as error:
        raise archives.damaged(shown, error, "replace it with a whole copy") from error


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """The members that are files, each with a name that leads nowhere else (T10)."""
    for member in archive.infolist():
        name = _harmless(member.filename)
        if name and not member.is_dir() and not _HIDDEN.search(name):
            yield name, member


def _harmless(name: str) -> str:
    parts = re.split(r"[/\\]+", one_line(name, _MAX_NAME))
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _correspondence(
    content: bytes, uri: str, fields: Mapping[str, str], depth: int
) -> Iterator[Member]:
    for letter in _named(uri, _letters(content)):
        files = mail.attached(letter.content) if isinstance(letter.content, bytes) else []
        yield from _with_attached(letter, files, fields, depth)


def _with_attached(
    letter: Member, files: list[tuple[str, bytes]], fields: Mapping[str, str], depth: int
) -> Iterator[Member]:
    """What is attached to a mail and then the mail: once it is held, all of it is."""
    harmless = ((_harmless(name) or "attachment", content) for name, content in files)
    named = ((name, (name, content)) for name, content in harmless)
    for address, (name, content) in _distinct(named):
        place = f"{letter.uri}{INSIDE}{address}"
        yield from _nested(Member(place, name, content), fields, depth)
    yield letter


def _unpacked(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str
) -> bytes | LoadingError:
    if stat.S_ISLNK(member.external_attr >> 16):
        return LoadingError("unsupported", f"{shown} is a link", "pack the file itself")
    if member.flag_bits & 1:
        return LoadingError("encrypted", f"{shown} is encrypted", "pack it without a password")
    try:
        return archive.read(member)
    except archives.BROKEN as error:
        return archives.damaged(shown, error, "pack it again")


def _nested(member: Member, fields: Mapping[str, str], depth: int) -> Iterator[Member]:
    """The members of a member that is itself such a file; else that member."""
    if isinstance(member.content, LoadingError) or not member.content.strip():
        yield member
        return
    try:
        kind = media_type(one_line(member.name, _MAX_NAME), member.content)
        inner = unpack(kind, member.content, member.uri, fields, depth - 1)
        if inner is None:
            yield member._replace(kind=kind)
        elif kind == ZIP and depth <= 1:
            shown = one_line(member.uri, _MAX_NAME)
            raise LoadingError("too_large", f"{shown} is packed too deep", "unpack it first")
        else:
            yield from inner
    except LoadingError as error:
        yield member._replace(content=error)


def _letters(content: bytes) -> Iterator[tuple[str, bytes, str]]:
    starts = [*_LETTER.finditer(content)]
    if not starts:
        raise LoadingError("unreadable", "no mail begins in it", "export it again as mbox")
    ends = [found.start() for found in starts[1:]] + [len(content)]
    for number, (found, end) in enumerate(zip(starts, ends, strict=True), start=1):
        letter = _QUOTED_FROM.sub(rb"\1", content[found.end() : end])
        head = letter.partition(b"\n\n")[0].replace(b"\r\n", b"\n")
        named = _MESSAGE_ID.search(head)
        yield (decoded(named[1]) if named else f"mail {number}"), letter, EML


def _records(lines: list[str], fields: Mapping[str, str]) -> Iterator[tuple[str, bytes, str]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _record_name(line, fields, number), line.encode("utf-8", "replace"), JSON


def _record_name(line: str, fields: Mapping[str, str], number: int) -> str:
    """Its id, so that it is the same document after others have come before it, or its line."""
    try:
        name = jsonfiles.fact(json.loads(line), "id", fields)
    except (ValueError, RecursionError):
        name = None
    return str(name) if isinstance(name, (str, int)) and str(name).strip() else f"record {number}"


def _objects(content: bytes, uri: str, fields: Mapping[str, str]) -> Iterator[Member] | None:
    """The objects of a list; None where it is a list of other things."""
    shown = one_line(uri, _MAX_NAME)
    values = jsonfiles.read(content, shown)
    if not values or not all(isinstance(value, dict) for value in values):
        return None
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    return _named(uri, _records(lines, fields))


def _named(uri: str, found: Iterator[tuple[str, bytes, str]]) -> Iterator[Member]:
    pairs = ((one_line(name, _MAX_NAME), (content, kind)) for name, content, kind in found)
    for name, (content, kind) in _distinct(pairs):
        yield Member(f"{uri}{INSIDE}{name}", _file_name(uri), content, kind)


def _file_name(uri: str) -> str:
    return re.split(r"[/\\]", uri)[-1]


def _distinct(named: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """The pairs, a name that was there before told apart by a number."""
    seen: dict[str, int] = {}
    for name, what in named:
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), what
