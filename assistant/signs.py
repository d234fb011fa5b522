"""Text -> a row of signs, one for each word, number and mark, that patterns of dates are made of.

D the number of a day, d another of two digits, n of one or three, Y a year; t an ending that
makes it an ordinal, e one that makes it a decade; O an ordinal in letters; M a month, W a
weekday, m and w words that are one at times; C "century", B an era, p a word before times, h an
article, a "and" or "to", o "of"; - any dash, q an apostrophe, x anything else.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from assistant.wordlists import languages, month, numbered, weekday, word_lists

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|\s+|.", re.S)
_ROMAN = re.compile(r"(?=[IVX])X{0,2}(?:IX|IV|V?I{0,3})")


class Token(NamedTuple):
    start: int
    end: int
    text: str


def tokens(text: str) -> list[Token]:
    """The words, numbers, spaces and marks of a text, one after the other, nothing left out."""
    return [Token(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(text)]


def sign(text: str, token: Token, language: str) -> str:
    first = token.text[0]
    if first.isdecimal():
        return _number_sign(text, token)
    if first.isspace():
        return " "
    if first.isalpha():
        return _word_sign(text, token, language)
    if first in "-–—‐‑":
        return "-"
    return "q" if first in "'’‘ʼ" else first if first in ",./" else "x"


def _number_sign(text: str, token: Token) -> str:
    before, after = text[max(token.start - 2, 0) : token.start], text[token.end : token.end + 1]
    if not token.text.isdecimal() or before[-1:].isalnum() or before.endswith(tuple("$€£₽#_")):
        return "x"
    if before[:1].isupper() and before[1:] in {"-", "–"}:  # COVID-19, F-16
        return "x"
    if after.isalpha() and not _ending().match(text, token.end):  # 5G, 20m
        return "x"
    if after in {"%", "°"}:
        return "x"
    number = int(token.text)
    if len(token.text) == 4:
        return "Y" if 1000 <= number <= 2100 else "x"
    if len(token.text) == 2:
        return "D" if 1 <= number <= 31 else "d"
    return (
        "D" if 1 <= number <= 9 and len(token.text) == 1 else "n" if len(token.text) == 3 else "x"
    )


@cache
def _ending() -> re.Pattern[str]:
    return re.compile(rf"(?:st|nd|rd|th|{'|'.join(languages('decade_endings'))})(?![^\W\d_])")


def _word_sign(text: str, token: Token, language: str) -> str:
    word, before = token.text, text[max(token.start - 2, 0) : token.start]
    if before[-1:].isdecimal() and word in {"st", "nd", "rd", "th"}:
        return "t"
    attached = before[-1:].isdecimal() or (before[-1:] in "-'’" and before[:1].isdecimal())
    if attached and word in languages("decade_endings"):
        return "e"
    if known := _known().get(word) or _known().get(word.casefold()):
        return known
    doubtful = word in word_lists()["calendar"]["doubtful"].split()
    english = language in {"en", "und"}
    if not (english and word.islower()):
        if month(word, language):
            return "m" if doubtful else "M"
        if weekday(word, language) is not None:
            return "w" if doubtful else "W"
    if ordinal(word, language):
        return "O"
    return "x"


@cache
def _known() -> dict[str, str]:
    calendar = word_lists()["calendar"]
    signs = dict.fromkeys(calendar["before"].split(), "p")
    signs |= dict.fromkeys(("the", "a", "an"), "h")
    signs |= dict.fromkeys(calendar["centuries"].split(), "C")
    signs |= dict.fromkeys(("of", "de", "day"), "o")
    signs |= dict.fromkeys(("and", "to", "through", "и", "по", "ve"), "a")
    signs |= {pair.partition("=")[0]: "B" for pair in calendar["eras"].split()}
    return signs


def ordinal(word: str, language: str) -> int | None:
    """``nineteenth`` or ``XIX`` as a number."""
    table = word_lists()["numbers"].get(language, word_lists()["numbers"]["en"])["ordinals"]
    if (number := numbered(table).get(word.casefold())) is not None:
        return int(number)
    if not _ROMAN.fullmatch(word):
        return None
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in word]
    return sum(
        -value if value < max(values[place:]) else value for place, value in enumerate(values)
    )
