"""jsonfiles.py: records with the facts their keys name."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from assistant.errors import LoadingError
from assistant.jsonfiles import parse_json
from assistant.parsing import Parsed, assemble


def parsed(value: Any, **fields: str) -> Parsed:
    return parse_json(json.dumps(value).encode(), "a.json", fields)


def text(value: Any, **fields: str) -> str:
    return assemble(parsed(value, **fields).blocks)[0]


def test_usual_keys() -> None:
    record = {
        "id": 0, "headline": "Talks", "body": "They met.", "byline": ["A. B.", "C. D."],
        "publisher": {"name": "The Ledger"}, "datePublished": "2022-09-13T08:00:00Z",
        "lang": "en-GB", "groups": ["desk", 3, "press"],
    }  # fmt: skip
    found = parsed(record)
    assert text(record) == "They met."
    assert (found.title, found.author, found.source) == ("Talks", "A. B., C. D.", "The Ledger")
    assert (found.published, found.language) == (dt.date(2022, 9, 13), "en")
    assert found.groups == ("desk", "press")


def test_a_map_says_which_key_is_what() -> None:
    record = {"title": "wrong", "article": {"kopf": "Gespräche", "rumpf": "Sie trafen sich."}}
    fields = {"title": "article.kopf", "text": "article.rumpf", "published": "gone.too"}
    assert parsed(record, **fields).title == "Gespräche"
    assert parsed(record, **fields).published is None
    assert text(record, **fields) == "Sie trafen sich."


def test_without_a_text_every_value_is_a_line() -> None:
    record = {
        "city": "Gyumri",
        "mayor": {"name": "X", "terms": [1, 2]},
        "seats": [{"a": None, "b": 0}],
    }
    assert text(record).split("\n\n") == [
        "city: Gyumri",
        "mayor.name: X",
        "mayor.terms: 1, 2",
        "seats.1.b: 0",
    ]
    assert text([1, "two", True]) == "1, two, true"
    assert text("words") == "words"


@pytest.mark.parametrize(
    "content", [b"{", b"nonsense", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json(content: bytes) -> None:
    with pytest.raises(LoadingError) as caught:
        parse_json(content, "a.json", {})
    assert caught.value.reason == "unreadable"
