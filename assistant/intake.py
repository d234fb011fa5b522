"""Files and pages -> the documents they hold, in their order, read ahead by several processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event
from typing import NamedTuple

from assistant import failing, pool, recognizing, webpages
from assistant.errors import LoadingError
from assistant.library import Library
from assistant.loading import Held, Loaded, content_digest, document_id, failure, read
from assistant.settings import Settings
from assistant.sniffing import EML
from assistant.types import Failure
from assistant.unpacking import INSIDE
from assistant.webpages import Page

_MOST_PROCESSES = 4
_AHEAD = 2  # files waiting for each process
_WAITING = 16  # documents of one file that wait to be taken
_SCAN = 10  # times the processor time of a file with text
_POLL = 0.1  # seconds


def load_files(
    library: Library,
    settings: Settings,
    files: Sequence[Path | Page],
    named: Collection[str] = (),
) -> Iterator[tuple[str, Iterator[Loaded]]]:
    """For each file its uri, and what it holds: documents that are new, held, or Failures.

    Of files that are ``named``, by uri, what was given up is tried again. What a file holds has to
    be taken before the next is asked for.
    """
    stopped = Event()
    processes = min(_MOST_PROCESSES, os.cpu_count() or 1)

    def fill(path: Path | Page, queue: Queue[Loaded | BaseException | None]) -> None:
        try:
            for loaded in _load(library, settings, path, uri_of(path) in named):
                if not _put(queue, loaded, stopped):
                    return
            _put(queue, None, stopped)
        except BaseException as error:  # raised where the queue is read
            _put(queue, error, stopped)
            raise

    with ThreadPoolExecutor(processes) as executor:
        try:
            waiting: deque[tuple[Path | Page, Queue[Loaded | BaseException | None]]] = deque()
            coming = iter(files)
            while True:
                while len(waiting) < processes * _AHEAD and (path := next(coming, None)):
                    waiting.append((path, Queue(_WAITING)))
                    executor.submit(fill, *waiting[-1])
                if not waiting:
                    return
                path, queue = waiting.popleft()
                yield uri_of(path), _taken(queue)
        finally:
            stopped.set()


def _put(
    queue: Queue[Loaded | BaseException | None], item: Loaded | BaseException | None, stopped: Event
) -> bool:
    """False when nobody takes it any more."""
    while not stopped.is_set():
        try:
            queue.put(item, timeout=_POLL)
            return True
        except Full:
            continue
    return False


def _taken(queue: Queue[Loaded | BaseException | None]) -> Iterator[Loaded]:
    while True:
        try:  # with a timeout Ctrl-C comes through on every platform
            item = queue.get(timeout=60)
        except Empty:
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item


def _load(
    library: Library, settings: Settings, place: Path | Page, is_named: bool
) -> Iterator[Loaded]:
    uri = uri_of(place)
    try:
        if isinstance(place, Path):
            path, content = place, read(place, settings.library.max_file_mb * 2**20)
        elif (found := webpages.content_of(library, place)) is None:
            yield Held(uri)
            return
        else:
            path, content = Path(found.name), found.content
            webpages.note(library, uri, found)
    except LoadingError as error:
        yield failure(uri, error)
        return
    name = document_id(uri, content_digest(content))
    state = library.state(name)
    if state in {"pending", "ready", "live"}:
        yield from map(Held, (uri, *library.held_in(uri + INSIDE)))  # a mail's attachments
    elif state == "retired" and (held := library.document(name)).media_type != EML:
        yield held  # the file is again what it once was
    else:
        yield from _Reading(library, settings, path, content, uri, name, is_named).documents()


class _Reading(NamedTuple):
    """A file that is new, to be read in a process of its own."""

    library: Library
    settings: Settings
    path: Path
    content: bytes
    uri: str
    name: str  # of this content from this place
    is_named: bool

    def documents(self) -> Iterator[Loaded]:
        limits = self.settings.library
        file = f"{self.name} {limits.parse_seconds:g} {limits.parse_memory_mb}"
        shunned = frozenset() if self.is_named else failing.given_up(self.library, file)
        if self.uri in shunned:
            yield failure(self.uri, failing.not_tried(self.uri))
            return
        for loaded in self._parsed(shunned):
            if isinstance(loaded, Failure):
                failing.count(self.library, loaded, file)
            yield loaded

    def _parsed(self, shunned: frozenset[str]) -> Iterator[Loaded]:
        """What is in it; what has no text is looked at again by who can read pictures of text."""
        for loaded in self._parse(shunned):
            scan = isinstance(loaded, Failure) and (loaded.uri, loaded.reason)
            if scan == (self.uri, "no_text") and recognizing.is_available():
                yield from self._parse(shunned, ocr=True)
            else:
                yield loaded

    def _parse(self, shunned: frozenset[str], *, ocr: bool = False) -> Iterator[Loaded]:
        limits = self.settings.library
        processes = pool.shared(
            limits.parse_seconds * (_SCAN if ocr else 1), limits.parse_memory_mb, ocr=ocr
        )
        return processes.load(
            self.path,
            content=self.content,
            uri=self.uri,
            known=frozenset(self.library.held_in(self.uri + INSIDE).values()),
            shunned=shunned,
            fields=limits.json_fields,
        )


def uri_of(path: Path | Page) -> str:
    """The address of a page; the absolute path of a file, bytes that are no UTF-8 spelled out."""
    if isinstance(path, Page):
        return path.url
    return os.path.abspath(path).encode("utf-8", "backslashreplace").decode()
