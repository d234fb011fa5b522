"""A PDF -> its paragraphs, with marks where pages begin.

A PDF has lines, not paragraphs. A line goes on in the next one unless its end was chosen: the next
line's first word would have fitted, or height, weight or distance change. What stands at the top or
bottom of page after page is kept once, and page numbers are left out. A sentence that runs over a
page break belongs to the page on which it begins.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from assistant import pdfium, recognizing, rescuing
from assistant.errors import LoadingError
from assistant.parsing import Block, Parsed, day
from assistant.pdfium import Line
from assistant.types import Mark

MAX_RECOGNIZING = 300.0  # seconds by the clock for the pictures of a scan
_NEIGHBOURS = 8  # lines before and after that show how wide a column is
_USUAL_PITCH = 1.2  # distance of baselines in heights, where a page has too few lines to tell
_TERMINAL = re.compile(r"[.!?…:;。！？؟۔।][\"'”’»)\]]*$")
_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।][\"'”’»)\]]*\s+")
_BULLET = re.compile(r"[•◦▪‣●○■□∙·]")
_ITEM = re.compile(r"(?:[-–—*]|\(?\w{1,2}[.)])\s")
_DIVIDED = re.compile(r"[^\W_][-‐]$")
_DASHED = re.compile(r"\w—$")
_PAGE_NUMBER = re.compile(
    r"[-–—|\s]*(?:page |стр\.? |sayfa |s\. )?(\d{1,4})(?: ?(?:/|of|из) ?\d{1,4})?[-–—|\s]*", re.I
)
_OUTER_NUMBER = re.compile(r"^\d{1,4}(?!\d)|(?<!\d)\d{1,4}$")
# Parts of words that English sets before a hyphen of its own.
_PREFIXES = frozenset({
    "all", "anti", "co", "cross", "ex", "half", "high", "long", "low", "multi", "non", "post",
    "pre", "pro", "self", "semi", "short", "well",
})  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LAST_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*$")


def parse_pdf(content: bytes, uri: str) -> Parsed:
    """The paragraphs of all pages; a mark ``page 12`` where each page's text begins.

    The source is the author that the information names, the day that of its CreationDate. What
    PDFium cannot open, pypdf may. Raises LoadingError: ``encrypted``, ``no_text`` for scans,
    ``unreadable``.
    """
    try:
        pages, facts, truncated = pdfium.read(content, uri)
    except LoadingError as error:
        if error.reason == "unreadable" and (blocks := rescuing.blocks(content)):
            return Parsed(blocks)
        raise
    if any(pages):
        blocks = tuple(_blocks(_without_furniture(pages)))
    else:
        blocks, truncated = _recognized(content, uri)
    return Parsed(
        blocks,
        title=facts.get("Title") or None,
        source=facts.get("Author") or None,
        published=day(facts.get("CreationDate", "").removeprefix("D:")[:8]),
        published_from="document properties",
        published_is_made=True,
        truncated=truncated,
    )


def _recognized(content: bytes, uri: str) -> tuple[tuple[Block, ...], str | None]:
    """The words in the pictures of a scan, and how far they were read. Raises ``no_text``."""
    blocks: list[Block] = []
    began, truncated = time.monotonic(), None
    for number, picture in enumerate(
        pdfium.pictures(content, uri) if recognizing.enabled else (), 1
    ):
        if time.monotonic() - began > MAX_RECOGNIZING:
            truncated = f"pages 1-{number - 1:,}"
            break
        paragraphs = recognizing.recognized(picture, uri).split("\n\n")
        mark = Mark(start=0, kind="page", label=f"page {number}")
        blocks += [Block("", (mark,)), *(Block(" ".join(words.split())) for words in paragraphs)]
    if not any(block.text for block in blocks):
        raise LoadingError(
            "no_text",
            f"{uri} has pictures of text, but no text",
            "install Tesseract and the extra `ocr`, or recognise its text first (`ocrmypdf`)",
        )
    return tuple(blocks), truncated


def _without_furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without their numbers and without running heads but the first."""
    seen: set[tuple[str, int]] = set()
    kept = []
    for number, page in enumerate(pages, start=1):
        edge = {i for i, line in enumerate(page) if line.edge}
        gone = {
            i
            for i in edge
            if _is_number(page[i].text, number, len(pages)) or _heads(page[i], number) & seen
        }
        kept.append([line for i, line in enumerate(page) if i not in gone])
        seen |= {head for i in edge for head in _heads(page[i], number)}
    return kept


def _heads(line: Line, number: int) -> set[tuple[str, int]]:
    """What makes a line of another page the same head: its words and place, whatever its page."""
    text = line.text.casefold()
    paged = _OUTER_NUMBER.sub(lambda found: f"page{int(found[0]) - number:+}", text)
    return {(text, round(line.baseline)), (paged, round(line.baseline))}


def _is_number(text: str, number: int, pages: int) -> bool:
    found = _PAGE_NUMBER.fullmatch(text)
    return found is not None and (pages > 1 or found[1] == str(number))


