"""The path picture: which entry it is of, what it says, and that nothing in it touches anything."""

from __future__ import annotations

import itertools
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from derive.calculus.explicit import Entry
from derive.errors import ProblemError
from derive.problem import Problem, find_problem, problem_from_text
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.path_pictures import MOST_PATHS, picture
from derive.report.compose.sheet import Sheet
from derive.report.document import Display, Document, Figure, Math
from derive.report.drawing import PALETTE, STROKES, scene_to_svg, scene_to_tikz, scene_to_typst
from derive.report.figures.bundles import SPACING, WIDEST, bundle, thickness
from derive.report.figures.labels import Track
from derive.report.figures.network import MAX_WIDTH
from derive.report.scene import PATHS, Box, Circle, Label, Line, Scene
from derive.report.typst_math import to_typst
from derive.solution import solve
from geometry import collisions

CASES = Path(__file__).parent.parent / "derive" / "cases"


@cache
def sheet(name: str, language: str = "en") -> Sheet:
    """The first part of a built-in problem."""
    return Sheet(solve(find_problem(name)).parts[0], catalogue(language))


def dense(*sizes: int, samples: int = 1, bias: str = "shared") -> Problem:
    """A network of these sizes, tanh in every layer, with numbers that a generator draws."""
    draw = np.random.default_rng(sum(sizes))
    lines, given, parameters = [], {"x": draw.integers(-3, 4, (samples, sizes[0])).tolist()}, {}
    for k, (before, after) in enumerate(itertools.pairwise(sizes), 1):
        source = "x" if k == 1 else f"h{k - 1}"
        lines += [f"z{k} = {source} @ W{k} + b{k}", f"h{k} = tanh(z{k})"]
        parameters[f"W{k}"] = np.round(draw.normal(size=(before, after)), 1).tolist()
        parameters[f"b{k}"] = 0.5 if bias == "shared" else np.round(draw.normal(size=(1, after)), 1).tolist()
    lines.append(f"E = sum((h{len(sizes) - 1} - t)**2) / 2")
    given["t"] = draw.integers(0, 2, (samples, sizes[-1])).tolist()
    return Problem.from_equations("\n".join(lines), given=given, parameters=parameters, ask={"gradients": "parameters"})


def edited(name: str, before: str, after: str) -> Problem:
    """A built-in problem with one line of it changed."""
    text = (CASES / f"{name}.toml").read_text()
    assert before in text
    return problem_from_text(text.replace(before, after, 1), name)


def pictures(document: Document) -> list[Figure]:
    """The path pictures of a document."""
    return [b for b in document.blocks if isinstance(b, Figure) and any(m.role in PATHS for m in b.scene.marks)]


def legend(scene: Scene) -> list[tuple[str, str]]:
    """Term and value of each path, as its row says."""
    rows = [m.latex for m in scene.marks if isinstance(m, Label) and m.role in PATHS and "frac" in m.latex]
    cut = (re.split(r"=|\\approx", row + " = ") for row in reversed(rows))
    return [(term.strip(), value.strip()) for term, value, *_ in cut]


# ── which, and what it says ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "entry"), [("case1", Entry("W1", (0, 0))), ("case2", Entry("x", (0, 0))), ("choice", None)]
)
def test_which_entry(name: str, entry: Entry | None) -> None:
    """The first weight with several paths; without one, the first entry asked for; none where every sum has one term."""
    assert list(sheet(name).pictures) == ([entry] if entry is not None else [])


