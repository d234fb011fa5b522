"""What the commands of ``assistant eval`` share: their options, the plan, progress, the summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.terminal import progress_bars, say, show

if TYPE_CHECKING:
    from assistant.evals.gate import Check
    from assistant.evals.importing import Choice
    from assistant.evals.runner import Plan
    from assistant.evals.summarizing import Columns, Summary
    from assistant.settings import Settings

Set = Annotated[
    Path,
    typer.Argument(
        help="Evaluation set, .yaml or .jsonl; `sample` is the one about the sample collection."
    ),
]
Result = Annotated[Path, typer.Argument(help="Result file of `assistant eval run`.")]
Measures = Annotated[
    list[str] | None,
    typer.Option("--measure", help="Such as nDCG@10; repeatable; `eval measures` lists them."),
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Questions asked at the same time.")]
SearchOnly = Annotated[
    bool, typer.Option("--search-only", help="Search without answering: ranking measures, quickly.")
]
Judge = Annotated[
    str | None, typer.Option(help="Chat model that also judges answers, e.g. openai:gpt-5.")
]
Report = Annotated[Path | None, typer.Option(help="Write an HTML report to this file.")]


def default_measures() -> list[str]:
    from assistant.evals import metrics

    return list(metrics.DEFAULT)


def make_plan(
    names: Sequence[str], workers: int, judge: str | None = None, *, search_only: bool = False
) -> Plan:
    from assistant.evals import judging, metrics, prompting
    from assistant.evals.errors import MeasureError
    from assistant.evals.runner import Plan

    wanted = list(names) or default_measures()
    if judge:
        wanted += ["faithfulness", "correctness"]
    measures = {name: metrics.parse(name) for name in wanted}
    model = judging.ModelJudge(judge, prompting.chat_model(judge)) if judge else None
    plan = Plan(list(measures.values()), workers, model, search_only)
    if not plan.usable:
        raise MeasureError("none of the measures is of a ranking", "leave out --search-only")
    return plan


def settings_of(data: Path | None, config: Path | None) -> Settings:
    from assistant.settings import Settings

    groups: dict[str, Any] = {"library": {"data": data}} if data else {}
    return Settings.load(config, **groups)


def located(named: Path, data: Path | None, config: Path | None) -> tuple[Path, Path | None]:
    """The set's file and its data directory.

    ``sample`` names the set that ships; its documents are taken into a directory of its own.
    """
    from assistant.cli import sample_collection
    from assistant.command import open_assistant

    if str(named) != "sample":
        return named, data
    target = data or benchmarks_folder(config) / "sample"
    with open_assistant(target, config) as assistant, progress_bars() as on_progress:
        assistant.index([sample_collection()], on_progress)
    return Path(__file__).parent / "sets" / "sample.yaml", target


def run_benchmark(
    source: Path,
    choice: Choice,
    data: Path,
    config: Path | None,
    plan: Plan,
    edition: str = "",
) -> Path:
    """The result file of a benchmark, written out, indexed and run in the data directory.

    Runs of different editions go to different result files.
    """
    from assistant.command import open_assistant
    from assistant.evals import cases, importing, runner

    evaluation_set = importing.write(source, data / "documents", choice)
    kept = data / f"{evaluation_set.name}.jsonl"
    cases.save(evaluation_set, kept)
    say(f"set: {kept}")
    out = data / "evaluations" / f"{evaluation_set.name}-{edition}.jsonl" if edition else None
    with open_assistant(data, config) as assistant:
        with progress_bars() as on_index:
            importing.index(assistant, data / "documents", on_index)
        with progress() as on_progress:
            return runner.run(assistant, evaluation_set, plan, out, on_progress=on_progress)


def benchmarks_folder(config: Path | None) -> Path:
    return settings_of(None, config).library.data / "benchmarks"


def finish(path: Path, report: Path | None, as_json: bool) -> Summary:
    from assistant.evals import report as pages
    from assistant.evals import summarizing

    summary = summarizing.summarize(path)
    show(summary, summarizing.lines(summary), as_json)
    say(f"results: {path}")
    if report:
        pages.write(path, report)
        say(f"report: {report}")
    return summary


def checks_of(
    summary: Summary, path: Path, floors: dict[str, float], before: Columns | None, tolerance: float
) -> list[Check]:
    from assistant.evals import gate, summarizing

    checks = gate.over_floors(summary, floors)
    if before:
        checks += gate.no_loss(summarizing.columns(path), before, tolerance)
    return checks


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("questions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task("", total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
        raise
