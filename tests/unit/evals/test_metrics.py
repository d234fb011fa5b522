from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from assistant.evals import collection, measures, metrics, results, runner
from assistant.evals.cases import Case, EvaluationSet
from assistant.evals.errors import MeasureError
from assistant.evals.metrics import parse
from assistant.evals.outcomes import outcome, stages
from assistant.evals.results import Ranked, Row
from assistant.types import Answer, AnswerSentence, Citation

DOCUMENTS = [f"d{n}" for n in range(12)]


def row_of(
    text: str = "It met in Minsk.",
    cited: tuple[str, ...] = ("a",),
    status: Any = "answered",
    failure: str | None = None,
    **case: Any,
) -> Row:
    case = {"id": "q", "question": "Where?", "relevant": {"a": 1}, "answers": ("Minsk",)} | case
    made = Case(**case)
    if failure:
        return Row(case=made, relevant=made.relevant, failure=failure)
    citations = tuple(
        Citation(
            marker=n,
            document_id=name,
            passage_id=name,
            title="",
            source="",
            start=0,
            end=5,
            quote="It met",
        )
        for n, name in enumerate(cited, start=1)
    )
    answer = Answer(
        id="",
        question="Where?",
        query="Where?",
        status=status,
        confidence=0.7,
        sentences=(AnswerSentence(text=text, citations=citations, verdict="supported"),),
        settings_digest="",
    )
    return Row(
        case=made,
        relevant=made.relevant,
        answer=answer,
        ranking=tuple(Ranked(document=name, score=1.0) for name in cited),
        cited=cited,
        exact=(True,) * len(cited),
    )


def score(row: Row, name: str) -> float | None:
    return metrics.score(row, [parse(name)])[name]


@given(
    st.permutations(DOCUMENTS),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(1, 3), min_size=1),
    st.integers(0, 12),
)
def test_ranking_measures_equal_pytrec_eval(
    order: list[str], relevant: dict[str, int], length: int
) -> None:
    names = {
        "nDCG@10": "ndcg_cut_10",
        "nDCG@5": "ndcg_cut_5",
        "R@1": "recall_1",
        "R@10": "recall_10",
        "P@5": "P_5",
        "RR": "recip_rank",
        "AP": "map",
        "Success@5": "success_5",
    }
    found = order[:length]
    row = Row(
        case=Case(id="q", question="Q", relevant=relevant),
        relevant=relevant,
        ranking=tuple(Ranked(document=name, score=0.5) for name in found),  # ties keep our order
    )
    ours = metrics.score(row, [parse(name) for name in names])
    evaluator = pytrec_eval.RelevanceEvaluator(
        {"q": relevant},
        {"ndcg_cut.5,10", "recall.1,10", "P.5", "recip_rank", "map", "success.5"},
    )
    run = {name: float(len(found) - place) for place, name in enumerate(found)}
    theirs = evaluator.evaluate({"q": run}).get("q", {})
    for name, official in names.items():
        assert ours[name] == pytest.approx(theirs.get(official, 0.0), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("nDGC@10", "nDCG@10"),
        ("ndcg@10", "nDCG@10"),
        ("MRR", "RR"),
        ("recall@5", "R@5"),
        ("quote-exact", "quote_exact"),
        ("abstention_auroc", "abstention_AUROC"),
        ("answer_contains@1", "answer_contained@1"),
        ("R@0", "R@10"),
        ("R@x", "R@10"),
        ("R", "R@10"),
        ("nDCG", "nDCG@10"),
        ("P@9999", "P@10"),
        ("", ""),
        ("R@5; import os", "R@10"),
    ],
)
def test_an_unknown_measure_is_met_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(MeasureError) as caught:
        parse(name)
    assert near in caught.value.hint
    suggested = caught.value.hint.removeprefix("did you mean ").removesuffix("?")
    assert parse(suggested).name == suggested


def test_the_list_of_measures_names_all_that_are_taken() -> None:
    listed = metrics.described()
    assert [d.name for d in listed if d.default] == list(metrics.DEFAULT)
    assert {d.name for d in listed} >= measures.OWN.keys()
    lines = list(metrics.lines(listed))
    assert lines[0].split(maxsplit=3)[:3] == ["*", "R@1", "0..1"]
    assert "among the first document (" in lines[0]
    assert "lower is better" in next(line for line in lines if " tokens " in line)


def test_every_measure_says_what_it_is() -> None:
    for name in (*metrics.DEFAULT, *measures.OWN, "P@3", "Success@1", "passage_contained@3"):
        measure = parse(name)
        assert measure.name == name
        assert measure.sentence
        assert measure.source
        assert measure.better in {"higher", "lower"}


