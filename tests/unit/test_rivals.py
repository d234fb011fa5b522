"""Sources that answer one question differently, in their own words."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.types import ScoredPassage
from tests.unit.test_conflicts import compared, found, values

ASKED = "How many people were killed in the explosion at the Varna depot?"
FIRST = found(
    "a", "At least 20 people were killed and 300 hurt when the fuel store at Varna blew up."
)


def against(text: str, question: str = ASKED, first: ScoredPassage = FIRST) -> list[list[str]]:
    return values(compared(question, first, found("b", text)))


def test_another_number_of_the_same_people_in_other_words_is_a_conflict() -> None:
    other = found("b", "The remains of 170 victims of the blast in Varna were buried by Friday.")
    (conflict,) = compared(ASKED, FIRST, other).conflicts
    assert (conflict.kind, conflict.subject) == ("conflict", ASKED)
    assert [side.value for side in conflict.sides] == ["At least 20", "170"]
    assert [side.citation.source for side in conflict.sides] == ["a", "b"]
    for side, scored in zip(conflict.sides, (FIRST, other), strict=True):
        text = scored.passage.text
        assert text[side.citation.start : side.citation.end] == side.citation.quote


@pytest.mark.parametrize(
    "text",
    [
        "The blast in Varna left 170 people wounded.",  # what became of them
        "The blast in Varna destroyed 170 lorries.",  # what is counted
        "Twenty victims of the blast in Varna were buried by Friday.",  # the same
        "The blast in Burgas killed 170 people.",  # where
        "In 1998 a blast at Varna's station killed 170.",  # when
        "The dead of the Varna blast include 4 firemen.",  # a part
        "After the blast in Varna 17 of the dead were named.",  # some of them
        "In all 170 people were killed.",  # of what?
        "The blast in Varna killed 20 % of the guards.",  # a share
    ],
)
def test_what_answers_another_question_is_none(text: str) -> None:
    assert against(text) == []


def test_a_crowd_is_of_people_and_a_share_is_asked_in_percent() -> None:
    question = "How many people attended the memorial concert in Varna?"
    first = found("a", "Police say that 18,000 people came to the memorial concert in Varna.")
    other = "The memorial concert of Varna drew a crowd of about 40,000."
    assert against(other, question, first) == [["18,000", "about 40,000"]]
    question = "What percentage of voters took part in the referendum in Varna?"
    first = found("a", "The part of voters that took part in the referendum in Varna was 61 %.")
    other = "Only 43 percent of 9,000 voters took part in Varna's referendum."
    assert against(other, question, first) == [["61 %", "43 percent"]]


def test_a_number_of_another_country_is_none() -> None:
    question = "How many Armenian soldiers were killed in the clashes with Azerbaijan?"
    first = found("a", "In the fighting with Azerbaijan 49 Armenian soldiers died, he said.")
    other = "Azerbaijan, which lost 71 servicemen on that day, denies having entered Armenia."
    assert against(other, question, first) == []
    other = "Armenia, which lost 105 servicemen on that day, accuses Azerbaijan."
    assert against(other, question, first) == [["49", "105"]]


def test_what_was_published_before_cannot_tell_of_it() -> None:
    question = "How many people were killed in the fighting near Varna in March 2022?"
    first = found("a", "The clashes near Varna killed 20 people.", published=dt.date(2022, 3, 9))
    text = "Varna: 71 dead after days of war on the coast"
    late = found("b", text, published=dt.date(2022, 3, 12))
    early = found("b", text, published=dt.date(2021, 3, 12))
    assert values(compared(question, first, late)) == [["20", "71"]]
    assert values(compared(question, first, early)) == []


def test_the_later_figure_of_one_source_is_an_update_and_stands_against_others() -> None:
    text = "The fuel store exploded and killed 20 people in Varna."
    first = found("a", text, "Meridian", dt.date(2022, 9, 13))
    later = found("b", "A new count has 24 dead in the blast in Varna.", "Meridian")
    other = found("c", "Varna put those who died at the depot at 40.", "Courier")
    update, conflict = compared(ASKED, first, later, other).conflicts
    assert update.kind == "update"
    assert [side.value for side in update.sides] == ["20", "24"]
    assert conflict.kind == "conflict"
    assert [side.value for side in conflict.sides] == ["24", "40"]


def test_the_largest_of_several_is_the_whole_and_the_exact_one_is_shown() -> None:
    first = found("a", "More than a hundred people were killed in the blast in Varna. "
                       "The number of dead in Varna rose to 105.")  # fmt: skip
    other = "Varna, which spoke of 30 dead after the blast and of 41 by night, arrived at 63."
    assert against(other, first=first) == [["105", "63"]]


def test_times_of_day() -> None:
    question = "At what time did the shooting start on the frontier?"
    first = found("a", "Fighting broke out on the border shortly after midnight on Tuesday.")
    other = "Shelling of the border began on the evening of September 13."
    both = ["shortly after midnight on Tuesday", "evening of September 13"]
    assert against(other, question, first) == [both]
    assert against("Shelling of the border began at 00:05.", question, first) == []
    assert against("The guards of the border had supper in the evening.", question, first) == []


def test_yes_and_no() -> None:
    question = "Is Armenia's participation in the treaty suspended?"
    first = found("a", "Armenia has in practice frozen its membership in the treaty, he said.")
    other = found("b", "Moscow knows of no suspension of membership in the treaty by Armenia.")
    (conflict,) = compared(question, first, other).conflicts
    assert conflict.subject == first.passage.text
    assert [side.value for side in conflict.sides] == ["says so", "denies it"]
    for text in (
        "Armenia suspended its participation in the treaty on Thursday.",
        "Uzbekistan suspended its membership in the treaty and did not ask for help.",
        "The treaty was not signed in the spring.",
    ):
        assert against(text, question, first) == []
    assert against(other.passage.text, "Who suspended Armenia's participation?", first) == []
