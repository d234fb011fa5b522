from __future__ import annotations

from assistant.citing import cite, cite_whole
from assistant.types import Mark, Passage, ScoredPassage
from tests.fakes import document

TEXT = "Country: Armenia; Seats: 107\nCountry: Georgia; Seats: 150"


def table() -> ScoredPassage:
    rows = (Mark(start=0, kind="row", label="row 2"), Mark(start=29, kind="row", label="row 3"))
    held = document(TEXT, marks=rows)
    passage = Passage(
        id=f"{held.id}:0", document_id=held.id, start=0, end=len(TEXT), text=TEXT, locator="row 2"
    )
    return ScoredPassage(passage=passage, document=held.model_copy(update={"text": ""}), score=1)


def test_a_citation_says_where_its_own_words_are_not_where_the_passage_begins() -> None:
    cited = cite(table(), 1, 29, len(TEXT))
    assert (cited.quote, cited.locator) == ("Country: Georgia; Seats: 150", "row 3")
    assert cite_whole(table(), 1).locator == "row 2"


def test_the_quote_is_the_slice_of_the_document() -> None:
    scored = table()
    for start in range(len(TEXT)):
        assert cite(scored, 1, start, len(TEXT)).quote == TEXT[start:]
