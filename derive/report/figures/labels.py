"""Where labels stand on the edges of a drawing: along their own line, clear of everything else.

A label lies along its line, so only one number is free: how far along it stands. Everything it must not touch (a line,
a circle, another label's box) forbids an interval of that number, and the intervals are exact: the label's box, grown
by the margin, meets a convex shape exactly if the part of the shape within the label's strip reaches the box. What is
left are free intervals; labels are settled one by one near the place they would like, the most constrained first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from derive.records import dataclass

Point = tuple[float, float]
Interval = tuple[float, float]

MARGINS = (0.16, 0.11, 0.07, 0.045)  # cm between a label and what it must not touch: the widest that works
ROUNDS = 12  # of settling, each with the label first that found no room in the last
ARROW = 0.17  # cm of a track's end that its arrow head takes
WISHES = (0.5, 0.38, 0.3, 0.24, 0.62, 0.7, 0.76)  # where along its line a label would like to stand


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Polygon:
    """A convex polygon by its corners in order; two corners are a segment."""

    corners: tuple[Point, ...]


Shape = Disc | Polygon


def rectangle(x: float, y: float, width: float, height: float, angle: float = 0.0) -> Polygon:
    """A box centred at ``x, y``, turned by ``angle`` degrees."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return Polygon(
        tuple(
            (x + c * i * width / 2 - s * j * height / 2, y + s * i * width / 2 + c * j * height / 2) for i, j in corners
        )
    )


@dataclass(frozen=True)
class Track:
    """A line from ``start`` to ``end`` with the size of the label that stands on it (width 0: it has none).

    ``offset`` moves the label off the line, to the left of its direction: above a line that runs to the right.
    ``thick`` is the width of a bundle of lines that runs there.
    """

    start: Point
    end: Point
    width: float = 0.0
    height: float = 0.0
    offset: float = 0.0
    thick: float = 0.0

    @cached_property
    def length(self) -> float:
        """Length in cm."""
        return math.dist(self.start, self.end)

    @cached_property
    def direction(self) -> Point:
        """Unit vector from start to end."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        length = math.hypot(dx, dy)
        return dx / length, dy / length

    @cached_property
    def angle(self) -> float:
        """The angle in degrees at which a label reads from left to right."""
        c, s = self.direction
        turned = math.degrees(math.atan2(s, c))
        return turned - 180 if turned > 90 else turned + 180 if turned <= -90 else turned

    def at(self, along: float) -> Point:
        """The middle of a label ``along`` cm from the start."""
        c, s = self.direction
        return self.start[0] + along * c - self.offset * s, self.start[1] + along * s + self.offset * c

    def box(self, along: float) -> Polygon:
        """The label's box when it stands there."""
        return rectangle(*self.at(along), self.width, self.height, self.angle)

    def segment(self) -> Polygon:
        """The line as a shape."""
        if self.thick:
            return rectangle(*self.at(self.length / 2), self.length, self.thick, self.angle)
        return Polygon((self.start, self.end))


def forbidden(track: Track, shape: Shape, margin: float) -> Interval | None:
    """The places along the track at which the label, grown by ``margin`` on all sides, would meet the shape."""
    c, s = track.direction
    reach, half = track.width / 2 + margin, track.height / 2 + margin
    (x0, y0), off = track.start, track.offset
    # along the line and across it, seen from the label
    if isinstance(shape, Disc):
        dx, dy = shape.x - x0, shape.y - y0
        u, v = dx * c + dy * s, dy * c - dx * s - off
        beyond = max(0.0, abs(v) - half)
        if beyond >= shape.radius:
            return None
        wide = math.sqrt(shape.radius**2 - beyond**2) + reach
        return u - wide, u + wide
    across = [(y - y0) * c - (x - x0) * s - off for x, y in shape.corners]
    if min(across) > half or max(across) < -half:
        return None
    corners = [((x - x0) * c + (y - y0) * s, v) for (x, y), v in zip(shape.corners, across, strict=True)]
    inside = [u for u, v in corners if abs(v) <= half]
    for (u1, v1), (u2, v2) in zip(corners, corners[1:] + corners[:1], strict=True):
        for edge in (half, -half):
            if (v1 - edge) * (v2 - edge) < 0:
                inside.append(u1 + (u2 - u1) * (edge - v1) / (v2 - v1))
    return (min(inside) - reach, max(inside) + reach) if inside else None


