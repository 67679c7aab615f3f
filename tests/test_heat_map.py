"""Heat maps: which matrices have one, what their shades and numbers say, and that nothing in them touches anything."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest
import typst

from derive.problem import Problem, find_problem
from derive.report import tiles
from derive.report.compose import compose
from derive.report.document import Document, Figure
from derive.report.drawing import TYPST_STYLES, scene_to_svg, scene_to_tikz, scene_to_typst
from derive.report.figures.heat_map import MOST_COLUMNS, MOST_ROWS, blocks, heat_map, shade
from derive.report.render import render
from derive.report.scene import SHADES, Label, Tiles
from derive.report.typst_math import to_typst
from derive.solution import Solution, solve
from geometry import collisions


def wide(rows: int, columns: int, over: int = 2) -> Problem:
    """A layer with a weight matrix of this size; its loss is divided by ``over``."""
    draw = np.random.default_rng(rows + columns)
    return Problem.from_equations(
        f"h = tanh(x @ W)\nE = sum((h - t)**2) / {over}",
        given={"x": draw.integers(-4, 5, (1, rows)).tolist(), "t": [[0] * columns]},
        parameters={"W": np.round(draw.normal(size=(rows, columns)) / 4, 2).tolist()},
        ask={"gradients": "parameters"},
    )


def maps(document: Document) -> list[Figure]:
    """The heat maps of a document."""
    return [b for b in document.blocks if isinstance(b, Figure) and any(isinstance(m, Tiles) for m in b.scene.marks)]


def gradient(solution: Solution) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """dE/dW by hand: x^T ((h - t) (1 - h^2))."""
    given, parameters = solution.problem.given, solution.problem.parameters
    x, t, w = (
        np.array([float(v.p) / float(v.q) for v in tensor.entries]).reshape(tensor.shape)
        for tensor in (given["x"], given["t"], parameters["W"])
    )
    h = np.tanh(x @ w)
    slopes: npt.NDArray[np.float64] = x.T @ ((h - t) * (1 - h**2))
    return slopes


@pytest.mark.parametrize(
    ("shape", "count"),
    [((12, 10), 1), ((9, 8), 1), ((8, 9), 0), ((7, 9), 0), ((10, 2), 0), ((70, 1), 0), ((40, 60), 1)],
)
def test_which_matrices(shape: tuple[int, int], count: int) -> None:
    """A gradient has a heat map where the page prints only a part of it, and it has tiles enough to show something."""
    assert len(maps(compose(solve(wide(*shape))))) == count


def test_small_problems_have_none() -> None:
    """What is printed in full needs no picture."""
    assert maps(compose(solve(find_problem("case1")))) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_numbers_are_the_printed_ones(language: str) -> None:
    """Both ends of the bar are the entry furthest from 0 as the report rounds it; the words have the extremes and the size."""
    solution = solve(wide(12, 10))
    true = gradient(solution)
    (figure,) = maps(compose(solution, language=language))
    texts = {mark.latex for mark in figure.scene.marks if isinstance(mark, Label)}
    most = f"{np.abs(true).max():.4f}"
    assert texts == {most, f"-{most}", "0", "1", "12", "10"}
    told = figure.alternative.replace({"en": "minus ", "zh": "负 "}[language], "-")
    assert {f"{true.min():.4f}", f"{true.max():.4f}", "12", "10"} <= set(re.findall(r"-?\d+(?:\.\d+)?", told))


def test_the_tiles_are_the_entries() -> None:
    """Row by row, each tile's shade is its entry's share of the one furthest from 0."""
    solution = solve(wide(12, 10))
    true = gradient(solution)
    (figure,) = maps(compose(solution))
    grid = next(mark for mark in figure.scene.marks if isinstance(mark, Tiles))
    assert np.array_equal(np.array(grid.shades), np.round(SHADES * true / np.abs(true).max()))


def test_nothing_to_see() -> None:
    """A bar never runs from 0 to 0, as it would where every entry prints as 0.0000."""
    for figure in maps(compose(solve(wide(12, 10, over=10**9)))):
        numbers = {mark.latex for mark in figure.scene.marks if isinstance(mark, Label)}
        assert all(number == "0" or re.search("[1-9]", number) for number in numbers)
    with pytest.raises(ValueError, match="not 0"):
        heat_map([[0.0] * 9] * 9, ("-1", "0", "1"))


@pytest.mark.parametrize("value", [-2.0, -1.0, -0.03, 0.0, 0.04, 0.5, 2.0])
def test_shades(value: float) -> None:
    """A shade has the sign of its value, reaches the end at the furthest and is 0 at 0."""
    found = shade(value, 2.0)
    assert found * value >= 0
    assert abs(found) == round(SHADES * abs(value) / 2)


def luminance(colour: str) -> float:
    """Of six hexadecimal digits, from 0 to 1 (WCAG 2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_legible_in_grey() -> None:
    """On either side of 0 a tile is the darker the further its value is from 0, alike on both; a stroke tells the sign."""
    for sign in (-1, 1):
        greys = [luminance(tiles.colour(sign * k)) for k in range(SHADES + 1)]
        assert greys == sorted(greys, reverse=True)
    assert all(abs(luminance(tiles.colour(k)) - luminance(tiles.colour(-k))) < 0.05 for k in range(SHADES + 1))
    svg = scene_to_svg(heat_map([[(-1.0) ** (i + j) for j in range(9)] for i in range(9)], ("-1", "0", "1")))
    strokes = re.findall(r'<path d="([^"]*)" stroke="#', svg)
    assert sum(path.count("M") for path in strokes) == 40 + SHADES
    assert min(abs(luminance(tiles.ink(-k)) - luminance(tiles.colour(-k))) for k in range(1, SHADES + 1)) > 0.1


@pytest.mark.parametrize(
    "shape", [(9, 8), (2, 40), (40, 2), (12, 10), (32, 48), (33, 48), (784, 128), (8, 200)], ids=str
)
def test_nothing_touches_anything(shape: tuple[int, int]) -> None:
    """Whatever the size: numbers keep clear of the tiles and of each other, and the drawing fits a page."""
    values = np.random.default_rng(0).normal(size=shape)
    scene = heat_map(values.tolist(), ("-123.4567", "0", "123.4567"))
    assert collisions(scene) == []
    assert scene.width <= 15.5
    assert scene.height <= 10.0
    grid = next(mark for mark in scene.marks if isinstance(mark, Tiles))
    assert len(grid.shades) <= MOST_ROWS
    assert len(grid.shades[0]) <= MOST_COLUMNS


def test_blocks() -> None:
    """Of too many entries a tile stands for a block, by the one furthest from 0; the last block may be smaller."""
    values = np.random.default_rng(0).normal(size=(100, 50))
    found = blocks(values.tolist())
    assert (found.height, found.width) == (4, 2)
    assert np.array(found.values).shape == (25, 25)
    part = values[96:100, 48:50]
    assert found.values[-1][-1] == part.flat[np.abs(part).argmax()]
    assert blocks(values[:30, :40].tolist()).values == tuple(map(tuple, values[:30, :40].tolist()))


def test_in_every_format() -> None:
    """All three hands draw a tile for each entry; Typst sets the page, and a whole report renders."""
    values = np.random.default_rng(1).normal(size=(9, 8))
    scene = heat_map(values.tolist(), ("-1", "0", "1"))
    count = 72 + 2 * SHADES + 1
    assert scene_to_tikz(scene).count(" rectangle (") == count + 1
    drawn = re.findall(r'<path d="([^"]*)" fill="#', scene_to_svg(scene))
    assert sum(path.count("M") for path in drawn) == count
    source = TYPST_STYLES + scene_to_typst(scene, to_typst)
    assert typst.compile(source.encode(), format="svg")
    document = compose(solve(wide(12, 10)))
    for format in ("md", "tex", "typ", "html"):
        assert render(document, format).text
