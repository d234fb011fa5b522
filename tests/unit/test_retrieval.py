from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import publication
from assistant.generations import Generations
from assistant.library import Library
from assistant.retrieval import Query, capped, fusion, retrieve, standardised
from assistant.settings import RetrievalSettings
from assistant.types import Filters, ScoredPassage
from tests.fakes import SPEC, ChromaHere, FakeEmbedder, chunks, document, fill

EMBEDDER = FakeEmbedder(SPEC.embedding, SPEC.dimension)
WORDS = [f"word{n}" for n in range(300)]
Search = Callable[..., tuple[ScoredPassage, ...]]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """A question, ``k`` and retrieval settings to what is found, from the real indexes."""
    rng = np.random.default_rng(0)

    def line() -> str:
        return " ".join(rng.choice(WORDS, 12))

    sources = [document("\n".join(line() for _ in range(4)), uri=f"/{n}") for n in range(60)]
    gas = "\n".join(f"Gas prices fell by {n} percent in {WORDS[n]}." for n in range(8))
    sources.append(document(gas, uri="/gas"))
    sources.append(document("Gas prices rose.\nNobody noticed.", uri="/rise"))
    monkey = pytest.MonkeyPatch()
    monkey.setattr("assistant.generations.ChromaProcess", ChromaHere)
    with Library.open(tmp_path_factory.mktemp("retrieval") / "data") as library:
        fill(library, *sources)
        generations = Generations(library)
        generations.publish(SPEC)

        def run(
            question: str, k: int = 8, filters: Filters | None = None, **settings: float
        ) -> tuple[ScoredPassage, ...]:
            query = Query(question, EMBEDDER.query(question))
            given = RetrievalSettings.model_validate(settings)
            with generations.lease() as index:
                within = index.catalogue.select(filters) if filters else None
                return retrieve(library, index, query, given, k, within)

        yield run
        generations.close()
    monkey.undo()


def texts(found: tuple[ScoredPassage, ...]) -> list[str]:
    return [scored.passage.text for scored in found]


def test_best_first_and_the_same_every_time(search: Search) -> None:
    found = search("gas prices fell")
    scores = [scored.score for scored in found]
    assert len(found) == 8
    assert scores == sorted(scores, reverse=True)
    assert found[0].document.uri == "/gas"
    assert search("gas prices fell") == found


def test_scores_are_the_true_cosine_and_bm25(search: Search) -> None:
    for scored in search("gas prices fell"):
        cosine = EMBEDDER.query("gas prices fell") @ EMBEDDER.query(scored.passage.text)
        assert scored.dense_score == pytest.approx(float(cosine), abs=1e-5)
    assert search("gas prices fell")[0].lexical_score > 1  # type: ignore[operator]
    by_meaning = [s for s in search("gas prices", 100) if "Gas" not in s.passage.text]
    assert all(s.lexical_score == 0 for s in by_meaning if s.document.uri not in {"/gas", "/rise"})


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_no_more_than_so_many_passages_of_one_document(search: Search, most: int) -> None:
    found = search("gas prices fell percent", 20, per_document=most)
    counts = Counter(scored.document.uri for scored in found)
    assert max(counts.values()) <= most
    assert counts["/gas"] == min(most, 8)
    assert len(found) == 20


def test_documents_rank_by_their_best_passage(search: Search) -> None:
    """Eight passages that fit do not outrank the one that fits best."""
    assert search("Gas prices rose.", per_document=100)[0].document.uri == "/rise"


def test_the_share_of_meaning_reaches_from_words_only_to_meaning_only(search: Search) -> None:
    question = "gas prices fell word3 word4"
    by_words = [s.lexical_score for s in search(question, per_document=100, dense_weight=0)]
    assert by_words == sorted(by_words, reverse=True)  # type: ignore[type-var]
    meaning = search(question, 8, per_document=100, dense_weight=1)
    both = search(question, 8, per_document=100)
    assert meaning != both
    assert max(s.dense_score or 0 for s in meaning) == meaning[0].dense_score


@pytest.mark.parametrize("query", ["GAS PRICES FELL", "Gas Prices Fell", "gas prices fell"])
def test_case_changes_nothing(search: Search, query: str) -> None:
    assert texts(search(query)) == texts(search("gas prices fell"))


@pytest.mark.parametrize(
    "query",
    [
        *("what is it and who are they", "👩‍🔬", "x" * 100_000, "NOT (gas", '"', ".*["),
        *("Mitä kuuluu?", " ".join(f"term{n}" for n in range(10_000))),
    ],
    ids=range(8),
)
def test_any_query_gives_a_clear_result(search: Search, query: str) -> None:
    found = search(query)
    assert len(found) == 8
    assert all(np.isfinite(scored.score) for scored in found)
    assert search(query) == found


def test_asking_for_more_than_there_is_gives_all(search: Search) -> None:
    assert len(search("gas", 1000, per_document=100)) == 250
    assert len(search("gas", 1)) == 1


