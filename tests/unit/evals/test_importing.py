from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.evals.cases import Exchange
from assistant.evals.errors import SetError
from assistant.evals.importing import Choice, directory, file_name, index, name, write
from assistant.types import Failure, IndexReport

CORPUS: list[dict[str, Any]] = [
    {"id": "p1", "title": "Title: one", "text": "First.\nSecond.", "date": "2023-09-26"},
    {"id": "p2", "title": "", "text": "Third.", "meta": {"source": "The Paper", "doc_id": "A"}},
    {"id": "../../etc/passwd", "title": "x", "text": "Fourth.", "meta": {"doc_id": "A"}},
]
QUERIES: list[dict[str, Any]] = [
    {"id": "q1", "question": "One?", "answers": ["First"], "type": "answerable"},
    {"id": "q2", "question": "Two?", "type": "unanswerable", "answers": ["I do not know"]},
    {
        "id": "q<::>3",
        "question": "And then?",
        "rewrite": "And then what of it?",
        "type": "underspecified",
        "history": [
            {"role": "user", "text": "Before?"},
            {"role": "assistant", "text": "Yes."},
            {"role": "user", "text": "Again?"},
        ],
    },
]
QRELS = "query-id\tcorpus-id\tscore\nq1\tp1\t2\nq1\tp2\t0\nq2\tp2\t1\nq<::>3\t../../etc/passwd\t1\n"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    folder.mkdir()
    for file, rows in {"corpus": CORPUS, "queries": QUERIES}.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{file}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "qrels.tsv").write_text(QRELS)
    return folder


def test_documents_become_files_and_gold_their_names(benchmark: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = write(benchmark, out, Choice())
    unsafe = file_name("../../etc/passwd")
    assert sorted(path.name for path in out.iterdir()) == sorted(["p1.txt", "p2.txt", unsafe])
    _, head, text = (out / "p1.txt").read_text().split("---\n")
    assert yaml.safe_load(head)["title"] == "Title: one"
    assert text == "\nFirst.\nSecond.\n"
    assert "source: The Paper" in (out / "p2.txt").read_text()
    one, two, three = made.cases
    assert (one.relevant, one.answers, one.answerable) == ({"p1.txt": 2}, ("First",), True)
    assert (two.relevant, two.answers, two.answerable) == ({"p2.txt": 1}, (), False)
    assert three.answerable is None
    assert three.relevant == {unsafe: 1}
    assert three.history == (
        Exchange(question="Before?", answer="Yes."),
        Exchange(question="Again?"),
    )
    assert three.tags == ("underspecified", "has-rewrite")


def test_other_ways_to_ask(benchmark: Path, tmp_path: Path) -> None:
    rewritten = write(benchmark, tmp_path / "out", Choice(asked="rewrite"))
    assert [case.question for case in rewritten.cases] == ["And then what of it?"]
    last = write(benchmark, tmp_path / "out", Choice(asked="last", tag="has-rewrite"))
    assert [(case.question, case.history) for case in last.cases] == [("And then?", ())]
    assert (rewritten.name, last.name) == ("bench-rewrite", "bench-last-has-rewrite")
    with pytest.raises(SetError, match="no question is left"):
        write(benchmark, tmp_path / "out", Choice(tag="nothing"))


def test_what_is_left_out_cannot_be_answered(benchmark: Path, tmp_path: Path) -> None:
    whole = {case.id: case for case in write(benchmark, tmp_path / "a", Choice()).cases}
    for share in (0.3, 0.5, 0.9):
        out = tmp_path / "b"
        part = write(benchmark, out, Choice(leave_out=share))
        kept = {path.name for path in out.iterdir()}
        assert ("p2.txt" in kept) == (file_name("../../etc/passwd") in kept)  # one article
        for case in part.cases:
            assert set(case.relevant) == set(whole[case.id].relevant) & kept
            if whole[case.id].relevant and not case.relevant:
                assert case.answerable is False
                assert not case.answers
    assert directory(benchmark, Choice(leave_out=0.5)) == "bench-without-0.5"
    assert name(benchmark, Choice(queries="queries_ru.jsonl")) == "bench-ru"


@pytest.mark.parametrize(
    "corpus_id",
    [
        "../x",
        "/etc/passwd",
        "a\x00b",
        "CON",
        "con.txt",
        "aux",
        "x" * 5000,
        "a b",
        ".git",
        "Ab",
        "é",
        "",
    ],
)
def test_unsafe_ids_never_name_a_file(corpus_id: str) -> None:
    safe = file_name(corpus_id)
    assert safe.startswith("id-")
    assert safe.removeprefix("id-").removesuffix(".txt").isalnum()


def test_ids_that_differ_in_case_are_two_files() -> None:
    assert file_name("ab").casefold() != file_name("AB").casefold()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("corpus.jsonl", '{"id": "a"}\n', "lacks text"),
        ("queries.jsonl", "[]\n", "lacks an object"),
        ("queries.jsonl", "{\n", ":1: not JSON"),
        ("qrels.tsv", "h\nq1 p1 1\n", ":2: not a judgement"),
        ("qrels.tsv", "h\nq1\tp1\thigh\n", "not a judgement"),
    ],
)
def test_faults_are_named(
    benchmark: Path, tmp_path: Path, file: str, content: str, words: str
) -> None:
    (benchmark / file).write_text(content)
    with pytest.raises(SetError, match=words):
        write(benchmark, tmp_path / "out", Choice())


def test_a_folder_that_is_no_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="cannot be read"):
        write(tmp_path / "nothing", tmp_path / "out", Choice())


def test_what_is_gone_from_the_folder_is_removed(
    benchmark: Path, tmp_path: Path, make: Callable[..., Any]
) -> None:
    write(benchmark, tmp_path / "out", Choice(leave_out=0.5))
    kept = {path.name for path in (tmp_path / "out").iterdir()}
    assistant = make(texts=dict.fromkeys({*kept, "gone.txt"}, "Old."))
    removed: list[str] = []
    assistant.index = lambda paths, on_progress=None: IndexReport()
    assistant.remove = removed.extend
    index(assistant, tmp_path / "out")
    assert removed == ["id-gone.txt"]
    failure = Failure(uri="/x/p1.txt", reason="unreadable", hint="mend it")
    assistant.index = lambda paths, on_progress=None: IndexReport(failed=(failure,))
    with pytest.raises(SetError, match=r"p1.txt: could not be indexed \(unreadable\)"):
        index(assistant, tmp_path / "out")
