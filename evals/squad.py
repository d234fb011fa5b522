"""Comparing an answer with gold answers, by the rules of SQuAD's published evaluation script.

Rajpurkar et al., Know What You Don't Know (2018), evaluate-v2.0.py: lower-case, punctuation out,
articles out, white space joined; an unanswerable question has the empty gold answer.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(answer: str) -> str:
    """The answer as it is compared."""
    return " ".join(ARTICLES.sub(" ", answer.lower().translate(NO_PUNCTUATION)).split())


def exact_match(golds: Sequence[str], answer: str) -> float:
    """1 when the answer equals any gold answer, else 0; no gold answers stand for silence."""
    return float(max(normalized(gold) == normalized(answer) for gold in _usable(golds)))


def token_f1(golds: Sequence[str], answer: str) -> float:
    """The best F1 over the words shared with any gold answer, 0..1."""
    return max(_f1(normalized(gold).split(), normalized(answer).split()) for gold in _usable(golds))


def contained(gold: str, text: str) -> bool:
    """Whether the gold answer's words stand in the text, in order and side by side."""
    if (words := normalized(gold)) and f" {words} " in f" {normalized(text)} ":
        return True
    literal = re.escape(squash(gold))
    return bool(literal) and bool(re.search(rf"(?<!\w){literal}(?!\w)", squash(text)))


def squash(text: str) -> str:
    """Lower case with single spaces, to find words across line breaks."""
    return " ".join(text.casefold().split())


def _usable(golds: Sequence[str]) -> Sequence[str]:
    return [gold for gold in golds if normalized(gold)] or [""]


def _f1(gold: Sequence[str], answer: Sequence[str]) -> float:
    if not gold or not answer:  # silence is right only when both are silent
        return float(not gold and not answer)
    common = sum((Counter(gold) & Counter(answer)).values())
    return 2 * common / (len(gold) + len(answer))
