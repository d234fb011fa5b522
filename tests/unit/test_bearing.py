"""How far statements bear on questions."""

from __future__ import annotations

import datetime as dt

from assistant.bearing import Bearing, bearing, differs, spoken, understand
from assistant.statements import statements
from assistant.types import Document, Passage, ScoredPassage

QUESTION = "How many died in the petrol depot explosion outside Khankendi in September 2023?"


def scored(text: str, title: str = "Blast", day: dt.date | None = None) -> ScoredPassage:
    document = Document(
        id=text, uri=text, title=title, source="s", published=day, language="en",
        media_type="text/plain",
    )  # fmt: skip
    passage = Passage(id=f"{text}-0", document_id=text, start=0, end=len(text), text=text)
    return ScoredPassage(passage=passage, document=document, score=1.0)


def last(question: str, text: str, title: str = "Blast", day: dt.date | None = None) -> Bearing:
    asked = understand(question, lambda word: 2.0)
    *_, told = spoken(statements([scored(text, title, day)]))
    return bearing(asked, told)


def test_other_names_and_words_for_the_same_count_as_much() -> None:
    text = "The remains of 170 people were found at the fuel store outside Stepanakert."
    found = last(QUESTION, text, day=dt.date(2023, 9, 30))
    assert found.all > 0.6
    assert found.own > 0.4


def test_what_stands_around_counts_less() -> None:
    asked = "What did the harbour committee of Varna decide?"
    own = last(asked, "The harbour committee of Varna decided nothing.")
    before = last(asked, "The harbour committee of Varna met. It decided nothing.")
    around = last(asked, "The harbour committee of Varna met. It sat long. It decided nothing.")
    assert own.all > before.all > around.all > 0
    assert own.own > before.own == around.own > 0


def test_another_name_or_an_earlier_day_is_about_something_else() -> None:
    text = "The fuel depot explosion outside Ganja killed 20."
    assert last(QUESTION, text, day=dt.date(2023, 9, 30)) == Bearing(0, 0, 0)
    text = "The petrol depot explosion outside Khankendi killed 20."
    assert last(QUESTION, text, day=dt.date(2023, 8, 30)) == Bearing(0, 0, 0)
    assert last(QUESTION, text, day=dt.date(2023, 9, 30)).all > 0.7


def test_another_year_or_duration_differs() -> None:
    asked = understand("How many observers has the two-year mission?", lambda word: 2.0)
    day = dt.date(2023, 3, 2)
    for text, other in (
        ("Forty observers were lent for two months.", True),
        ("A hundred observers were sent for two years.", False),
        ("Some thirty observers were there in 1999.", True),
        ("Since January 2023 there were fifty observers.", False),
    ):
        (statement,) = statements([scored(text, day=day)])
        assert differs(asked, statement) == other, text


def test_a_later_year_is_about_something_else_where_the_one_asked_of_is_never_named() -> None:
    text = "Twenty died in the petrol depot explosion outside Khankendi."
    asked, day = QUESTION.replace("2023", "2022"), dt.date(2023, 9, 26)
    assert last(asked, text, day=day) == Bearing(0, 0, 0)
    assert last(asked, f"{text[:-1]} in 2022.", day=day).all > 0.7
    assert last(asked, text, day=dt.date(2023, 1, 3)).all > 0.7  # lately
    assert last(asked, text).all > 0.7


def test_its_own_year_does_not_excuse_where_another_one_is_asked_of() -> None:
    (statement,) = statements([scored("On 26 September 20 died.", day=dt.date(2023, 9, 26))])
    for question, other in (("How many died in September 2022?", True), ("How many died?", False)):
        assert differs(understand(question, lambda word: 2.0), statement) == other