@pytest.mark.parametrize("name", ["case1", "case2", "convolution", "tied-weights"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_once_in_a_report(name: str, language: str) -> None:
    """One picture for a report, also for one of several parts, right behind the sum that it shows."""
    document = compose(solve(find_problem(name)), language=language)
    (figure,) = pictures(document)
    before = document.blocks[document.blocks.index(figure) - 1]
    assert isinstance(before, Display)
    terms = {term.removeprefix("+ ") for link in before.chains[-1].links[:1] for term in link.terms}
    assert {term for term, _ in legend(figure.scene)} == terms


def test_the_numbers_are_those_of_the_paths() -> None:
    """Case 1, with NumPy and the chain rule by hand: each path's product, and their sum."""
    x, t = np.array([1, 4, 5.0]), np.array([0.1, 0.05])
    first, second = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.array([[0.7, 0.8], [0.9, 0.1]])
    h = 1 / (1 + np.exp(-(x @ first + 0.5)))
    o = 1 / (1 + np.exp(-(h @ second + 0.5)))
    products = (o - t) * o * (1 - o) * second[0] * h[0] * (1 - h[0]) * x[0]
    (figure,) = sheet("case1").pictures.values()
    assert [value for _, value in legend(figure.scene)] == [f"{product:.4f}" for product in products]
    assert f"{products.sum():.4f}" == sheet("case1").number(sheet("case1").adjoint("W1"), (0, 0)).text


def test_by_hand_the_product_is_that_of_what_is_shown() -> None:
    """Where later steps use displayed values, so does a path's value."""
    problem = edited("case1", "digits = 4", 'digits = 4\ncarry = "displayed"')
    (figure,) = Sheet(solve(problem).parts[0], catalogue("en")).pictures.values()
    shown = [0.7896 * 0.0982 * 0.7 * 0.0132, 0.7504 * 0.1598 * 0.8 * 0.0132]
    assert [value for _, value in legend(figure.scene)] == [f"{product:.4f}" for product in shown]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["case1", "case2", "tied-weights"])
def test_in_words(name: str, language: str) -> None:
    """The text alternative names every path's stops and its term, in words without commands."""
    (figure,) = sheet(name, language).pictures.values()
    found = re.findall(r"Path \d|路径 ?\d", figure.alternative)
    assert len(found) == len(legend(figure.scene))
    assert not re.search(r"[\\{}$]", figure.alternative)
    assert {"en": "partial derivative of", "zh": "的偏导数"}[language] in figure.alternative


# ── how it is drawn ─────────────────────────────────────────────────────────────────────────────────────────────


def drawn(problem: Problem) -> list[Figure]:
    """The pictures of the first entries of every parameter and of the inputs, as many as there are."""
    part = Sheet(solve(problem).parts[0], catalogue("en"))
    names = [*part.part.network.data, *(str(e.name) for e in part.part.network.equations)]
    found = [
        picture(part, Entry(name, index))
        for name in names
        if name != "t" and part.shape(name)
        for index in list(np.ndindex(*map(int, part.shape(name))))[:2]
    ]
    return [figure for figure in found if figure is not None]


@pytest.mark.parametrize("bias", ["shared", "each"])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 2), (2, 2, 2), (3, 2, 2), (2, 3, 4), (3, 3, 6), (2, 2, 2, 1), (2, 2, 1, 2), (8, 2, 3)], ids=str
)
def test_nothing_touches_anything(sizes: tuple[int, ...], bias: str) -> None:
    """Whatever the layers: no label touches a label, a circle, or a line that is not its own; all is on the page."""
    figures = drawn(dense(*sizes, bias=bias))
    assert figures
    for figure in figures:
        assert collisions(figure.scene) == []
        assert figure.scene.width <= MAX_WIDTH + 1e-9


@pytest.mark.parametrize(
    "name", ["convolution", "embedding", "hessian", "logistic-regression", "skip-connection", "tied-weights"]
)
def test_entries_touch_nothing(name: str) -> None:
    """The same where entries are drawn instead of layers."""
    (figure,) = sheet(name).pictures.values()
    assert collisions(figure.scene) == []
    assert figure.scene.width <= MAX_WIDTH + 1e-9


def upstream() -> Problem:
    """A layer above which the derivative is known by name."""
    return Problem.from_equations(
        "out = x @ W",
        shapes={"x": [1, 2], "W": [2, 3]},
        ask={"upstream": {"of": "J", "at": "out"}, "gradients": ["x", "W"]},
    )


@pytest.mark.parametrize("problem", [dense(3, 2, 2), dense(2, 2, 2, 1), dense(2, 2, 2, samples=2), upstream()], ids=str)
def test_a_path_is_one_line(problem: Problem) -> None:
    """The lines of each path follow each other from node to node, and all end at the loss."""
    for figure in drawn(problem):
        nodes = [mark for mark in figure.scene.marks if isinstance(mark, Circle | Box)]
        ends = set()
        for role in PATHS:
            lines = [m for m in figure.scene.marks if isinstance(m, Line) and m.role == role]
            if not lines:
                continue
            way = [line for line in lines if not _is_sample(line, figure.scene)]
            way.sort(key=lambda line: line.x1)
            for one, other in itertools.pairwise(way):
                at = {_node(nodes, one.x2, one.y2), _node(nodes, other.x1, other.y1)}
                assert len(at) == 1
            ends.add(_node(nodes, way[-1].x2, way[-1].y2))
        (last,) = ends
        assert last.role == "loss"


