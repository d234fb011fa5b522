from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.settings import ChunkingSettings, FetchingSettings, Settings
from assistant.types import IndexReport
from tests.fakes import ChromaHere
from tests.unit.test_fetching import Handler, reply, server
from tests.unit.test_ingestion import Place

__all__ = ["server"]

PAGE = "<html><head><title>{0}</title></head><body><article><p>{1}</p></article></body></html>"
TEXT = "The summit of the alliance was held in Minsk on Monday, and all members took part in it."


class Web(Place):
    def get(self, *urls: str) -> IndexReport:
        return self.index(*urls)  # type: ignore[arg-type]


@pytest.fixture
def web(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)
    port = int(server.rpartition(":")[2])
    fetching = FetchingSettings(ports=(port,), allow=("127.0.0.0/8",), pause=0, seconds=5)
    Handler.routes["/robots.txt"] = reply(status=404)
    web = Web(tmp_path)
    web.settings = Settings(chunking=ChunkingSettings(size=32), fetching=fetching)
    yield web
    web.close()


def test_a_page_is_a_document_of_its_host_and_is_asked_for_only_when_changed(
    web: Web, server: str
) -> None:
    Handler.routes["/summit"] = reply(
        PAGE.format("Summit", TEXT).encode(), Content_Type="text/html", ETag='"1"'
    )
    assert web.get(f"{server}/summit").added == (f"{server}/summit",)
    [document] = web.library.documents()
    assert (document.title, document.source) == ("Summit", server.removeprefix("http://"))
    assert TEXT in web.library.document(document.id).text

    Handler.routes["/summit"] = reply(status=304)
    assert web.get(f"{server}/summit").unchanged == (f"{server}/summit",)
    assert Handler.asked[-1][1]["if-none-match"] == '"1"'

    Handler.routes["/summit"] = reply(
        PAGE.format("Summit", TEXT.replace("Minsk", "Astana")).encode(), Content_Type="text/html"
    )
    assert web.get(f"{server}/summit").updated == (f"{server}/summit",)
    assert web.found("Astana") == ["summit"]
    assert web.found("Minsk") == []


def test_what_came_but_was_not_kept_is_asked_for_again(web: Web, server: str) -> None:
    Handler.routes["/"] = reply(PAGE.format("A", TEXT).encode(), Content_Type="text/html", ETag="1")
    web.get(f"{server}/")
    web.remove(f"{server}/")
    web.get(f"{server}/")
    assert "if-none-match" not in Handler.asked[-1][1]
    assert len(web.library.documents()) == 1


def test_every_page_of_a_sitemap_is_taken_in_and_a_lost_one_is_a_failure(
    web: Web, server: str
) -> None:
    urls = "".join(f"<url><loc>{server}/{name}</loc></url>" for name in "abc")
    Handler.routes["/sitemap.xml"] = reply(f"<urlset>{urls}</urlset>".encode())
    for name in "ab":
        Handler.routes[f"/{name}"] = reply(
            PAGE.format(name, f"{name} {TEXT}").encode(), Content_Type="text/html"
        )
    Handler.routes["/c"] = reply(status=404)
    report = web.get(f"{server}/sitemap.xml")
    assert report.added == (f"{server}/a", f"{server}/b")
    assert [(f.uri, f.reason) for f in report.failed] == [(f"{server}/c", "not_found")]


def test_the_charset_of_the_server_counts(web: Web, server: str) -> None:
    words = "Саммит организации прошёл в Минске в понедельник."
    Handler.routes["/"] = reply(words.encode("koi8-r"), Content_Type="text/plain; charset=koi8-r")
    web.get(f"{server}/")
    [document] = web.library.documents()
    assert web.library.document(document.id).text == words


def test_an_address_that_may_not_be_read_is_a_failure(web: Web) -> None:
    report = web.get("http://169.254.169.254/", "https://user@example.org/")
    assert [failure.reason for failure in report.failed] == ["refused", "bad_url"]
