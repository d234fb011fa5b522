"""Connections to allowed addresses alone, whose every operation ends at a deadline (T04 to T07).

The name of a host is resolved once, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from assistant.addresses import Network, is_allowed
from assistant.errors import LoadingError


class Checked(httpcore.NetworkBackend):
    """Connects to allowed addresses alone, and gives no operation more time than is left."""

    def __init__(self, allowed: Sequence[Network], deadline: float) -> None:
        self._allowed, self._deadline = allowed, deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port)
        for address in addresses:
            if not is_allowed(ipaddress.ip_address(address), self._allowed):
                raise LoadingError(
                    "refused",
                    f"{host} is not read: it is at {address}, which is not public",
                    "if that is meant, allow it in fetching.allow",
                )
        stream = self._backend.connect_tcp(
            addresses[0], port, _left(self._deadline), local_address, socket_options
        )
        return Timed(stream, self._deadline)


class Timed(httpcore.NetworkStream):
    """A stream whose every operation ends at the deadline, however little comes each time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline)
        return Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, IPv4 first: more machines can reach those."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address: {error}") from error
    return [
        str(address[0]) for _, address in sorted((f == socket.AF_INET6, a) for f, *_, a in found)
    ]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
