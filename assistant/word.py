"""A Word document -> its paragraphs, headings and table rows, as its reader sees them.

The package is checked before anything in it is parsed: how much it unpacks to, and that no part
declares a document type, with which XML pulls in files and grows without bound. python-docx gives
the parts, the styles and the properties; the paragraphs are read from the XML, because its own
``text`` leaves out content controls and tracked insertions.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from assistant.errors import LoadingError
from assistant.languages import declared
from assistant.parsing import Block, Parsed, heading, row
from assistant.sniffing import BROKEN_ZIP

MAX_BYTES = 200 * 2**20  # unpacked
MAX_RATIO = 100  # unpacked to packed; zeros pack 1000 to 1, the XML of Word 10 to 1
MAX_PARTS = 2000
_SMALL = 10 * 2**20  # below this no ratio is a bomb

# What zipfile, lxml and python-docx raise on truncated and bit-flipped files.
_BROKEN = (
    *BROKEN_ZIP, zlib.error, KeyError, IndexError, TypeError, AttributeError, AssertionError,
    RecursionError, RuntimeError,
)  # fmt: skip

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BOX = f"{_W}txbxContent"
_TEXT = {f"{_W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
_CONTAINERS = {f"{_W}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo")}
_UNREAD = {f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "rPr", "pPr")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # a second copy
}
_SPELLED = {
    f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-",
}  # fmt: skip
_HEADING = re.compile(r"(?:heading ([1-9])|title)$", re.IGNORECASE)

# Written by python-docx into every document made from its template.
_TEMPLATE_AUTHOR, _TEMPLATE_DAY = "python-docx", dt.date(2013, 12, 23)


def parse_docx(content: bytes, uri: str) -> Parsed:
    """Paragraphs, headings by their style, table rows; hidden and deleted words left out.

    The source is the author that the properties name: of a document handed around as a file, that
    is who says it. Footnotes, headers and comments are not read. Raises LoadingError:
    ``too_large`` for what unpacks beyond the limits, ``encrypted``, ``unreadable``, ``no_text``.
    """
    from docx import Document
    from lxml.etree import LxmlError

    try:
        _check(content, uri)
        document = Document(io.BytesIO(content))
        blocks = tuple(_blocks(document.element.body, _levels(document)))
        facts = _properties(document)
    except (*_BROKEN, LxmlError) as error:
        raise LoadingError(
            "unreadable",
            f"{uri} is damaged and cannot be read: {error}",
            "open it in a word processor and save it again",
        ) from error
    if not any(block.text.strip() for block in blocks):
        raise LoadingError("no_text", f"{uri} has no text", "give it words, or leave it out")
    return Parsed(blocks, **facts)


def _check(content: bytes, uri: str) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = sorted(archive.infolist(), key=lambda part: part.header_offset)
        unpacked = sum(part.file_size for part in parts)
        if len(parts) > MAX_PARTS or unpacked > max(
            _SMALL, min(MAX_BYTES, MAX_RATIO * len(content))
        ):
            raise LoadingError(
                "too_large",
                f"{uri} unpacks to {len(parts)} parts of {unpacked:,} bytes in all",
                "save it again in a word processor, without embedded files",
            )
        if any(part.flag_bits & 1 for part in parts):
            raise LoadingError("encrypted", f"{uri} is encrypted", "save a copy without a password")
        for part, following in itertools.pairwise(parts):
            if part.header_offset + part.compress_size > following.header_offset:
                raise zipfile.BadZipFile(f"{part.filename} overlaps {following.filename}")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")) and _declares_type(archive.read(part)):
                raise LoadingError(
                    "unreadable",
                    f"{uri} declares a document type in {part.filename}, as Word never does",
                    "save it again in a word processor",
                )


def _declares_type(xml: bytes) -> bool:
    return any("<!DOCTYPE".encode(e) in xml for e in ("utf-8", "utf-16-le", "utf-16-be"))


def _levels(document: Any) -> dict[str, int]:
    """The styles that make a heading, by id: 1 for a title or the first level, and so on."""
    named = ((style.style_id, _HEADING.match(style.name or "")) for style in document.styles)
    return {style: int(found[1] or 1) for style, found in named if found}


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[Block]:
    for child in parent:
        if child.tag == f"{_W}p":
            yield from _paragraph(child, levels)
        elif child.tag == f"{_W}tbl":
            for table_row in child.iter(f"{_W}tr"):
                if next(table_row.iterancestors(f"{_W}tbl")) is child:
                    yield Block(row(_cells(table_row)))
        elif child.tag in _CONTAINERS:
            yield from _blocks(child, levels)


def _cells(table_row: Any) -> Iterator[str]:
    for cell in table_row.iter(f"{_W}tc"):
        if next(cell.iterancestors(f"{_W}tr")) is table_row:
            yield " ".join("".join(_words(p)) for p in cell.iter(f"{_W}p"))


def _paragraph(paragraph: Any, levels: dict[str, int]) -> Iterator[Block]:
    text = "".join(_words(paragraph))
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    level = levels.get(style.get(f"{_W}val")) if style is not None else None
    yield heading(text, level) if level and text.strip() else Block(text)
    for box in paragraph.iter(_BOX):
        between = itertools.takewhile(lambda a: a is not paragraph, box.iterancestors())
        if not any(a.tag in _UNREAD or a.tag == _BOX for a in between):
            yield from _blocks(box, levels)


def _words(element: Any) -> Iterator[str]:
    """The words of a paragraph in order, but those of text boxes, which are paragraphs."""
    for child in element:
        if child.tag in _TEXT:
            yield child.text or ""
        elif child.tag in _SPELLED:
            yield _SPELLED[child.tag]
        elif child.tag in _UNREAD or child.tag == _BOX or _is_hidden(child):
            continue
        else:
            yield from _words(child)


def _is_hidden(run: Any) -> bool:
    hidden = run.find(f"{_W}rPr/{_W}vanish") if run.tag == f"{_W}r" else None
    return hidden is not None and hidden.get(f"{_W}val", "1") not in ("0", "false", "off")


def _properties(document: Any) -> dict[str, Any]:
    from docx.opc.constants import RELATIONSHIP_TYPE

    package = document.part.package
    kinds = {relation.reltype for relation in package.rels.values()}
    if RELATIONSHIP_TYPE.CORE_PROPERTIES not in kinds:
        return {}  # python-docx would make some up
    facts = package.core_properties
    author, created = facts.author or None, facts.created
    published = created.date() if created else None
    if author == _TEMPLATE_AUTHOR:
        author, published = None, None if published == _TEMPLATE_DAY else published
    return {
        "title": facts.title or None,
        "source": author,
        "published": published,
        "language": declared(facts.language),
    }
