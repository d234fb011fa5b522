"""Where a text tells a time, and what it leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.date_mentions import Mention, mentions


def read(text: str, language: str = "en") -> list[tuple[str, dict[str, object]]]:
    """The words of each mention, and what they say."""
    defaults = Mention(0, 0)._asdict()
    return [
        (
            text[m.start : m.end],
            {
                k: v
                for k, v in m._asdict().items()
                if k not in {"start", "end"} and v != defaults[k]
            },
        )
        for m in mentions(text, language)
    ]


@pytest.mark.parametrize(
    ("text", "language", "words", "said"),
    [
        ("on 13 May last year", "en", "13 May last year", {"month": 5, "day": 13, "years": -1}),
        ("on Friday, May 13", "en", "Friday, May 13", {"month": 5, "day": 13}),
        ("from 5 to 7 May", "en", "5 to 7 May", {"month": 5, "day": 5, "until": 7}),
        ("two days later", "en", "two days later", {"unit": "day", "amount": 2, "spoken": True}),
        ("3 weeks ago", "en", "3 weeks ago", {"unit": "week", "amount": -3}),
        ("last month", "en", "last month", {"unit": "month", "which": -1}),
        ("last May", "en", "last May", {"month": 5, "which": -1}),
        ("в прошлую среду", "ru", "прошлую среду", {"weekday": 2, "which": -1}),
        ("через три дня", "ru", "через три дня", {"unit": "day", "amount": 3, "spoken": True}),
        ("geçen yılın mart ayında", "tr", "geçen yılın mart", {"month": 3, "years": -1}),
    ],
)
def test_expressions(text: str, language: str, words: str, said: dict[str, object]) -> None:
    ((found, parts),) = read(text, language)
    assert found == words
    parts.pop("year_from", None)
    assert parts == said


def test_two_days_of_one_month_are_two_mentions_each_with_its_own_words() -> None:
    assert read("on 13 and 14 May") == [
        ("13", {"month": 5, "day": 13}),
        ("14 May", {"month": 5, "day": 14}),
    ]
    assert read("between May 13 and 14") == [
        ("May 13 and 14", {"month": 5, "day": 13, "until": 14})
    ]


def test_a_language_without_a_table_has_its_dates_in_figures() -> None:
    assert read("2022-09-13, 13 septembre 2022, 14.09.2022", "xx") == [
        ("2022-09-13", {"year": 2022, "month": 9, "day": 13}),
        ("14.09.2022", {"year": 2022, "month": 9, "day": 14}),
    ]


@given(st.text(alphabet="0123456789 MayJune-.,of andtolast", max_size=60))
def test_mentions_do_not_overlap_and_are_in_order(text: str) -> None:
    last = 0
    for mention in mentions(text, "en"):
        assert last <= mention.start < mention.end <= len(text)
        last = mention.end
