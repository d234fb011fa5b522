"""``assistant eval``: parse, call, print. Results to stdout, messages to stderr."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.command import Config, Data, Json
from assistant.evals.options import (
    Judge,
    Measures,
    Report,
    Result,
    SearchOnly,
    Set,
    Workers,
    benchmarks_folder,
    checks_of,
    default_measures,
    finish,
    located,
    make_plan,
    progress,
    run_benchmark,
    settings_of,
)
from assistant.evals.writing import write_text
from assistant.terminal import say, show

app = typer.Typer(
    help="Measure answers on a set of questions, compare, and guard against losses.",
    no_args_is_help=True,
)


@app.command()
def run(
    evaluation_set: Set,
    out: Annotated[
        Path | None, typer.Option(help="Result file; else one in the data directory.")
    ] = None,
    measures: Measures = None,
    tag: Annotated[str | None, typer.Option(help="Only the questions with this tag.")] = None,
    fail_under: Annotated[
        list[str] | None, typer.Option(help='Exit 1 below it: "nDCG@10=0.75"; repeatable.')
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Exit 1 on a significant loss against this result file.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Loss against the baseline that is let pass.")
    ] = 0.01,
    junit: Annotated[Path | None, typer.Option(help="Write the checks as JUnit XML.")] = None,
    report: Report = None,
    workers: Workers = 1,
    search_only: SearchOnly = False,
    judge: Judge = None,
    fresh: Annotated[bool, typer.Option(help="Ask again what the result file has.")] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask every question of a set and measure the answers; goes on where it was interrupted."""
    from assistant.command import open_assistant
    from assistant.evals import cases, gate, runner, summarizing

    floors = gate.floors(fail_under or ())
    before = summarizing.columns(baseline) if baseline else None  # its faults are told first
    plan = make_plan(
        [*(measures or default_measures()), *floors], workers, judge, search_only=search_only
    )
    evaluation_set, data = located(evaluation_set, data, config)
    loaded = cases.load(evaluation_set, tag)
    if loaded.drafts:
        say(f"{loaded.drafts} drafts are left out; accept one by deleting its `draft: true`")
    with open_assistant(data, config) as assistant, progress() as on_progress:
        path = runner.run(assistant, loaded, plan, out, fresh=fresh, on_progress=on_progress)
    summary = finish(path, report, as_json)
    checks = checks_of(summary, path, floors, before, tolerance)
    if junit:
        write_text(junit, gate.junit(checks, f"assistant eval {loaded.name}"))
    failed = [check for check in checks if not check.passed]
    for check in failed:
        say(f"FAILED: {check.message}")
    if checks:
        say(f"{len(checks) - len(failed)} of {len(checks)} checks passed")
    if failed:
        raise typer.Exit(1)


