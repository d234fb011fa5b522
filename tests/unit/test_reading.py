from __future__ import annotations

import numpy as np
import pytest

from assistant.embedding import OnnxEmbedder
from assistant.reading import Reader


@pytest.mark.parametrize("text", ["It opened in May 1921.", "Мост открыт.", "🌍 e\u0301", ""])
def test_every_token_has_its_span_and_a_vector_of_length_one(text: str) -> None:
    (reading,) = Reader(threads=1).read([text])
    assert reading.tokens.shape == (len(reading.spans), 384)
    assert np.allclose(np.linalg.norm(reading.tokens, axis=1), 1, atol=1e-5)
    starts, ends = reading.spans[:, 0], reading.spans[:, 1]
    assert (starts < ends).all()
    assert (ends <= len(text)).all()
    assert (np.diff(starts) >= 0).all()


def test_the_whole_is_the_vector_that_search_uses() -> None:
    texts = ["The bridge opened in 1921.", "word " * 900]
    embedded = OnnxEmbedder(threads=1).documents(texts)
    for reading, vector in zip(Reader(threads=2).read(texts), embedded, strict=True):
        assert np.allclose(reading.vector, vector, atol=1e-6)
        assert len(reading.spans) <= 254
