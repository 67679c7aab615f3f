"""Dark squares that touch: each row's runs as rectangles, all in one path, so that no seam shows between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.report.scene import Modules

Rectangle = tuple[float, float, float, float]


def rectangles(mark: Modules) -> Iterator[Rectangle]:
    """The left, lower, right and upper border of every run of dark squares in a row."""
    rows, columns = len(mark.dark), len(mark.dark[0])
    width, height = mark.width / columns, mark.height / rows
    for i, row in enumerate(mark.dark):
        top = mark.y + mark.height / 2 - i * height
        start: int | None = None
        for j, dark in enumerate((*row, False)):
            if dark and start is None:
                start = j
            elif not dark and start is not None:
                left = mark.x - mark.width / 2
                yield left + start * width, top - height, left + j * width, top
                start = None


TYPST_STYLES = """#let derive-run((x1, y1, x2, y2)) = (
  curve.move((x1, y1)), curve.line((x2, y1)), curve.line((x2, y2)), curve.line((x1, y2)), curve.close(mode: "straight"),
)
#let derive-modules(..runs) = place(top + left, curve(fill: black, ..runs.pos().map(derive-run).flatten()))
"""


def to_tikz(mark: Modules, at: Callable[[float, float], str]) -> str:
    """One path; ``at`` writes a place."""
    boxes = (f"{at(left, low)} rectangle {at(right, high)}" for left, low, right, high in rectangles(mark))
    return "\\fill[black] " + "\n  ".join(boxes) + ";"


def to_typst(mark: Modules, at: Callable[[float, float], str]) -> str:
    """One call; ``at`` writes a place."""
    runs = (f"({at(left, high)}, {at(right, low)})" for left, low, right, high in rectangles(mark))
    return f"  derive-modules({', '.join(runs)},)"


def to_svg(mark: Modules, x: Callable[[float], float], y: Callable[[float], float], n: Callable[[float], str]) -> str:
    """One path."""
    runs = (
        f"M{n(x(left))} {n(y(high))}H{n(x(right))}V{n(y(low))}H{n(x(left))}Z"
        for left, low, right, high in rectangles(mark)
    )
    return f'<path d="{"".join(runs)}" fill="#000000"/>'
