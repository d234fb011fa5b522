"""Plain text and Markdown -> their words as written, with what a front matter says of them.

Markdown is read line by line, in linear time. Its words are kept and its markup goes: a quote reads
as the author meant it to be read. Emphasis and code keep their words, a link its text (the address
goes), an image leaves nothing, a list item keeps its marker, a table row names its columns, and the
lines of a paragraph are joined. A CommonMark parser was tried: quadratic in unclosed brackets.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from assistant import tables
from assistant.decoding import decoded
from assistant.languages import declared
from assistant.parsing import Block, Parsed, day, heading

_FRONT = re.compile(r"---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_KNOWN = {"title", "source", "published", "date", "author", "authors", "language", "lang"}
_FACT = re.compile(r"^(\w+):[ \t]+(\S.*)$", re.MULTILINE)


def parse_text(content: bytes, uri: str) -> Parsed:
    """The text as it is, in one block; a front matter only where it names a known field."""
    del uri
    facts, text = _front_matter(decoded(content))
    return _parsed((Block(text),), facts)


def parse_markdown(content: bytes, uri: str) -> Parsed:
    """The words of the Markdown; ATX and underlined headings as marks."""
    del uri
    facts, text = _front_matter(decoded(content))
    return _parsed(tuple(_blocks(text)), facts)


def _parsed(blocks: tuple[Block, ...], facts: Mapping[str, Any]) -> Parsed:
    authors = facts.get("author") or facts.get("authors")
    return Parsed(
        blocks,
        title=_words(facts.get("title")),
        source=_words(facts.get("source")),
        author=", ".join(map(str, authors)) if isinstance(authors, list) else _words(authors),
        published=day(facts.get("published")) or day(facts.get("date")),
        published_from="front matter",
        language=declared(_words(facts.get("language") or facts.get("lang"))),
        groups=tuple(str(group) for group in _listed(facts.get("groups")) if group),
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(value: object) -> str | None:
    return None if value is None or isinstance(value, (list, dict)) else str(value)


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The facts of a front matter and the text after it; ``{}`` and all the text without one."""
    import yaml

    text = text.replace("\r\n", "\n")
    found = _FRONT.match(text)
    if not found:
        return {}, text
    try:
        facts = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        facts = dict(_FACT.findall(found[1]))  # "title: Talks: round two" is no YAML, but clear
    if not isinstance(facts, dict):
        return {}, text
    facts = {str(key).lower(): value for key, value in facts.items()}
    return (facts, text[found.end() :]) if _KNOWN & facts.keys() else ({}, text)


