"""What the parts of the window share: text made safe, origins, markers, notices; pure functions.

Whatever came from a document, a question or a model goes through ``safe``; there is no other way
into the page, so it holds no image, no link and no script of theirs.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.normalizing import normalize
from assistant.types import Answer, Citation

COMMAND = re.compile("`([^`]{1,200})`")  # how our hints write one


@dataclass(frozen=True)
class Notice:
    """Why an exchange has no answer, in a sentence, and the way out of it."""

    message: str
    hint: str = ""


def safe(value: str) -> str:
    """``value`` cleaned and escaped, for the inside of an element or a quoted attribute."""
    return html.escape(normalize(value))


def day(published: dt.date | None) -> str:
    """``12 March 2021``, or ``undated``."""
    return f"{published.day} {published:%B %Y}" if published else "undated"


def origin(source: str, published: dt.date | None, locator: str | None) -> str:
    """``The Outlet · 12 March 2021 · page 3``, not escaped."""
    return " · ".join(part for part in (source, day(published), locator) if part)


def notice(shown: Notice) -> str:
    hint = COMMAND.sub(r"<code>\1</code>", safe(shown.hint))
    hint = f' <span class="hint">Try: {hint}.</span>' if hint else ""
    return f'<p class="notice" role="alert">{safe(shown.message)}{hint}</p>'


def marker(ref: str, citation: Citation) -> str:
    """The button that opens a citation's words in the reading panel."""
    where = origin(citation.source, citation.published, citation.locator)
    name = safe(f"Open source {citation.marker}: {citation.title}, {where}")
    return (
        f'<button type="button" class="marker" data-ref="{safe(ref)}" aria-label="{name}"'
        f' title="{safe(citation.title)}">[{citation.marker}]</button>'
    )


def citations(answer: Answer) -> Iterator[tuple[str, Citation]]:
    """Every citation under a key of its own: two may bear one number and mark other words."""
    for i, sentence in enumerate(answer.sentences):
        for j, citation in enumerate(sentence.citations):
            yield f"{answer.id}/{i}.{j}", citation
    for i, conflict in enumerate(answer.conflicts):
        for j, side in enumerate(conflict.sides):
            yield f"{answer.id}/c{i}.{j}", side.citation
    for i, event in enumerate(answer.timeline):
        yield f"{answer.id}/t{i}", event.citation


def numbered(answer: Answer) -> Iterator[tuple[str, Citation]]:
    """The first citation of each number."""
    seen: set[int] = set()
    for key, citation in citations(answer):
        if citation.marker not in seen:
            seen.add(citation.marker)
            yield key, citation
