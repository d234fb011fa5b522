"""The row of filters under the question: which documents it is asked of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.types import Document, Filters
from assistant.ui.markup import day

NAMED = 40  # characters of a title in the list of documents


@dataclass(frozen=True)
class FilterRow:
    """Its components, in the order in which ``filtering.read_filters`` takes their values."""

    since: Any
    until: Any
    as_of: Any
    sources: Any
    languages: Any
    documents: Any

    @property
    def inputs(self) -> list[Any]:
        return [
            self.since,
            self.until,
            self.as_of,
            self.sources,
            self.languages,
            self.documents,
        ]

    def offer(self, documents: Sequence[Document]) -> dict[Any, Any]:
        """What there is to choose from, as updates of the components."""
        import gradio as gr

        titles = sorted((_shortened(d.title), d.id) for d in documents)
        return {
            self.sources: gr.Dropdown(choices=sorted({d.source for d in documents})),
            self.languages: gr.Dropdown(choices=sorted({d.language for d in documents})),
            self.documents: gr.Dropdown(choices=titles),
        }


def lay_out() -> FilterRow:
    """The row, closed until somebody opens it."""
    import gradio as gr

    with gr.Accordion("Filters", open=False, elem_id="filters"):
        with gr.Row():
            since, until, as_of = (
                gr.Textbox(label=label, placeholder="2022-09-13", max_lines=1, info=info)
                for label, info in (
                    ("Since", "published on or after"),
                    ("Until", "published on or before"),
                    ("As of", "as known on this day"),
                )
            )
        with gr.Row():
            sources, languages, documents = (
                gr.Dropdown([], label=label, multiselect=True)
                for label in ("Source", "Language", "Document")
            )
    return FilterRow(since, until, as_of, sources, languages, documents)


def described(filters: Filters) -> str:
    """``published since 3 May 2021, in en``; empty when nothing is filtered."""
    bounds = (("since", filters.since), ("until", filters.until), ("as of", filters.as_of))
    parts = [f"published {words} {day(bound)}" for words, bound in bounds if bound]
    if filters.sources:
        parts.append(f"from {' or '.join(filters.sources)}")
    if filters.languages:
        parts.append(f"in {' or '.join(filters.languages)}")
    if filters.documents:
        count = len(filters.documents)
        parts.append("of one document" if count == 1 else f"of {count} documents")
    return ", ".join(parts)


def _shortened(title: str) -> str:
    return title if len(title) <= NAMED else f"{title[: NAMED - 1]}…"
