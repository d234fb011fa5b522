"""slides.py: what the audience of a presentation sees, with the slide it is on."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pptx
import pytest
from pptx.util import Inches

from assistant.errors import LoadingError
from assistant.parsing import assemble
from assistant.slides import parse_pptx
from tests.making import Text, saved
from tests.making import pptx as made

TEXT = Text("Talks", ["They met.", "They left."], [("Country", "Seats"), ("Armenia", "107")])


def read(content: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    text, marks = assemble(parse_pptx(content, "a.pptx").blocks)
    return text.split("\n\n"), [(mark.kind, mark.label) for mark in marks]


def test_titles_paragraphs_and_tables_with_their_slides() -> None:
    text, marks = read(made(TEXT))
    assert text == [
        *("Talks", "They met.", "Talks", "They left.", "Country | Seats"),
        "Country: Armenia; Seats: 107",
    ]
    assert marks == [
        *(("slide", "slide 1"), ("heading", "Talks"), ("slide", "slide 2"), ("heading", "Talks")),
        ("slide", "slide 3"),
    ]


def edited(change: Any) -> bytes:
    presentation = pptx.Presentation(io.BytesIO(made(TEXT)))
    change(presentation)
    return saved(presentation)


def test_t19_hidden_slides_notes_and_shapes_are_not_read() -> None:
    def hide(presentation: Any) -> None:
        slides = presentation.slides
        slides[0].element.set("show", "0")
        slides[1].notes_slide.notes_text_frame.text = "CANARY"
        box = slides[1].shapes.add_textbox(*map(Inches, (1, 1, 1, 1)))
        box.text_frame.text = "CANARY"
        box.element.xpath(".//p:cNvPr")[0].set("hidden", "1")

    text, marks = read(edited(hide))
    assert "They met." not in text
    assert "CANARY" not in " ".join(text)
    assert marks[0] == ("slide", "slide 2")  # as the program counts them


def test_shapes_are_read_from_top_to_bottom_and_groups_within() -> None:
    def add(presentation: Any) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        for top, words in ((5, "third"), (1, "first")):
            slide.shapes.add_textbox(*map(Inches, (1, top, 1, 1))).text_frame.text = words
        group = slide.shapes.add_group_shape()
        group.shapes.add_textbox(*map(Inches, (1, 3, 1, 1))).text_frame.text = "second"

    assert read(edited(add))[0][-3:] == ["first", "second", "third"]


def test_properties_and_what_the_template_says() -> None:
    def write(presentation: Any) -> None:
        presentation.core_properties.author = "The Caspian Ledger"
        presentation.core_properties.created = dt.datetime(2022, 9, 14)

    parsed = parse_pptx(edited(write), "a.pptx")
    assert (parsed.title, parsed.source) == ("Talks", "The Caspian Ledger")
    assert (parsed.published, parsed.published_from) == (
        dt.date(2022, 9, 14),
        "document properties",
    )
    assert parse_pptx(made(TEXT), "a.pptx").published is None


def test_r24_slides_without_words() -> None:
    presentation = pptx.Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[6])
    with pytest.raises(LoadingError) as caught:
        parse_pptx(saved(presentation), "a.pptx")
    assert caught.value.reason == "no_text"
