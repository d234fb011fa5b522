"""YAML read as plain data: no tags, no aliases, bounded; a scalar is the text that stands there.

Nothing is constructed, so ``!!python/object`` cannot run, a "billion laughs" file cannot grow, and
the answers ``no`` and ``2024-01-05`` stay words (T41).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assistant.evals.errors import SetError

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 8
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it
ADVICE = "write plain lists, maps and text; larger sets go into .jsonl"

Place = tuple[str | int, ...]


@dataclass
class _Open:
    """A list or map whose end has not come yet."""

    value: list[Any] | dict[str, Any]
    place: Place
    key: str | None = None  # of a map: read, its value not yet


def read(path: Path) -> tuple[Any, dict[Place, int]]:
    """The one document in the file, and the line of every value in it, from 1.

    Raises SetError for anything that is not plain: tags, anchors, aliases, duplicate keys, more
    than ``MAX_DEPTH`` levels, ``MAX_BYTES`` or one document.
    """
    content = path.read_bytes()
    if len(content) > MAX_BYTES:
        raise SetError(path, f"larger than {MAX_BYTES // 1024**2} MB of YAML", ADVICE)
    try:
        return _Reader(path).read(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SetError(path, f"not UTF-8: {error}", "save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark else None
        raise SetError(path, f"not YAML: {problem}", "mend the line it names", line=line) from None


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.root: Any = None
        self.open: list[_Open] = []
        self.lines: dict[Place, int] = {}
        self.documents = 0
        self.line: int | None = None

    def read(self, text: str) -> tuple[Any, dict[Place, int]]:
        for event in yaml.parse(text, Loader=LOADER):
            self.line = event.start_mark.line + 1 if event.start_mark else None
            self._refuse_what_is_not_plain(event)
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start([] if isinstance(event, yaml.SequenceStartEvent) else {})
            elif isinstance(event, yaml.CollectionEndEvent):
                self.open.pop()
        return self.root, self.lines

    def _refuse_what_is_not_plain(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error("anchors and aliases are refused")
        if tag := getattr(event, "tag", None):
            raise self._error(f"the tag {tag} is refused")
        self.documents += isinstance(event, yaml.DocumentStartEvent)
        if self.documents > 1:
            raise self._error("a second document in the file")

    def _scalar(self, text: str) -> None:
        top = self.open[-1] if self.open else None
        if top and isinstance(top.value, dict) and top.key is None:
            if text in top.value:
                raise self._error(f"the key {text!r} stands twice in one map")
            top.key = text
        else:
            self._put(text)

    def _start(self, value: list[Any] | dict[str, Any]) -> None:
        top = self.open[-1] if self.open else None
        if len(self.open) == MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} levels deep")
        if top and isinstance(top.value, dict) and top.key is None:
            raise self._error("a key that is not text")
        self.open.append(_Open(value, self._put(value)))

    def _put(self, value: Any) -> Place:
        """Where the value came to stand."""
        place: Place
        if not self.open:
            self.root, place = value, ()
        else:
            top = self.open[-1]
            if isinstance(top.value, dict):
                key, top.key = top.key or "", None
                place = (*top.place, key)
                top.value[key] = value
            else:
                place = (*top.place, len(top.value))
                top.value.append(value)
        self.lines[place] = self.line or 1
        return place

    def _error(self, problem: str) -> SetError:
        return SetError(self.path, problem, ADVICE, line=self.line)