def _blocks(pages: Sequence[Sequence[Line]]) -> Iterator[Block]:
    words = {word for page in pages for line in page for word in _WORD.findall(line.text.lower())}
    shown = 0
    waiting: list[Mark] = []
    for paragraph in _paragraphs(pages):
        text, offsets = _written(paragraph, words)
        marks, waiting = [mark.model_copy(update={"start": 0}) for mark in waiting], []
        for offset, number in offsets:
            if number > shown:
                shown = number
                begins = _SENTENCE_END.search(text, offset) if offset else None
                start = begins.end() if begins else offset and len(text)
                mark = Mark(start=start, kind="page", label=f"page {number}")
                (waiting if start == len(text) else marks).append(mark)
        yield Block(text, tuple(marks))


def _paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[list[tuple[int, Line]]]:
    """The lines of each paragraph, each with the number of its page."""
    paragraph: list[tuple[int, Line]] = []
    for number, page in enumerate(pages, start=1):
        rooms, pitch = _rooms(page), _pitch(page)
        for i, line in enumerate(page):
            if paragraph:
                above = paragraph[-1][1]
                goes_on = (
                    _goes_on(above, line, rooms[i - 1], pitch) if i else _runs_over(above, line)
                )
                if not goes_on:
                    yield paragraph
                    paragraph = []
            paragraph.append((number, line))
    if paragraph:
        yield paragraph


def _written(
    paragraph: list[tuple[int, Line]], words: set[str]
) -> tuple[str, list[tuple[int, int]]]:
    """The paragraph on one line, and (offset, page) where the lines of each page begin in it."""
    text, above = "", None
    offsets: list[tuple[int, int]] = []
    for number, line in paragraph:
        if above:
            text = _joined(text, above, line, words)
        if not offsets or offsets[-1][1] != number:
            offsets.append((len(text), number))
        text += line.text
        above = line
    return text, offsets


def _joined(text: str, above: Line, line: Line, words: set[str]) -> str:
    """``text`` with what stands between it and the next line: nothing, a space or a hyphen."""
    if not above.hyphened and not _DIVIDED.search(text):
        close = _beside(above, line) and line.left - above.right < above.height / 8
        return text if close or _DASHED.search(text) else text + " "
    text = text if above.hyphened else text[:-1]
    head, tail = _LAST_WORD.search(text), _WORD.match(line.text)
    if not head or not tail:
        return text + "-"
    first, second = head[0].lower(), tail[0].lower()
    if first + second in words:
        return text
    own = f"{first}-{second}" in words or first in _PREFIXES or not tail[0][0].islower()
    return text + "-" if own or first[-1].isdigit() else text


def _goes_on(above: Line, line: Line, room: float, pitch: float) -> bool:
    """Whether the paragraph of ``above`` goes on in ``line``, below it on the same page."""
    if above.hyphened or _DIVIDED.search(above.text) or _beside(above, line):
        return True
    ended, unfinished = bool(_TERMINAL.search(above.text)), _is_unfinished(above, line)
    if not _alike(above, line) or _BULLET.match(line.text):
        return False
    drop = (above.baseline - line.baseline) / above.height
    fits = line.first_word + above.height / 4 <= room
    if drop <= 0 or fits:  # the top of the next column, or a line that was ended on purpose
        return unfinished
    indented = line.left > above.left + above.height and not _runs_leftwards(line.text)
    if drop > 1.4 * pitch or (ended and indented):
        return False
    return not (ended and _ITEM.match(line.text))


def _runs_over(above: Line, line: Line) -> bool:
    """Whether the last paragraph of a page goes on in the first line of the next."""
    return above.hyphened or (_alike(above, line) and _is_unfinished(above, line))


def _is_unfinished(above: Line, line: Line) -> bool:
    return not _TERMINAL.search(above.text) and line.text[:1].islower()


def _alike(above: Line, line: Line) -> bool:
    """Whether the two are set in one size, and not one in bold and the other not."""
    both_plain = len({*above.weights, *line.weights}) == 1
    mixed = len(set(above.weights)) > 1 or len(set(line.weights)) > 1
    return abs(above.height - line.height) <= 0.12 * above.height and (both_plain or mixed)


def _beside(above: Line, line: Line) -> bool:
    """Whether the two are parts of one visible line, as around a raised figure."""
    level = abs(above.baseline - line.baseline) < above.height / 3
    return level and line.left >= above.right - above.height / 4


def _rooms(page: Sequence[Line]) -> list[float]:
    """How much of its column each line leaves empty at its end."""
    rooms = []
    for i, line in enumerate(page):
        near = page[max(0, i - _NEIGHBOURS) : i + _NEIGHBOURS + 1]
        column = [
            n for n in near if n.left < line.right and n.right > line.left and _alike(line, n)
        ]
        if _runs_leftwards(line.text):
            rooms.append(line.left - min((n.left for n in column), default=line.left))
        else:
            rooms.append(max((n.right for n in column), default=line.right) - line.right)
    return rooms


def _pitch(page: Sequence[Line]) -> float:
    """The usual distance of two baselines, in heights of a line."""
    drops = [(a.baseline - b.baseline) / a.height for a, b in pairwise(page)]
    usual = sorted(drop for drop in drops if 0.5 < drop < 4)
    return usual[len(usual) // 2] if len(usual) > 3 else _USUAL_PITCH


def _runs_leftwards(text: str) -> bool:
    kinds = Counter(map(unicodedata.bidirectional, text))
    return kinds["R"] + kinds["AL"] > kinds["L"]
