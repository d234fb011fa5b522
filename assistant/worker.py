"""The process that loads documents: files come in on stdin, what they hold goes out on stdout.

It is confined before it reads anything. A frame is two lengths, a JSON object and bytes: no pickle,
since what parses a hostile file may be turned against the process that reads its replies.
"""

from __future__ import annotations

import gc
import json
import math
import os
import re
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from assistant import recognizing
from assistant.confining import allow_seconds, confine
from assistant.errors import LoadingError
from assistant.languages import detect
from assistant.loading import Began, Held, Loaded, failure, load_all
from assistant.types import Document, Failure

IDLE_SECONDS = 60  # without a file; then it ends
MOST_KEPT_MB = 512  # a process that needed more ends after the file, and gives it back
_NOTICED = 0.05  # seconds; who was faster did not touch as much, and looking costs a little

_MAX_HEAD, _MAX_BODY = 2**27, 2**30  # bytes of a frame
_LENGTHS = struct.Struct(">QQ")


def write_frame(stream: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    encoded = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(encoded), len(body)) + encoded)
    stream.write(body)


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The next frame. Raises EOFError when the other side is gone, ValueError past the limits."""
    head, body = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if head > _MAX_HEAD or body > _MAX_BODY:
        raise ValueError("no frame is as long")
    return json.loads(_exactly(stream, head)), _exactly(stream, body)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def main(seconds: float, memory_mb: int, ocr: bool = False) -> None:
    """Answers files until stdin ends, or for a minute nothing comes.

    With ``ocr`` it reads pictures of text, for which it may run a program.
    """
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a C library prints is no reply
    peak = _Peak()
    detect("")  # its model is unpacked into a scratch file
    confine(memory_mb, runs_programs=ocr)
    recognizing.enabled = ocr
    gc.freeze()  # modules and tables, which stay: no collection needs to look at them again
    write_frame(replies, {"kind": "ready"})
    replies.flush()
    idle = _Idleness()
    while True:
        idle.began()
        try:
            request, content = read_frame(sys.stdin.buffer)
        except EOFError:
            return
        idle.ended()
        began = time.monotonic()
        try:
            for head, body in _replies(request, content, seconds):
                write_frame(replies, head, body)
                if head["kind"] == "began":  # what follows may end this process
                    replies.flush()
        except MemoryError:
            write_frame(replies, {"kind": "starved"})
            replies.flush()
            return
        except BrokenPipeError:
            return
        del content
        worn = time.monotonic() - began > _NOTICED and peak.mb() > MOST_KEPT_MB
        write_frame(replies, {"kind": "end", "worn": worn})
        replies.flush()
        if worn:
            return


class _Idleness:
    """Ends the process when nothing comes; a timer for each file would cost more than it does."""

    def __init__(self) -> None:
        self._since = math.inf
        threading.Thread(target=self._watch, daemon=True).start()

    def began(self) -> None:
        self._since = time.monotonic()

    def ended(self) -> None:
        self._since = math.inf

    def _watch(self) -> None:
        while time.monotonic() - self._since < IDLE_SECONDS:
            time.sleep(1)
        os._exit(0)


def _replies(
    request: dict[str, Any], content: bytes, seconds: float
) -> Iterator[tuple[dict[str, Any], bytes]]:
    allow_seconds(seconds)
    found = load_all(
        Path(request["name"]),
        content=content,
        uri=request["uri"],
        known=set(request["known"]),
        shunned=set(request["shunned"]),
        fields=request["fields"],
        skip=request["skip"],
    )
    try:
        for loaded in found:
            yield _reply(loaded)
            allow_seconds(seconds)
    except LoadingError as error:
        yield _reply(failure(request["uri"], error))


def _reply(loaded: Loaded | Began) -> tuple[dict[str, Any], bytes]:
    """The frame that says it; a document's text goes beside it."""
    match loaded:
        case Document():
            facts = loaded.model_dump(mode="json", exclude={"text"}, exclude_defaults=True)
            return {"kind": "document", "facts": facts}, loaded.text.encode()
        case Failure():
            return {"kind": "failure", "facts": loaded.model_dump()}, b""
        case Held(uri):
            return {"kind": "held", "uri": uri}, b""
    return {"kind": "began", "uri": loaded.uri}, b""


class _Peak:
    """The most memory that this process has held; made before it is confined.

    getrusage would tell of the process that started this one too: its peak outlives exec (Linux).
    """

    def __init__(self) -> None:
        linux = sys.platform == "linux"
        self._status = os.open("/proc/self/status", os.O_RDONLY) if linux else None

    def mb(self) -> float:
        if self._status is not None:
            found = re.search(rb"VmHWM:\s*(\d+) kB", os.pread(self._status, 4096, 0))
            return int(found[1]) / 2**10 if found else 0
        if sys.platform == "win32":
            return 0
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