def test_earlier_questions_count_as_much_as_they_are_given(search: Search, tmp_path: Path) -> None:
    with Library.open(tmp_path / "data") as library:
        fill(library, document("Prices fell."), document("Pipelines burst.", uri="/b"))
        generations = Generations(library)
        generations.publish(SPEC)
        with generations.lease() as index:
            plain = index.lexical("Why?", 5)
            carried = index.lexical("Why?", 5, carried={"pipelines": 0.5})
            double = index.lexical("Why?", 5, carried={"pipelines": 1.0})
        generations.close()
    assert not len(plain[0])
    assert len(carried[0]) == 1
    np.testing.assert_allclose(carried[1] * 2, double[1], rtol=1e-5)


def test_a_passage_is_found_by_its_best_sentence_and_without_sentences_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two passages alike but for the sentences they are made of."""
    source = document("red blue gold.\nred gold blue.\n" + "\n".join(WORDS[:20]))
    question = "blue gold"
    found = []
    for spans in ({"red blue gold.": [(4, 14)]}, {"red gold blue.": [(4, 14)]}, None):
        with Library.open(tmp_path / str(len(found))) as library:
            library.add([(source, chunks(source))], SPEC)
            waiting = library.unembedded(SPEC, 0, 100)
            texts = [passage.embedded for passage in waiting]
            given = [(spans or {}).get(text, [(0, len(text))]) for text in texts]
            made = EMBEDDER.passages(texts, given if spans else [[] for _ in texts])
            library.put_vectors([passage.name for passage in waiting], made)
            publication.complete(library, SPEC)
            generations = Generations(library)
            generations.publish(SPEC)
            with generations.lease() as index:
                query = Query(question, EMBEDDER.query(question))
                first, *_ = retrieve(library, index, query, RetrievalSettings(dense_weight=1), 2)
                found.append(first.passage.text)
            generations.close()
    assert found[:2] == ["red blue gold.", "red gold blue."]
    assert found[2] in found[:2]


# -- filters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1, 7, 40, 61, 62])
def test_within_some_documents_the_best_of_them_are_found(search: Search, share: int) -> None:
    """Both halves, and so their fusion, miss nothing that comparing everything would find."""
    every = search("gas prices fell word1 word2 word3", 1000, per_document=1000)
    uris = sorted({scored.document.uri for scored in every})[-share:]
    found = search("gas prices fell word1 word2 word3", 1000, Filters(documents=tuple(uris)),
                   per_document=1000)  # fmt: skip
    kept = [scored for scored in every if scored.document.uri in uris]
    for signal in ("dense_score", "lexical_score"):
        scores = {s.passage.id: getattr(s, signal) for s in kept}
        assert {s.passage.id: getattr(s, signal) for s in found} == pytest.approx(scores, abs=1e-6)


def test_one_document_may_fill_a_result_that_is_of_it_alone(search: Search) -> None:
    assert len(search("prices", 8, Filters(documents=("/gas",)))) == 8
    counts = Counter(s.document.uri for s in search("prices", 8, Filters(documents=("/gas", "/1"))))
    assert counts["/gas"] == 3


def test_no_document_is_no_passage(search: Search) -> None:
    assert search("gas", 8, Filters(since=dt.date(2022, 1, 1))) == ()


# -- arithmetic --------------------------------------------------------------------------------


def test_standardised_values_have_mean_0_and_deviation_1() -> None:
    values = standardised(np.array([1, 2, 3, 10], dtype=np.float32))
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.std() == pytest.approx(1, abs=1e-6)
    assert not standardised(np.full(5, 7, dtype=np.float32)).any()


def test_capped_keeps_the_first_of_each_group() -> None:
    groups = np.array([4, 2, 4, 4, 2, 9, 4], dtype=np.int32)
    assert capped(groups, 1).tolist() == [True, True, False, False, False, True, False]
    assert capped(groups, 2).tolist() == [True, True, True, False, True, True, False]
    assert capped(groups[:0], 2).tolist() == []


def test_words_count_by_the_share_of_them_that_the_collection_has(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Foreign words beside one that happens to be shared leave the choice to meaning."""
    chance = "kaynak fiyat petrol boru hattı haber word3"
    meaning = texts(search(chance, dense_weight=1))
    with_share = texts(search(chance))
    weights = fusion()
    plain = weights.other.model_copy(update={"shared": False})
    changed = weights.model_copy(update={"other": plain})
    monkeypatch.setattr("assistant.retrieval.fusion", lambda: changed)
    without = texts(search(chance))
    assert len({*with_share} & {*meaning}) > len({*without} & {*meaning})


def test_each_kind_of_model_has_its_weights() -> None:
    weights = fusion()
    assert weights.of("bundled:53aa51172d14+sentences+int8") == weights.bundled
    assert weights.of("multilingual:1571fc982750+sentences") == weights.multilingual
    assert weights.of("openai:text-embedding-3-small") == weights.other
    assert weights.of("made:up") == weights.of("") == weights.other


def test_the_weights_say_how_they_were_made() -> None:
    assert "held out" in fusion().made.lower()
