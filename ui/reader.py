"""The reading panel and the library's list as HTML that is safe to show; pure, as ``render``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.types import Answer, Citation, Document
from assistant.ui.markup import Notice, citations, day, notice, origin, safe

CONTEXT = 700  # characters shown before and after a passage
SHOWN_TEXT = 200_000  # characters of a whole document that the panel shows at most
SHOWN_ROWS = 300  # documents listed at once

LANGUAGES = {
    "ar": "Arabic",
    "az": "Azerbaijani",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fr": "French",
    "hy": "Armenian",
    "ka": "Georgian",
    "kk": "Kazakh",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "und": "language unknown",
}
KINDS = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "text/html": "Web page",
    "text/markdown": "Markdown",
    "text/plain": "Text",
}

MOVED = Notice("The cited words are no longer where the citation says.", "ask again")
EMPTY_PANEL = (
    '<div class="placeholder"><p>Choose a marker such as <span class="sample">[1]</span> to read'
    " the passage it rests on, with the cited words marked.</p></div>"
)
EMPTY_LIBRARY = (
    '<div class="placeholder"><p><strong>The library is empty.</strong> Stop this program, take in'
    " a folder with <code>assistant index PATH</code> and start it again. With an empty library"
    " <code>assistant chat</code> brings a sample collection.</p></div>"
)


@dataclass(frozen=True)
class Reference:
    """What a button opens: a stretch of a document, and in it the cited words, if any are."""

    document_id: str
    start: int = 0
    end: int = 0
    locator: str | None = None
    headings: tuple[str, ...] = ()
    cited: Citation | None = None


def references(answer: Answer) -> dict[str, Reference]:
    """Everything that can be opened from an answer, by the ``data-ref`` of its buttons."""
    passages = {scored.passage.id: scored.passage for scored in answer.passages}
    found: dict[str, Reference] = {}
    for key, cited in citations(answer):
        passage = passages.get(cited.passage_id)
        found[key] = Reference(
            document_id=cited.document_id,
            start=min(passage.start, cited.start) if passage else cited.start,
            end=max(passage.end, cited.end) if passage else cited.end,
            locator=cited.locator,
            headings=passage.headings if passage else (),
            cited=cited,
        )
    for number, passage in enumerate(scored.passage for scored in answer.passages):
        found[f"{answer.id}/p{number}"] = Reference(
            passage.document_id, passage.start, passage.end, passage.locator, passage.headings
        )
    return found


def passage(ref: str, reference: Reference, document: Document) -> str:
    """The passage between its neighbours, the cited words in ``<mark>`` letter for letter.

    ``document`` comes with its text. When that text no longer holds the cited words where the
    citation says, nothing is marked and the panel says so.
    """
    before = _cut(document.text[max(0, reference.start - CONTEXT) : reference.start], "start")
    after = _cut(document.text[reference.end : reference.end + CONTEXT], "end")
    more_before = reference.start > len(before)
    more_after = reference.end + len(after) < len(document.text)
    body = (
        f'<span class="near">{"… " if more_before else ""}{safe(before)}</span>'
        f'<span class="passage">{_marked(document.text, reference, reference.start, reference.end)}'
        f'</span><span class="near">{safe(after)}{" …" if more_after else ""}</span>'
    )
    return _panel(ref, reference, document, body, _button(ref, "Whole document", "data-whole"))


def whole(ref: str, reference: Reference, document: Document) -> str:
    """The document's text, the cited words in ``<mark>``; SHOWN_TEXT characters around them."""
    start = max(0, reference.end - SHOWN_TEXT)
    end = min(len(document.text), start + SHOWN_TEXT)
    body = _marked(document.text, reference, start, end)
    if hidden := len(document.text) - (end - start):
        body = f'<p class="near">Cut: {hidden:,} characters are not shown.</p>{body}'
    action = _button(ref, "Passage only") if reference.end else ""
    return _panel(ref, reference, document, body, action)


def listing(documents: Sequence[Document], wanted: str = "") -> str:
    """The documents whose title, source, date, language or kind hold every word of ``wanted``."""
    words = wanted.casefold().split()
    rows = [(_row(d), _words(d)) for d in sorted(documents, key=_newest_first)]
    shown = [row for row, text in rows if all(word in text for word in words)]
    if not documents:
        return EMPTY_LIBRARY
    if not shown:
        return '<p class="placeholder">No document matches.</p>'
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("Title", "Source", "Date", "Language", "Kind")
    )
    left = len(shown) - SHOWN_ROWS
    note = f'<p class="placeholder">and {left:,} more: narrow the filter</p>' if left > 0 else ""
    count = f"{len(shown):,} of {len(documents):,} documents" if words else ""
    return (
        f'<table class="documents"><caption>{count}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(shown[:SHOWN_ROWS])}</tbody></table>{note}"
    )


