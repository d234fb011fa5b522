from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import index, publication
from assistant.errors import EmptyLibraryError, LibraryError
from assistant.generations import Generations
from assistant.library import Library
from tests.fakes import SPEC, ChromaHere, FakeEmbedder, document, fill

EMBEDDER = FakeEmbedder()


@pytest.fixture(autouse=True)
def check_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.generations.ChromaProcess", ChromaHere)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        fill(library, document("alpha beta", uri="/a"), document("gamma delta", uri="/b"))
        yield library


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def generations(library: Library, warnings: list[str]) -> Iterator[Generations]:
    generations = Generations(library, warnings.append)
    with generations.changing:
        generations.publish(SPEC)
    yield generations
    generations.close()


def directories(library: Library) -> list[str]:
    return sorted(path.name for path in (library.directory / "generations").iterdir())


def found(library: Library, generations: Generations, query: str) -> list[str]:
    """The texts that a search by words finds, read as a searcher reads them."""
    with generations.lease() as index:
        keys, _ = index.lexical(query, 9)
        return [passage.text for passage, _ in library.passages(keys.tolist())]


def reopened(library: Library, generations: Generations, warnings: list[str]) -> Generations:
    generations.close()
    return Generations(library, warnings.append)


def current(library: Library) -> Path:
    return library.directory / "generations" / (library.generation or "")


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    with Library.open(tmp_path / "data") as library:
        generations = Generations(library)
        with pytest.raises(EmptyLibraryError), generations.lease():
            pass
        generations.close()


def test_a_reader_keeps_what_it_leased_while_the_next_is_published(
    library: Library, generations: Generations
) -> None:
    before = library.generation
    with generations.lease() as old:
        fill(library, document("alpha new", uri="/a"))
        generations.publish(SPEC, erase={"/b"})
        assert directories(library) == sorted([str(before), str(library.generation)])
        keys, _ = old.lexical("beta", 9)
        assert [p.text for p, _ in library.passages(keys.tolist())] == ["alpha beta"]
        keys, _ = old.dense(EMBEDDER.query("gamma delta"), 1)
        assert [p.text for p, _ in library.passages(keys.tolist())] == ["gamma delta"]
        assert found(library, generations, "alpha") == ["alpha new"], "others get the new one"
        with pytest.raises(LibraryError, match="not yet erased"):
            generations.drain(patience=0.1)
    generations.drain()
    assert directories(library) == [library.generation]
    with library.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM passages").fetchone() == (1,)


