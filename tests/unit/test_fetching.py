from __future__ import annotations

import gzip
import ipaddress
import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import connecting, fetching
from assistant.errors import LoadingError
from assistant.fetching import Limits, fetch, parse

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
STRICT = Limits(max_bytes=2**20, seconds=5, ports=(80, 443), allowed=())
Serve = Callable[[BaseHTTPRequestHandler], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says; remembers what was asked."""

    routes: ClassVar[dict[str, Serve]] = {}
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        try:
            self.routes[self.path](self)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def reply(
    body: bytes = b"", status: int = 200, cut: bool = False, **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "text/plain", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        if cut:
            handler.close_connection = True

    return serve


@pytest.fixture
def server() -> Iterator[str]:
    Handler.routes, Handler.asked = {}, []
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def limits(server: str) -> Limits:
    port = int(server.rpartition(":")[2])
    return Limits(max_bytes=2**20, seconds=2, ports=(80, 443, port), allowed=LOOPBACK)


def refused(url: str, limits: Limits = STRICT) -> str:
    with pytest.raises(LoadingError) as caught:
        fetch(url, limits)
    assert str(caught.value)
    assert caught.value.hint
    return caught.value.reason


# -- where to connect (T04, T06) -------------------------------------------------------------------


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that something tries to connect to; nothing gets through."""
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0.0.0.0",
    "0",
    "localhost",
    "127.0.0.1.",
    "10.0.0.1",
    "10.1",
    "169.254.169.254",
    "2852039166",
    "100.64.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[fd00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "⑩.0.0.1",
    "192.168.0.1%00",
    "127.0.0.1%20",
    "1２7.0.0.1",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_that_leads_home_is_never_connected_to(
    host: str, scheme: str, connections: list[Any]
) -> None:
    assert refused(f"{scheme}://{host}/") in {"refused", "bad_url", "unreadable"}
    assert connections == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://8.8.8.8/",
        "jar:http://a!/b",
        "//8.8.8.8/",
        "http://",
        "http:///etc",
        "http://good@8.8.8.8/",
        "http://a:b@8.8.8.8/",
        "data:text/plain,x",
        "http://good\\@127.0.0.1/",
        "http:\\\\8.8.8.8",
        "http://8.8.8.8/\n",
        "http://8.8.8.8/\r\nX: y",
        "http://8.8.8.8 .evil.test/",
        "javascript:alert(1)",
        "http://[::1",
        "http://8.8.8.8:x/",
        "http://\u202e8.8.8.8/",
        "",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str, connections: list[Any]) -> None:
    assert refused(url) == "bad_url"
    assert connections == []


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 99999])
def test_other_ports_are_refused(port: int, connections: list[Any]) -> None:
    assert refused(f"http://8.8.8.8:{port}/") == "refused"
    assert connections == []


@pytest.mark.parametrize(
    "addresses",
    [["93.184.215.14", "127.0.0.1"], ["127.0.0.1", "93.184.215.14"], ["10.0.0.1"], ["fe80::1%lo"]],
)
def test_one_bad_address_of_a_host_is_enough(
    addresses: list[str], connections: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "resolve", lambda *_: addresses)
    assert refused("http://rebinding.test/") == "refused"
    assert connections == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    connections: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    monkeypatch.setattr(connecting, "resolve", lambda *_: next(answers))
    assert refused("http://rebinding.test/") == "unreadable"
    assert connections == [("93.184.215.14", 80)]


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = parse(text)
    except LoadingError:
        return
    assert url.scheme in ("http", "https")
    assert url.host


# -- redirects (T05) -------------------------------------------------------------------------------


def test_a_redirect_is_followed_and_checked_anew(server: str, limits: Limits) -> None:
    Handler.routes["/new"] = reply(b"words")
    Handler.routes["/old"] = reply(status=301, Location="/new")
    found = fetch(f"{server}/old", limits)
    assert found is not None
    assert (found.url, found.content) == (f"{server}/new", b"words")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "refused"),
        ("http://[::ffff:10.0.0.1]/", "refused"),
        ("file:///etc/passwd", "bad_url"),
        ("http://user@127.0.0.1/", "bad_url"),
        ("http://127.0.0.1:22/", "refused"),
        ("/loop", "refused"),
    ],
)
def test_a_redirect_that_leads_elsewhere_is_refused(
    server: str, limits: Limits, location: str, reason: str
) -> None:
    Handler.routes["/loop"] = reply(status=302, Location=location)
    assert refused(f"{server}/loop", limits) == reason


