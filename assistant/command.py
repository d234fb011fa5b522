"""What commands share: where the library and the settings are, and the assistant over them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

Data = Annotated[
    Path | None, typer.Option(help="Data directory; else ASSISTANT_DATA, else the platform's.")
]
Config = Annotated[Path | None, typer.Option(help="Settings file; else ./assistant.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_PANEL = "Filters: which documents are asked"
Since = Annotated[
    str | None,
    typer.Option(
        metavar="DAY", help="Published on or after this day: 2022-09-13.", rich_help_panel=_PANEL
    ),
]
Until = Annotated[
    str | None,
    typer.Option(metavar="DAY", help="Published on or before this day.", rich_help_panel=_PANEL),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DAY",
        help="As known on this day: nothing published after it is searched or cited.",
        rich_help_panel=_PANEL,
    ),
]
Source = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="From this source; repeatable.", rich_help_panel=_PANEL),
]
Language = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE", help="In this language, for example en; repeatable.", rich_help_panel=_PANEL
    ),
]
OneDocument = Annotated[
    list[str] | None,
    typer.Option(
        "--document",
        metavar="NAME",
        help="This document: its id, path or file name; repeatable.",
        rich_help_panel=_PANEL,
    ),
]


def data_directory(data: Path | None, config: Path | None) -> Path:
    """The data directory that ``--data`` and ``--config`` name."""
    from assistant.settings import Settings

    return data or Settings.load(config).library.data


@contextmanager
def open_assistant(data: Path | None, config: Path | None, **groups: Any) -> Iterator[Assistant]:
    """The assistant that ``--data`` and ``--config`` name, closed at the end."""
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

    if data:
        groups["library"] = {"data": data}
    with Assistant.from_settings(Settings.load(config, **groups)) as assistant:
        yield assistant
