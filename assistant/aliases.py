"""Names that mean one thing: countries and cities in many languages, former names, short forms.

From Unicode CLDR (by Babel), data/aliases.toml, and a file of the user's own, which is read when
something is searched, so that a new name needs no new index.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from assistant.analysis import stem, words_of
from assistant.errors import SettingsError
from assistant.spelling import plain

LANGUAGES = ("en", "ru", "uk", "tr", "de", "fr", "es")
_EXAMPLE = 'names = """\nTurkey | Türkiye\nKyiv | Kiev\n"""'
_TOKEN = re.compile(r"[^\W_]+")
_IN_BRACKETS = re.compile(r"(.+?) ?[(\[](.+)[)\]]")
_LONGEST = 8  # tokens of a name
_SHORTEST_STEMMED = 5  # letters of a name whose endings may differ
_CYRILLIC = re.compile(r"[\u0400-\u04ff]+")

Key = tuple[str, ...]  # the tokens of a name, plain or as stems


class Token(NamedTuple):
    start: int
    end: int
    text: str


class Found(NamedTuple):
    """A name: the tokens of a text from ``first`` up to ``last``, and every name of its thing."""

    first: int
    last: int
    names: tuple[str, ...]


class Aliases:
    """Groups of names, to find in a text."""

    def __init__(self, places: Iterable[Sequence[str]], further: Iterable[Sequence[str]]) -> None:
        """``places`` keep apart; each of the ``further`` joins the groups it shares a name with.

        A city that is named like its country, or like another one, is none of ours.
        """
        self._groups: list[dict[str, None]] = []
        self._by_key: dict[Key, int] = {}
        for names in places:
            self._put(dict.fromkeys(names))
        for names in further:
            known = {self._by_key.get(_keys(name)[0], -1) for name in names} - {-1}
            joined = [name for number in sorted(known) for name in self._groups[number]]
            self._put(dict.fromkeys([*names, *joined]), over=True)

    def _put(self, group: dict[str, None], *, over: bool = False) -> None:
        self._groups.append(group)
        for name in group:
            for key in _keys(name):
                if over or key not in self._by_key:
                    self._by_key[key] = len(self._groups) - 1

    def find(self, tokens: Sequence[Token]) -> Iterator[Found]:
        """The names among the tokens of a text, the longest at each place, none inside another."""
        words = [plain(token.text) for token in tokens]
        stems = _stems([token.text for token in tokens])
        place = 0
        while place < len(tokens):
            end, number = self._longest(words, stems, place)
            if number is not None:
                yield Found(place, end, tuple(self._groups[number]))
            place = end

    def _longest(
        self, words: Sequence[str], stems: Sequence[str], place: int
    ) -> tuple[int, int | None]:
        for end in range(min(place + _LONGEST, len(words)), place, -1):
            for key in (tuple(words[place:end]), ("~", *stems[place:end])):
                if key in self._by_key:
                    return end, self._by_key[key]
        return place + 1, None


def tokens(text: str) -> list[Token]:
    return [Token(*match.span(), match.group()) for match in _TOKEN.finditer(text)]


def load(file: Path | None) -> Aliases:
    """The names of CLDR, ours, and those of ``file``.

    Raises SettingsError for a file that is not there or not as it should be.
    """
    if file is None:
        return _built("")
    try:
        return _built(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"retrieval.aliases: cannot read {file}: {error.strerror}",
            "name a file of names, or leave the setting out",
        ) from None
    except (ValueError, TypeError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise SettingsError(
            f"retrieval.aliases: {file}: {error}", f"write the file like this:\n{_EXAMPLE}"
        ) from None


@lru_cache(maxsize=4)
def _built(text: str) -> Aliases:
    ours = importlib.resources.files("assistant").joinpath("data/aliases.toml")
    return Aliases(_of_cldr(), [*_parsed(ours.read_text(encoding="utf-8")), *_parsed(text)])


def _parsed(text: str) -> list[list[str]]:
    """The groups of a file in the form of data/aliases.toml."""
    table = tomllib.loads(text)
    if unknown := table.keys() - {"names"}:
        raise ValueError(f"unknown key {min(unknown)!r}")
    if not isinstance(table.get("names", ""), str):
        raise ValueError("names must be one text in three quotes")
    groups = []
    for line in filter(str.strip, table.get("names", "").splitlines()):
        names = [name.strip() for name in line.split("|")]
        if len(names) < 2 or not all(_TOKEN.search(name) for name in names):
            raise ValueError(f"{line.strip()!r} must be two names or more, with | between")
        groups.append(names)
    return groups


@cache
def _of_cldr() -> list[list[str]]:
    """Countries, parts of the world, and the cities that time zones are named after."""
    from babel import Locale

    groups: dict[str, list[str]] = {}
    for language in LANGUAGES:
        locale = Locale.parse(language)
        for code, name in locale.territories.items():
            if code not in {"001", "ZZ", "XA", "XB", "QO", "EZ"}:
                groups.setdefault(code, []).extend(_names(name, language))
        for zone, names in locale.time_zones.items():
            if city := names.get("city"):
                groups.setdefault(zone, [_english_city(zone)]).append(city)
    return [group for code, group in groups.items() if not code.startswith("Etc/")]


def _names(name: str, language: str) -> Sequence[str]:
    """Myanmar (Burma) is two names; elsewhere what is in brackets says whose island it is."""
    parts = _IN_BRACKETS.fullmatch(name)
    return [name] if not parts else parts.groups() if language == "en" else ()


def _english_city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _keys(name: str) -> list[Key]:
    """What a name is found by: its plain words and, where it is declined, their stems."""
    words = [token.text for token in tokens(name)]
    keys: list[Key] = [tuple(map(plain, words))]
    if _CYRILLIC.search(name) and len(name) >= _SHORTEST_STEMMED:
        keys.append(("~", *_stems(words)))
    return keys


def _stems(words: Sequence[str]) -> list[str]:
    return stem(words_of(" ".join(words)), "ru")
