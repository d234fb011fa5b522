from __future__ import annotations

import gzip
import time

import pytest

from assistant.crawling import Site, pages
from assistant.errors import LoadingError
from assistant.fetching import Fetched, Limits
from tests.unit.test_fetching import Handler, limits, reply, server

__all__ = ["limits", "server"]

SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><link href="/self"/><entry>'
    '<link rel="edit" href="/e"/><link href="/d"/></entry></feed>'
)
XXE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def page(text: str | bytes) -> Fetched:
    content = text if isinstance(text, bytes) else text.encode()
    return Fetched("https://news.test/list/", content, "", None, None, None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SITEMAP.format("<url><loc> https://news.test/a </loc></url>"), ["https://news.test/a"]),
        (
            gzip.compress(SITEMAP.format("<url><loc>/b</loc></url>").encode()),
            ["https://news.test/b"],
        ),
        (
            "<rss><channel><link>https://news.test</link><item><link>c</link></item></channel></rss>",
            ["https://news.test/list/c"],
        ),
        (
            ATOM,
            ["https://news.test/d"],
        ),
        (SITEMAP.format("<url><loc>javascript:x</loc></url><url><loc>file:///a</loc></url>"), []),
        (XXE + SITEMAP.format("<url><loc>&x;</loc></url>"), []),
        (BOMB + SITEMAP.format("<url><loc>&b;</loc></url>"), []),
        ("<html><body>A page</body></html>", None),
        ("no markup", None),
        ("<urlset", None),
        (b"%PDF-1.7", None),
        (b"\x1f\x8b broken", None),
    ],
)
def test_pages_that_are_listed(text: str | bytes, wanted: list[str] | None) -> None:
    site = Site(Limits(2**20, 1, (80,), ()), pause=0)
    assert pages(site, page(text), 10) == wanted


def test_sitemaps_of_sitemaps_end(server: str, limits: Limits) -> None:
    index = f"<sitemapindex><sitemap><loc>{server}/index</loc></sitemap></sitemapindex>"
    Handler.routes["/robots.txt"] = reply(status=404)
    Handler.routes["/index"] = reply(index.encode())
    site = Site(limits, pause=0)
    found = site.fetch(f"{server}/index")
    assert found is not None
    assert pages(site, found, 10) == []
    assert len(Handler.asked) < 8


def test_what_robots_txt_closes_is_not_asked_for(server: str, limits: Limits) -> None:
    rules = b"User-agent: *\nDisallow: /\n\nUser-agent: cited-assistant\nDisallow: /private/*.html"
    Handler.routes["/robots.txt"] = reply(rules)
    Handler.routes["/open"] = reply(b"words")
    site = Site(limits, pause=0)
    assert site.fetch(f"{server}/open") is not None
    with pytest.raises(LoadingError, match=r"robots\.txt") as caught:
        site.fetch(f"{server}/private/a.html")
    assert caught.value.reason == "refused"
    assert [path for path, _ in Handler.asked] == ["/robots.txt", "/open"]


def test_a_site_whose_rules_do_not_come_is_closed(server: str, limits: Limits) -> None:
    Handler.routes["/robots.txt"] = reply(status=503)
    Handler.routes["/open"] = reply(b"words")
    with pytest.raises(LoadingError):
        Site(limits, pause=0).fetch(f"{server}/open")
    assert [path for path, _ in Handler.asked] == ["/robots.txt"]


def test_a_host_is_given_its_pause(server: str, limits: Limits) -> None:
    Handler.routes["/robots.txt"] = reply(b"User-agent: *\nCrawl-delay: 0.4")
    Handler.routes["/"] = reply(b"words")
    site = Site(limits, pause=0)
    started = time.monotonic()
    site.fetch(f"{server}/")
    site.fetch(f"{server}/")
    assert time.monotonic() - started >= 0.39
