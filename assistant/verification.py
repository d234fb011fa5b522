"""Does the cited span support the sentence? What does not is dropped, never shown as fact.

A sentence that is its own quote is proved by that. Any other must pass three tests: every value in
it stands in the cited words; nothing in it says otherwise than the sentence it is nearest to; and
its meaning is theirs.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Literal, NamedTuple, Protocol

from assistant.alignment import differences
from assistant.analysis import likely_language, words_of
from assistant.citing import cite_whole
from assistant.errors import UnknownDocumentError
from assistant.evidence import Evidence, Statement, prepare, statement
from assistant.meaning import THRESHOLD, Meaning, Place, Weigh, likelihood, meaning
from assistant.presence import Held, held
from assistant.reading import Reader
from assistant.types import AnswerSentence, Citation, ScoredPassage

_REPEATS = 2  # times that the same three words may follow each other in one sentence

Unsupported = Literal["strict", "flag"]


class Judge(Protocol):
    """A model that says whether words bear out a sentence: a cross-encoder, or a chat model."""

    def __call__(self, sentence: str, evidence: str) -> tuple[bool, str]:
        """Whether it is borne out, and the reason that is shown."""


class Span(NamedTuple):
    """Where a sentence rests: the number of a passage, and a slice of its text."""

    passage: int
    start: int
    end: int


class Support(NamedTuple):
    supported: bool
    reasons: tuple[str, ...]  # why not, or on what the support rests
    spans: tuple[Span, ...] = ()  # the words that support it, those that say most of it first
    likelihood: float | None = None  # 0..1 that the meaning is theirs; None where not needed


class Verifier:
    """What one question's sentences are verified with; passages are prepared once for all."""

    def __init__(self, reader: Reader, weigh: Weigh, judges: Sequence[Judge] = ()) -> None:
        self._reader, self._weigh, self._judges = reader, weigh, judges
        self._prepared: dict[tuple[str, str], Evidence] = {}
        self._read_already: dict[str, Evidence] = {}

    def support(
        self,
        sentence: str,
        passages: Sequence[str],
        languages: Sequence[str] = (),
        published: Iterable[dt.date] = (),
    ) -> Support:
        """Whether the passages, taken together, say what the sentence says, and where.

        ``languages`` are those of the passages, English where it is not said; a year may also be
        that in which one of their documents was ``published``.
        """
        own = likely_language(words_of(sentence))
        spoken = [*languages, *(["en"] * (len(passages) - len(languages)))]
        evidence = [
            self._evidence(text, language) for text, language in zip(passages, spoken, strict=True)
        ]
        if quoted := _quoted(sentence, evidence):
            return Support(True, ("word for word",), (quoted,))
        claim = statement(sentence, own, frozenset().union(*(one.common for one in evidence)))
        found = held(claim, evidence, published)
        if faults := wrong(claim, found, evidence):
            return Support(False, faults)
        read = [self._read(passage) for passage in evidence]
        said = meaning(claim, self._reader.read([sentence])[0], read, found, self._weigh)
        return self._judged(sentence, said, found, read)

    def _judged(
        self, sentence: str, said: Meaning, found: Sequence[Held], evidence: Sequence[Evidence]
    ) -> Support:
        likely = likelihood(said.features)
        spans = _spans(said.cover, found, evidence)
        if likely < THRESHOLD:
            return Support(
                False, (f"its sources say something else ({likely:.2f})",), spans, likely
            )
        for judge in self._judges:
            borne, reason = judge(sentence, "\n\n".join(passage.text for passage in evidence))
            if not borne:
                return Support(False, (reason,), spans, likely)
        values = ", ".join(value.value.text for value in found)
        reasons = (f"found in its source: {values}",) if values else ()
        return Support(
            True, (*reasons, f"its meaning is in its source ({likely:.2f})"), spans, likely
        )

    def _evidence(self, text: str, language: str) -> Evidence:
        key = text, language
        if key not in self._prepared:
            self._prepared[key] = prepare(text, language)
        return self._prepared[key]

    def _read(self, evidence: Evidence) -> Evidence:
        """The passage with its tokens; only what passes the rules costs a pass of the model."""
        if evidence.text not in self._read_already:
            reading = self._reader.read([evidence.text])[0]
            self._read_already[evidence.text] = replace(evidence, reading=reading)
        return self._read_already[evidence.text]


def verify(
    sentences: Iterable[AnswerSentence],
    text_of: Callable[[str], str],
    verifier: Verifier | None = None,
    passages: Sequence[ScoredPassage] = (),
    unsupported: Unsupported = "strict",
) -> tuple[AnswerSentence, ...]:
    """The sentences that their citations support, each cited by the words that support it best.

    ``text_of`` gives the text of a document by its id and raises UnknownDocumentError for one that
    was removed in the meantime; what rests only on such is left out. Without a ``verifier`` only
    quotes can be supported. With ``unsupported="flag"`` the other sentences are kept, marked, with
    the reasons.
    """
    judged = (_verify(one, text_of, verifier, passages) for one in sentences)
    return tuple(
        one for one in judged if one and (one.verdict == "supported" or unsupported == "flag")
    )


