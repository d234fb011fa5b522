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
