"""A drawing as data: circles, lines and labels on a plane, in centimetres, y upwards.

One scene is drawn as TikZ, as Typst and as SVG; nothing here knows any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

# A role, not a colour: each format's templates give it its look.
ROLES = ("input", "hidden", "output", "loss", "bias", "edge", "bias-edge", "plain")


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle with a formula in its middle (LaTeX, may be empty)."""

    x: float
    y: float
    radius: float
    latex: str
    role: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a formula, centred at ``x, y``."""

    x: float
    y: float
    width: float
    height: float
    latex: str
    role: str


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


@dataclass(frozen=True, slots=True)
class Label:
    """A formula centred at ``x, y``, turned by ``angle`` degrees, on a white ground if ``ground``.

    ``width`` and ``height`` are the box it needs, before turning; the layout that placed it kept the box free.
    """

    x: float
    y: float
    latex: str
    width: float
    height: float
    angle: float = 0.0
    role: str = "plain"
    ground: bool = False


Mark = Circle | Box | Line | Label


@dataclass(frozen=True, slots=True)
class Scene:
    """Marks in drawing order inside ``[0, width] x [0, height]``."""

    width: float
    height: float
    marks: tuple[Mark, ...]