def without(free: Sequence[Interval], taken: Interval | None) -> list[Interval]:
    """The free intervals with one interval cut out."""
    if taken is None:
        return list(free)
    low, high = taken
    left = [piece for a, b in free for piece in ((a, min(b, low)), (max(a, high), b))]
    return [(a, b) for a, b in left if a <= b]


def nearest(free: Sequence[Interval], wish: float) -> float:
    """The free place nearest to the wish."""
    return min((min(max(wish, a), b) for a, b in free), key=lambda place: (abs(place - wish), place))


def place_labels(tracks: Sequence[Track], obstacles: Sequence[Shape] = ()) -> tuple[list[float], float] | None:
    """How far along its track each label stands (0.0 for a track without a label), and the margin that was kept.

    No label touches another label, another track or an obstacle; the widest margin of ``MARGINS`` that works is taken.
    ``None`` if the labels do not all fit with the narrowest.
    """
    if not any(track.width for track in tracks):
        return [0.0] * len(tracks), MARGINS[0]
    widest: tuple[list[list[Interval]], float] | None = None
    for margin in reversed(MARGINS):  # what does not fit narrowly does not fit widely: fail early
        free = _free(tracks, obstacles, margin)
        if free is None or all(_settle(tracks, free, margin, wish) is None for wish in WISHES):
            break
        widest = free, margin
    return None if widest is None else (_aligned(tracks, *widest), widest[1])


def _free(tracks: Sequence[Track], obstacles: Sequence[Shape], margin: float) -> list[list[Interval]] | None:
    """Each label's free intervals, other labels left out; ``None`` if one has none."""
    segments = [track.segment() for track in tracks]
    found: list[list[Interval]] = []
    for k, track in enumerate(tracks):
        if not track.width:
            found.append([])
            continue
        free: list[Interval] = [(track.width / 2 + margin, track.length - track.width / 2 - margin - ARROW)]
        if free[0][0] > free[0][1]:
            return None
        for other, segment in enumerate(segments):
            if other != k and segment != segments[k]:  # two labels may share a line
                free = without(free, forbidden(track, segment, margin))
                if not free:
                    return None
        for obstacle in obstacles:
            free = without(free, forbidden(track, obstacle, margin))
        if not free:
            return None
        found.append(free)
    return found


def _aligned(tracks: Sequence[Track], free: Sequence[list[Interval]], margin: float) -> list[float]:
    """The settlement that strays least from one common wish, so that labels line up."""
    best: list[float] = []
    least = math.inf
    for wish in WISHES:
        places = _settle(tracks, free, margin, wish)
        if places is None:
            continue
        strays = [abs(p / t.length - wish) for p, t in zip(places, tracks, strict=True) if t.width]
        cost = sum(strays) + 0.15 * abs(wish - 0.5) * len(strays)
        if cost < least - 1e-9:
            best, least = places, cost
    return best


def _settle(tracks: Sequence[Track], free: Sequence[list[Interval]], margin: float, wish: float) -> list[float] | None:
    """Place the labels near the wish; one that finds no room goes first in the next round."""
    order = sorted(
        (k for k, track in enumerate(tracks) if track.width), key=lambda k: (sum(b - a for a, b in free[k]), k)
    )
    for _ in range(ROUNDS):
        places = [0.0] * len(tracks)
        boxes: list[Polygon] = []
        for k in order:
            left = free[k]
            for box in boxes:
                left = without(left, forbidden(tracks[k], box, margin))
            if not left:
                order.remove(k)
                order.insert(0, k)
                break
            places[k] = nearest(left, wish * tracks[k].length)
            boxes.append(tracks[k].box(places[k]))
        else:
            return places
    return None
