"""A matrix too large to print as a picture: a tile for each entry, blue below 0 and red above, a bar with its numbers.

In grey both signs darken alike, so a tile below 0 also carries a stroke. A matrix of more tiles than a page shows
well is drawn in blocks, each by the entry of it that is furthest from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from derive.records import dataclass
from derive.report.figures.formula import measure
from derive.report.scene import SHADES, Label, Mark, Scene, Tiles

MOST_ROWS, MOST_COLUMNS = 32, 48  # tiles
MAX_WIDTH, MAX_HEIGHT = 12.0, 8.5  # cm of the tiles
LARGEST = 0.42  # cm of a tile's side
BAR_WIDTH, BAR_HEIGHT = 0.4, 2.6  # cm, the height at least
SIZE = 8.0  # points of the numbers
GAP = 0.14  # cm between tiles and what is written beside them

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The tiles of a matrix: one value each, that of the entry furthest from 0 among ``height`` by ``width``."""

    values: tuple[tuple[float, ...], ...]
    height: int
    width: int


def blocks(matrix: Matrix) -> Blocks:
    """At most ``MOST_ROWS`` by ``MOST_COLUMNS`` tiles."""
    rows, columns = len(matrix), len(matrix[0])
    height, width = math.ceil(rows / MOST_ROWS), math.ceil(columns / MOST_COLUMNS)
    values = tuple(
        tuple(
            max(
                (matrix[a][b] for a in range(i, min(i + height, rows)) for b in range(j, min(j + width, columns))),
                key=abs,
            )
            for j in range(0, columns, width)
        )
        for i in range(0, rows, height)
    )
    return Blocks(values, height, width)


def shade(value: float, most: float) -> int:
    """The shade of a value, from ``-SHADES`` to ``SHADES``; 0 for what is no more than half a shade from 0."""
    return round(SHADES * value / most)


def heat_map(matrix: Matrix, ends: tuple[str, str, str]) -> Scene:
    """The matrix with the numbers of its first and last row and column; ``ends`` are those of the bar, from below.

    The bar reaches to the entry furthest from 0, on both sides. Raises ``ValueError`` for a matrix of zeros.
    """
    tiles = blocks(matrix)
    most = max(abs(value) for row in tiles.values for value in row)
    if not most or not math.isfinite(most):
        raise ValueError("a heat map needs an entry that is not 0, and finite ones")
    rows, columns = len(tiles.values), len(tiles.values[0])
    side = min(LARGEST, MAX_WIDTH / columns, MAX_HEIGHT / rows)
    numbers = [measure(str(number), SIZE) for number in (1, len(matrix), len(matrix[0]))]
    left = max(numbers[0][0], numbers[1][0]) + GAP + 0.05
    width, height = columns * side, rows * side
    tall = max(height, BAR_HEIGHT)
    bottom, above = max(0.2, (tall - height) / 2 + 0.2), numbers[0][1] + GAP
    x, y = left + width / 2, bottom + height / 2
    shades = tuple(tuple(shade(value, most) for value in row) for row in tiles.values)
    marks: list[Mark] = [Tiles(x, y, width, height, shades)]
    for text, at in {1: bottom + height - side / 2, len(matrix): bottom + side / 2}.items():
        box = measure(str(text), SIZE)
        marks.append(Label(left - GAP - box[0] / 2, at, str(text), *box, size=SIZE))
    for text, at in {1: left + side / 2, len(matrix[0]): left + width - side / 2}.items():
        box = measure(str(text), SIZE)
        marks.append(Label(at, bottom + height + GAP + box[1] / 2, str(text), *box, size=SIZE))
    bar = left + width + 3.5 * GAP + numbers[2][0] / 2
    ladder = tuple((k,) for k in range(SHADES, -SHADES - 1, -1))
    marks.append(Tiles(bar + BAR_WIDTH / 2, y, BAR_WIDTH, tall, ladder))
    end = bar + BAR_WIDTH
    step = tall / len(ladder) / 2
    for latex, at in zip(ends, (y - tall / 2 + step, y, y + tall / 2 - step), strict=True):  # without ticks: no minus
        box = measure(latex, SIZE)
        marks.append(Label(bar + BAR_WIDTH + GAP + box[0] / 2, at, latex, *box, size=SIZE))
        end = max(end, bar + BAR_WIDTH + GAP + box[0])
    return Scene(end + 0.05, max(bottom + height + above, y + tall / 2) + 0.25, tuple(marks))
