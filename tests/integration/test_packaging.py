"""The wheel, installed in an environment of its own, answers from another directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``assistant`` command of a fresh environment that holds our wheel.

    The dependencies are those of this environment, reached by a .pth file: installing torch once
    more would test pip, not us.
    """
    base = tmp_path_factory.mktemp("packaging")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(base)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = base.glob("*.whl")
    venv.create(base / "venv", with_pip=False)
    python = base / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True)
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    ask = [str(python), "-c", purelib]
    site = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(dependencies))
    return python.with_name("assistant")


def test_the_installed_command_is_the_wheel_and_starts_at_once(installed: Path) -> None:
    where = "import assistant; print(assistant.__file__)"
    python = str(installed.with_name("python"))
    imported = subprocess.run([python, "-c", where], cwd="/", capture_output=True, text=True)
    assert str(installed.parent.parent) in imported.stdout
    started = time.monotonic()
    shown = subprocess.run([installed, "--help"], cwd="/", capture_output=True, text=True)
    seconds = time.monotonic() - started
    assert shown.returncode == 0
    assert "ask" in shown.stdout
    assert seconds < 3, "0.5 s on an idle machine; the bound here allows for a busy one"


def test_the_installed_command_answers_from_another_directory(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "note.md").write_text(
        "---\ntitle: Note\npublished: 2022-02-03\n---\n"
        "The harbour bridge was opened in May 1921 by the mayor. It is 310 metres long.\n"
    )
    environment = {**os.environ, "ASSISTANT_DATA": str(tmp_path / "data"), "PYTHONPATH": ""}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

    run("index", "note.md")
    answer = json.loads(run("ask", "When was the harbour bridge opened?", "--json").stdout)
    assert answer["status"] == "answered"
    assert "May 1921" in answer["text"]
