"""Curves over a horizontal axis, as straight lines of a scene: a loss over its updates, an error over architectures.

Everything is placed by numbers that do not depend on the machine; the vertical axis is logarithmic where values span
more than a decade or two, which is where a linear one would show a corner and a flat line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from derive.records import dataclass
from derive.report.figures.formula import measure
from derive.report.scene import Circle, Label, Line, Mark, Polyline, Scene

WIDTH, HEIGHT = 12.5, 5.6  # cm of the whole drawing
SIZE = 8.0  # points of every label
TICK, GAP, DOT = 0.1, 0.12, 0.06  # cm: a tick, the room beside it, the radius of a point
BUCKETS = 90  # a long curve is drawn by the lowest and the highest point of so many pieces
LOG_FROM = 30.0  # largest over smallest value from which on the vertical axis is logarithmic


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from left to right, with a name for the legend (LaTeX; empty for none); ``dots`` marks each point."""

    points: tuple[tuple[float, float], ...]
    role: str
    latex: str = ""
    dashed: bool = False
    dots: bool = False


def chart(
    curves: Sequence[Curve], across: str, up: str, ticks: Sequence[tuple[float, str]] | None = None
) -> Scene | None:
    """The curves on common axes named ``across`` and ``up``; ``None`` where the values span more than numbers can hold.

    ``ticks`` replaces round numbers on the horizontal axis by places with names of their own.
    """
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points]
    left, right = min(xs), max(xs)
    if ticks is not None:  # named places stand clear of the axes
        margin = 0.06 * ((right - left) or 1.0)
        left, right = left - margin, right + margin
    right = right if right > left else left + 1.0
    logarithmic = min(ys) > 0 and max(ys) / min(ys) >= LOG_FROM
    scale = math.log10 if logarithmic else float
    low, high = min(map(scale, ys)), max(map(scale, ys))
    if not math.isfinite(high - low):
        return None
    if logarithmic:
        rows = _powers(low, high)
    else:
        low = min(low, 0.0) if low > 0 and low < 0.6 * high else low
        rows = _round(low, high if high > low else low + (abs(low) or 1.0), 5)
    low, high = min(low, rows[0][0]), max(high, rows[-1][0])
    columns = list(ticks) if ticks is not None else _round(left, right, 6)
    columns = [tick for tick in columns if left <= tick[0] <= right]

    axis_x = max(measure(latex, SIZE)[0] for _, latex in rows) + TICK + 2 * GAP
    axis_y = TICK + 0.75
    title, named = measure(across, SIZE)[0], [curve for curve in curves if curve.latex]
    end_x, end_y = WIDTH - 0.35, HEIGHT - 0.55

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            round(axis_x + (x - left) / (right - left) * (end_x - axis_x - 0.25), 3),
            round(axis_y + 0.1 + (scale(y) - low) / (high - low) * (end_y - axis_y - 0.3), 3),
        )

    marks: list[Mark] = []
    unscale = (lambda value: 10.0**value) if logarithmic else float
    for place, latex in rows:
        y = at(left, unscale(place))[1]
        width, height = measure(latex, SIZE)
        marks.append(Line(axis_x, y, end_x - 0.25, y, "grid", arrow=False))
        marks.append(Line(axis_x - TICK, y, axis_x, y, "plain", arrow=False))
        marks.append(Label(axis_x - TICK - GAP - width / 2, y, latex, width, height, size=SIZE))
    for place, latex in columns:
        x = at(place, unscale(low))[0]
        width, height = measure(latex, SIZE)
        marks.append(Line(x, axis_y - TICK, x, axis_y, "plain", arrow=False))
        marks.append(Label(x, axis_y - TICK - 0.2, latex, width, height, size=SIZE))
    marks.append(Line(axis_x, axis_y, end_x, axis_y, "plain"))
    marks.append(Line(axis_x, axis_y, axis_x, end_y, "plain"))
    width, height = measure(up, SIZE)
    marks.append(Label(max(axis_x, width / 2 + 0.02), end_y + 0.25, up, width, height, size=SIZE))
    marks.append(Label(end_x - title / 2, 0.15, across, title, 0.3, size=SIZE))
    for curve in curves:
        places = [at(x, y) for x, y in _thinned(curve.points)]
        marks.append(Polyline(tuple(places), curve.role, curve.dashed))
        if curve.dots:
            marks += [Circle(x, y, DOT, "", curve.role) for x, y in places]
    x = end_x
    for curve in reversed(named):
        width, height = measure(curve.latex, SIZE)
        x -= width
        marks.append(Label(x + width / 2, end_y + 0.25, curve.latex, width, height, size=SIZE))
        marks.append(Line(x - 0.75, end_y + 0.25, x - 0.15, end_y + 0.25, curve.role, arrow=False, dashed=curve.dashed))
        if curve.dots:
            marks.append(Circle(x - 0.45, end_y + 0.25, DOT, "", curve.role))
        x -= 1.1
    return Scene(WIDTH, HEIGHT, tuple(marks))


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Few enough points to draw, with every peak and every valley as deep as it is."""
    if len(points) <= 2 * BUCKETS:
        return list(points)
    kept = {0, len(points) - 1}
    for bucket in range(BUCKETS):
        piece = range(bucket * len(points) // BUCKETS, (bucket + 1) * len(points) // BUCKETS)
        kept |= {min(piece, key=lambda k: points[k][1]), max(piece, key=lambda k: points[k][1])}
    return [points[k] for k in sorted(kept)]


def _round(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """At most ``most`` + 1 round numbers between two numbers, each with its LaTeX."""
    raw = (high - low) / most
    power = math.floor(math.log10(raw))
    step = next(digit for digit in (1, 2, 5, 10) if digit * 10.0**power >= raw * 0.999)
    if step == 10:
        step, power = 1, power + 1
    unit = step * 10.0**power
    first, last = math.ceil(low / unit - 1e-9), math.floor(high / unit + 1e-9)
    return [(k * unit, _number(k * step, power)) for k in range(first, last + 1)]


def _number(digits: int, power: int) -> str:
    """``digits`` times a power of ten, written out where that is short."""
    if digits == 0:
        return "0"
    if 0 <= power <= 5:
        return str(digits * 10**power)
    if -5 <= power < 0:
        sign, text = ("-" if digits < 0 else ""), str(abs(digits)).rjust(1 - power, "0")
        return f"{sign}{text[:power]}.{text[power:]}"
    return rf"{digits} \cdot 10^{{{power}}}"


def _powers(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten around two logarithms, at most seven."""
    first, last = math.floor(low), math.ceil(high)
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200) if (last - first) / s <= 6)
    found = [k for k in range(first, last + step) if k % step == 0 and k < last + step]
    found = [k for k in found if low - 0.4 * step <= k <= high + 0.4 * step]
    return [(float(k), rf"10^{{{k}}}") for k in found]
