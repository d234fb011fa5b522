from __future__ import annotations

import pytest

from assistant.embedding import OnnxEmbedder
from assistant.errors import ModelError
from assistant.models import build_embedder
from assistant.settings import Settings


def test_bundled_is_the_default() -> None:
    assert isinstance(build_embedder(Settings()), OnnxEmbedder)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("openai:text-embedding-3-small", "pip install"),
        ("nosuch:model", "bundled"),
        ("x", "bundled"),
    ],
)
def test_a_provider_that_cannot_be_had_is_named_with_the_way_out(name: str, word: str) -> None:
    with pytest.raises(ModelError, match=name) as caught:
        build_embedder(Settings(models={"embedding": name}))
    assert word in caught.value.hint
