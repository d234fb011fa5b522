"""What the README tells of modules and settings is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from assistant.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_map_of_modules_is_the_tree() -> None:
    told = README[README.index("| module |") : README.index("## Settings")]
    names = re.findall(r"`(\w+\.py)`", told)
    there = {path.name for path in (ROOT / "assistant").glob("[!_]*.py")}
    assert sorted(names) == sorted(there), "each once"


def test_the_table_of_settings_is_what_they_say_of_themselves() -> None:
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \| .* \| (.*) \|$", README, re.MULTILINE)
    told = {(group, name): what for group, name, what in rows}
    known = {
        (group, name): field.description
        for group, info in Settings.model_fields.items()
        for name, field in getattr(info.annotation, "model_fields", {}).items()
    }
    assert told == known
