"""The care of a library: take in, follow, remove, rebuild, verify; what the assistant stands on."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from assistant import calibrating, failing, ingestion, integrity, models, syncing
from assistant.generations import Generations
from assistant.library import Library
from assistant.settings import Settings
from assistant.types import Document, Failure, IndexReport, Progress, SyncPlan, VerifyReport

if TYPE_CHECKING:
    from assistant.embedding import Embedder

OnProgress = Callable[[Progress], None]


class Keeper:
    """Keeps one data directory, which it owns until ``close``.

    Safe to share between threads. Models load when they are first needed.
    """

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self._library = library
        self._generations = Generations(library)
        self._loading = threading.Lock()
        self._loaded: Embedder | None = None

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> Self:
        """An assistant over the data directory that the settings name, made when it is not there.

        Raises LibraryInUseError while another process owns it, LibraryError when it is unusable.
        """
        settings = calibrating.apply(settings or Settings.load())
        return cls(settings, Library.open(settings.library.data))

    def adjusted(self, **groups: dict[str, Any]) -> Self:
        """The same assistant over the same open library, with other values of settings.

        Not of those that an index depends on. Closing either closes both.
        """
        other = copy.copy(self)
        values = {n: getattr(self.settings, n).model_copy(update=v) for n, v in groups.items()}
        other.settings = self.settings.model_copy(update=values)
        return other

    def close(self) -> None:
        """Lets go of the data directory; the assistant is of no use afterwards."""
        self._generations.close()
        self._library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _embedder(self) -> Embedder:
        with self._loading:
            if self._loaded is None:
                self._loaded = models.build_embedder(self.settings)
            return self._loaded

    def index(
        self, paths: Sequence[Path | str], on_progress: OnProgress | None = None
    ) -> IndexReport:
        """Takes in files, folders and addresses of the web (pages, sitemaps, feeds).

        What is indexed and unchanged costs only its hash, or one question to its server.

        Raises PathError for a path that is missing or holds nothing to read. A document that
        cannot be read is a Failure in the report.
        """
        return ingestion.ingest(
            self._library, self._generations, self._embedder, self.settings, paths, on_progress
        )

    def plan_sync(self, folders: Sequence[Path]) -> SyncPlan:
        """How the folders differ from what is indexed of them; nothing is changed.

        Raises PathError for a folder that is not there and of which nothing is indexed.
        """
        return syncing.plan(self._library, self.settings, folders)

    def sync(
        self, plan: SyncPlan, on_progress: OnProgress | None = None, *, mass_delete: bool = False
    ) -> IndexReport:
        """Does what was planned, all of it seen at once.

        Raises MassDeleteError for a plan that removes more than three in ten documents, unless
        ``mass_delete`` allows it.
        """
        return syncing.apply(
            plan,
            self._library,
            self._generations,
            self._embedder,
            self.settings,
            on_progress,
            mass_delete=mass_delete,
        )

    def remove(self, names: Sequence[str]) -> IndexReport:
        """Erases documents by id, uri, path or file name. Raises UnknownDocumentError."""
        return ingestion.remove(self._library, self._generations, names)

    def rebuild(self, *, embed: bool = False, on_progress: OnProgress | None = None) -> IndexReport:
        """A new search index from the library; with ``embed``, passages and vectors made anew."""
        return ingestion.rebuild(
            self._library,
            self._generations,
            self._embedder if embed else None,
            self.settings,
            on_progress,
        )

    def verify(self) -> VerifyReport:
        """A full check of the data directory against itself."""
        return integrity.verify(self._library, self._generations)

    def documents(self) -> tuple[Document, ...]:
        """The live documents, without their text."""
        return tuple(self._library.documents())

    def failures(self) -> tuple[Failure, ...]:
        """What could not be taken in when it was last tried, by uri, and why."""
        return tuple(failing.failures(self._library))

    def document(self, document_id: str) -> Document:
        """One version with its text, older ones too. Raises UnknownDocumentError."""
        return self._library.document(document_id)
