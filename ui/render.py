"""The conversation as HTML that is safe to show: pure functions, no Gradio.

Whatever came from a document, a question or a model goes through ``safe``; there is no other way
into the page, so it holds no image, no link and no script of theirs. A button with ``data-ref``
opens what ``reader.references`` says it opens; the rest of what is known of it stays on the server.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.normalizing import normalize
from assistant.types import Answer, AnswerSentence, Citation, Draft, ScoredPassage

COMMAND = re.compile("`([^`]{1,200})`")  # how our hints write one
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
class Notice:
    """Why an exchange has no answer, in a sentence, and the way out of it."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class Exchange:
    """One question of a conversation and what has become of it so far."""

    question: str
    outcome: Answer | Draft | Notice


def safe(value: str) -> str:
    """``value`` cleaned and escaped, for the inside of an element or a quoted attribute."""
    return html.escape(normalize(value))


def day(published: dt.date | None) -> str:
    """``12 March 2021``, or ``undated``."""
    return f"{published.day} {published:%B %Y}" if published else "undated"


def origin(source: str, published: dt.date | None, locator: str | None) -> str:
    """``The Outlet · 12 March 2021 · page 3``, not escaped."""
    return " · ".join(part for part in (source, day(published), locator) if part)


def conversation(exchanges: Sequence[Exchange]) -> str:
    """All exchanges, oldest first."""
    return "".join(_exchange(exchange) for exchange in exchanges)


def plain_text(answer: Answer) -> str:
    """The answer with its sources, for pasting into a text."""
    warnings = [f"{lead}. {rest}" for lead, rest in _warnings(answer)]
    lines = [answer.question, "", *warnings, answer.text, ""]
    for conflict in answer.conflicts:
        lines.append(f"The sources disagree: {conflict.subject}")
        lines += [
            f"- {side.value} ({origin(c.source, c.published, c.locator)}): “{c.quote}”"
            for side in conflict.sides
            for c in [side.citation]
        ]
        lines.append("")
    sources = [
        f"[{c.marker}] {c.title} ({origin(c.source, c.published, c.locator)}): “{c.quote}”"
        for _, c in _numbered(answer)
    ]
    text = "\n".join([*lines, *(["Sources", *sources] if sources else [])])
    return normalize(text.replace("\n\n\n", "\n\n").strip())


def notice(shown: Notice) -> str:
    hint = COMMAND.sub(r"<code>\1</code>", safe(shown.hint))
    hint = f' <span class="hint">Try: {hint}.</span>' if hint else ""
    return f'<p class="notice" role="alert">{safe(shown.message)}{hint}</p>'


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
            f'<p class="status"><strong>{lead}.</strong> {rest}</p>'
            for lead, rest in _warnings(answer)
        ),
        f'<div class="sentences{" verbatim" if verbatim else ""}">{sentences}</div>'
        if sentences
        else "",
        "".join(_conflict(answer, number) for number in range(len(answer.conflicts))),
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
        yield "Partial answer", "The documents cover only part of the question."
    if answer.incomplete:
        yield "Incomplete", "The model was cut off before it finished."


def _is_verbatim(sentence: AnswerSentence) -> bool:
    return any(sentence.text == citation.quote for citation in sentence.citations)


def _sentence(answer: Answer, position: int, sentence: AnswerSentence) -> str:
    markers = "".join(
        _marker(f"{answer.id}/{position}.{i}", citation)
        for i, citation in enumerate(sentence.citations)
    )
    flag = ""
    if sentence.verdict != "supported":
        reasons = f": {safe('; '.join(sentence.reasons))}" if sentence.reasons else ""
        words = "Not supported by its source" if sentence.verdict == "unsupported" else "Unchecked"
        flag = f' <span class="flag">{words}{reasons}</span>'
    text = f'<span class="words" dir="auto">{safe(sentence.text)}</span>'
    glued = f'<span class="markers">{markers}</span>' if markers else ""
    return f'<span class="sentence {sentence.verdict}">{text}&#8288;{glued}{flag}</span>'


def _marker(ref: str, citation: Citation) -> str:
    where = origin(citation.source, citation.published, citation.locator)
    name = safe(f"Open source {citation.marker}: {citation.title}, {where}")
    return (
        f'<button type="button" class="marker" data-ref="{safe(ref)}" aria-label="{name}"'
        f' title="{safe(citation.title)}">[{citation.marker}]</button>'
    )


def _conflict(answer: Answer, number: int) -> str:
    conflict = answer.conflicts[number]
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{safe(side.value)}</th><td>{safe(c.source)}</td>'
        f'<td class="when">{day(c.published)}</td><td dir="auto">“{safe(c.quote)}”'
        f"{_marker(f'{answer.id}/c{number}.{i}', c)}</td></tr>"
        for i, side in enumerate(conflict.sides)
        for c in [side.citation]
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Value", "Who", "When", "Words"))
    return (
        f'<div class="conflict"><table><caption><strong>The sources disagree:</strong>'
        f" {safe(conflict.subject)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _sources(answer: Answer) -> str:
    rows = "".join(
        _row(ref, f"[{c.marker}]", c.title, origin(c.source, c.published, c.locator))
        for ref, c in _numbered(answer)
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
    copied = safe(plain_text(answer))
    return (
        f'<p class="tools"><button type="button" class="quiet" data-copy="{copied}">'
        f"Copy with sources</button>{took}</p>"
    )


def citations(answer: Answer) -> Iterator[tuple[str, Citation]]:
    """Every citation under a key of its own: two may bear one number and mark other words."""
    for i, sentence in enumerate(answer.sentences):
        for j, citation in enumerate(sentence.citations):
            yield f"{answer.id}/{i}.{j}", citation
    for i, conflict in enumerate(answer.conflicts):
        for j, side in enumerate(conflict.sides):
            yield f"{answer.id}/c{i}.{j}", side.citation


def _numbered(answer: Answer) -> Iterator[tuple[str, Citation]]:
    """The first citation of each number."""
    seen: set[int] = set()
    for key, citation in citations(answer):
        if citation.marker not in seen:
            seen.add(citation.marker)
            yield key, citation
