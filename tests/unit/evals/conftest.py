"""A small assistant that answers by shared words, so that evaluations run without an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import QuestionError, UnknownDocumentError
from assistant.evals.cases import Case, EvaluationSet
from assistant.settings import Settings
from assistant.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Filters,
    Passage,
    ScoredPassage,
    Stage,
    Trace,
    Turn,
)

EVERYTHING = Filters()
CITIES = ["Yerevan", "Astana", "Bishkek", "Dushanbe", "Minsk", "Moscow"]


@dataclass
class WordAssistant:
    """Real types, no models: one passage a sentence, scored by the share of the query's words.

    The other fields plant regressions.
    """

    settings: Settings
    texts: dict[str, str]  # file name -> text
    fail_on: str | None = None  # questions with this word raise
    threshold: float = 0.5
    shift: int = 0  # of every quote against its citation
    hidden: set[str] = field(default_factory=set)  # listed, but not found by a search
    weight: Callable[[str], float] = lambda text: 1.0
    asked: list[str] = field(default_factory=list)
    taken_in: list[Path] = field(default_factory=list)  # what was to be indexed

    def index(self, paths: Sequence[Path], on_progress: object = None) -> None:
        self.taken_in.extend(paths)

    def documents(self) -> tuple[Document, ...]:
        return tuple(self._document(name) for name in self.texts)

    def document(self, document_id: str) -> Document:
        for name in self.texts:
            if (document := self._document(name)).id == document_id:
                return document.model_copy(update={"text": self.texts[name]})
        raise UnknownDocumentError(document_id)

    def search(
        self,
        query: str,
        k: int | None = None,
        history: Sequence[Turn] = (),
        filters: Filters = EVERYTHING,
    ) -> tuple[ScoredPassage, ...]:
        words = set(re.findall(r"\w+", query.lower()))
        found = []
        wanted = set(filters.documents) or self.texts.keys()
        for name in self.texts.keys() & wanted - self.hidden:
            for match in re.finditer(r"[^.]+\.", self.texts[name]):
                there = set(re.findall(r"\w+", match[0].lower()))
                score = len(words & there) / max(len(words), 1) * self.weight(match[0])
                if score:
                    found.append((-score, name, match.start(), match.end()))
        return tuple(
            self._scored(name, start, end, -minus)
            for minus, name, start, end in sorted(found)[: k or 5]
        )

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters = EVERYTHING
    ) -> Answer:
        self.asked.append(question)
        if not question.strip() or (self.fail_on and self.fail_on in question):
            raise QuestionError("the question is bad", "ask another")
        found = self.search(question, None, history, filters)
        confidence = min(found[0].score, 1.0) if found else 0.0
        shown = confidence >= self.threshold and bool(found)
        return Answer(
            id=f"{len(self.asked)}",
            question=question,
            query=question,
            status="answered" if shown else "not_in_documents",
            confidence=confidence,
            sentences=(self._sentence(found[0]),) if shown else (),
            passages=found,
            trace=Trace(stages=(Stage(name="retrieve", seconds=0.001, counts={"passages": 5}),)),
            settings_digest=self.settings.digest,
        )

    def _sentence(self, scored: ScoredPassage) -> AnswerSentence:
        passage = scored.passage
        text = self.texts[scored.document.title]
        citation = Citation(
            marker=1,
            document_id=passage.document_id,
            passage_id=passage.id,
            title=scored.document.title,
            source="test",
            start=passage.start,
            end=passage.end,
            quote=text[passage.start + self.shift : passage.end + self.shift],
        )
        return AnswerSentence(text=passage.text, citations=(citation,), verdict="supported")

    def _scored(self, name: str, start: int, end: int, score: float) -> ScoredPassage:
        document = self._document(name)
        text = self.texts[name][start:end]
        passage = Passage(
            id=f"{document.id}:{start}", document_id=document.id, start=start, end=end, text=text
        )
        return ScoredPassage(passage=passage, document=document, score=score)

    def _document(self, name: str) -> Document:
        return Document(
            id=f"id-{name}",
            uri=f"/somewhere/{name}",
            title=name,
            source="test",
            media_type="text/plain",
        )


def city_texts(count: int = 24) -> dict[str, str]:
    return {
        f"day{n}.txt": f"The council number {n} met in {CITIES[n % 6]} on day {n * 7}. "
        f"Delegation {n} brought {n * 13} pages."
        for n in range(1, count + 1)
    }


def city_cases(count: int = 24) -> tuple[Case, ...]:
    cases = []
    for n in range(1, count + 1):
        where = Case(
            id=f"where-{n}",
            question=f"In which city met the council number {n} on day {n * 7}?",
            relevant={f"day{n}.txt": 1},
            quotes=(f"The council number {n} met in {CITIES[n % 6]} on day {n * 7}.",),
            answers=(CITIES[n % 6],),
            tags=("where",),
        )
        none = Case(
            id=f"none-{n}",
            question=f"Which songs pleased visitor {n} most in Lisbon last summer?",
            answerable=False,
            tags=("none",),
        )
        cases += [where] if n % 3 else [where, none]
    return tuple(cases)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Any]:
    """Makes a WordAssistant; keyword arguments plant regressions."""

    def make_one(**planted: Any) -> Any:
        settings = Settings(library={"data": tmp_path / "data"})  # type: ignore[arg-type]
        return WordAssistant(settings, planted.pop("texts", city_texts()), **planted)

    return make_one


@pytest.fixture
def cities() -> EvaluationSet:
    return EvaluationSet(name="cities", cases=city_cases())
