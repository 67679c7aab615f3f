"""The colours and places of tiles, the same for every format: from blue over nearly white to red."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.report.scene import SHADES, Tiles

BELOW, ZERO, ABOVE = (0x24, 0x5A, 0x9A), (0xF3, 0xF4, 0xF5), (0xAE, 0x3A, 0x2C)
SEAM = 0.06  # of a tile's side that stays free, so that tiles are told apart
STROKED = 0.09  # cm of a side from which on a tile below 0 carries a stroke
STROKE_WIDTH = 0.4  # points

Corner = tuple[float, float, float, float]


def colour(shade: int) -> str:
    """Six hexadecimal digits."""
    end, share = (ABOVE if shade > 0 else BELOW), abs(shade) / SHADES
    return "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(ZERO, end, strict=True))


def ink(shade: int) -> str:
    """The colour of the stroke on a tile: white on what is dark."""
    return "FFFFFF" if abs(shade) > SHADES / 2 else colour(-SHADES)


def places(mark: Tiles) -> Iterator[tuple[int, Corner]]:
    """Each tile's shade with its left, lower, right and upper border."""
    rows, columns = len(mark.shades), len(mark.shades[0])
    width, height = mark.width / columns, mark.height / rows
    seam = SEAM * min(width, height)
    for i, row in enumerate(mark.shades):
        top = mark.y + mark.height / 2 - i * height
        for j, shade in enumerate(row):
            left = mark.x - mark.width / 2 + j * width
            yield shade, (left + seam, top - height + seam, left + width - seam, top - seam)


def by_shade(mark: Tiles) -> dict[int, list[Corner]]:
    """The tiles of each shade that occurs, from the lowest up."""
    found: dict[int, list[Corner]] = {}
    for shade, corner in places(mark):
        found.setdefault(shade, []).append(corner)
    return dict(sorted(found.items()))


def stroke(corner: Corner) -> Corner | None:
    """The ends of the stroke on a tile below 0, along the falling diagonal; ``None`` where tiles are too small."""
    left, low, right, high = corner
    if min(right - left, high - low) < STROKED:
        return None
    middle, across, reach = (left + right) / 2, (low + high) / 2, 0.25 * min(right - left, high - low)
    return middle - reach, across + reach, middle + reach, across - reach


def _strokes(shade: int, corners: list[Corner]) -> list[Corner]:
    return [ends for ends in map(stroke, corners) if ends is not None] if shade < 0 else []


# ── the three formats ───────────────────────────────────────────────────────────────────────────────────────────

TYPST_STYLES = f"""#let derive-tiles(colour, width, height, ..places) = for (x, y) in places.pos() {{
  place(top + left, dx: x, dy: y, rect(width: width, height: height, fill: rgb(colour)))
}}
#let derive-tile-strokes(colour, ..places) = for (x1, y1, x2, y2) in places.pos() {{
  place(top + left, line(start: (x1, y1), end: (x2, y2), stroke: {STROKE_WIDTH}pt + rgb(colour)))
}}
"""


def to_tikz(mark: Tiles, at: Callable[[float, float], str]) -> Iterator[str]:
    """One path for the tiles of each shade, and one for their strokes; ``at`` writes a place."""
    for shade, corners in by_shade(mark).items():
        boxes = " ".join(f"{at(*corner[:2])} rectangle {at(*corner[2:])}" for corner in corners)
        yield f"\\fill[fill={_rgb(colour(shade))}] {boxes};"
        if strokes := _strokes(shade, corners):
            ways = " ".join(f"{at(*ends[:2])} -- {at(*ends[2:])}" for ends in strokes)
            yield f"\\draw[draw={_rgb(ink(shade))}, line width={STROKE_WIDTH}pt] {ways};"


def _rgb(digits: str) -> str:
    parts = (("red", 0), ("green", 2), ("blue", 4))
    return "{rgb,255:" + ";".join(f"{name},{int(digits[k : k + 2], 16)}" for name, k in parts) + "}"


def to_typst(mark: Tiles, at: Callable[[float, float], str], cm: Callable[..., str]) -> Iterator[str]:
    """One call for the tiles of each shade, and one for their strokes; ``at`` writes a place, ``cm`` lengths."""
    for shade, corners in by_shade(mark).items():
        left, low, right, high = corners[0]
        spots = ", ".join(f"({at(x, top)})" for x, _, _, top in corners)
        yield f'  derive-tiles("{colour(shade)}", {cm(right - left, high - low)}, {spots})'
        if strokes := _strokes(shade, corners):
            ways = ", ".join(f"({at(*ends[:2])}, {at(*ends[2:])})" for ends in strokes)
            yield f'  derive-tile-strokes("{ink(shade)}", {ways})'


def to_svg(
    mark: Tiles, x: Callable[[float], float], y: Callable[[float], float], n: Callable[[float], str], pixel: float
) -> Iterator[str]:
    """One path for the tiles of each shade, and one for their strokes; ``pixel`` is how many a point has."""
    for shade, corners in by_shade(mark).items():
        boxes = (f"M{n(x(a))} {n(y(d))}H{n(x(c))}V{n(y(b))}H{n(x(a))}Z" for a, b, c, d in corners)
        yield f'<path d="{"".join(boxes)}" fill="#{colour(shade)}"/>'
        if strokes := _strokes(shade, corners):
            ways = "".join(f"M{n(x(a))} {n(y(b))}L{n(x(c))} {n(y(d))}" for a, b, c, d in strokes)
            yield f'<path d="{ways}" stroke="#{ink(shade)}" stroke-width="{n(STROKE_WIDTH * pixel)}"/>'
