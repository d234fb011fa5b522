"""A file -> a Document: find it, read it, parse it by its kind, name what it is.

``find`` and ``read`` touch the disk and nothing else does. ``load`` is a function of its arguments:
with the parsers it can run in another process, and what it returns or raises can come back.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from assistant import metadata
from assistant.books import parse_epub
from assistant.delimited import parse_csv
from assistant.errors import LoadingError, PathError
from assistant.failing import not_tried
from assistant.jsonfiles import parse_json
from assistant.languages import detect
from assistant.mail import parse_eml
from assistant.metadata import MAX_NAME, MAX_TITLE
from assistant.normalizing import one_line
from assistant.parsing import Parser, assemble
from assistant.pdf import parse_pdf
from assistant.plain import parse_markdown, parse_text
from assistant.sheets import parse_xlsx
from assistant.slides import parse_pptx
from assistant.sniffing import (
    CSV,
    DOCX,
    EML,
    EPUB,
    HTML,
    JSON,
    MARKDOWN,
    PDF,
    PPTX,
    TEXT,
    XLSX,
    media_type,
)
from assistant.types import Document, Failure
from assistant.unpacking import Member, unpack
from assistant.webpage import parse_html
from assistant.word import parse_docx

PARSERS: dict[str, Parser] = {
    TEXT: parse_text,
    CSV: parse_csv,
    MARKDOWN: parse_markdown,
    HTML: parse_html,
    PDF: parse_pdf,
    DOCX: parse_docx,
    PPTX: parse_pptx,
    XLSX: parse_xlsx,
    EPUB: parse_epub,
    EML: parse_eml,
}
"""What reads each kind; mbox, zip and lists in JSON hold several documents and are unpacked."""

_HIDDEN = (".", "~$")  # names that begin so, the second of Word's lock files


def find(paths: Sequence[Path]) -> Iterator[Path]:
    """The files at ``paths`` and below, each path in turn, folders in the order of their names.

    Below a path that was named, hidden names are passed over and links are not followed: a link is
    yielded as it is, and so are a pipe and a folder that cannot be listed, so that ``read`` can say
    what is wrong with them. Raises PathError, before anything is yielded, for a path that is not
    there or cannot be reached.
    """
    for path in paths:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise PathError(f"no such file or folder: {path}", "check how it is spelled") from None
        except (OSError, ValueError) as error:
            raise PathError(f"{path} cannot be reached: {error}", "name another path") from None
    return (file for path in paths for file in _walk(path.resolve() if path.is_symlink() else path))


def _walk(path: Path) -> Iterator[Path]:
    pending = [(path, path.is_dir())]  # not recursive: folders can be deeper than the stack
    while pending:
        path, is_folder = pending.pop()
        if not is_folder:
            yield path
            continue
        try:
            with os.scandir(path) as entries:
                below = [
                    (entry.name, entry.is_dir(follow_symlinks=False))
                    for entry in entries
                    if not entry.name.startswith(_HIDDEN)
                ]
        except OSError:
            yield path
        else:
            pending += [(path / name, kind) for name, kind in sorted(below, reverse=True)]


def read(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file, opened without following a link and without waiting for one.

    Raises LoadingError: ``not_found``, ``permission``, ``unsupported`` (a link, pipe, device or
    folder), ``too_large`` past ``max_bytes``, ``unreadable`` when the disk fails.
    """
    shown = one_line(str(path), MAX_TITLE)
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # each system has some
        flags |= getattr(os, name, 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise LoadingError("unsupported", f"{shown} is not a regular file", _NAME_A_FILE)
            content = file.read(max_bytes + 1) if status.st_size <= max_bytes else None
    except OSError as error:
        raise _failure(shown, error) from error
    if content is None or len(content) > max_bytes:
        raise LoadingError(
            "too_large",
            f"{shown} is larger than {max_bytes / 2**20:.0f} MB",
            "split it, or raise library.max_file_mb",
        )
    return content


_NAME_A_FILE = "name the file itself"


def _failure(shown: str, error: OSError) -> LoadingError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return LoadingError("not_found", f"{shown} is not there", "check how it is spelled")
    if isinstance(error, PermissionError):
        return LoadingError("permission", f"{shown} may not be read", "give yourself the right to")
    if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
        return LoadingError("unsupported", f"{shown} is a link, a socket or a folder", _NAME_A_FILE)
    return LoadingError("unreadable", f"{shown}: {error.strerror}", "check the disk it is on")


def content_digest(content: bytes) -> bytes:
    """What is equal for equal bytes wherever they stand, of 32 bytes."""
    return hashlib.sha256(content).digest()


def document_id(uri: str, digest: bytes) -> str:
    """24 hex digits that name this content (by its digest) from this place.

    Another version is another document. A digest is enough to tell whether a document held under
    one name is the file that now has another.
    """
    return hashlib.sha256(_valid(uri).encode() + b"\0" + digest).hexdigest()[:24]


class Held(NamedTuple):
    """A document that is known in this version."""

    uri: str


class Began(NamedTuple):
    """The next document of a file that holds several: what fails now is this one's failure."""

    uri: str


Loaded = Document | Failure | Held


def load_all(
    path: Path,
    *,
    content: bytes,
    uri: str,
    known: Collection[str] = (),
    shunned: Collection[str] = (),
    fields: Mapping[str, str] | None = None,
    skip: int = 0,
) -> Iterator[Loaded | Began]:
    """The documents that a file holds: itself, or those packed in it, the first ``skip`` left out.

    Those whose id is ``known`` are not read again, those whose uri is ``shunned`` not at all.
    ``fields`` says which key of JSON is what.
    Raises LoadingError as ``load`` does; the failures of packed documents are yielded.
    """
    shown = one_line(_valid(uri), MAX_TITLE)
    _check_not_empty(content, shown)
    kind = media_type(one_line(path.name, MAX_TITLE), content)
    members = unpack(kind, content, _valid(uri), fields or {})
    if members is None:
        yield load(path, content=content, uri=uri, kind=kind, fields=fields)
        return
    begun = skip
    for member in islice(members, skip, None):
        begun += 1
        yield Began(member.uri)
        yield _loaded(member, known, shunned, fields)
    if not begun:
        raise _empty(shown)


def _loaded(
    member: Member,
    known: Collection[str],
    shunned: Collection[str],
    fields: Mapping[str, str] | None,
) -> Loaded:
    uri, content = member.uri, member.content
    try:
        if isinstance(content, LoadingError):
            raise content
        if uri in shunned:
            raise not_tried(uri)
        if document_id(uri, content_digest(content)) in known:
            return Held(uri)
        name = Path(member.name)
        return load(name, content=content, uri=uri, kind=member.kind, fields=fields)
    except LoadingError as error:
        return failure(uri, error)


def failure(uri: str, error: LoadingError) -> Failure:
    """The row of a report for an error."""
    return Failure(uri=uri, reason=error.reason, hint=error.hint, message=str(error))


def load(
    path: Path,
    *,
    content: bytes,
    uri: str,
    kind: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> Document:
    """The document that ``content`` is, by what it holds and by the name of ``path``.

    The text and every name are normalised. Title, source, author and day are the file's own (front
    matter, the page's metadata, document properties). Where it has none, the title is its first
    heading, a short first line or the file's name, the source is the host or the file's name, the
    day is one in its name, and author and day are None. The language is the one it declares, else
    the one it is found to be in. ``kind`` is its media type where that is known.
    Raises LoadingError: ``empty``, ``no_text``, ``encrypted``, ``unreadable``, ``unsupported``,
    ``too_large``.
    """
    uri, shown = _valid(uri), one_line(_valid(uri), MAX_TITLE)
    _check_not_empty(content, shown)
    kind = kind or media_type(one_line(path.name, MAX_TITLE), content)
    if kind == JSON:
        parsed = parse_json(content, shown, fields or {})
    elif kind in PARSERS:
        parsed = PARSERS[kind](content, shown)
    else:
        raise LoadingError("unsupported", f"{shown} holds several documents", "unpack it")
    text, marks = assemble(parsed.blocks)
    if not text.strip("\ufffd\n "):  # what no encoding could read is no text
        raise _empty(shown)
    published = metadata.published(parsed, uri, path)
    return Document(
        id=document_id(uri, content_digest(content)),
        uri=uri,
        title=metadata.title(parsed, text, marks, path),
        source=metadata.source(parsed, uri, path),
        author=metadata.named(parsed.author, MAX_NAME),
        published=published.day,
        published_from=published.named_by,
        language=parsed.language or detect(text),
        media_type=kind,
        groups=parsed.groups,
        truncated=parsed.truncated,
        marks=marks,
        text=text,
    )


def _check_not_empty(content: bytes, shown: str) -> None:
    if not content.strip():
        raise _empty(shown)


def _valid(uri: str) -> str:
    """A file name can hold bytes that are no text; they are spelled out."""
    return uri.encode("utf-8", "backslashreplace").decode()


def _empty(shown: str) -> LoadingError:
    return LoadingError("empty", f"{shown} is empty", "give it words, or leave it out")
