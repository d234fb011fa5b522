"""Fixtures that several tests share: an assistant over the sample collection; children to kill."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant import Assistant, Settings
from tests.children import Children

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that holds the sample collection; nobody has it open."""
    data = tmp_path_factory.mktemp("sample")
    with Assistant.from_settings(Settings(library={"data": data})) as assistant:
        report = assistant.index([ROOT / "corpus" / "documents"])
        assert not report.failed
    return data


@pytest.fixture(scope="session")
def sample(sample_data: Path) -> Iterator[Assistant]:
    """The assistant over the sample collection; tests only ask it."""
    with Assistant.from_settings(Settings(library={"data": sample_data})) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """Starts processes that may be killed."""
    children = Children(tmp_path_factory.mktemp("children"))
    yield children
    children.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A new folder, in memory where it can be: nothing here needs a real disk to wait for."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture
def mount() -> Iterator[Callable[..., Path]]:
    """Mounts, in a folder that anyone may enter; skips who may not mount."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    root = Path(tempfile.mkdtemp(prefix="mount-"))
    root.chmod(0o755)
    mounted: list[Path] = []

    def run(name: str, *arguments: object) -> Path:
        (root / name).mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", *map(str, arguments), root / name], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"mount is refused here: {done.stderr.strip()}")
        mounted.append(root / name)
        return root / name

    yield run
    for path in reversed(mounted):
        subprocess.run(["umount", path], check=True)
    shutil.rmtree(root)
