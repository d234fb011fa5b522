"""The command line as a person uses it: results on stdout, one line of error with the way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assistant import Answer, Assistant, Document
from assistant.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> object:
    """Runs a command in this process, in an empty directory; gives its code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSISTANT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["assistant", *arguments])
        mask = os.umask(0o077)
        with pytest.raises(SystemExit) as ended:
            main()
        os.umask(mask)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text(
        "---\ntitle: Bridges\nsource: Harbour Gazette\npublished: 2022-02-03\n---\n"
        "The harbour bridge was opened in May 1921 by the mayor. It is 310 metres long.\n"
    )
    return path


def test_from_index_to_remove(run, note: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, err = run("index", "note.md")
    assert (code, out) == (0, "1 added; 1 documents, 1 passages in the library\n"), err
    assert run("index", "note.md")[1].startswith("1 unchanged")

    code, out, _ = run("ask", "When was the harbour bridge opened?")
    assert code == 0
    assert out.startswith("The harbour bridge was opened in May 1921 by the mayor. [1]")
    assert "[1] Bridges (Harbour Gazette, 2022-02-03)" in out

    answer = Answer.model_validate_json(run("ask", "When was it opened?", "--json")[1])
    assert answer.question == "When was it opened?"
    listed = [Document.model_validate(item) for item in json.loads(run("documents", "--json")[1])]
    assert [document.title for document in listed] == ["Bridges"]
    assert "310 metres" in run("search", "long")[1]
    assert run("verify")[:2] == (0, "1 documents, 1 passages: sound\n")
    assert run("rebuild")[0] == 0

    assert run("remove", "note.md")[1].startswith("1 removed")
    code, out, err = run("ask", "When was it opened?")
    assert (code, out) == (2, "")
    assert "nothing is indexed" in err


def test_filters(run, note: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "undated.txt").write_text("The harbour bridge was painted green by volunteers.\n")
    run("index", "note.md", "undated.txt")
    question = "Which colour was the harbour bridge painted?"
    everything = Answer.model_validate_json(run("ask", question, "--json")[1])
    assert len(everything.passages) == 2
    code, out, err = run("ask", question, "--until", "2022-12-31", "--json")
    answer = Answer.model_validate_json(out)
    assert [scored.document.title for scored in answer.passages] == ["Bridges"]
    assert answer.undated == 1
    assert "left out because they have no date: 1" in err
    assert run("search", "bridge", "--source", "harbour gazette", "--since", "2022-02-03")[1]
    assert "310 metres" not in run("search", "bridge", "--document", "undated.txt")[1]

    code, out, err = run("ask", question, "--as-of", "1999-12-31")
    assert (code, out) == (0, "Not in the documents.\n")
    assert "no document passes the filters" in err
    for wrong in (
        ("--since", "2022-02-30"),
        ("--since", "2022-02-02", "--until", "2022-02-01"),
        ("--source", "Harbor Gazete"),
        ("--language", "xx"),
        ("--document", "absent.md"),
    ):
        for command in ("ask", "search"):
            code, out, err = run(command, question, *wrong)
            assert (code, out) == (2, "")
            one_line(err, wrong[-1])


def test_settings_are_shown_and_a_wrong_one_is_named(run) -> None:  # type: ignore[no-untyped-def]
    assert "retrieval.k = 8" in run("settings")[1]
    Path("assistant.toml").write_text("[retrieval]\ndepth = 3\n")
    code, out, err = run("ask", "What?")
    assert (code, out) == (2, "")
    assert "unknown setting retrieval.depth" in err


def one_line(err: str, *words: str) -> None:
    """An error is one line, then one with the way out."""
    error, way_out = err.strip().splitlines()[-2:]
    assert error.startswith(("error:", "failed (")), err
    assert way_out.startswith("  try: "), err
    assert "Traceback" not in err
    for word in words:
        assert word in err


def test_a_missing_path_and_an_empty_folder(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = run("index", "absent")
    assert code == 2
    one_line(err, "absent")
    (tmp_path / "empty").mkdir()
    code, _, err = run("index", "empty")
    assert code == 2
    one_line(err, "empty")


def test_files_that_cannot_be_read_are_named_and_the_others_go_on(  # type: ignore[no-untyped-def]
    run, note: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 20)
    code, out, err = run("index", "empty.txt", "binary.txt", "note.md")
    assert code == 0
    assert out.startswith("1 added, 2 failed;")
    assert "failed (empty): " in err
    assert "binary.txt" in err
    code, out, err = run("index", "empty.txt", "--json")
    assert [failure["reason"] for failure in json.loads(out)["failed"]] == ["empty"]
    code, out, _ = run("documents", "--failed")
    assert (code, out.count("failed"), out.count("try: ")) == (0, 0, 2)
    assert "(empty): " in out
    (tmp_path / "bell\x07.txt").write_text("A bell rang.", encoding="utf-8")
    run("index", "bell\x07.txt")
    assert "\x07" not in run("documents")[1]
    (tmp_path / "empty.txt").write_text("Now it has words.", encoding="utf-8")
    run("index", "empty.txt")
    failures = json.loads(run("documents", "--failed", "--json")[1])
    assert [Path(failure["uri"]).name for failure in failures] == ["binary.txt"]


@pytest.mark.parametrize("question", ["", "   ", "x" * 100_000])
def test_a_question_that_cannot_be_asked(question: str, run, note: Path) -> None:  # type: ignore[no-untyped-def]
    run("index", "note.md")
    code, out, err = run("ask", question)
    assert (code, out) == (2, "")
    one_line(err, "the question")


def test_an_unknown_document(run, note: Path) -> None:  # type: ignore[no-untyped-def]
    run("index", "note.md")
    code, _, err = run("remove", "other.md")
    assert code == 2
    one_line(err, "other.md")
    assert run("documents")[1].count("\n") == 1


def test_t40_no_control_sequence_reaches_the_terminal(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "evil.txt").write_text("The vault opens at nine.\x1b]52;c;ZXZp\x07 \x1b[2J Yes.")
    run("index", "evil.txt")
    code, out, err = run("ask", "When does the vault open?\x1b[2J")
    assert code == 0
    assert "\x1b" not in out + err
    assert "\x1b" not in run("search", "vault")[1]
    assert "\x1b" not in run("index", "no\x1b[2Jsuch")[2]


@pytest.mark.parametrize("command", ["chat", "serve"])
def test_a_folder_is_followed_while_serving(  # type: ignore[no-untyped-def]
    command: str, run, note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    note.rename(folder / "note.md")
    listed: list[list[str]] = []

    def serve(assistant: Assistant, **_: object) -> None:
        listed.append([document.title for document in assistant.documents()])
        deadline = time.monotonic() + 60
        while len(assistant.documents()) == 1 and time.monotonic() < deadline:
            (folder / "ferry.md").write_text("# Ferries\n\nThe ferry sails on Mondays.")
            for _ in range(40):  # two seconds: it waits until it is quiet
                time.sleep(0.05 if len(assistant.documents()) == 1 else 0)
        listed.append([document.title for document in assistant.documents()])

    monkeypatch.setattr("assistant.http_api.serve", serve)
    code, _, err = run(command, "--watch", str(folder))
    assert code == 0, err
    assert listed == [["Bridges"], ["Ferries", "Bridges"]]


def test_a_second_process_is_refused_at_once(note: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    from assistant import Settings

    with Assistant.from_settings(Settings(library={"data": data})):
        started = time.monotonic()
        second = subprocess.run(
            [sys.executable, "-m", "assistant", "documents", "--data", data],
            capture_output=True,
            text=True,
        )
        seconds = time.monotonic() - started
    assert second.returncode == 2
    one_line(second.stderr, f"in use by pid {os.getpid()} since ")
    assert seconds < 5, "it does not wait; the rest is the start of Python on a busy machine"


def test_a_reader_that_leaves_early_is_no_error(note: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m assistant settings | head -n 1"
    piped = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert (piped.stderr, piped.stdout.count("\n")) == ("", 1)
