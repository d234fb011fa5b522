"""PDFium -> the lines of each page as laid out, without what the page does not show.

Hidden are: text drawn invisibly (unless a page has no other: a scan with its recognised words),
transparent, smaller than 2 points, outside the page, or so pale that the rendered page shows no
difference where it stands. Attachments, scripts, forms and notes are not opened.
"""

from __future__ import annotations

import ctypes
import math
import re
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, NamedTuple

from assistant.errors import LoadingError
from assistant.normalizing import normalize
from assistant.recognizing import RESOLUTION

MAX_PAGES = 5000
MAX_CHARS = 50_000_000
MAX_SECONDS = 40.0  # by the clock, below what its process has

_SMALLEST = 2.0  # points
_PALE = 224  # of 255, the darkest channel
_CONTRAST = 24  # of 255, the least that is seen
_RENDERED = 1500  # pixels of the longer side, to see what is seen,
_LARGEST = 5000  # and to recognise text

_ALEFS = "اأإآ"
_BULLETS = str.maketrans({"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "‣", "\uf02d": "–"})

_FORMS = re.compile("[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufdfb\ufe70-\ufefc]+")
# A mark is drawn before the letter it sits on, and a space is seen between them.
_MARK_BEFORE_LETTER = re.compile(" ([\u064b-\u0652])([\u0620-\u064a])")
_LATIN_BEFORE_ARABIC = re.compile("(?<=[A-Za-z])(?=[\u0620-\u064a])")

_pdfium = threading.Lock()  # it is not thread-safe: two documents at once crash the process


@dataclass(frozen=True)
class Line:
    """One line of a page, or its part up to a hyphen; in points, y upwards from the bottom."""

    text: str
    left: float
    right: float
    baseline: float
    height: float  # of its letters' boxes
    weights: tuple[int, int]  # of its first and last letter
    first_word: float  # its width
    hyphened: bool = False  # its last word goes on in the next line
    edge: bool = False  # in the top or bottom tenth of the page


class Read(NamedTuple):
    """What was read of a document."""

    pages: list[list[Line]]  # in the order they are drawn
    facts: dict[str, str]  # the document's information
    truncated: str | None  # how far it was read, where that is not to its end


def read(content: bytes, uri: str) -> Read:
    """The lines of each page, up to MAX_PAGES, MAX_CHARS and MAX_SECONDS.

    Raises LoadingError: ``encrypted``, ``unreadable``.
    """
    with _opened(content, uri) as document:
        began = time.monotonic()
        pages: list[list[Line]] = []
        chars = 0
        for page in islice(_pages(document), MAX_PAGES):
            pages.append(_lines(page))
            chars += sum(len(line.text) for line in pages[-1])
            if chars > MAX_CHARS or time.monotonic() - began > MAX_SECONDS:
                break
        count = len(document)
        truncated = f"pages 1-{len(pages):,} of {count:,}" if len(pages) < count else None
        return Read(pages, document.get_metadata_dict(), truncated)


def pictures(content: bytes, uri: str) -> Iterator[Any]:
    """Each page as a PIL image, as it is wanted for recognising text. Raises as ``read`` does."""
    with _opened(content, uri) as document:
        for page in islice(_pages(document), MAX_PAGES):
            scale = min(RESOLUTION / 72, _LARGEST / max(*page.get_size(), 1))
            yield page.render(scale=scale, grayscale=True).to_pil()


@contextmanager
def _opened(content: bytes, uri: str) -> Iterator[Any]:
    import pypdfium2
    from pypdfium2 import raw

    with _pdfium:
        try:
            with closing(pypdfium2.PdfDocument(content)) as document:
                yield document
        except pypdfium2.PdfiumError as error:
            if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
                raise LoadingError(
                    "encrypted", f"{uri} needs a password", "save a copy without a password"
                ) from error
            raise LoadingError(
                "unreadable",
                f"{uri} is damaged: {error}",
                "open it in a PDF viewer and save or print it to a new PDF",
            ) from error


def _pages(document: Any) -> Iterator[Any]:
    for number in range(len(document)):
        with closing(document[number]) as page:
            yield page


def _lines(page: Any) -> list[Line]:
    with closing(page.get_textpage()) as textpage:
        glyphs = _Glyphs(page, textpage)
        hidden = glyphs.hidden()
        shown = [i for i in range(len(glyphs.chars)) if i not in hidden]
        return [
            line for part, hyphened in glyphs.parts(shown) if (line := glyphs.line(part, hyphened))
        ]


class _Glyphs:
    """The characters of one page by index, with what PDFium knows of each."""

    def __init__(self, page: Any, textpage: Any) -> None:
        from pypdfium2 import raw

        self.raw, self.page, self.textpage = raw, page, textpage.raw
        self.width, self.height = page.get_size()
        self.origin, self.turned = page.get_bbox()[:2], page.get_rotation()
        count = max(0, raw.FPDFText_CountChars(self.textpage))
        self.chars = [chr(raw.FPDFText_GetUnicode(self.textpage, i)) for i in range(count)]
        self._mend_ligatures()

    def _mend_ligatures(self) -> None:
        """Lam-alef is one glyph, which PDFium spells backwards in a line that runs leftwards."""
        for i, (first, second) in enumerate(pairwise(self.chars)):
            if second == "ل" and first in _ALEFS and self.box(i) == self.box(i + 1):
                self.chars[i], self.chars[i + 1] = second, first

    def box(self, i: int) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the letter's box, as tall for ``.`` as for ``l``."""
        rect = self.raw.FS_RECTF()
        self.raw.FPDFText_GetLooseCharBox(self.textpage, i, rect)
        (x0, y0), (x1, y1) = (
            self._as_shown(rect.left, rect.bottom),
            self._as_shown(rect.right, rect.top),
        )
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _as_shown(self, x: float, y: float) -> tuple[float, float]:
        """A point from the lower left corner of the page as it is turned for its reader."""
        x, y = x - self.origin[0], y - self.origin[1]
        if not (math.isfinite(x) and math.isfinite(y)):
            return 0.0, 0.0  # what a damaged file says
        if self.turned == 90:
            return y, self.height - x
        if self.turned == 180:
            return self.width - x, self.height - y
        if self.turned == 270:
            return self.width - y, x
        return x, y

    def baseline(self, i: int) -> float:
        x, y = ctypes.c_double(), ctypes.c_double()
        self.raw.FPDFText_GetCharOrigin(self.textpage, i, x, y)
        return self._as_shown(x.value, y.value)[1]

    def parts(self, indexes: list[int]) -> Iterator[tuple[list[int], bool]]:
        """The indexes of each line without outer spaces, and whether a hyphen ended it."""
        part: list[int] = []
        for i in [*indexes, -1]:
            char = self.chars[i] if i >= 0 else "\n"
            # PDFium joins a word that was divided at a line's end, and leaves a control between.
            hyphen = char in "\x02\ufffe"
            if hyphen or char in "\r\n":
                while part and self.chars[part[-1]].isspace():
                    part.pop()
                if part:
                    yield part, hyphen
                part = []
            elif part or not char.isspace():
                part.append(i)

    def line(self, part: list[int], hyphened: bool) -> Line | None:
        text = _mended("".join(self.chars[i] for i in part))
        if not text:
            return None
        first, last = self.box(part[0]), self.box(part[-1])
        word = next((k for k, i in enumerate(part) if self.chars[i].isspace()), len(part))
        end, middle = self.box(part[word - 1]), self.box(part[len(part) // 2])
        heights = sorted(box[3] - box[1] for box in (first, middle, last))
        y = self.baseline(part[0])
        return Line(
            text=text,
            left=min(first[0], last[0]),
            right=max(first[2], last[2]),
            baseline=y,
            height=max(heights[1], 0.1),  # a space that PDFium adds has none
            weights=(self._weight(part[0]), self._weight(part[-1])),
            first_word=max(end[2], first[2]) - min(end[0], first[0]),
            hyphened=hyphened,
            edge=not self.height * 0.1 < y < self.height * 0.9,
        )

    def _weight(self, i: int) -> int:
        return int(self.raw.FPDFText_GetFontWeight(self.textpage, i))

    def hidden(self) -> set[int]:
        """The indexes of what the page does not show, judged by the runs it is drawn in."""
        runs = self._runs()
        invisible = [run for run in runs if self._is_invisible(run[0])]
        hidden = [] if len(invisible) == len(runs) else invisible
        pale = []
        for run in runs:
            darkest, alpha = self._fill(run[0])
            left, bottom, right, top = self.box(run[0])
            outside = right < 0 or left > self.width or top < 0 or bottom > self.height
            if outside or alpha < _CONTRAST or top - bottom < _SMALLEST:
                hidden.append(run)
            elif darkest > _PALE:
                pale.append(run)
        hidden += self._unseen_in_picture(pale) if pale else []
        return {i for run in hidden for i in run}

    def _runs(self) -> list[list[int]]:
        """The indexes of the letters of each text object; spaces that PDFium adds are in none."""
        runs: dict[int, list[int]] = {}
        for i in range(len(self.chars)):
            if drawn := self.raw.FPDFText_GetTextObject(self.textpage, i):
                runs.setdefault(ctypes.addressof(drawn.contents), []).append(i)
        return list(runs.values())

    def _is_invisible(self, i: int) -> bool:
        mode = self.raw.FPDFTextObj_GetTextRenderMode(
            self.raw.FPDFText_GetTextObject(self.textpage, i)
        )
        return mode in (self.raw.FPDF_TEXTRENDERMODE_INVISIBLE, self.raw.FPDF_TEXTRENDERMODE_CLIP)

    def _fill(self, i: int) -> tuple[int, int]:
        """The darkest of red, green and blue, and the opacity, 0 to 255."""
        red, green, blue, alpha = (ctypes.c_uint(0) for _ in range(4))
        if not self.raw.FPDFText_GetFillColor(self.textpage, i, red, green, blue, alpha):
            return 0, 255
        return min(red.value, green.value, blue.value), alpha.value

    def _unseen_in_picture(self, runs: list[list[int]]) -> list[list[int]]:
        scale = min(1.0, _RENDERED / max(self.width, self.height, 1))
        with closing(self.page.render(scale=scale, may_draw_forms=False)) as bitmap:
            picture = bytes(bitmap.buffer)
            return [run for run in runs if not self._is_seen(run, picture, bitmap)]

    def _is_seen(self, run: list[int], picture: bytes, bitmap: Any) -> bool:
        """Whether any channel of the picture varies where the run stands."""
        boxes = [self.box(run[0]), self.box(run[-1])]
        scale = bitmap.width / max(self.width, 1)
        left = max(0, int(min(box[0] for box in boxes) * scale))
        right = int(max(box[2] for box in boxes) * scale) + 1
        top = max(0, int((self.height - max(box[3] for box in boxes)) * scale))
        bottom = min(bitmap.height, int((self.height - min(box[1] for box in boxes)) * scale) + 1)
        starts = [y * bitmap.stride for y in range(top, bottom)]
        pixel = bitmap.n_channels
        rows = [picture[s + left * pixel : s + min(right, bitmap.width) * pixel] for s in starts]
        channels = [b"".join(row[k::pixel] for row in rows) for k in range(min(pixel, 3))]
        return any(values and max(values) - min(values) >= _CONTRAST for values in channels)


def _mended(text: str) -> str:
    """The text on one line, ligatures and presentation forms spelled out, Arabic marks in place."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = _MARK_BEFORE_LETTER.sub(r"\2\1", _LATIN_BEFORE_ARABIC.sub(" ", text))
    return " ".join(normalize(text.translate(_BULLETS)).split())
