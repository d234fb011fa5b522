"""Evaluation of the real assistant: a small benchmark imported, run, swept and guarded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant import Assistant, Settings
from assistant.evals import cases, collection, metrics, results, runner, summarizing
from assistant.evals.commands import app
from assistant.evals.runner import Plan

ROOT = Path(__file__).parents[2]

DOCUMENTS = {
    "lighthouse": "The lighthouse of Port Amber was built in 1887. Its lamp burns whale oil.",
    "bridge": "The iron bridge over the Sarn was opened by the mayor of Port Amber in 1902.",
    "bakery": "The bakery in Mill Street sells rye bread on Tuesdays and nothing on Sundays.",
    "school": "The village school has forty pupils. The teacher, Ms Lindqvist, came in 1999.",
    "ferry": "The ferry to Skerry Island leaves at seven in the morning and returns at dusk.",
    "mine": "The copper mine closed after the flood of 1931, and its pumps were sold to Norway.",
}
QUESTIONS = [
    ("When was the lighthouse of Port Amber built?", "lighthouse", "1887"),
    ("Who opened the iron bridge over the Sarn?", "bridge", "the mayor of Port Amber"),
    ("What does the bakery in Mill Street sell on Tuesdays?", "bakery", "rye bread"),
    ("How many pupils has the village school?", "school", "forty"),
    ("When does the ferry to Skerry Island leave?", "ferry", "seven in the morning"),
    ("Why did the copper mine close?", "mine", "flood of 1931"),
    ("Which striker won the golden boot in Brazil?", None, None),
]


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("port-amber")
    corpus = [
        {"id": name, "title": name.title(), "text": text, "date": "2021-05-01"}
        for name, text in DOCUMENTS.items()
    ]
    queries = [
        {"id": f"q{n}", "question": question, "type": "answerable" if answer else "unanswerable"}
        | ({"answers": [answer]} if answer else {})
        for n, (question, _, answer) in enumerate(QUESTIONS)
    ]
    qrels = [f"q{n}\t{name}\t1" for n, (_, name, _) in enumerate(QUESTIONS) if name]
    files: dict[str, list[Any]] = {"corpus": corpus, "queries": queries}
    for file, rows in files.items():
        (folder / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels]) + "\n")
    return folder


@pytest.fixture(scope="module")
def data(benchmark: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the imported benchmark."""
    data = tmp_path_factory.mktemp("data")
    done = command("import", benchmark, "--data", data)
    assert done["outcomes"]["right"] >= 6
    return data


def command(*arguments: object) -> dict[str, dict[str, int]]:
    """The JSON of a command of ``assistant eval``."""
    words = [*map(str, arguments), "--json"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    loaded: dict[str, dict[str, int]] = json.loads(result.stdout)
    return loaded


def test_an_imported_benchmark_is_measured(benchmark: Path, data: Path) -> None:
    (path,) = (data / "evaluations").glob("*.jsonl")
    summary = summarizing.summarize(path)
    assert summary.value("R@5") == 1.0
    assert summary.value("quote_exact") == 1.0
    assert {stage.stage for stage in summary.latency} >= {"embed", "retrieve", "answer", "total"}
    rows = list(results.read_rows(path))
    assert rows[0].ranking[0].document == "lighthouse.txt"
    assert len(rows[0].ranking) == len(DOCUMENTS)
    assert str(data) not in path.read_text()


def test_imported_documents_have_their_title_and_date(data: Path) -> None:
    with Assistant.from_settings(Settings(library={"data": data})) as assistant:  # type: ignore[arg-type]
        documents = {Path(d.uri).name: d for d in assistant.documents()}
        bridge = assistant.document(documents["bridge.txt"].id)
    assert bridge.title == "Bridge"
    assert str(bridge.published) == "2021-05-01"
    assert bridge.text.strip() == DOCUMENTS["bridge"]


def test_a_real_run_repeats_and_goes_on(data: Path, tmp_path: Path) -> None:
    (set_file,) = data.glob("*.jsonl")
    given = cases.load(set_file)
    plan = Plan([metrics.parse(name) for name in metrics.DEFAULT], workers=2)
    with Assistant.from_settings(Settings(library={"data": data})) as assistant:  # type: ignore[arg-type]
        whole = runner.run(assistant, given, plan, tmp_path / "whole.jsonl").read_bytes()
        cut = tmp_path / "cut.jsonl"
        cut.write_bytes(whole[: len(whole) * 2 // 3])
        assert runner.run(assistant, given, plan, cut).read_bytes() == whole


def test_a_sweep_indexes_again_only_where_it_must(data: Path) -> None:
    (set_file,) = data.glob("*.jsonl")
    swept = command(
        *("sweep", set_file, "--data", data, "--report", data / "sweep.html"),
        *("--vary", "retrieval.dense_weight=0,1", "--vary", "chunking.size=220,40"),
    )
    points = swept["points"]
    assert len(points) == 4
    assert any(point["on_frontier"] for point in points)  # type: ignore[index]
    assert len([p for p in (data / "sweeps").iterdir() if p.is_dir()]) == 1
    assert "on the frontier" in (data / "sweep.html").read_text()


def test_the_own_set_fits_the_sample_collection(sample: Assistant) -> None:
    given = cases.load(ROOT / "evals" / "sets" / "sample.yaml")
    assert collection.check(sample, given) == []


def test_errors_of_usage_end_with_2(data: Path, tmp_path: Path) -> None:
    from assistant.errors import AssistantError

    bad = tmp_path / "bad.yaml"
    bad.write_text("cases:\n- id: a\n  question: Q\n  color: red\n")
    with pytest.raises(AssistantError, match=r"bad.yaml:4: color: unknown field") as caught:
        CliRunner().invoke(app, ["run", str(bad), "--data", str(data)], catch_exceptions=False)
    assert caught.value.exit_code == 2
