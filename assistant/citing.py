"""A stretch of a found passage as a citation: the one place where citations are made."""

from __future__ import annotations

from assistant.chunking import locator
from assistant.types import Citation, ScoredPassage


def cite(scored: ScoredPassage, marker: int, start: int, end: int) -> Citation:
    """The words from ``start`` to ``end``, which count from the document's start, as a citation.

    They lie within the passage. What it says of the place is that of the words, not the passage.
    """
    passage, document = scored.passage, scored.document
    return Citation(
        marker=marker,
        document_id=document.id,
        passage_id=passage.id,
        title=document.title,
        source=document.source,
        published=document.published,
        locator=locator(document.marks, start) or passage.locator,
        start=start,
        end=end,
        quote=passage.text[start - passage.start : end - passage.start],
    )


def cite_whole(scored: ScoredPassage, marker: int) -> Citation:
    """The whole passage as a citation, for verification to narrow."""
    return cite(scored, marker, scored.passage.start, scored.passage.end)
