from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from assistant import index
from assistant.aliases import load
from assistant.index import Index
from assistant.records import IndexRow
from tests.fakes import ChromaHere, FakeEmbedder, chunks, document

EMBEDDER = FakeEmbedder()
LISTING = [
    ("Turkey closed the strait.", "en"),
    ("Türkiye opened the strait.", "en"),
    ("The strait of Turkey is open.", "en"),
    ("Президент Токаев прибыл.", "ru"),
    ("Ivory Coast exports cocoa.", "en"),
    ("Kiev is cold. The coast is cold.", "en"),
    ("Müller naïvely agreed.", "de"),
    ("George left Georgia.\nGeorge wrote.", "en"),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Index:
    rows = []
    for number, (text, language) in enumerate(LISTING):
        source = document(text, uri=f"/{number}", language=language, title=f"T{number}")
        for chunk in chunks(source):
            vector = EMBEDDER.query(chunk.passage.text).astype("<f4").tobytes()
            rows.append(IndexRow(len(rows) + 1, source, chunk.passage, vector))
    directory = tmp_path_factory.mktemp("variants") / "built"
    index.build(directory, rows, len(rows), 32, ChromaHere())
    return Index(directory, exact=True)


def found(opened: Index, query: str) -> tuple[list[int], list[float]]:
    keys, scores = opened.lexical(query, 50, aliases=load(None))
    return keys.tolist(), [round(score, 4) for score in scores.tolist()]


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Turkey strait", "Türkiye strait"),
        ("Turkey strait", "turkiye strait"),
        ("Turkey strait", "ТУРЦИЯ strait"),
        ("when did Tokayev arrive", "when did Токаев arrive"),
        ("when did Tokayev arrive", "when did TOKAJEW arrive"),
        ("Kiev winter", "Kyiv winter"),
        ("Kiev winter", "Київ winter"),
        ("Müller", "Mueller"),
    ],
)
def test_each_spelling_finds_the_same_with_the_same_scores(
    opened: Index, one: str, another: str
) -> None:
    assert found(opened, one) == found(opened, another)
    assert found(opened, one)[0]


def test_spellings_of_a_name_count_as_one_word_of_their_frequency(opened: Index) -> None:
    """The rare spelling gets no head start: else it would outweigh what else is asked."""
    (first, second, third), scores = found(opened, "Turkey")
    assert {first, second, third} == {1, 2, 3}
    assert max(scores) < 1.3 * min(scores)
    plain = opened.lexical("türkiye", 5)[1][0]
    assert max(scores) < plain


def test_the_words_of_a_name_are_searched_together(opened: Index) -> None:
    assert found(opened, "Côte d'Ivoire")[0] == [5]  # not the one with another coast


def test_what_is_written_in_one_way_alone_is_searched_as_it_was(opened: Index) -> None:
    for query in ("cold coast", "cocoa", "who agreed", "Georgia", "what is it", "👩‍🔬", ""):
        plain = opened.lexical(query, 50)
        keys, scores = opened.lexical(query, 50, aliases=load(None))
        assert keys.tolist() == plain[0].tolist()
        np.testing.assert_allclose(scores, plain[1], rtol=1e-6)


def test_the_question_is_embedded_as_the_collection_spells_it(opened: Index) -> None:
    def respelled(text: str) -> str:
        return opened.variants.respell(text, load(None))

    assert respelled("Did Türkiye or Kyiv close it?") == "Did Turkey or Kiev close it?"
    assert respelled("Turkey's coast") == "Turkey's coast"
    assert respelled("Wales and Spain") == "Wales and Spain"  # not known in any spelling


def test_ten_thousand_names_take_no_longer_than_as_many_words(opened: Index) -> None:
    for text in ("Türkiye Kyiv " * 600, "Tokajew " * 1000, "Ivory " * 1300):
        started = time.process_time()
        found(opened, text)
        opened.variants.respell(text, load(None))
        assert time.process_time() - started < 2


def test_spellings_are_of_the_index(tmp_path: Path) -> None:
    source = document("Nothing with a name.")
    chunk = chunks(source)[0]
    row = IndexRow(1, source, chunk.passage, EMBEDDER.query("x").astype("<f4").tobytes())
    index.build(tmp_path / "built", [row], 1, 32, ChromaHere())
    opened = Index(tmp_path / "built", exact=True)
    assert opened.variants.find("Türkiye and Tokaev", load(None)) == []
