from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import names
from assistant.dates import Date, follows
from assistant.names import Name
from assistant.units import Amount
from assistant.values import Value, agrees, values


def only(text: str, language: str = "en") -> Value:
    """The one value of a text, which does not begin a sentence."""
    (found,) = values(f"x {text} x", language)
    return found


def read(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(value.text, value.kind) for value in values(text, language)]


@pytest.mark.parametrize(
    ("text", "language", "date"),
    [
        ("13 September 2022", "en", Date(2022, 9, 13)),
        ("September 13, 2022", "en", Date(2022, 9, 13)),
        ("the 13th of September", "en", Date(None, 9, 13)),
        ("the first of August", "en", Date(None, 8, 1)),
        ("Sept. 13", "en", Date(None, 9, 13)),
        ("May 5", "en", Date(None, 5, 5)),
        ("in May", "en", Date(None, 5)),
        ("March 2020", "en", Date(2020, 3)),
        ("2022-09-13", "en", Date(2022, 9, 13)),
        ("9/13/2022", "en", Date(2022, 9, 13)),
        ("3/4/2022", "en", Date(2022, 3, 4)),
        ("03.04.2022", "tr", Date(2022, 4, 3)),
        ("in 2022", "en", Date(2022)),
        ("the 1990s", "en", Date(1990, years=10)),
        ("the '90s", "en", Date(1990, years=10)),
        ("the nineteenth century", "en", Date(1801, years=100)),
        ("the 5th century BC", "en", Date(-500, years=100)),
        ("44 BC", "en", Date(-44)),
        ("on Tuesday", "en", Date(weekday=1)),
        ("23 ноября 2022", "ru", Date(2022, 11, 23)),
        ("в сентябре", "ru", Date(None, 9)),
        ("в среду", "ru", Date(weekday=2)),
        ("в XIX веке", "ru", Date(1801, years=100)),
        ("1990-е", "ru", Date(1990, years=10)),
        ("10 Aralık 2021'de", "tr", Date(2021, 12, 10)),
        ("eylül ayındaki", "tr", Date(None, 9)),
        ("pazartesi", "tr", Date(weekday=0)),
        ("1990'larda", "tr", Date(1990, years=10)),
        ("am 13. September 2022", "de", Date(2022, 9, 13)),
        ("2022年9月13日", "zh", Date(2022, 9, 13)),
    ],
)
def test_a_date_is_read_in_parts(text: str, language: str, date: Date) -> None:
    value = only(text, language)
    assert (value.kind, value.meaning) == ("date", date)


def test_ranges_are_two_dates() -> None:
    found = [(v.text, v.meaning) for v in values("13–14 September; 1939–45", "en")]
    assert found == [
        ("13", Date(None, 9, 13)),
        ("14 September", Date(None, 9, 14)),
        ("1939", Date(1939)),
        ("45", Date(1945)),
    ]


@pytest.mark.parametrize(
    "text", ["He may go.", "they march on", "a dec of cards", "is second-rate"]
)
def test_words_that_look_like_months_are_none(text: str) -> None:
    assert not [value for value in values(text) if value.kind == "date"]