def test_an_index_closed_in_order_opens_without_a_check(
    library: Library,
    generations: Generations,
    warnings: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert found(library, generations, "alpha") == ["alpha beta"]
    again = reopened(library, generations, warnings)
    monkeypatch.setattr("assistant.generations.ChromaProcess", None)
    assert found(library, again, "alpha") == ["alpha beta"]
    again.close()
    assert warnings == []


def test_an_index_left_open_is_checked_and_kept_when_it_is_sound(
    library: Library,
    generations: Generations,
    warnings: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = library.generation
    again = reopened(library, generations, warnings)
    (current(library) / "closed").unlink()
    checked: list[Path] = []
    examine = ChromaHere.examine

    def noted(self: ChromaHere, directory: Path, **how: bool) -> list[str]:
        checked.append(directory)
        return examine(self, directory, **how)

    monkeypatch.setattr(ChromaHere, "examine", noted)
    assert found(library, again, "alpha") == ["alpha beta"]
    assert checked == [current(library)]
    assert library.generation == before
    again.close()
    assert warnings == []


@pytest.mark.parametrize(
    "damage", ["vectors.npy", "manifest.json", "tantivy/meta.json", "all", "format", "chroma"]
)
def test_a_damaged_index_is_made_again_without_embedding(
    library: Library, generations: Generations, warnings: list[str], damage: str
) -> None:
    before = library.generation
    again = reopened(library, generations, warnings)
    directory = current(library)
    if damage == "all":
        shutil.rmtree(directory)
    elif damage == "format":
        manifest = (directory / "manifest.json").read_text()
        (directory / "manifest.json").write_text(manifest.replace('"format":', '"format":9'))
    elif damage == "chroma":
        (directory / "chroma" / "chroma.sqlite3").write_bytes(b"x" * 5000)
    else:
        content = bytearray((directory / damage).read_bytes())
        content[len(content) // 2] ^= 1
        (directory / damage).write_bytes(content)
    assert found(library, again, "alpha") == ["alpha beta"]
    assert library.generation != before
    assert directories(library) == [library.generation]
    assert len(warnings) == 1
    assert "making the search index again" in warnings[0]
    again.close()


def test_a_failed_build_leaves_the_old_index_and_no_rubbish(
    library: Library, generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = library.generation
    fill(library, document("alpha new", uri="/a"))
    for module, name in ((index, "build"), (os, "rename"), (publication, "publish")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, _stop)
            if name == "rename":
                patch.setattr(Path, "rename", _stop)
            with pytest.raises(KeyboardInterrupt):
                generations.publish(SPEC)
        assert library.generation == before
        assert directories(library) == [before]
        assert found(library, generations, "alpha") == ["alpha beta"]
    with monkeypatch.context() as patch:
        patch.setattr(ChromaHere, "examine", lambda self, directory, **_: ["it is broken"])
        with pytest.raises(LibraryError, match="not sound: it is broken"):
            generations.publish(SPEC)
    assert directories(library) == [before]
    generations.publish(SPEC)
    assert found(library, generations, "alpha") == ["alpha new"]


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_what_a_crash_left_behind_is_cleaned_up_at_the_next_start(
    library: Library, generations: Generations, warnings: list[str]
) -> None:
    fill(library, document("alpha new", uri="/a"))
    publication.publish(library, library.generation, SPEC)  # and not swept
    (library.directory / "generations" / "000002-ffffffff.part" / "chroma").mkdir(parents=True)
    (library.directory / "generations" / "000002-ffffffff").mkdir()
    again = reopened(library, generations, warnings)
    assert directories(library) == [library.generation]
    with library.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM passages").fetchone() == (2,)
    again.close()


def test_with_no_space_left_the_search_goes_on_without_chroma(
    library: Library,
    generations: Generations,
    warnings: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    again = reopened(library, generations, warnings)
    monkeypatch.setattr("assistant.generations.is_full", lambda directory: True)
    with again.lease() as index:
        assert index.meaning is None
        keys, _ = index.dense(EMBEDDER.query("gamma delta"), 1)
        assert [p.text for p, _ in library.passages(keys.tolist())] == ["gamma delta"]
    again.close()


def test_readers_see_the_old_or_the_new_and_are_never_refused(
    library: Library, generations: Generations
) -> None:
    stop = threading.Event()
    seen: list[tuple[str, ...]] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                with generations.lease() as index:
                    keys, _ = index.dense(EMBEDDER.query("version"), 9)
                    pairs = library.passages(sorted(keys.tolist()))
                    seen.append(tuple(passage.text for passage, _ in pairs))
        except (LibraryError, KeyError) as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    allowed: set[tuple[str, ...]] = {("alpha beta", "gamma delta")}
    for number in range(6):
        texts = [f"version {number} of {uri}" for uri in "ab"]
        fill(library, *(document(t, uri=f"/{t[-1]}") for t in texts))
        generations.publish(SPEC)
        allowed.add(tuple(texts))
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert set(seen) <= allowed
    assert len(set(seen)) > 3
    assert directories(library) == [library.generation]


def test_the_full_check_does_not_disturb_who_is_searching(
    library: Library, generations: Generations
) -> None:
    with generations.lease() as index:
        assert generations.check() == []
        assert index.lexical("alpha", 1)[0].size == 1
    assert directories(library) == [library.generation]
    path = current(library) / "keys.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert "keys.npy" in generations.check()[0]
