"""What the command line prints: results on stdout, messages and progress on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from assistant.types import (
        Answer,
        AnswerSentence,
        Conflict,
        Event,
        Failure,
        IndexReport,
        Matching,
        Progress,
        SyncPlan,
    )


def say(message: str) -> None:
    """A message for the person, on stderr, without control characters (T40)."""
    from assistant.normalizing import normalize

    typer.echo(normalize(message), err=True)


def show(result: BaseModel | Iterable[BaseModel], lines: Iterable[str], as_json: bool) -> None:
    """The result on stdout: its JSON, or the lines, without control characters (T40)."""
    if as_json:
        from pydantic import BaseModel

        if isinstance(result, BaseModel):
            typer.echo(result.model_dump_json(indent=2))
        else:
            items = [item.model_dump(mode="json") for item in result]
            typer.echo(json.dumps(items, indent=2, ensure_ascii=False))
    else:
        from assistant.normalizing import normalize

        for line in lines:
            typer.echo(normalize(line))


@contextmanager
def progress_bars() -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr while documents are read, embedded and published."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def update(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        yield update


def show_report(report: IndexReport, as_json: bool) -> None:
    counts = ", ".join(
        f"{len(getattr(report, what))} {what}"
        for what in ("added", "updated", "moved", "unchanged", "removed", "failed")
        if getattr(report, what)
    )
    live = f"{report.documents} documents, {report.passages} passages in the library"
    show(report, [f"{counts or 'nothing to do'}; {live}"], as_json)
    for failure in report.failed:
        say(f"failed {failure_line(failure)}")


def failure_line(failure: Failure) -> str:
    what = failure.message or failure.uri  # the message names the uri
    return f"({failure.reason}): {what}\n  try: {failure.hint}"


def plan_lines(plan: SyncPlan) -> Iterator[str]:
    for what in ("added", "updated", "removed"):
        for uri in getattr(plan, what):
            yield f"{what:9}{uri}"
    for move in plan.moved:
        yield f"moved    {move.old} -> {move.new}"
    for uri in plan.unreadable:
        yield f"cannot be read, kept as it is: {uri}"
    yield f"{plan.changes} changes, {plan.unchanged} documents unchanged"


def answer_lines(answer: Answer) -> Iterator[str]:
    if answer.status == "not_in_documents":
        yield "Not in the documents."
        if answer.passages:
            yield "\nNearest passages:"
        for scored in answer.passages[:3]:
            document = scored.document
            where = origin(document.source, document.published, scored.passage.locator)
            yield f"  - {document.title} ({where})\n    {one_line(scored.passage.text)}"
        return
    yield from _warning_lines(answer)
    yield answer.text
    yield f"(drafted by {answer.model}, proved as below)\n" if answer.model else ""
    yield from _source_lines(answer)
    for conflict in answer.conflicts:
        yield from _conflict_lines(conflict)
    if answer.timeline:
        yield "\nTimeline"
    for event in answer.timeline:
        yield from _event_lines(event)


def _warning_lines(answer: Answer) -> Iterator[str]:
    if answer.status == "partial":
        yield "Partial answer: the documents may not answer this, or only a part of it.\n"
    if answer.problem:
        yield f"{'Incomplete' if answer.incomplete else 'Quoted'}: {answer.problem.message}"
        yield f"  try: {answer.problem.hint}\n"


def _source_lines(answer: Answer) -> Iterator[str]:
    for sentence in answer.sentences:
        for cited in sentence.citations:
            where = origin(cited.source, cited.published, cited.locator)
            yield f'[{cited.marker}] {cited.title} ({where})\n    "{one_line(cited.quote, 400)}"'
        if saying := _saying(sentence):
            yield f"    {saying}"
    if count := answer.independent_sources:
        yield f"\n{count} independent source{'' if count == 1 else 's'}"


def _saying(sentence: AnswerSentence) -> str:
    """``claim, said by Sidorov``; empty for a plain statement."""
    said = f"said by {one_line(sentence.speaker)}" if sentence.speaker else ""
    stance = "" if sentence.stance == "fact" else sentence.stance
    return ", ".join(part for part in (stance, said) if part)


def _conflict_lines(conflict: Conflict) -> Iterator[str]:
    title = "The sources disagree" if conflict.kind == "conflict" else "It changed over time"
    yield f"\n{title}: {one_line(conflict.subject)}"
    wide = max(len(one_line(side.value, 40)) for side in conflict.sides)
    for side in conflict.sides:
        cited = side.citation
        where = origin(cited.source, cited.published, cited.locator)
        yield f"  {one_line(side.value, 40):{wide}}  {where} [{cited.marker}]"
        yield f'  {"":{wide}}  "{one_line(cited.quote, 300)}"'


def _event_lines(event: Event) -> Iterator[str]:
    cited = event.citation
    where = origin(cited.source, cited.published, cited.locator)
    yield f'  {event.date:21}  "{one_line(cited.quote, 300)}" [{cited.marker}]'
    yield f"  {'':21}  {where}; {event.reason}"


def say_left_out(matching: Matching) -> None:
    """Says what the filters did and the result does not show."""
    if not matching.documents:
        say("no document passes the filters")
    if matching.undated:
        say(f"left out because they have no date: {matching.undated} documents")


def origin(source: str, published: object, locator: str | None) -> str:
    return ", ".join(str(part) for part in (source, published or "undated", locator) if part)


def one_line(text: str, width: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
