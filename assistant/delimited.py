"""Comma-, semicolon-, tab- or bar-separated values -> a line for each row."""

from __future__ import annotations

import csv
import io

from assistant.decoding import decoded
from assistant.errors import LoadingError
from assistant.parsing import Parsed
from assistant.tables import located

_DELIMITERS = ",;\t|"
_SAMPLE = 20  # lines that show the delimiter
_MAX_FIELD = 10_000_000  # characters


def parse_csv(content: bytes, uri: str) -> Parsed:
    """The rows, each cell after its column's name, with marks ``row 7`` as a spreadsheet counts.

    Raises LoadingError: ``unreadable`` for a field past 10 million characters.
    """
    text = decoded(content).replace("\0", "")
    csv.field_size_limit(_MAX_FIELD)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text))
        return Parsed(tuple(located(rows)))
    except csv.Error as error:
        raise LoadingError(
            "unreadable", f"{uri} has a row that cannot be read: {error}", "mend its quotes"
        ) from error


def delimiter(text: str) -> str:
    """The one that cuts most lines at the beginning into equally many parts, two at least.

    csv.Sniffer takes letters for delimiters, and quadratic time for quotes.
    """
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:_SAMPLE]

    def fit(candidate: str) -> tuple[int, int]:
        counts = [len(_cells(line, candidate)) for line in lines]
        usual = max(set(counts), key=counts.count, default=1)
        return (counts.count(usual), usual) if usual > 1 else (0, 0)

    return max(_DELIMITERS, key=fit)


def _cells(line: str, candidate: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=candidate), [])
    except csv.Error:
        return []
