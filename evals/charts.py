"""Charts as inline SVG: small, offline, and in the colours of the page, light or dark.

Each function gives a string that is safe to put into HTML; every text in it is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.evals.summarizing import Latency

WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 42  # margins
LEGEND = 16  # its height
SHADES = ("one", "two")
BINS = 20
LEAST_IN_POINT, MOST_POINTS = 10, 10  # of the calibration curve
LONGEST_NAME = 20


def interval(value: float, low: float, high: float) -> str:
    """A figure between 0 and 1 as a point on its interval."""
    x, left, right = (4 + 152 * min(max(v, 0.0), 1.0) for v in (value, low, high))
    return (
        f'<svg class="strip" viewBox="0 0 160 14" role="img" '
        f'aria-label="{value:.3f}, from {low:.3f} to {high:.3f}">'
        f'<line class="grid" x1="4" x2="156" y1="7" y2="7"/>'
        f'<line class="range" x1="{left:.1f}" x2="{right:.1f}" y1="7" y2="7"/>'
        f'<circle class="one" cx="{x:.1f}" cy="7" r="3"/></svg>'
    )


def distributions(groups: Mapping[str, NDArray[np.float64]], what: str) -> str:
    """Two histograms over 0..1 as shares of their group, one above the axis, the other below it."""
    shares = [
        np.histogram(values, bins=BINS, range=(0, 1))[0] / max(len(values), 1)
        for values in groups.values()
    ]
    most = max(0.01, *(float(share.max()) for share in shares))
    middle = (TOP + LEGEND + HEIGHT - BOTTOM) / 2
    half = middle - TOP - LEGEND
    step = (WIDTH - LEFT - RIGHT) / BINS
    parts = _legend({f"{name}: {len(values)}": "" for name, values in groups.items()})
    for share, sign, shade in zip(shares, (-1, 1), SHADES, strict=True):
        for at, part in enumerate(map(float, share)):
            tall = half * part / most
            y = middle - tall if sign < 0 else middle
            title = f"<title>{at / BINS:.2f} to {(at + 1) / BINS:.2f}: {part:.1%}</title>"
            parts.append(
                f'<rect class="{shade}" x="{LEFT + at * step + 1:.1f}" y="{y:.1f}" '
                f'width="{step - 2:.1f}" height="{tall:.1f}">{title}</rect>'
            )
        parts.append(_text(LEFT - 6, middle + sign * half + 4, f"{most:.0%}", "tick end"))
    axis = f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{middle}" y2="{middle}"/>'
    return _figure([*parts, axis, *_x_ticks(what, lambda v: f"{v:g}", 1.0)])


def calibration(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> str:
    """How often answers of some confidence were right; on the diagonal it says what it means.

    Each point is as many answers as any other, with the 95 % interval of their share (Wilson 1927).
    """
    order = np.argsort(confidence, kind="stable")
    groups = np.array_split(order, min(MOST_POINTS, max(1, len(order) // LEAST_IN_POINT)))
    points = [
        (float(confidence[chosen].mean()), float(right[chosen].mean()), len(chosen))
        for chosen in groups
        if len(chosen)
    ]
    x, y = _scales(1.0, 1.0)
    parts = [*_y_grid(lambda v: f"{v:g}", 1.0)]
    parts.append(f'<line class="guide" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b, _ in points)
    parts.append(f'<polyline class="line" points="{path}"/>')
    for mean, share, number in points:
        low, high = _wilson(share, number)
        title = f"<title>{number} answers of confidence {mean:.2f}: {share:.0%} right</title>"
        parts.append(
            f'<line class="whisker" x1="{x(mean):.1f}" x2="{x(mean):.1f}" y1="{y(low):.1f}" '
            f'y2="{y(high):.1f}"/><circle class="one" cx="{x(mean):.1f}" cy="{y(share):.1f}" '
            f'r="4.5">{title}</circle>'
        )
    return _figure(parts + _x_ticks("confidence", lambda v: f"{v:g}", 1.0))


def _wilson(share: float, number: int) -> tuple[float, float]:
    z = 1.96
    centre = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = (
        z / (1 + z * z / number) * (share * (1 - share) / number + z * z / (4 * number**2)) ** 0.5
    )
    return max(0.0, centre - half), min(1.0, centre + half)


def shares(groups: Sequence[tuple[str, int, float]]) -> str:
    """A bar per group of questions, over 0..1: its name, how many they are, the share."""
    row, left = 24, 150
    scale = WIDTH - left - 96
    parts = []
    for at, (name, number, share) in enumerate(groups):
        y = 4 + at * row
        short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        parts.append(_text(left - 8, y + 13, short, "label end"))
        parts.append(
            f'<rect class="room" x="{left}" y="{y}" width="{scale}" height="17"/>'
            f'<rect class="one" x="{left}" y="{y}" width="{share * scale:.1f}" height="17">'
            f"<title>{escape(name)}</title></rect>"
        )
        parts.append(_text(left + scale + 6, y + 13, f"{share:.0%} of {number}", "tick start"))
    return _figure(parts, height=8 + row * len(groups))


def latency(stages: Sequence[Latency]) -> str:
    """A bar per stage: filled to the median, on to the 95th percentile in outline."""
    most = max((stage.p95 for stage in stages), default=0) * 1000 or 1
    row, left = 26, 110
    scale = (WIDTH - left - 120) / most
    parts = _legend({"median": "one", "95th percentile": "rest"})
    for at, stage in enumerate(stages):
        y, p50, p95 = TOP + LEGEND + at * row, stage.p50 * 1000, stage.p95 * 1000
        parts.append(_text(left - 8, y + 14, stage.stage, "label end"))
        parts.append(
            f'<rect class="rest" x="{left}" y="{y}" width="{p95 * scale:.1f}" height="18"/>'
            f'<rect class="one" x="{left}" y="{y}" width="{p50 * scale:.1f}" height="18"/>'
        )
        parts.append(
            _text(left + p95 * scale + 6, y + 14, f"{_ms(p50)} / {_ms(p95)} ms", "tick start")
        )
    return _figure(parts, height=TOP + LEGEND + 4 + row * len(stages))


def frontier(points: Sequence[tuple[float, float, str, bool]], what: str) -> str:
    """Quality over median seconds, numbered from 1; the points that nothing beats are joined."""
    slowest = max(point[0] for point in points) * 1.1 or 1.0
    qualities = [point[1] for point in points]
    low, high = min(qualities), max(qualities)
    pad = (high - low) * 0.15 or 0.01
    low, high = low - pad, min(high + pad, max(high, 1.0))
    x, unit = _scales(slowest, 1.0)

    def y(quality: float) -> float:
        return unit((quality - low) / (high - low))

    parts = [*_y_grid(lambda v: f"{low + v * (high - low):.3f}", 1.0)]
    best = sorted(point for point in points if point[3])
    path = " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in best)
    parts.append(f'<polyline class="line" points="{path}"/>')
    for number, (seconds, quality, label, on_it) in enumerate(points, start=1):
        title = f"<title>{escape(label)}: {quality:.4f}, {_ms(seconds * 1000)} ms</title>"
        parts.append(
            f'<circle class="{"one" if on_it else "rest"}" cx="{x(seconds):.1f}" '
            f'cy="{y(quality):.1f}" r="5">{title}</circle>'
        )
        parts.append(_text(x(seconds), y(quality) - 8, str(number), "tick middle"))
    label = f"median milliseconds; {what} upwards"
    return _figure(parts + _x_ticks(label, lambda v: _ms(v * 1000), slowest))


def _legend(names: Mapping[str, str]) -> list[str]:
    """Names beside squares of their shades, above the chart."""
    parts, x = [], float(LEFT)
    for (name, shade), other in zip(names.items(), SHADES, strict=True):
        parts.append(f'<rect class="{shade or other}" x="{x:.0f}" y="3" width="10" height="10"/>')
        parts.append(_text(x + 15, 12, name, "label"))
        x += 40 + 7 * len(name)
    return parts


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f}" if milliseconds < 10 else f"{milliseconds:.0f}"


def _scales(
    x_most: float, y_most: float
) -> tuple[Callable[[float], float], Callable[[float], float]]:
    return (
        lambda v: LEFT + (WIDTH - LEFT - RIGHT) * v / x_most,
        lambda v: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * v / y_most,
    )


def _x_ticks(what: str, form: Callable[[float], str], most: float) -> list[str]:
    x, _ = _scales(1.0, 1.0)
    ticks = [
        _text(x(at / 4), HEIGHT - BOTTOM + 17, form(most * at / 4), "tick middle")
        for at in range(5)
    ]
    return [*ticks, _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, what, "label middle")]


def _y_grid(form: Callable[[float], str], most: float) -> list[str]:
    _, y = _scales(1.0, 1.0)
    parts = []
    for at in range(5):
        height = y(at / 4)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}"/>'
        )
        parts.append(_text(LEFT - 6, height + 4, form(most * at / 4), "tick end"))
    return parts


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _figure(parts: Sequence[str], height: float = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img">{"".join(parts)}</svg>'
