"""Passages: exact, whole, bounded, and no more work than the text is long."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant import chunking, minilm
from assistant.chunking import Tokens, chunk, embedded_text
from assistant.embedding import OnnxEmbedder
from assistant.types import Document, Mark, Passage

EMBEDDER = OnnxEmbedder(threads=1)
TOKENIZER = minilm.tokenizer()
PIECES = st.sampled_from(
    [
        "The council met on Monday. ",
        "Совет собрался. ",
        "e\u0301",
        "漢字。",
        "🙂\u200d↔️",
        "\n\n",
        " ",
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=200).map("".join))


def document(text: str, *marks: Mark, title: str = "Title", language: str = "und") -> Document:
    return Document(
        id="d",
        uri="u",
        title=title,
        source="s",
        media_type="text/plain",
        language=language,
        text=text,
        marks=marks,
    )


def words_as_tokens(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


@pytest.mark.parametrize("tokens", [EMBEDDER.tokens, words_as_tokens], ids=["bundled", "words"])
@settings(deadline=None, max_examples=100)
@given(TEXTS, st.integers(32, 220), st.sampled_from(["en", "ru", "tr", "zh", "und"]))
def test_passages_are_slices_that_cover_the_text_once_within_the_bound(
    tokens: Tokens, text: str, size: int, language: str
) -> None:
    passages = [*chunk(document(text, language=language), tokens, size)]
    assert [p.id for p in passages] == [f"d:{n}" for n in range(len(passages))]
    covered = [0] * len(text)
    last = 0
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert last <= passage.start < passage.end <= len(text)
        last = passage.end
        assert len(tokens(passage.text)) <= size
        assert len(passage.text) <= 8 * size
        for place in range(passage.start, passage.end):
            covered[place] += 1
    assert all(n == 1 for n, char in zip(covered, text, strict=True) if not char.isspace())


@settings(deadline=None, max_examples=50)
@given(TEXTS, st.text(max_size=300), st.text(max_size=300))
@example("!" * 900, "漢" * 300, "?" * 300)
@example("Word. " * 400, "Title " * 50, "Heading " * 40)
def test_what_is_embedded_is_all_read_by_the_model(text: str, title: str, label: str) -> None:
    marks = [Mark(start=0, kind="heading", label=label)] if text else []
    made = document(text, *marks, title=title)
    for passage in chunk(made, EMBEDDER.tokens, 220):
        embedded = embedded_text(made, passage, EMBEDDER.tokens)
        assert embedded.endswith(passage.text)
        with_special = TOKENIZER.encode(embedded).ids
        assert len(with_special) <= minilm.MAX_TOKENS


def sentence(words: int, name: str = "Word") -> str:
    return " ".join([name] * words) + "."


MARKS = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(["heading", "page"]), st.integers(1, 3)),
    max_size=8,
)


@given(TEXTS, MARKS)
def test_no_passage_holds_a_mark_but_headings_at_its_top(
    text: str, marks: list[tuple[int, str, int]]
) -> None:
    made = [
        Mark.model_validate({"start": start, "kind": kind, "label": f"{kind} {start}", "level": n})
        for start, kind, n in sorted(marks)
        if start < len(text)
    ]
    passages = [*chunk(document(text, *made), words_as_tokens, 32)]
    inside = {place for p in passages for place in range(p.start, p.end)}
    assert {place for place, char in enumerate(text) if not char.isspace()} <= inside
    for passage in passages:
        pages = [m.label for m in made if m.kind == "page" and m.start <= passage.start]
        assert passage.locator == (pages[-1] if pages else None)
        assert len(words_as_tokens(passage.text)) <= 32
        path: list[Mark] = []
        for mark in made:
            if mark.kind == "heading" and mark.start < passage.end:
                path = [above for above in path if above.level < mark.level] + [mark]
        assert passage.headings == tuple(mark.label for mark in path)
        for mark in made:
            if passage.start < mark.start < passage.end:
                assert mark.kind == "heading"
                between = [m for m in made if passage.start < m.start < mark.start]
                above = [x for x in text[passage.start : mark.start].split("\n") if x.strip()]
                assert len(above) <= 1 + len(between), "nothing but the lines of headings"


def test_headings_and_pages_bound_passages_and_name_them() -> None:
    text = "Intro\n\nFirst page words.\n\nDetail\n\nSecond page words."
    marks = (
        Mark(start=0, kind="page", label="page 1"),
        Mark(start=0, kind="heading", label="Intro"),
        Mark(start=text.index("Detail"), kind="page", label="page 2"),
        Mark(start=text.index("Detail"), kind="heading", label="Detail", level=2),
    )
    first, second = chunk(document(text, *marks), EMBEDDER.tokens, 220)
    assert (first.headings, first.locator) == (("Intro",), "page 1")
    assert (second.headings, second.locator) == (("Intro", "Detail"), "page 2")
    assert [first.id, second.id] == ["d:0", "d:1"]


@settings(deadline=None, max_examples=50)
@given(TEXTS, st.integers(1, 50))
def test_a_long_text_is_cut_as_a_short_one_is(text: str, stretch: int) -> None:
    text = f"{text}\n\n{text}\n \n{text}"
    whole = [*chunk(document(text), words_as_tokens, 32)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunking, "_STRETCH", stretch)
        assert [*chunk(document(text), words_as_tokens, 32)] == whole


def test_no_more_of_a_text_is_worked_on_than_some_thousand_passages() -> None:
    text = "\n\n".join(" ".join(sentence(10) for _ in range(20)) for _ in range(3000))
    read: list[str] = []

    def tokens(text: str) -> Sequence[tuple[int, int]]:
        read.append(text)
        return words_as_tokens(text)

    passages = chunk(document(text), tokens, 100)
    first = next(passages)
    assert sum(map(len, read)) < len(text) / 2
    ends = [first.end, *(passage.end for passage in passages)]
    assert len(ends) == 6000
    assert ends[-1] == len(text)


def test_a_heading_with_nothing_below_it_goes_with_its_first_child() -> None:
    text = "Report\n\nLosses\n\nThree were hurt.\n\nTalks\n\nThey failed."
    marks = [
        Mark(start=text.index(label), kind="heading", label=label, level=level)
        for label, level in (("Report", 1), ("Losses", 2), ("Talks", 2))
    ]
    passages = [*chunk(document(text, *marks), EMBEDDER.tokens, 220)]
    assert [p.text for p in passages] == [
        "Report\n\nLosses\n\nThree were hurt.",
        "Talks\n\nThey failed.",
    ]
    assert [p.headings for p in passages] == [("Report", "Losses"), ("Report", "Talks")]


def test_passages_of_a_section_are_about_equally_long() -> None:
    text = " ".join(sentence(10) for _ in range(25))  # 250 words, at most 220 a passage
    lengths = [len(words_as_tokens(p.text)) for p in chunk(document(text), words_as_tokens, 220)]
    assert sorted(lengths) == [120, 130]


def test_sentences_stay_whole_and_one_too_long_is_cut_at_a_clause() -> None:
    long = " ".join(["one"] * 30) + ", " + " ".join(["two"] * 30) + "."
    text = f"{sentence(20)} {long} {sentence(20)}"
    made = [p.text for p in chunk(document(text), words_as_tokens, 40)]
    assert made[0] == sentence(20)
    assert made[1].endswith("one,")
    assert made[2].startswith("two")


def test_a_run_that_counts_more_than_its_sentences_did_is_cut_again() -> None:
    """Some tokenizers give a text more tokens than its parts have."""

    def tokens(text: str) -> list[tuple[int, int]]:
        words = words_as_tokens(text)
        return words + [words[-1]] * (len(words) // 10) if words else []

    text = " ".join(sentence(5) for _ in range(40))
    passages = [*chunk(document(text), tokens, 50)]
    assert " ".join(p.text for p in passages) == text
    assert all(len(tokens(p.text)) <= 50 for p in passages)


@pytest.mark.parametrize("shown", ["e\u0301\u0323\u0330", "🙂\u200d↔\ufe0f"])
def test_characters_shown_as_one_are_not_parted(shown: str) -> None:
    text = "ab" + shown * 3001
    passages = [*chunk(document(text), EMBEDDER.tokens, 220)]
    assert len(passages) > 4
    assert all(passage.text[0] in "ae🙂" for passage in passages)


def test_a_blob_is_cut_though_the_model_takes_it_for_one_token() -> None:
    text = f"Key: {'x' * 300_000} and {'- ' * 100_000} the end."
    passages = [*chunk(document(text), EMBEDDER.tokens, 220)]
    assert all(len(passage.text) <= 8 * 220 for passage in passages)


@pytest.mark.parametrize(
    ("headings", "text", "wanted"),
    [
        ((), "They met.", "Title\nThey met."),
        (("Losses",), "They met.", "Title: Losses\nThey met."),
        (("Title", "Losses"), "They met.", "Title: Losses\nThey met."),
        (("Losses",), "Losses\n\nThey met.", "Title\nLosses\n\nThey met."),
        ((), "The title was lost.", "The title was lost."),
        (("word " * 100,), "They met.", "Title: " + " ".join(["word"] * 28) + "\nThey met."),
    ],
)
def test_title_and_headings_go_before_what_is_embedded(
    headings: tuple[str, ...], text: str, wanted: str
) -> None:
    passage = Passage(
        id="d:0", document_id="d", start=0, end=len(text), text=text, headings=headings
    )
    assert embedded_text(document(text), passage, EMBEDDER.tokens) == wanted


def headed(n: int) -> Document:
    """A heading over every other line, at all levels that a format has."""
    text = "H\n\nb\n\n" * (n // 6)
    marks = [Mark(start=6 * i, kind="heading", label="H", level=1 + i % 6) for i in range(n // 6)]
    return document(text, *marks)


HOSTILE: dict[str, Callable[[int], Document]] = {
    **{
        repr(unit): lambda n, unit=unit: document("x" + unit * (n // len(unit)) + "y")
        for unit in (*"x([#\n \t漢🙂\u0301\u200d", ", ", "Yes. ", "a. ")
    },
    "headings": headed,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_t34_time_grows_with_the_length_only(name: str) -> None:
    def seconds(n: int) -> float:
        """The less of two tries, in processor time, so that neighbours do not count."""
        made, tries = HOSTILE[name](n), []
        for _ in range(2):
            started = time.process_time()
            deque(chunk(made, words_as_tokens, 220), 0)
            tries.append(time.process_time() - started)
        return min(tries)

    size = 20_000 if name == "headings" else 60_000
    assert seconds(2 * size) <= 3 * seconds(size) + 0.05  # four times, were it quadratic


def test_t34_the_tokenizer_reads_no_text_much_more_often_than_once() -> None:
    """Its work is what a passage costs; ten megabytes without a space must not reach it whole."""
    read: list[int] = []

    def tokens(text: str) -> list[tuple[int, int]]:
        read.append(len(text))
        return [(i, i + 1) for i in range(0, len(text), 4)]

    for unit in ("x", "(", "a. ", "漢"):
        text = unit * (300_000 // len(unit))
        read.clear()
        deque(chunk(document(text), tokens, 220), 0)
        assert max(read) <= 8 * 220
        assert sum(read) <= 6 * len(text)
