"""webpage.py: the article without the site, its own facts, and nothing that the page hides."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from assistant.errors import LoadingError
from assistant.parsing import Parsed, assemble
from assistant.webpage import parse_html

URL = "https://www.ledger.example/news/a.html"
ARTICLE = """
<nav><a href=/>Home</a> <a href=/b>News</a></nav>
<article><h1>Talks in Yerevan</h1>
<p>The council met on <b>Monday</b> and <a href=x>left</a> on Tuesday.</p>
<h2>What was said</h2>
<ul><li>first point</li><li>second <i>point</i><ul><li>inner</li></ul></li></ul>
<table><tr><th>Country</th><th>Dead</th></tr><tr><td>Armenia</td><td>105</td></tr></table>
<blockquote><p>We said no.</p></blockquote>
<figure><img src=a.png alt="ALT"><figcaption>The hall, photographed in 2021.</figcaption></figure>
<p>First line<br>second line</p></article>
<footer>Subscribe now</footer>
"""


def page(head: str = "", body: str = ARTICLE, lang: str = 'lang="en"') -> bytes:
    return f"<!doctype html><html {lang}><head>{head}</head><body>{body}</body></html>".encode()


def text_of(content: bytes) -> str:
    return assemble(parse_html(content, URL).blocks)[0]


def read(head: str) -> Parsed:
    return parse_html(page(head), URL)


def test_the_article_without_the_site() -> None:
    text, marks = assemble(parse_html(page(), URL).blocks)
    assert text.split("\n\n") == [
        "Talks in Yerevan",
        "The council met on Monday and left on Tuesday.",
        "What was said",
        "first point",
        "second point",
        "inner",
        "Country | Dead",
        "Country: Armenia; Dead: 105",
        "We said no.",
        "The hall, photographed in 2021.",
        "First line\nsecond line",
    ]
    assert [(mark.level, mark.label) for mark in marks] == [
        (1, "Talks in Yerevan"),
        (2, "What was said"),
    ]
    assert all(text[mark.start :].startswith(mark.label) for mark in marks)


@pytest.mark.parametrize(
    "body",
    ["<p>Hi there.</p>", "Hi there.", "<div>Hi there.</div>", "<b>Hi</b> there.",
     "<main><p>Hi there.", "<table><tr><td>Hi there.</td></tr></table>"],
)  # fmt: skip
def test_short_pages_are_not_lost(body: str) -> None:
    assert text_of(page(body=body)) == "Hi there."
    assert text_of(body.encode()) == "Hi there."


def test_a_short_article_keeps_its_parts() -> None:
    body = "<nav><a>Home</a></nav><article><h1>A</h1><p>b.</p><h2>C</h2><p>d.</p></article>"
    text, marks = assemble(parse_html(page(body=body), URL).blocks)
    assert text == "A\n\nb.\n\nC\n\nd."
    assert len(marks) == 2


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display:none'>CANARY</p>",
        "<div style='DISPLAY : none !important'><p>CANARY</p></div>",
        "<p style='visibility:hidden'>CANARY</p>",
        "<p style='color:red;opacity:0'>CANARY</p>",
        "<p style='font-size:0'>CANARY</p>",
        "<p style='font-size:1px'>CANARY</p>",
        "<p style='position:absolute;left:-9999px'>CANARY</p>",
        "<p style='text-indent:-9999px'>CANARY</p>",
        "<p hidden>CANARY</p>",
        "<!-- CANARY -->",
        "<template><p>CANARY</p></template>",
        "<noscript><p>CANARY</p></noscript>",
        "<script>CANARY</script>",
        "<style>CANARY</style>",
        "<img alt='CANARY' title='CANARY'>",
        "<iframe srcdoc='CANARY'>CANARY</iframe>",
        "<svg><text>CANARY</text></svg>",
        "<textarea hidden>CANARY</textarea>",
        "<p>x</p><p style='display:none'>a<span>CANARY</span></p>",
    ],
)
@pytest.mark.parametrize("around", ["<article>{}<p>Seen.</p></article>", "{}<p>Seen.</p>"])
def test_t19_what_the_page_hides_is_not_text(hidden: str, around: str) -> None:
    text = text_of(page(body=around.format(hidden)))
    assert "CANARY" not in text
    assert "Seen." in text


@pytest.mark.parametrize(
    "style", ["margin-left:-100px", "font-size:10px", "font-size:1em", "opacity:0.5", "left:-5px"]
)
def test_t19_what_the_page_shows_is_text(style: str) -> None:
    assert "Seen." in text_of(page(body=f"<article><p style='{style}'>Seen.</p></article>"))


def test_t11_nothing_outside_the_page_is_read(tmp_path: object) -> None:
    content = b"""<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">
    <!ENTITY a "CANARY"><!ENTITY b "&a;&a;&a;&a;">]><html><body><article><p>Seen &x; &b;</p>
    <xi:include href="/etc/passwd" parse="text"/></article></body></html>"""
    text = text_of(content)
    assert "Seen" in text
    assert "root:" not in text


FACTS = """<title>Talks in Yerevan - The Ledger</title>
<meta property="og:site_name" content="The Ledger"><meta name="author" content="Anna Petrosyan">
<meta property="article:published_time" content="2022-09-14T23:10:00+04:00">
<meta property="article:modified_time" content="2023-01-01">"""


def test_facts_are_those_of_the_metadata() -> None:
    parsed = read(FACTS)
    assert parsed.title == "Talks in Yerevan"
    assert parsed.source == "The Ledger"
    assert parsed.author == "Anna Petrosyan"
    assert parsed.published == dt.date(2022, 9, 14)
    assert parsed.language == "en"


LD = '<script type="application/ld+json">{"@type":"NewsArticle",%s}</script>'


@pytest.mark.parametrize(
    "head",
    [
        '<meta name="date" content="2022-09-13">',
        '<meta name="DC.date.issued" content="2022-09-13">',
        '<meta name="pubdate" content="20220913">',
        '<meta itemprop="datePublished" content="2022-09-13T10:00">',
        LD % '"dateModified":"2023-01-01","datePublished": "2022-09-13T10:00:00Z"',
        '<meta name="date" content="2021-01-01"><meta name="published" content="2022-09-13">',
    ],
)
def test_the_day_of_publication(head: str) -> None:
    assert read(head).published == dt.date(2022, 9, 13)


def test_the_day_in_the_body() -> None:
    body = ARTICLE + '<time datetime="2022-09-13">13 Sep</time>'
    assert parse_html(page(body=body), URL).published == dt.date(2022, 9, 13)
    marked = '<time pubdate datetime="2022-09-13">x</time><time datetime="2020-01-01">y</time>'
    assert parse_html(page(body=ARTICLE + marked), URL).published == dt.date(2022, 9, 13)
    several = '<time datetime="2022-09-13">x</time><time datetime="2020-01-01">y</time>'
    assert parse_html(page(body=ARTICLE + several), URL).published is None


@pytest.mark.parametrize(
    "head",
    [
        "",
        '<meta property="article:published_time" content="2022-09">',
        '<meta property="article:modified_time" content="2022-09-13">',
        '<meta name="last-modified" content="2022-09-13">',
        '<meta name="publication-last-updated" content="2022-09-13">',
        '<meta itemprop="copyrightYear" content="2022">',
        '<meta property="og:image" content="https://a.b/2022/09/13/x.jpg">',
        LD % '"dateModified":"2022-09-13"',
        "<title>News of 2022-09-13</title>",
        '<meta name="date" content="04/05/2022">',
    ],
)
def test_no_day_is_made_up(head: str) -> None:
    body = ARTICLE.replace("<h1>Talks", "<h1>2022-09-13: Talks")
    assert parse_html(page(head, body), "https://a.b/2022/09/13/x.html").published is None


def test_without_a_site_name_the_host_says_it() -> None:
    assert parse_html(page(), URL).source == "ledger.example"
    assert parse_html(page(), "a.html").source is None


@pytest.mark.parametrize(
    ("charset", "encoding"), [("windows-1251", "cp1251"), ("koi8-r", "koi8_r"), ("utf-8", "utf-8")]
)
def test_r23_the_charset_that_the_page_declares(charset: str, encoding: str) -> None:
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    content = page(head, "<p>Заседание.</p>").decode().encode(encoding)
    assert text_of(content) == "Заседание."


def test_an_encyclopedia_article() -> None:
    body = """<article><h2>Details<span class="mw-editsection">[edit]</span></h2>
    <p>Given <span class="mwe-math-element"><span style="display: none;"><math
    alttext="{\\displaystyle x_{i}}"><mi>x</mi></math></span><img alt="{\\displaystyle x_{i}}">
    </span> objects,<sup class="reference">[1]</sup> it is computed.</p>
    <div class="navbox"><p>See also everything</p></div></article>"""
    assert text_of(page(body=body)) == "Details\n\nGiven x_{i} objects, it is computed."


@pytest.mark.parametrize(
    "content", [b"<html></html>", page(body=""), page(body="<script>x</script>"), b"<!-- c -->"]
)
def test_r24_a_page_without_text(content: bytes) -> None:
    with pytest.raises(LoadingError) as caught:
        parse_html(content, "a.html")
    assert caught.value.reason in ("no_text", "unreadable")


def outcome(content: bytes) -> str:
    try:
        parse_html(content, "a.html")
    except LoadingError as error:
        return error.reason
    return "read"


@pytest.mark.parametrize("unit", ["<div>", "<p>", "<", "&", "<a ", "<table>", "</p>", "<b><i>"])
def test_t34_deep_and_broken_pages_end(unit: str) -> None:
    assert outcome(page(body=f"<p>Words.</p>{unit * 20_000}x")) in ("read", "no_text")


def test_t13_damaged_pages_are_read_or_named() -> None:
    content, generator = page(FACTS), random.Random(0)
    for _ in range(60):
        damaged = bytearray(content[: generator.randrange(1, len(content))])
        for _ in range(generator.choice([0, 1, 10])):
            damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
        assert outcome(bytes(damaged)) in ("read", "no_text", "unreadable")
