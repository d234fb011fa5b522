"""Many settings, one set: quality against latency, re-indexed only where the index must differ."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from assistant.errors import SettingsError
from assistant.evals import charts, collection, report, runner, summarizing
from assistant.evals.cases import EvaluationSet
from assistant.evals.errors import MeasureError
from assistant.evals.runner import Plan
from assistant.evals.summarizing import Summary
from assistant.settings import Settings
from assistant.types import Shape

HINT = "write it as --vary retrieval.dense_weight=0.4,0.5"

Values = dict[str, dict[str, Any]]  # group -> field -> value


class Point(Shape):
    """One combination of settings, and what it came to."""

    settings: dict[str, str]
    summary: Summary
    quality: float  # the measure that the sweep is about; 0 where it has no value
    interval: str  # its 95 % interval
    seconds: float  # the median question
    results: Path
    on_frontier: bool = False  # no other is both as good and as fast, and better in one


class Sweep(Shape):
    measure: str
    points: tuple[Point, ...]


def variations(texts: Sequence[str]) -> list[dict[str, str]]:
    """All combinations of ``group.field=value,value``, in order, the last varying fastest.

    Raises SettingsError for a text of another form; values are checked when settings are loaded.
    """
    axes = []
    for text in texts:
        key, _, values = text.partition("=")
        if key.count(".") != 1 or not values:
            raise SettingsError(f"{text!r} varies nothing", HINT)
        axes.append([(key, value) for value in values.split(",")])
    return [dict(choice) for choice in itertools.product(*axes)]


def sweep(
    base: Settings,
    config: Path | None,
    evaluation_set: EvaluationSet,
    combinations: Sequence[dict[str, str]],
    plan: Plan,
    measure: str,
    on_point: Callable[[int, int, dict[str, str]], None] | None = None,
) -> Sweep:
    """The set run under every combination, over the documents of ``base``'s library.

    Where chunking or embedding differ from base's, a copy of the library is indexed again in a
    directory below it, once for each such difference. Before anything runs, raises SettingsError
    for a value that a setting does not take, MeasureError for a measure that is not taken.
    """
    if measure not in {taken.name for taken in plan.usable}:
        raise MeasureError(f"{measure} needs an answer", "leave out --search-only")
    loaded = [_settings(base, config, choice) for choice in combinations]
    points = []
    for number, (choice, settings) in enumerate(zip(combinations, loaded, strict=True)):
        if on_point:
            on_point(number, len(combinations), choice)
        _index_where_needed(base, settings)
        points.append(_measure(settings, evaluation_set, plan, measure, choice))
    return Sweep(measure=measure, points=tuple(_with_frontier(points)))


def _settings(base: Settings, config: Path | None, choice: dict[str, str]) -> Settings:
    groups: Values = {"library": {"data": base.library.data}}
    for key, value in choice.items():
        group, field = key.split(".")
        groups.setdefault(group, {})[field] = value
    settings = Settings.load(config, **groups)
    if _index_key(settings) == _index_key(base):
        return settings
    groups["library"]["data"] = base.library.data / "sweeps" / _index_key(settings)
    return Settings.load(config, **groups)


def _index_key(settings: Settings) -> str:
    """What an index depends on, as 12 hex digits."""
    model = settings.models.model_dump_json(include={"embedding", "precision", "document_prompt"})
    text = settings.chunking.model_dump_json() + model
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _index_where_needed(base: Settings, settings: Settings) -> None:
    """Copies the base's library and indexes it anew, unless that was done for these documents."""
    from assistant.backup import backup, restore
    from assistant.pipeline import Assistant

    target = settings.library.data
    if target == base.library.data:
        return
    with Assistant.from_settings(base) as assistant:
        digest = collection.read(assistant).digest
    done, packed = target.with_suffix(".done"), target.with_suffix(".backup")
    if done.exists() and done.read_text() == digest:
        return
    done.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    backup(base.library.data, packed)
    restore(packed, target)
    packed.unlink()
    with Assistant.from_settings(settings) as assistant:
        assistant.rebuild(embed=True)
    done.write_text(digest)


def _measure(
    settings: Settings,
    evaluation_set: EvaluationSet,
    plan: Plan,
    measure: str,
    choice: dict[str, str],
) -> Point:
    from assistant.pipeline import Assistant

    with Assistant.from_settings(settings) as assistant:
        path = runner.run(assistant, evaluation_set, plan)
    summary = summarizing.summarize(path)
    return Point(
        settings=choice,
        summary=summary,
        quality=summary.value(measure) or 0.0,
        interval=_interval(summary, measure),
        seconds=next((s.p50 for s in summary.latency if s.stage == "total"), 0.0),
        results=path,
    )


def _interval(summary: Summary, measure: str) -> str:
    for figure in summary.figures:
        if figure.measure == measure and figure.low is not None:
            return f"{figure.low:.3f} to {figure.high:.3f}"
    return "no value"


def _with_frontier(points: Sequence[Point]) -> list[Point]:
    def beaten(point: Point) -> bool:
        return any(
            other.quality >= point.quality
            and other.seconds <= point.seconds
            and (other.quality, -other.seconds) != (point.quality, -point.seconds)
            for other in points
        )

    return [point.model_copy(update={"on_frontier": not beaten(point)}) for point in points]


def named(settings: dict[str, str]) -> str:
    """``retrieval.k=5 chunking.size=150``."""
    return " ".join(f"{key}={value}" for key, value in settings.items())


def lines(sweep: Sweep) -> list[str]:
    """The sweep as a table to read in a terminal; * marks the frontier."""
    width = max(len(sweep.measure), 7)
    out = [f"  {sweep.measure:>{width}}  95 % interval   p50 ms  settings"]
    for point in sweep.points:
        mark = "*" if point.on_frontier else " "
        out.append(
            f"{mark} {point.quality:{width}.4f}  {point.interval:14} {point.seconds * 1000:7.0f}  "
            f"{named(point.settings)}"
        )
    return [*out, "* no other is as good and as fast, and better in one of the two"]


def page(sweep: Sweep, set_name: str) -> str:
    """The sweep as one self-contained HTML page, the best first."""
    points = sorted(sweep.points, key=lambda point: (-point.quality, point.seconds))
    chart = charts.frontier(
        [(p.seconds, p.quality, named(p.settings), p.on_frontier) for p in points], sweep.measure
    )
    lines = [
        f"<tr><td class='num'>{number}</td><td>{escape(named(point.settings))}</td>"
        f"<td class='num'>{point.quality:.4f}</td><td class='num'>{point.interval}</td>"
        f"<td class='num'>{point.seconds * 1000:.0f}</td>"
        f"<td>{'on the frontier' if point.on_frontier else ''}</td></tr>"
        for number, point in enumerate(points, start=1)
    ]
    measure = escape(sweep.measure)
    heads = ("", "settings", measure, "95 % interval", "p50 ms", "")
    return report.document(
        f"Sweep: {set_name}",
        [
            f"<h1>{escape(set_name)}: {measure} against latency</h1>",
            "<p class='soft'>Joined: no other is as good and as fast, and better in one.",
            f"</p><figure class='single'>{chart}</figure><h2>Settings</h2>",
            "<div class='scroll'><table><thead><tr>",
            *(
                f"<th{' class=num' if at in {2, 3, 4} else ''}>{h}</th>"
                for at, h in enumerate(heads)
            ),
            "</tr></thead><tbody>",
            *lines,
            "</tbody></table></div>",
        ],
    )
