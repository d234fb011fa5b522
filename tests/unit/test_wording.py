from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.wording import Word, acronyms, akin, lists, read, seats


def marks(text: str, language: str = "en") -> dict[str, str]:
    return {word.text: word.mark for word in read(text, language) if word.mark}


def test_words_say_what_they_could_answer() -> None:
    text = "On 13 September 2022 two ministers met Armen Grigoryan in Yerevan; 105 had died."
    assert marks(text) == {
        "13": "date",
        "september": "date",
        "2022": "date",
        "two": "number",
        "armen": "name",
        "grigoryan": "name",
        "yerevan": "name",
        "105": "number",
    }
    assert marks("В сентябре погибли трое, сообщил Пашинян.", "ru") == {
        "сентябре": "date",
        "трое": "number",
        "пашинян": "name",
    }


def test_the_capital_of_a_first_word_makes_no_name() -> None:
    assert marks("Soldiers left.") == {}
    assert marks("Soldiers Monument fell.") == {"soldiers": "name", "monument": "name"}


@given(st.text(max_size=80), st.sampled_from(["en", "ru", "tr", "und", "zh"]))
def test_words_lie_in_the_text_in_order(text: str, language: str) -> None:
    words = read(text, language)
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("kazakh", "kazakhstan", True),
        ("tokayev", "tokaev", True),
        ("armenia", "armenian", True),
        ("2022", "2021", False),
        ("treaty", "trench", False),
        ("a", "ab", False),
    ],
)
def test_forms_of_one_name_are_akin(one: str, other: str, *, same: bool) -> None:
    assert akin(one, other) is akin(other, one) is same


def test_rows_of_names_have_an_acronym() -> None:
    words = read("the Collective Security Treaty Organization met in Minsk", "en")
    assert acronyms(words) == [(range(1, 5), "csto")]
    assert acronyms(()) == []


def test_every_list_is_known_and_a_language_without_has_none() -> None:
    assert lists("en").asking
    assert lists("ru").asking
    assert lists("tr").asking
    assert not any(lists("xx"))
    assert "yerevan" in seats()["armenia"]
    assert isinstance(read("word", "en")[0], Word)
