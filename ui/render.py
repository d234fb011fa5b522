"""The conversation as HTML that is safe to show: pure functions, no Gradio.

Whatever came from elsewhere goes through ``markup.safe``. A button with ``data-ref``
opens what ``reader.references`` says it opens; the rest of what is known of it stays on the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.normalizing import normalize
from assistant.types import Answer, AnswerSentence, Draft, ScoredPassage
from assistant.ui import tables
from assistant.ui.filters import described
from assistant.ui.markup import Notice, marker, notice, numbered, origin, safe

SHOWN_QUESTION = 600  # characters; a longer question is shown cut
SHOWN_SNIPPET = 220
SHOWN_NEAREST = 5

STAGES = {
    "condense": "Reading the question",
    "retrieve": "Searching the documents",
    "rerank": "Weighing the passages",
    "answer": "Choosing the words that answer",
    "verify": "Checking every sentence against its source",
}


@dataclass(frozen=True)
class Exchange:
    """One question of a conversation and what has become of it so far."""

    question: str
    outcome: Answer | Draft | Notice


def conversation(exchanges: Sequence[Exchange]) -> str:
    """All exchanges, oldest first."""
    return "".join(_exchange(exchange) for exchange in exchanges)


def plain_text(answer: Answer) -> str:
    """The answer with its sources, for pasting into a text."""
    warnings = [f"{lead}. {rest}" for lead, rest in _warnings(answer)]
    lines = [answer.question, "", *warnings, answer.text, ""]
    lines += [*tables.plain_conflicts(answer), *tables.plain_timeline(answer)]
    sources = [
        f"[{c.marker}] {c.title} ({origin(c.source, c.published, c.locator)}): “{c.quote}”"
        for _, c in numbered(answer)
    ]
    text = "\n".join([*lines, *(["Sources", *sources] if sources else [])])
    return normalize(text.replace("\n\n\n", "\n\n").strip())


def _exchange(exchange: Exchange) -> str:
    question = exchange.question.strip()
    if len(question) > SHOWN_QUESTION:
        question = f"{question[:SHOWN_QUESTION]} … ({len(question):,} characters)"
    match exchange.outcome:
        case Answer() as answer:
            body = _answer(answer)
        case Draft() as draft:
            body = _draft(draft)
        case Notice() as shown:
            body = notice(shown)
    heading = safe(question) or "(no question)"
    return f'<article class="turn"><h2 class="question" dir="auto">{heading}</h2>{body}</article>'


def _draft(draft: Draft) -> str:
    words = f'<p class="draft-text" dir="auto">{safe(draft.text)}</p>' if draft.text else ""
    label = ' <span class="draft-label">Draft, not checked yet</span>' if words else ""
    stage = f'<p class="stage" role="status">{STAGES[draft.stage]} …{label}</p>'
    return f'<div class="draft" aria-busy="true">{stage}{words}</div>'


def _answer(answer: Answer) -> str:
    verbatim = all(_is_verbatim(s) for s in answer.sentences)
    sentences = " ".join(_sentence(answer, i, s) for i, s in enumerate(answer.sentences))
    parts = [
        *(
            f'<p class="status"><strong>{lead}.</strong> {safe(rest)}</p>'
            for lead, rest in _warnings(answer)
        ),
        f'<div class="sentences{" verbatim" if verbatim else ""}">{sentences}</div>'
        if sentences
        else "",
        tables.timeline(answer),
        tables.conflicts(answer),
        _sources(answer),
        _found(answer),
        _tools(answer),
    ]
    return f'<div class="answer" data-status="{answer.status}">{"".join(parts)}</div>'


def _warnings(answer: Answer) -> Iterator[tuple[str, str]]:
    """What a reader must know before the first sentence: the word for it, and what it means."""
    if answer.status == "not_in_documents":
        nearest = " The nearest ones are below." if answer.passages else ""
        yield "Not in the documents", f"No passage answers this well enough to be cited.{nearest}"
    if answer.status == "partial":
        yield "Partial answer", "The documents may not answer this, or only a part of it."
    if words := described(answer.filters):
        yield "Filtered", f"Only documents {words} were asked."
    if answer.undated:
        noun = "document has" if answer.undated == 1 else "documents have"
        yield "Left out", f"{answer.undated} {noun} no date, and the question asked for dates."
    if answer.problem:
        lead = "Incomplete" if answer.incomplete else "Quoted, not drafted"
        yield lead, f"{answer.problem.message} ({answer.problem.hint})"
    elif answer.incomplete:
        yield "Incomplete", "The model was cut off before it finished."


def _is_verbatim(sentence: AnswerSentence) -> bool:
    return any(sentence.text == citation.quote for citation in sentence.citations)


def _sentence(answer: Answer, position: int, sentence: AnswerSentence) -> str:
    markers = "".join(
        marker(f"{answer.id}/{position}.{i}", citation)
        for i, citation in enumerate(sentence.citations)
    )
    flag = ""
    if sentence.verdict != "supported":
        reasons = f": {safe('; '.join(sentence.reasons))}" if sentence.reasons else ""
        words = "Not supported by its source" if sentence.verdict == "unsupported" else "Unchecked"
        flag = f' <span class="flag">{words}{reasons}</span>'
    if note := _note(sentence):
        flag += f' <span class="note">{safe(note)}</span>'
    text = f'<span class="words" dir="auto">{safe(sentence.text)}</span>'
    glued = f'<span class="markers">{markers}</span>' if markers else ""
    return f'<span class="sentence {sentence.verdict}">{text}&#8288;{glued}{flag}</span>'


def _note(sentence: AnswerSentence) -> str:
    """What kind of saying it is, and whose: ``Claim · Sidorov``; empty for a plain statement."""
    stance = "" if sentence.stance == "fact" else sentence.stance.capitalize()
    return " · ".join(part for part in (stance, sentence.speaker) if part)


def _sources(answer: Answer) -> str:
    rows = "".join(
        _row(ref, f"[{c.marker}]", c.title, origin(c.source, c.published, c.locator))
        for ref, c in numbered(answer)
    )
    return f'<ul class="sources" aria-label="Sources">{rows}</ul>' if rows else ""


def _found(answer: Answer) -> str:
    """The nearest passages of a question that has no answer; else a folded list of all found."""
    if answer.status == "not_in_documents":
        rows = _passages(answer, answer.passages[:SHOWN_NEAREST])
        return f'<ul class="sources nearest" aria-label="Nearest passages">{rows}</ul>'
    if not answer.passages:
        return ""
    count = len(answer.passages)
    noun = "passage" if count == 1 else "passages"
    return (
        f'<details class="found"><summary>{count} {noun} read for this answer</summary>'
        f'<ul class="sources nearest">{_passages(answer, answer.passages)}</ul></details>'
    )


def _passages(answer: Answer, shown: Iterable[ScoredPassage]) -> str:
    return "".join(
        _row(
            f"{answer.id}/p{number}",
            "",
            scored.document.title,
            origin(scored.document.source, scored.document.published, scored.passage.locator),
            scored.passage.text,
        )
        for number, scored in enumerate(shown)
    )


def _row(ref: str, number: str, title: str, where: str, text: str = "") -> str:
    snippet = " ".join(text.split())
    if len(snippet) > SHOWN_SNIPPET:
        snippet = f"{snippet[:SHOWN_SNIPPET].rsplit(' ', 1)[0]} …"
    return (
        f'<li><button type="button" data-ref="{safe(ref)}">'
        f'<span class="number">{number}</span> <span class="title" dir="auto">{safe(title)}</span>'
        f' <span class="where">{safe(where)}</span></button>'
        + (f'<p class="snippet" dir="auto">{safe(snippet)}</p>' if snippet else "")
        + "</li>"
    )


def _tools(answer: Answer) -> str:
    seconds = sum(stage.seconds for stage in answer.trace.stages)
    took = f'<span class="took">{seconds:.1f} s</span>' if seconds else ""
    count = answer.independent_sources
    noun = "independent source" if count == 1 else "independent sources"
    stand = f'<span class="behind">{count} {noun}</span>' if count else ""
    copied = safe(plain_text(answer))
    return (
        f'<p class="tools"><button type="button" class="quiet" data-copy="{copied}">'
        f"Copy with sources</button>{stand}{took}</p>"
    )
