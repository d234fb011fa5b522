"""A file -> a Document: find it, read it, parse it by its kind, name what it is.

``find`` and ``read`` touch the disk and nothing else does. ``load`` is a function of its arguments:
with the parsers it can run in another process, and what it returns or raises can come back.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from assistant.errors import LoadingError, PathError
from assistant.languages import detect
from assistant.normalizing import one_line
from assistant.parsing import Parsed, Parser, assemble
from assistant.pdf import parse_pdf
from assistant.plain import parse_markdown, parse_text
from assistant.sniffing import CSV, DOCX, HTML, MARKDOWN, PDF, TEXT, media_type
from assistant.types import Document, Mark
from assistant.webpage import parse_html
from assistant.word import parse_docx

MEDIA_TYPES: dict[str, Parser] = {
    TEXT: parse_text,
    CSV: parse_text,
    MARKDOWN: parse_markdown,
    HTML: parse_html,
    PDF: parse_pdf,
    DOCX: parse_docx,
}

MAX_TITLE = 300  # characters of a title or a heading
MAX_NAME = 200  # of a source or an author
_SHORT = 120  # of a first line that can be the title

# What programs write into properties when nobody says anything.
_NOBODY = {
    "", "admin", "administrator", "anonymous", "author", "document", "document1", "owner", "title",
    "unknown", "unspecified", "untitled", "untitled document", "user", "windows user",
    "microsoft office user", "microsoft word", "word document", "python-docx",
}  # fmt: skip
_FILE_NAME = re.compile(r"\S+\.[A-Za-z][A-Za-z0-9]{1,4}$")
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


def load(path: Path, *, content: bytes, uri: str) -> Document:
    """The document that ``content`` is, by what it holds and by the name of ``path``.

    The text and every name are normalised. Title, source, author and day are the file's own (front
    matter, the page's metadata, document properties). Where it has none, the title is its first
    heading, a short first line or the file's name, the source is the host or the file's name, and
    author and day are None. The language is the one it declares, else the one it is found to be in.
    Raises LoadingError: ``empty``, ``no_text``, ``encrypted``, ``unreadable``, ``unsupported``,
    ``too_large``.
    """
    uri, shown = _valid(uri), one_line(uri, MAX_TITLE)
    if not content.strip():
        raise _empty(shown)
    kind = media_type(one_line(path.name, MAX_TITLE), content)
    parsed = MEDIA_TYPES[kind](content, shown)
    text, marks = assemble(parsed.blocks)
    if not text:
        raise _empty(shown)
    host = urlsplit(uri).hostname if uri.startswith(("http://", "https://")) else None
    return Document(
        id=document_id(uri, content_digest(content)),
        uri=uri,
        title=_title(parsed, text, marks, path, kind),
        source=_named(parsed.source, MAX_NAME) or _outlet(host, path),
        author=_named(parsed.author, MAX_NAME),
        published=parsed.published,
        language=parsed.language or detect(text),
        media_type=kind,
        marks=marks,
        text=text,
    )


def _valid(uri: str) -> str:
    """A file name can hold bytes that are no text; they are spelled out."""
    return uri.encode("utf-8", "backslashreplace").decode()


def _empty(shown: str) -> LoadingError:
    return LoadingError("empty", f"{shown} is empty", "give it words, or leave it out")


def _named(value: str | None, limit: int) -> str | None:
    """A name that somebody gave, on one line, or None."""
    name = one_line(value or "", limit).strip("() ")
    return None if name.casefold() in _NOBODY else name


def _title(parsed: Parsed, text: str, marks: Sequence[Mark], path: Path, kind: str) -> str:
    title = _named((parsed.title or "").removeprefix("Microsoft Word - "), MAX_TITLE)
    if title and not _FILE_NAME.fullmatch(title):
        return title
    for mark in marks:
        if mark.kind == "heading":
            return mark.label
    line, rest = text.partition("\n\n")[::2]
    if rest and kind != CSV and len(line) <= _SHORT and not re.search(r"\n|[.,;:]$", line):
        return line
    words = re.sub(r"(?<!\d)[-_]+|[-_]+(?!\d)", " ", path.stem).strip()
    return one_line(words[:1].upper() + words[1:], MAX_TITLE) or "Untitled"


def _outlet(host: str | None, path: PurePath) -> str:
    return host.removeprefix("www.") if host else one_line(path.name, MAX_NAME)
