from __future__ import annotations

import datetime as dt
import json
import textwrap
import time
from pathlib import Path

import pytest

from assistant.evals.cases import Case, load, save
from assistant.evals.errors import SetError
from assistant.types import Filters

GOOD = """\
name: towns
cases:
  - id: a
    question: Where?
    relevant: [one.md]
    answers: [no, 2024-01-05, 0x10]
  - id: b
    question: When?
    answerable: false
    tags: [when]
  - {id: c, question: "Who?", draft: true}
"""


def write(tmp_path: Path, text: str, name: str = "set.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_is_read_as_it_stands(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, GOOD))
    assert (loaded.name, loaded.drafts) == ("towns", 1)
    assert loaded.cases[0] == Case(
        id="a", question="Where?", relevant={"one.md": 1}, answers=("no", "2024-01-05", "0x10")
    )
    assert loaded.cases[1].answerable is False
    assert [case.id for case in load(write(tmp_path, GOOD), "when").cases] == ["b"]


def test_jsonl_gives_back_what_was_saved(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, GOOD))
    path = tmp_path / "set.jsonl"
    save(loaded, path)
    again = load(path)
    assert again.cases == loaded.cases
    assert (again.name, again.digest) == (loaded.name, loaded.digest)


def test_grades_are_kept(tmp_path: Path) -> None:
    text = "cases:\n- id: a\n  question: Q?\n  relevant: {x.md: 2, y.md: 1}\n"
    assert load(write(tmp_path, text)).cases[0].relevant == {"x.md": 2, "y.md": 1}


def test_filters_are_those_of_a_question(tmp_path: Path) -> None:
    text = (
        "cases:\n- id: a\n  question: Q?\n"
        "  filters: {since: 2022-01-05, sources: [Meridian Newswire]}\n"
    )
    filters = load(write(tmp_path, text)).cases[0].filters
    assert filters == Filters(since=dt.date(2022, 1, 5), sources=("Meridian Newswire",))


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("cases: !!python/object/apply:os.system ['echo x']\n", 1, "tag"),
        ("cases:\n- id: !!binary aGVsbG8=\n", 2, "tag"),
        ("cases:\n- id: !include ../../etc/passwd\n", 2, "tag"),
        (BOMB, 1, "anchors"),
        ("cases:\n- {id: a, question: *nothing}\n", 2, "anchors"),
        ("cases: " + "[" * 20 + "]" * 20, 1, "levels"),
        ("cases:\n- id: a\n  id: b\n", 3, "twice"),
        ("cases: [\n", 2, "not YAML"),
        ("cases:\n- id: a\n---\ncases: []\n", 3, "second document"),
        ("name: x\ncases: []\n", None, "no case"),
        ("", 1, "no list"),
        ("- a\n", 1, "no list"),
        ("cases:\n- id: a\n  question: Q\n- just text\n", 4, "map"),
        ("cases:\n- id: a\n  question: Q\n  anwsers: [x]\n", 4, "anwsers"),
        ("cases:\n- id: a\n  question: Q\n  answerable: maybe\n", 4, "answerable"),
        ("cases:\n- id: a\n  question: Q\n  answers:\n  - x\n  - [y]\n", 6, "answers.1"),
        ("cases:\n- id: a\n  question: Q\n  relevant: {x: 0}\n", 4, "grade"),
        (
            "cases:\n- id: a\n  question: Q\n- id: b\n  question: Q\n- id: a\n  question: Q\n",
            6,
            "line 2",
        ),
        ("cases:\n- id: a\n  question: '  '\n", 2, "question"),
        ("cases:\n- id: a\n  question: Q\n  filters:\n    since: soon\n", 5, "filters.since"),
        ("cases:\n- id: a\n  question: Q\n  filters: {sinse: 2022-01-05}\n", 4, "filters"),
        ("cases:\n- question: Q\n", 2, "id"),
        ("casses: []\ncases: []\n", 1, "casses"),
        ("name: [x]\ncases: []\n", 1, "name"),
        ("? [a, b]\n: c\n", 1, "not text"),
        ("cases:\n- id: a\n  question: \x01\n", None, "not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, line: int | None, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SetError, match=words) as caught:
        load(path)
    assert caught.value.line == line
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"id": "a", "question": "Q"}\n{"id": "a", "question": "Q"}\n', 2, "line 1"),
        ('{"name": "n"}\n{"id": "a", "question": "Q"}\n{"id": \n', 3, "not JSON"),
        ("[" * 100_000 + "\n", 1, "not JSON"),
        ('{"id": "a"}\n', 1, "question"),
        ('{"id": "a", "question": "Q", "tags": "x"}\n', 1, "tags"),
        ('{"id": "a", "question": "\\ud800"}\n', 1, "surrogates"),
        ('{"name": "n"}\n', None, "no case"),
        ("7\n", 1, "map"),
    ],
)
def test_jsonl_faults_are_named_with_their_line(
    tmp_path: Path, text: str, line: int | None, words: str
) -> None:
    with pytest.raises(SetError, match=words) as caught:
        load(write(tmp_path, text, "set.jsonl"))
    assert caught.value.line == line


def test_files_that_cannot_be_sets(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "long.jsonl").write_text('{"id": "' + "x" * 2_000_000)
    for name, words in [
        ("missing.yaml", "cannot be read"),
        ("set.txt", "not an evaluation set"),
        ("latin.yaml", "UTF-8"),
        ("long.jsonl", "longer"),
    ]:
        with pytest.raises(SetError, match=words):
            load(tmp_path / name)


def test_a_yaml_bomb_costs_nothing(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    path = write(tmp_path, "l0: &l0 lol\n" + "\n".join(levels))
    began = time.monotonic()
    with pytest.raises(SetError, match="aliases"):
        load(path)
    assert time.monotonic() - began < 1


def test_the_digest_follows_the_cases_only(tmp_path: Path) -> None:
    one = load(write(tmp_path, GOOD))
    two = load(write(tmp_path, GOOD.replace("towns", "cities")))
    three = load(write(tmp_path, GOOD.replace("Where", "Whence")))
    assert one.digest == two.digest != three.digest


def test_numbers_are_ids_in_jsonl(tmp_path: Path) -> None:
    text = json.dumps({"id": 7, "question": "Q", "answers": [5]})
    assert load(write(tmp_path, text, "set.jsonl")).cases[0].answers == ("5",)


def test_the_set_in_the_readme_is_one(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    example = readme[readme.index("    name: harbour") :].partition("\n\n")[0]
    loaded = load(write(tmp_path, textwrap.dedent(example)))
    assert [case.id for case in loaded.cases] == ["bridge", "songs"]
    assert loaded.cases[0].history[0].answer == "A bridge."
