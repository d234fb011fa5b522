"""The command line: parse, call ``Assistant``, print. Results to stdout, messages to stderr."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.command import (
    AsOf,
    Config,
    Data,
    Json,
    Language,
    OneDocument,
    Since,
    Source,
    Until,
    open_assistant,
)
from assistant.errors import AssistantError
from assistant.evals.calibration import calibrate
from assistant.evals.commands import app as evaluation
from assistant.library_commands import app as library_commands
from assistant.library_commands import following
from assistant.terminal import (
    answer_lines,
    one_line,
    origin,
    progress_bars,
    say,
    say_left_out,
    show,
)

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

Port = Annotated[int | None, typer.Option(help="Port; 7860 unless set, 0 for a free one.")]
Watch = Annotated[
    list[Path] | None,
    typer.Option(metavar="DIR", help="Follow this folder, as `index --sync --watch`; repeatable."),
]

app = typer.Typer(
    help="Answers questions from your documents and proves every sentence with words you can open.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.add_typer(library_commands)
app.add_typer(evaluation, name="eval")
app.command()(calibrate)


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


@app.command()
def ask(
    question: str,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    source: Source = None,
    language: Language = None,
    document: OneDocument = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Answer one question with cited passages."""
    from assistant.filtering import read_filters

    filters = read_filters(since, until, as_of, source, language, document)
    with open_assistant(data, config) as assistant:
        answer = assistant.ask(question, filters=filters)
        matching = assistant.matching(filters)
    show(answer, answer_lines(answer), as_json)
    say_left_out(matching)


@app.command()
def search(
    query: str,
    k: Annotated[int | None, typer.Option("-k", help="How many passages.")] = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    source: Source = None,
    language: Language = None,
    document: OneDocument = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Find the passages that fit, best first."""
    from assistant.filtering import read_filters

    filters = read_filters(since, until, as_of, source, language, document)
    with open_assistant(data, config) as assistant:
        found = assistant.search(query, k, filters=filters)
        matching = assistant.matching(filters)
    lines = (
        f"{scored.score:.3f}  {scored.document.title}"
        f" ({origin(scored.document.source, scored.document.published, scored.passage.locator)})\n"
        f"       {one_line(scored.passage.text)}"
        for scored in found
    )
    show(found, lines, as_json)
    say_left_out(matching)


@app.command()
def chat(
    port: Port = None,
    watch: Watch = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Open the chat window; an empty library first takes in the sample collection."""
    with _server(port, data, config) as assistant, following(assistant, watch or []):
        if not assistant.documents():
            say("the library is empty: taking in the sample collection")
            with progress_bars() as on_progress:
                assistant.index([sample_collection()], on_progress)
        _serve(assistant)


@app.command()
def serve(
    port: Port = None,
    watch: Watch = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Serve the HTTP API (/v1/ask, /v1/search, /health) and the chat window on loopback."""
    with _server(port, data, config) as assistant, following(assistant, watch or []):
        _serve(assistant)


@app.command()
def mcp(data: Data = None, config: Config = None) -> None:
    """Speak the Model Context Protocol on stdin and stdout: tools `ask` and `search`."""
    from assistant.mcp_server import create_server

    with open_assistant(data, config) as assistant:
        create_server(assistant).run()


@app.command()
def settings(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Show every setting, its value and what it does, and what is expected of the threshold."""
    from assistant import calibrating
    from assistant.settings import Settings

    groups = {"library": {"data": data}} if data else {}
    loaded = calibrating.apply(Settings.load(config, **groups))
    lines = [
        f"{group}.{name} = {getattr(getattr(loaded, group), name)}   # {field.description}"
        for group in Settings.model_fields
        for name, field in type(getattr(loaded, group)).model_fields.items()
    ]
    show(loaded, [*lines, *calibrating.lines(loaded)], as_json)


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
