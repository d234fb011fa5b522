"""Ask every question of a set and write down what came of it."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assistant.errors import QuestionError
from assistant.evals import collection, metrics, results
from assistant.evals.cases import Case, EvaluationSet, Exchange
from assistant.evals.errors import SetError
from assistant.evals.measures import Measure
from assistant.evals.resampling import SEED
from assistant.evals.results import Header, Ranked, Row, Timing
from assistant.types import Answer, AnswerSentence, ScoredPassage, Trace, Turn

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

MIN_DEPTH = 20  # documents ranked, for measures without a cut-off
MAX_PASSAGES = 1000
VERSIONS = ("cited-assistant", "ir-measures", "numpy", "onnxruntime", "tantivy")  # recorded


class Judge(Protocol):
    """A model's opinion of an answer; ``name`` is the model's."""

    name: str

    def judge(self, case: Case, answer: Answer) -> dict[str, float]: ...


@dataclass(frozen=True)
class Plan:
    """What a run measures and how."""

    measures: Sequence[Measure]
    workers: int = 1  # questions asked at the same time
    judge: Judge | None = None
    search_only: bool = False  # no answers: quicker, where only ranking measures are wanted

    @property
    def usable(self) -> list[Measure]:
        """The measures, less those that need a model or an answer that is not there."""
        return [
            measure
            for measure in self.measures
            if (self.judge or not measure.judged) and (measure.of_ranking or not self.search_only)
        ]

    @property
    def depth(self) -> int:
        """How many documents the measures look at."""
        names = [measure.name for measure in self.measures if measure.of_ranking]
        cuts = [int(name.partition("@")[2]) for name in names if "@" in name]
        return max([MIN_DEPTH, *cuts])


def run(
    assistant: Assistant,
    evaluation_set: EvaluationSet,
    plan: Plan,
    path: Path | None = None,
    *,
    fresh: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """The complete result file, at ``path`` or named by what it depends on in the data directory.

    Questions already in it are not asked again, unless ``fresh``. One that raises becomes a row
    with its error. ``on_progress`` gets the questions done and their total. Raises SetError when a
    gold document is not in the collection, and whatever the first search raises: a library that
    cannot be searched is no failure of a question; nor is a judge that gives no grade.
    """
    cases = evaluation_set.cases
    documents = collection.read(assistant)
    _check_gold(evaluation_set, documents)
    header = _header(assistant, evaluation_set, documents, plan)
    path = path or _default_path(assistant, header)
    if fresh:
        path.unlink(missing_ok=True)
    told = on_progress or (lambda *_: None)
    with results.Writer(path, header, [case.id for case in cases]) as writer:
        told(writer.done, len(cases))
        if writer.done == len(cases):
            return path
        _warm_up(assistant, cases[0])
        inquiry = _Inquiry(assistant, documents, plan)
        asked = _in_order(inquiry.ask, cases[writer.done :], plan.workers)
        for done, (case, future) in enumerate(asked, start=writer.done + 1):
            writer.add(*inquiry.outcome(case, future))
            told(done, len(cases))
    return path


def _default_path(assistant: Assistant, header: Header) -> Path:
    """Another file for whatever makes another result, so that an equal run goes on from it."""
    digest = hashlib.sha256(header.model_dump_json().encode()).hexdigest()[:8]
    name = re.sub(r"[^\w-]+", "-", header.set)[:80]
    return assistant.settings.library.data / "evaluations" / f"{name}-{digest}.jsonl"


def _check_gold(evaluation_set: EvaluationSet, documents: collection.Collection) -> None:
    missing = [
        (case.id, name)
        for case in evaluation_set.cases
        for name in case.relevant
        if name not in documents.found
    ]
    if missing:
        case_id, name = missing[0]
        others = f", and {len(missing) - 1} others are not" if len(missing) > 1 else ""
        raise SetError(
            evaluation_set.file or Path(evaluation_set.name),
            f"{name!r} is not in the collection{others}",
            "index what the set asks about; `assistant eval check` lists all of them",
            field=f"case {case_id!r}, relevant",
        )


def _header(
    assistant: Assistant,
    evaluation_set: EvaluationSet,
    documents: collection.Collection,
    plan: Plan,
) -> Header:
    return Header(
        set=evaluation_set.name,
        set_digest=evaluation_set.digest,
        collection_digest=documents.digest,
        settings_digest=assistant.settings.digest,
        settings=assistant.settings.model_dump(mode="json", exclude={"library", "server"}),
        questions=len(evaluation_set.cases),
        measures=tuple(measure.name for measure in plan.usable),
        depth=plan.depth,
        seeds={"bootstrap": SEED},
        judge=plan.judge.name if plan.judge else None,
        search_only=plan.search_only,
        versions={name: version(name) for name in VERSIONS},
    )


def _warm_up(assistant: Assistant, case: Case) -> None:
    """Models and index are loaded before the first question is timed."""
    with contextlib.suppress(QuestionError):  # this one question's fault: its row will say so
        assistant.search(case.question)


def _in_order(
    ask: Callable[[Case], tuple[Row, Timing]], cases: Sequence[Case], workers: int
) -> Iterator[tuple[Case, Future[tuple[Row, Timing]]]]:
    """Each case with its finished future, in order, ``workers`` of them asked at a time."""
    pending: deque[tuple[Case, Future[tuple[Row, Timing]]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for case in cases:
            pending.append((case, pool.submit(ask, case)))
            if len(pending) > workers:
                yield pending.popleft()
        yield from pending
    finally:
        pool.shutdown(cancel_futures=True)


class _Inquiry:
    """Asks questions and says what came of them."""

    def __init__(self, assistant: Assistant, documents: collection.Collection, plan: Plan) -> None:
        self.assistant, self.documents, self.plan = assistant, documents, plan
        per_document = assistant.settings.retrieval.per_document
        self.k = min(plan.depth * per_document, MAX_PASSAGES)
        self.texts = collection.Texts(assistant)

    def ask(self, case: Case) -> tuple[Row, Timing]:
        """The row without its scores."""
        history = [_turn(exchange) for exchange in case.history]
        if self.plan.search_only:
            return self._search(case, history)
        start = time.perf_counter()
        answer = self.assistant.ask(case.question, history, case.filters)
        seconds = {"total": time.perf_counter() - start}
        for stage in answer.trace.stages:
            seconds[stage.name] = seconds.get(stage.name, 0) + stage.seconds
        citations = [c for sentence in answer.sentences for c in sentence.citations]
        row = Row(
            case=case,
            relevant=self.documents.relevant(case),
            answer=self._without_chance(answer),
            ranking=self._ranking(
                self.assistant.search(case.question, self.k, history, case.filters)
            ),
            cited=tuple(self._name(c.document_id) for c in citations),
            exact=tuple(
                c.quote == self.texts.of(c.document_id)[c.start : c.end] for c in citations
            ),
        )
        return row, Timing(id=case.id, seconds=seconds)

    def _search(self, case: Case, history: Sequence[Turn]) -> tuple[Row, Timing]:
        start = time.perf_counter()
        found = self.assistant.search(case.question, self.k, history, case.filters)
        seconds = {"total": time.perf_counter() - start}
        row = Row(case=case, relevant=self.documents.relevant(case), ranking=self._ranking(found))
        return row, Timing(id=case.id, seconds=seconds)

    def outcome(self, case: Case, asked: Future[tuple[Row, Timing]]) -> tuple[Row, Timing]:
        """The scored row; a question that raised has its error in it and scores zero."""
        error = asked.exception()
        if error is None:
            row, timing = asked.result()
            if self.plan.judge and row.answer:
                judged = self.plan.judge.judge(case, row.answer)
                row = row.model_copy(update={"judged": judged})
        elif isinstance(error, Exception):
            failure = f"{type(error).__name__}: {error}"
            row = Row(case=case, relevant=self.documents.relevant(case), failure=failure)
            timing = Timing(id=case.id, seconds={})
        else:
            raise error
        scores = metrics.score(row, self.plan.usable)
        return row.model_copy(update={"scores": scores}), timing

    def _ranking(self, found: Sequence[ScoredPassage]) -> tuple[Ranked, ...]:
        """Documents by their best passage."""
        best: dict[str, float] = {}
        for scored in found:
            best.setdefault(self._name(scored.document.id), scored.score)
        ranked = [Ranked(document=name, score=score) for name, score in best.items()]
        return tuple(ranked[: self.plan.depth])

    def _name(self, document_id: str) -> str:
        return self.documents.names.get(document_id, document_id)

    def _without_chance(self, answer: Answer) -> Answer:
        """The answer less what changes from run to run and from machine to machine."""
        stages = tuple(stage.model_copy(update={"seconds": 0.0}) for stage in answer.trace.stages)
        passages = []
        for scored in answer.passages:
            document = scored.document.model_copy(
                update={"uri": self._name(scored.document.id), "marks": ()}
            )
            passages.append(scored.model_copy(update={"document": document}))
        return answer.model_copy(
            update={"id": "", "trace": Trace(stages=stages), "passages": tuple(passages)}
        )


def _turn(exchange: Exchange) -> Turn:
    """An earlier turn as the assistant would have it, had it said these words."""
    said = AnswerSentence(text=exchange.answer, citations=(), verdict="unchecked")
    answer = Answer(
        id="",
        question=exchange.question,
        query=exchange.question,
        status="answered" if exchange.answer else "not_in_documents",
        confidence=1.0 if exchange.answer else 0.0,
        sentences=(said,) if exchange.answer else (),
        settings_digest="",
    )
    return Turn(question=exchange.question, answer=answer)
