"""What a site lets be read and where its pages are: robots.txt, sitemaps, RSS and Atom feeds."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from protego import Protego

from assistant.errors import LoadingError
from assistant.fetching import AGENT, Fetched, Limits, fetch, parse

_ROBOTS_BYTES = 500 * 1024  # RFC 9309 asks that at least as much is read
_SITEMAP_BYTES = 50 * 2**20  # the most that sitemaps.org allows
_PATIENCE = 10.0  # seconds; a site that wants longer pauses is not waited for
_DEPTH = 3  # sitemaps that name sitemaps
_LISTS = {"urlset", "sitemapindex", "rss", "feed", "RDF"}


class Site:
    """The web as a polite visitor sees it, one request at a time; for one run of ``index``."""

    def __init__(self, limits: Limits, pause: float) -> None:
        self._limits, self._pause = limits, pause
        self._asking = threading.Lock()
        self._rules: dict[str, Protego | None] = {}
        self._visited: dict[str, float] = {}  # host -> when it was last asked

    def fetch(
        self, url: str, *, etag: str | None = None, modified: str | None = None
    ) -> Fetched | None:
        """As ``fetching.fetch``, no sooner than the site wants it.

        Raises LoadingError ``refused`` for what its robots.txt closes to this visitor.
        """
        with self._asking:
            rules = self._robots(url)
            if rules is not None and not rules.can_fetch(url, AGENT):
                raise LoadingError(
                    "refused", f"{url} is closed to programs by robots.txt", "save it as a file"
                )
            wanted = rules.crawl_delay(AGENT) if rules is not None else None
            self._wait(parse(url).host, max(self._pause, min(wanted or 0, _PATIENCE)))
            return fetch(url, self._limits, etag=etag, modified=modified)

    def _robots(self, url: str) -> Protego | None:
        """The rules of the site; None when it has none. One that does not answer is closed."""
        address = str(parse(url).copy_with(raw_path=b"/robots.txt"))
        if address not in self._rules:
            limits = replace(self._limits, max_bytes=_ROBOTS_BYTES)
            try:
                found = fetch(address, limits)
            except LoadingError as error:
                if error.reason not in ("not_found", "permission", "unsupported"):
                    raise
                found = None
            text = found.content.decode("utf-8", "replace") if found else None
            self._rules[address] = None if text is None else Protego.parse(text)
        return self._rules[address]

    def _wait(self, host: str, pause: float) -> None:
        due = self._visited.get(host, 0) + pause
        time.sleep(max(0, due - time.monotonic()))
        self._visited[host] = time.monotonic()


def pages(site: Site, page: Fetched, most: int, depth: int = _DEPTH) -> list[str] | None:
    """The addresses, ``most`` at most, that a sitemap or a feed lists, those of its sitemaps too.

    None for any other document. A sitemap below it that cannot be read is left out.
    """
    root = _xml(page.content)
    if root is None or _name(root) not in _LISTS:
        return None
    found = dict.fromkeys(urljoin(page.url, link) for link in _listed(root) if link)
    listed = [link for link in found if link.startswith(("http://", "https://"))]
    if _name(root) != "sitemapindex":
        return listed[:most]
    inner: dict[str, None] = {}
    for link in listed if depth else ():
        if len(inner) >= most:
            break
        with suppress(LoadingError):
            below = site.fetch(link)
            inner.update(dict.fromkeys((below and pages(site, below, most, depth - 1)) or ()))
    return list(inner)[:most]


def _listed(root: Any) -> Iterator[str]:
    for element in root.iter("{*}loc", "{*}item", "{*}entry"):
        if _name(element) == "loc" and _name(element.getparent()) in ("url", "sitemap"):
            yield (element.text or "").strip()
        elif _name(element) == "item":
            yield (element.findtext("{*}link") or "").strip()
        elif _name(element) == "entry":
            links = [
                link.get("href", "").strip()
                for link in element.iterfind("{*}link")
                if link.get("rel", "alternate") == "alternate"
            ]
            yield from links[:1]


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _xml(content: bytes) -> Any:
    """The root of a document that is XML; no entity is expanded and nothing loaded (T11)."""
    from lxml import etree

    if content.startswith(b"\x1f\x8b"):  # sitemap.xml.gz
        try:
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, _SITEMAP_BYTES)
        except zlib.error:
            return None
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
