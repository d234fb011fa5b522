"""Evaluation sets: questions with what is known about their answers, in YAML or JSONL.

A YAML set is a map of name, description and cases. A JSONL set has one case a line, and may begin
with a line that holds only name and description. Gold documents are named by id, by uri, or by the
uri's file name; no name is ever opened as a path.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError, field_validator

from assistant.evals import plain_json, plain_yaml
from assistant.evals.errors import SetError
from assistant.types import Filters, Shape

FIELDS = (
    "id and question are texts; answerable and draft true or false; relevant a list of documents, "
    "or a map to their grades; quotes, answers and tags lists of texts; history a list of maps of "
    "question and answer; filters a map of since, until, as_of, sources, languages, documents"
)


class Exchange(Shape):
    """An earlier turn of the conversation."""

    question: str
    answer: str = ""


class Case(Shape):
    """One question; what is not known is left out, and is then not scored."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str = Field(min_length=1, max_length=500)
    question: str
    answerable: bool | None = True  # None: not known, so silence is neither right nor wrong
    relevant: dict[str, int] = Field(default_factory=dict)  # gold document -> grade, 1 and up
    quotes: tuple[str, ...] = ()  # words that stand in the relevant documents
    answers: tuple[str, ...] = ()  # any one of them is right
    history: tuple[Exchange, ...] = ()
    filters: Filters = Filters()
    tags: tuple[str, ...] = ()
    draft: bool = False  # proposed by `assistant eval draft`, not accepted by a person yet

    @field_validator("relevant", mode="before")
    @classmethod
    def _of_grade_one(cls, value: Any) -> Any:
        return {str(name): 1 for name in value} if isinstance(value, (list, tuple)) else value

    @field_validator("relevant")
    @classmethod
    def _grades_count(cls, value: dict[str, int]) -> dict[str, int]:
        if any(grade < 1 for grade in value.values()):
            raise ValueError("a grade is 1 or more; leave out what is not relevant")
        return value


class EvaluationSet(Shape):
    name: str
    description: str = ""
    cases: tuple[Case, ...]
    drafts: int = 0  # cases left out because nobody has accepted them
    file: Path | None = None  # where it was read from

    @property
    def digest(self) -> str:
        """12 hex digits over the cases in their order."""
        state = hashlib.sha256()
        for case in self.cases:
            state.update(case.model_dump_json(exclude_defaults=True).encode() + b"\n")
        return state.hexdigest()[:12]


def load(path: Path, tag: str | None = None) -> EvaluationSet:
    """The set in the file, drafts left out; only the cases with the tag, when one is given.

    Raises SetError naming file, line and field for a set that is empty, has an unknown field, a
    value of the wrong kind, or one id twice.
    """
    try:
        if path.suffix in {".yaml", ".yml"}:
            head, cases = _from_yaml(path)
        elif path.suffix == ".jsonl":
            head, cases = _from_jsonl(path)
        else:
            raise SetError(
                path, "not an evaluation set", "name a .yaml or .jsonl file, or `sample`"
            )
    except OSError as error:
        raise SetError(path, f"cannot be read: {error.strerror}", "name a file") from None
    accepted = tuple(c for c in cases if not c.draft and (tag is None or tag in c.tags))
    if not accepted:
        drafts = sum(case.draft for case in cases)
        what = f"no case with the tag {tag!r}" if tag else "no case in it"
        what += f" besides {drafts} drafts" if drafts else ""
        hint = "accept one by deleting its `draft: true`" if drafts else "add `id` and `question`"
        raise SetError(path, what, hint)
    return EvaluationSet(
        name=head.get("name") or path.stem,
        description=head.get("description", ""),
        cases=accepted,
        drafts=sum(case.draft for case in cases),
        file=path,
    )


def save(evaluation_set: EvaluationSet, path: Path) -> None:
    """The set as JSONL."""
    with path.open("w", encoding="utf-8") as file:
        head = {"name": evaluation_set.name, "description": evaluation_set.description}
        file.write(json.dumps(head, ensure_ascii=False) + "\n")
        for case in evaluation_set.cases:
            file.write(case.model_dump_json(exclude_defaults=True) + "\n")


def _from_yaml(path: Path) -> tuple[dict[str, str], list[Case]]:
    root, lines = plain_yaml.read(path)
    if not isinstance(root, dict) or not isinstance(root.get("cases"), list):
        hint = "begin with `cases:` and a list of `- id: ...` below it"
        raise SetError(path, "no list of cases", hint, line=1, field="cases")
    for key, value in root.items():
        if key not in {"name", "description", "cases"}:
            raise _unknown(path, key, lines[key,])
        if key != "cases" and not isinstance(value, str):
            raise SetError(path, "not text", "write one string", line=lines[key,], field=key)
    checked = _Cases(path)
    for position, raw in enumerate(root["cases"]):
        place = ("cases", position)
        checked.add(raw, {(): lines[place]} | {k[2:]: v for k, v in _below(lines, place, raw)})
    return root, checked.cases


def _below(
    lines: dict[plain_yaml.Place, int], place: plain_yaml.Place, raw: Any
) -> Iterator[tuple[plain_yaml.Place, int]]:
    """The lines of a case's fields and of the items in them."""
    for key, value in raw.items() if isinstance(raw, dict) else ():
        yield (*place, key), lines[*place, key]
        items = range(len(value)) if isinstance(value, list) else value
        for item in items if isinstance(value, (list, dict)) else ():
            yield (*place, key, item), lines[*place, key, item]


def _from_jsonl(path: Path) -> tuple[dict[str, str], list[Case]]:
    head: dict[str, str] = {}
    checked = _Cases(path)
    for number, raw in plain_json.read(path):
        if number == 1 and isinstance(raw, dict) and not raw.keys() - {"name", "description"}:
            head = {key: str(value) for key, value in raw.items()}
        else:
            checked.add(raw, {(): number})
    return head, checked.cases


class _Cases:
    """Cases checked one by one, with the line of each for the message about the next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cases: list[Case] = []
        self.seen: dict[str, int] = {}

    def add(self, raw: Any, lines: dict[plain_yaml.Place, int]) -> None:
        if not isinstance(raw, dict):
            raise SetError(self.path, "a case is a map of fields", FIELDS, line=lines[()])
        try:
            case = Case.model_validate(raw)
        except ValidationError as error:
            raise self._explain(error, raw, lines) from None
        if first := self.seen.get(case.id):
            raise SetError(
                self.path,
                f"{case.id!r} is the id in line {first} too",
                "give each case an id of its own",
                line=lines.get(("id",), lines[()]),
                field="id",
            )
        if not case.question.strip():
            raise SetError(
                self.path, "empty", "write the question", line=lines[()], field="question"
            )
        self.seen[case.id] = lines[()]
        self.cases.append(case)

    def _explain(
        self, error: ValidationError, raw: dict[str, Any], lines: dict[plain_yaml.Place, int]
    ) -> SetError:
        first = error.errors()[0]
        place = first["loc"]
        line = next(lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines)
        if first["type"] == "extra_forbidden":
            return _unknown(self.path, str(place[0]), line)
        field = ".".join(str(part) for part in place)
        name = f"case {raw['id']!r}, {field}" if "id" in raw else field
        return SetError(self.path, first["msg"], FIELDS, line=line, field=name)


def _unknown(path: Path, key: str, line: int) -> SetError:
    near = difflib.get_close_matches(key, Case.model_fields, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(Case.model_fields)}"
    return SetError(path, "unknown field", hint, line=line, field=key)
