from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant import dense, health, index
from assistant.chroma_process import ChromaProcess
from assistant.errors import LibraryError
from assistant.index import Index
from assistant.records import IndexRow
from tests.fakes import ChromaHere, FakeEmbedder, chunks, document

EMBEDDER = FakeEmbedder()
LINES = {
    "en": [
        "The sanctions against the country were lifted by the council.",
        "Peacekeepers arrived on September 13 and left in January.",
        "Türkiye and Turkey are one country; Artsakh and Karabakh one region.",
    ],
    "ru": ["Совет снял санкции против страны.", "Миротворцы прибыли в сентябре, сообщает NATO."],
    "tr": ["Konsey yaptırımları kaldırdı."],
    "und": ["Sanctions in a language that nobody named."],
}
WORDS = [f"word{n}" for n in range(400)]


def rows() -> list[IndexRow]:
    """Six languages' worth of passages, then 300 English ones of twenty words; keys have gaps."""
    rng = np.random.default_rng(0)
    filler = [" ".join(rng.choice(WORDS, 20)) for _ in range(300)]
    texts = [(language, line) for language in LINES for line in LINES[language]]
    texts += [("en", line) for line in filler]
    made = []
    for number, (language, line) in enumerate(texts):
        source = document(line, uri=f"/{number}", language=language, published="2022-09-13")
        (chunk,) = chunks(source)
        vector = EMBEDDER.query(line).astype("<f4").tobytes()
        stored = source.model_copy(update={"text": ""})
        made.append(IndexRow(3 * number + 5, stored, chunk.passage, vector))
    return made


ROWS = rows()
KEYS = {row.passage.text: row.key for row in ROWS}
VECTORS = np.stack([np.frombuffer(row.vector, dtype="<f4") for row in ROWS])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("index") / "built"
    index.build(directory, ROWS, len(ROWS), 32, ChromaHere())
    return directory


@pytest.fixture(scope="module")
def opened(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    directory = tmp_path_factory.mktemp("index") / "opened"
    shutil.copytree(built, directory)
    index = Index(directory)
    yield index
    index.close()


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "copy")
    return tmp_path / "copy"


def words(found: tuple[NDArray[np.int64], NDArray[np.float32]]) -> list[str]:
    texts = {key: text for text, key in KEYS.items()}
    return [texts[key] for key in found[0].tolist()]


# -- searching ---------------------------------------------------------------------------------


def test_the_nearest_in_meaning_come_first_with_their_exact_cosines(opened: Index) -> None:
    for row in ROWS[::25]:
        vector = EMBEDDER.query(row.passage.text)
        keys, cosines = opened.dense(vector, 10)
        assert keys[0] == row.key
        exact = np.sort(VECTORS @ vector)[::-1][:10]
        np.testing.assert_allclose(cosines, exact, atol=1e-6)
        assert keys.dtype == np.int64
        assert cosines.dtype == np.float32


def test_asking_for_more_than_there_is_gives_all(opened: Index) -> None:
    keys, cosines = opened.dense(VECTORS[0], 10_000)
    assert sorted(keys.tolist()) == sorted(KEYS.values())
    assert (np.diff(cosines) <= 0).all()


def test_cosines_are_of_the_keys_asked_for_in_their_order(opened: Index) -> None:
    order = np.random.default_rng(1).permutation(len(ROWS))
    keys = np.array([ROWS[n].key for n in order])
    np.testing.assert_allclose(opened.cosines(VECTORS[7], keys), VECTORS[order] @ VECTORS[7])
    assert opened.cosines(VECTORS[7], []).shape == (0,)
    for foreign in (0, 6, 10**9):
        with pytest.raises(KeyError):
            opened.cosines(VECTORS[7], [ROWS[0].key, foreign])


