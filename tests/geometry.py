"""Geometry for tests of drawings, told without the layout's own: what touches what."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from derive.report.drawing import STROKES
from derive.report.figures.bundles import WIDEST
from derive.report.figures.formula import CM_PER_POINT
from derive.report.figures.labels import rectangle
from derive.report.scene import PATHS, Box, Circle, Label, Line, Scene, Tiles

Point = tuple[float, float]


def corners(label: Label) -> list[Point]:
    """The corners of a label's box."""
    c, s = math.cos(math.radians(label.angle)), math.sin(math.radians(label.angle))
    w, h = label.width / 2, label.height / 2
    return [(label.x + c * u - s * v, label.y + s * u + c * v) for u, v in ((-w, -h), (w, -h), (w, h), (-w, h))]


def apart(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Whether two convex shapes do not meet: a line parallel to a side of either lies between them."""
    for shape in (one, other):
        for (x1, y1), (x2, y2) in zip(shape, (*shape[1:], shape[0]), strict=True):
            nx, ny = y2 - y1, x1 - x2
            here = [nx * x + ny * y for x, y in one]
            there = [nx * x + ny * y for x, y in other]
            if max(here) < min(there) or max(there) < min(here):
                return True
    return False


def distance(point: Point, start: Point, end: Point) -> float:
    """From a point to a segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    t = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / (dx * dx + dy * dy)
    t = min(1.0, max(0.0, t))
    return math.dist(point, (start[0] + t * dx, start[1] + t * dy))


def _stroke(line: Line) -> list[Point]:
    """A line as wide as it is drawn, where that is more than a hair."""
    start, end = (line.x1, line.y1), (line.x2, line.y2)
    if line.role not in STROKES:
        return [start, end]
    half = STROKES[line.role][0] * CM_PER_POINT / 2 / math.dist(start, end)
    dx, dy = half * (line.y2 - line.y1), half * (line.x1 - line.x2)
    return [(x + k * dx, y + k * dy) for (x, y), k in ((start, 1), (end, 1), (end, -1), (start, -1))]


def _own(label: Label, line: Line) -> bool:
    """Whether a label on a ground of its own stands on this line, or across the bundle that the line is one of."""
    away = distance((label.x, label.y), (line.x1, line.y1), (line.x2, line.y2))
    turn = label.angle - math.degrees(math.atan2(line.y2 - line.y1, line.x2 - line.x1))
    bundled = line.role in PATHS and abs(math.sin(math.radians(turn))) < 1e-6 and away < WIDEST / 2 + 1e-6
    return label.ground and (away < 1e-6 or bundled)


def collisions(scene: Scene) -> list[str]:
    """Everything that touches what it must not, in words; and what leaves the drawing."""
    labels = [mark for mark in scene.marks if isinstance(mark, Label)]
    circles = [mark for mark in scene.marks if isinstance(mark, Circle)]
    lines = [mark for mark in scene.marks if isinstance(mark, Line)]
    homes = {label: [c for c in circles if math.dist((c.x, c.y), (label.x, label.y)) < c.radius] for label in labels}
    free = [label for label in labels if not homes[label]]
    pairs = itertools.combinations(labels, 2)
    found = [f"{a.latex} touches {b.latex}" for a, b in pairs if not apart(corners(a), corners(b))]
    for label in free:
        box = corners(label)
        for line in lines:
            if not _own(label, line) and not apart(box, _stroke(line)):
                found.append(f"{label.latex} touches a line")
        for circle in circles:
            middle = (circle.x, circle.y)
            sides = zip(box, box[1:] + box[:1], strict=True)
            if min(distance(middle, a, b) for a, b in sides) < circle.radius:
                found.append(f"{label.latex} touches the circle of {circle.latex}")
        if any(not (0 <= x <= scene.width and 0 <= y <= scene.height) for x, y in box):
            found.append(f"{label.latex} leaves the drawing")
    for label, homed in homes.items():
        for circle in homed:
            ink = [(x, label.y + 0.8 * (y - label.y)) for x, y in corners(label)]
            if any(math.dist((circle.x, circle.y), corner) > circle.radius for corner in ink):
                found.append(f"{label.latex} leaves its circle")
    for label, around in itertools.product(labels, [mark for mark in scene.marks if isinstance(mark, Box | Tiles)]):
        if not apart(corners(label), rectangle(around.x, around.y, around.width, around.height).corners):
            found.append(f"{label.latex} touches the box of {getattr(around, 'latex', 'tiles')}")
    for circle in circles:
        for line in lines:
            touching = distance((circle.x, circle.y), (line.x1, line.y1), (line.x2, line.y2)) < circle.radius - 1e-6
            if touching and (line.role in ("edge", "bias-edge") or (line.role == "faded" and line.arrow)):
                found.append(f"an edge runs through {circle.latex}")
            inside = distance((circle.x, circle.y), (line.x1, line.y1), (line.x2, line.y2)) < circle.radius - 0.04
            if inside and line.role in PATHS:
                found.append(f"a path runs through {circle.latex}")
    for one, other in itertools.combinations(circles, 2):
        if math.dist((one.x, one.y), (other.x, other.y)) < one.radius + other.radius:
            found.append(f"{one.latex} touches {other.latex}")
    return found
