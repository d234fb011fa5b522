"""An Excel workbook -> its visible rows, sheet by sheet, with their values as shown."""

from __future__ import annotations

import datetime as dt
import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.archives import BROKEN, damaged, opened_document, parse_xml, properties
from assistant.errors import LoadingError
from assistant.normalizing import one_line
from assistant.parsing import MAX_HEADING, Block, Parsed, heading
from assistant.tables import located
from assistant.types import Mark

MAX_CELLS = 5_000_000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def parse_xlsx(content: bytes, uri: str) -> Parsed:
    """Each visible sheet as a heading and its rows, with marks ``sheet Budget, row 7``.

    Formulas stand as the values they last had; hidden sheets, rows and columns, comments and
    charts are left out. Raises LoadingError: ``too_large``, ``encrypted``, ``unreadable``,
    ``no_text``.
    """
    import openpyxl
    from lxml.etree import LxmlError

    try:
        with opened_document(content, uri) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it does not know and we do not read
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            declared = parse_xml(archive.read("xl/workbook.xml")).iter("{*}sheet")
            if len(list(declared)) != len(book.sheetnames):  # it leaves out what is not there
                raise KeyError("a sheet is missing")
            limit = _Limit(uri)
            blocks = tuple(
                block
                for sheet in book.worksheets
                if sheet.sheet_state == "visible"
                for block in _blocks(sheet, archive, limit)
            )
            facts = properties(archive)
    except (*BROKEN, LxmlError, SyntaxError) as error:
        raise damaged(uri, error, "open it in a spreadsheet and save it again") from error
    if not blocks:
        raise LoadingError("no_text", f"{uri} has no filled cell", "fill it, or leave it out")
    return Parsed(blocks, **facts)


class _Limit:
    """How many cells may still be read."""

    def __init__(self, uri: str) -> None:
        self.uri, self.left = uri, MAX_CELLS

    def take(self, cells: int) -> None:
        self.left -= cells
        if self.left < 0:
            raise LoadingError(
                "too_large", f"{self.uri} has more than {MAX_CELLS:,} cells", "split it into parts"
            )


def _blocks(sheet: Any, archive: Any, limit: _Limit) -> Iterator[Block]:
    hidden_rows, hidden_columns = _hidden(archive, sheet._worksheet_path)
    sheet.reset_dimensions()  # the declared ones may be A1:XFD1048576

    def rows() -> Iterator[Sequence[str]]:
        for number, cells in enumerate(sheet.iter_rows(min_row=1, min_col=1), start=1):
            limit.take(len(cells) + 1)
            if number in hidden_rows:
                yield ()
            else:
                yield [
                    "" if column in hidden_columns else _shown(cell)
                    for column, cell in enumerate(cells, start=1)
                ]

    label = f"sheet {one_line(sheet.title, MAX_HEADING)}"
    lines = list(located(rows(), label))
    if lines:
        title = heading(sheet.title, 1)
        yield Block(title.text, (*title.marks, Mark(start=0, kind="sheet", label=label)))
        yield from lines


def _hidden(archive: Any, path: str) -> tuple[set[int], set[int]]:
    """The numbers of hidden rows and columns, which openpyxl does not tell while streaming."""
    from lxml import etree

    rows: set[int] = set()
    columns: set[int] = set()
    xml = archive.read(path.lstrip("/"))
    if b"hidden=" not in xml:
        return rows, columns
    tags = (f"{_MAIN}row", f"{_MAIN}col")
    events = etree.iterparse(
        io.BytesIO(xml), tag=tags, resolve_entities=False, no_network=True, load_dtd=False
    )
    for _, element in events:
        if element.get("hidden") in ("1", "true"):
            if element.tag == tags[0]:
                rows.add(int(element.get("r", 0)))
            else:
                last = min(int(element.get("max", 0)), 2**14)
                columns.update(range(int(element.get("min", 0)), last + 1))
        element.clear()
    return rows, columns


def _shown(cell: Any) -> str:
    """The value as a spreadsheet shows it; times without seconds of their own lose them."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value, str(cell.number_format))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    return str(value)


def _number(value: float, number_format: str) -> str:
    if number_format.rstrip().endswith("%"):
        return f"{value * 100:.10g}%"
    return f"{value:.15g}" if abs(value) < 1e15 else f"{value:.0f}"