def test_without_chroma_the_search_is_the_same(opened: Index, copy: Path) -> None:
    exact = Index(copy, exact=True)
    for vector in VECTORS[::40]:
        keys, cosines = exact.dense(vector, 5)
        expected_keys, expected = opened.dense(vector, 5)
        assert keys.tolist() == expected_keys.tolist()
        np.testing.assert_allclose(cosines, expected, atol=1e-6)
    exact.close()
    assert index.was_closed(copy), "Chroma was never opened"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sanction", LINES["en"][0]),
        ("SANCTIONS lifting", LINES["en"][0]),
        ("санкция", LINES["ru"][0]),
        ("миротворцев", LINES["ru"][1]),
        ("yaptırım", LINES["tr"][0]),
        ("karabakh", LINES["en"][2]),
        ("türkiye", LINES["en"][2]),
    ],
)
def test_words_are_found_in_their_other_forms(opened: Index, query: str, found: str) -> None:
    assert words(opened.lexical(query, 5))[0] == found


def test_a_rare_language_scores_like_a_common_one(opened: Index) -> None:
    """With a field for each language BM25 gave a Russian passage among English ones 0.002."""
    _, english = opened.lexical("peacekeeper", 1)
    _, russian = opened.lexical("миротворцев", 1)
    assert 0.5 < float(russian[0] / english[0]) < 2


@pytest.mark.parametrize(
    "query",
    [
        *('"', "(", "text:", "a AND", '+-!(){}[]^"~*?:\\/', "key:[0 TO 9]", "*", "NOT council"),
        *("", "   ", "\n", "\0", "…", "👩‍🔬", "\ud800", "x" * 100_000, "a " * 10_000),
    ],
)
def test_a_query_is_words_and_never_syntax(opened: Index, query: str) -> None:
    keys, scores = opened.lexical(query, 5)
    assert len(keys) == len(scores) <= 5
    plain = query.replace("text:", "").replace("key:", "")
    if plain.isascii() and not any(character.isalnum() for character in plain):
        assert not len(keys)


def test_syntax_excludes_nothing_and_requires_nothing(opened: Index) -> None:
    assert LINES["en"][0] in words(opened.lexical("-council NOT sanctions", 5))
    assert LINES["en"][0] in words(opened.lexical("+nowhere +council", 5))


def test_threads_share_an_index(opened: Index) -> None:
    def run(number: int) -> bool:
        row = ROWS[number % len(ROWS)]
        keys, _ = opened.dense(EMBEDDER.query(row.passage.text), 3)
        found, _ = opened.lexical(row.passage.text, 3)
        return bool(keys[0] == row.key and row.key in found)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(400)))