@pytest.mark.parametrize(
    ("row", "scores"),
    [
        (
            row_of(),
            {
                "exact_match": 0.0,
                "token_F1": 0.4,
                "answer_contained@1": 1.0,
                "citation_precision": 1.0,
                "citation_recall": 1.0,
                "quote_exact": 1.0,
                "support": 1.0,
                "abstention_accuracy": 1.0,
            },
        ),
        (row_of("the Minsk!"), {"exact_match": 1.0, "token_F1": 1.0}),
        (row_of(cited=("b", "a", "b")), {"citation_precision": 1 / 3, "citation_hit": 1.0}),
        (row_of(cited=("a", "a"), relevant={"a": 1, "c": 1}), {"citation_recall": 0.5}),
        (row_of(cited=()), {"citation_precision": 0.0, "quote_exact": None}),
        (row_of(quotes=("it  MET",)), {"quote_recall": 1.0}),
        (row_of(quotes=("it met in Minsk", "never")), {"quote_recall": 0.5}),
        (row_of(relevant={}), {"R@1": None, "citation_recall": None}),
        (row_of(answers=()), {"exact_match": None, "answer_contained@1": None}),
        (row_of(answerable=None), {"abstention_accuracy": None, "R@1": 1.0}),
        (
            row_of(answerable=False),
            {"abstention_accuracy": 0.0, "exact_match": 0.0, "answer_contained@1": None},
        ),
    ],
)
def test_scores(row: Row, scores: dict[str, float | None]) -> None:
    for name, expected in scores.items():
        got = score(row, name)
        assert got == (None if expected is None else pytest.approx(expected)), name


def test_silence_scores_zero_where_there_is_an_answer_and_one_where_there_is_none() -> None:
    silent = row_of(status="not_in_documents", cited=())
    for name in ("answer_contained@3", "exact_match", "token_F1", "citation_recall"):
        assert score(silent, name) == 0.0
    assert score(silent, "abstention_accuracy") == 0.0
    rightly = row_of(status="not_in_documents", cited=(), answerable=False, answers=())
    for name in ("exact_match", "token_F1", "abstention_accuracy"):
        assert score(rightly, name) == 1.0


@pytest.mark.parametrize("answerable", [True, False])
def test_a_failed_question_scores_zero_and_is_never_dropped(answerable: bool) -> None:
    failed = row_of(failure="ModelError: gone", answerable=answerable)
    scores = metrics.score(failed, [parse(name) for name in metrics.DEFAULT])
    working = metrics.score(row_of(answerable=answerable), [parse(n) for n in metrics.DEFAULT])
    assert {value for name, value in scores.items() if name != "tokens"} <= {0.0, None}
    for name, value in working.items():
        if value is not None and name != "tokens":
            assert scores[name] == 0.0, name


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (row_of(), "right"),
        (row_of(answers=()), "right"),
        (row_of("In Oslo."), "not retrieved"),
        (row_of(answerable=False), "wrongly answered"),
        (row_of(status="not_in_documents", answerable=False), "right"),
        (row_of(failure="x"), "failed"),
        (row_of(failure="x", answerable=False), "failed"),
        (row_of("In Oslo.", relevant={}), "chosen but wrong"),
        (row_of(status="not_in_documents", relevant={}), "wrongly refused"),
    ],
)
def test_outcomes(row: Row, what: str) -> None:
    assert outcome(row) == what


def test_outcomes_by_stage(make: Callable[..., Any]) -> None:
    assistant = make()
    question = "In which city met the council number 3 on day 21?"
    name = "day3.txt"

    def of(assistant: Any, **case: Any) -> str:
        made = Case(**({"id": "q", "question": question, "relevant": {name: 1}} | case))
        one = EvaluationSet(name="one", cases=(made,))
        path = runner.run(assistant, one, runner.Plan([parse("R@1")]), fresh=True)
        return outcome(next(iter(results.read_rows(path))))

    assert of(assistant) == "right"
    assert of(assistant, answers=("Oslo",)) == "chosen but wrong"
    assert of(make(threshold=2.0)) == "wrongly refused"
    assert of(make(hidden={name})) == "not retrieved"
    weights = {"3": 0.7, "4": 1.0}
    worse = make(weight=lambda text: weights.get(text.partition("number ")[2][:1], 0.5))
    assert of(worse) == "retrieved but not chosen"


def test_stages_tell_what_each_did(make: Callable[..., Any]) -> None:
    case = Case(
        id="a",
        question="In which city met the council number 4?",
        relevant={"day4.txt": 1},
        answers=("Minsk",),
    )

    def told(**planted: Any) -> dict[str, tuple[bool, str]]:
        one = EvaluationSet(name="one", cases=(case,))
        path = runner.run(make(**planted), one, runner.Plan([parse("R@1")]), fresh=True)
        (row,) = results.read_rows(path)
        return {name: (fine, how) for name, fine, how in stages(row)}

    assert told()["retrieved"] == (
        True,
        "1 of 5 passages are of relevant documents, the first at rank 1",
    )
    assert told()["decided"][0]
    assert told()["chosen"] == (True, "1 of 1 citations are of relevant documents")
    assert told()["said"] == (True, "a gold answer stands in sentence 1 of 1")
    lost = told(hidden={"day4.txt"})
    assert lost["retrieved"] == (False, "0 of 5 passages are of relevant documents")
    assert not lost["chosen"][0]
    assert not lost["said"][0]
    silent = told(threshold=2.0)
    assert silent["decided"][1].startswith("silent, at a confidence of ")
    assert not silent["decided"][0]
    assert silent.keys() == {"retrieved", "decided"}


def test_gold_documents_go_by_id_uri_or_file_name(make: Callable[..., Any]) -> None:
    documents = collection.read(make())
    for wanted in ("day3.txt", "id-day3.txt", "/somewhere/day3.txt"):
        assert documents.relevant(Case(id="q", question="Q", relevant={wanted: 2})) == {
            "day3.txt": 2
        }
    assert documents.relevant(Case(id="q", question="Q", relevant={"../../etc/passwd": 1})) == {
        "../../etc/passwd": 1
    }