_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_QUOTED = re.compile(r"(?: {0,3}> ?)+")
_DEFINITION = re.compile(r" {0,3}\[([^\]\n]{1,200})\]:[ \t]+(?:<|https?:|mailto:|[./#])\S*")
_KINDS = (
    ("heading", re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")),
    ("rule", re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")),
    ("definition", _DEFINITION),
    ("row", re.compile(r"[ \t]*\|.*\|[ \t]*$")),
    ("item", re.compile(r"[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+\S")),
    ("blank", re.compile(r"\s*$")),
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ROW_RULE = re.compile(r"[ \t|:-]*$")  # under the head of a table
_CELLS = re.compile(r"(?<!\\)\|")


def _blocks(text: str) -> Iterator[Block]:
    lines = _without_comments(text).split("\n")
    names = {found[1].lower() for line in lines if (found := _DEFINITION.match(line))}
    paragraph: list[str] = []
    table: list[list[str]] = []
    for kind, line in _kinds(lines):
        if kind == "row":
            table += [] if _ROW_RULE.match(line) else [_cells(line, names)]
        elif table:
            yield from tables.blocks(table)
            table = []
        underline = _UNDERLINE.match(line)
        if underline and len(paragraph) == 1 and kind in ("text", "rule"):
            yield heading(_inline(paragraph.pop(), names), 1 if "=" in line else 2)
            continue
        if kind == "text":
            paragraph.append(line)
            continue
        if paragraph:
            yield Block(_inline(_joined(paragraph), names))
        paragraph = [line] if kind == "item" else []
        yield from _block(kind, line, names)
    if paragraph:
        yield Block(_inline(_joined(paragraph), names))


def _block(kind: str, line: str, names: set[str]) -> Iterator[Block]:
    if kind == "heading":
        level = len(line) - len(line := line.lstrip().lstrip("#"))
        yield heading(_inline(re.sub(r"[ \t]#+[ \t]*$", "", line), names), level)
    elif kind == "code":
        yield Block(line)


def _cells(line: str, names: set[str]) -> list[str]:
    return [_inline(cell, names) for cell in _CELLS.split(line.strip().strip("|"))]


def _kinds(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Each line with what it is; a fenced block of code is one."""
    code: list[str] = []
    fence = ""
    for line in lines:
        fenced = _FENCE.match(line)
        if fence and not (fenced and fenced[1].startswith(fence)):
            code.append(line)
        elif fenced:
            fence = "" if fence else fenced[1]
            yield "code", "\n".join(code)
            code = []
        else:
            line = _QUOTED.sub("", line, count=1) if line.lstrip().startswith(">") else line
            yield next((kind for kind, pattern in _KINDS if pattern.match(line)), "text"), line
    yield "code", "\n".join(code)


def _joined(lines: list[str]) -> str:
    """The lines of a paragraph on one, but where it breaks on purpose."""
    text = ""
    for line in lines:
        hard = line.endswith(("  ", "\\"))
        text += line.strip().removesuffix("\\") + ("\n" if hard else " ")
    return text


def _without_comments(text: str) -> str:
    """The text without ``<!-- ... -->``, which no reader of the page sees."""
    kept, start = [], 0
    while (opened := text.find("<!--", start)) >= 0:
        closed = text.find("-->", opened)
        if closed < 0:
            break
        kept.append(text[start:opened])
        start = closed + 3
    return "".join([*kept, text[start:]])


_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`]+)\1(?!`)")
_AUTOLINK = re.compile(r"<((?:https?:|mailto:)[^<>\s]{1,2000})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_TARGET = r"\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)"
_IMAGE = re.compile(rf"!\[[^\[\]]{{0,1000}}\]{_TARGET}")
_LINK = re.compile(rf"\[([^\[\]]{{0,1000}})\]{_TARGET}")
_REFERENCE = re.compile(r"\[([^\[\]]{1,1000})\]\[([^\[\]]{1,200})\]")
_DELIMITER = re.compile(r"\\[!-/:-@\[-`{-~]|\*{1,3}|_{1,3}|~~")


def _inline(text: str, names: set[str]) -> str:
    text = _CODE.sub(r"\2", text)
    text = _TAG.sub("", _AUTOLINK.sub(r"\1", text))
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = _REFERENCE.sub(lambda m: m[1] if m[2].lower() in names else m[0], text)
    return html.unescape(_without_emphasis(text)).strip()


def _without_emphasis(text: str) -> str:
    """The text without pairs of emphasis marks and without the backslash of an escape."""
    opened: dict[str, list[int]] = {}
    gone: dict[int, int] = {}
    for found in _DELIMITER.finditer(text):
        mark, start, end = found[0], found.start(), found.end()
        if mark[0] == "\\":
            gone[start] = start + 1
            continue
        before, after = text[start - 1 : start], text[end : end + 1]
        inside = len(mark) > 1 and mark[0] == "*"  # 强调 has no spaces around it: **强调**
        if opened.get(mark) and not before.isspace() and (inside or not after.isalnum()):
            first = opened[mark].pop()
            gone |= {first: first + len(mark), start: end}
        elif after.strip() and (inside or not before.isalnum()):
            opened.setdefault(mark, []).append(start)
    kept, last = [], 0
    for start in sorted(gone):
        kept.append(text[last:start])
        last = gone[start]
    return "".join([*kept, text[last:]])