def test_neither_environment_nor_working_directory_reroutes_chroma(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMA_API_IMPL", "chromadb.api.fastapi.FastAPI")
    (tmp_path / ".env").write_text("chroma_api_impl=chromadb.api.fastapi.FastAPI\n")
    monkeypatch.chdir(tmp_path)
    opened = Index(copy)
    assert opened.dense(VECTORS[0], 1)[0].tolist() == [ROWS[0].key]
    opened.close()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_index_works(tmp_path: Path, count: int) -> None:
    index.build(tmp_path / "small", ROWS[:count], count, 32, ChromaHere())
    assert health.examine(tmp_path / "small", thorough=True) == []
    opened = Index(tmp_path / "small")
    assert opened.dense(VECTORS[0], 5)[0][0] == ROWS[0].key
    assert len(opened.dense(VECTORS[0], 5)[0]) == count
    opened.close()


def test_chroma_holds_no_words(copy: Path) -> None:
    with closing(sqlite3.connect(copy / "chroma" / dense.DATABASE)) as database:
        assert database.execute("SELECT COUNT(*) FROM embedding_metadata").fetchone() == (0,)
        assert database.execute("SELECT COUNT(*) FROM embeddings").fetchone() == (len(ROWS),)


# -- soundness ---------------------------------------------------------------------------------


def test_a_whole_generation_is_sound(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromadb.py").write_text("open('canary', 'w')")
    monkeypatch.chdir(tmp_path)
    assert index.check_files(copy) == []
    assert index.was_closed(copy)
    with ChromaProcess() as process:
        assert process.examine(copy) == []
        assert index.was_closed(copy), "the check closes it again"
        assert process.examine(copy, thorough=True) == []
    assert not (tmp_path / "canary").exists(), "it runs no code of the working directory"


def test_an_end_without_close_is_noticed(copy: Path) -> None:
    opened = Index(copy)
    assert not index.was_closed(copy)
    opened.close()
    assert index.was_closed(copy)


def test_every_changed_byte_of_every_file_is_noticed(built: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = [path.relative_to(built) for path in sorted(built.rglob("*")) if path.is_file()]
    assert len(files) > 15
    for number, name in enumerate(files):
        copy = tmp_path / str(number)
        shutil.copytree(built, copy)
        content = (copy / name).read_bytes()
        for position in rng.integers(0, len(content), 5) if content else ():
            changed = bytearray(content)
            changed[position] ^= 1 << int(rng.integers(8))
            (copy / name).write_bytes(changed)
            assert index.check_files(copy) or not index.was_closed(copy), (name, position)
        for length in {0, len(content) // 2, len(content) - 1} - {len(content), -1}:
            (copy / name).write_bytes(content[:length])
            assert index.check_files(copy) or not index.was_closed(copy), (name, length)
        (copy / name).unlink()
        assert index.check_files(copy) or not index.was_closed(copy), name
        shutil.rmtree(copy)


def damaged(copy: Path, damage: str) -> None:
    (segment,) = {path.parent for path in copy.rglob("data_level0.bin")}
    if damage == "lost":  # Chroma then answers, without an error, from what its log still holds
        shutil.rmtree(segment)
    elif damage == "huge":
        os.truncate(segment / "link_lists.bin", 1 << 40)
    elif damage == "torn":
        level0 = segment / "data_level0.bin"
        level0.write_bytes(level0.read_bytes()[:5000] + os.urandom(level0.stat().st_size - 5000))
    elif damage == "metadata":
        os.truncate(segment / "index_metadata.pickle", 100)
    elif damage == "rows":
        with closing(sqlite3.connect(copy / "chroma" / dense.DATABASE)) as database:
            database.execute("DELETE FROM embeddings WHERE id % 2")
            database.commit()
    elif damage == "words":
        next((copy / "tantivy").glob("*.term")).write_bytes(b"nonsense")


@pytest.mark.parametrize("damage", ["huge", "torn"])
def test_the_check_survives_what_crashes_chroma(copy: Path, damage: str) -> None:
    damaged(copy, damage)
    with ChromaProcess() as process:
        assert process.examine(copy)


@pytest.mark.parametrize("damage", ["lost", "metadata", "rows", "words"])
def test_the_check_names_what_chroma_would_serve(copy: Path, damage: str) -> None:
    damaged(copy, damage)
    assert health.examine(copy)


def test_vectors_that_chroma_has_swapped_are_found_by_the_thorough_check(
    copy: Path, built: Path
) -> None:
    vectors = np.load(copy / "vectors.npy")
    vectors[[0, 1]] = vectors[[1, 0]]
    np.save(copy / "vectors.npy", vectors)
    assert any("other vectors" in problem for problem in health.examine(copy, thorough=True))


@pytest.mark.parametrize("column", ["schema_str", "config_json_str"])
def test_a_stored_embedding_function_is_refused_before_chroma_sees_it(
    copy: Path, column: str
) -> None:
    """T36: Chroma would build it, and some of them run code that the configuration names."""
    function = {
        "type": "known",
        "name": "sentence_transformer",
        "config": {"model_name": "x", "device": "cpu", "kwargs": {"trust_remote_code": True}},
    }
    with closing(sqlite3.connect(copy / "chroma" / dense.DATABASE)) as database:
        (text,) = database.execute(f"SELECT {column} FROM collections").fetchone()
        hostile = text.replace('{"type":"legacy"}', json.dumps(function))
        if text == "{}":
            hostile = json.dumps({"embedding_function": function})
        assert hostile != text
        database.execute(f"UPDATE collections SET {column} = ?", (hostile,))
        database.commit()
    assert any("embedding function" in problem for problem in index.check_files(copy))
    assert "embedding function" in health.examine(copy)[0]


def test_what_the_libraries_raise_comes_out_in_our_words(copy: Path) -> None:
    shutil.rmtree(copy / "chroma")
    with pytest.raises(LibraryError, match="search index") as caught:
        Index(copy)
    assert "assistant rebuild" in caught.value.hint


def test_a_build_that_is_cut_short_says_so(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="counts 4 passages and holds 3"):
        index.build(tmp_path / "short", ROWS[:3], 4, 32, ChromaHere())
