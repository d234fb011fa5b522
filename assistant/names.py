"""Text -> the names in it, folded so that spellings of one name meet.

A name is a run of capitalised words. Folding takes off accents, case and endings of possession, and
writes Cyrillic in Latin letters; comparing knows acronyms, initials, adjectives of countries, and
lets one letter differ in long words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from assistant.analysis import every_stop_word
from assistant.wordlists import languages, word_lists

# U.S., F-16, COVID-19, O'Neill, al-Assad, G20, 5G
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’ʼ.‑-][^\W_]+)*")
_POSSESSIVE = re.compile(r"['’ʼ](?:s)?$", re.I)
_STARTS = re.compile(r"(?:^|[.!?…:;•*#>|\n\"“”«„‘(\[—–-])[\s\"“”«»„‘’'()\[\]*_#-]*$")
_ENDS_NO_NAME = re.compile(
    r".{3,}(?:ing|ly|tions?|ments?|ness|ities|ity|ers|ors|ists|ants|ents|ies|ous|ful|ive|able|ible"
    r"|less|ed|ances?|ences?|ships?|wards?|isms?)"
)
_APOSTROPHE = re.compile(r"['’ʼ]")
_PLAIN = str.maketrans(
    {"ı": "i", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ə": "e"}
)


class Name(NamedTuple):
    """The words of a name, folded, without titles; ``doubtful`` where a sentence begins with it."""

    words: tuple[str, ...]
    doubtful: bool = False  # it may be no name, but a word with the capital of a first word
    inflects: bool = False  # its words may carry the endings of their language


class _Word(NamedTuple):
    start: int
    end: int
    text: str


def find(
    text: str, language: str, common: Collection[str] = frozenset()
) -> Iterator[tuple[int, int, Name]]:
    """The names of a text in their order; ``common`` are words, in lower case, that are none."""
    run: list[_Word] = []
    inside = 0  # words at the end of the run that only stand inside names: "of the"
    for word in _words(text):
        joined = bool(run) and text[run[-1].end : word.start] in {" ", " & ", ". ", "\u00a0", "\n"}
        if joined and text[run[-1].end : word.start] == ". " and not _abbreviates(run[-1].text):
            joined = False
        if _capital(word.text):
            if not joined or _suffix(run[-1].text, language):
                yield from _name(run[: len(run) - inside], text, language, common)
                run = []
            run.append(word)
            inside = 0
        elif joined and word.text in _inside() and inside < 2:
            run.append(word)
            inside += 1
        else:
            yield from _name(run[: len(run) - inside], text, language, common)
            run, inside = [], 0
    yield from _name(run[: len(run) - inside], text, language, common)


def _words(text: str) -> Iterator[_Word]:
    for match in _WORD.finditer(text):
        yield _Word(match.start(), match.end(), match.group())


def _capital(word: str) -> bool:
    part = next((part for part in re.split(r"[-‑]", word) if part), word)
    named = word[0].isupper() or (word[0].isdecimal() and re.fullmatch(r"\d+[A-Z]+", word))
    article = part.lower() in {"al", "el", "d", "l", "ibn", "bin", "ad", "ash", "as"}
    return bool(named) or (article and any(c.isupper() for c in word))


def _abbreviates(word: str) -> bool:
    return len(word) == 1 or word.lower() in _titles()


def _name(
    run: list[_Word], text: str, language: str, common: Collection[str]
) -> Iterator[tuple[int, int, Name]]:
    doubtful = False
    while run and _STARTS.search(text[max(run[0].start - 24, 0) : run[0].start]):
        doubtful = _ordinary(run[0].text, language, common)
        if not doubtful:
            doubtful = len(run) == 1 and not run[0].text.isupper()
            break
        run = run[1:]
        while run and run[0].text in _inside():
            run = run[1:]
        doubtful = False
    while run and _plain(run[0].text, shouted=text.isupper()):
        run = run[1:]
    if not run:
        return
    parts = [word.text for word in run if word.text not in _inside()]
    titled = sum(1 for _ in takewhile(lambda part: part.lower().strip(".") in _titles(), parts))
    named = parts[titled:] or parts
    words = tuple(filter(None, (fold(part, language) for part in named)))
    if words:
        end = run[-1].end - len(_suffix(run[-1].text, language))
        yield run[0].start, end, Name(words, doubtful, language in languages("inflect_names"))


def _plain(word: str, *, shouted: bool) -> bool:
    """Whether it is a word like "The" or "In" in a headline; US, WHO and UN are none."""
    acronym = len(word) > 1 and word.isupper() and not shouted
    return word == "I" or (word.lower() in every_stop_word() and not acronym)


def _ordinary(word: str, language: str, common: Collection[str]) -> bool:
    """Whether a word at the start of a sentence is more likely no name."""
    low = word.lower()
    if word.isupper() and len(word) > 1:
        return False
    if low in _starters() or low in every_stop_word() or low in common:
        return True
    bare = _APOSTROPHE.split(low)[0]
    return language in {"en", "und"} and (
        bare in _starters() or bool(_ENDS_NO_NAME.fullmatch(bare))
    )


def _suffix(word: str, language: str) -> str:
    """What of the word's end belongs to its grammar: 's, and in Turkish all after the mark."""
    if language in {"tr", "az"} and (mark := _APOSTROPHE.search(word)) and mark.start() > 1:
        return word[mark.start() :]
    found = _POSSESSIVE.search(word)
    return found[0] if found else ""


def fold(word: str, language: str = "en") -> str:
    """A word of a name as it is compared: ``Türkiye'nin`` is ``turkiye``, ``U.S.`` is ``us``."""
    return _folded(word, _suffix(word, language))


