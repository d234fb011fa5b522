"""Where sources answer one question with different numbers or times, in whatever words.

Of each document the sentence that answers best is taken, and of that what the question asks for:
the number that counts the same, or the time. They are rivals when they cannot both be true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from assistant.bearing import (
    Question,
    Spoken,
    alike,
    bearing,
    differs,
    spoken,
    understand,
    unit_of,
)
from assistant.counting import Count, counted, lists
from assistant.hours import Hours, asks_for_hour, hours, parts_of_day
from assistant.statements import Statement, Told, Weigh
from assistant.units import Amount
from assistant.values import Value, agrees
from assistant.wording import read

# Found with the sample collection; XQuAD and SQuAD 2 were looked at for what they wrongly show.
_BEARS = 0.5  # share of the question's words that a statement and what is around it must have
_OWN = 0.15  # share of them that it must have itself, with the words of what is counted
_TOLD = 0.6  # share of the words for what happens that a statement with its time must have itself
_BESIDE = 6  # words after a number that tell whether it is of what is asked


class Answering(NamedTuple):
    """What a statement answers, and how well."""

    told: Told
    bears: float
    cited: bool
    hours: Hours = frozenset()

    @property
    def rank(self) -> tuple[bool, float]:
        return self.cited, self.bears

    def differs(self, other: Answering) -> bool:
        if self.hours or other.hours:
            return not self.hours & other.hours
        return unit_of(self.told.value) == unit_of(other.told.value) and not self.told.agrees(
            other.told
        )


def rivals(
    question: str,
    asking: tuple[int, int] | None,
    cited: Sequence[Statement],
    others: Sequence[Statement],
    weigh: Weigh,
) -> Iterator[tuple[Told, Told]]:
    """What the cited document that answers best tells, with what another one tells otherwise.

    ``asking`` is the span of the question's words that ask for a number, if any do.
    """
    if asks_for_hour(question):
        answers = _hour(question, weigh)
    elif asking:
        answers = _number(question, asking, weigh)
    else:
        return
    quoted = {(s.passage.document.uri, s.start) for s in cited}
    found: dict[str, list[Answering]] = {}
    for each in spoken(others):
        uri = each.statement.passage.document.uri
        if answer := answers(each):
            known = answer._replace(cited=(uri, each.statement.start) in quoted)
            found.setdefault(uri, []).append(known)
    ranked = sorted(map(_best, found.values()), key=lambda a: a.rank, reverse=True)
    for other in ranked[1:] if ranked and ranked[0].cited else ():
        if ranked[0].differs(other):
            yield ranked[0].told, other.told


def _best(found: Sequence[Answering]) -> Answering:
    """Of one document: the best, but "105" where that only says "more than a hundred"."""
    best = max(found, key=lambda a: a.rank)
    exact = [each for each in found if _sharper(each.told, best.told)]
    return max(exact, key=lambda a: a.rank)._replace(cited=best.cited) if exact else best


def _sharper(told: Told, other: Told) -> bool:
    mine, its = told.value.meaning, other.value.meaning
    if not (isinstance(mine, Amount) and isinstance(its, Amount)):
        return False
    return bool(its.bound) and not mine.bound and mine.number != its.number and told.agrees(other)


# -- a number ----------------------------------------------------------------------------------


def _number(
    question: str, asking: tuple[int, int], weigh: Weigh
) -> Callable[[Spoken], Answering | None]:
    """Statement to its number that counts what the question asks for."""
    language = understand(question, weigh).language
    known = lists(language)
    idle = known.sizes | known.persons | known.states.keys()
    asked = understand(question, weigh, idle)
    count = counted(question, *asking, language)
    about = sum(term.weight for term in asked.terms)
    counting = sum(
        weigh(word.text)
        for word in read(question, language)
        if word.stem in idle - known.sizes and not word.stop
    )

    def answer(each: Spoken) -> Answering | None:
        statement, bears = each.statement, bearing(asked, each)
        own = bears.own * about + counting
        if bears.all < _BEARS or own < _OWN * (about + counting) or differs(asked, statement):
            return None
        found = [v for v in statement.values if _counts(asked, count, each, v)]
        if not found or not (count.noun or count.persons or bears.told >= _TOLD):
            return None
        most = max(found, key=lambda value: _whole(asked, count, statement, value))
        return Answering(Told(statement, most), bears.all, cited=False)

    return answer


def _counts(question: Question, asked: Count, each: Spoken, value: Value) -> bool:
    """Whether the value counts what is asked for."""
    if not isinstance(value.meaning, Amount) or value.kind == "ordinal":
        return False
    if any(agrees(value, given) for given in question.given):
        return False
    statement, before = each.statement, each.previous.text if each.previous else ""
    count = counted(statement.text, value.start, value.end, statement.language, before)
    if _is_part(question, asked, count, statement, value):
        return False
    if count.owner and asked.owner and count.owner != asked.owner:
        return False
    return _of_what(question, asked, count, value.meaning.unit)


def _of_what(question: Question, asked: Count, count: Count, unit: str) -> bool:
    if question.share:
        return unit == "%"
    if asked.persons:
        return not unit and count.persons and count.state == asked.state
    if asked.noun:
        return not unit and count.noun in alike(asked.noun, question.language)
    return bool(unit)


def _is_part(
    question: Question, asked: Count, count: Count, statement: Statement, value: Value
) -> bool:
    """Whether it counts only some: "nine of the villages", "103 of them"."""
    if lists(statement.language).share.match(statement.text[value.end :].lstrip()):
        return True
    return count.part and not _beside(question, asked, statement, value)


def _whole(
    question: Question, asked: Count, statement: Statement, value: Value
) -> tuple[bool, float]:
    """Of several numbers the one beside the noun of the question, or the largest: not a part."""
    number = value.meaning.number if isinstance(value.meaning, Amount) else 0.0
    return _beside(question, asked, statement, value), number


def _beside(question: Question, asked: Count, statement: Statement, value: Value) -> bool:
    """Whether the noun of the question follows: "some fifty people will be monitors"."""
    if asked.noun is None or asked.noun in lists(question.language).states:
        return False
    after = [word for word in statement.words if word.start >= value.end][:_BESIDE]
    return not alike(asked.noun, question.language).isdisjoint(word.stem for word in after)


# -- a time of day -----------------------------------------------------------------------------


def _hour(question: str, weigh: Weigh) -> Callable[[Spoken], Answering | None]:
    """Statement to the time of day at which it says that it happened."""
    language = understand(question, weigh).language
    asked = understand(question, weigh, parts_of_day(language))

    def answer(each: Spoken) -> Answering | None:
        bears = bearing(asked, each)
        if bears.all < _BEARS or bears.told < _TOLD:
            return None
        told = hours(each.statement)
        if told is None:
            return None
        return Answering(Told(each.statement, told.value), bears.all, cited=False, hours=told.hours)

    return answer
