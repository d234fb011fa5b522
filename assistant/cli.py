"""The command line: parse, call ``Assistant``, print. Results to stdout, messages to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import AssistantError
from assistant.evals.commands import app as evaluation
from assistant.terminal import answer_lines, one_line, origin, progress_bars, say, show, show_report

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

app = typer.Typer(
    help="Answers questions from your documents and proves every sentence with words you can open.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Data = Annotated[
    Path | None, typer.Option(help="Data directory; else ASSISTANT_DATA, else the platform's.")
]
Config = Annotated[Path | None, typer.Option(help="Settings file; else ./assistant.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


app.add_typer(evaluation, name="eval")


def main() -> None:
    """Run the command line and exit: 0 done, 1 below a threshold, 2 usage, 3 failed."""
    os.umask(0o077)  # the library is its owner's alone
    try:
        app()
    except AssistantError as error:
        say(f"error: {error}")
        say(f"  try: {error.hint}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted; what was finished is kept")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has left, for example `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


@contextmanager
def open_assistant(data: Path | None, config: Path | None, **groups: Any) -> Iterator[Assistant]:
    """The assistant that ``--data`` and ``--config`` name, closed at the end."""
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

    if data:
        groups["library"] = {"data": data}
    with Assistant.from_settings(Settings.load(config, **groups)) as assistant:
        yield assistant


@app.command()
def index(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to take in.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take in documents; files already indexed and unchanged cost only their hash."""
    with open_assistant(data, config) as assistant, progress_bars() as on_progress:
        report = assistant.index(paths, on_progress)
    show_report(report, as_json)
    if report.failed and not report.documents:
        raise typer.Exit(3)


@app.command()
def ask(
    question: str,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Answer one question with cited passages."""
    with open_assistant(data, config) as assistant:
        answer = assistant.ask(question)
    show(answer, answer_lines(answer), as_json)


@app.command()
def search(
    query: str,
    k: Annotated[int | None, typer.Option("-k", help="How many passages.")] = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Find the passages that fit, best first."""
    with open_assistant(data, config) as assistant:
        found = assistant.search(query, k)
    lines = (
        f"{scored.score:.3f}  {scored.document.title}"
        f" ({origin(scored.document.source, scored.document.published, scored.passage.locator)})\n"
        f"       {one_line(scored.passage.text)}"
        for scored in found
    )
    show(found, lines, as_json)


@app.command()
def documents(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List the documents in the library."""
    with open_assistant(data, config) as assistant:
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
def chat(
    port: Annotated[
        int | None, typer.Option(help="Port; 7860 unless set, 0 for a free one.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Open the chat window; an empty library first takes in the sample collection."""
    with _server(port, data, config) as assistant:
        if not assistant.documents():
            say("the library is empty: taking in the sample collection")
            with progress_bars() as on_progress:
                assistant.index([sample_collection()], on_progress)
        _serve(assistant)


@app.command()
def serve(
    port: Annotated[
        int | None, typer.Option(help="Port; 7860 unless set, 0 for a free one.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Serve the HTTP API (/v1/ask, /v1/search, /health) and the chat window on loopback."""
    with _server(port, data, config) as assistant:
        _serve(assistant)


@app.command()
def mcp(data: Data = None, config: Config = None) -> None:
    """Speak the Model Context Protocol on stdin and stdout: tools `ask` and `search`."""
    from assistant.mcp_server import create_server

    with open_assistant(data, config) as assistant:
        create_server(assistant).run()


@app.command()
def settings(config: Config = None, as_json: Json = False) -> None:
    """Show every setting, its value and what it does."""
    from assistant.settings import Settings

    loaded = Settings.load(config)
    lines = (
        f"{group}.{name} = {getattr(getattr(loaded, group), name)}   # {field.description}"
        for group in Settings.model_fields
        for name, field in type(getattr(loaded, group)).model_fields.items()
    )
    show(loaded, lines, as_json)


def sample_collection() -> Path:
    """The folder of sample documents: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "corpus" / "documents"
    return inside if inside.is_dir() else package.parent / "corpus" / "documents"


def _server(port: int | None, data: Path | None, config: Path | None) -> Any:
    groups = {"server": {"port": port}} if port is not None else {}
    return open_assistant(data, config, **groups)


def _serve(assistant: Assistant) -> None:
    from assistant.http_api import serve as run

    say("starting the chat window ...")
    run(assistant, on_ready=lambda address: say(f"ready: {address}   (stop with Ctrl-C)"))