@cache
def _folded(word: str, suffix: str) -> str:
    word = word.removesuffix(suffix) if suffix else word
    low = word.replace("İ", "I").casefold().translate(_PLAIN)
    latin = "".join(_latin().get(letter, letter) for letter in low)
    bare = "".join(c for c in unicodedata.normalize("NFKD", latin) if c.isalnum())
    return bare.translate(_PLAIN)


# -- comparing ---------------------------------------------------------------------------------


def agree(one: Name, other: Name) -> bool:
    """Whether one can be a shorter or another form of the other; a lone letter is no initial."""
    few, many = sorted((canonical(one.words), canonical(other.words)), key=len)
    if len(few) == 1 and len(few[0]) == 1:
        return few[0] in many
    inflects = one.inflects or other.inflects
    if all(any(same_word(word, its, inflects=inflects) for its in many) for word in few):
        return True
    return (len(few) == 1 and few[0] == initials(many)) or (
        len(many) > 1 and "".join(few) == "".join(many)
    )


def stands_for(one: Name, other: Name) -> bool:
    """Whether both are one name, or one is the acronym of the other."""
    few, many = sorted((canonical(one.words), canonical(other.words)), key=len)
    return few == many or few == (initials(many),)


def initials(words: Collection[str]) -> str:
    """``united nations`` -> ``un``; nothing for a single word."""
    return "".join(word[0] for word in words) if len(words) > 1 else ""


@cache
def same_word(one: str, other: str, *, inflects: bool = False) -> bool:
    """Whether two folded words are one, or forms of one: Armenian and Armenia, J and John."""
    one, other = _variants().get(one, one), _variants().get(other, other)
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    if len(one) == 1:
        return other.startswith(one) and one.isalpha()
    if (one, other) in _apart() or (other, one) in _apart() or not one.isalpha():
        return False
    if _adjective(one, other) or _adjective(other, one):
        return True
    if inflects and min(len(one), len(other)) > 3:
        return _shared(one, other) >= max(4, len(other) - 3)
    return len(one) > 5 and one[0] == other[0] and _one_off(one, other)


def _adjective(name: str, form: str) -> bool:
    shared = _shared(name, form)
    return shared > 3 and any(
        (name[shared - back :], form[shared - back :]) in _demonyms() for back in (0, 1, 2)
    )


def _shared(one: str, other: str) -> int:
    """Letters that both begin with."""
    count = 0
    for mine, its in zip(one, other, strict=False):
        if mine != its:
            break
        count += 1
    return count


def _one_off(short: str, long: str) -> bool:
    """One letter put in, left out, or another."""
    if len(long) - len(short) > 1:
        return False
    start = _shared(short, long)
    if len(short) == len(long):
        return short[start + 1 :] == long[start + 1 :]
    return short[start:] == long[start + 1 :]


def canonical(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words with those of well-known names made short: ``united nations`` is ``un``."""
    joined = " ".join(words)
    for phrase, short in _phrases():
        joined = f" {joined} ".replace(f" {phrase} ", f" {short} ").strip()
    return tuple(joined.split())


@cache
def _variants() -> dict[str, str]:
    return dict(pair.split("=") for pair in word_lists()["names"]["variants"].split())


@cache
def _phrases() -> list[tuple[str, str]]:
    pairs = " ".join(word_lists()["names"]["phrases"].split()).replace("| ", "|").split("|")
    return [(long, short) for long, short in (pair.split("=") for pair in pairs)]


@cache
def _apart() -> frozenset[tuple[str, str]]:
    pairs = word_lists()["names"]["apart"].split()
    return frozenset((one, other) for one, other in (pair.split("=") for pair in pairs))


@cache
def _inside() -> frozenset[str]:
    return frozenset(word_lists()["names"]["inside"].split())


@cache
def _titles() -> frozenset[str]:
    return frozenset(word_lists()["names"]["titles"].split())


@cache
def _starters() -> frozenset[str]:
    return frozenset(word_lists()["names"]["starters"].split())


@cache
def _latin() -> dict[str, str]:
    return dict(pair.split("=") for pair in word_lists()["languages"]["latin"].split())


@cache
def _demonyms() -> frozenset[tuple[str, str]]:
    endings = word_lists()["languages"]["demonyms"]
    return frozenset((off, on.strip("0")) for off, ons in endings for on in ons.split())
