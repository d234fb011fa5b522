"""An OpenAI-compatible chat server on the loopback that does what it is told, also the wrong."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[[BaseHTTPRequestHandler], None]


def event(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    """One server-sent event with a piece of a reply."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps(chunk | {"choices": [choice]} | more).encode() + b"\n\n"


USAGE = event(choices=[], usage={"prompt_tokens": 70, "completion_tokens": 7, "total_tokens": 77})
DONE = b"data: [DONE]\n\n"


def says(text: str, finish: str | None = "stop", pieces: int = 8) -> Step:
    """A reply in pieces, with its usage, ended as it should unless ``finish`` says otherwise."""
    size = max(1, len(text) // pieces)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return sends(*[event(part) for part in parts], event(finish=finish), USAGE, DONE)


def sends(*chunks: bytes | float, kind: str = "text/event-stream") -> Step:
    """These bytes as the body of a 200, with pauses in seconds between them."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", kind)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            if isinstance(chunk, float):
                time.sleep(chunk)
            else:
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    return step


def cut(*chunks: bytes) -> Step:
    """These bytes, then the connection is gone in the middle of the body."""
    whole = sends(*chunks, b"")

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.flush()
        write = handler.wfile.write
        handler.wfile.write = lambda data: 0 if data == b"0\r\n\r\n" else write(data)  # type: ignore[method-assign]
        whole(handler)
        handler.connection.shutdown(socket.SHUT_RDWR)

    return step


def refuses(status: int, body: str = '{"error": {"message": "no"}}', **headers: str) -> Step:
    """An error of HTTP."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return step


class ChatServer(ThreadingHTTPServer):
    """Takes one step of the script for each request, the last one for ever after."""

    daemon_threads = True

    def __init__(self, script: Sequence[Step]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.gone = 0  # requests whose client left before the end

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(json.loads(body))
        script = self.server.script
        step = script.pop(0) if len(script) > 1 else script[0]
        try:
            step(self)
        except OSError:
            self.server.gone += 1
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve(*script: Step) -> Iterator[ChatServer]:
    server = ChatServer(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
