"""A Word document -> its paragraphs, headings and table rows, as its reader sees them.

python-docx gives the parts and the styles; the paragraphs are read from the XML, because its own
``text`` leaves out content controls and tracked insertions.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from typing import Any

from assistant import tables
from assistant.archives import BROKEN, damaged, opened_document, properties
from assistant.errors import LoadingError
from assistant.parsing import Block, Parsed, heading

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


def parse_docx(content: bytes, uri: str) -> Parsed:
    """Paragraphs, headings by their style, table rows; hidden and deleted words left out.

    The source is the author that the properties name: of a document handed around as a file, that
    is who says it. Footnotes, headers and comments are not read. Raises LoadingError:
    ``too_large`` for what unpacks beyond the limits, ``encrypted``, ``unreadable``, ``no_text``.
    """
    from docx import Document
    from lxml.etree import LxmlError

    try:
        with opened_document(content, uri) as archive:
            facts = properties(archive)
        document = Document(io.BytesIO(content))
        blocks = tuple(_blocks(document.element.body, _levels(document)))
    except (*BROKEN, LxmlError) as error:
        raise damaged(uri, error, "open it in a word processor and save it again") from error
    if not any(block.text.strip() for block in blocks):
        raise LoadingError("no_text", f"{uri} has no text", "give it words, or leave it out")
    return Parsed(blocks, **facts)


def _levels(document: Any) -> dict[str, int]:
    """The styles that make a heading, by id: 1 for a title or the first level, and so on."""
    named = ((style.style_id, _HEADING.match(style.name or "")) for style in document.styles)
    return {style: int(found[1] or 1) for style, found in named if found}


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[Block]:
    for child in parent:
        if child.tag == f"{_W}p":
            yield from _paragraph(child, levels)
        elif child.tag == f"{_W}tbl":
            yield from tables.blocks(
                list(_cells(table_row))
                for table_row in child.iter(f"{_W}tr")
                if next(table_row.iterancestors(f"{_W}tbl")) is child
            )
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
