"""plain.py: text as it is, Markdown as it reads, front matter as facts."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.parsing import Parsed, assemble, day
from assistant.plain import parse_markdown, parse_text

FRONT = """---
title: "Talks: round two"
source: The Caspian Ledger
published: 2022-09-14
author: [A. Petrosyan, B. Kaya]
language: en-GB
---
"""


def text_of(parsed: Parsed) -> str:
    return assemble(parsed.blocks)[0]


def read(markdown: str) -> str:
    return text_of(parse_markdown(markdown.encode(), "a.md"))


def headings(markdown: str) -> list[tuple[int, str]]:
    marks = assemble(parse_markdown(markdown.encode(), "a.md").blocks)[1]
    return [(mark.level, mark.label) for mark in marks]


def test_text_is_kept_as_it_is() -> None:
    text = "# No heading\n\n  *kept*  \n- [x](y)\n\n\n\nend"
    assert text_of(parse_text(text.encode(), "a.txt")) == text


@pytest.mark.parametrize("parse", [parse_markdown, parse_text])
def test_front_matter(parse: object) -> None:
    parsed = (parse_markdown if parse is parse_markdown else parse_text)(
        (FRONT + "Words.").encode(), "a"
    )
    assert parsed.title == "Talks: round two"
    assert parsed.source == "The Caspian Ledger"
    assert parsed.author == "A. Petrosyan, B. Kaya"
    assert parsed.published == dt.date(2022, 9, 14)
    assert parsed.language == "en"
    assert text_of(parsed) == "Words."


def test_front_matter_that_is_no_yaml_is_read_by_line() -> None:
    parsed = parse_markdown(b"---\ntitle: Talks: round two\ndate: 2022-09-14\n---\nWords.", "a")
    assert (parsed.title, parsed.published) == ("Talks: round two", dt.date(2022, 9, 14))
    assert text_of(parsed) == "Words."


@pytest.mark.parametrize(
    "text",
    [
        "---\nwords between rules\n---\nmore",
        "---\na: 1\n---\nno field of ours",
        "---\ntitle: never closed\n",
        "Title\n---\ntitle: not at the start\n---\n",
        "---\n- a\n- list\n---\nwords",
    ],
)
def test_what_is_no_front_matter_stays_text(text: str) -> None:
    parsed = parse_text(text.encode(), "a.txt")
    assert text_of(parsed) == text.strip()
    assert parsed.title is None


@pytest.mark.parametrize(
    "front",
    [
        "title: &a [x, x]\nauthor: [*a, *a, *a]",
        "title: !!python/object/apply:os.system ['true']",
        "date: 2022-13-45",
        "date: 2022-09",
        "title: {a: b}",
        "title:",
        "title: " + "[" * 1500,
        "date: 99999-01-01",
        "source: 12",
    ],
)
def test_t35_hostile_front_matter_is_harmless(front: str) -> None:
    parsed = parse_markdown(f"---\n{front}\n---\nWords.".encode(), "a.md")
    assert parsed.published is None
    assert text_of(parsed).endswith("Words.")


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**very** *cold*, _and_ __dark__ ***there***.", "very cold, and dark there."),
        ("这是**重点**内容", "这是重点内容"),
        ("2 * 3 * 4, 2*3*4, a_b_c, price* applies", "2 * 3 * 4, 2*3*4, a_b_c, price* applies"),
        ("~~old~~ new", "old new"),
        (r"\*kept\* 1\. \_x\_", "*kept* 1. _x_"),
        ("the `code_span` and ``a`b``", "the code_span and ``a`b``"),
        ("see [the text](https://a.b/c_(d) \"t\").", "see the text."),
        ("see [the text][ref].\n\n[ref]: https://a.b", "see the text."),
        ("as said.[11][12] Then [12]", "as said.[11][12] Then [12]"),
        ("![alt](x.png)a [![alt](b)](c)b", "a b"),
        ("<https://a.b> R&amp;D <b>bold</b>", "https://a.b R&D bold"),
        ("one\ntwo  \nthree\\\nfour", "one two\nthree\nfour"),
        ("> quoted\n> words\n\n> > twice", "quoted words\n\ntwice"),
        ("- one\n- two\n  goes on\n1. three", "- one\n\n- two goes on\n\n1. three"),
        ("| a | **b** |\n|---|:-:|\n| 1 | x\\|y |", "a | b\n\na: 1; b: x|y"),
        ("a\n\n***\n\nb", "a\n\nb"),
        ("```py\n# not a *heading*\n\n- x\n```\nafter", "# not a *heading*\n\n- x\n\nafter"),
        ("~~~\nnever closed", "never closed"),
        ("a <!-- hidden --> b <!-- open", "a  b <!-- open"),
    ],
)  # fmt: skip
def test_markdown_reads_as_it_was_meant(markdown: str, text: str) -> None:
    assert " ".join(read(markdown).split(" ")).replace("  ", " ") == text.replace("  ", " ")


def test_t19_a_comment_is_not_text() -> None:
    assert "CANARY" not in read("Words <!-- CANARY\n\nCANARY --> more.")


def test_headings() -> None:
    markdown = "# One *two* #\n\nx\n\n### `Three`\n\nFour\n====\n\nFive\n---\n\n#no\n\n    # no"
    assert headings(markdown) == [(1, "One two"), (3, "Three"), (1, "Four"), (2, "Five")]


def test_marks_point_at_their_words() -> None:
    text, marks = assemble(parse_markdown(b"# A\n\nb\n\n## C **d**\n\ne", "a").blocks)
    assert [text[mark.start :].startswith(mark.label) for mark in marks] == [True, True]


@given(st.text(st.sampled_from("ab \n*_`[]()<>!#|-\\~=:.é&;")) | st.text())
def test_any_text_is_read(text: str) -> None:
    result, marks = assemble(parse_markdown(text.encode("utf-8"), "a.md").blocks)
    assert all(0 <= mark.start < len(result) for mark in marks)
    assert [mark.start for mark in marks] == sorted(mark.start for mark in marks)


@pytest.mark.parametrize(
    "unit",
    ["[", "(", "#", "*", "_a ", "`", "a`", "[a](b", "![", "<", "<a ", "<!--", "|", "> ", "\\", "a ",
     "\n", "- a\n", "# a\n", "~~~\n", "[a][b]", "=\n", "&amp", "* ", "**a", "---\n", "[a]: /b\n"],
)  # fmt: skip
def test_t34_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        content = (unit * (size // len(unit))).encode()
        times = []
        for _ in range(2):
            start = time.process_time()
            parse_markdown(content, "a.md")
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(60_000) < 4 * seconds(30_000) + 0.05


DAYS: tuple[object, ...] = (
    *("2022-09-13", "2022/9/13", "2022-09-13T23:30:00+04:00", "20220913", "20220913T1200"),
    *("13 September 2022", "September 13, 2022", "13 Sep 2022", "13.09.2022"),
    *("Tue, 13 Sep 2022 10:00:00 GMT", 20220913),
    *(dt.datetime(2022, 9, 13, 23, 30), dt.date(2022, 9, 13)),
)
NO_DAYS: tuple[object, ...] = (
    *("2022", 2022, "2022-09", "September 2022", "04/05/2022", "2022-13-45", "2022-02-30"),
    *("yesterday", "202209131200", "", None, [], "13 сентября"),
)


@pytest.mark.parametrize("value", DAYS)
def test_a_day_is_read(value: object) -> None:
    assert day(value) == dt.date(2022, 9, 13)


@pytest.mark.parametrize("value", NO_DAYS)
def test_a_day_is_never_made_up(value: object) -> None:
    assert day(value) is None
