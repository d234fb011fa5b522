"""A web page -> the text of its article, without the site around it and what it hides."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assistant import tables
from assistant.decoding import decoded
from assistant.errors import LoadingError
from assistant.languages import declared
from assistant.normalizing import normalize
from assistant.parsing import Block, Parsed, day, heading

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,20})""", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")

_HIDING = re.compile(
    r"display:none|visibility:hidden|opacity:0(?:\.0+)?(?:;|$)|font-size:(?:0(?:\D|$)|[01](?:\.\d+)?p[xt])"
    r"|text-indent:-\d{3}|(?<![\w-])(?:left|top):-\d{3}"
)
_UNREAD = {"script", "style", "template", "noscript", "svg", "iframe", "object", "canvas", "head"}
# What MediaWiki puts around and into an article; trafilatura keeps it.
_CHROME = {
    "mw-editsection", "mw-jump-link", "mw-cite-backlink", "mw-empty-elt", "reference", "navbox",
    "vertical-navbox", "sidebar", "toc", "catlinks", "noprint", "printfooter",
}  # fmt: skip
_INLINE = {"a", "abbr", "b", "bdi", "cite", "code", "em", "font", "i", "mark", "q", "s", "small",
           "span", "strong", "sub", "sup", "time", "u"}  # fmt: skip
_AROUND = {"nav", "header", "footer", "aside", "form", "button"}

# Keys of <meta> that name the day of publication, by what they contain.
_PUBLISHED = re.compile(r"publi|pubdate|issued|post_date|date_original|articledate|release")
_CREATED = re.compile(r"created|(?:^|[.:_-])date$")
_NOT_PUBLISHED = re.compile(r"modif|updat|revis|expir|copyright|publisher|access")
# What trafilatura and lxml raise on damaged pages; an empty page is a ParserError, a ValueError.
_BROKEN = (ValueError, RecursionError, TypeError, AttributeError)
_JSON_PUBLISHED = re.compile(r'"datePublished"\s{0,9}:\s{0,9}"([^"]{8,40})"')


def parse_html(content: bytes, uri: str) -> Parsed:
    """The article's paragraphs, headings, list items and table rows; formulas as their TeX.

    The title, site, author and day are those the page's metadata names (meta, JSON-LD, microdata,
    a single <time>); nothing is guessed from its words, an image's path or the clock.
    Raises LoadingError: ``no_text``, ``unreadable``.
    """
    import trafilatura
    from lxml.etree import LxmlError

    try:
        tree = parsed(content)
        published, published_from = _published(tree)
        facts = trafilatura.extract_metadata(_facts(tree), default_url=_url(uri), extensive=False)
        _spell_formulas(tree)
        drop_unseen(tree)
        blocks = tuple(_article(tree))
    except (*_BROKEN, LxmlError) as error:
        raise LoadingError(
            "unreadable", f"{uri} is no web page that can be read: {error}", "save the page again"
        ) from error
    if not any(block.text.strip() for block in blocks):
        raise LoadingError("no_text", f"{uri} shows no text", "save it as the browser shows it")
    return Parsed(
        blocks,
        title=_without_site(facts.title, facts.sitename),
        source=facts.sitename,
        author=facts.author,
        published=published,
        published_from=published_from,
        language=declared(tree.get("lang")),
    )


def parsed(content: bytes, charset: str | None = None) -> HtmlElement:
    """The page, in the encoding that somebody else or the page itself names."""
    from lxml import html

    named = _CHARSET.search(content[:4096])
    text = decoded(content, charset or (named[1].decode() if named else None))
    text = _DECLARATION.sub("", normalize(text), count=1)  # lxml refuses control characters
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False
    )
    return html.document_fromstring(text.encode(), parser=parser)


def _url(uri: str) -> str | None:
    return uri if uri.startswith(("http://", "https://")) else None


def _facts(tree: HtmlElement) -> HtmlElement:
    """A page of only the metadata, so that nothing can be taken from the words or the layout."""
    from lxml import html

    facts = html.document_fromstring("<html><head></head><body><p></p></body></html>")
    head, body = facts
    for element in tree.iter("meta", "title", "link"):
        head.append(copy.deepcopy(element))
    for element in tree.iter("script"):
        if element.get("type") == "application/ld+json":
            body.append(copy.deepcopy(element))
    return facts


