"""Where one source says what another denies, or two answer yes and no."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.analysis import every_stop_word, stem
from assistant.attribution import attribute, said_in
from assistant.bearing import Question, Spoken, bearing, spoken, understand
from assistant.counting import countries
from assistant.statements import Citing, Statement, Weigh
from assistant.types import Conflict, Side
from assistant.wording import lists, read

_COVERED = 0.7  # share of the words of what is denied, by rarity, that the other statement has
_SHARED = 3  # words, at least: "Armenia denied this" denies nothing that could be found
_SHOWN = 2  # of one answer
_BEARS = 0.45  # share of a question's words that a statement must have to answer yes or no
_WORD = re.compile(r"[^\W_]+")


def denials(
    cited: Sequence[Statement], others: Sequence[Statement], weigh: Weigh, cite: Citing
) -> tuple[Conflict, ...]:
    """Cited statements that another document denies, and denials cited of what another says."""
    shown: list[Conflict] = []
    seen: set[frozenset[str]] = set()
    for statement in cited:
        for other in others:
            pair = frozenset((statement.text, other.text))
            if len(shown) < _SHOWN and pair not in seen and _denies(statement, other, weigh):
                seen.add(pair)
                shown.append(_conflict(statement, other, cite))
    return tuple(shown)


def positions(
    question: str,
    cited: Sequence[Statement],
    others: Sequence[Statement],
    weigh: Weigh,
    cite: Citing,
) -> tuple[Conflict, ...]:
    """To a question for yes or no: the cited document that answers best, and one that says else."""
    asked = understand(question, weigh)
    if not _asks_yes_or_no(asked):
        return ()
    quoted = {(s.passage.document.uri, s.start) for s in cited}
    best: dict[str, tuple[bool, float, Statement]] = {}
    for each in spoken(others):
        uri = each.statement.passage.document.uri
        found = ((uri, each.statement.start) in quoted, _bears(asked, each), each.statement)
        if found[1] >= _BEARS and (uri not in best or found[:2] > best[uri][:2]):
            best[uri] = found
    ranked = sorted(best.values(), key=lambda found: found[:2], reverse=True)
    for is_cited, bears, other in ranked[1:]:
        mine = ranked[0]
        sure = is_cited or bears >= mine[1]
        if mine[0] and sure and _negative(mine[2]) != _negative(other):
            return (_conflict(mine[2], other, cite),)
    return ()


def _asks_yes_or_no(asked: Question) -> bool:
    known = lists(asked.language)
    words = [word.text for word in read(asked.text, asked.language)]
    return bool(words) and (words[0] in known.openings or bool(known.particles & set(words)))


def _bears(asked: Question, each: Spoken) -> float:
    """How far it answers, not at all where it is about another country only."""
    statement = each.statement
    named = set(countries(statement.text, read(statement.text, statement.language)))
    wanted = set(countries(asked.text, [term.word for term in asked.terms]))
    return 0.0 if named and wanted and not named & wanted else bearing(asked, each).all


def _negative(statement: Statement) -> bool:
    """Whether it denies, refuses, or says that something is not so."""
    negations = lists(statement.language).negations
    return _is_denial(statement) or bool(negations & {word.text for word in statement.words})


def _denies(one: Statement, other: Statement, weigh: Weigh) -> bool:
    """Whether just one of two documents' statements is a denial, and of what the other says."""
    if one.passage.document.uri == other.passage.document.uri:
        return False
    if len(one.content & other.content) < _SHARED:
        return False
    first, second = _is_denial(one), _is_denial(other)
    if first == second:
        return False
    denied, said = (one, other) if first else (other, one)
    words = _denied(denied)
    shared = words.keys() & said.content
    total = sum(map(weigh, words.values()))
    held = sum(weigh(words[word]) for word in shared)
    return len(shared) >= _SHARED and held >= _COVERED * total


def _is_denial(statement: Statement) -> bool:
    return attribute(statement.text, statement.language).stance == "denial"


def _denied(statement: Statement) -> dict[str, str]:
    """The words of what is denied, by stem."""
    core = said_in(statement.text, statement.language)
    words = [word.casefold() for word in _WORD.findall(core)]
    kept = [word for word in words if word not in every_stop_word()]
    return dict(zip(stem(kept, statement.language), kept, strict=True))


def _conflict(one: Statement, other: Statement, cite: Citing) -> Conflict:
    """Who says it first, then who denies it."""
    said, denied = (other, one) if _negative(one) else (one, other)
    sides = (
        Side(value="says so", citation=cite(said)),
        Side(value="denies it", citation=cite(denied)),
    )
    return Conflict(subject=said.text, sides=sides)
