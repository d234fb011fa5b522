"""tables.py and delimited.py: rows that name their columns."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import tables
from assistant.delimited import delimiter, parse_csv
from assistant.parsing import assemble


def lines(rows: list[list[str]]) -> list[str]:
    return [line for _, line in tables.rows(rows)]


def test_cells_stand_after_their_columns_name() -> None:
    assert lines([["Country", "Year:"], ["Armenia", "2022"], ["", ""], ["Georgia", ""]]) == [
        "Country | Year:",
        "Country: Armenia; Year: 2022",
        "Country: Georgia",
    ]
    assert lines([["", "Year"], ["Armenia", "2022", "more"]]) == [
        "Year",
        "Armenia | 2022 | more",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "2"], ["3", "4"]],  # no names
        [["a", "b"]],  # nothing below
        [["one column"], ["of words"]],
        [["x" * 61, "b"], ["1", "2"]],
        [["a", "a", "a"], ["1", "2", "3"]],
    ],
)
def test_a_table_without_a_head(rows: list[list[str]]) -> None:
    assert lines(rows) == [" | ".join(row) for row in rows]


def test_numbers_of_rows_count_empty_ones() -> None:
    assert [number for number, _ in tables.rows([["a", "b"], [], ["1", "2"]])] == [1, 3]


def test_marks_grow_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_MARKS", 3)
    _, marks = assemble(tables.located([["words"]] * 120))
    assert [mark.label for mark in marks] == [
        "row 1",
        "row 2",
        "row 3",
        "rows 50-99",
        "rows 100-149",
    ]


@given(st.lists(st.lists(st.text(), max_size=5), max_size=30))
def test_no_cell_is_lost(rows: list[list[str]]) -> None:
    text = "\n".join(lines(rows))
    for row in rows:
        for cell in row:
            assert " ".join(cell.split()) in text


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiters(mark: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark)
    writer.writerows([["Country", "Said"], ["Armenia", 'We, "they"; all | left\nat noon']])
    assert delimiter(out.getvalue()) == mark
    text, marks = assemble(parse_csv(out.getvalue().encode(), "a.csv").blocks)
    assert text.endswith('Country: Armenia; Said: We, "they"; all | left at noon')
    assert [m.label for m in marks] == ["row 1", "row 2"]
