"""Paths that run along one edge: parallel lines, side by side like the lines of an underground map.

The first path runs uppermost on a line to the right, in every bundle, so that paths part without crossing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from derive.report.figures.labels import Point, Track
from derive.report.scene import PATHS, Line

SPACING, WIDEST = 0.11, 0.3  # cm between neighbours, and from the first to the last at most
STROKE = 0.06  # cm of one line, or a little more
TUCKED = 0.03  # cm that an outer line reaches further, to a border that is round


def thickness(count: int) -> float:
    """How wide a bundle of so many paths is, in cm."""
    return _shifts(count)[0] * 2 + STROKE if count else 0.0


def _shifts(count: int) -> list[float]:
    """How far each line stands to the left of the middle."""
    step = min(SPACING, WIDEST / max(1, count - 1))
    return [((count - 1) / 2 - k) * step for k in range(count)]


def role(number: int) -> str:
    """The role of a path counted from 1."""
    return PATHS[number - 1]


def bundle(track: Track, paths: Sequence[int]) -> Iterator[Line]:
    """The paths of these numbers along a track, each with an arrow head."""
    c, s = track.direction
    for number, shift in zip(paths, _shifts(len(paths)), strict=True):
        reach = TUCKED if shift else 0.0
        dx, dy = -shift * s, shift * c
        (x1, y1), (x2, y2) = track.start, track.end
        start, end = (x1 + dx - reach * c, y1 + dy - reach * s), (x2 + dx + reach * c, y2 + dy + reach * s)
        yield Line(*start, *end, role(number))


def bent(stops: Sequence[Point], paths: Sequence[int]) -> Iterator[Line]:
    """The same along a way with bends: moved up and down, so that the pieces join; the last has the head."""
    for number, shift in zip(paths, _shifts(len(paths)), strict=True):
        moved = [(x, y + shift) for x, y in stops]
        for k, (start, end) in enumerate(itertools.pairwise(moved)):
            yield Line(*start, *end, role(number), arrow=k == len(moved) - 2)
