"""How far a statement bears on a question: by its own words, and by what stands around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from assistant import aliases
from assistant.analysis import likely_language, stem, words_of
from assistant.asking import held_by
from assistant.counting import country, lists
from assistant.dates import Date
from assistant.event_dates import event_dates
from assistant.statements import Statement, Weigh
from assistant.units import Amount
from assistant.values import Value, agrees, values
from assistant.wording import Word, acronyms, read, seats

_BEFORE, _AROUND = 0.8, 0.6  # what a word counts that stands in the sentence before, or further off

_LATELY = dt.timedelta(days=60)  # before its publication, of which a text need not say the year


class Term(NamedTuple):
    """A word of a question that says what it is about."""

    word: Word
    weight: float
    forms: tuple[frozenset[str], ...]  # stems that it may go by as well, all of one

    @property
    def names(self) -> bool:
        return self.word.mark == "name"

    @property
    def tells(self) -> bool:
        """Whether it says what happens, and not who, when or how many."""
        return not self.word.mark


class Question(NamedTuple):
    text: str
    language: str
    terms: tuple[Term, ...]
    given: tuple[Value, ...]
    since: tuple[int, int]  # year and month of what it is about; 0 where it says none

    @property
    def share(self) -> bool:
        """Whether it asks for a share of a whole."""
        return lists(self.language).percent.search(self.text) is not None


class Bearing(NamedTuple):
    """Shares (0..1) of the question's words, by rarity."""

    all: float  # less where they stand around it; 0 where it is about something else
    own: float  # those in the statement itself
    told: float  # the same, of the words that say what happens


class Spoken(NamedTuple):
    """A statement and what stands around it."""

    statement: Statement
    previous: Statement | None  # the sentence before
    document: frozenset[str]  # the stems of all that was found of its document


def understand(text: str, weigh: Weigh, idle: Collection[str] = ()) -> Question:
    """The question with its words weighed; ``idle`` stems are left out."""
    language = likely_language(words_of(text))
    given = values(text, language)
    dates = [v.meaning for v in given if isinstance(v.meaning, Date) and (v.meaning.year or 0) > 0]
    first = min(((d.year or 0, d.month or 0) for d in dates), default=(0, 0))
    terms = tuple(
        Term(word, weigh(word.text), _forms(word, language))
        for word in read(text, language)
        if not word.stop and word.stem not in idle
    )
    return Question(text, language, terms, given, first)


def _forms(word: Word, language: str) -> tuple[frozenset[str], ...]:
    """Stepanakert for Khankendi, Yerevan for Armenia, frontier for border."""
    forms = [frozenset({seat}) for seat in seats().get(word.stem, ())]
    for found in aliases.load(None).find(aliases.tokens(word.text)):
        forms += [frozenset(stem(words_of(name), language)) for name in found.names]
    return (*forms, *(frozenset({each}) for each in alike(word.stem, language)))


@lru_cache(4096)
def alike(stem: str, language: str) -> frozenset[str]:
    """The stems that stand for this one, itself among them."""
    known = lists(language).alike
    return frozenset({stem, *(each for each in known if known[each] == known.get(stem))})


def spoken(statements: Sequence[Statement]) -> Iterator[Spoken]:
    """The statements, in their order, each with what stands around it."""
    documents: dict[str, frozenset[str]] = {}
    for each in {s.passage.passage.id: s for s in statements}.values():
        uri = each.passage.document.uri
        documents[uri] = documents.get(uri, frozenset()) | _around(each)
    before: Statement | None = None
    for statement in statements:
        previous = before if before and before.passage is statement.passage else None
        yield Spoken(statement, previous, documents[statement.passage.document.uri])
        before = statement


def bearing(question: Question, spoken: Spoken) -> Bearing:
    """How far it bears on the question, not at all if it was said of or in another time."""
    statement, previous = spoken.statement, spoken.previous
    if _too_early(question, statement) or _too_late(question, spoken):
        return Bearing(0, 0, 0)
    where = (
        (1.0, _stems(statement.text, statement.language)),
        (_BEFORE, _stems(previous.text, previous.language) if previous else frozenset()),
        (_AROUND, _around(statement)),
        (_AROUND, spoken.document),
    )
    shares = {term: _share(term, where) for term in question.terms}
    named = sum(t.weight if shares[t] else -t.weight for t in question.terms if t.names)
    if named < 0:  # it is about others
        return Bearing(0, 0, 0)
    own = {term: float(share == 1) for term, share in shares.items()}
    telling = {term: share for term, share in own.items() if term.tells}
    return Bearing(_mean(shares), _mean(own), _mean(telling))


def _mean(shares: dict[Term, float]) -> float:
    total = sum(term.weight for term in shares)
    return sum(term.weight * share for term, share in shares.items()) / total if total else 0.0


def _share(term: Term, where: Sequence[tuple[float, frozenset[str]]]) -> float:
    """What a word counts by where it stands; a country must be in the passage itself."""
    reach = where[:3] if country(term.word.text) else where
    return next((share for share, stems in reach if _held(term, stems)), 0.0)


def _held(term: Term, stems: frozenset[str]) -> bool:
    return held_by(term.word.stem, stems) or any(form <= stems for form in term.forms)


def _around(statement: Statement) -> frozenset[str]:
    """Of the passage, its headings and title, the names in short, and the day."""
    passage, document = statement.passage.passage, statement.passage.document
    text = "\n".join((passage.text, document.title, document.source, *passage.headings))
    return _stems(text, document.language) | _dated(document.published)


@lru_cache(1024)
def _stems(text: str, language: str) -> frozenset[str]:
    words = read(text, language)
    return frozenset(word.stem for word in words) | {short for _, short in acronyms(words)}


def _dated(day: dt.date | None) -> frozenset[str]:
    return frozenset({str(day.year), day.strftime("%B").casefold()} if day else ())


def _too_early(question: Question, statement: Statement) -> bool:
    day = statement.passage.document.published
    since = question.since
    return day is not None and (day.year, day.month if since[1] else 0) < since


def _too_late(question: Question, spoken: Spoken) -> bool:
    """Whether it was said in a later year, by a document that never names the one asked of."""
    years, own = _years(question), _own_years(spoken.statement)
    named = any(str(year) in spoken.document for year in years)
    return bool(years and own) and own.isdisjoint(years) and not named


def _years(question: Question) -> set[int]:
    """The years that the question names."""
    dates = (v.meaning for v in question.given if isinstance(v.meaning, Date))
    return {date.year for date in dates if date.year is not None}


def _own_years(statement: Statement) -> set[int]:
    """The years that a text need not name to tell of them; none where it is undated."""
    day = statement.passage.document.published
    return {day.year, (day - _LATELY).year} if day else set()


def differs(question: Question, statement: Statement) -> bool:
    """Whether it is of another time than the question, or of two months and not of two years."""
    units = {unit: v for v in question.given if v.kind == "quantity" and (unit := unit_of(v))}
    return _of_another_year(question, statement) or any(
        not agrees(value, units[unit])
        for value in statement.values
        if (unit := unit_of(value)) in units
    )


def _of_another_year(question: Question, statement: Statement) -> bool:
    """Whether it names years, but none of the question, nor its own where it may mean the same."""
    published = statement.passage.document.published
    told = event_dates(statement.text, published, statement.language)
    years = {date.value[:4] for date in told if not date.value.startswith("--")}
    meant, own = _years(question), _own_years(statement)
    if not meant or meant & own:
        meant |= own
    return bool(years and meant) and years.isdisjoint(map(str, meant))


def unit_of(value: Value) -> str:
    return value.meaning.unit if isinstance(value.meaning, Amount) else ""
