from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant import index
from assistant.analysis import analyse, analyse_query, words_of
from assistant.index import Index
from assistant.lexical_query import Wanted, weigh
from assistant.records import IndexRow
from tests.fakes import ChromaHere, FakeEmbedder, chunks, document

EMBEDDER = FakeEmbedder()
LISTING = [
    ("The TNF-alpha of Th17 cells rose in the U.S. after 1.5 hours.", "en"),
    ("Gas prices fell.\nPipelines were repaired.\nEngineers went home.", "en"),
    ("Die Straße nach Köln bleibt gesperrt, sagt der Rat.", "de"),
    ("KADINLAR İstanbul'da toplandı; IRAK heyeti katıldı.", "tr"),
    ("東京で会議が開かれた。", "ja"),
    ("हिन्दी में समाचार", "hi"),
]

Search = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A query to the texts of the passages found, best first."""
    rows = []
    for number, (text, language) in enumerate(LISTING):
        source = document(text, uri=f"/{number}", language=language, title=f"Title{number}")
        source = source.model_copy(update={"source": "Reuters", "author": "Jane Doe"})
        for chunk in chunks(source):
            vector = EMBEDDER.query(chunk.passage.text).astype("<f4").tobytes()
            rows.append(IndexRow(len(rows) + 1, source, chunk.passage, vector))
    directory = tmp_path_factory.mktemp("lexical") / "built"
    index.build(directory, rows, len(rows), 32, ChromaHere())
    opened = Index(directory, exact=True)
    texts = {row.key: row.passage.text for row in rows}
    return lambda query: [texts[key] for key in opened.lexical(query, 50)[0].tolist()]


# -- analysis ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("NATO Sanctions", "nato sanction", "en"),
        ("KADINLAR", "kadınlar", "tr"),
        ("KADINLAR", "kadinlar", "tr"),
        ("İSTANBUL", "istanbul", "tr"),
        ("STRASSE", "straße", "de"),
        ("ΣΟΦΟΣ", "σοφος", "el"),
        ("САНКЦИИ", "санкция", "ru"),
        ("Артёма", "артема", "ru"),
        ("Mädchen", "MÄDCHENS", "de"),
        ("nationales", "national", "fr"),
        ("elecciones", "elección", "es"),
        ("САНКЦІЇ", "санкції", "uk"),  # which tantivy has no stemmer for
        ("NF\u2011κB", "NF-κB", "en"),
    ],
)
def test_two_spellings_are_one_term(one: str, other: str, language: str) -> None:
    assert analyse(one, language).words == analyse(other, language).words


def test_compounds_and_mixed_words_are_found_joined_and_apart() -> None:
    terms = analyse("TNF-alpha in Th17, and/or U.S.", "en").words
    assert {"tnf", "alpha", "tnfalpha", "th17", "th", "17", "andor", "us"} <= set(terms)
    assert set(analyse("tnfalpha TH17", "en").words) <= set(terms)


def test_pairs_keep_stop_words_unless_both_are_stop_words() -> None:
    assert analyse("the war of the worlds", "en").pairs == ["the_war", "war_of", "the_world"]


def test_marks_stay_in_their_word_and_signs_stand_alone() -> None:
    assert words_of("हिन्दी में") == ["हिन्दी", "में"]
    assert words_of("東京 Tower") == ["東", "京", "tower"]
    assert analyse("東京", "ja").pairs == ["東_京"]


def test_stop_words_of_the_question_are_no_content_in_any_language() -> None:
    english, finnish, unknown = analyse_query("What did the council lift?", ["en", "fi", "und"])
    assert english.words == ["council", "lift"]
    assert unknown.words == ["council", "lift"]
    assert len(finnish.words) == 2


def test_a_stop_word_elsewhere_is_content_here() -> None:
    (english, german) = analyse_query("who can die of it", ["en", "de"])
    assert english.words == ["die"]
    assert german.words == []


def test_what_counts_is_the_root_of_how_often_it_is_said() -> None:
    words, pairs = weigh(Wanted({"gas gas gas gas oil": 1.0, "oil coal": 0.5}), ["en"])
    assert words == {"gas": 2.0, "oil": 1.0, "coal": 0.5}
    assert pairs == {"gas_gas": 3**0.5, "gas_oil": 1.0, "oil_coal": 0.5}


@pytest.mark.parametrize("text", ["x" * 200_000, "a-" * 100_000, "-" * 100_000, "a." * 100_000])
def test_hostile_texts_take_no_longer_than_long_ones(text: str) -> None:
    """Without its look-behind the pattern of compounds takes minutes for the first of these."""
    started = time.process_time()
    analyse(text, "en")
    assert time.process_time() - started < 2


# -- searching ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("tnfalpha", 0),
        ("TNF ALPHA", 0),
        ("TH 17", 0),
        ("strasse KÖLN", 2),
        ("kadın ırak", 3),
        ("istanbul", 3),
        ("東京", 4),
        ("हिन्दी", 5),
        ("title4", 4),
    ],
)
def test_the_passage_is_found(search: Search, query: str, number: int) -> None:
    assert search(query)[0] == LISTING[number][0]
    assert search(query.upper()) == search(query.lower()) == search(query)


def test_a_passage_is_found_by_its_neighbours_of_the_same_document(search: Search) -> None:
    lines = LISTING[1][0].split("\n")
    assert set(search("gas")) == set(lines[:2])
    assert set(search("pipeline")) == set(lines)
    assert set(search("engineers home")) == set(lines[1:])


def test_who_says_it_is_searched_too(search: Search) -> None:
    assert len(search("reuters")) == len(search("jane doe")) == len(search("the reuters")) == 8


@pytest.mark.parametrize("query", ["what is it and who are they", "👩‍🔬", "…", "WHAT IS THE", " "])
def test_nothing_to_search_finds_nothing(search: Search, query: str) -> None:
    assert search(query) == []


def test_ten_thousand_words_are_a_query_too(search: Search) -> None:
    assert search("gas " + " ".join(f"word{n}" for n in range(10_000)))[0].startswith("Gas")


@pytest.mark.parametrize(
    "query", ['words:"gas"', "gas AND (", "+gas -prices", "ga[s", "gas* .*", "[gas TO z]"]
)
def test_syntax_is_words(search: Search, query: str) -> None:
    assert "Gas prices fell." in search(query) or query in {"ga[s"}


def test_an_unknown_language_is_searched_as_every_known_one(search: Search) -> None:
    assert search("Wat zegt Reuters over Köln?")[0] == LISTING[2][0]


def test_two_builds_are_the_same(tmp_path: Path) -> None:
    source = document("One line.\nAnother line.", uri="/a")
    rows = [
        IndexRow(key, source, chunk.passage, EMBEDDER.query("x").astype("<f4").tobytes())
        for key, chunk in enumerate(chunks(source), 1)
    ]
    for name in ("a", "b"):
        index.build(tmp_path / name, rows, len(rows), 32, ChromaHere())
    found = [Index(tmp_path / name, exact=True).lexical("another line", 5) for name in ("a", "b")]
    assert found[0][0].tolist() == found[1][0].tolist() == [1, 2]
    assert found[0][1].tolist() == found[1][1].tolist()
