"""Whose words a sentence is and what kind of saying, on sentences labelled by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant.attribution import attribute

LABELS = yaml.safe_load((Path(__file__).parents[1] / "stances.yaml").read_text(encoding="utf-8"))
# precision and recall on the sentences that the rules were not written with in view, today's less
# one mistake
REACHED = {
    "fact": (0.80, 0.80),
    "claim": (0.80, 0.80),
    "denial": (0.65, 0.80),
    "forecast": (0.60, 0.85),
    "opinion": (0.75, 0.45),
}


def test_the_stance_is_told_in_the_sample_collection() -> None:
    for part, rows in LABELS.items():
        right, told, labelled = Counter[str](), Counter[str](), Counter[str]()
        for label, language, sentence in rows:
            stance = attribute(sentence, language).stance
            told[stance] += 1
            labelled[label] += 1
            right[label] += stance == label
        for label, (precision, recall) in REACHED.items():
            counts = f"{right[label]} of {told[label]} told, of {labelled[label]} labelled"
            print(part, label, counts)
            assert right[label] >= precision * told[label], (part, label)
            assert right[label] >= recall * labelled[label], (part, label)


@pytest.mark.parametrize(
    ("sentence", "language", "speaker", "stance"),
    [
        ("Sidorov said the question had been settled.", "en", "Sidorov", "claim"),
        ("The mission left, according to the ministry.", "en", "the ministry", "claim"),
        ("Firing had stopped, a spokesperson said on Friday.", "en", "a spokesperson", "claim"),
        ('"We can count them," said a teacher in Goris.', "en", "a teacher in Goris", "claim"),
        (
            "Speaking in parliament, Prime Minister Nikol Pashinyan said 49 had been killed.",
            "en",
            "Prime Minister Nikol Pashinyan",
            "claim",
        ),
        ("Baku accuses Paris of preparing a war.", "en", "Baku", "claim"),
        ("The ministry denied that it was being prepared.", "en", "The ministry", "denial"),
        ("The mission will leave on Monday.", "en", None, "forecast"),
        ("I believe that it was not a bargain.", "en", None, "opinion"),
        ("The border is 970 kilometres long.", "en", None, "fact"),
        ("He said it was over.", "en", None, "claim"),
        ("По словам министра, для въезда достаточно паспорта.", "ru", "министра", "claim"),
        ("Президент Токаев заявил, что вопрос решён.", "ru", "Президент Токаев", "claim"),
        (
            "Просьбы не было, сообщили в министерстве обороны.",
            "ru",
            "в министерстве обороны",
            "claim",
        ),
        ("Министерство опровергло эти сообщения.", "ru", None, "denial"),
        ("Саммит состоится в Минске.", "ru", None, "forecast"),
        ('Bir yetkili "Metinde üs kelimesi geçmiyor" dedi.', "tr", "Bir yetkili", "claim"),
        ("Ankara bu yorumu reddediyor.", "tr", None, "denial"),
        ("Onayın tamamlanması bekleniyor.", "tr", None, "forecast"),
        ("The ministry said so.", "xx", None, "fact"),
    ],
)
def test_speakers(sentence: str, language: str, speaker: str | None, stance: str) -> None:
    assert attribute(sentence, language) == (speaker, stance)


@given(st.text(max_size=300), st.sampled_from(["en", "ru", "tr"]))
def test_a_speaker_is_words_of_the_sentence(sentence: str, language: str) -> None:
    speaker, _ = attribute(f'{sentence}, said {sentence} "according to" {sentence}', language)
    assert speaker is None or speaker in f'{sentence}, said {sentence} "according to" {sentence}'


def test_a_long_sentence_takes_no_long_time() -> None:
    for text in ("a, " * 3000, "The " * 5000, "in the " * 3000 + "said", '"' * 5000):
        attribute(text, "en")
