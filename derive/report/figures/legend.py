"""A legend under a drawing: one row for each path, with a piece of its line, its name and what it stands for."""

from __future__ import annotations

from collections.abc import Sequence

from derive.records import dataclass
from derive.report.figures.bundles import role
from derive.report.figures.formula import measure
from derive.report.scene import Label, Line, Mark, Scene

SAMPLE = 1.1  # cm of line
GAP, APART = 0.2, 0.14  # cm between the parts of a row, and between rows
SIZES = (11.0, 10.0, 9.0, 8.0, 7.0, 6.0)  # points: the largest at which every row is as narrow as the page
WIDEST = 15.5  # cm


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: the name of a path (``path 1``) and the product that it stands for, both as LaTeX."""

    number: int
    name: str
    latex: str


def with_legend(scene: Scene, entries: Sequence[Entry]) -> Scene | None:
    """The drawing with its legend below; ``None`` where a row is too wide for a page."""
    for size in SIZES:
        names = max(measure(entry.name, size)[0] for entry in entries)
        start = SAMPLE + GAP + names + 1.5 * GAP
        width = start + max(measure(entry.latex, size)[0] for entry in entries)
        if width <= WIDEST:
            break
    else:
        return None
    marks: list[Mark] = []
    left = max(0.0, (scene.width - width) / 2)
    y = 0.0
    for entry in reversed(entries):
        box = measure(entry.latex, size)
        name = measure(entry.name, size)
        middle = y + max(box[1], name[1]) / 2
        look = role(entry.number)
        marks.append(Line(left, middle, left + SAMPLE, middle, look))
        marks.append(Label(left + SAMPLE + GAP + name[0] / 2, middle, entry.name, *name, role=look, size=size))
        marks.append(Label(left + start + box[0] / 2, middle, entry.latex, *box, role=look, size=size))
        y = middle + max(box[1], name[1]) / 2 + APART
    lift, aside = y + GAP, max(0.0, (width - scene.width) / 2)
    drawn = tuple(mark.moved(aside, lift) for mark in scene.marks)
    return Scene(max(scene.width, width), scene.height + lift, (*drawn, *marks))
