"""Text -> the numbers in it: digits and words, with their scale, unit, and how exact they are.

"two million", "2,000,000" and "2 млн" are one number; so are "$4.5 million" and "4,5 млн долларов".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from assistant.units import Amount, Found, NumberLists, bound_before, number_lists, with_unit
from assistant.wordlists import languages

_DIGITS = r"\d{1,3}(?:[,.'’\u00a0\u202f\u2009]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_GROUPED = r"\d{1,3}(?: \d{3})+(?!\d)(?:,\d+)?"  # 13 000, where a space is what groups digits
_CLOCK = re.compile(
    r"(?<![\d:.,])(\d{1,2})(?:[:.](\d{2}))?\s?([ap])\.?m\b\.?|(?<![\d:.,])(\d{1,2}):(\d{2})(?![:\d])",
    re.I,
)
_ORDINAL = re.compile(
    r"(?<![\w.,])(\d+)(?:st|nd|rd|th)\b|(?<![\w.,])(\d+)-(?:й|я|е|го|му|м|ая|ый|ой|ую|ю)\b"
)
_FRACTION = re.compile(
    r"\b(?:(?P<top>an?|one|two|three|four|five|\d)[\s-])?"
    r"(?P<part>half|halves|thirds?|quarters?|fifths?|sixths?|eighths?|tenths?)\b(?P<of>\s+of\b)?",
    re.I,
)
_PARTS = {"hal": 2, "thi": 3, "qua": 4, "fif": 5, "six": 6, "eig": 8, "ten": 10}
_WORD = re.compile(r"[^\W\d_]+")
_JOINT = re.compile(r"[\s\u00a0-]{1,2}(?:and |ve )?")
_NEAR = 0.05  # how far from "about 100" the exact number may be
_BEYOND = 0.25  # and how far past the bound of "more than 100"


def find(text: str, language: str) -> Iterator[Found]:
    """The numbers of a text, those of its dates among them, apart and in no order."""
    taken = bytearray(len(text))
    for finder in (_clocks, _fractions, _ordinals, _digits, _words):
        for found in list(finder(text, language)):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = b"\1" * (found.end - found.start)
                yield found


def _clocks(text: str, language: str) -> Iterator[Found]:  # noqa: ARG001
    for match in _CLOCK.finditer(text):
        hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
        if hour > 24 or minute > 59:
            continue
        if match[3]:
            hour = hour % 12 + 12 * (match[3].lower() == "p")
        yield Found(match.start(), match.end(), "quantity", Amount(hour * 60 + minute, "clock"))


def _fractions(text: str, language: str) -> Iterator[Found]:
    if language not in {"en", "und"}:
        return
    for match in _FRACTION.finditer(text):
        top, part = (match["top"] or "").lower(), match["part"].lower()
        plural = part.endswith("s")
        whole = top or part == "half"  # not "the third quarter of 2006"
        if not whole or not (match["of"] or plural):
            continue
        number = (
            1 if top in {"", "a", "an", "one"} else number_lists("en").words.get(top) or float(top)
        )
        share = 100 * number / _PARTS[part[:3]]
        yield Found(
            match.start(),
            match.end("part"),
            "percent",
            Amount(share, "%", bound_before(text, match.start(), language)),
        )


def _ordinals(text: str, language: str) -> Iterator[Found]:
    for match in _ORDINAL.finditer(text):
        yield Found(match.start(), match.end(), "ordinal", Amount(float(match[1] or match[2])))
    ordinals, tens = number_lists(language).ordinals, number_lists(language).words
    for match in _WORD.finditer(text) if ordinals else ():
        if (number := ordinals.get(match.group().lower())) is None:
            continue
        start, before = match.start(), text[max(match.start() - 12, 0) : match.start()].lower()
        lead = re.search(r"(\w+)[- ]$", before)
        if lead and lead[1] in {"at", "per", "split"}:  # "at first", "per second"
            continue
        if lead and number < 10 and tens.get(lead[1], 0) >= 20:
            start, number = start - len(lead[0]), number + tens[lead[1]]
        yield Found(start, match.end(), "ordinal", Amount(number))


# -- digits ------------------------------------------------------------------------------------


@cache
def _digits_of(language: str) -> re.Pattern[str]:
    grouped = f"{_GROUPED}|" if language in languages("spaces_group") else ""
    return re.compile(rf"(?<![\w.,])(?<![^\W\d_][-–])[−-]?(?:{grouped}{_DIGITS})(?!\w*[^\W\d_]\d)")


def _digits(text: str, language: str) -> Iterator[Found]:
    for match in _digits_of(language).finditer(text):
        written = match.group()
        start = match.start()
        before = text[max(start - 1, 0) : start].strip()
        if written[0] in "−-" and before not in {"", "("}:  # a dash, no sign
            written, start = written[1:], start + 1
        number = _parse(written.lstrip("−-"), language)
        if written[0] in "−-":
            number = -number
        yield from with_unit(text, start, match.end(), number, language)


def _parse(written: str, language: str) -> float:
    """``1,200.5`` as it is meant in the language."""
    digits = re.sub(r"[\s'’\u00a0\u202f\u2009]", "", written)
    decimal = "." if language in languages("decimal_point") else ","
    group = "," if decimal == "." else "."
    marks = re.findall(r"[.,]", digits)
    if len(set(marks)) == 2:
        digits = digits.replace(marks[0], "").replace(marks[-1], ".")
    elif len(marks) > 1 or (marks == [group] and len(digits.rpartition(group)[2]) == 3):
        digits = digits.replace(marks[0], "")
    else:
        digits = digits.replace(",", ".")
    try:
        return float(digits)
    except ValueError:  # "1.2,3.4": marks that say nothing
        return float(re.sub(r"\D", "", digits))


# -- words -------------------------------------------------------------------------------------


def _words(text: str, language: str) -> Iterator[Found]:
    lists = number_lists(language)
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        word = match.group().lower()
        number = word in lists.words or word in lists.scales
        joined = run and _JOINT.fullmatch(text, run[-1].end(), match.start())
        if run and not (number and joined):
            if joined and word in {"and", "ve"}:
                continue
            yield from _run(text, run, language)
            run = []
        if number:
            run.append(match)
    yield from _run(text, run, language)


def _run(text: str, run: list[re.Match[str]], language: str) -> Iterator[Found]:
    if not run:
        return
    lists = number_lists(language)
    words = [match.group().lower() for match in run]
    start, end = run[0].start(), run[-1].end()
    lead = re.search(r"\b(half )?an? $", text[max(start - 8, 0) : start], re.I)
    if words[0] in lists.scales:  # "millions of" counts nothing, "a million" does
        if not lead and (len(words) == 1 or language in {"en", "und"}):
            return
        start -= len(lead[0]) if lead else 0
    if len(words) == 1 and words[0] in lists.alone:
        return
    number = _evaluate(words, lists)
    if lead and lead[1]:
        number /= 2
    yield from with_unit(text, start, end, number, language)


def _evaluate(words: list[str], lists: NumberLists) -> float:
    total, part = 0.0, 0.0
    for word in words:
        if word in lists.scales:
            scale = lists.scales[word]
            part = (part or 1) * scale
            if scale >= 1000:
                total, part = total + part, 0
        elif part >= 10 and lists.words[word] >= 10 and part < 100:  # nineteen forty-five
            part = part * 100 + lists.words[word]
        else:
            part += lists.words[word]
    return total + part


# -- comparing ---------------------------------------------------------------------------------


def agree(one: Amount, other: Amount) -> bool:
    """Whether both can be of one thing: the same number, as near as they claim to be exact."""
    if not comparable(one, other):
        return False
    converted = one.unit and one.unit not in {"%", "clock"}
    return _near(one.number, other.number, 0.005 if converted else 1e-9) or any(
        _within(hedged, exact) for hedged, exact in ((one, other), (other, one)) if not exact.bound
    )


def comparable(one: Amount, other: Amount) -> bool:
    """Whether their numbers can be compared: the unit may be left unsaid, unless it is %."""
    return one.unit == other.unit or (
        "%" not in {one.unit, other.unit} and not (one.unit and other.unit)
    )


def _near(one: float, other: float, share: float) -> bool:
    return abs(one - other) <= share * max(abs(one), abs(other))


def _within(hedged: Amount, exact: Amount) -> bool:
    low, high = {
        "": (0.0, 0.0),
        "about": (_NEAR, _NEAR),
        "over": (0.0, _BEYOND),
        "under": (_BEYOND, 0.0),
    }[hedged.bound]
    size = abs(hedged.number)
    return hedged.number - low * size <= exact.number <= hedged.number + high * size
