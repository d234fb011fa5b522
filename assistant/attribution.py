"""Whose words a sentence is, and what kind of saying: a claim, a denial, a forecast, an opinion.

Rules over the words of data/attribution.toml; what none of them marks is taken for a plain
statement of the source. tests/stances.yaml has the sentences they are measured on.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

Stance = Literal["fact", "claim", "denial", "forecast", "opinion"]

_WHOLE = {"around", "nobody"}  # they are put together as they are
_LONGEST = 12  # words of a speaker; what is longer is no name of one


class Attribution(NamedTuple):
    """The words of the sentence that name who says it, where it does, and its stance."""

    speaker: str | None
    stance: Stance


def attribute(sentence: str, language: str) -> Attribution:
    """What the sentence says of itself; a fact without a speaker in a language without rules."""
    rules = _rules().get(language)
    if rules is None:
        return Attribution(None, "fact")
    speaker = _speaker(sentence, rules)
    return Attribution(speaker, _stance(sentence, rules, speaker))


def said_in(sentence: str, language: str) -> str:
    """What is said or denied: the sentence without its speaker and the words of saying."""
    rules = _rules().get(language)
    if rules is None:
        return sentence
    speaker = _speaker(sentence, rules)
    if speaker:
        sentence = sentence.replace(speaker, " ", 1)
    for kind in ("denial", "said", "according"):
        sentence = rules.words[kind].sub(" ", sentence)
    return sentence


def _stance(sentence: str, rules: _Rules, speaker: str | None) -> Stance:
    """The first that holds: a denial said by somebody is no mere claim, nor is a forecast."""
    if rules.says("denial", sentence):
        return "denial"
    if rules.says("forecast", rules.words["not_forecast"].sub(" ", sentence)):
        return "forecast"
    if rules.says("own", sentence) or rules.says("opinion", sentence):
        return "opinion"
    if speaker or any(rules.says(kind, sentence) for kind in ("said", "according", "accused")):
        return "claim"
    return "fact"


def _speaker(sentence: str, rules: _Rules) -> str | None:
    for pattern in rules.speakers:
        for match in pattern.finditer(sentence):
            speaker = match["speaker"].strip()
            speaker = rules.words["around"].sub("", speaker).strip()
            named = not rules.words["nobody"].fullmatch(speaker)
            if named and 0 < len(speaker.split()) <= _LONGEST:
                return speaker
    return None


@dataclass(frozen=True)
class _Rules:
    """One language's part of the data file, compiled."""

    words: dict[str, re.Pattern[str]]
    speakers: list[re.Pattern[str]]

    def says(self, kind: str, sentence: str) -> bool:
        return self.words[kind].search(sentence) is not None


@cache
def _rules() -> dict[str, _Rules]:
    file = importlib.resources.files("assistant").joinpath("data/attribution.toml")
    return {
        language: _compiled(table)
        for language, table in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }


def _compiled(table: dict[str, Any]) -> _Rules:
    templates = table.pop("speakers")
    for name in ("said", "according"):
        templates = [template.replace(f"{{{name}}}", table[name]) for template in templates]
    words = {
        kind: re.compile(entry if kind in _WHOLE else rf"(?<!\w)(?:{entry})(?!\w)", re.IGNORECASE)
        for kind, entry in table.items()
    }
    return _Rules(words, [re.compile(template, re.IGNORECASE) for template in templates])
