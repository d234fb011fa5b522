"""What may import what, and how long a module may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for folder in ("assistant", "ui", "evals") for path in (ROOT / folder).rglob("*.py")
)
HEAVY = {"torch", "gradio", "chromadb", "transformers", "sentence_transformers", "langchain"}
FORBIDDEN = {"langchain_community", "langchain_classic", "pickle", "joblib"}
FACES = {
    "cli", "command", "library_commands", "http_api", "mcp_server", "terminal", "ui", "evals",
}  # fmt: skip


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Full names that a module imports, type-checking blocks left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n)]
    skipped = {id(node) for block in blocks for node in ast.walk(block)}
    for node in tree.body if top_level_only else ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_short_and_imports_only_what_it_may(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    names = list(imports(path))
    assert not FORBIDDEN & {name.split(".")[0] for name in names}
    assert not any(name.startswith("chromadb.server") for name in names)  # T37
    loaded_early = {name.split(".")[0] for name in imports(path, top_level_only=True)}
    assert not HEAVY & loaded_early
    if path.parent.name == "assistant" and path.stem not in FACES | {"__main__"}:
        used = {name.split(".")[1] for name in names if name.startswith("assistant.")}
        assert not FACES & used, "the library knows no face"


@pytest.mark.parametrize("folder", ["ui", "evals"])
def test_faces_call_the_assistant_and_nothing_deeper(folder: str) -> None:
    deeper = {"library", "index", "retrieval", "answering", "embedding", "ingestion", "chunking"}
    for path in (ROOT / folder).rglob("*.py"):
        used = {name.split(".")[1] for name in imports(path) if name.startswith("assistant.")}
        assert not deeper & used, path


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    code = "import sys, assistant.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not (HEAVY | {"numpy", "onnxruntime", "tantivy", "fastapi"}) & set(loaded.stdout.split())
