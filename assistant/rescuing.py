"""What pypdf can still read of a PDF that PDFium cannot open."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator

from assistant.archives import BROKEN
from assistant.parsing import Block
from assistant.types import Mark

_SECONDS = 30.0
_PAGES = 1000


def blocks(content: bytes) -> tuple[Block, ...]:
    """Its paragraphs with marks for the pages, as far as they go; none where nothing can be had.

    pypdf tells no heights or distances of lines, so a paragraph ends where a line is empty.
    """
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs what it mends
    found: list[Block] = []
    try:
        found.extend(_blocks(content))
    except (*BROKEN, PyPdfError, OverflowError):
        return ()  # nothing to rescue
    return tuple(found) if any(block.text for block in found) else ()


def _blocks(content: bytes) -> Iterator[Block]:
    import pypdf

    began = time.monotonic()
    reader = pypdf.PdfReader(io.BytesIO(content))
    for number, page in enumerate(reader.pages[:_PAGES], start=1):
        if time.monotonic() - began > _SECONDS:
            return
        yield Block("", (Mark(start=0, kind="page", label=f"page {number}"),))
        for paragraph in re.split(r"\n\s*\n", page.extract_text()):
            yield Block(" ".join(paragraph.split()))
