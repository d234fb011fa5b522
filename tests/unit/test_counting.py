"""What numbers and questions for numbers count."""

from __future__ import annotations

import pytest

from assistant.counting import Count, counted, country


def count(text: str, number: str, before: str = "") -> Count:
    start = text.index(number)
    return counted(text, start, start + len(number), "en", before)


@pytest.mark.parametrize(
    ("text", "number", "state"),
    [
        ("At least 20 people were killed and nearly 300 injured.", "20", "dead"),
        ("At least 20 people were killed and nearly 300 injured.", "300", "hurt"),
        ("The number of people killed at the frontier rose to 46 on Sunday.", "46", "dead"),
        ("The remains of at least 170 people have been recovered.", "170", "dead"),
        ("Security forces detained 516 people.", "516", "held"),
        ("The whole force amounted to 2,030 troops.", "2,030", None),
        ("What was the death toll in Nukus?", "death toll", "dead"),
    ],
)
def test_what_became_of_those_counted(text: str, number: str, state: str | None) -> None:
    found = count(text, number)
    assert (found.persons, found.state) == (True, state)


def test_a_pronoun_takes_it_from_the_sentence_before() -> None:
    before = "The ministry has brought its list of servicemen killed in the war up to date."
    assert count("It now contains 2,908 names.", "2,908", before).state == "dead"
    assert count("Now there are 2,908 names.", "2,908", before).state is None


def test_things_are_no_people() -> None:
    text = "The force has 2,030 troops and 250 pieces of equipment."
    assert (count(text, "250").persons, count(text, "250").noun) == (False, "piec")
    assert count("How many bridges are there?", "How many").noun == "bridg"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("164 people were killed, 103 of them in Almaty.", "103"),
        ("The dead include four members of the security forces.", "four"),
        ("Three additional victims died of their wounds.", "Three"),
    ],
)
def test_a_part_or_what_is_added_is_not_the_whole(text: str, number: str) -> None:
    assert count(text, number).part


@pytest.mark.parametrize(
    ("text", "number", "owner"),
    [
        ("Azerbaijan, which lost 50 servicemen, denies having crossed into Armenia.", "50", "az"),
        ("Pashinyan told Baku that 49 Armenian soldiers had been killed.", "49", "ar"),
        ("Own dead; report of Dushanbe: 35; report of Bishkek: 46", "35", "ta"),
        ("Own dead; report of Dushanbe: 35; report of Bishkek: 46", "46", "ky"),
        ("The number of people killed at the Tajik frontier rose to 46.", "46", None),
    ],
)
def test_whose_number_it_is(text: str, number: str, owner: str | None) -> None:
    found = count(text, number).owner
    assert (found and found[:2]) == owner


def test_a_country_goes_by_its_people_and_its_capital() -> None:
    assert country("Armenian") == country("Yerevan") == country("Armenia")
    assert country("Meridian") is None


def test_a_language_without_lists_counts_no_people() -> None:
    text = "200 personas murieron."
    assert counted(text, 0, 3, "es").state is None
