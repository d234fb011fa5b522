"""Does the cited span support the sentence? What does not is dropped, never shown as fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from assistant.errors import UnknownDocumentError
from assistant.types import AnswerSentence, Citation


def verify(
    sentences: Iterable[AnswerSentence], text_of: Callable[[str], str]
) -> tuple[AnswerSentence, ...]:
    """The sentences whose every quote still stands in the stored text where it says it does.

    ``text_of`` gives the text of a document by its id and raises UnknownDocumentError for one that
    was removed in the meantime.
    """
    return tuple(
        sentence.model_copy(update={"verdict": "supported"})
        for sentence in sentences
        if sentence.citations and all(_stands(cited, text_of) for cited in sentence.citations)
    )


def _stands(cited: Citation, text_of: Callable[[str], str]) -> bool:
    try:
        return text_of(cited.document_id)[cited.start : cited.end] == cited.quote
    except UnknownDocumentError:
        return False
