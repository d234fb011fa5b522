"""A page that is all text, such as a chapter or a mail -> its blocks, with nothing left out.

Unlike ``webpage`` it looks for no article in it: a poem, a list or a signature is text too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assistant import tables
from assistant.parsing import Block, heading

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "input", "select", "button",
}  # fmt: skip
_DATA_CELL = 300  # characters; a longer one is part of a layout


def whole(tree: Any) -> Iterator[Block]:
    """Headings, paragraphs, list items and table rows in the order of the page."""
    text: list[str] = []
    for kind, value in _events(tree):
        if kind == "text":
            text.append(value)
            continue
        yield Block(_joined(text))
        text = []
        if kind in _HEADINGS:
            yield heading(value, _HEADINGS[kind])
        elif kind == "table":
            yield from tables.blocks(value)
    yield Block(_joined(text))


def _events(tree: Any) -> Iterator[tuple[str, Any]]:
    """Text, breaks between blocks, whole headings and whole tables; not recursive."""
    pending: list[Any] = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            yield item
            continue
        tag = item.tag if isinstance(item.tag, str) else ""
        pending.append(("text", item.tail or ""))
        if tag in _HEADINGS:
            yield tag, " ".join(item.text_content().split())
        elif tag == "table" and (cells := _cells(item)):
            yield "table", cells
        elif tag == "br":
            yield "text", "\n"
        elif tag:
            apart = [] if tag in _INLINE else [("break", "")]
            pending += [*apart, *reversed(item), ("text", _own_text(item, tag)), *apart]


def _own_text(element: Any, tag: str) -> str:
    text: str = element.text or ""
    return f"- {text.lstrip()}" if tag == "li" else text


def _cells(table: Any) -> list[list[str]]:
    """The cells of a table of data; none for one that is there for the layout."""
    if next(table.iterdescendants("table", "ul", "ol"), None) is not None:
        return []
    rows = [
        [" ".join(cell.text_content().split()) for cell in row.iter("td", "th")]
        for row in table.iter("tr")
    ]
    wide = max(map(len, rows), default=0)
    short = all(len(cell) <= _DATA_CELL for row in rows for cell in row)
    return rows if wide > 1 and short else []


def _joined(parts: list[str]) -> str:
    """Text with its white space made single spaces, but for the breaks the page makes."""
    pieces = ["\n" if part == "\n" else " ".join(f".{part}.".split())[1:-1] for part in parts]
    return "\n".join(" ".join(line.split()) for line in "".join(pieces).split("\n"))
