"""Sentences made false: one number, date, name or negation of a true one is put otherwise.

Written without the modules that are tested with it: plain patterns over words and digits.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

KINDS = ("number", "date", "name", "negation")

MONTHS = "January February March April May June July August September October November December"
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_YEAR = re.compile(r"(?<![\w.,$£€:/'-])(?:1[0-9]|20)\d\d(?![\w%:/-]|[.,]\d)")
_DAY = re.compile(rf"\b(?:{MONTHS.replace(' ', '|')}) \d{{1,2}}\b(?!,? ?\d)")
_NUMBER = re.compile(r"(?<![\w.,:/'-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w:/-]|[.,]\d)")
_WORDS = (
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty"
)
_COUNT = re.compile(rf"(?<![\w-])(?:{_WORDS.replace(' ', '|')})(?![\w-])")
_NAME = re.compile(
    r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,}){0,2}(?![\w'’-]| [A-Z&]|\.[A-Z])"
)
_NO_NAMES = {*MONTHS.split(), *DAYS.split(), "The", "This", "That", "These", "Those", "His", "Her"}
_AUXILIARY = re.compile(
    r"\b(?:is|was|are|were|has been|have been|had been|will|can|could|would|should)\b"
)
_DENIED = re.compile(
    r"\b(is|was|are|were|has|have|had|will|can|could|would|should|did|do|does) not\b"
)


def swap(
    kind: str, sentence: str, passage: str, others: Sequence[str], chance: random.Random
) -> str:
    """The sentence with one thing of this kind put otherwise, or nothing where it has none.

    Every second time, where it can, the new value is another one of the same ``passage``; a name of
    somewhere else is taken from ``others``.
    """
    return {"number": _number, "date": _date, "name": _name, "negation": _negation}[kind](
        sentence, passage, others, chance
    )


def _put(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


def _numbers(text: str) -> list[re.Match[str]]:
    found = [m for m in _NUMBER.finditer(text) if not _YEAR.fullmatch(m.group())]
    return [
        m
        for m in found
        if not re.search(rf"(?:{MONTHS.replace(' ', '|')})\s$", text[: m.start()])
        and not re.match(rf"\s(?:{MONTHS.replace(' ', '|')})", text[m.end() :])
    ]


def _number(sentence: str, passage: str, others: Sequence[str], chance: random.Random) -> str:
    digits, words = _numbers(sentence), list(_COUNT.finditer(sentence))
    if not digits and not words:
        return ""
    match = chance.choice(digits or words)
    old = match.group()
    if match not in digits:
        return _put(sentence, match, chance.choice([w for w in _WORDS.split() if w != old]))
    near = sorted({m.group() for m in _numbers(passage)} - {old})
    near = [n for n in near if n.replace(",", "") not in sentence.replace(",", "")]
    if near and chance.random() < 0.5:
        return _put(sentence, match, chance.choice(near))
    number = float(old.replace(",", ""))
    new = (
        number + chance.choice([1, 2, 3, 5, 10, 17, 40])
        if number < 50
        else number * chance.choice([2, 3, 10, 1.5, 1.1, 0.5])
    )
    if "." in old:
        return _put(sentence, match, f"{new:.1f}")
    return _put(sentence, match, f"{round(new):,}" if "," in old else str(round(new)))


def _date(sentence: str, passage: str, others: Sequence[str], chance: random.Random) -> str:
    years, days = list(_YEAR.finditer(sentence)), list(_DAY.finditer(sentence))
    if not years and not days:
        return ""
    match = chance.choice(years + days)
    old = match.group()
    pattern = _YEAR if match in years else _DAY
    near = sorted({m.group() for m in pattern.finditer(passage)} - {old})
    near = [n for n in near if n not in sentence]
    if near and chance.random() < 0.5:
        return _put(sentence, match, chance.choice(near))
    if match in years:
        return _put(sentence, match, str(int(old) + chance.choice([-40, -12, -3, -1, 1, 2, 5, 10])))
    month, day = old.split()
    if chance.random() < 0.5:
        month = chance.choice([m for m in MONTHS.split() if m != month])
    else:
        day = chance.choice([str(d) for d in range(1, 29) if str(d) != day])
    return _put(sentence, match, f"{month} {day}")


def names(text: str) -> list[re.Match[str]]:
    """Capitalised words in the midst of a sentence."""
    return [m for m in _NAME.finditer(text) if not _NO_NAMES & set(m.group().split())]


def _name(sentence: str, passage: str, others: Sequence[str], chance: random.Random) -> str:
    found = names(sentence)
    if not found:
        return ""
    match = chance.choice(found)
    near = sorted({m.group() for m in names(passage) if _another(m.group(), sentence)})
    pool = near if near and chance.random() < 0.5 else [o for o in others if _another(o, passage)]
    return _put(sentence, match, chance.choice(pool)) if pool else ""


def _another(name: str, text: str) -> bool:
    """Whether no word of the name, nor one that begins as it does, stands in the text."""
    return not any(word[:4].lower() in text.lower() for word in name.split())


def _negation(sentence: str, passage: str, others: Sequence[str], chance: random.Random) -> str:
    denied = list(_DENIED.finditer(sentence))
    if denied:
        match = chance.choice(denied)
        return _put(sentence, match, match[1])
    found = list(_AUXILIARY.finditer(sentence))
    if not found:
        return ""
    match = chance.choice(found)
    first, _, rest = match.group().partition(" ")
    return _put(sentence, match, " ".join(filter(None, (first, "not", rest))))