def _published(tree: HtmlElement) -> tuple[dt.date | None, str | None]:
    """The day of publication and what names it: the most explicit thing that does.

    Not htmldate: it completes 2022-09 with today's day, and 2022-09-24 would be cited as a fact.
    """
    named = [(_key(meta), meta.get("content")) for meta in tree.iter("meta")]
    named = [(key, value) for key, value in named if value and not _NOT_PUBLISHED.search(key)]
    times = list(tree.iter("time"))
    candidates = [("page metadata", value) for key, value in named if _PUBLISHED.search(key)]
    candidates += [
        ("JSON-LD", found)
        for script in tree.iter("script")
        for found in _JSON_PUBLISHED.findall(script.text or "")
    ]
    candidates += [
        ("microdata", element.get("datetime") or element.get("content") or element.text)
        for element in tree.iterfind(".//*[@itemprop='datePublished']")
    ]
    candidates += [
        ("time element", time.get("datetime")) for time in times if time.get("pubdate") is not None
    ]
    candidates += [("page metadata", value) for key, value in named if _CREATED.search(key)]
    if len(times) == 1:
        candidates.append(("time element", times[0].get("datetime")))
    dated = ((day(value), name) for name, value in candidates)
    return next(((found, name) for found, name in dated if found), (None, None))


def _key(meta: HtmlElement) -> str:
    return (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()


def _spell_formulas(tree: HtmlElement) -> None:
    """Puts a formula's TeX in its place: a sentence quoted without its formula is misquoted."""
    for formula in list(tree.iter("math")):
        tex = formula.get("alttext") or formula.text_content()
        tex = re.sub(r"^\s*\{\\(?:display|text)style\s*(.*)\}\s*$", r"\1", tex, flags=re.DOTALL)
        around = next(
            (a for a in formula.iterancestors("span") if "mwe-math-element" in a.classes), formula
        )
        if around.getparent() is not None:
            around.tail = f"{' '.join(tex.split())}{around.tail or ''}"
            around.drop_tree()


def drop_unseen(tree: HtmlElement) -> None:
    """Takes out of a page what its reader does not see."""
    for element in list(tree.iter("*")):
        if element.tag in ("figure", "figcaption"):  # trafilatura drops a caption with its image
            element.tag = "div" if element.tag == "figure" else "p"
        if element.tag not in ("html", "body") and _is_unseen(element):
            element.drop_tree()


def _is_unseen(element: HtmlElement) -> bool:
    style = "".join(element.get("style", "").lower().split())
    chrome = _CHROME.intersection(element.classes)
    if chrome == {"reference"}:
        chrome = chrome if element.tag == "sup" else set()
    return (
        element.tag in _UNREAD
        or element.get("hidden") is not None
        or bool(style and _HIDING.search(style))
        or bool(chrome)
    )


def _article(tree: HtmlElement) -> Iterator[Block]:
    import trafilatura

    found = trafilatura.bare_extraction(
        copy.deepcopy(tree), include_comments=False, with_metadata=False, config=_config()
    )
    body = None if found is None else found.body
    if body is not None and "".join(body.itertext()).strip():
        yield from _blocks(body)
    else:
        yield from _lines(tree)


@functools.cache
def _config() -> Any:
    import logging

    from trafilatura.settings import DEFAULT_CONFIG

    # It logs what it cannot parse, which we say ourselves.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    config = copy.deepcopy(DEFAULT_CONFIG)
    # Below this many characters it falls back to a rescue that loses paragraphs and headings.
    config["DEFAULT"]["MIN_EXTRACTED_SIZE"] = "1"
    return config


def _blocks(element: Any) -> Iterator[Block]:
    """Blocks of trafilatura's tree, which is a small TEI: head, p, list, item, table, row, cell."""
    yield Block(element.text or "")
    for child in element:
        if child.tag == "head":
            level = child.get("rend", "h2")[1:]
            yield heading(_words(child), int(level) if level.isdecimal() else 2)
        elif child.tag == "table":
            yield from tables.blocks([_words(c) for c in r] for r in child.iterfind("row"))
        elif child.tag in ("list", "table", "div") or child.find("p") is not None:
            yield from _blocks(child)
        else:
            yield Block(_words(child, until="list"))
            for inner in child.iterfind("list"):
                yield from _blocks(inner)
        yield Block(child.tail or "")


def _words(element: Any, until: str = "") -> str:
    """The text of an element on one line, or on as many as it breaks it into."""
    parts = [element.text or ""]
    for child in element:
        if child.tag != until:
            apart = {"lb": "\n", "p": " ", "item": " "}.get(child.tag, "")
            parts += [apart, _words(child), apart.strip("\n"), child.tail or ""]
    return "\n".join(" ".join(line.split()) for line in "".join(parts).split("\n"))


def _lines(tree: HtmlElement) -> Iterator[Block]:
    """What the page says, line by line, for a page in which no article is found."""
    for element in list(tree.iter("*")):
        if element.tag in _AROUND:
            element.drop_tree()
        elif element.tag not in _INLINE:
            element.text = f"\n{element.text or ''}"
            element.tail = f"\n{element.tail or ''}"
    yield from (Block(line) for line in tree.text_content().splitlines() if line.strip())


def _without_site(title: str | None, site: str | None) -> str | None:
    """``What we do`` of ``What we do - Creative Commons``."""
    for mark in "-–—|·»:":
        if title and site and title.endswith(f" {mark} {site}"):
            return title.removesuffix(f" {mark} {site}")
    return title
