from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evals.squad import contained, exact_match, token_f1

# answer, gold answers, exact match, F1: worked out by hand from the published script's rules
BY_HAND: list[tuple[str, list[str], float, float]] = [
    ("Yerevan", ["Yerevan"], 1, 1),
    ("yerevan", ["Yerevan"], 1, 1),
    ("YEREVAN!", ["Yerevan"], 1, 1),
    ("the Yerevan", ["Yerevan"], 1, 1),
    ("A cat", ["the cat"], 1, 1),
    ("an apple", ["apple"], 1, 1),
    ("another apple", ["apple"], 0, 2 / 3),
    ("  two   words ", ["two words"], 1, 1),
    ("two\nwords", ["two words"], 1, 1),
    ("words two", ["two words"], 0, 1),
    ("one two three", ["one two"], 0, 4 / 5),
    ("one", ["one two"], 0, 2 / 3),
    ("one one", ["one"], 0, 2 / 3),
    ("one one", ["one one one"], 0, 4 / 5),
    ("", ["one"], 0, 0),
    ("", [], 1, 1),
    ("one", [], 0, 0),
    ("the", [], 1, 1),
    ("...", [], 1, 1),
    ("the", ["a"], 1, 1),  # a gold answer of articles only counts as none
    ("one", ["the"], 0, 0),
    ("one", ["the", "one"], 1, 1),
    ("two", ["one", "two", "three"], 1, 1),
    ("one two", ["one", "one two three four"], 0, 2 / 3),
    ("U.S.", ["US"], 1, 1),
    ("U. S.", ["US"], 0, 0),
    ("mid-1950s", ["mid 1950s"], 0, 0),
    ("mid-1950s", ["mid1950s"], 1, 1),
    ("$5 million", ["5 million"], 1, 1),
    ("5,000", ["5000"], 1, 1),
    ("5.5", ["55"], 1, 1),
    ("13 September 2022", ["September 13, 2022"], 0, 1),
    ("on 13 September", ["13 September"], 0, 4 / 5),
    ("O'Brien", ["OBrien"], 1, 1),
    ("Erdoğan", ["Erdogan"], 0, 0),
    ("Ереван", ["ереван"], 1, 1),
    ("«Ереван»", ["Ереван"], 0, 0),  # only ASCII punctuation goes
    ("theatre", ["atre"], 0, 0),  # an article inside a word stays
    ("The The", ["the"], 1, 1),  # both are nothing
    ("a b c d", ["b c d e"], 0, 2 * 3 / 7),
]


def test_there_are_forty() -> None:
    assert len(BY_HAND) == 40


@pytest.mark.parametrize(("answer", "golds", "exact", "f1"), BY_HAND)
def test_by_hand(answer: str, golds: list[str], exact: float, f1: float) -> None:
    assert exact_match(golds, answer) == exact
    assert token_f1(golds, answer) == pytest.approx(f1, abs=1e-12)


def script_normalize(text: str) -> str:
    """As the published script has it, step by step."""
    lowered = text.lower()
    unpunctuated = "".join(c for c in lowered if c not in set(string.punctuation))
    return " ".join(re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", unpunctuated).split())


def script_f1(gold: str, answer: str) -> float:
    golds, answers = script_normalize(gold).split(), script_normalize(answer).split()
    same = sum((Counter(golds) & Counter(answers)).values())
    if not golds or not answers:
        return int(golds == answers)
    if same == 0:
        return 0
    precision, recall = same / len(answers), same / len(golds)
    return 2 * precision * recall / (precision + recall)


WORDS = st.lists(st.sampled_from(["a", "The", "an,", "x", "y.", "Z!", "x-y", "é"]), max_size=8)


@given(WORDS, st.lists(WORDS, max_size=3))
def test_equal_to_the_published_script(answer: list[str], golds: list[list[str]]) -> None:
    said, texts = " ".join(answer), [" ".join(gold) for gold in golds]
    usable = [gold for gold in texts if script_normalize(gold)] or [""]
    assert token_f1(texts, said) == pytest.approx(max(script_f1(g, said) for g in usable), abs=1e-9)
    same = max(int(script_normalize(g) == script_normalize(said)) for g in usable)
    assert exact_match(texts, said) == same


@pytest.mark.parametrize(
    ("gold", "text", "there"),
    [
        ("49", "In all 49 soldiers died.", True),
        ("49", "In all 149 soldiers died.", False),
        ("308", "from 308–400", True),
        ("the CSTO", "They asked CSTO members.", True),
        ("Artsakh", "in Artsakh's capital", True),
        ("%", "5 % of", True),
        ("", "anything", False),
        ("two words", "two\n   words", True),
        ("two words", "two other words", False),
    ],
)
def test_contained(gold: str, text: str, there: bool) -> None:
    assert contained(gold, text) is there
