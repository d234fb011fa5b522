"""Where the cited sources give different values for one thing.

A cited sentence and one of another document disagree when they are about the same, differ in one
value of one kind, and say the same around it. What one source later says otherwise is an update.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import product
from typing import Literal

from assistant.names import Name, fold
from assistant.rivals import rivals
from assistant.statements import Citing, Statement, Told, Weigh, Word
from assistant.types import Conflict, Side
from assistant.units import number_lists
from assistant.values import Value, agrees

# Found with XQuAD's paragraphs and copies of them with the answer changed; SQuAD 2 was looked at
# only for what it wrongly shows. tests/benchmarks/test_disagreement.py has the figures.
_ALIKE = 0.5  # share of the words, by rarity, that the sentence with fewer of it must share
_SHARED = 3  # words, at least
_AROUND = 6  # words on each side of a value that are compared
_FADING = 0.75  # what a word counts for each step that it is away from the value
_SAME_AROUND = {"name": 0.65, "date": 0.35, "number": 0.35}  # share of them that must be the same
KINDS = frozenset(_SAME_AROUND)
_VERBATIM = 0.75  # share of the words of two sentences that are the same, in the same order
_LONGEST = 6  # words of a name that stands where another one does
_SHOWN = 5  # conflicts of one answer
_HEDGED = 4  # words before a number that say how exact it is
_BOUND_WITH = {"at", "more", "less", "no", "not", "than", "just", "up", "to", "a", "little"}
_WORD = re.compile(r"[^\W\d_]+|[~<>]")
_SUBJECT = 6  # words on each side of a value that say what it is of


@dataclass(frozen=True)
class _Group:
    """Values for one thing."""

    subject: str
    told: list[Told]


def conflicts(
    question: str,
    cited: Sequence[Statement],
    others: Sequence[Statement],
    weigh: Weigh,
    cite: Citing,
) -> tuple[Conflict, ...]:
    """What ``others`` say differently than ``cited`` of what is asked, in their order."""
    kinds = _asked(question)
    groups: list[_Group] = []
    for statement in cited:
        said = {o.passage.document.uri for o in others if o.text == statement.text}
        said.add(statement.passage.document.uri)
        for other in others:
            if other.passage.document.uri not in said:
                for mine, its in differences(statement, other, weigh, kinds):
                    if not (_given(mine, question) or _given(its, question)):
                        _add(groups, Told(statement, mine), Told(other, its))
    if not groups:  # what is told in the same words is surer
        asking = _ways()["number"].search(question)
        for first, second in rivals(question, asking and asking.span(), cited, others, weigh):
            _add(groups, first, second, question)
    found = [conflict for group in groups for conflict in _conflicts(group, cite)]
    return tuple(found[:_SHOWN])


def _given(value: Value, question: str) -> bool:
    """Whether the question names the value, so that it does not ask for it."""
    return re.search(rf"(?<!\w){re.escape(value.text)}(?!\w)", question) is not None


def _asked(question: str) -> frozenset[str]:
    """The kinds of value that a question asks for; all where it does not say."""
    return frozenset(kind for kind, way in _ways().items() if way.search(question)) or KINDS


@cache
def _ways() -> dict[str, re.Pattern[str]]:
    file = importlib.resources.files("assistant").joinpath("data/conflicts.toml")
    tables = tomllib.loads(file.read_text(encoding="utf-8")).values()
    return {
        kind: re.compile(rf"(?<!\w)(?:{'|'.join(t[kind] for t in tables)})(?!\w)", re.IGNORECASE)
        for kind in KINDS
    }


def _add(groups: list[_Group], mine: Told, its: Told, subject: str = "") -> None:
    """Puts both values with those they stand against; what agrees with one is not told twice."""
    for group in groups:
        if any(told.is_at(mine) for told in group.told):
            if not any(told.agrees(its) for told in group.told):
                group.told.append(its)
            return
        if any(told.is_at(its) for told in group.told):
            return  # the other one is cited too, and was compared with this one before
    groups.append(_Group(subject or _subject(mine), [mine, its]))


def _conflicts(group: _Group, cite: Citing) -> Iterator[Conflict]:
    """What each source later said otherwise, from day to day, and then what sources say apart."""
    sources: dict[str, list[Told]] = {}
    for told in group.told:
        sources.setdefault(told.statement.passage.document.source, []).append(told)
    apart: list[Told] = []
    for own in sources.values():
        days = {told.statement.passage.document.published for told in own}
        if len(own) > 1 and None not in days and len(days) == len(own):
            own.sort(key=lambda told: str(told.statement.passage.document.published))
            yield _conflict(group.subject, "update", own, cite)
            own = own[-1:]
        apart += own
    if len(apart) > 1:
        yield _conflict(group.subject, "conflict", apart, cite)


def _conflict(
    subject: str, kind: Literal["conflict", "update"], told: Sequence[Told], cite: Citing
) -> Conflict:
    sides = tuple(Side(value=_shown(each), citation=cite(each.statement)) for each in told)
    return Conflict(subject=subject, kind=kind, sides=sides)


def _shown(told: Told) -> str:
    """The value with what says how exact it is: "more than 10,000"."""
    text, value = told.statement.text, told.value
    if not getattr(value.meaning, "bound", ""):
        return value.text
    known = number_lists(told.statement.language).bounds.keys() | _BOUND_WITH
    start = value.start
    for word in reversed(list(_WORD.finditer(text, 0, start))[-_HEDGED:]):
        if word[0].casefold() not in known or text[word.end() : start].strip():
            break
        start = word.start()
    return text[start : value.end]


def _subject(told: Told) -> str:
    """The words around the value, with "…" in its place."""
    text, value = told.statement.text, told.value
    before = text[: value.start].split()[-_SUBJECT:]
    after = text[value.end :].split()[:_SUBJECT]
    return " ".join([*before, "…", *after])


# -- two statements ----------------------------------------------------------------------------


def differences(
    one: Statement, other: Statement, weigh: Weigh, kinds: Collection[str] = KINDS
) -> Iterator[tuple[Value, Value]]:
    """The values of these kinds that two statements about the same thing give differently."""
    if one.text == other.text or len(one.content & other.content) < _SHARED:
        return
    if not (_has(one, kinds) and _has(other, kinds) and _alike(one, other, weigh)):
        return
    if "name" in kinds:
        yield from _replaced(one, other)
    mine, its = _unmatched(one, other), _unmatched(other, one)
    for value, against in product(mine, its):
        kind = _kind(value)
        if kind not in kinds or not _comparable(value, against):
            continue
        if _elsewhere(mine, value, its, against):
            continue
        if _around(one, value, other, against, weigh) >= _SAME_AROUND[kind]:
            yield value, against


def _has(statement: Statement, kinds: Collection[str]) -> bool:
    return any(_kind(value) in kinds for value in statement.values)


def _comparable(one: Value, other: Value) -> bool:
    """Whether both are of one kind, and of one unit: 49 and 49 % are of different things."""
    units = {getattr(value.meaning, "unit", "") for value in (one, other)}
    return _kind(one) == _kind(other) and len(units) == 1


def _kind(value: Value) -> str:
    return value.kind if value.kind in _SAME_AROUND else "number"


def _alike(one: Statement, other: Statement, weigh: Weigh) -> bool:
    """Whether both are about the same, by the words that are no value."""
    mine, its = _topic(one), _topic(other)
    shared = mine.keys() & its.keys()
    if len(shared) < _SHARED:
        return False
    common = sum(weigh(mine[stem]) for stem in shared)
    least = min(sum(map(weigh, mine.values())), sum(map(weigh, its.values())))
    return least > 0 and common >= _ALIKE * least


def _topic(statement: Statement) -> dict[str, str]:
    """The words outside numbers and dates that are no stop words, by stem."""
    spans = [(v.start, v.end) for v in statement.values if v.kind != "name"]
    return {
        word.stem: word.text
        for word in statement.words
        if word.stem in statement.content
        and not any(start <= word.start < end for start, end in spans)
    }


def _unmatched(one: Statement, other: Statement) -> list[Value]:
    """The values of one that agree with none of the other."""
    return [
        value
        for value in one.values
        if not _doubtful(value) and not any(agrees(value, its) for its in other.values)
    ]


def _doubtful(value: Value) -> bool:
    return bool(getattr(value.meaning, "doubtful", False))


def _elsewhere(mine: list[Value], value: Value, its: list[Value], against: Value) -> bool:
    """Whether another name or date differs too: another subject or time explains the figure."""
    rest = [
        any(v.kind in {"name", "date"} and not _says(v, but) for v in values)
        for values, but in ((mine, value), (its, against))
    ]
    return all(rest)


def _replaced(one: Statement, other: Statement) -> Iterator[tuple[Value, Value]]:
    """Names that stand for one another in sentences which are else word for word the same.

    They need not look like names by themselves: a sentence may begin with them.
    """
    mine, its = one.words, other.words
    aligned = SequenceMatcher(
        None, [word.stem for word in mine], [word.stem for word in its], autojunk=False
    )
    if aligned.real_quick_ratio() < _VERBATIM or aligned.ratio() < _VERBATIM:
        return
    for tag, start, end, first, last in aligned.get_opcodes():
        if tag == "replace" and max(end - start, last - first) <= _LONGEST:
            value, against = _named(one, mine[start:end]), _named(other, its[first:last])
            if value and against and not agrees(value, against):
                yield value, against


def _named(statement: Statement, words: Sequence[Word]) -> Value | None:
    """The words as a name, if they have the capitals of one."""
    start, end = words[0].start, words[-1].end
    text = statement.text[start:end]
    if not (text[0].isupper() and statement.text[words[-1].start].isupper()):
        return None
    return Value("name", start, end, text, Name(tuple(fold(word.text) for word in words)))


def _says(one: Value, other: Value) -> bool:
    return one is other or (one.kind == other.kind and agrees(one, other))


def _around(one: Statement, value: Value, other: Statement, against: Value, weigh: Weigh) -> float:
    """Share (0..1) of the words beside each value that stand beside the other one as well."""
    mine, its = _context(one, value, weigh), _context(other, against, weigh)
    shares = []
    for words, others in ((mine, its), (its, mine)):
        total = sum(words.values())
        shares.append(sum(w for s, w in words.items() if s in others) / total if total else 0.0)
    return min(shares)


def _context(statement: Statement, value: Value, weigh: Weigh) -> dict[str, float]:
    before = [word for word in statement.words if word.end <= value.start][-_AROUND:]
    after = [word for word in statement.words if word.start >= value.end][:_AROUND]
    context: dict[str, float] = {}
    for run in (reversed(before), after):
        for distance, word in enumerate(run):
            weight = weigh(word.text) * _FADING**distance
            context[word.stem] = max(weight, context.get(word.stem, 0.0))
    return context
