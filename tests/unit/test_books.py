"""books.py and markup.py: every word of a book in its order, nothing of what is around it."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant import markup, webpage
from assistant.books import parse_epub
from assistant.errors import LoadingError
from assistant.parsing import assemble
from tests.making import CONTAINER, Text, epub, opf, zipped

TEXT = Text("Talks", ["They met.", "They left."], [("Country", "Seats"), ("Armenia", "107")])


def book(**parts: str | bytes) -> bytes:
    named = {f"OEBPS/{name}.xhtml": part for name, part in parts.items()}
    extra = '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    package = opf(TEXT, [f"{name}.xhtml" for name in parts], extra)
    package = package.replace("</spine>", '<itemref idref="n"/></spine>')
    return zipped(
        {
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": package,
            "OEBPS/nav.xhtml": "<html><body><nav>Contents</nav></body></html>",
            **named,
        }
    )


def test_chapters_in_reading_order_without_the_navigation() -> None:
    content = book(z="<html><body><h1>One</h1><p>a</p></body></html>", a="<p>b</p>")
    assert assemble(parse_epub(content, "a.epub").blocks)[0] == "One\n\na\n\nb"


def test_facts_are_those_of_the_package() -> None:
    parsed = parse_epub(epub(TEXT), "a.epub")
    assert (parsed.title, parsed.author, parsed.language) == ("Talks", "Anna Petrosyan", "en")
    assert (parsed.published, parsed.published_from) == (dt.date(2022, 9, 13), "book metadata")
    assert assemble(parsed.blocks)[0].endswith("Country: Armenia; Seats: 107")


def test_r24_a_book_of_pictures() -> None:
    with pytest.raises(LoadingError) as caught:
        parse_epub(book(a="<html><body><img src='a.png'/></body></html>"), "a.epub")
    assert caught.value.reason == "no_text"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a <b>b</b>c<br>d</p>e", "a bc\nd\n\ne"),
        ("<ul><li>a</li><li>b <i>c</i></li></ul>", "- a\n\n- b c"),
        ("<h2>A <em>b</em></h2>c", "A b\n\nc"),
        ("<table><tr><td>a<td><table><tr><td>b<td>c</table></table>", "a\n\nb | c"),
        ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
        ("<blockquote><p>a\n  b</p></blockquote>", "a b"),
        ("a&nbsp;b &amp; c", "a b & c"),
    ],
)
def test_a_page_in_blocks(page: str, text: str) -> None:
    tree = webpage.parsed(f"<html><body>{page}</body></html>".encode())
    assert assemble(markup.whole(tree))[0] == text
