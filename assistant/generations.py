"""Which generation of the index is searched, who is reading it, and how the next one takes over."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant import index, publication
from assistant.chroma_process import ChromaProcess
from assistant.database import problems
from assistant.errors import EmptyLibraryError, LibraryError
from assistant.index import Index
from assistant.library import Library
from assistant.publication import Published
from assistant.records import Spec
from assistant.storage import damaged, flush, full, is_full, translated

_log = logging.getLogger(__name__)
_TRIES = 3  # times a damaged index is made again for one reader
_PATIENCE = 60.0  # seconds to wait for who is still searching an older index


@dataclass
class _Open:
    """An opened generation and how many are searching it."""

    index: Index
    readers: int = 0


class Generations:
    """The index of a library: opened when first leased, made again when it is found damaged.

    Safe to share between threads. ``warn`` is called with a sentence when something was mended or
    is left undone. Close it before the library.
    """

    def __init__(self, library: Library, warn: Callable[[str], None] = _log.warning) -> None:
        self.changing = threading.RLock()  # held by whoever adds, removes or rebuilds
        self._library = library
        self._warn = warn
        self._root = library.directory / "generations"
        self._guard = threading.Condition()  # of all below
        self._current: _Open | None = None
        self._outgoing: list[_Open] = []
        self._coming: set[str] = set()  # directory names that are not to be cleaned up
        self._untidy = True  # a crash may have left something
        with translated(library.directory):
            self._root.mkdir(mode=0o700, exist_ok=True)
        with self._guard:
            self._tidy()

    @contextmanager
    def lease(self) -> Iterator[Index]:
        """The current index, for one search.

        It stays open, and every passage it names can be read, until the lease ends, whatever is
        published meanwhile. Raises EmptyLibraryError while nothing is live.
        """
        leased = self._take()
        try:
            yield leased.index
        finally:
            with self._guard:
                leased.readers -= 1
                self._tidy()

    def publish(
        self,
        spec: Spec,
        erase: Collection[str] = (),
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Published:
        """Builds a generation of all that is ready or live, checks it, and switches to it.

        Until the switch the old one is searched, and a failure leaves it in place; a library that
        does not hold together is one. Only for who holds ``changing``.
        """
        with translated(directory := self._library.directory):
            if found := problems(directory):
                raise damaged(directory, found[0])
            try:
                name = self._build(spec, erase, on_progress)
                with self._guard:
                    return publication.publish(self._library, name, spec, erase)
            finally:
                with self._guard:
                    self._coming.clear()
                    self._untidy = True
                    self._tidy()

    def drain(self, patience: float = _PATIENCE) -> None:
        """Returns once nothing that was removed or replaced is left on the disk.

        Raises LibraryError when a reader does not let go within ``patience`` seconds.
        """
        with self._guard:
            if not self._guard.wait_for(lambda: not self._untidy, patience):
                raise LibraryError(
                    f"what was removed is not yet erased from {self._library.directory}",
                    "an older index is still being read: it is erased after that, or at the next"
                    " start",
                )

    def check(self) -> list[str]:
        """What a thorough look finds wrong with the current generation; readers go on."""
        with self.changing, translated(self._library.directory):
            name = self._library.generation
            if name is None:
                return []
            directory = self._root / name
            if problems := index.check_files(directory):
                return problems
            with self._guard:
                if self._current is None:
                    return _examined(directory, thorough=True)
                self._coming.add(copy := f"{name}.copy")
            try:  # two processes may not open one Chroma directory
                shutil.copytree(directory, self._root / copy)
                return _examined(self._root / copy, thorough=True)
            finally:
                shutil.rmtree(self._root / copy, ignore_errors=True)
                self._coming.discard(copy)

    def close(self) -> None:
        """Closes the index once nobody is searching it."""
        with self._guard:
            self._let_go()
            self._tidy()
            self._guard.wait_for(lambda: not self._outgoing, _PATIENCE)

    def _take(self) -> _Open:
        for _ in range(_TRIES):
            with self._guard:
                name = self._library.generation
                if name is None:
                    raise EmptyLibraryError(self._library.directory)
                problems = [] if self._current else self._open(self._root / name)
                if self._current:
                    self._current.readers += 1
                    return self._current
            with self.changing:
                if self._library.generation == name and (spec := self._library.spec):
                    self._warn(f"making the search index again from the library: {problems[0]}")
                    self.publish(spec)
        raise LibraryError(
            f"the search index in {self._root} is damaged as soon as it is made: {problems[0]}",
            "check the disk, or name another data directory with --data",
        )

    def _open(self, directory: Path) -> list[str]:
        """Opens a generation that is sound; else says why it is not."""
        problems = index.check_files(directory)
        exact = is_full(self._root)
        if not problems and not exact and not index.was_closed(directory):
            problems = _examined(directory)
        if not problems:
            try:
                self._current = _Open(Index(directory, exact=exact))
            except LibraryError as error:
                problems = [str(error)]
        return problems

    def _build(
        self, spec: Spec, erase: Collection[str], on_progress: Callable[[int, int], None] | None
    ) -> str | None:
        """The name of a new, sound generation on the disk; None when no passage would be in it."""
        count = publication.next_count(self._library, spec, erase)
        if not count:
            return None
        before = re.match("[0-9]*", self._library.generation or "")  # damaged, it may be anything
        number = int(before[0] or 0) + 1 if before else 1
        name = f"{number:06d}-{secrets.token_hex(4)}"  # never twice: Chroma remembers paths
        part = self._root / f"{name}.part"
        with self._guard:
            self._coming |= {name, part.name}
        rows = publication.next_rows(self._library, spec, erase)
        with ChromaProcess() as chroma:
            index.build(part, rows, count, spec.dimension, chroma, on_progress)
            problems = chroma.examine(part)
        if problems:
            if is_full(part):
                raise full(self._library.directory)
            raise LibraryError(
                f"the new search index is not sound: {problems[0]}",
                "run the command again; what was indexed before is still searched",
            )
        part.rename(self._root / name)
        flush(self._root)
        return name

    def _let_go(self) -> None:
        if self._current:
            self._outgoing.append(self._current)
            self._current = None

    def _tidy(self) -> None:
        """Closes what nobody reads any more and erases what is neither live, read nor coming."""
        name = self._library.generation
        if self._current and self._current.index.directory.name != name:
            self._let_go()
        for opened in [o for o in self._outgoing if not o.readers]:
            opened.index.close()
            self._outgoing.remove(opened)
        if self._untidy and not self._outgoing:
            try:
                for path in self._root.iterdir():
                    if path.name not in {name, *self._coming}:
                        shutil.rmtree(path)
                publication.sweep(self._library)
                self._untidy = False
            except (OSError, LibraryError) as error:
                self._warn(f"left for the next start to clean up: {error}")
        self._guard.notify_all()


def _examined(directory: Path, *, thorough: bool = False) -> list[str]:
    """What is wrong with the closed generation in ``directory``."""
    with ChromaProcess() as process:
        return process.examine(directory, thorough=thorough)