def _verify(
    sentence: AnswerSentence,
    text_of: Callable[[str], str],
    verifier: Verifier | None,
    passages: Sequence[ScoredPassage],
) -> AnswerSentence | None:
    cited = [citation for citation in sentence.citations if _stands(citation, text_of)]
    if not cited:
        reasons = ("it cites nothing",)
        return None if sentence.citations else _marked(sentence, (), False, reasons)
    if any(citation.quote == sentence.text for citation in cited):
        return sentence.model_copy(update={"verdict": "supported", "citations": tuple(cited)})
    if verifier is None:
        return _marked(sentence, cited, False, ("it is no quote, and nothing checked it",))
    known = {found.document.id: found.document for found in passages}
    support = verifier.support(
        sentence.text,
        [citation.quote for citation in cited],
        [known[c.document_id].language if c.document_id in known else "en" for c in cited],
        [citation.published for citation in cited if citation.published],
    )
    if support.supported:
        narrowed = [_narrow(cited[span.passage], span) for span in support.spans]
        return _marked(sentence, narrowed, True, support.reasons)
    return _repointed(sentence, cited, verifier, passages) or _marked(
        sentence, cited, False, support.reasons
    )


def _repointed(
    sentence: AnswerSentence,
    cited: Sequence[Citation],
    verifier: Verifier,
    passages: Sequence[ScoredPassage],
) -> AnswerSentence | None:
    """The sentence, if another passage that was found supports it than those that it cites."""
    before = {citation.passage_id for citation in cited}
    marker = min(citation.marker for citation in cited)
    for found in passages:
        if found.passage.id in before:
            continue
        document = found.document
        published = [document.published] if document.published else []
        text = found.passage.text
        support = verifier.support(sentence.text, [text], [document.language], published)
        if support.supported:
            whole = cite_whole(found, marker)
            narrowed = [_narrow(whole, span) for span in support.spans]
            reasons = (*support.reasons, "cited anew: its own source does not say it")
            return _marked(sentence, narrowed, True, reasons)
    return None


def _marked(
    sentence: AnswerSentence,
    cited: Sequence[Citation],
    supported: bool,
    reasons: tuple[str, ...],
) -> AnswerSentence:
    verdict = "supported" if supported else "unsupported"
    update = {"citations": tuple(cited), "verdict": verdict, "reasons": reasons}
    return sentence.model_copy(update=update)


def _stands(cited: Citation, text_of: Callable[[str], str]) -> bool:
    try:
        return text_of(cited.document_id)[cited.start : cited.end] == cited.quote
    except UnknownDocumentError:
        return False


def _narrow(cited: Citation, span: Span) -> Citation:
    quote = cited.quote[span.start : span.end]
    start = cited.start + span.start
    return cited.model_copy(update={"start": start, "end": start + len(quote), "quote": quote})


def _quoted(sentence: str, evidence: Sequence[Evidence]) -> Span | None:
    """Where a passage has the sentence word for word, and as whole sentences of its own."""
    for number, passage in enumerate(evidence):
        start = passage.text.find(sentence)
        end = start + len(sentence)
        starts = {one.start for one in passage.statements}
        if start in starts and end in {one.end for one in passage.statements}:
            return Span(number, start, end)
    return None


def wrong(claim: Statement, found: Sequence[Held], evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """What the rules hold against the claim: values that are not there, differences, babble."""
    missing = [f"{one.value.text} is not in its source" for one in found if one.share < 1]
    runs = Counter(zip(claim.stems, claim.stems[1:], claim.stems[2:], strict=False))
    if max(runs.values(), default=0) > _REPEATS:
        missing.append("it repeats itself")
    statements = chain.from_iterable(passage.statements for passage in evidence)
    return (*missing, *differences(claim, statements))


def _spans(
    cover: Sequence[Place], found: Sequence[Held], evidence: Sequence[Evidence]
) -> tuple[Span, ...]:
    """The sentence that says most, and such others as hold a value that those before do not.

    Every value stands in one of them.
    """
    chosen: list[Place] = []
    for place in cover:
        held_here = {one.value.start for one in found if place in one.places}
        before = {one.value.start for one in found if set(chosen) & set(one.places)}
        if not chosen or held_here - before:
            chosen.append(place)
    for one in found:
        if not set(chosen) & set(one.places) or one.apart:
            chosen += one.apart or one.places[:1]
    return tuple(_span(place, evidence) for place in dict.fromkeys(chosen))


def _span(place: Place, evidence: Sequence[Evidence]) -> Span:
    found = evidence[place.passage].statements[place.sentence]
    return Span(place.passage, found.start, found.end)