def _is_sample(line: Line, scene: Scene) -> bool:
    """Whether a line stands in the legend: a name follows it on the same height."""
    return any(isinstance(m, Label) and m.role == line.role and m.y == line.y1 == line.y2 for m in scene.marks)


def _node(nodes: list[Circle | Box], x: float, y: float) -> Circle | Box:
    return min(nodes, key=lambda node: math.dist((node.x, node.y), (x, y)))


def test_told_apart_without_colour() -> None:
    """No two paths have the same colour, and none the same width with the same dashes."""
    assert len({PALETTE[role][1] for role in PATHS}) == len({STROKES[role] for role in PATHS}) == MOST_PATHS


@pytest.mark.parametrize("count", range(1, MOST_PATHS + 1))
def test_bundles(count: int) -> None:
    """Paths on one edge run side by side, the first uppermost, never wider than a label's ground."""
    lines = list(bundle(Track((0.0, 0.0), (4.0, 0.0)), range(1, count + 1)))
    assert [line.role for line in lines] == list(PATHS[:count])
    heights = [line.y1 for line in lines]
    assert all(line.y1 == line.y2 for line in lines)
    gaps = {round(a - b, 9) for a, b in itertools.pairwise(heights)}
    assert all(0.05 < gap <= SPACING + 1e-9 for gap in gaps)
    assert len(gaps) <= 1
    assert heights[0] - heights[-1] < thickness(count) <= WIDEST + 0.1


def test_in_every_format() -> None:
    """The dashes of a path are drawn in TikZ, in Typst and in SVG."""
    (figure,) = sheet("case1").pictures.values()
    assert r"derive-path-2-stroke" in scene_to_tikz(figure.scene)
    assert re.search(r'derive-line\([^)]*"path-2"', scene_to_typst(figure.scene, to_typst))
    assert len(re.findall(f'stroke="#{PALETTE["path-2"][1]}"[^>]*stroke-dasharray', scene_to_svg(figure.scene))) == 4


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wish", "entries"),
    [
        ('{ of = "b1" }', [("b1", ())]),
        ('{ of = "W1", entry = "w_2" }', [("W1", (0, 1))]),
        ('[{ of = "W1", entry = [3, 1] }, { of = "h", entry = [2] }]', [("W1", (2, 0)), ("h", (0, 1))]),
        ("false", []),
    ],
)
def test_chosen_entries(wish: str, entries: list[tuple[str, tuple[int, ...]]]) -> None:
    """``paths`` under ``[ask]`` says which entries are drawn, ``false`` that none is."""
    problem = edited("case1", "[ask]", f"[ask]\npaths = {wish}")
    solution = solve(problem)
    found = Sheet(solution.parts[0], catalogue("en")).pictures
    assert [(entry.name, entry.index) for entry in found] == entries
    document = compose(solution)
    said = {s.latex for figure in pictures(document) for s in figure.caption if isinstance(s, Math)} - {"E"}
    assert said == {sheet("case1").symbols.entry(name, index) for name, index in entries}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ('{ of = "W3" }', "names what does not exist: W3"),
        ('{ of = "W1", entry = [4, 1] }', "has no entry [4, 1]"),
        ('{ of = "W1", entry = "w_17" }', "no entry of W1 is called w_17"),
        ('{ of = "W2", entry = [1, 1] }', "has 1 path to the loss"),
        ('{ of = "x", entry = [1] }', "not differentiated by x"),
        ('{ of = "h", entry = [3] }', "has no entry [3]"),
        ("{ entry = [1] }", "paths needs of"),
        ('{ of = "W1", entry = [1, 1], by = 2 }', "by"),
        ("[]", "empty list"),
        ("3", "expected is a table"),
        ('[{ of = "b1" }, { of = "b1" }]', "twice"),
    ],
)
def test_refused(wish: str, message: str) -> None:
    """What has no picture is said with the line of the wish."""
    with pytest.raises(ProblemError, match=re.escape(message)) as caught:
        compose(solve(edited("case1", "[ask]", f"[ask]\npaths = {wish}")))
    assert caught.value.line
