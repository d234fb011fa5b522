from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import assistant.cli
import assistant.command
import assistant.evals
from assistant.errors import AssistantError
from assistant.evals import cases, results
from assistant.evals.cases import EvaluationSet
from assistant.evals.commands import app
from assistant.evals.errors import IncomparableError, MeasureError, ResultFileError, SetError

Make = Callable[..., Any]


@pytest.fixture
def planted() -> dict[str, Any]:
    """What the assistant behind the commands is made with."""
    return {}


@pytest.fixture
def invoke(
    make: Make, planted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    @contextmanager
    def open_assistant(data: Any, config: Any, **groups: Any) -> Iterator[Any]:
        yield make(**planted)

    monkeypatch.setattr(assistant.command, "open_assistant", open_assistant)

    def invoke_one(*arguments: object) -> Result:
        """Runs a command; its own errors are raised, as ``assistant.cli.main`` expects."""
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if isinstance(result.exception, AssistantError):
            raise result.exception
        return result

    return invoke_one


@pytest.fixture
def set_file(cities: EvaluationSet, tmp_path: Path) -> Path:
    path = tmp_path / "cities.jsonl"
    cases.save(cities, path)
    return path


def test_run_prints_figures_and_keeps_the_rows(
    invoke: Callable[..., Result], set_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    result = invoke("run", set_file, "--out", out, "--report", tmp_path / "r.html")
    assert result.exit_code == 0
    assert "nDCG@10" in result.stdout
    assert str(out) in result.stderr
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    as_json = json.loads(invoke("run", set_file, "--out", out, "--json").stdout)
    assert as_json["header"]["questions"] == 32
    assert {f["measure"]: f["value"] for f in as_json["figures"]}["R@1"] == 1.0


def test_without_out_the_file_is_in_the_data_directory(
    invoke: Callable[..., Result], set_file: Path, tmp_path: Path
) -> None:
    invoke("run", set_file)
    (path,) = (tmp_path / "data" / "evaluations").glob("cities-????????.jsonl")
    assert len(list(results.read_rows(path))) == 32


def test_only_a_tag(invoke: Callable[..., Result], set_file: Path) -> None:
    result = invoke("run", set_file, "--tag", "none", "--measure", "abstention_accuracy")
    assert "8 questions" in result.stdout
    with pytest.raises(SetError, match="no case with the tag 'nine'"):
        invoke("run", set_file, "--tag", "nine")


def test_the_gate_ends_with_1(
    invoke: Callable[..., Result], planted: dict[str, Any], set_file: Path, tmp_path: Path
) -> None:
    base, out, junit = tmp_path / "base.jsonl", tmp_path / "out.jsonl", tmp_path / "junit.xml"
    assert invoke("run", set_file, "--out", base, "--fail-under", "P@1=0.9").exit_code == 0
    gate = ("run", set_file, "--baseline", base, "--junit", junit)
    assert invoke(*gate).exit_code == 0
    assert 'failures="0"' in junit.read_text()
    planted["hidden"] = {f"day{n}.txt" for n in range(1, 13)}
    result = invoke(*gate, "--out", out)
    assert result.exit_code == 1
    assert "FAILED: R@1" in result.stderr
    assert 'failures="0"' not in junit.read_text()
    assert invoke("run", set_file, "--out", out, "--fail-under", "R@1=0.9").exit_code == 1
    planted.clear()
    planted["texts"] = {f"day{n}.txt": "Other. " for n in range(1, 25)}
    with pytest.raises(IncomparableError, match="collections"):
        invoke("run", set_file, "--baseline", base, "--out", tmp_path / "third.jsonl")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--measure", "nDGC@10"), MeasureError),
        (("--fail-under", "nDCG@10=x"), MeasureError),
        (("--baseline", "nothing.jsonl"), AssistantError),
    ],
)
def test_bad_options_are_errors_of_usage(
    invoke: Callable[..., Result],
    set_file: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    error: Any,
) -> None:
    with pytest.raises(error) as caught:
        invoke("run", set_file, *arguments)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "data").exists(), "told before a question is asked"


