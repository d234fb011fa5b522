from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.errors import FilterError
from assistant.filtering import Catalogue, Known, known, read_filters
from assistant.types import Filters
from tests.fakes import document

DAYS = [None, "2021-12-31", "2022-01-01", "2022-06-30", "2024-02-29"]
HELD = [
    Known("a1", "/docs/one.html", "Reuters", "en", "2022-01-01"),
    Known("b2", "/docs/two.md", "Le Monde", "fr", "2022-06-30"),
    Known("c3", "/docs/three.pdf", "reuters", "ru", None),
    Known("d4", "/other/two.md", "Kommersant", "ru", "2024-02-29"),
]


def passing(**filters: Any) -> str:
    passes = Catalogue(HELD).select(read_filters(**filters)).passes
    return "".join(document.id[0] for document, yes in zip(HELD, passes, strict=True) if yes)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcd"),
        ({"since": "2022-01-01"}, "abd"),
        ({"since": "2022-01-02"}, "bd"),
        ({"until": "2022-06-30"}, "ab"),
        ({"until": "2022-06-29"}, "a"),
        ({"as_of": "2022-06-30"}, "ab"),
        ({"as_of": "2022-06-29", "until": "2024-12-31"}, "a"),
        ({"as_of": "2024-12-31", "until": "2022-06-29"}, "a"),
        ({"since": "2022-06-30", "until": "2022-06-30"}, "b"),
        ({"until": "1999-01-01"}, ""),
        ({"sources": ["Reuters"]}, "ac"),
        ({"sources": ["REUTERS", " le  monde "]}, "abc"),
        ({"languages": ["ru"]}, "cd"),
        ({"languages": ["RU-ru", "fr"]}, "bcd"),
        ({"documents": ["a1"]}, "a"),
        ({"documents": ["two.md"]}, "bd"),
        ({"documents": ["/other/two.md", "ONE.html"]}, "ad"),
        ({"sources": ["reuters"], "languages": ["ru"]}, "c"),
        ({"sources": ["reuters"], "since": "2022-01-01"}, "a"),
        ({"documents": ["c3"], "until": "2022-12-31"}, ""),
    ],
)
def test_who_passes(filters: dict[str, Any], expected: str) -> None:
    assert passing(**filters) == expected


@given(
    documents=st.lists(
        st.tuples(st.sampled_from(["A", "a", "B"]), st.sampled_from(["en", "ru"]),
                  st.sampled_from(DAYS)), min_size=1, max_size=12
    ),
    since=st.sampled_from(DAYS),
    until=st.sampled_from(DAYS),
    as_of=st.sampled_from(DAYS),
    source=st.sampled_from([None, "a"]),
)  # fmt: skip
def test_it_is_what_reading_each_document_says(
    documents: list[tuple[str, str, str | None]],
    since: str | None,
    until: str | None,
    as_of: str | None,
    source: str | None,
) -> None:
    held = [Known(f"d{n}", f"/{n}", *facts) for n, facts in enumerate(documents)]
    held.append(Known("last", "/last", "A", "en", None))
    filters = read_filters(since, until, as_of, [source] if source else [])
    last = min([day for day in (until, as_of) if day], default="9999-12-31")
    if since and since > last:
        with pytest.raises(FilterError):
            Catalogue(held).select(filters)
        return
    selection = Catalogue(held).select(filters)
    dated = bool(since or until or as_of)
    for one, passes in zip(held, selection.passes, strict=True):
        day = one.published or ("0000" if dated else "5000")
        assert passes == ((since or "0001") <= day <= last and source in {None, one.source.lower()})
    undated = [d for d in held if not d.published and source in {None, d.source.lower()}]
    assert selection.undated == (len(undated) if dated else 0)


def test_it_is_kept_beside_the_index(tmp_path: Path) -> None:
    one = document("Text.", uri="/a b/İ.txt", published=dt.date(2022, 9, 13))
    other = document("Text.", uri="/b.txt")
    (tmp_path / "catalogue.json").write_text(json.dumps([known(one), known(other)]))
    read = Catalogue.read(tmp_path / "catalogue.json")
    assert read.select(Filters(since=dt.date(2022, 9, 13))).passes.tolist() == [True, False]
    assert read.select(Filters(documents=("/a b/İ.txt",))).passes.tolist() == [True, False]


@pytest.mark.parametrize(
    ("filters", "message", "hint"),
    [
        ({"since": "2022-02-30"}, "2022-02-30", "2022-09-13"),
        ({"until": "yesterday"}, "yesterday", "year-month-day"),
        ({"as_of": "20220101"}, "as of", "year-month-day"),
        ({"since": "2022-06-01", "until": "2022-05-31"}, "after until 2022-05-31", "swap"),
        ({"since": "2022-06-01", "as_of": "2022-05-31"}, "after as of 2022-05-31", "swap"),
        ({"sources": ["Reuter"]}, "'Reuter'", "Reuters"),
        ({"sources": ["monde"]}, "'monde'", "Le Monde"),
        ({"sources": ["nobody at all"]}, "nobody", "Kommersant, Le Monde, Reuters"),
        ({"languages": ["de"]}, "'de'", "en, fr, ru"),
        ({"documents": ["tow.md"]}, "'tow.md'", "two.md"),
        ({"documents": ["../../etc/passwd"]}, "passwd", "`assistant documents`"),
    ],
)
def test_what_cannot_be_meant_is_named_with_what_there_is(
    filters: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        Catalogue(HELD).select(read_filters(**filters))
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "hostile",
    [
        {"since": 0},
        {"since": 1_600_000_000},
        {"since": "1600000000"},
        {"since": "2022-01-01T00:00:00"},
        {"since": {"$gte": "2022-01-01"}},
        {"since": ["2022-01-01"]},
        {"since": True},
        {"sources": "Reuters"},
        {"sources": {"$in": ["Reuters"]}},
        {"sources": [{"$ne": ""}]},
        {"sources": ["x"] * 101},
        {"$or": [{"source": "Reuters"}]},
        {"where_document": {"$regex": ".*"}},
    ],
)
def test_t26_filters_are_days_and_names_and_nothing_else(hostile: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(hostile)
    with pytest.raises(ValidationError):
        Filters.model_validate_json(json.dumps(hostile))


@given(st.text(max_size=40))
def test_t26_a_name_is_compared_and_never_read_as_a_query(name: str) -> None:
    for what in ("sources", "languages", "documents"):
        try:
            passes = Catalogue(HELD).select(Filters.model_validate({what: (name,)})).passes
        except FilterError:
            continue
        assert 0 < passes.sum() < len(HELD)


def test_a_part_of_a_name_misspelt_is_recognised() -> None:
    held = [
        Known("a", "/a", "Meridian Newswire", "en", None),
        Known("b", "/b", "Mirror", "en", None),
    ]
    with pytest.raises(FilterError) as caught:
        Catalogue(held).select(Filters(sources=("Meridan",)))
    assert caught.value.hint.startswith("there is Meridian Newswire;")
