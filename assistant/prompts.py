"""Prompts: one file of prompts/ for each model call, filled in by one literal replacement."""

from __future__ import annotations

import re
import secrets
from functools import cache
from pathlib import Path

import assistant
from assistant.errors import SettingsError

Messages = list[tuple[str, str]]  # (role, text), as every LangChain chat model takes them

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_PART = re.compile(r"^---\n", re.MULTILINE)  # the system message from the user's
FENCE = "fence"


def messages(name: str, **values: str) -> Messages:
    """What to send for ``prompts/NAME.md``, each ``{{variable}}`` replaced by its value.

    Nothing in a value is looked at again (T42). ``{{fence}}`` becomes a mark that no value
    contains and nobody can foretell, to stand around data, unless one is given. Raises
    SettingsError when the file leaves out a value or asks for one that there is not.
    """
    text = _text(name)
    wanted = {FENCE, *_VARIABLE.findall(text)}
    if odd := wanted ^ {FENCE, *values}:
        raise SettingsError(
            f"prompts/{name}.md: {{{{{min(odd)}}}}} is {'missing' if odd - wanted else 'unknown'}",
            f"it takes {', '.join(f'{{{{{key}}}}}' for key in sorted(values))} and {{{{fence}}}}",
        )
    filled = values if FENCE in values else {**values, FENCE: fence(*values.values())}
    parts = [_VARIABLE.sub(lambda m: filled[m[1]], part).strip() for part in _PART.split(text, 1)]
    return [*zip(("system", "user")[-len(parts) :], parts, strict=True)]


def fence(*values: str) -> str:
    """16 hexadecimal digits that stand in none of the values."""
    while True:
        mark = secrets.token_hex(8)
        if not any(mark in value for value in values):
            return mark


@cache
def _text(name: str) -> str:
    package = Path(assistant.__file__).parent
    inside = package / "prompts"
    folder = inside if inside.is_dir() else package.parent / "prompts"
    return (folder / f"{name}.md").read_text(encoding="utf-8")
