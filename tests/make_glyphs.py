"""Cut the glyph table of the figures out of Typst's own drawings: ``python tests/make_glyphs.py`` rewrites it.

A test holds the shipped table against this, so that the table can never drift from the font that the PDF uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import typst

TARGET = Path(__file__).parent.parent / "derive" / "report" / "figures" / "glyphs.py"
SIZE = 1000  # points, so that one point is one unit of the font

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
GREEK = "αβγδεζηθικλμνξοπρστυφχψωϵϑϕϱ"
CAPITAL_GREEK = "ΓΔΘΛΞΠΣΥΦΨΩ"
SIGNS = "+−=×·/()[]{}|‖,.:;!?<>≤≥≠≈±∑∏∂∇ℓ∞→⊤′∗⊙∘∈%⋮⋯…&#"
ESCAPED = "()[]{}|/,.:;!?&#%"  # what would mean something to Typst
TEXT_SIGNS = "-–'"  # what only stands inside words
ACCENTS = {"^": "hat", "¯": "macron", "~": "tilde", "˙": "dot"}
BACKSLASH = "\\"

HEAD = '''"""Glyphs of New Computer Modern Math, cut from Typst's drawings by ``tests/make_glyphs.py``. Do not edit.

A row is a key, the width, how far the upper right leans over that width (superscripts stand that much further right),
where an accent starts, depth, height (all in thousandths of the size), and the outline, y upwards. A key is a face and
a character: ``i`` slanted, ``r`` upright, ``a`` an accent over a letter, and in capitals the cut that sub- and
superscripts use, where the font has another. The font is by Antonis Tsolomitis, under the GUST Font License.
"""

# ruff: noqa: E501  (an outline is one long word)

Glyph = tuple[int, int, int, int, int, str]

# One string, since Python reads that much faster than a table of tuples.
TABLE = """
'''
TAIL = '''"""


def _rows() -> dict[str, Glyph]:
    rows: dict[str, Glyph] = {}
    for line in TABLE.strip().split("\\n"):
        key, width, lean, accent, depth, height, outline = line.split(" ", 6)
        rows[key] = (int(width), int(lean), int(accent), int(depth), int(height), outline)
    return rows


GLYPHS = _rows()
'''


def wanted() -> Iterator[tuple[str, str]]:
    """Each key of the table with the Typst markup that shows its glyph."""
    for c in LETTERS + GREEK:
        yield "i" + c, c
    for c in LETTERS + DIGITS + CAPITAL_GREEK:
        yield "r" + c, f"upright({c})"
    for c in SIGNS:
        yield "r" + c, f'class("normal", {BACKSLASH * (c in ESCAPED)}{c})'
    for c in TEXT_SIGNS:
        yield "r" + c, f'"{c}"'


def draw(markups: list[str]) -> list[ElementTree.Element]:
    """One page an equation, nothing but the equation on it."""
    pages = "\n#pagebreak()\n".join(f"$ {markup} $" for markup in markups)
    head = f"#set page(width: auto, height: auto, margin: 0pt, fill: none)\n#set text(size: {SIZE}pt)\n"
    drawn: Any = typst.compile((head + pages).encode(), format="svg")
    return [ElementTree.fromstring(page) for page in (drawn if isinstance(drawn, list) else [drawn])]


def placed(page: ElementTree.Element) -> list[tuple[float, float, str]]:
    """``x, y, outline`` of each glyph of a page, in the order of the drawing."""
    svg = "{http://www.w3.org/2000/svg}"
    outlines = {symbol.get("id"): symbol[0].get("d", "") for symbol in page.iter(svg + "symbol")}
    found = []
    for group in page.iter(svg + "g"):
        use = group.find(svg + "use")
        matrix = re.findall(r"[-\d.]+", group.get("transform", ""))
        if use is not None and len(matrix) == 6:
            name = use.get("{http://www.w3.org/1999/xlink}href", "#")[1:]
            found.append((float(matrix[4]), float(matrix[5]), outlines[name]))
    return found


def tidy(outline: str, scale: float) -> tuple[str, int, int]:
    """An outline in whole font units, with its depth and height.

    Typst writes relative commands; each end point is rounded as a point of the plane, so that errors do not add up.
    """
    x = y = left = bottom = 0.0
    at = (0, 0)
    out: list[str] = []
    ys: list[float] = []
    for command, rest in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", outline):
        numbers = [float(n) / scale for n in re.findall(r"-?[\d.]+", rest)]
        if command == "M":
            continue  # "M 0 0", which Typst puts first
        if command == "Z":
            out.append("Z")
            (x, y), at = (left, bottom), (round(left), round(bottom))
            continue
        if command in ("h", "v"):
            numbers = [numbers[0], 0.0] if command == "h" else [0.0, numbers[0]]
        points = [(x + dx, y + dy) for dx, dy in zip(numbers[::2], numbers[1::2], strict=True)]
        ys += [py for _, py in points]
        rounded = [(round(px), round(py)) for px, py in points]
        if command == "m":
            left, bottom = points[0]
        values = [n for px, py in rounded for n in (px - at[0], py - at[1])]
        letter = "l" if command in ("h", "v") else command
        if letter == "l" and values[1] == 0:
            letter, values = "h", values[:1]
        elif letter == "l" and values[0] == 0:
            letter, values = "v", values[1:]
        out.append(letter + "".join((" " if i and n >= 0 else "") + str(n) for i, n in enumerate(values)))
        (x, y), at = points[-1], rounded[-1]
    return "".join(out), round(-min(ys, default=0)), round(max(ys, default=0))


def rows() -> Iterator[tuple[str | int, ...]]:
    """Every row of the table."""
    pairs = list(wanted())
    # A 1 below or above tells the width under and over the slant; a hat where accents stand.
    below = draw([f"{markup}_1" for _, markup in pairs])
    above = draw([f"{markup}^1" for _, markup in pairs])
    hatted = draw([f"hat({markup})" for _, markup in pairs])
    small = draw([f"x_({markup} 1)" for _, markup in pairs])
    accents = [placed(draw([f"accent(x, {name})"])[0])[-1] for name in ACCENTS.values()]
    hat = tidy(accents[0][2], 1)[0]
    for (key, _), low, high, hats, script in zip(pairs, below, above, hatted, small, strict=True):
        (x0, _, outline), (x1, _, _) = placed(low)
        lean = placed(high)[1][0] - placed(high)[0][0] - (x1 - x0)
        under, over = sorted(placed(hats), key=lambda glyph: tidy(glyph[2], 1)[0] == hat)
        accent = round(over[0] - under[0])
        path, depth, height = tidy(outline, 1)
        yield key, round(x1 - x0), round(lean), accent, depth, height, path
        _, (x0, _, outline), (x1, _, _) = placed(script)
        small_path, depth, height = tidy(outline, 0.7)
        if key[1] not in TEXT_SIGNS and differ(path, small_path):
            yield key[0].upper() + key[1:], round((x1 - x0) / 0.7), round(lean), accent, depth, height, small_path
    for c, (x, _, outline) in zip(ACCENTS, accents, strict=True):
        path, depth, height = tidy(outline, 1)
        yield "a" + c, 0, 0, round(x - accents[0][0]), depth, height, path


def differ(one: str, other: str) -> bool:
    """Whether two outlines are more than a rounding apart."""
    numbers = [[int(n) for n in re.findall(r"-?\d+", outline)] for outline in (one, other)]
    return len(numbers[0]) != len(numbers[1]) or any(abs(a - b) > 2 for a, b in zip(*numbers, strict=True))


def module() -> str:
    """The text of the table."""
    return HEAD + "".join(" ".join(map(str, row)) + "\n" for row in rows()) + TAIL


if __name__ == "__main__":
    TARGET.write_text(module(), encoding="utf-8")
