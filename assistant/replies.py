"""A model's reply -> plain sentences and the numbers they cite; whatever else it wrote is dropped.

The reply is hostile until proved otherwise (T17, T24): what comes out holds no link, no image, no
markup and no number that was not given, however the reply was written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container
from dataclasses import dataclass

from assistant.normalizing import normalize
from assistant.segmenting import sentences

_THOUGHT = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
_BRACKETS = str.maketrans("［］【】〔〕⟦⟧", "[][][][]")
_OPENING = re.compile(r"(?:\s|#{1,6}\s|>|[-*+•]\s|\d{1,2}[.)]\s|\|)*")  # of a list, a heading
_EMPHASIS = re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)")
_CITED = re.compile(
    r"\s*\[\s*(?:passages?\s*)?(\d{1,3}(?:\s*(?:,|;|and)\s*(?:passages?\s*)?\d{1,3})*)\s*\](?!\()",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
_IN_BRACKETS = re.compile(r"\s*\[[^\[\]]*\d[^\[\]]*\](?!\()")  # a citation of another making
_FOREIGN = re.compile(
    r"<[a-z/!?]|!\[|\]\s*[(\[]|\]\s*:|://|www\.|\b(?:javascript|vbscript|mailto|file|data)\s*:\S|\|.*\|",
    re.IGNORECASE,
)
_ENDED = re.compile(r"[.!?…。！？]\W*\Z")


@dataclass(frozen=True)
class Said:
    """One sentence of a reply, and the numbers of the passages it names, known ones only."""

    text: str
    numbers: tuple[int, ...]
    ended: bool  # it came to its end: a stop, or the end of its line


def parse(reply: str, known: Container[int]) -> tuple[Said, ...]:
    """The sentences of a reply in their order; one without a number cites nothing.

    A number counts for the sentence it stands in or behind. A sentence with a link, an image or
    HTML is left out whole; emphasis, bullets, headings and unknown numbers are taken off.
    """
    text = normalize(html.unescape(_THOUGHT.sub("", normalize(reply)))).translate(_BRACKETS)
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("```")]
    last = len(lines) - 1
    return tuple(
        said
        for position, line in enumerate(lines)
        for said in _sentences(line, known, whole=position < last)
    )


def _sentences(line: str, known: Container[int], *, whole: bool) -> list[Said]:
    plain, cited = _without_numbers(_EMPHASIS.sub("", line[_OPENING.match(line).end() :]))  # type: ignore[union-attr]
    spans = sentences(plain)
    found = []
    for position, (start, end) in enumerate(spans):
        after = spans[position + 1][0] if position + 1 < len(spans) else len(plain) + 1
        numbers = [n for at, n in cited if start < at <= after and (at < after or at == len(plain))]
        text = " ".join(plain[start:end].split())
        if any(map(str.isalnum, text)) and not _FOREIGN.search(text):
            ended = whole or position + 1 < len(spans) or bool(_ENDED.search(text))
            kept = tuple(n for n in dict.fromkeys(numbers) if n in known)
            found.append(Said(text, kept, ended))
    return found


def _without_numbers(line: str) -> tuple[str, list[tuple[int, int]]]:
    """The line without its citations, and where in it each cited number stood."""
    parts: list[str] = []
    cited: list[tuple[int, int]] = []
    length = done = 0
    for match in _CITED.finditer(line):
        before = _IN_BRACKETS.sub("", line[done : match.start()])
        parts.append(before)
        length += len(before)
        cited += [(length, int(number)) for number in _NUMBER.findall(match[1])]
        done = match.end()
        if done < len(line) and line[done].isalnum():
            parts.append(" ")
            length += 1
    return "".join([*parts, _IN_BRACKETS.sub("", line[done:])]), cited
