"""Spellings of one name: letters, alphabets and transliterations apart, the same key.

Tokayev, Tokaev, Tokajew, Токаев and Токаеву are one name by how it sounds; Erdoğan and Erdogan by
its plain letters. Keys are only for names: ordinary words that sound alike mean different things.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anyascii import anyascii

if TYPE_CHECKING:
    from assistant.records import IndexRow

_WORD = re.compile(r"[^\W\d_]{3,}")
_SHORTEST = 5  # letters of a word that is known by its sound; shorter ones are too much alike
_VOWELS = re.compile(r"[aeiou].*[aeiou]")  # with fewer it is more likely an acronym
_NAMED = 0.7  # share of a word's places where it has a capital, from which on it is a name
CYRILLIC = re.compile(r"[\u0400-\u04ff]+")
_ENDING = re.compile(
    r"(?<=ск)(?:ого|ому|им|ом|ий|ая|ую|ой|и)$|(?<=.{4})(?:[ая]ми|[ая]х|[ая]м|[оеыиё]м|[оеє]й|[оеє]ю"
    r"|ові|еві|[аяуюыиіїеоьй])$"
)
# Letters that say more than their plain form: Şuşa is Shusha, Əliyev Aliyev.
_LETTERS = str.maketrans(
    {"ç": "ch", "č": "ch", "ć": "ch", "ş": "sh", "š": "sh", "ś": "sh", "ž": "zh", "ə": "a"}
)
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        (r"tsch|tch|dzh|sch|sh|ch|zh|cz|sz|rz|ts|tz|c(?=[eiy])|z", "s"),
        (r"kh|gh|g", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"x", "ks"),
        (r"ck|q|c", "k"),
        (r"w", "v"),
        (r"ou|oo|ue", "u"),
        (r"oe", "o"),
        (r"[yj]", "i"),
        (r"i+(?=[aeou])", ""),
        (r"(.)\1+", r"\1"),
        (r"(?<=sk)i$|(?<=enk)[oa]$", ""),
    )
]


def plain(word: str) -> str:
    """The word in small Latin letters without marks."""
    return anyascii(word.casefold()).casefold()


def sound(word: str) -> str:
    """What all transliterations of a name have in common, in Latin letters; may be empty."""
    spoken = anyascii(word.casefold().translate(_LETTERS)).casefold()
    for pattern, replacement in _SOUNDS:
        spoken = pattern.sub(replacement, spoken)
    return spoken


def keys(word: str) -> set[str]:
    """What other spellings of the word share one of; sounds begin with a sign of their own."""
    word = word.casefold()
    stems = {word, _ENDING.sub("", word)} if CYRILLIC.fullmatch(word) else {word}
    sounds = {sound(stem) for stem in stems if len(word) >= _SHORTEST}
    return {plain(word), *(f"~{spoken}" for spoken in sounds if _VOWELS.search(spoken))}


class Collector:
    """Gathers the names of passages while they are indexed."""

    def __init__(self) -> None:
        self._written: Counter[str] = Counter()  # words, as they stand there

    def add(self, rows: Iterable[IndexRow]) -> None:
        for row in rows:
            facts = (row.document.title, row.document.author or "", *row.passage.headings)
            self._written.update(_WORD.findall("\n".join((row.passage.text, *facts))))

    def write(self, path: Path) -> None:
        """Key -> the names, and the words with marks, that have it; in small letters."""
        spellings: dict[str, list[str]] = {}
        all_places, capital = Counter[str](), Counter[str]()
        for word, places in self._written.items():
            all_places[word.casefold()] += places
            if word[0].isupper():
                capital[word.casefold()] += places
        for word, places in sorted(all_places.items()):
            if capital[word] >= _NAMED * places or (not word.isascii() and plain(word) != word):
                for key in sorted(keys(word)):
                    spellings.setdefault(key, []).append(word)
        path.write_text(json.dumps(spellings, ensure_ascii=False), encoding="utf-8")


class Spellings:
    """The names of an index, by key."""

    def __init__(self, by_key: Mapping[str, list[str]]) -> None:
        self._by_key = by_key

    @classmethod
    def read(cls, path: Path) -> Spellings:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def of(self, word: str) -> set[str]:
        """The names that may be the word in another spelling, itself too if it is one."""
        return {other for key in keys(word) for other in self._by_key.get(key, ())}