def masthead(documents: Sequence[Document]) -> str:
    """The head of the page: ``46 documents, 2020 to 2024, in English, Russian and Turkish``."""
    count = f"{len(documents):,} document{'' if len(documents) == 1 else 's'}"
    years = sorted({d.published.year for d in documents if d.published})
    span = " to ".join(str(year) for year in sorted({*years[:1], *years[-1:]}))
    tongues = Counter(_language(d) for d in documents if d.language != "und")
    *others, last = [name for name, _ in tongues.most_common(4)] or [""]
    spoken = f"{', '.join(others)} and {last}" if others else last
    parts = (count, span, f"in {spoken}" if spoken else "")
    held = safe(", ".join(part for part in parts if part))
    return f'<header class="masthead"><h1>Cited assistant</h1><p>{held}</p></header>'


def welcome(documents: Sequence[Document]) -> str:
    """What stands in place of a conversation that has not begun."""
    if not documents:
        return EMPTY_LIBRARY
    return (
        '<div class="placeholder"><p>Answers come from the documents alone. Every sentence carries'
        " a marker that opens its source at the exact words; when the documents do not answer, it"
        " says so.</p></div>"
    )


def _panel(ref: str, reference: Reference, document: Document, body: str, action: str) -> str:
    facts = (
        ("Author", document.author),
        ("Section", " › ".join(h for h in reference.headings if h != document.title)),
        ("Language", _language(document)),
        ("File", document.uri.rpartition("/")[2] if "://" not in document.uri else document.uri),
    )
    rows = "".join(
        f'<dt>{name}</dt><dd dir="auto">{safe(value)}</dd>' for name, value in facts if value
    )
    number = f'<span class="number">[{reference.cited.marker}]</span> ' if reference.cited else ""
    where = origin(document.source, document.published, reference.locator)
    moved = reference.cited is not None and not _holds(document.text, reference.cited)
    return (
        f'<article class="source" data-shown="{safe(ref)}" tabindex="-1" aria-label="Source">'
        f'<header><p class="bar"><button type="button" class="quiet" data-back>Back</button>'
        f'{action}</p><h2 dir="auto">{number}{safe(document.title)}</h2>'
        f'<p class="where" dir="auto">{safe(where)}</p></header><dl>{rows}</dl>'
        f"{notice(MOVED) if moved else ''}"
        f'<div class="reading" lang="{safe(document.language)}" dir="auto" tabindex="0"'
        f' role="region" aria-label="Text">{body}</div></article>'
    )


def _button(ref: str, label: str, attribute: str = "") -> str:
    data = f'data-ref="{safe(ref)}" {attribute}'
    return f'<button type="button" class="quiet" {data}>{label}</button>'


def _marked(text: str, reference: Reference, start: int, end: int) -> str:
    cited = reference.cited
    if cited is None or not _holds(text, cited):
        return safe(text[start:end])
    return (
        f"{safe(text[start : cited.start])}<mark>{safe(cited.quote)}</mark>"
        f"{safe(text[cited.end : end])}"
    )


def _holds(text: str, cited: Citation) -> bool:
    return text[cited.start : cited.end] == cited.quote


def _cut(text: str, side: str) -> str:
    """``text`` without the word that the limit cut in two at its start or end."""
    if len(text) < CONTEXT:
        return text
    return text.partition(" ")[2] if side == "start" else text.rpartition(" ")[0]


def _row(document: Document) -> str:
    return (
        f'<tr><td><button type="button" data-ref="document/{safe(document.id)}" dir="auto">'
        f'{safe(document.title)}</button></td><td dir="auto">{safe(document.source)}</td>'
        f'<td class="when">{day(document.published)}</td><td>{safe(_language(document))}</td>'
        f"<td>{safe(_kind(document))}</td></tr>"
    )


def _words(document: Document) -> str:
    parts = (document.title, document.source, day(document.published), document.uri)
    return " ".join((*parts, _language(document), _kind(document))).casefold()


def _newest_first(document: Document) -> tuple[int, str]:
    return (-document.published.toordinal() if document.published else 0, document.title)


def _language(document: Document) -> str:
    return LANGUAGES.get(document.language, document.language)


def _kind(document: Document) -> str:
    return KINDS.get(document.media_type, document.media_type.rpartition("/")[2])