@pytest.mark.parametrize(
    ("text", "language", "kind", "amount"),
    [
        ("two million", "en", "number", Amount(2e6)),
        ("2,000,000", "en", "number", Amount(2e6)),
        ("one hundred and twenty", "en", "number", Amount(120)),
        ("half a million", "en", "number", Amount(5e5)),
        ("two and a half million", "en", "number", Amount(2.5e6)),
        ("twenty-five", "en", "number", Amount(25)),
        ("thirteen hundred", "en", "number", Amount(1300)),
        ("a dozen", "en", "number", Amount(12)),
        ("$4.5 million", "en", "money", Amount(4.5e6, "USD")),
        ("US$40m", "en", "money", Amount(4e7, "USD")),
        ("40 US dollars", "en", "money", Amount(40, "USD")),
        ("12 per cent", "en", "percent", Amount(12, "%")),
        ("5%", "en", "percent", Amount(5, "%")),
        ("a quarter of", "en", "percent", Amount(25, "%")),
        ("5 km", "en", "quantity", Amount(5000, "length")),
        ("two weeks", "en", "quantity", Amount(1209600, "time")),
        ("10:30", "en", "quantity", Amount(630, "clock")),
        ("5 p.m.", "en", "quantity", Amount(1020, "clock")),
        ("more than 100", "en", "number", Amount(100, bound="over")),
        ("no more than 100", "en", "number", Amount(100, bound="under")),
        ("about 1,200", "en", "number", Amount(1200, bound="about")),
        ("twenty-first", "en", "ordinal", Amount(21)),
        ("21st", "en", "ordinal", Amount(21)),
        ("13 000", "ru", "number", Amount(13000)),
        ("два миллиона", "ru", "number", Amount(2e6)),
        ("4,5 млн долларов", "ru", "money", Amount(4.5e6, "USD")),
        ("около 200 тысяч", "ru", "number", Amount(2e5, bound="about")),
        ("yüz bin", "tr", "number", Amount(1e5)),
        ("1.200", "tr", "number", Amount(1200)),
        ("yüzde 20", "tr", "percent", Amount(20, "%")),
        ("4,5 milyon", "tr", "number", Amount(4.5e6)),
    ],
)
def test_a_number_is_read_with_its_unit(
    text: str, language: str, kind: str, amount: Amount
) -> None:
    value = only(text, language)
    assert (value.kind, value.meaning) == (kind, amount)


@pytest.mark.parametrize("text", ["no one came", "one of them", "hundreds of boats", "at first"])
def test_words_that_count_nothing_are_no_numbers(text: str) -> None:
    assert values(text) == ()


def test_names_are_runs_of_capitals() -> None:
    text = (
        "Soldiers said President Recep Tayyip Erdoğan met Mr. J. Smith. The Ministry of Foreign "
        "Affairs and the U.S. agreed on COVID-19. Armenia and Azerbaijan's CSTO talks failed."
    )
    assert [name for name, kind in read(text) if kind == "name"] == [
        "President Recep Tayyip Erdoğan",
        "Mr. J. Smith",
        "Ministry of Foreign Affairs",
        "U.S.",
        "COVID-19",
        "Armenia",
        "Azerbaijan",
        "CSTO",
    ]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Warsaw bff09864d3d96a77 in 2013.", ["bff09864d3d96a77"]),
        ("It was Poland,1987,1988 then.", ["1987", "1988"]),
        ("An mp3 of the 1920s, 5km and 5th of its kind.", ["mp3"]),
    ],
)
def test_what_holds_a_digit_is_a_value_whatever_it_is(text: str, codes: list[str]) -> None:
    found = [value.text for value in values(text) if value.kind == "name"]
    assert [code for code in found if any(map(str.isdecimal, code))] == codes


def test_acronyms_that_read_like_plain_words_are_names() -> None:
    text = "It said that the US and the WHO met the UN in Bern, and Who Came In is a headline."
    assert {"US", "WHO", "UN", "Bern"} <= {value.text for value in values(text)}
    assert not values("WHO IS IN THE US") or values("WHO IS IN THE US")[0].text != "WHO"


def test_a_letter_alone_is_no_initial() -> None:
    assert not names.agree(Name(("m",)), Name(("martin",)))
    assert names.agree(Name(("m", "luther")), Name(("martin", "luther")))


def test_the_first_word_of_a_sentence_may_be_no_name() -> None:
    first = values("Armenia agreed.")[0].meaning
    assert isinstance(first, Name)
    assert first.doubtful
    assert not values("Soldiers agreed.")
    assert not values("Grain was sold.", common={"grain"})


def test_names_in_other_scripts_lose_their_endings() -> None:
    assert read("Саммит ОДКБ прошёл без Армении.", "ru")[1:] == [("Армении", "name")]
    assert ("Tahran", "name") in read("Toplantı pazartesi günü Tahran'da yapıldı.", "tr")


