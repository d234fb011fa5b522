"""One generation of the search index: Chroma and tantivy over the library's passages.

A directory, written once and never changed: ``chroma/`` (by meaning), ``tantivy/`` (by words),
the .npy files of ``arrays`` (exact cosines), ``catalogue.json`` (what documents are filtered by),
``spellings.json`` (how names are written) and ``manifest.json`` (what the files are). A crash or a
flipped bit costs a rebuild from the library, never a wrong answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from assistant import arrays, dense, lexical
from assistant.arrays import Arrays
from assistant.errors import LibraryError
from assistant.filtering import Catalogue, Known, Selection, known
from assistant.lexical_query import Wanted
from assistant.spelling import Collector, Spellings
from assistant.storage import checksum, flush_tree, seal
from assistant.types import Shape
from assistant.variants import Variants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.aliases import Aliases
    from assistant.chroma_process import ChromaProcess
    from assistant.records import IndexRow

FORMAT = 8  # of a generation; one of another format is built again
_BATCH = 1000  # passages
_EXACT = 20_000  # passages that are compared one and all
# Opening Chroma rewrites its database, so the manifest leaves it out. Its checksum is here while
# nobody has it open; no such file means that somebody has, or did not get to close it.
_CLOSED = "closed"
_VARYING = {f"chroma/{dense.DATABASE}", _CLOSED, "manifest.json"}


class Manifest(Shape):
    format: int
    passages: int
    dimension: int
    languages: tuple[str, ...]
    files: dict[str, tuple[int, int]]  # path -> size in bytes, CRC-32
    seal: int = 0  # of all the others

    def sealed(self) -> Manifest:
        """The same, with the seal that it should have."""
        value = seal(self.model_dump_json(exclude={"seal"}))
        return self.model_copy(update={"seal": value})


def build(
    directory: Path,
    rows: Iterable[IndexRow],
    count: int,
    dimension: int,
    chroma: ChromaProcess,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes a generation into ``directory``, which must not exist; on the disk when it returns.

    ``chroma`` works beside it, on what the arrays already hold.

    ``rows`` ascend by key and are ``count``, else it raises LibraryError, as it does when the index
    libraries fail.
    """
    directory.mkdir()
    languages: set[str] = set()
    documents: dict[Known, None] = {}  # in the order of their numbers
    done = 0
    chroma.begin(directory)
    with dense.translated(directory), arrays.Writer(directory, dimension) as numbers:
        words = lexical.Writer(directory / "tantivy")
        names = Collector()
        for batch in _batches(rows):
            numbers.add(batch)
            done += len(batch)
            filled = chroma.fill(done)
            words.add(batch)
            names.add(batch)
            languages |= {row.document.language for row in batch}
            documents |= dict.fromkeys(known(row.document) for row in batch)
            if on_progress and filled:
                on_progress(filled, count)
        words.commit()
        catalogue = json.dumps([*documents], ensure_ascii=False)
        (directory / "catalogue.json").write_text(catalogue, encoding="utf-8")
        names.write(directory / "spellings.json")
    chroma.finish()
    if on_progress:
        on_progress(done, count)
    if done != count:
        raise LibraryError(
            f"the library counts {count} passages and holds {done}",
            "it is damaged: `assistant verify` says more",
        )
    _finish(directory, count, dimension, languages)


