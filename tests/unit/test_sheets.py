"""sheets.py: rows as a spreadsheet shows them, each with its place."""

from __future__ import annotations

import datetime as dt
from typing import Any

import openpyxl
import pytest

from assistant import chunking, sheets
from assistant.errors import LoadingError
from assistant.loading import Path, load
from assistant.parsing import assemble
from assistant.sheets import parse_xlsx
from tests.making import saved


def book(*rows: Any, title: str = "Budget") -> Any:
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    return made


def lines(made: Any) -> list[str]:
    return assemble(parse_xlsx(saved(made), "a.xlsx").blocks)[0].split("\n\n")


def test_values_stand_as_they_are_shown() -> None:
    made = book(
        ("Name", "When", "Share", "Sum", "Done"),
        ("Talks", dt.datetime(2022, 9, 13), 0.25, 1200.0, True),
        ("Vote", dt.datetime(2022, 9, 14, 8, 30), 1, 0.1, None),
    )
    made.active["C2"].number_format = "0%"
    assert lines(made) == [
        "Budget",
        "Name | When | Share | Sum | Done",
        "Name: Talks; When: 2022-09-13; Share: 25%; Sum: 1200; Done: TRUE",
        "Name: Vote; When: 2022-09-14 08:30; Share: 1; Sum: 0.1",
    ]


def test_citations_name_sheet_and_row() -> None:
    made = book(("Name", "Seats"), *((f"Party {n}", n) for n in range(2, 40)))
    made.create_sheet("Notes").append(["They met on Monday."])
    document = load(Path("a.xlsx"), content=saved(made), uri="/a.xlsx")
    for words, place in (
        ("Name: Party 2;", "sheet Budget, row 2"),
        ("Name: Party 39;", "sheet Budget, row 39"),
        ("They met", "sheet Notes, row 1"),
    ):
        assert chunking.locator(document.marks, document.text.index(words)) == place
    passages = [*chunking.chunk(document, lambda text: [(0, 1)] * len(text.split()), 220)]
    assert [passage.locator for passage in passages] == [
        "sheet Budget",
        "sheet Notes",
    ]
    assert passages[1].headings == ("Notes",)


def test_t19_what_is_hidden_is_not_read() -> None:
    made = book(("seen", "CANARY"), ("CANARY", "CANARY"), ("seen too", "CANARY"))
    made.active.row_dimensions[2].hidden = True
    made.active.column_dimensions["B"].hidden = True
    secret = made.create_sheet("CANARY")
    secret.append(["CANARY"])
    secret.sheet_state = "hidden"
    assert lines(made) == ["Budget", "seen", "seen too"]


def test_rows_above_the_head_and_gaps() -> None:
    made = book(("Report of 2022",), (), ("Country", "Seats"), ("Armenia", 107))
    assert lines(made)[1:] == ["Report of 2022", "Country | Seats", "Country: Armenia; Seats: 107"]
    apart = openpyxl.Workbook()
    apart.active["C5"] = "alone"
    (mark,) = [m for m in assemble(parse_xlsx(saved(apart), "a").blocks)[1] if m.kind == "row"]
    assert mark.label == "sheet Sheet, row 5"


def test_t09_too_many_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_CELLS", 10)
    with pytest.raises(LoadingError) as caught:
        lines(book(*[("a", "b")] * 20))
    assert caught.value.reason == "too_large"


def test_r24_a_workbook_of_nothing() -> None:
    with pytest.raises(LoadingError) as caught:
        lines(openpyxl.Workbook())
    assert caught.value.reason == "no_text"
