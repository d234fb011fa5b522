"""What happened when and what sources disagree on: tables of safe HTML, and plain text."""

from __future__ import annotations

import calendar
from collections.abc import Iterator

from assistant.types import Answer, Conflict
from assistant.ui.markup import day, marker, origin, safe


def conflicts(answer: Answer) -> str:
    return "".join(_conflict(answer, number) for number in range(len(answer.conflicts)))


def _conflict(answer: Answer, number: int) -> str:
    conflict = answer.conflicts[number]
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{safe(side.value)}</th><td>{safe(c.source)}</td>'
        f'<td class="when">{day(c.published)}</td><td dir="auto">“{safe(c.quote)}”'
        f"{marker(f'{answer.id}/c{number}.{i}', c)}</td></tr>"
        for i, side in enumerate(conflict.sides)
        for c in [side.citation]
    )
    return _table("conflict", _title(conflict), conflict.subject, "Value Who When Words", rows)


def timeline(answer: Answer) -> str:
    rows = "".join(
        f'<tr><th scope="row" class="when" title="{safe(event.reason)}">{safe(moment(event.date))}'
        f'</th><td dir="auto">“{safe(c.quote)}”{marker(f"{answer.id}/t{i}", c)}'
        f'<span class="how">{safe(event.reason)}</span></td><td>{safe(c.source)}</td></tr>'
        for i, event in enumerate(answer.timeline)
        for c in [event.citation]
    )
    return _table("timeline", "Timeline", "", "Date Words Who", rows) if rows else ""


def _table(kind: str, title: str, subject: str, columns: str, rows: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in columns.split())
    about = f" {safe(subject)}" if subject else ""
    colon = ":" if subject else ""
    return (
        f'<div class="{kind}"><table><caption><strong>{title}{colon}</strong>{about}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _title(conflict: Conflict) -> str:
    return "The sources disagree" if conflict.kind == "conflict" else "It changed over time"


def moment(date: str) -> str:
    """``13 September 2022`` of ``2022-09-13``; ``September 2022``, ``13 September``, ``2022``."""
    year, month, day_of_month = ([*date.removeprefix("--").split("-"), "", ""])[:3]
    if date.startswith("--"):
        year, month, day_of_month = "", year, month
    name = calendar.month_name[int(month)] if month.isdecimal() and 1 <= int(month) <= 12 else month
    return " ".join(part for part in (day_of_month.lstrip("0"), name, year) if part)


def plain_conflicts(answer: Answer) -> Iterator[str]:
    for conflict in answer.conflicts:
        yield f"{_title(conflict)}: {conflict.subject}"
        for side in conflict.sides:
            c = side.citation
            yield f"- {side.value} ({origin(c.source, c.published, c.locator)}): “{c.quote}”"
        yield ""


def plain_timeline(answer: Answer) -> Iterator[str]:
    for event in answer.timeline:
        c = event.citation
        where = origin(c.source, c.published, c.locator)
        yield f"- {moment(event.date)}: “{c.quote}” ({where})"
    if answer.timeline:
        yield ""
