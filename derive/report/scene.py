"""A drawing as data: circles, lines and labels on a plane, in centimetres, y upwards.

One scene is drawn as TikZ, as Typst and as SVG; nothing here knows any of them.
"""

from __future__ import annotations

from dataclasses import replace

from derive.records import dataclass

# A role, not a colour: each format's templates give it its look.
PATHS = ("path-1", "path-2", "path-3", "path-4", "path-5", "path-6")  # each with its colour, dashes and width
ROLES = ("input", "hidden", "output", "loss", "bias", "edge", "bias-edge", "gradient", "plain", "grid", "faded", *PATHS)
SHADES = 10  # of a tile on either side of 0


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle with a formula in its middle (LaTeX, may be empty), set at ``size`` points."""

    x: float
    y: float
    radius: float
    latex: str
    role: str
    size: float = 10.0

    def moved(self, dx: float, dy: float) -> Circle:
        """The same mark elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a formula set at ``size`` points, centred at ``x, y``."""

    x: float
    y: float
    width: float
    height: float
    latex: str
    role: str
    size: float = 9.0

    def moved(self, dx: float, dy: float) -> Box:
        """The same mark elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line, with an arrow head at its end if ``arrow``; ``dashed`` for what is not a weight."""

    x1: float
    y1: float
    x2: float
    y2: float
    role: str
    arrow: bool = True
    dashed: bool = False

    def moved(self, dx: float, dy: float) -> Line:
        """The same mark elsewhere."""
        return replace(self, x1=self.x1 + dx, y1=self.y1 + dy, x2=self.x2 + dx, y2=self.y2 + dy)


@dataclass(frozen=True, slots=True)
class Polyline:
    """Straight pieces from point to point, drawn in one stroke: dashes run on over the corners."""

    points: tuple[tuple[float, float], ...]
    role: str
    dashed: bool = False

    def moved(self, dx: float, dy: float) -> Polyline:
        """The same mark elsewhere."""
        return replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))


@dataclass(frozen=True, slots=True)
class Label:
    """A formula set at ``size`` points, turned by ``angle`` degrees about ``x, y``, on a white ground if ``ground``.

    The middle of its width and the axis of its minus signs (not the middle of its ink, which would make neighbours
    dance) come to ``x, y``. ``width`` and ``height`` are the box it needs, before turning; the layout that placed it
    kept the box free.
    """

    x: float
    y: float
    latex: str
    width: float
    height: float
    angle: float = 0.0
    role: str = "plain"
    ground: bool = False
    size: float = 8.0

    def moved(self, dx: float, dy: float) -> Label:
        """The same mark elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Tiles:
    """A grid of coloured tiles, centred at ``x, y``, rows from the top; shades from ``-SHADES`` to ``SHADES``."""

    x: float
    y: float
    width: float
    height: float
    shades: tuple[tuple[int, ...], ...]
    role: str = "plain"

    def moved(self, dx: float, dy: float) -> Tiles:
        """The same mark elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Modules:
    """Dark squares of a grid that touch, as in a QR code: black, centred at ``x, y``, rows from the top."""

    x: float
    y: float
    width: float
    height: float
    dark: tuple[tuple[bool, ...], ...]
    role: str = "plain"

    def moved(self, dx: float, dy: float) -> Modules:
        """The same mark elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


Bare = Line | Polyline | Tiles | Modules  # marks without a formula
Mark = Circle | Box | Label | Bare


@dataclass(frozen=True, slots=True)
class Scene:
    """Marks in drawing order inside ``[0, width] x [0, height]``."""

    width: float
    height: float
    marks: tuple[Mark, ...]
