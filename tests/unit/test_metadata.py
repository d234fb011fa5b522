"""metadata.py: which day it is and who says so."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from assistant.loading import load
from tests import making
from tests.making import DAY, Text

WORDS = "The council met on Monday in the large hall and nobody left before midnight."
TEXT = Text("Talks", [WORDS])


def dated(
    name: str, content: bytes | str, uri: str | None = None
) -> tuple[dt.date | None, str | None]:
    content = content.encode() if isinstance(content, str) else content
    document = load(Path(name), content=content, uri=uri or f"/2021/01/02/{name}")
    return document.published, document.published_from


@pytest.mark.parametrize(
    ("name", "named_by"),
    [
        ("a.md", "front matter"),
        ("a.html", "page metadata"),
        ("a.docx", "document properties"),
        ("a.epub", "book metadata"),
        ("a.eml", "mail header"),
    ],
)
def test_what_names_the_day_is_recorded(name: str, named_by: str) -> None:
    assert dated(name, making.MAKERS[name](TEXT)) == (DAY, named_by)


def test_days_of_a_page() -> None:
    page = "<html><head>{}</head><body><p>" + WORDS + "{}</p></body></html>"
    for head, body, named_by in (
        (
            '<script type="application/ld+json">{"datePublished": "2022-09-13"}</script>',
            "",
            "JSON-LD",
        ),
        ("", '<b itemprop="datePublished" content="2022-09-13"></b>', "microdata"),
        ("", '<time datetime="2022-09-13">then</time>', "time element"),
        ('<meta name="date" content="2022-09">', "", None),  # half a date is none
    ):
        assert dated("a.html", page.format(head, body))[1] == named_by


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2022-09-13-talks.txt", DAY),
        ("talks_20220913.txt", DAY),
        ("2022.09.13 talks.txt", DAY),
        ("talks-2022-09.txt", None),
        ("2022-02-30-talks.txt", None),
        ("0800-09-13.txt", None),
        ("120220913.txt", None),
        ("2022-09-13-to-2022-09-15.txt", None),
    ],
)
def test_days_of_file_names(name: str, day: dt.date | None) -> None:
    assert dated(name, WORDS) == (day, "file name" if day else None)


def test_days_of_addresses() -> None:
    address = "https://ledger.example/2022/9/13/talks"
    assert dated("talks", WORDS, address) == (DAY, "address")
    assert dated("talks", WORDS, "https://ledger.example/talks?d=/2022/9/13/") == (None, None)


def test_a_name_goes_before_the_day_a_program_made_the_file_and_not_before_what_it_says() -> None:
    assert dated("2020-01-01.docx", making.docx(TEXT)) == (dt.date(2020, 1, 1), "file name")
    assert dated("2020-01-01.md", making.md(TEXT)) == (DAY, "front matter")


def test_a_title_from_the_name_leaves_out_the_day() -> None:
    assert (
        load(Path("2022-09-13-border-talks.txt"), content=WORDS.encode(), uri="/x").title
        == "Border talks"
    )


def test_groups_are_those_the_file_names() -> None:
    content = f"---\ntitle: x\ngroups: [desk, press]\n---\n{WORDS}".encode()
    assert load(Path("a.md"), content=content, uri="/a").groups == ("desk", "press")
