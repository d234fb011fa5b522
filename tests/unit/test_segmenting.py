"""Sentence spans: the languages' own marks, lines, and any Unicode at all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.segmenting import sentences

# One sentence a line, as a reader would part them; a blank line parts texts.
GOLD = sorted((Path(__file__).parent / "sentences").glob("*.txt"))


def split(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem)
def test_running_text_is_split_as_a_reader_would(path: Path) -> None:
    found = wanted = right = 0
    for text in path.read_text(encoding="utf-8").strip().split("\n\n"):
        gold = text.splitlines()
        ours = split(" ".join(gold), path.stem)
        ends = {sum(len(s) + 1 for s in gold[:i]) for i in range(1, len(gold))}
        our_ends = {sum(len(s) + 1 for s in ours[:i]) for i in range(1, len(ours))}
        found += len(our_ends)
        wanted += len(ends)
        right += len(ends & our_ends)
    assert wanted >= 40
    assert 2 * right / (found + wanted) >= 0.98


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He met Dr. J. K. Lee at 5 p.m. in the U.S. on Jan. 5.|Then he left."),
        ("en", "See No. 5 and Fig. 2.|The answer was no.|Nobody spoke."),
        ("en", '"We will go," he said.|"When?" she asked.|"Soon..." he replied.'),
        ("en", "It rose by 3.5 percent (see p. 4).|Why?!|Nobody knows…|[Pause.]|He went on."),
        ("ru", "В 2020 г. он жил на ул. Мира, д. 5, т. е. в центре.|Н. В. Пашинян уехал."),
        ("ru", "«Когда?» — спросил он.|«Завтра», — ответили ему в 1994 г.|Он ушёл."),
        ("tr", "Prof. Dr. A. Yılmaz 13. Eylül günü geldi.|Saat 10.30'da konuştu."),
        ("de", "Am 3. Oktober kam Dr. Lang, d. h. zu spät.|Die Stadt hat 2 Mio. Einwohner."),
        ("fr", "« Quand ? » demanda M. Petrov.|« Demain. »|L'art. 4 le dit."),
        ("hy", "Հանդիպումը կայացավ Երևանում։|Որոշում չկա:|Նա գնաց։"),
        ("el", "Ποιος το είπε;|Κανείς.|Ο κ. Α. Νίκου έφυγε."),
        ("ar", "ماذا كان رد موسكو؟|لا شيء!|ثم صمتت."),
        ("zh", "会议在周一举行。|“决定了吗？”|没有！"),
        ("hi", "बैठक सोमवार को हुई।|कोई निर्णय नहीं हुआ।"),
        ("und", "A. B. Smith came.|Why?|He left."),
        ("xx", "One came.|Two left."),
    ],
)
def test_marks_of_each_language(language: str, text: str) -> None:
    gap = "" if language == "zh" else " "
    assert split(text.replace("|", gap), language) == text.split("|")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A headline without a stop\n\nThe first sentence.", 2),
        ("Talks fail again\nThe ministers met on Monday in Yerevan and agreed on nothing.", 2),
        ("The ministers met on Monday in Yerevan\nand agreed on nothing.", 1),
        ("Signed by the President of the\nRepublic of Armenia and a\nMinister.", 1),
        ("They want:\n- peace\n- Bread and land\n- time", 4),
        ("1. Agree.\n2. Go home.", 2),
        ("1. Agree. Then go.", 2),
        ("# Summary\nthe text", 2),
        ("| a | b |\n| c | d |", 2),
        ("one line\u2029\u2029another", 2),
    ],
)
def test_lines_that_end_a_sentence_and_lines_that_do_not(text: str, wanted: int) -> None:
    assert len(split(text)) == wanted


PIECES = st.sampled_from(
    [
        *["The council met. ", "г. ", "Dr. ", "5. ", "- ", "\n", "\n\n", " ", "» ", '"', "…", "?!"],
        *["U.S.", "。", "漢字", "e\u0301", "🙂\u200d↔️", "\u2028", "\x1c", "ABC ", "\u202bعربي "],
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))


@given(TEXTS, st.sampled_from(["en", "ru", "tr", "hy", "zh", "und"]))
def test_every_character_but_space_is_in_exactly_one_sentence(text: str, language: str) -> None:
    spans = sentences(text, language)
    inside = [i for start, end in spans for i in range(start, end)]
    assert inside == sorted(set(inside)), "ascending, apart"
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert {i for i, c in enumerate(text) if not c.isspace()} <= set(inside)


def seconds(work: Callable[[], object]) -> float:
    """The least of three tries, in processor time, so that neighbours do not count.

    Without collecting garbage: that grows with all that other tests left behind.
    """
    tries = []
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            work()
            tries.append(time.process_time() - start)
    finally:
        gc.enable()
    return min(tries)


@pytest.mark.parametrize(
    ("seed", "size"),
    [
        *[(seed, 100_000) for seed in ("(", "[", "#", "x", "\n", "\n ", " ", ".", ". ", '."')],
        *[("a. ", 100_000), ("1 km. ", 100_000), ("。", 100_000), ("» ", 250_000)],
    ],
)
def test_hostile_text_takes_linear_time(seed: str, size: int) -> None:
    small, large = ("End. " + seed * (n // len(seed)) + "z" for n in (size, 2 * size))
    assert seconds(lambda: sentences(large)) <= 3 * seconds(lambda: sentences(small)) + 0.05
