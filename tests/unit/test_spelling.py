from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.records import IndexRow
from assistant.spelling import Collector, Spellings, keys, plain, sound
from tests.fakes import chunks, document

ONE_NAME = """
Tokayev Tokaev Tokajew Tokaïev Токаев Токаеву Токаева Тоқаев
Lukashenko Lukashenka Łukaszenka Loukachenko Лукашенко Лукашэнка Lukaschenko
Zelensky Zelenskyy Zelenskiy Zelenski Зеленский Зеленского Зеленський
Pashinyan Pashinian Paschinjan Pachinian Пашинян Пашиняна Paşinyan
Erdogan Erdoğan Эрдоган Эрдоганом
Çavuşoğlu Cavusoglu Chavushoghlu Чавушоглу
Aliyev Aliev Əliyev Алиев Алиеву
Grigoryan Grigorian Григорян
Yerevan Erevan Ереван Ереване
Müller Mueller Muller
Syunik Siunik Сюник
"""
APART = """
Georgia George
Armenia Armen
Tokayeva Tokmak
Baku Buka
Shusha Sasha
Iran Iraq
Minsk Munich
Lachin Latin
aPKCz APC's
MAPK MAPKK
UreH UreG
"""


@pytest.mark.parametrize("line", ONE_NAME.strip().splitlines())
def test_spellings_of_one_name_share_a_key(line: str) -> None:
    first, *others = line.split()
    assert [other for other in others if not keys(first) & keys(other)] == []


@pytest.mark.parametrize("line", APART.strip().splitlines())
def test_other_names_share_none(line: str) -> None:
    one, other = line.split()
    assert not keys(one) & keys(other)


@given(st.text(max_size=30))
def test_any_text_has_keys_and_case_changes_none(word: str) -> None:
    assert keys(word) == keys(word.casefold())
    assert plain(word) == plain(plain(word))
    assert sound(word).isascii()


def test_names_are_words_with_capitals_and_words_with_marks(tmp_path: Path) -> None:
    text = "The President met Tokaev.\nPeople met Tokayev at a café. Erdoğan left; people wrote."
    source = document(text, title="Токаев in Ankara", author="Jane Doe")
    collector = Collector()
    collector.add(IndexRow(n, source, chunk.passage, b"") for n, chunk in enumerate(chunks(source)))
    collector.write(tmp_path / "spellings.json")
    spellings = Spellings.read(tmp_path / "spellings.json")
    assert spellings.of("TOKAJEW") == {"tokaev", "tokayev", "токаев"}
    assert spellings.of("cafe") == {"café"}
    assert spellings.of("ERDOGAN") == {"erdoğan"}
    assert spellings.of("peeple") == spellings.of("people") == set()
    assert spellings.of("jane") == {"jane"}
