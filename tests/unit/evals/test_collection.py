from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assistant.errors import EmptyLibraryError
from assistant.evals import collection
from assistant.evals.cases import Case, EvaluationSet

Make = Callable[..., Any]


def problems(assistant: Any, **case: Any) -> list[str]:
    made = Case(**({"id": "q", "question": "Q?"} | case))
    return collection.check(assistant, EvaluationSet(name="s", cases=(made,)))


def test_a_set_that_fits_has_no_problem(make: Make, cities: EvaluationSet) -> None:
    assert collection.check(make(), cities) == []


def test_an_empty_library_is_said_to_be_empty(make: Make, cities: EvaluationSet) -> None:
    with pytest.raises(EmptyLibraryError):
        collection.check(make(texts={}), cities)


def test_gold_documents_that_are_gone(make: Make) -> None:
    assert problems(make(), relevant={"gone.md": 1}) == ["q: 'gone.md' is not in the collection"]


def test_one_name_of_two_documents(make: Make) -> None:
    texts = {"a/same.txt": "One.", "b/same.txt": "Two.", "c.txt": "Three."}
    assert problems(make(texts=texts), relevant={"same.txt": 1}) == ["q: 'same.txt' is 2 documents"]
    documents = collection.read(make(texts=texts))
    assert set(documents.names.values()) == {
        "/somewhere/a/same.txt",
        "/somewhere/b/same.txt",
        "c.txt",
    }


def test_quotes_that_no_longer_stand(make: Make) -> None:
    quote = "The council number 3 met in Dushanbe on day 22."
    found = problems(make(), relevant={"day3.txt": 1}, quotes=[quote])
    assert len(found) == 1
    assert repr(quote) in found[0]
    assert "nearest: 'The council number 3 met in Dushanbe on day 21." in found[0]
    assert not problems(make(), quotes=["council  number 3\nmet in Dushanbe"])
    assert problems(make(), relevant={"day4.txt": 1}, quotes=["council number 3 met"])
    assert problems(make(), quotes=["nothing like it"]) == [
        "q: no document has the quote 'nothing like it'"
    ]


def test_the_digest_follows_texts_and_names_not_folders(make: Make) -> None:
    here = collection.read(make())
    elsewhere = make()
    name = elsewhere._document

    def moved(file: str) -> Any:
        return name(file).model_copy(update={"uri": f"/other/place/{file}", "id": f"x-{file}"})

    elsewhere._document = moved
    assert collection.read(elsewhere).digest == here.digest
    changed = make().texts | {"day1.txt": "Something else."}
    assert collection.read(make(texts=changed)).digest != here.digest
    renamed = {f"new-{file}": text for file, text in make().texts.items()}
    assert collection.read(make(texts=renamed)).digest != here.digest


def test_file_names_of_paths_and_addresses() -> None:
    for uri, expected in {
        "/a/b.md": "b.md",
        "C:\\a\\b.md": "b.md",
        "https://example.org/news/item/": "item",
        "https://example.org": "example.org",
        "": "",
    }.items():
        assert collection.file_name(uri) == expected
