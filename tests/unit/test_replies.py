"""A reply is taken apart into plain sentences and known numbers, whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.normalizing import normalize
from assistant.replies import parse

KNOWN = frozenset({37, 52, 81})
FORBIDDEN = re.compile(
    r"<[a-zA-Z/!?]|!\[|\]\s*[(\[:]|://|www\.|[*`]|\[[^\]]*\d[^\]]*\]", re.IGNORECASE
)


def said(reply: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(sentence.text, sentence.numbers) for sentence in parse(reply, KNOWN)]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("It opened in 1921. [37]", [("It opened in 1921.", (37,))]),
        ("It opened in 1921 [37].", [("It opened in 1921.", (37,))]),
        (
            "It opened in 1921.[37] It is long [52][81].",
            [("It opened in 1921.", (37,)), ("It is long.", (52, 81))],
        ),
        ("It opened [37] in 1921.", [("It opened in 1921.", (37,))]),
        ("It opened. [37, 52]", [("It opened.", (37, 52))]),
        ("It opened. [37; passage 52 and 37]", [("It opened.", (37, 52))]),
        (
            "It opened. [Passage 37]\nIt is long. 【52】",
            [("It opened.", (37,)), ("It is long.", (52,))],
        ),
        (
            "It opened in 1921. It is long. [37]",
            [("It opened in 1921.", ()), ("It is long.", (37,))],
        ),
        ("It opened. [99]", [("It opened.", ())]),  # not given
        ("It opened. [37] It closed. [1]", [("It opened.", (37,)), ("It closed.", ())]),
        ("It opened. [37][1]", [("It opened.", (37,))]),
        ("It opened. [^37] It closed [37-52].", [("It opened.", ()), ("It closed.", ())]),
        (
            "- **It opened** in `1921`. [37]\n2. It is _long_. [52]",
            [("It opened in 1921.", (37,)), ("It is long.", (52,))],
        ),
        ("## It opened. [37]\n> It is long. [52]", [("It opened.", (37,)), ("It is long.", (52,))]),
        ("```\nIt opened. [37]\n```", [("It opened.", (37,))]),
        ("<think>Passage [37] says\n\nso.</think>It opened. [37]", [("It opened.", (37,))]),
        ("<think>It never ends [37]", []),
        ("See [here](https://evil.example/x). [37] It opened. [52]", [("It opened.", (52,))]),
        ("It opened. ![x](https://evil.example/x.png) [37]", [("It opened.", ())]),
        ("It opened. ![x][37]", [("It opened.", ())]),
        ("It opened <b>today</b>. [37]", []),
        ("It opened &lt;img src=x&gt;. [37]", []),
        ("Go to www.evil.example now. [37]", []),
        ("Run javascript:alert(1). [37]", []),
        ("[37]: https://evil.example", []),
        ("[37]", []),
        ("", []),
        ("NONE", [("NONE", ())]),
    ],
)
def test_what_is_left_of_a_reply(reply: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert said(reply) == expected


def test_a_sentence_that_broke_off_is_told_from_one_that_ended() -> None:
    def ended(reply: str) -> list[bool]:
        return [sentence.ended for sentence in parse(reply, KNOWN)]

    assert ended("It opened. [37] It is [52] lo") == [True, False]
    assert ended("It opened. [37] It is long. [5") == [True, True, False]
    assert ended("Opened in 1921 [37]\nIt") == [True, False]


PIECES = st.sampled_from(
    [
        "It opened in 1921",
        "Zas said so",
        ".",
        ". ",
        "\n",
        "[37]",
        "[52, 81]",
        "[99]",
        "[",
        "]",
        "(",
        ")",
        "!",
        "<",
        ">",
        "<img src=x>",
        "](",
        "http",
        "s://",
        "evil.example",
        "**",
        "_",
        "`",
        "|",
        "# ",
        "- ",
        "&lt;",
        "&#60;",
        "【37】",
        "\u202e",
        "\u200b",
        "\U000e0041",
        "www",
        "javascript:",
        "data:",
        "x",
        " ",
        "<think>",
        "</think>",
    ]
)


@given(st.lists(PIECES | st.text(max_size=6), max_size=30).map("".join))
def test_nothing_foreign_comes_through(reply: str) -> None:
    for sentence in parse(reply, KNOWN):
        assert not FORBIDDEN.search(sentence.text), sentence.text
        assert KNOWN.issuperset(sentence.numbers)
        assert len(set(sentence.numbers)) == len(sentence.numbers)
        assert sentence.text == normalize(sentence.text) == " ".join(sentence.text.split())


WORDS = st.lists(
    st.sampled_from(["Astana", "met", "early", "council", "twice"]), min_size=2, max_size=5
)


@given(
    st.lists(
        st.tuples(WORDS, st.lists(st.sampled_from(sorted(KNOWN)), max_size=3, unique=True)),
        max_size=4,
    )
)
def test_a_reply_as_asked_for_is_read_as_meant(lines: list[tuple[list[str], list[int]]]) -> None:
    meant = [(" ".join(words).capitalize() + ".", tuple(numbers)) for words, numbers in lines]
    for between, joined in (("\n", "[%s]"), (" ", "[%s]")):
        written = between.join(
            f"{text} {joined % ', '.join(map(str, numbers)) if numbers else ''}".strip()
            for text, numbers in meant
        )
        assert said(written) == meant
