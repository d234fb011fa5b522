"""JSON -> a document with the facts its keys name, or its keys and values as lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.decoding import decoded
from assistant.errors import LoadingError
from assistant.languages import declared
from assistant.parsing import Block, Parsed, day

# Where a fact stands when nobody says; the first that is there.
FIELDS = {
    "id": "id _id uri url",
    "text": "text body content article full_text maintext abstract",
    "title": "title headline name subject",
    "author": "author authors byline creator",
    "source": "source publisher outlet site domain",
    "published": "published date published_at datePublished publication_date pubdate created_at",
    "language": "language lang",
    "groups": "groups",
}
_DEEPEST = 50


def parse_json(content: bytes, uri: str, fields: Mapping[str, str]) -> Parsed:
    """One object: its text and facts by ``fields`` (dotted paths) or by the usual keys.

    Without a text every value stands on a line with its path: ``address.city: Gyumri``. Raises
    LoadingError: ``unreadable``.
    """
    value = read(content, uri)
    facts = {name: fact(value, name, fields) for name in FIELDS}
    text = _said(facts["text"])
    try:
        blocks = (Block(text),) if text else tuple(Block(line) for line in _lines(value))
    except RecursionError as error:
        raise _unreadable(uri, "it is nested too deep") from error
    return Parsed(
        blocks,
        title=_said(facts["title"]),
        source=_said(facts["source"]),
        author=_said(facts["author"]),
        published=day(facts["published"]) if facts["published"] else None,
        published_from="field of the record",
        language=declared(_said(facts["language"])),
        groups=_groups(facts["groups"]),
    )


def read(content: bytes, uri: str) -> Any:
    """The value that JSON spells. Raises LoadingError: ``unreadable``."""
    try:
        return json.loads(decoded(content))
    except (ValueError, RecursionError) as error:
        raise _unreadable(uri, str(error)) from error


def _unreadable(uri: str, why: str) -> LoadingError:
    return LoadingError("unreadable", f"{uri} is no JSON that can be read: {why}", "mend it")


def fact(value: Any, name: str, fields: Mapping[str, str]) -> Any:
    """The value that the field map, or else a usual key, has for ``name``; None without one."""
    if name in fields:
        return _at(value, fields[name])
    if not isinstance(value, dict):
        return None
    found = (value.get(key) for key in FIELDS[name].split())
    return next((one for one in found if one not in (None, "", [])), None)


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _said(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value)) if all(isinstance(v, str) for v in value) else None
    if isinstance(value, dict):
        return _said(value.get("name"))
    return None if value is None else str(value)


def _groups(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(name for name in names if isinstance(name, str) and name)


def _lines(value: Any, path: str = "", depth: int = _DEEPEST) -> Iterator[str]:
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from _lines(inner, f"{path}.{key}".lstrip("."), depth - 1)
    elif isinstance(value, list) and depth:
        if all(not isinstance(inner, (dict, list)) for inner in value):
            yield from _lines(", ".join(map(_spelled, value)), path, depth)
        else:
            for number, inner in enumerate(value, start=1):
                yield from _lines(inner, f"{path}.{number}".lstrip("."), depth - 1)
    elif words := _spelled(value):
        yield f"{path}: {words}" if path else words


def _spelled(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
