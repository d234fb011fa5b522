"""Dates of events: the sample collection labelled by hand, and each rule by an example."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant import Assistant
from assistant.event_dates import event_dates

LABELS = Path(__file__).parents[1] / "event_dates.yaml"
FRIDAY = dt.date(2022, 9, 16)
DAY = re.compile(r"(\d{4}|-)-\d\d-\d\d(/.*)?")
ISO = re.compile(r"(\d{4}|-)(-\d\d(-\d\d(/(\d{4}|-)-\d\d-\d\d)?)?)?")


def dates(text: str, published: dt.date | None = FRIDAY, language: str = "en") -> list[str]:
    return [found.value for found in event_dates(text, published, language)]


def test_the_day_is_told_in_the_sample_collection(sample: Assistant) -> None:
    labels = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    documents = {Path(document.uri).name: document.id for document in sample.documents()}
    right = {"day": 0, "coarser": 0, "none": 0}
    asked = dict(right)
    for name, rows in labels.items():
        document = sample.document(documents[name])
        found = event_dates(document.text, document.published, document.language)
        for around, date in rows:
            before, words, _ = re.split(r"\[\[(.*?)\]\]", around)
            start = document.text.index(re.sub(r"\[\[|\]\]", "", around)) + len(before)
            end = start + len(words)
            told = [d.value for d in found if d.start < end and start < d.end]
            kind = "none" if date is None else "day" if DAY.fullmatch(date) else "coarser"
            asked[kind] += 1
            right[kind] += told[:1] == ([] if date is None else [date])
    print({kind: f"{right[kind]} of {asked[kind]}" for kind in asked})
    assert asked["day"] >= 100
    assert right["day"] >= 0.95 * asked["day"]
    assert right["coarser"] >= 0.95 * asked["coarser"]
    assert right["none"] == asked["none"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("On September 13 fighting began.", "2022-09-13"),
        ("On 13 September 2020 it began.", "2020-09-13"),
        ("It began on the 13th of September.", "2022-09-13"),
        ("It met on Tuesday.", "2022-09-13"),
        ("It met on Friday.", "2022-09-16"),
        ("It met last Friday.", "2022-09-09"),
        ("It will meet on Tuesday.", "2022-09-20"),
        ("It was due to meet on Saturday.", "2022-09-17"),
        ("It meets next Monday.", "2022-09-19"),
        ("It met yesterday.", "2022-09-15"),
        ("It met three days ago.", "2022-09-13"),
        ("It met last week.", "2022-09-05/2022-09-11"),
        ("It met last month.", "2022-08"),
        ("It met last year.", "2021"),
        ("It met in March.", "2022-03"),
        ("It met in October.", "2021-10"),
        ("It will meet in October.", "2022-10"),
        ("It will meet on 28 November.", "2022-11-28"),
        ("It met on 28 November.", "2021-11-28"),
        ("It met on 28 November last year.", "2021-11-28"),
        ("It met from 5 to 7 September.", "2022-09-05/2022-09-07"),
        ("It met between September 5 and 7.", "2022-09-05/2022-09-07"),
        ("Signed 2022-09-13.", "2022-09-13"),
        ("Signed 13.09.2022.", "2022-09-13"),
    ],
)
def test_english(text: str, value: str) -> None:
    assert dates(text) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("13 сентября начались бои.", "2022-09-13"),
        ("Это было 13 сентября 2020 года.", "2020-09-13"),
        ("Это было 23 ноября прошлого года.", "2021-11-23"),
        ("Во вторник министр заявил.", "2022-09-13"),
        ("Вчера министр заявил.", "2022-09-15"),
        ("В феврале глава правительства заявил.", "2022-02"),
        ("Саммит состоится 28 ноября.", "2022-11-28"),
        ("Три дня назад министр заявил.", "2022-09-13"),
        ("На прошлой неделе министр заявил.", "2022-09-05/2022-09-11"),
    ],
)
def test_russian(text: str, value: str) -> None:
    assert dates(text, language="ru") == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Çatışma 13 Eylül'de başladı.", "2022-09-13"),
        ("Belge 13 Eylül 2020'de imzalandı.", "2020-09-13"),
        ("Belge salı günü imzalandı.", "2022-09-13"),
        ("Belge dün imzalandı.", "2022-09-15"),
        ("Toplantı mart ayında yapıldı.", "2022-03"),
        ("Zirve 28 Kasım'da yapılacak.", "2022-11-28"),
        ("Belge geçen hafta imzalandı.", "2022-09-05/2022-09-11"),
    ],
)
def test_turkish(text: str, value: str) -> None:
    assert dates(text, language="tr") == [value]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("On September 13 it began. Two days later it ended.", ["--09-13", "--09-15"]),
        ("On the first of August it was over. The day before, they left.", ["--08-01", "--07-31"]),
        ("It met on Tuesday, and again last week.", []),
        ("It met on 13 September 2020. On 15 September it ended.", ["2020-09-13", "2020-09-15"]),
    ],
)
def test_undated(text: str, values: list[str]) -> None:
    assert dates(text, None) == values


def test_a_year_is_carried_only_where_the_text_goes_on_from_it() -> None:
    later = dt.date(2023, 3, 2)
    assert dates("They met on 6 October 2021. They left on 19 December.", later)[1] == "2021-12-19"
    treaty = "The statement of 9 November 2020 was broken on March 1 last, and on 5 February."
    assert dates(treaty, later)[0::2] == ["2020-11-09", "2023-02-05"]


@pytest.mark.parametrize(
    "text",
    [
        "It may meet; they march on.",
        "Black Friday is near.",
        "He told Entertainment Tonight so.",
        "The day before the summit they met.",
        "In the last week of the campaign they met.",
    ],
)
def test_no_date_is_made_up(text: str) -> None:
    assert dates(text) == []


def test_only_what_is_asked_for_is_told_but_what_stands_before_is_read() -> None:
    text = "On September 13 it began. Two days later it ended."
    (found,) = event_dates(text, None, "en", start=26)
    assert (found.value, text[found.start : found.end]) == ("--09-15", "Two days later")
    assert found.reason == '"Two days later", from --09-13'
    (found,) = event_dates(text, FRIDAY, "en", end=25)
    assert found.reason == '"September 13", in a text published 2022-09-16'


WORDS = st.sampled_from(
    [
        "on",
        "On",
        "the",
        "of",
        "last",
        "next",
        "September",
        "May",
        "мая",
        "Eylül",
        "13",
        "31",
        "9",
        "2022",
        "1999",
        "Friday",
        "пятницу",
        "salı",
        "geçen",
        "yıl",
        "two days later",
        "before",
        "ago",
        "this week",
        "will",
        "прошлого года",
        "and",
        "to",
        "-",
        ".",
        ",",
        "\n\n",
        "29 February",
    ]
)


@given(
    st.lists(WORDS | st.text(max_size=8), max_size=20).map(" ".join),
    st.none() | st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2100, 12, 31)),
    st.sampled_from(["en", "ru", "tr", "und"]),
)
def test_any_text_gives_dates_in_order_and_no_error(
    text: str, published: dt.date | None, language: str
) -> None:
    found = event_dates(text, published, language)
    assert found == sorted(found)
    for date in found:
        assert 0 <= date.start < date.end <= len(text)
        assert ISO.fullmatch(date.value), date.value
        for day in date.value.split("/"):
            if re.fullmatch(r"\d{4}-\d\d-\d\d", day):
                dt.date.fromisoformat(day)
