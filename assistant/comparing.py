"""What the sources of an answer say apart and together: speakers, disagreements, dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from assistant import timeline as timelines
from assistant.attribution import attribute
from assistant.conflicts import conflicts
from assistant.copies import Source, independent
from assistant.denials import denials, positions
from assistant.errors import UnknownDocumentError
from assistant.languages import UNKNOWN
from assistant.statements import Citing, Statement, Weigh, statements
from assistant.types import AnswerSentence, Citation, Conflict, Event, ScoredPassage


@dataclass(frozen=True)
class Comparison:
    """An answer's sentences with whose words they are, and what its sources say differently."""

    sentences: tuple[AnswerSentence, ...]
    conflicts: tuple[Conflict, ...] = ()
    timeline: tuple[Event, ...] = ()
    independent_sources: int = 0


def compare(
    question: str,
    sentences: Sequence[AnswerSentence],
    passages: Sequence[ScoredPassage],
    text_of: Callable[[str], str],
    weigh: Weigh,
    further: Sequence[ScoredPassage] = (),
) -> Comparison:
    """Reads the cited sentences against all that was found; nothing where nothing is cited.

    A timeline is made of ``further`` passages too, which came after those an answer is made of.
    ``text_of`` gives the text of a document by its id, ``weigh`` the rarity of a word.
    """
    if not sentences:
        return Comparison(())
    weigh, text_of = cache(weigh), _kept(text_of)
    found = statements(passages)
    citations = [citation for sentence in sentences for citation in sentence.citations]
    cite = Citing(citations)
    cited = _cited(citations, found)
    apart = conflicts(question, cited, found, weigh, cite) + (
        denials(cited, found, weigh, cite) or positions(question, cited, found, weigh, cite)
    )
    events: tuple[Event, ...] = ()
    if timelines.asked_for(question):
        dated = [*found, *statements(further)]
        events = timelines.timeline(question, dated, text_of, weigh, cite)
    sources = {citation.document_id: citation.source for citation in citations}
    languages = {scored.document.id: scored.document.language for scored in passages}
    return Comparison(
        tuple(_attributed(sentence, languages) for sentence in sentences),
        apart,
        events,
        independent([Source(name, text_of(i)) for i, name in sources.items()]),
    )


def _kept(text_of: Callable[[str], str]) -> Callable[[str], str]:
    """``text_of``, with nothing for a document that was removed in the meantime."""

    @cache
    def text(document_id: str) -> str:
        try:
            return text_of(document_id)
        except UnknownDocumentError:
            return ""

    return text


def _cited(citations: Sequence[Citation], found: Sequence[Statement]) -> list[Statement]:
    """The statements that the citations quote, in the order of the citations."""
    cited = {
        (c.document_id, statement.start): statement
        for c in citations
        for statement in found
        if statement.passage.document.id == c.document_id
        and statement.start < c.end
        and c.start < statement.end
    }
    return list(cited.values())


def _attributed(sentence: AnswerSentence, languages: dict[str, str]) -> AnswerSentence:
    """The sentence with its stance, and its speaker if the cited words name one."""
    language = languages.get(sentence.citations[0].document_id, UNKNOWN)
    speaker, stance = attribute(sentence.text, language)
    return sentence.model_copy(update={"speaker": speaker, "stance": stance})
