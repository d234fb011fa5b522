"""Documents from the web, one request at a time, from nowhere but where it is allowed (T04 to T08).

Each redirect is checked anew, from the spelling of its address to the connection. No proxy and no
password of the environment is used, and everything has a limit: time, bytes on the wire and after
decompression, headers.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import httpcore
from httpx import URL, InvalidURL

from assistant.addresses import Network
from assistant.connecting import Checked
from assistant.errors import LoadingError
from assistant.normalizing import one_line

if TYPE_CHECKING:
    from assistant.settings import FetchingSettings

AGENT = "cited-assistant"  # robots.txt knows it by this name
_REDIRECTS = 5
_MOVED = {301, 302, 303, 307, 308}
_ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_TEXTS = ("text/", "application/", "message/")  # what can be a document; no image, sound or film


class Fetched(NamedTuple):
    """What came from a URL, and what to say at the next visit."""

    url: str  # where it was in the end
    content: bytes
    kind: str  # the media type and the charset that the server tells, or ""
    charset: str | None
    etag: str | None
    modified: str | None


@dataclass(frozen=True)
class Limits:
    """What one document may cost, redirects and all."""

    max_bytes: int
    seconds: float
    ports: tuple[int, ...]
    allowed: tuple[Network, ...]

    @classmethod
    def of(cls, settings: FetchingSettings, max_bytes: int) -> Limits:
        return cls(
            max_bytes=max_bytes,
            seconds=settings.seconds,
            ports=settings.ports,
            allowed=tuple(ipaddress.ip_network(network) for network in settings.allow),
        )


def parse(url: str) -> URL:
    """The URL in its standard spelling, without fragment.

    Raises LoadingError ``bad_url`` for what is not an http or https URL of a host alone.
    """
    if not url.isprintable() or "\\" in url or " " in url:
        raise _bad(url, "it has a character that no URL has")
    try:
        parsed = URL(url).copy_with(fragment=None)
    except (InvalidURL, UnicodeError) as error:
        raise _bad(url, str(error)) from error
    if parsed.scheme not in ("http", "https"):
        raise _bad(url, "only http and https are read")
    if not parsed.host:
        raise _bad(url, "it names no host")
    if parsed.userinfo:
        raise _bad(url, "it holds a user name")
    return parsed


def fetch(
    url: str, limits: Limits, *, etag: str | None = None, modified: str | None = None
) -> Fetched | None:
    """What is at ``url``; None when it is as it was when it had this ``etag`` or was ``modified``.

    Raises LoadingError: ``bad_url``, ``refused`` (an address, a port, a redirect), ``not_found``,
    ``permission``, ``unreadable`` (no answer, a broken one), ``timeout``, ``too_large``,
    ``unsupported`` (an image, an unknown encoding).
    """
    known = {"If-None-Match": etag, "If-Modified-Since": modified}
    headers = {name: value for name, value in known.items() if value}
    deadline = time.monotonic() + limits.seconds
    target = parse(url)
    with httpcore.ConnectionPool(
        ssl_context=ssl.create_default_context(), network_backend=Checked(limits.allowed, deadline)
    ) as pool:
        for _ in range(_REDIRECTS + 1):
            if (target.port or _default_port(target)) not in limits.ports:
                raise _refused(url, f"port {target.port} is not read from", "fetching.ports")
            answer = _request(pool, target, headers, limits, deadline)
            if isinstance(answer, Fetched) or answer is None:
                return answer
            after = parse(str(target.join(answer)))
            if target.scheme == "https" and after.scheme == "http":
                raise _refused(url, "it leads from https to http")
            target = after
    raise _refused(url, f"it redirects more than {_REDIRECTS} times")


def _request(
    pool: httpcore.ConnectionPool,
    url: URL,
    headers: dict[str, str],
    limits: Limits,
    deadline: float,
) -> Fetched | str | None:
    """What is there, where to look instead, or None when it has not changed."""
    sent = {"Host": url.netloc.decode("ascii"), "User-Agent": AGENT, "Accept-Encoding": "gzip"}
    asked = [*sent.items(), *headers.items()]
    with _explained(str(url), limits), pool.stream("GET", str(url), headers=asked) as response:
        found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
        if response.status == 304 and headers:
            return None
        if response.status in _MOVED and "location" in found:
            return found["location"]
        if response.status != 200:
            raise _status(str(url), response.status)
        kind, charset = _content_type(found.get("content-type", ""))
        if kind and not kind.startswith(_TEXTS):
            raise LoadingError("unsupported", f"{url} is {kind}", "name a page or a document")
        chunks = _decoded(response.iter_stream(), found.get("content-encoding", ""), limits)
        content = _within(chunks, str(url), limits, deadline)
    return Fetched(str(url), content, kind, charset, found.get("etag"), found.get("last-modified"))


def _within(chunks: Iterable[bytes], url: str, limits: Limits, deadline: float) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limits.max_bytes:
            raise LoadingError(
                "too_large",
                f"{url} is larger than {limits.max_bytes / 2**20:.0f} MB",
                "raise library.max_file_mb",
            )
        if time.monotonic() > deadline:
            raise httpcore.ReadTimeout
    return bytes(content)


def _decoded(chunks: Iterator[bytes], encoding: str, limits: Limits) -> Iterator[bytes]:
    """The chunks decompressed, never more than a little past the limit (a bomb)."""
    if encoding.lower() in ("", "identity"):
        yield from chunks
        return
    if encoding.lower() not in _ENCODINGS:
        raise httpcore.RemoteProtocolError(f"the encoding {encoding!r} was not asked for")
    decoder = zlib.decompressobj(_ENCODINGS[encoding.lower()])
    for chunk in chunks:
        waiting = chunk
        while waiting:
            yield decoder.decompress(waiting, 2**20)
            waiting = decoder.unconsumed_tail
    yield decoder.flush(limits.max_bytes)
    if not decoder.eof:
        raise httpcore.RemoteProtocolError("the compressed answer is cut off")


def _default_port(url: URL) -> int:
    return 443 if url.scheme == "https" else 80


def _content_type(value: str) -> tuple[str, str | None]:
    kind, *parameters = [part.strip() for part in value.lower().split(";")]
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name.strip() == "charset":
            return kind, charset.strip("\"' ") or None
    return kind, None


@contextmanager
def _explained(url: str, limits: Limits) -> Iterator[None]:
    """Raises LoadingError for what the network raises."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise LoadingError(
            "timeout",
            f"{url} did not come within {limits.seconds:.0f} s",
            "try later, or raise fetching.seconds",
        ) from error
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
        zlib.error,
        ssl.SSLError,
    ) as error:
        reason = str(error) or type(error).__name__
        raise LoadingError("unreadable", f"{url}: {reason}", "check the address") from error


def _bad(url: str, why: str) -> LoadingError:
    return LoadingError("bad_url", f"{one_line(url, _SHOWN)!r} cannot be read: {why}", _ADDRESS)


def _refused(url: str, why: str, setting: str | None = None) -> LoadingError:
    way = f"if that is meant, allow it in {setting}" if setting else _ADDRESS
    return LoadingError("refused", f"{one_line(url, _SHOWN)} is not read: {why}", way)


def _status(url: str, status: int) -> LoadingError:
    if status in (404, 410):
        return LoadingError("not_found", f"{url} is not there ({status})", _ADDRESS)
    if status in (401, 403, 407):
        return LoadingError("permission", f"{url} may not be read ({status})", "save it as a file")
    return LoadingError("unreadable", f"{url} answers {status}", "try later")


_ADDRESS = "check the address"
_SHOWN = 200  # characters of an address in a message