@app.command()
def check(
    evaluation_set: Set, data: Data = None, config: Config = None, as_json: Json = False
) -> None:
    """Find gold documents and quotes that no longer stand in the collection; exit 1 if any."""
    import json

    from assistant.command import open_assistant
    from assistant.evals import cases, collection

    evaluation_set, data = located(evaluation_set, data, config)
    loaded = cases.load(evaluation_set)
    with open_assistant(data, config) as assistant:
        problems = collection.check(assistant, loaded)
    if as_json:
        typer.echo(json.dumps(problems, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            typer.echo(problem)
    say(f"cases: {len(loaded.cases)}, problems: {len(problems)}")
    if problems:
        raise typer.Exit(1)


@app.command(name="import")
def import_benchmark(
    folder: Annotated[
        Path, typer.Argument(help="Folder with corpus.jsonl, queries.jsonl and qrels.tsv.")
    ],
    queries: Annotated[str, typer.Option(help="Its file of questions.")] = "queries.jsonl",
    ask: Annotated[
        Literal["history", "last", "rewrite"],
        typer.Option(help="The last turn with its history, alone, or as rewritten."),
    ] = "history",
    tag: Annotated[str | None, typer.Option(help="Only the questions with this tag.")] = None,
    leave_out: Annotated[
        float, typer.Option(min=0, max=0.95, help="Share of the articles to leave out.")
    ] = 0.0,
    measures: Measures = None,
    report: Report = None,
    workers: Workers = 1,
    search_only: SearchOnly = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Index a benchmark into a data directory of its own and run it as a set."""
    from assistant.evals import importing

    choice = importing.Choice(queries=queries, asked=ask, tag=tag, leave_out=leave_out)
    target = data or benchmarks_folder(config) / importing.directory(folder, choice)
    plan = make_plan(measures or default_measures(), workers, search_only=search_only)
    finish(run_benchmark(folder, choice, target, config, plan), report, as_json)


@app.command()
def draft(
    out: Annotated[Path, typer.Argument(help="YAML file to write the drafts to.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many questions.")] = 20,
    seed: Annotated[int, typer.Option(help="Another seed draws other questions.")] = 0,
    model: Annotated[
        str | None, typer.Option(help="Chat model that writes them, e.g. openai:gpt-5.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Propose questions from your own documents, for you to accept or delete."""
    from assistant.command import open_assistant
    from assistant.evals import drafting, prompting
    from assistant.evals.errors import SetError

    if out.exists():
        raise SetError(out, "exists", "name a new file: drafts never overwrite accepted questions")
    chat = prompting.chat_model(model) if model else None
    with open_assistant(data, config) as assistant:
        drafts = drafting.draft(assistant, count, chat=chat, seed=seed)
    write_text(out, drafting.to_yaml(drafts))
    say(f"{len(drafts)} drafts in {out}; take out `draft: true` of those worth keeping")


@app.command()
def compare(before: Result, after: Result, as_json: Json = False) -> None:
    """Set two results of one set side by side, with paired intervals and the largest losses."""
    from assistant.evals import comparing

    comparison = comparing.compare(before, after)
    show(comparison, comparing.lines(comparison), as_json)


@app.command()
def report(
    result: Result,
    out: Annotated[Path | None, typer.Option(help="HTML file; else beside the result.")] = None,
) -> None:
    """Write a result as one self-contained HTML page."""
    from assistant.evals import report as pages

    target = out or result.with_suffix(".html")
    pages.write(result, target)
    typer.echo(target)


@app.command()
def sweep(
    evaluation_set: Set,
    vary: Annotated[list[str], typer.Option(help="retrieval.dense_weight=0.4,0.5; repeatable.")],
    measure: Annotated[str, typer.Option(help="The measure to weigh against time.")] = "nDCG@10",
    report: Report = None,
    workers: Workers = 1,
    search_only: SearchOnly = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Run a set under every combination of settings; quality against latency."""
    from assistant.evals import cases, sweeping

    combinations = sweeping.variations(vary)
    evaluation_set, data = located(evaluation_set, data, config)
    loaded = cases.load(evaluation_set)
    plan = make_plan([*default_measures(), measure], workers, search_only=search_only)
    base = settings_of(data, config)
    swept = sweeping.sweep(
        base,
        config,
        loaded,
        combinations,
        plan,
        measure,
        lambda at, total, choice: say(f"{at + 1} of {total}: {sweeping.named(choice)}"),
    )
    show(swept, sweeping.lines(swept), as_json)
    if report:
        write_text(report, sweeping.page(swept, loaded.name))


@app.command()
def scoreboard(
    folder: Annotated[Path, typer.Argument(help="Folder of benchmark folders.")],
    out: Annotated[Path, typer.Option(help="Markdown file to write.")],
    commit: Annotated[str, typer.Option(help="What is measured; its results are kept.")] = "",
    data: Annotated[Path | None, typer.Option(help="Where to index; else beside the data.")] = None,
    config: Config = None,
) -> None:
    """Run every benchmark in a folder and write the table of figures."""
    import datetime as dt

    from assistant.evals import claims, importing, summarizing
    from assistant.evals import scoreboard as boards

    target = data or benchmarks_folder(config)
    sections = []
    for entry in boards.entries(folder):
        plan = make_plan(entry.measures, 1, search_only=entry.search_only)
        directory = target / importing.directory(entry.folder, entry.choice)
        path = run_benchmark(entry.folder, entry.choice, directory, config, plan, commit)
        sections.append(boards.section(summarizing.summarize(path)))
        write_text(out, boards.markdown(sections, commit, dt.date.today()))
    for source in boards.claims(folder):
        given, settings = claims.read(source), settings_of(None, config)
        say(f"claims: {source}")
        with progress() as on_progress:
            figures = claims.measure(given, claims.supports(settings, given), on_progress)
        sections.append(
            boards.Section(
                name=source.parent.name, settings_digest=settings.digest, figures=figures
            )
        )
        write_text(out, boards.markdown(sections, commit, dt.date.today()))


@app.command()
def measures(as_json: Json = False) -> None:
    """List every measure: what it says, its bounds, where it is from."""
    from assistant.evals import metrics

    listed = metrics.described()
    show(listed, metrics.lines(listed), as_json)