AGREE = [
    ("13 September", "September 13, 2022"),
    ("2022", "September 2022"),
    ("the 1990s", "1994"),
    ("the 19th century", "1845"),
    ("Tuesday", "September 13, 2022"),
    ("two million", "2,000,000"),
    ("about 1,200", "1,203"),
    ("more than 100", "104"),
    ("5 km", "5,000 metres"),
    ("two weeks", "14 days"),
    ("5th", "fifth"),
    ("CSTO", "Collective Security Treaty Organization"),
    ("U.S.", "United States"),
    ("American", "United States"),
    ("Armenian", "Armenia"),
    ("Kazakh", "Kazakhstan"),
    ("Turkish", "Türkiye"),
    ("J. Smith", "John Smith"),
    ("Pashinyan", "Nikol Pashinyan"),
    ("Sargsyan", "Sarksyan"),
    ("Kiev", "Kyiv"),
    ("Beyoncé", "Beyonce"),
]
DISAGREE = [
    ("13 September", "14 September"),
    ("13 September", "2022"),
    ("September 13, 2021", "September 13, 2022"),
    ("Monday", "September 13, 2022"),
    ("the 1980s", "1994"),
    ("two million", "2,000"),
    ("about 1,200", "1,500"),
    ("5 km", "5 kg"),
    ("$5", "5 euros"),
    ("20 %", "21%"),
    ("20 %", "20"),
    ("Iran", "Iraq"),
    ("Austria", "Australia"),
    ("George", "Georgia"),
    ("Niger", "Nigeria"),
    ("Ministry of Defence", "Ministry of Justice"),
    ("Barack Obama", "Michelle Obama"),
    ("Armenia", "12"),
]


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_spellings_of_one_value_agree(one: str, other: str) -> None:
    assert agrees(only(one), only(other))
    assert agrees(only(other), only(one))


@pytest.mark.parametrize(("one", "other"), DISAGREE)
def test_different_values_do_not_agree(one: str, other: str) -> None:
    assert not agrees(only(one), only(other))
    assert not agrees(only(other), only(one))


def test_names_agree_across_languages() -> None:
    assert agrees(only("Армении", "ru"), only("Armenia"))
    assert agrees(only("Пашинян", "ru"), only("Pashinyan"))


def test_what_is_told_follows_and_what_is_not_does_not() -> None:
    assert follows(Date(2022), Date(2022, 9, 13))
    assert not follows(Date(2022, 9, 13), Date(2022))
    assert not follows(Date(1994), Date(1990, years=10))
    assert follows(Date(1990, years=10), Date(1994))


PIECES = """13 September 2022 , . - – 1990s the 5th century BC $4.5 million % May in Monday twenty
half a third of Mr. O'Neill U.S. al-Assad СССР 23 ноября Eylül'de yüzde 10:30 1939–45 99/99/2000
and 0000 31.02.2020 1.2,3.4 ² ½ I II about $ -5 COVID-19 doubtful"""
WORDS = st.sampled_from(PIECES.split())


@given(
    st.one_of(st.text(), st.lists(WORDS).map(" ".join), st.lists(WORDS).map("".join)),
    st.sampled_from(["en", "ru", "tr", "de", "ja", "und", "xx"]),
)
def test_any_text_has_its_values_as_exact_slices_apart_and_in_order(
    text: str, language: str
) -> None:
    end = 0
    for value in values(text, language):
        assert value.start >= end
        assert value.end > value.start
        assert text[value.start : value.end] == value.text
        assert agrees(value, value)
        end = value.end


@pytest.mark.parametrize(
    "unit", ["1", "1,", "May ", "A ", "A.", "two ", "of ", "-", "’s", " 1 000"]
)
def test_long_monotony_takes_little_time(unit: str) -> None:
    begun = time.perf_counter()
    values("X" + unit * 4000)
    assert time.perf_counter() - begun < 5
