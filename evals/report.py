"""One self-contained HTML page of a result file: figures, charts, and every question's evidence.

Nothing is fetched: styles, script and data stand in the page, and its content security policy
allows no other script and no request. Texts are escaped here or set as text by the script (T41).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from assistant.evals import charts, evidence, metrics
from assistant.evals.measures import Measure
from assistant.evals.outcomes import EXPLAINED
from assistant.evals.summarizing import Columns, Figure, Summary, columns, summarize
from assistant.evals.writing import write_text
from assistant.normalizing import normalize

TAGS_CHARTED = 8


def write(path: Path, target: Path) -> None:
    """The report of the complete result file at ``path``, written to ``target``."""
    table = columns(path)
    write_text(target, page(path, table, summarize(path, table)))


def page(path: Path, table: Columns, summary: Summary) -> str:
    """The report as HTML."""
    rows, details = evidence.collect(path, table)
    left = len(table.ids) - len(rows["list"])
    note = (
        f"The {len(rows['list'])} that went worst; {left} more are in the result file."
        if left
        else ""
    )
    return document(
        f"Evaluation: {summary.header.set}",
        [
            f'<div id="all"><h1>{_safe(summary.header.set)}</h1>',
            _meta(summary),
            f"<h2>What became of the questions</h2>{_outcomes(summary)}",
            f"<h2>Measures</h2>{_figures(summary.figures)}",
            f"<h2>Charts</h2>{_charts(table, summary)}",
            _by_tag(table),
            f'<h2>Questions</h2><p class="soft">{note}</p>{_questions(table, rows)}</div>',
            '<article id="detail" hidden></article>',
        ],
        {"rows": rows, "details": details},
    )


def document(title: str, body: Sequence[str], data: dict[str, Any] | None = None) -> str:
    """A whole page around ``body``; with ``data``, also the script that reads it."""
    folder = Path(__file__).parent
    style = (folder / "report.css").read_text(encoding="utf-8")
    script = (folder / "report.js").read_text(encoding="utf-8") if data else ""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    blocks = [
        f'<script type="application/json" id="{name}">{_json(value)}</script>'
        for name, value in (data or {}).items()
    ]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{_safe(title)}</title><style>{style}</style></head><body><main>",
            *body,
            "</main>",
            *blocks,
            f"<script>{script}</script></body></html>",
        ]
    )


def _safe(text: object) -> str:
    return escape(normalize(str(text)))


def _json(value: Any) -> str:
    """JSON that cannot end the element it stands in, its texts cleaned (T20)."""
    text = json.dumps(_clean(value), ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return normalize(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, (list, tuple)) else value


def _meta(summary: Summary) -> str:
    header = summary.header
    facts = {
        "questions": header.questions,
        "set": header.set_digest,
        "collection": header.collection_digest,
        "settings": header.settings_digest,
        "documents ranked": header.depth,
        "judge": header.judge,
        **header.versions,
    }
    items = "".join(f"<li>{_safe(k)} {_safe(v)}</li>" for k, v in facts.items() if v is not None)
    chosen = ", ".join(
        f"{group}.{field} = {value}"
        for group, fields in header.settings.items()
        for field, value in fields.items()
    )
    more = f"<details><summary>all settings</summary>{_safe(chosen)}</details>" if chosen else ""
    return f'<ul class="meta">{items}</ul><div class="meta">{more}</div>'


def _outcomes(summary: Summary) -> str:
    most = max(summary.outcomes.values())
    lines = []
    for name, count in summary.outcomes.items():
        kind = "row right" if name == "right" else "row"
        share = count / summary.header.questions
        lines.append(
            f'<div class="{kind}"><span>{_safe(name)}</span><span class="value">'
            f'<span class="bar" style="width:{count / most * 70:.1f}%"></span>'
            f'{count} ({share:.0%})</span><span class="soft">{_safe(EXPLAINED[name])}</span></div>'
        )
    return f'<div class="outcomes">{"".join(lines)}</div>'


def _figures(figures: Sequence[Figure]) -> str:
    lines = []
    for figure in figures:
        if figure.value is None or figure.low is None or figure.high is None:
            continue
        measure = metrics.parse(figure.measure)
        judged = ' <span class="judged">judged by a model</span>' if figure.judged else ""
        bounded = measure.high == 1
        strip = charts.interval(figure.value, figure.low, figure.high) if bounded else ""
        lines.append(
            f'<tr><th scope="row">{_safe(figure.measure)}{judged}</th>'
            f'<td class="num"><strong>{figure.value:.3f}</strong></td><td>{strip}</td>'
            f'<td class="num">{figure.low:.3f} to {figure.high:.3f}</td>'
            f'<td class="num">{figure.questions}</td>'
            f'<td class="sentence">{_safe(measure.sentence)}{_source(measure)}</td></tr>'
        )
    heads = ("measure", "value", "0 to 1", "95 % interval", "questions", "what it says")
    numeric = {"value", "95 % interval", "questions"}
    return _table([_head(name, name in numeric) for name in heads], lines, " class=measures")


def _source(measure: Measure) -> str:
    return "" if measure.source == "own" else f" ({_safe(measure.source)})"


def _charts(table: Columns, summary: Summary) -> str:
    labelled = {"answerable": table.answerable == 1, "not answerable": table.answerable == 0}
    groups = {name: table.confidence[chosen] for name, chosen in labelled.items()}
    figures = []
    answered = not summary.header.search_only
    if answered and any(len(group) for group in groups.values()):
        figures.append(
            ("Confidence, answerable against not", charts.distributions(groups, "confidence"))
        )
    if (shown := table.shown).any():
        curve = charts.calibration(table.confidence[shown], table.right[shown])
        figures.append(("Share of the answers shown that is right, by confidence", curve))
    if summary.latency:
        figures.append(("Latency by stage", charts.latency(summary.latency)))
    if answered and (tagged := _members(table)):
        by_tag = [
            (normalize(tag), len(at), float(table.right[at].mean()))
            for tag, at in tagged[:TAGS_CHARTED]
        ]
        figures.append(("Right, by tag", charts.shares(by_tag)))
    parts = [f"<figure><h3>{_safe(title)}</h3>{svg}</figure>" for title, svg in figures]
    return f'<div class="charts">{"".join(parts)}</div>'


def _members(table: Columns) -> list[tuple[str, list[int]]]:
    """Every tag and the questions that have it, the most frequent first."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for at, tags in enumerate(table.tags):
        for tag in tags:
            members[tag].append(at)
    return sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))


