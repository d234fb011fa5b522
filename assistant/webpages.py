"""Addresses of the web -> the pages to take in, asked for only when they may have changed."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from assistant.crawling import Site, pages
from assistant.errors import LoadingError
from assistant.fetching import Fetched, Limits, parse
from assistant.loading import content_digest, document_id

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.settings import Settings

_ENDINGS = {"text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf"}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Page(NamedTuple):
    """A document of the web that is to be taken in."""

    url: str
    site: Site
    error: LoadingError | None = None  # why it is known that it cannot be


class Content(NamedTuple):
    """What came from a page."""

    name: str  # such as a file of this content would have
    content: bytes
    visit: Fetched


def is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def discover(settings: Settings, urls: Iterable[str]) -> Iterator[Page]:
    """The pages at these addresses; of a sitemap or a feed, those that it lists."""
    site = Site(
        Limits.of(settings.fetching, settings.library.max_file_mb * 2**20), settings.fetching.pause
    )
    for url in urls:
        try:
            address = str(parse(url))
            listed = None
            if _may_list(address):
                found = site.fetch(address)
                listed = pages(site, found, settings.fetching.pages) if found else None
            yield from (Page(each, site) for each in ([address] if listed is None else listed))
        except LoadingError as error:
            yield Page(url, site, error)


def _may_list(url: str) -> bool:
    """Whether to look at once what is there; a page is asked for when its turn comes."""
    path = parse(url).path.lower()
    return path.endswith((".xml", ".xml.gz", ".rss", ".atom", ".rdf")) or any(
        part in {"feed", "feeds", "rss", "atom"} for part in path.split("/")
    )


def content_of(library: Library, page: Page) -> Content | None:
    """What is at the page; None when it is as it is held. Raises LoadingError."""
    if page.error:
        raise page.error
    etag, modified = _last_visit(library, page.url)
    found = page.site.fetch(page.url, etag=etag, modified=modified)
    if found is None:
        return None
    return Content(_name(page.url, found.kind), _marked(found), found)


def _name(url: str, kind: str) -> str:
    name = PurePosixPath(parse(url).path).name or "page"
    ending = _ENDINGS.get(kind)
    return name if ending is None or name.lower().endswith(ending) else f"{name}{ending}"


def _marked(found: Fetched) -> bytes:
    """The content, as UTF-8 that says so when it is text in the charset that the server tells."""
    if not found.charset or not found.kind.startswith("text/") or found.content[:3] in _MARKS:
        return found.content
    try:
        return codecs.BOM_UTF8 + found.content.decode(found.charset).encode()
    except (LookupError, UnicodeError):  # servers are wrong about it often
        return found.content


def _last_visit(library: Library, url: str) -> tuple[str | None, str | None]:
    """What to ask with, if the version that came then is still held."""
    with library.reading() as connection:
        row = connection.execute(
            "SELECT etag, modified FROM visits v WHERE uri = ? AND EXISTS (SELECT 1 FROM documents"
            " WHERE id = v.document_id AND state IN ('pending', 'ready', 'live'))",
            (url,),
        ).fetchone()
    return row or (None, None)


def note(library: Library, url: str, found: Content) -> None:
    """Remembers what to ask with when the page is visited again."""
    name = document_id(url, content_digest(found.content))
    with library.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?)",
            (url, name, found.visit.etag, found.visit.modified),
        )