def _finish(directory: Path, count: int, dimension: int, languages: set[str]) -> None:
    files = {
        path.relative_to(directory).as_posix(): (path.stat().st_size, checksum(path))
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest(
        format=FORMAT,
        passages=count,
        dimension=dimension,
        languages=tuple(sorted(languages)),
        files={name: facts for name, facts in files.items() if not _varies(name, count)},
    )
    (directory / "manifest.json").write_text(manifest.sealed().model_dump_json(), encoding="utf-8")
    mark_closed(directory)
    flush_tree(directory)


def _varies(name: str, count: int) -> bool:
    """Whether a file changes without anything being written; Chroma never settles one vector."""
    return name in _VARYING or (count == 1 and name.startswith("chroma/"))


def read_manifest(directory: Path) -> Manifest | None:
    """What is written about a generation; None when nothing readable is."""
    try:
        text = (directory / "manifest.json").read_text(encoding="utf-8")
        manifest = Manifest.model_validate_json(text)
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
    return manifest if manifest == manifest.sealed() else None


def check_files(directory: Path) -> list[str]:
    """What is wrong with the files of a generation, found without opening Chroma or tantivy."""
    manifest = read_manifest(directory)
    if manifest is None:
        return ["manifest.json is missing or unreadable"]
    if manifest.format != FORMAT:
        return [f"it has format {manifest.format}, this version makes {FORMAT}"]
    changed = [
        f"{name} is not as it was written"
        for name, facts in manifest.files.items()
        if not _is_as_written(directory / name, *facts)
    ]
    return changed or dense.check_configuration(directory / "chroma")


def _is_as_written(path: Path, size: int, checksummed: int) -> bool:
    try:
        return path.stat().st_size == size and checksum(path) == checksummed
    except OSError:
        return False


def mark_closed(directory: Path) -> None:
    """Notes that Chroma's database is closed and what it holds."""
    value = checksum(directory / "chroma" / dense.DATABASE)
    (directory / _CLOSED).write_text(str(value), encoding="ascii")


def was_closed(directory: Path) -> bool:
    """Whether the generation was closed in order and Chroma's database is as it was left."""
    try:
        noted = (directory / _CLOSED).read_text(encoding="ascii")
        return noted == str(checksum(directory / "chroma" / dense.DATABASE))
    except (OSError, UnicodeDecodeError):
        return False


class Index(Arrays):
    """An open generation, to search; safe to share between threads, of no use after ``close``.

    Raises LibraryError when Chroma or tantivy cannot open it, which ``check_files`` and ``health``
    should have said before. ``exact`` does without Chroma, which cannot be opened while the disk is
    full, and compares every vector.
    """

    def __init__(self, directory: Path, *, exact: bool = False) -> None:
        import tantivy

        self.directory = directory
        with dense.translated(directory):
            manifest = Manifest.model_validate_json((directory / "manifest.json").read_text())
            self.passages, self.languages = manifest.passages, manifest.languages
            super().__init__(directory)
            self.words = tantivy.Index.open(str(directory / "tantivy"))
            self.meaning = None if exact else _open_chroma(directory)

    def close(self) -> None:
        if self.meaning:
            self.meaning.close()
            with suppress(OSError):  # unmarked only means a longer look at the next opening
                mark_closed(self.directory)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The documents, in the order of their numbers in ``documents``."""
        return Catalogue.read(self.directory / "catalogue.json")

    @cached_property
    def variants(self) -> Variants:
        """The spellings of names in these passages."""
        spellings = Spellings.read(self.directory / "spellings.json")
        return Variants(self.words, self.languages, spellings)

    def dense(
        self, vector: NDArray[np.float32], k: int, within: Selection | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and cosines of at most ``k`` passages nearest in meaning, best first.

        Chroma chooses them where there are many, else every vector is compared, which is sooner
        done; the cosines are exact, from the vectors themselves. ``within`` some of the documents
        every vector is compared too: a graph walked past what it may not show loses some.
        """
        if within:
            keys, scores = self.nearest(vector, k, np.flatnonzero(within.passes[self.documents]))
        elif self.meaning and self.passages > _EXACT:
            with dense.translated(self.directory):
                found = self.meaning.nearest(vector[None], min(k, self.passages))[0]
            keys = np.array(found, dtype=np.int64)
            scores = self.cosines(vector, keys)
        else:
            keys, scores = self.nearest(vector, k)
        order = np.lexsort((keys, -scores))[:k]
        return keys[order], scores[order]

    def lexical(
        self,
        query: str,
        k: int,
        *,
        carried: Mapping[str, float] | None = None,
        pair_weight: float = 0.25,
        within: Selection | None = None,
        aliases: Aliases | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and BM25 scores of at most ``k`` passages that share a word, best first.

        The words of the ``carried`` texts count that much beside the query's 1, pairs of
        neighbouring words ``pair_weight`` of a word.
        """
        texts = {**(carried or {}), query: 1.0}
        with dense.translated(self.directory):
            names = {text: self.variants.find(text, aliases) for text in texts} if aliases else {}
            wanted = Wanted(texts, names, pair_weight)
            return lexical.search(self.words, wanted, self.languages, k, within)

    def shared(self, text: str) -> float:
        """Share (0..1) of the text's words that stand in the collection."""
        with dense.translated(self.directory):
            return lexical.shared(self.words, text, self.languages)

    def rarity(self, word: str) -> float:
        """How rare a word is among the passages: 0 for one that says nothing, about 9 for one."""
        with dense.translated(self.directory):
            return lexical.rarity(self.words, word, self.languages)


def _open_chroma(directory: Path) -> dense.Collection:
    (directory / _CLOSED).unlink(missing_ok=True)
    return dense.Collection(directory / "chroma")


def _batches(rows: Iterable[IndexRow]) -> Iterator[list[IndexRow]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
