"""The commands that care for the library: what goes in, what is there, what is sound."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command import Config, Data, Json, data_directory, open_assistant
from assistant.errors import AssistantError
from assistant.terminal import failure_line, plan_lines, progress_bars, say, show, show_report

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.types import IndexReport, Progress

app = typer.Typer()


@app.command()
def index(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders and addresses of pages, sitemaps, feeds.")
    ],
    sync: Annotated[
        bool, typer.Option("--sync", help="Also remove what is no longer in the folders.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --sync: show what would be done, do nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --sync: remove many documents without asking.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="With --sync: go on, and follow every change.")
    ] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take in documents; files already indexed and unchanged cost only their hash."""
    if (dry_run or yes or watch) and not sync:
        raise typer.BadParameter("--dry-run, --yes and --watch go with --sync")
    folders = [Path(path) for path in paths]
    with open_assistant(data, config) as assistant:
        if sync and dry_run:
            plan = assistant.plan_sync(folders)
            show(plan, plan_lines(plan), as_json)
            return
        report = _sync(assistant, folders, yes) if sync else _index(assistant, paths)
        show_report(report, as_json)
        if watch:
            _follow(assistant, folders, yes, as_json)
    if report.failed and not report.documents:
        raise typer.Exit(3)


def _index(assistant: Assistant, paths: list[str]) -> IndexReport:
    with progress_bars() as on_progress:
        return assistant.index(paths, on_progress)


def _sync(assistant: Assistant, folders: list[Path], yes: bool) -> IndexReport:
    plan = assistant.plan_sync(folders)
    if plan.mass_delete and not yes and sys.stdin.isatty():
        for line in plan_lines(plan):
            say(line)
        yes = typer.confirm(f"Remove {len(plan.removed)} documents?", err=True)
        if not yes:
            raise typer.Abort
    with progress_bars() as on_progress:
        return assistant.sync(plan, on_progress, mass_delete=yes)


@contextmanager
def following(assistant: Assistant, folders: list[Path]) -> Iterator[None]:
    """Syncs the folders, and again whenever they change, beside what is done inside."""
    if not folders:
        yield
        return
    show_report(_sync(assistant, folders, False), False)
    stop = threading.Event()
    follower = threading.Thread(target=_follow, args=(assistant, folders, False, False, stop))
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()


def _follow(
    assistant: Assistant,
    folders: list[Path],
    yes: bool,
    as_json: bool,
    stop: threading.Event | None = None,
) -> None:
    """Syncs again whenever the folders change, until ``stop`` is set, or Ctrl-C."""
    from assistant.syncing import changes

    say("watching for changes   (stop with Ctrl-C)")
    for _ in changes(folders, stop):
        try:
            plan = assistant.plan_sync(folders)
            if plan.changes:
                report = assistant.sync(plan, partial(_go_on, stop), mass_delete=yes)
                show_report(report, as_json)
        except KeyboardInterrupt:
            if stop is None:
                raise
            return
        except AssistantError as error:  # a file that is being written, a folder that went away
            say(f"error: {error}\n  try: {error.hint}")


def _go_on(stop: threading.Event | None, _: Progress) -> None:
    """Breaks off between two steps; the next run goes on from there."""
    if stop and stop.is_set():
        raise KeyboardInterrupt


@app.command()
def documents(
    failed: Annotated[
        bool, typer.Option("--failed", help="What could not be taken in instead, and why.")
    ] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List the documents in the library."""
    with open_assistant(data, config) as assistant:
        if failed:
            failures = assistant.failures()
            show(failures, map(failure_line, failures), as_json)
            return
        listed = assistant.documents()
    lines = (
        f"{d.id}  {d.published or 'undated':10}  {d.language:3}  {d.title}  [{d.source}]  {d.uri}"
        for d in listed
    )
    show(listed, lines, as_json)


@app.command()
def remove(
    names: Annotated[list[str], typer.Argument(help="Document ids, paths or file names.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Erase documents, every version of them, from the library and the index."""
    with open_assistant(data, config) as assistant:
        report = assistant.remove(names)
    show_report(report, as_json)


@app.command()
def verify(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Check everything in the data directory against itself; exit 3 when something is wrong."""
    with open_assistant(data, config) as assistant:
        report = assistant.verify()
    summary = f"{report.documents} documents, {report.passages} passages: "
    show(report, [summary + ("sound" if not report.problems else "")], as_json)
    for problem in report.problems:
        say(f"problem: {problem}")
    if report.problems:
        raise typer.Exit(3)


@app.command()
def rebuild(
    embed: Annotated[
        bool, typer.Option("--embed", help="Chunk and embed again, as the settings now say.")
    ] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a new search index from the library."""
    with open_assistant(data, config) as assistant, progress_bars() as on_progress:
        report = assistant.rebuild(embed=embed, on_progress=on_progress)
    show_report(report, as_json)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Write the whole library to one file; it may be in use meanwhile."""
    from assistant.backup import backup as write

    write(directory := data_directory(data, config), file)
    say(f"{directory} is written to {file}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `assistant backup` wrote.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make an empty data directory the library of a backup, with its search index, and check it."""
    from assistant.backup import restore as read

    read(file, data_directory(data, config))
    with open_assistant(data, config) as assistant, progress_bars() as on_progress:
        if assistant.documents():
            assistant.rebuild(on_progress=on_progress)
    verify(data, config, as_json)