def test_from_https_to_http_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_request", lambda *_: "http://example.org/")
    assert refused("https://example.org/") == "refused"


def test_only_status_and_location_redirect(server: str, limits: Limits) -> None:
    page = b'<meta http-equiv="refresh" content="0; url=http://127.0.0.1:1/">'
    Handler.routes["/"] = reply(page, Refresh="0; url=http://127.0.0.1:1/")
    found = fetch(f"{server}/", limits)
    assert found is not None
    assert found.content == page


# -- hostile servers (T07, T08) --------------------------------------------------------------------


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(60):
        handler.wfile.write(f"X-{number}: y\r\n".encode())
        time.sleep(0.1)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def many_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Header: y\r\n" * 100_000 + b"\r\n")


def no_answer(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (drip, "timeout"),
        (drip_headers, "timeout"),
        (endless, "too_large"),
        (many_headers, "unreadable"),
        (no_answer, "unreadable"),
        (reply(b"x" * (2**20 + 1)), "too_large"),
        (reply(gzip.compress(bytes(2**26)), Content_Encoding="gzip"), "too_large"),
        (reply(zlib.compress(b"words")[:-3], Content_Encoding="deflate"), "unreadable"),
        (reply(b"not gzip", Content_Encoding="gzip"), "unreadable"),
        (reply(b"words", Content_Encoding="br"), "unreadable"),
        (reply(b"short", cut=True, Content_Length="1000"), "unreadable"),
        (reply(b"\x89PNG", Content_Type="image/png"), "unsupported"),
        (reply(status=404), "not_found"),
        (reply(status=403), "permission"),
        (reply(status=500), "unreadable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_answer_ends_in_time_with_its_name(
    server: str, limits: Limits, serve: Serve, reason: str
) -> None:
    Handler.routes["/"] = serve
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    assert refused(f"{server}/", limits) == reason
    assert time.monotonic() - started < limits.seconds + 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_no_proxy_and_no_password_of_the_environment_is_used(
    server: str, limits: Limits, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    Handler.routes["/"] = reply(b"words")
    assert fetch(f"{server}/", limits) is not None
    [(_, headers)] = Handler.asked
    assert "authorization" not in headers
    assert headers["user-agent"] == "cited-assistant"


# -- ordinary answers ------------------------------------------------------------------------------


def test_a_page_comes_with_what_the_next_visit_needs(server: str, limits: Limits) -> None:
    Handler.routes["/"] = reply(
        gzip.compress("слова".encode("cp1251")),
        Content_Type='text/html; charset="windows-1251"',
        Content_Encoding="gzip",
        ETag='"1"',
        Last_Modified="Tue, 13 Sep 2022 00:00:00 GMT",
    )
    found = fetch(f"{server}/", limits)
    assert found is not None
    assert found.content.decode("cp1251") == "слова"
    assert found.charset == "windows-1251"
    Handler.routes["/"] = reply(status=304)
    assert fetch(f"{server}/", limits, etag=found.etag, modified=found.modified) is None
    _, headers = Handler.asked[-1]
    assert headers["if-none-match"] == '"1"'
    assert headers["if-modified-since"] == "Tue, 13 Sep 2022 00:00:00 GMT"


def test_the_size_allowed_is_the_size_after_decompression(server: str, limits: Limits) -> None:
    Handler.routes["/"] = reply(gzip.compress(bytes(2**20)), Content_Encoding="gzip")
    found = fetch(f"{server}/", limits)
    assert found is not None
    assert len(found.content) == 2**20
    assert refused(f"{server}/", replace(limits, max_bytes=2**20 - 1)) == "too_large"
