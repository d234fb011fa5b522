"""Folders and what the library holds of them: how they differ, and making the library follow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from assistant import ingestion
from assistant.errors import LoadingError, MassDeleteError
from assistant.intake import uri_of
from assistant.loading import content_digest, document_id, find, read
from assistant.types import IndexReport, Move, SyncPlan
from assistant.unpacking import INSIDE

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from assistant.generations import Generations
    from assistant.library import Library
    from assistant.settings import Settings
    from assistant.vectorizing import OnProgress

_QUIET = 1000  # milliseconds without a change after which a folder is looked at again,
_DEBOUNCE = 10_000  # and milliseconds after which it is, however busy it is


def plan(library: Library, settings: Settings, folders: Sequence[Path]) -> SyncPlan:
    """What to do so that the library holds what is in ``folders`` and below, by content alone.

    A folder that is gone plans the removal of all that the library holds of it. Raises PathError
    for one that is not there and of which it holds nothing.
    """
    roots = [path.resolve() if path.is_symlink() else path for path in folders]
    below = {uri: name for uri, name in library.held().items() if _below(uri, roots)}
    held = {uri: name for uri, name in below.items() if INSIDE not in uri}
    packed = {uri: uri.split(INSIDE)[0] for uri in below.keys() - held.keys()}
    gone = [root for root in roots if not root.exists() and any(_below(u, [root]) for u in below)]
    digests: dict[str, bytes] = {}
    unreadable: list[str] = []
    for path in dict.fromkeys(find([root for root in roots if root not in gone])):
        uri = uri_of(path)
        try:
            digests[uri] = content_digest(read(path, settings.library.max_file_mb * 2**20))
        except LoadingError:
            unreadable.append(uri)
    missing = {
        name: uri
        for uri, name in held.items()
        if uri not in digests and not _below(uri, [Path(path) for path in unreadable])
    }
    archives = digests.keys() & packed.values()
    lost = {uri for uri, archive in packed.items() if archive not in {*archives, *unreadable}}
    added = digests.keys() - held.keys() - archives
    moved = _moves(missing, {uri: digests[uri] for uri in sorted(added)})
    same = {uri for uri in digests.keys() & held if held[uri] == document_id(uri, digests[uri])}
    return SyncPlan(
        added=tuple(sorted(added - {move.new for move in moved})),
        updated=tuple(sorted((digests.keys() & held) - same)),
        moved=moved,
        removed=tuple(sorted({*missing.values(), *lost} - {move.old for move in moved})),
        archives=tuple(sorted(archives)),
        unreadable=tuple(sorted(unreadable)),
        unchanged=len(same) + len(packed) - len(lost),
    )


def _below(uri: str, roots: Sequence[Path]) -> bool:
    return any(
        uri == (root := uri_of(path)) or uri.startswith(os.path.join(root, "")) for path in roots
    )


def _moves(missing: dict[str, str], added: dict[str, bytes]) -> tuple[Move, ...]:
    """Files that came, each with a document that went and held the same bytes.

    ``missing`` has ids and their uris: an id tells what it was made of, to who knows the bytes.
    """
    left = dict(missing)
    found = []
    for new, digest in added.items():
        for name, old in left.items():
            if document_id(old, digest) == name:
                found.append(Move(old=old, new=new))
                del left[name]
                break
    return tuple(found)


def apply(
    planned: SyncPlan,
    library: Library,
    generations: Generations,
    embedder: Embedder,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    mass_delete: bool = False,
) -> IndexReport:
    """Does what was planned, all of it seen at once; what moved is not embedded again.

    Raises MassDeleteError, with nothing done, for a plan that removes more than three in ten
    documents unless ``mass_delete`` allows it; else as ``ingestion.ingest`` does.
    """
    if planned.mass_delete and not mass_delete:
        raise MassDeleteError(len(planned.removed), os.path.commonpath([*planned.removed]))
    if not planned.changes and not planned.unreadable and not planned.archives:
        return ingestion.report(library)
    came = [*planned.added, *planned.updated, *planned.archives, *planned.unreadable]
    came += [move.new for move in planned.moved]
    came = [*dict.fromkeys(came)]  # a mail with attachments is an archive too
    gone = {*planned.removed, *(move.old for move in planned.moved)}
    report = ingestion.take_in(
        library,
        generations,
        embedder,
        settings,
        [Path(uri) for uri in came],
        erase=gone,
        on_progress=on_progress,
    )
    left = _left(planned, library, report)
    if left:
        with generations.changing:
            ingestion.erase(library, generations, left)
    arrived = {move.new for move in planned.moved} & {*report.added}
    return ingestion.report(library).model_copy(
        update={
            "updated": report.updated,
            "unchanged": report.unchanged,
            "failed": report.failed,
            "moved": tuple(move for move in planned.moved if move.new in arrived),
            "added": tuple(uri for uri in report.added if uri not in arrived),
            "removed": tuple(sorted({*planned.removed, *left})),
        }
    )


def _left(planned: SyncPlan, library: Library, report: IndexReport) -> set[str]:
    """What the library holds of archives and was not in them any more."""
    failed = {failure.uri for failure in report.failed}
    seen = {*report.added, *report.updated, *report.unchanged, *failed}
    return {
        uri
        for archive in planned.archives
        if archive not in failed  # else it could not be opened
        for uri in library.held_in(archive + INSIDE)
        if uri not in seen
    }


def changes(folders: Sequence[Path], stop: Event | None = None) -> Iterator[None]:
    """Yields whenever something below ``folders`` has changed and then been quiet for a second.

    Ends when ``stop`` is set. Ctrl-C comes out as KeyboardInterrupt.
    """
    from watchfiles import watch

    for _ in watch(*folders, stop_event=stop, debounce=_DEBOUNCE, step=_QUIET):
        yield
