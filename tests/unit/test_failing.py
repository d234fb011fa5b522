from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.failing import count, failures, given_up, note
from assistant.library import Library
from assistant.types import Failure

LOCKED = Failure(uri="/a", reason="encrypted", hint="unlock it", message="a is encrypted")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path) as library:
        yield library


def test_failures_are_remembered_until_the_file_is_tried_again(library: Library) -> None:
    note(library, [LOCKED])
    assert failures(library) == [LOCKED]
    inside, other = (LOCKED.model_copy(update={"uri": uri}) for uri in ("/a!/b", "/ab"))
    note(library, [inside, other])
    note(library, [], tried=["/a"])
    assert failures(library) == [other]
    note(library, [inside], sound=["/a", "/ab"])
    assert failures(library) == [inside]


def test_r36_what_ends_its_process_in_two_runs_is_given_up_until_it_changes(
    library: Library,
) -> None:
    poison = Failure(uri="/a!/b", reason="crashed", hint="", message="")
    count(library, LOCKED, "a1")
    for _ in range(2):
        assert given_up(library, "a1") == frozenset()
        count(library, poison, "a1")
    assert given_up(library, "a1") == {"/a!/b"}
    assert given_up(library, "a2") == frozenset()
    count(library, poison, "a2")
    assert given_up(library, "a2") == given_up(library, "a1") == frozenset()
