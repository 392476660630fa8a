"""Small charts as SVG text."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Line", "bars", "lines"]

WIDTH, HEIGHT, LEFT, BOTTOM = 460, 240, 44, 34
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700")


@dataclass(frozen=True, slots=True)
class Line:
    """One named curve of points in data coordinates."""

    name: str
    points: Sequence[tuple[float, float]]


def lines(curves: Sequence[Line], *, title: str, across: str, log: bool = False) -> str:
    """Return a chart of curves whose values lie within 0…1."""
    xs = [_scale(x, log) for curve in curves for x, _ in curve.points] or [0.0]
    low, high = min(xs), max([*xs, min(xs) + 1e-9])
    drawn = []
    for colour, curve in zip(COLOURS, curves, strict=False):
        at = ((_x((_scale(x, log) - low) / (high - low)), _y(y)) for x, y in curve.points)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    ends = (str(curves[0].points[0][0]), str(curves[0].points[-1][0])) if curves else ("", "")
    return _frame(title, across, ends, drawn, [curve.name for curve in curves])


def bars(groups: Sequence[tuple[str, Sequence[float]]], *, title: str, across: str) -> str:
    """Return overlaid histograms of values within 0…1, each as shares of its own group."""
    cells, drawn = 25, []
    for colour, (_, values) in zip(COLOURS, groups, strict=False):
        counts = [0] * cells
        for value in values:
            counts[min(cells - 1, max(0, int(value * cells)))] += 1
        top = max(counts) or 1
        for cell, count in enumerate(counts):
            x, y = _x(cell / cells), _y(count / top)
            drawn.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{(WIDTH - LEFT) / cells - 1:.1f}" '
                f'height="{_y(0) - y:.1f}" fill="{colour}" fill-opacity="0.5"/>'
            )
    return _frame(title, across, ("0", "1"), drawn, [name for name, _ in groups])


def _scale(x: float, log: bool) -> float:
    return math.log10(x) if log else x


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - 8)


def _y(share: float) -> float:
    return 24 + (1 - share) * (HEIGHT - BOTTOM - 24)


def _text(x: float, y: float, text: str, anchor: str = "middle", fill: str = "#57606a") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{fill}">'
        f"{html.escape(text)}</text>"
    )


def _frame(
    title: str, across: str, ends: tuple[str, str], drawn: Iterable[str], names: Sequence[str]
) -> str:
    grid = [
        f'<line x1="{LEFT}" x2="{WIDTH - 8}" y1="{_y(v):.1f}" y2="{_y(v):.1f}" stroke="#d0d7de"/>'
        + _text(LEFT - 6, _y(v) + 4, f"{v:g}", "end")
        for v in (0, 0.25, 0.5, 0.75, 1)
    ]
    legend = [
        _text(WIDTH - 12, 40 + 16 * n, name, "end", colour)
        for n, (name, colour) in enumerate(zip(names, COLOURS, strict=False))
    ]
    axis = [
        _text(LEFT, HEIGHT - 16, ends[0], "start"),
        _text(WIDTH - 8, HEIGHT - 16, ends[1], "end"),
        _text((WIDTH + LEFT) / 2, HEIGHT - 4, across),
        _text((WIDTH + LEFT) / 2, 14, title, fill="#1f2328"),
    ]
    body = "".join([*grid, *drawn, *legend, *axis])
    label = html.escape(title)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{body}</svg>'