def test_a_packed_baseline_guards_as_well(
    invoke: Callable[..., Result], planted: dict[str, Any], set_file: Path, tmp_path: Path
) -> None:
    base, packed = tmp_path / "base.jsonl", tmp_path / "base.jsonl.gz"
    invoke("run", set_file, "--out", base)
    packed.write_bytes(gzip.compress(base.read_bytes()))
    gate = ("run", set_file, "--baseline", packed)
    assert invoke(*gate).exit_code == 0
    planted["hidden"] = {f"day{n}.txt" for n in range(1, 13)}
    assert invoke(*gate, "--out", tmp_path / "worse.jsonl").exit_code == 1
    whole = packed.read_bytes()
    for damaged in (whole[:-200], whole[:300] + b"xxxx" + whole[304:], b"no gzip"):
        packed.write_bytes(damaged)
        with pytest.raises(ResultFileError, match=r"\.gz (cannot be read|is not a result file)"):
            invoke(*gate)
    with pytest.raises(ResultFileError, match="packed"):
        invoke("run", set_file, "--out", tmp_path / "new.jsonl.gz")


def test_sample_is_the_set_that_ships_with_a_library_of_its_own(
    invoke: Callable[..., Result], planted: dict[str, Any]
) -> None:
    ships = Path(assistant.evals.__file__ or "").parent / "sets" / "sample.yaml"
    names = {name for case in cases.load(ships).cases for name in case.relevant}
    taken_in: list[Path] = []
    planted |= {"texts": dict.fromkeys(names, "It says. "), "taken_in": taken_in}
    result = invoke("run", "sample", "--measure", "R@1")
    assert result.stdout.startswith("sample: 60 questions")
    assert [path.parts[-2:] for path in taken_in] == [("corpus", "documents")]


def test_compare_and_report(
    invoke: Callable[..., Result], planted: dict[str, Any], set_file: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    invoke("run", set_file, "--out", one)
    planted["threshold"] = 0.0
    invoke("run", set_file, "--out", other)
    result = invoke("compare", one, other)
    assert "abstention_accuracy" in result.stdout
    assert "worse" in result.stdout
    losses = json.loads(invoke("compare", one, other, "--json").stdout)["losses"]
    assert {loss["id"].partition("-")[0] for loss in losses} == {"none"}
    written = invoke("report", one).stdout.strip()
    assert Path(written) == tmp_path / "one.html"
    assert Path(written).exists()


def test_check_lists_what_no_longer_fits(
    invoke: Callable[..., Result], planted: dict[str, Any], set_file: Path
) -> None:
    assert invoke("check", set_file).exit_code == 0
    planted["texts"] = {f"day{n}.txt": f"Changed {n}." for n in range(2, 25)}
    result = invoke("check", set_file)
    assert result.exit_code == 1
    assert "'day1.txt' is not in the collection" in result.stdout
    assert json.loads(invoke("check", set_file, "--json").stdout)


def test_an_interrupted_run_says_how_to_go_on(
    invoke: Callable[..., Result],
    make: Make,
    set_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, out = type(make()), tmp_path / "out.jsonl"
    ask = kind.ask

    def interrupted(self: Any, question: str, *more: Any) -> Any:
        if "number 9 " in question:
            raise KeyboardInterrupt
        return ask(self, question, *more)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "ask", interrupted)
        result = invoke("run", set_file, "--out", out)
    assert result.exit_code == 130
    assert "the same command goes on from here" in result.stderr
    finished = out.read_bytes().count(b"\n") - 1
    assert 0 < finished < 32
    assert invoke("run", set_file, "--out", out).exit_code == 0


def test_draft_never_overwrites(invoke: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "drafts.yaml"
    result = invoke("draft", out, "--count", 4)
    assert result.exit_code == 0
    assert out.read_text().count("draft: true\n") == 4
    with pytest.raises(SetError, match="exists"):
        invoke("draft", out)


def test_help_needs_no_heavy_library() -> None:
    code = "import sys, assistant.evals.commands; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "ir_measures", "yaml", "rich.progress"} & set(loaded.stdout.split())
