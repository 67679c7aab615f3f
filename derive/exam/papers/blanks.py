"""What is to be filled in: empty matrices in the shape of what is asked, drawn so that a number fits by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import pi, sin

from derive.records import dataclass
from derive.report.catalogue import Catalogue
from derive.report.document import Figure
from derive.report.scene import Box, Label, Polyline, Scene
from derive.report.speech import spoken
from derive.report.widths import bound

CELL_WIDTH, CELL_HEIGHT = 1.6, 0.9  # cm: room for a number written by hand
NARROWEST = 1.0  # cm of a cell of a wide matrix
MOST_ROWS = 10
GAP = 0.08  # cm between two cells
BRACKET = 0.22  # cm
BETWEEN, BELOW = 0.9, 0.45  # cm between two matrices of a row, and between two rows
SIZE = 11.0  # points
EM = SIZE * 0.03515  # cm
LINE = 15.8  # cm


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty matrix with what stands before it (``h =``)."""

    latex: str
    shape: tuple[int, ...]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns; a number is one cell, a vector a row."""
        rows, columns = (1, 1, *self.shape)[-2:]
        return rows, columns

    @property
    def label(self) -> float:
        """cm that the label takes."""
        return bound(self.latex) * EM + 0.25

    @property
    def cell(self) -> float:
        """cm of a column."""
        return min(CELL_WIDTH, (LINE - self.label - 2 * BRACKET) / self.grid[1])

    @property
    def width(self) -> float:
        """cm of the whole."""
        return self.label + self.grid[1] * self.cell + 2 * BRACKET

    @property
    def height(self) -> float:
        """cm of the whole."""
        return self.grid[0] * CELL_HEIGHT

    @property
    def fits(self) -> bool:
        """Whether its cells are large enough to write in; of a stack of matrices none is drawn."""
        return len(self.shape) <= 2 and self.cell >= NARROWEST and self.grid[0] <= MOST_ROWS


def figure(blanks: Sequence[Blank], words: Catalogue) -> Figure:
    """The matrices side by side, as many as a line holds."""
    rows: list[list[Blank]] = []
    for blank in blanks:
        if rows and sum(one.width + BETWEEN for one in rows[-1]) + blank.width <= LINE:
            rows[-1].append(blank)
        else:
            rows.append([blank])
    heights = [max(blank.height for blank in row) for row in rows]
    whole = sum(heights) + BELOW * (len(rows) - 1) + 0.1
    marks: list[Box | Label | Polyline] = []
    top = whole - 0.05
    for row, height in zip(rows, heights, strict=True):
        left = 0.0
        for blank in row:
            marks += _drawn(blank, left, top - height / 2)
            left += blank.width + BETWEEN
        top -= height + BELOW
    said = words.text("locale.semicolon").join(_said(blank, words) for blank in blanks)
    return Figure(Scene(LINE, round(whole, 6), tuple(marks)), (), words.text("exam_paper.blanks", said=said))


def _drawn(blank: Blank, left: float, middle: float) -> Iterator[Box | Label | Polyline]:
    (rows, columns), width = blank.grid, blank.cell
    text = bound(blank.latex) * EM
    yield Label(left + text / 2, middle, blank.latex, text, EM * 1.4, size=SIZE)
    start = left + blank.label + BRACKET
    if (rows, columns) != (1, 1):
        yield _bracket(start - 0.04, middle, blank.height, -1)
        yield _bracket(start + columns * width + 0.04, middle, blank.height, 1)
    for i in range(rows):
        y = middle + blank.height / 2 - (i + 0.5) * CELL_HEIGHT
        for j in range(columns):
            yield Box(start + (j + 0.5) * width, y, width - GAP, CELL_HEIGHT - GAP, "", "faded")


def _bracket(x: float, middle: float, height: float, side: int) -> Polyline:
    """A round bracket; ``side`` is -1 for the left one."""
    steps = 12
    return Polyline(
        tuple((x + side * 0.15 * sin(pi * k / steps), middle + height * (k / steps - 0.5)) for k in range(steps + 1)),
        "plain",
    )


def _said(blank: Blank, words: Catalogue) -> str:
    rows, columns = blank.grid
    name = spoken(blank.latex, words.language)
    if (rows, columns) == (1, 1):
        return words.text("exam_paper.blank_number", name=name)
    return words.text("exam_paper.blank_matrix", name=name, rows=str(rows), columns=str(columns))
