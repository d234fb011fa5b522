"""A PowerPoint presentation -> the words of its slides, as its audience sees them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from assistant import tables
from assistant.archives import BROKEN, damaged, opened_document, properties
from assistant.errors import LoadingError
from assistant.parsing import Block, Parsed, heading
from assistant.types import Mark

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MAX_DEPTH = 20  # of groups within groups


def parse_pptx(content: bytes, uri: str) -> Parsed:
    """Slides in order with marks ``slide 3``: the title a heading, paragraphs, table rows.

    Shapes are read from top to bottom. Hidden slides, speaker notes, comments, charts and pictures
    are left out. Raises LoadingError: ``too_large``, ``encrypted``, ``unreadable``, ``no_text``.
    """
    from lxml.etree import LxmlError
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    try:
        with opened_document(content, uri) as archive:
            facts = properties(archive)
        slides = Presentation(io.BytesIO(content)).slides
        blocks = tuple(block for n, slide in enumerate(slides, 1) for block in _slide(slide, n))
    except (*BROKEN, LxmlError, PythonPptxError) as error:
        raise damaged(uri, error, "open it in a presentation program and save it again") from error
    if not any(block.text.strip() for block in blocks):
        raise LoadingError("no_text", f"{uri} has no text", "give it words, or leave it out")
    return Parsed(blocks, **facts)


def _slide(slide: Any, number: int) -> Iterator[Block]:
    if slide.element.get("show") in ("0", "false"):
        return
    yield Block("", (Mark(start=0, kind="slide", label=f"slide {number}"),))
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        yield heading(_words(title.text_frame._txBody), 1)
    others = (
        shape for shape in slide.shapes if title is None or shape.element is not title.element
    )
    yield from _shapes(others, _MAX_DEPTH)


def _shapes(shapes: Iterable[Any], depth: int) -> Iterator[Block]:
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if _is_hidden(shape):
            continue
        if hasattr(shape, "shapes") and depth:
            yield from _shapes(shape.shapes, depth - 1)
        elif getattr(shape, "has_table", False):
            table_rows = shape.element.iter(f"{_A}tr")
            yield from tables.blocks([[_words(c) for c in r.iter(f"{_A}tc")] for r in table_rows])
        elif shape.has_text_frame:
            for paragraph in shape.text_frame._txBody.iter(f"{_A}p"):
                yield Block(_words(paragraph))


def _is_hidden(shape: Any) -> bool:
    return any(
        element.get("hidden") in ("1", "true")
        for element in shape.element.iter("{*}cNvPr")
        if element.getparent().getparent() is shape.element
    )


def _words(element: Any) -> str:
    """The words of runs, fields and line breaks, paragraphs apart."""
    parts = []
    for child in element.iter(f"{_A}t", f"{_A}br", f"{_A}p"):
        parts.append(child.text or "" if child.tag == f"{_A}t" else "\n")
    return "".join(parts).strip()
