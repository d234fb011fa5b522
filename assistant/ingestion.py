"""Documents into the library and out of it: the order of the steps, resumable at every one.

find -> read -> unchanged? -> load -> chunk -> add (pending) -> embed (ready) -> publish (live).
Each step is on the disk when it is done: after a kill, the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import failing, publication
from assistant.errors import (
    EmptyLibraryError,
    LoadingError,
    PathError,
    UnknownDocumentError,
)
from assistant.generations import Generations
from assistant.intake import load_files, uri_of
from assistant.integrity import drop_damaged
from assistant.library import Library
from assistant.loading import Held, Loaded, failure, find
from assistant.publication import Published
from assistant.records import Chunk
from assistant.settings import Settings
from assistant.types import Document, Failure, IndexReport, Progress
from assistant.vectorizing import OnProgress, embedding, passages_of, spec_of
from assistant.webpages import Page, discover, is_address

if TYPE_CHECKING:
    from assistant.embedding import Embedder

_ADD_DOCUMENTS = 64  # documents stored in one transaction, or fewer when
_ADD_CHARS = 4_000_000  # their texts reach this


def ingest(
    library: Library,
    generations: Generations,
    embedder: Embedder,
    settings: Settings,
    paths: Sequence[Path | str],
    on_progress: OnProgress | None = None,
) -> IndexReport:
    """Takes in the files at ``paths`` and below, and finishes what an earlier run left undone.

    A path that is an http or https address is a page, or a sitemap or feed of some. What cannot be
    read is a Failure in the report, and the others go on. Raises IndexMismatchError when the
    library was made with other settings, PathError for a path that is not there or holds no file,
    ModelError when the embedder fails.
    """
    addresses = [path for path in paths if isinstance(path, str) and is_address(path)]
    found = find([Path(path) for path in paths if path not in addresses])
    files: list[Path | Page] = [*dict.fromkeys(found)]
    files += dict.fromkeys(discover(settings, addresses))
    if not files:
        raise PathError(
            f"nothing to read in {', '.join(map(str, paths))}",
            "name a file, a folder that holds some, or a page",
        )
    named = {str(path) if path in addresses else uri_of(Path(path)) for path in paths}
    return take_in(
        library, generations, embedder, settings, files, named=named, on_progress=on_progress
    )


def take_in(
    library: Library,
    generations: Generations,
    embedder: Embedder,
    settings: Settings,
    files: Sequence[Path | Page],
    *,
    erase: Collection[str] = (),
    named: Collection[str] = (),
    on_progress: OnProgress | None = None,
) -> IndexReport:
    """Takes in files, erases every version of the uris in ``erase``, and makes both seen at once.

    What was given up is tried again where its uri is ``named``. A file that is not there any more
    is a Failure like any other. Raises as ``ingest`` does.
    """
    tell = on_progress or _silent
    spec = spec_of(embedder, settings)
    library.check_spec(spec)
    with generations.changing:
        with embedding(library, embedder, spec, tell):
            found = load_files(library, settings, files, named)
            uris, failed, tried = _load_all(library, embedder, settings, found, len(files), tell)
        published = Published()
        if publication.complete(library, spec) or erase:
            published = generations.publish(spec, erase, _telling(tell))
        if erase:
            generations.drain()
    failing.note(library, failed, sound=uris, tried=tried)
    unchanged = uris - {*published.added, *published.updated}
    return report(
        library,
        published,
        unchanged=tuple(sorted(unchanged)),
        removed=tuple(sorted(erase)),
        failed=tuple(failed),
    )


def remove(library: Library, generations: Generations, names: Sequence[str]) -> IndexReport:
    """Erases every version of the documents that ids, uris, paths or file names name.

    The name of a file that holds several names them all. When it returns no file of the data
    directory holds their words any more. Raises UnknownDocumentError or PathError, with nothing
    erased, when a name fits none or several.
    """
    with generations.changing:
        meant = {_meant(library, name) for name in names}
        uris = {uri for name in meant for uri in library.within(name)}
        erase(library, generations, uris)
        failing.note(library, (), tried=meant)
    return report(library, removed=tuple(sorted(uris)))


def erase(library: Library, generations: Generations, uris: Collection[str]) -> None:
    """Erases every version of these uris; only for who holds ``generations.changing``."""
    if spec := library.spec:
        generations.publish(spec, erase=uris)
        generations.drain()


def rebuild(
    library: Library,
    generations: Generations,
    embedder: Embedder | None,
    settings: Settings,
    on_progress: OnProgress | None = None,
) -> IndexReport:
    """Makes a new index from the library; the old one is searched until it is complete.

    With an embedder the stored texts are first chunked and embedded as the settings now say, and
    what is damaged is made again; interrupted, that goes on when it is run again. Raises
    EmptyLibraryError when there is nothing to make an index of.
    """
    tell = on_progress or _silent
    with generations.changing:
        if (spec := library.spec) is None:
            raise EmptyLibraryError(library.directory)
        if embedder:
            drop_damaged(library)
            spec = spec_of(embedder, settings)
            with embedding(library, embedder, spec, tell):
                _chunk_all(library, embedder, settings, tell)
            publication.complete(library, spec)
        published = generations.publish(spec, on_progress=_telling(tell))
    return report(library, published)


def _chunk_all(library: Library, embedder: Embedder, settings: Settings, tell: OnProgress) -> None:
    """Gives every document that has none its passages under the settings as they now are."""
    spec = spec_of(embedder, settings)
    ids = library.unchunked(spec)
    for done, name in enumerate(ids, start=1):
        chunks = passages_of(library.document(name), embedder, settings)
        library.add_chunks(chunks, spec)
        tell(Progress(stage="load", done=done, total=len(ids)))


def _load_all(
    library: Library,
    embedder: Embedder,
    settings: Settings,
    files: Iterator[tuple[str, Iterator[Loaded]]],
    total: int,
    tell: OnProgress,
) -> tuple[set[str], list[Failure], set[str]]:
    """Stores what is new; the uris that are now held, the failures, the files that were read."""
    spec = spec_of(embedder, settings)
    uris: set[str] = set()
    failed: list[Failure] = []
    tried: set[str] = set()
    new: list[tuple[Document, Iterable[Chunk]]] = []
    for done, (file, found) in enumerate(files, start=1):
        tried.add(file)
        for loaded in found:
            if loaded == Held(file):
                tried.discard(file)
            if isinstance(loaded, Failure):
                failed.append(loaded)
                continue
            if isinstance(loaded, Document):
                try:
                    chunks = passages_of(loaded, embedder, settings)
                except LoadingError as error:
                    failed.append(failure(loaded.uri, error))
                    continue
                # A very long text is cut while it is stored: its passages would fill the memory.
                new.append((loaded, chunks if len(loaded.text) > _ADD_CHARS else [*chunks]))
            uris.add(loaded.uri)
            if len(new) == _ADD_DOCUMENTS or sum(len(d.text) for d, _ in new) > _ADD_CHARS:
                library.add(new, spec)
                new.clear()
        tell(Progress(stage="load", done=done, total=total))
    library.add(new, spec)
    return uris, failed, tried


def _meant(library: Library, name: str) -> str:
    uris = library.uris(name)
    if not uris:
        raise UnknownDocumentError(name)
    if len(uris) > 1:
        raise PathError(
            f"{name!r} names {len(uris)} documents", f"give one by its path, such as {uris[0]}"
        )
    return uris[0]


def _telling(tell: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: tell(Progress(stage="publish", done=done, total=total))


def _silent(progress: Progress) -> None:
    """Where progress goes that nobody asked for."""


def report(library: Library, published: Published | None = None, **outcome: Any) -> IndexReport:
    """What was done, with what the library holds now."""
    counts = library.counts()
    published = published or Published()
    return IndexReport(
        added=published.added,
        updated=published.updated,
        documents=counts.documents,
        passages=counts.passages,
        **outcome,
    )
