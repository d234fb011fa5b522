from __future__ import annotations

import pytest

from assistant.errors import UnknownDocumentError
from assistant.types import AnswerSentence, Citation
from assistant.verification import verify

TEXT = "The bridge opened in 1921. It is long."


def sentence(start: int, end: int, quote: str, document_id: str = "a") -> AnswerSentence:
    citation = Citation(
        marker=1,
        document_id=document_id,
        passage_id=f"{document_id}:0",
        title="T",
        source="S",
        start=start,
        end=end,
        quote=quote,
    )
    return AnswerSentence(text=quote, citations=(citation,), verdict="unchecked")


def text_of(document_id: str) -> str:
    if document_id != "a":
        raise UnknownDocumentError(document_id)
    return TEXT


def test_a_quote_that_stands_where_it_says_is_supported() -> None:
    (found,) = verify([sentence(0, 26, TEXT[:26])], text_of)
    assert (found.verdict, found.text) == ("supported", TEXT[:26])


@pytest.mark.parametrize(
    "wrong",
    [
        sentence(1, 27, TEXT[:26]),  # citations shifted by one
        sentence(0, 26, TEXT[:26].replace("1921", "1922")),
        sentence(0, 26, TEXT[:26], document_id="removed"),
        AnswerSentence(text="Nobody said this.", citations=(), verdict="unchecked"),
    ],
)
def test_what_does_not_stand_there_is_dropped(wrong: AnswerSentence) -> None:
    assert verify([wrong, sentence(27, 38, TEXT[27:])], text_of)[0].text == TEXT[27:]
    assert verify([wrong], text_of) == ()
