from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.aliases import Aliases, load, tokens
from assistant.errors import SettingsError


def names(text: str, aliases: Aliases | None = None) -> list[tuple[str, tuple[str, ...]]]:
    split = tokens(text)
    return [
        (text[split[found.first].start : split[found.last - 1].end], found.names)
        for found in (aliases or load(None)).find(split)
    ]


@pytest.mark.parametrize(
    ("text", "written", "another"),
    [
        ("What did Türkiye say?", "Türkiye", "Turkey"),
        ("WHAT DID TURKEY SAY", "TURKEY", "Türkiye"),
        ("Turkiye'nin kararı", "Turkiye", "Турция"),
        ("решение Турции", "Турции", "Türkei"),
        ("Turkey’s decision", "Turkey", "Turquie"),
        ("on Sept 13", "Sept", "September"),
        ("gas of the Ivory Coast", "Ivory Coast", "Côte d’Ivoire"),
        ("Nagorno-Karabakh's status", "Nagorno-Karabakh", "Artsakh"),
        ("who governs Burma", "Burma", "Myanmar"),
        ("Kiew im Winter", "Kiew", "Kyiv"),
        ("Hauptstadt Deutschland", "Deutschland", "Германия"),
        ("the Collective Security Treaty Organization", "Collective Security Treaty Organization",
         "ОДКБ"),
    ],
)  # fmt: skip
def test_a_name_is_found_with_its_others(text: str, written: str, another: str) -> None:
    ((found, others),) = names(text)
    assert found == written
    assert another in others


def test_words_and_places_that_share_a_name_are_kept_apart() -> None:
    assert names("who leads the cub scouts of us in may") == []
    assert "Mexico City" not in dict(names("Mexico"))["Mexico"]
    assert "Canada" not in dict(names("United States"))["United States"]
    assert "Great Britain" not in dict(names("США"))["США"]


def test_a_file_of_ones_own_adds_to_ours_and_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "aliases.toml"
    file.write_text('names = """\nAcme Works | Bureau 7 | Türkiye\n"""\n', encoding="utf-8")
    aliases = load(file)
    assert {"Acme Works", "Bureau 7", "Turkey"} <= set(names("bureau 7 opened", aliases)[0][1])
    assert {"Acme Works", "Türkiye"} <= set(names("Turkey opened", aliases)[0][1])
    assert "Acme Works" not in names("Turkey opened")[0][1]
    file.write_text('names = """\nAcme Works | Zeta\n"""\n')
    assert set(names("acme works", load(file))[0][1]) == {"Acme Works", "Zeta"}
    file.write_text("")
    assert names("acme works", load(file)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"names = [", "aliases.toml"),
        (b"names = 3", "one text"),
        (b'other = ""', "unknown key 'other'"),
        (b'names = """\nTurkey\n"""', "'Turkey'"),
        (b'names = """\nTurkey | | Kyiv\n"""', "Turkey |"),
        (b"names = '''\n\xff | a\n'''", "utf-8"),
    ],
)
def test_a_file_that_is_not_right_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "aliases.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"retrieval\.aliases: .*aliases\.toml") as caught:
        load(tmp_path / "aliases.toml")
    assert message in str(caught.value)
    assert "Turkey | Türkiye" in caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absent"):
        load(tmp_path / "absent.toml")


@given(st.text(max_size=80))
def test_any_text_has_names_or_none(text: str) -> None:
    split = tokens(text)
    places = [(found.first, found.last) for found in load(None).find(split)]
    assert all(first < last <= len(split) for first, last in places)
    assert all(one[1] <= other[0] for one, other in pairwise(places))