def _by_tag(table: Columns) -> str:
    """Each tag's mean in the measures of single questions that are between 0 and 1."""
    members = _members(table)
    names = [
        name
        for name, scores in table.scores.items()
        if metrics.parse(name).high == 1 and not np.isnan(scores).all()
    ]
    if not members or not names:
        return ""
    lines = []
    for tag, which in members:
        cells = "".join(_cell(table.scores[name][which]) for name in names)
        lines.append(
            f'<tr><th scope="row">{_safe(tag)}</th><td class="num">{len(which)}</td>{cells}</tr>'
        )
    heads = [_head("tag", False), *(_head(name, True) for name in ("questions", *names))]
    return f"<h2>Measures by tag</h2>{_table(heads, lines)}"


def _table(heads: Sequence[str], lines: Sequence[str], mark: str = "") -> str:
    return (
        f'<div class="scroll"><table{mark}><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _head(name: str, numeric: bool) -> str:
    return f'<th class="num">{_broken(name)}</th>' if numeric else f"<th>{_safe(name)}</th>"


def _broken(name: str) -> str:
    """Safe, and with places where a narrow column may break the line."""
    return _safe(name).replace("_", "_<wbr>").replace("@", "<wbr>@" if len(name) > 5 else "@")


def _cell(scores: Any) -> str:
    present = scores[~np.isnan(scores)]
    if not len(present):
        return '<td class="num soft">–</td>'
    mean = float(present.mean())
    return f'<td class="cell num"><i style="width:{mean * 94:.0f}%"></i><b>{mean:.2f}</b></td>'


def _questions(table: Columns, rows: dict[str, Any]) -> str:
    """The controls and the empty table that the script fills."""
    sortable = [("confidence", -1), *((name, at) for at, name in enumerate(rows["columns"]))]
    heads = [
        *(_head(name, False) for name in ("id", "question", "tags", "outcome")),
        *(
            f'<th class="num"><button value="{at}">{_broken(name)} ↕</button></th>'
            for name, at in sortable
        ),
    ]
    outcomes = [
        ("!right", "all but right"),
        *((name, name) for name in dict.fromkeys(table.outcomes)),
    ]
    tags = sorted({tag for row in rows["list"] for tag in row["tags"]})
    label = "words in id or question"
    return (
        f'<div class="controls"><input id="find" type="search" placeholder="{label}" '
        f'aria-label="{label}">{_select("outcome", outcomes)}'
        f"{_select('tag', [(tag, tag) for tag in tags])}"
        '<span id="count" class="soft"></span></div>'
        f"{_table(heads, (), ' id=questions')}"
        '<p><button id="more" hidden>show more</button></p>'
    )


def _select(what: str, options: Sequence[tuple[str, str]]) -> str:
    inner = "".join(f'<option value="{_safe(v)}">{_safe(text)}</option>' for v, text in options)
    every = f'<option value="">every {what}</option>'
    return f'<select id="{what}" aria-label="{what}">{every}{inner}</select>'
