from __future__ import annotations

import importlib.util
import itertools
import math
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy
import pytest
import typst

from derive.errors import ProblemError, Unsupported
from derive.report.catalogue import catalogue
from derive.report.drawing import PALETTE, TIKZ_STYLES, TYPST_STYLES, scene_to_svg, scene_to_tikz, scene_to_typst
from derive.report.figures import glyphs
from derive.report.figures.alternative import network_alternative
from derive.report.figures.formula import CM_PER_POINT, measure, set_formula
from derive.report.figures.graph import Arrow, Node, graph_scene
from derive.report.figures.labels import Disc, Polygon, Track, forbidden, place_labels, rectangle
from derive.report.figures.network import MAX_HEIGHT, MAX_WIDTH, Bias, Edge, Layer, Unit, network_scene, shown
from derive.report.scene import ROLES, Bare, Box, Circle, Label, Line, Scene
from derive.report.typst_math import to_typst
from geometry import Point, apart, collisions, distance

Network = tuple[list[Layer], list[Edge], list[Bias]]


# ── networks to draw ────────────────────────────────────────────────────────────────────────────────────────────


def dense(*sizes: int, biases: str = "shared", superscripts: bool = False) -> Network:
    """A network of these sizes with a label on every edge: ``w_{12} = -0.3``."""
    layers = []
    for k, size in enumerate(sizes):
        role = "input" if k == 0 else "output" if k == len(sizes) - 1 else "hidden"
        numbers = range(1, size + 1) if size <= 8 else (1, 2, 3, size)
        units = tuple(Unit(f"{k}.{i}", f"h_{{{i}}}") for i in numbers)
        layers.append(Layer(units, role, f"\\text{{{role}}}", size=size, weights=f"W_{{{k}}}"))
    edges = []
    for k, (before, after) in enumerate(itertools.pairwise(layers), 1):
        for (i, source), (j, target) in itertools.product(enumerate(before.units, 1), enumerate(after.units, 1)):
            name = f"w^{{({k})}}_{{{i}{j}}}" if superscripts else f"w_{{{i}{j}}}"
            value = ((7 * i + 3 * j + k) % 19 - 9) / 10
            edges.append(Edge(source.key, target.key, f"{name} = {value}", name))
    given = [
        Bias(k, f"b_{{{k}}} = 0.5")
        if biases == "shared"
        else Bias(k, labels={unit.key: f"b_{{{i}}} = -0.{i}" for i, unit in enumerate(layers[k].units, 1)})
        for k in range(1, len(sizes))
        if biases
    ]
    return layers, edges, given


def three_two_two(values: bool = False) -> Network:
    """The 3-2-2 network of the first case, with its loss."""
    shown_values = {"x_1": "1", "x_2": "4", "x_3": "5", "h_1": "0.9866", "h_2": "0.9950"} if values else {}

    def layer(role: str, *names: str, formula: str = "") -> Layer:
        units = tuple(Unit(name, name, shown_values.get(name, "")) for name in names)
        return Layer(units, role, f"\\text{{{role} layer}}", formula)

    layers = [
        layer("input", "x_1", "x_2", "x_3"),
        layer("hidden", "h_1", "h_2", formula="h = \\sigma(z_h)"),
        layer("output", "o_1", "o_2", formula="o = \\sigma(z_o)"),
        layer("loss", "E"),
    ]
    numbers = iter(range(1, 11))
    edges = [
        Edge(a.key, b.key, f"w_{{{n}}} = 0.{n % 10}", f"w_{{{n}}}")
        for before, after in itertools.pairwise(layers[:3])
        for a in before.units
        for b in after.units
        for n in [next(numbers)]
    ]
    return layers, [*edges, Edge("o_1", "E"), Edge("o_2", "E")], [Bias(1, "b_1 = 0.5"), Bias(2, "b_2 = 0.5")]


def two_two_one() -> Network:
    """The 2-2-1 network of the second case: column vectors, a zero and a negative weight, a bias for each unit."""
    layers = [
        Layer((Unit("x1", "x_1", "1"), Unit("x2", "x_2", "0")), "input", "\\text{input}"),
        Layer((Unit("z1", "z_{2,1}"), Unit("z2", "z_{2,2}")), "hidden", "\\text{hidden}", "z_2 = \\mathrm{ReLU}(z_1)"),
        Layer((Unit("y", "\\hat{y}"),), "output", "\\text{output}"),
        Layer((Unit("l", "\\ell"),), "loss", "\\text{loss}"),
    ]
    edges = [
        Edge("x1", "z1", "w^{(1)}_{11} = 1"),
        Edge("x2", "z1", "w^{(1)}_{12} = -2"),
        Edge("x1", "z2", "w^{(1)}_{21} = 0"),
        Edge("x2", "z2", "w^{(1)}_{22} = 2"),
        Edge("z1", "y", "w^{(2)}_{11} = 1"),
        Edge("z2", "y", "w^{(2)}_{12} = -1"),
        Edge("y", "l"),
    ]
    return layers, edges, [Bias(1, labels={"z1": "b_1 = 0", "z2": "b_2 = -1"})]


def weight_labels(scene: Scene) -> list[str]:
    """The labels on edges."""
    return [mark.latex for mark in scene.marks if isinstance(mark, Label) and mark.ground and mark.role == "edge"]


# ── the layout ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("network", [three_two_two(), three_two_two(values=True), two_two_one()], ids=str)
def test_cases(network: Network) -> None:
    """The two cases carry every label in full, and nothing touches anything."""
    scene = network_scene(*network)
    labels = {mark.latex for mark in scene.marks if isinstance(mark, Label)}
    asked = {edge.latex for edge in network[1] if edge.latex}
    assert asked | {text for bias in network[2] for text in (bias.shared, *bias.labels.values()) if text} <= labels
    assert collisions(scene) == []


@pytest.mark.parametrize("sizes", list(itertools.product(range(1, 9), repeat=2)), ids=str)
def test_two_layers(sizes: tuple[int, int]) -> None:
    """Whatever two sizes up to eight: nothing touches anything, inside the page."""
    for network in (dense(*sizes), dense(*sizes, biases="each", superscripts=True)):
        scene = network_scene(*network)
        assert collisions(scene) == []
        assert scene.width <= MAX_WIDTH + 1e-9
        assert scene.height <= MAX_HEIGHT + 1e-9


@pytest.mark.nightly
@pytest.mark.parametrize("sizes", list(itertools.product(range(1, 9), repeat=3)), ids=str)
def test_three_layers(sizes: tuple[int, int, int]) -> None:
    """The same for all three sizes up to eight."""
    for network in (dense(*sizes), dense(*sizes, biases="each", superscripts=True)):
        assert collisions(network_scene(*network)) == []


@pytest.mark.parametrize("sizes", [(3, 3), (4, 4), (5, 3), (8, 2), (2, 2, 2, 2), (3, 4, 2)], ids=str)
def test_labelled(sizes: tuple[int, ...]) -> None:
    """Networks of these sizes are not too dense: every edge carries at least the name of its weight."""
    network = dense(*sizes)
    assert len(weight_labels(network_scene(*network))) == len(network[1])


def test_too_dense() -> None:
    """Where labels have no room, the edges stay bare and the matrix has its name over them."""
    scene = network_scene(*dense(8, 8))
    assert weight_labels(scene) == []
    assert "W_{1}" in [mark.latex for mark in scene.marks if isinstance(mark, Label)]
    assert sum(isinstance(mark, Line) for mark in scene.marks) == 64 + 8


def test_large_layers() -> None:
    """Of 784 units the first three and the last are drawn, with dots and the size, and no weight is labelled."""
    network = dense(784, 128, 10)
    scene = network_scene(*network)
    labels = [mark.latex for mark in scene.marks if isinstance(mark, Label)]
    assert labels.count("\\vdots") == 3
    assert {"784", "128", "10"} <= set(labels)
    assert weight_labels(scene) == []
    assert [unit.key for unit in shown(network[0][0])[0]] == ["0.1", "0.2", "0.3", "0.784"]
    assert collisions(scene) == []


@pytest.mark.parametrize("depth", [6, 9, 12, 40])
def test_deep_networks(depth: int) -> None:
    """However many layers: the drawing stays on the page; what has no room is behind dots."""
    scene = network_scene(*dense(*[3] * depth))
    assert scene.width <= MAX_WIDTH + 1e-9
    assert collisions(scene) == []
    dotted = any(isinstance(mark, Label) and mark.latex == "\\cdots" for mark in scene.marks)
    assert dotted == (depth > 9)


@pytest.mark.parametrize("depth", [2, 4, 8])
@pytest.mark.parametrize("words", [1, 3, 9])
def test_long_words(depth: int, words: int) -> None:
    """Long titles, long bias labels and long values never meet: they shrink, or stay out of the drawing."""
    layers, edges, _ = dense(*[3] * depth)
    long = [
        Layer(
            tuple(Unit(unit.key, unit.latex, "12.5" * words) for unit in layer.units),
            layer.role,
            "\\text{" + " ".join(["hidden"] * words) + "}",
            "z = " + "x + " * words + "1",
        )
        for layer in layers
    ]
    biases = [Bias(k, "b = 0." + "123" * words) for k in range(1, depth)]
    scene = network_scene(long, edges, biases)
    assert collisions(scene) == []
    assert scene.width <= MAX_WIDTH + 1e-9


def test_labels_lie_along_their_edges() -> None:
    """A weight's label has its middle on its own edge, is turned as the edge is, and reads from left to right."""
    scene = network_scene(*three_two_two())
    lines = [mark for mark in scene.marks if isinstance(mark, Line)]
    for label in (mark for mark in scene.marks if isinstance(mark, Label) and mark.ground):
        (line,) = (
            line for line in lines if distance((label.x, label.y), (line.x1, line.y1), (line.x2, line.y2)) < 1e-6
        )
        assert -90 < label.angle <= 90
        slope = math.degrees(math.atan2(line.y2 - line.y1, line.x2 - line.x1))
        assert math.isclose(math.tan(math.radians(label.angle)), math.tan(math.radians(slope)), abs_tol=1e-9)


def test_edges_end_at_circles() -> None:
    """Each edge runs from the border of its first circle to the border of its second."""
    scene = network_scene(*three_two_two(values=True))
    circles = [mark for mark in scene.marks if isinstance(mark, Circle)]
    for line in (mark for mark in scene.marks if isinstance(mark, Line)):
        for end in ((line.x1, line.y1), (line.x2, line.y2)):
            assert any(math.isclose(math.dist(end, (c.x, c.y)), c.radius, abs_tol=1e-9) for c in circles)


def test_values_and_preactivations() -> None:
    """A unit's value stands within its circle, and so does the z before the activation."""
    layers, edges, biases = three_two_two(values=True)
    scene = network_scene(layers, edges, biases)
    assert {"0.9866", "0.9950"} <= {mark.latex for mark in scene.marks if isinstance(mark, Label)}
    units = tuple(Unit(f"h_{i}", f"h_{i}", before=f"z_{{h{i}}}") for i in (1, 2))
    layers[1] = Layer(units, "hidden", "\\text{hidden layer}")
    scene = network_scene(layers, edges, biases)
    assert {"z_{h1}", "z_{h2}"} <= {mark.latex for mark in scene.marks if isinstance(mark, Label)}
    assert collisions(scene) == []


def test_same_drawing_twice() -> None:
    """The layout is a function of its input."""
    assert network_scene(*three_two_two()) == network_scene(*three_two_two())


@pytest.mark.parametrize(
    ("network", "what"),
    [
        (([], [], []), "needs layers"),
        (([Layer((Unit("a", "a"),)), Layer((Unit("a", "b"),))], [], []), "same key"),
        (([Layer((Unit("a", "a"),)), Layer((Unit("b", "b"),))], [Edge("a", "c")], []), "do not exist"),
        (([Layer((Unit("a", "a"),)), Layer((Unit("b", "b"),))], [Edge("b", "a")], []), "one layer to the next"),
        (([Layer((Unit("a", "a"),))], [], [Bias(1, "b")]), "bias of layer 1"),
    ],
)
def test_no_network(network: Network, what: str) -> None:
    """What is no layered network is refused in words."""
    with pytest.raises(ValueError, match=what):
        network_scene(*network)


def test_collisions_are_seen() -> None:
    """The check of this file can fail: a label moved onto another, onto a line, or out of the drawing is told."""
    scene = network_scene(*three_two_two())
    labels = [mark for mark in scene.marks if isinstance(mark, Label) and mark.ground]

    def moved(x: float, y: float) -> list[str]:
        first = labels[0]
        there = Label(x, y, first.latex, first.width, first.height, first.angle, first.role, True, first.size)
        return collisions(Scene(scene.width, scene.height, tuple(there if m is first else m for m in scene.marks)))

    assert any("touches w_{2}" in text for text in moved(labels[1].x, labels[1].y))
    assert any("leaves the drawing" in text for text in moved(0.1, 0.1))
    line = next(mark for mark in scene.marks if isinstance(mark, Line) and mark.dashed)
    assert any("touches a line" in text for text in moved((line.x1 + line.x2) / 2, (line.y1 + line.y2) / 2 + 0.1))


# ── computation graphs ──────────────────────────────────────────────────────────────────────────────────────────

Graph = tuple[list[Node], list[Arrow]]


def neuron() -> Graph:
    """A sigmoid of w0 x0 + w1 x1 + w2 in single operations, values over gradients."""
    leaves = [Node(name, f"{name[0]}_{name[1]}", "input") for name in ("w0", "x0", "w1", "x1", "w2")]
    signs = {"m0": "\\times", "m1": "\\times", "s0": "+", "s1": "+", "n": "\\times -1", "e": "\\exp", "p": "+1"}
    ways = "w0>m0 x0>m0 w1>m1 x1>m1 m0>s0 m1>s0 s0>s1 w2>s1 s1>n n>e e>p p>i i>".split()
    pairs = [way.partition(">") for way in ways]
    arrows = [Arrow(a, b, f"{k - 6}.25", f"-0.{k + 10}") for k, (a, _, b) in enumerate(pairs)]
    return [*leaves, *(Node(key, sign) for key, sign in signs.items()), Node("i", "1/x", "output")], arrows


def long_arrows() -> Graph:
    """A graph with arrows over several columns."""
    nodes = [Node(key, sign) for key, sign in zip("xabcyd", ("x", "\\sin", "\\exp", "\\times", "y", "+"), strict=True)]
    ways = ("xa", "ab", "xc", "bc", "cd", "xd", "yd")
    return nodes, [Arrow(way[0], way[1], f"0.{k}", f"1.{k}") for k, way in enumerate(ways)]


def random_graph(seed: int, size: int) -> Graph:
    """A graph of ``size`` nodes in which every node has one or two sources among the five before it."""
    draw = numpy.random.default_rng(seed)
    nodes = [Node(str(k), f"v_{{{k}}}") for k in range(size)]
    pairs = sorted({(max(0, k - 1 - int(draw.integers(5))), k) for k in range(2, size) for _ in range(2)})
    return nodes, [Arrow(str(a), str(b), f"{a}.{b}", f"-{b}.{a}") for a, b in pairs]


@pytest.mark.parametrize("graph", [neuron(), long_arrows()], ids=["neuron", "long arrows"])
def test_graph(graph: Graph) -> None:
    """Values stand above their arrows and gradients below, arrows run to the right, and nothing touches anything."""
    scene = graph_scene(*graph)
    assert collisions(scene) == []
    labels = {mark.latex: mark for mark in scene.marks if isinstance(mark, Label)}
    assert set(labels) == {text for arrow in graph[1] for text in (arrow.value, arrow.gradient)}
    for arrow in graph[1]:
        above, below = labels[arrow.value], labels[arrow.gradient]
        assert above.angle == pytest.approx(below.angle)
        angle = math.radians(above.angle)
        assert math.cos(angle) * (above.y - below.y) - math.sin(angle) * (above.x - below.x) > 0.2
    assert all(mark.x2 > mark.x1 for mark in scene.marks if isinstance(mark, Line))
    assert scene.width <= MAX_WIDTH + 1e-9
    assert sum(isinstance(mark, Circle | Box) for mark in scene.marks) == len(graph[0])


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs(seed: int) -> None:
    """Up to twenty nodes: drawn with nothing touching anything, or refused, never drawn wrong."""
    graph = random_graph(seed, 6 + seed)
    try:
        scene = graph_scene(*graph)
    except Unsupported:
        assert seed > 5
        return
    assert collisions(scene) == []
    assert scene.width <= MAX_WIDTH + 1e-9


@pytest.mark.parametrize(
    ("graph", "what"),
    [
        (([], []), "needs nodes"),
        (([Node("a", "a"), Node("b", "b")], [Arrow("a", "b"), Arrow("b", "a")]), "no cycles"),
        (([Node("a", "a"), Node("b", "b")], [Arrow("a", "b"), Arrow("a", "b")]), "same nodes"),
        (([Node("a", "a")], [Arrow("a", "c")]), "does not exist"),
    ],
)
def test_no_graph(graph: Graph, what: str) -> None:
    """What is no graph of a computation is refused in words."""
    with pytest.raises(ValueError, match=what):
        graph_scene(*graph)


def test_graph_of_wide_and_many_nodes() -> None:
    """Wide nodes are boxes that keep apart; more in a column than the page is high are refused."""
    nodes = [Node(key, "\\mathrm{softmax}(z)") for key in "abc"]
    assert collisions(graph_scene(nodes, [Arrow("a", "b", "1", "2"), Arrow("b", "c", "3", "4")])) == []
    many = [*(Node(str(k), "x") for k in range(30)), Node("sum", "+")]
    with pytest.raises(Unsupported):
        graph_scene(many, [Arrow(str(k), "sum", "1", "2") for k in range(30)])


def test_graph_too_large() -> None:
    """A chain of sixty operations is refused: its labels would not be legible."""
    nodes = [Node(str(k), "+") for k in range(60)]
    with pytest.raises(Unsupported, match="60 columns"):
        graph_scene(nodes, [Arrow(str(k), str(k + 1), "0.1234", "0.5678") for k in range(59)])


# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("angle", [0.0, 17.0, 90.0, 133.0, 180.0, 271.0])
@pytest.mark.parametrize(
    "shape",
    [
        Polygon(((1.0, -2.0), (2.5, 2.0))),
        Polygon(((1.5, 0.05), (1.9, 0.1))),
        rectangle(1.7, 0.5, 0.8, 0.3, 40.0),
        rectangle(1.7, 0.0, 0.1, 0.1),
        Disc(1.6, 0.35, 0.3),
        Disc(2.0, 0.0, 0.05),
    ],
    ids=str,
)
def test_forbidden_interval(shape: Disc | Polygon, angle: float) -> None:
    """A place is forbidden exactly if the label's box, grown by the margin, meets the shape there."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def turned(point: Point) -> Point:
        return c * point[0] - s * point[1], s * point[0] + c * point[1]

    margin, width, height = 0.07, 0.9, 0.28
    track = Track((0.0, 0.0), turned((4.0, 0.0)), width, height)
    if isinstance(shape, Disc):
        there: Disc | Polygon = Disc(*turned((shape.x, shape.y)), shape.radius)
        round_ = [
            (shape.x + shape.radius * math.cos(k / 20), shape.y + shape.radius * math.sin(k / 20)) for k in range(126)
        ]
    else:
        there, round_ = Polygon(tuple(map(turned, shape.corners))), list(shape.corners)
    interval = forbidden(track, there, margin)
    for step in range(100):
        along = step / 25 + 0.0031
        box = list(rectangle(along, 0.0, width + 2 * margin, height + 2 * margin).corners)
        meets = not apart(box, round_)
        claimed = interval is not None and interval[0] <= along <= interval[1]
        assert meets == claimed or (interval is not None and min(abs(along - end) for end in interval) < 2e-3)


def test_no_room() -> None:
    """Two parallel tracks nearer than a label is high leave no room; farther apart they do."""
    for gap, fits in ((0.15, False), (0.8, True)):
        tracks = [Track((0, y), (3, y), 1.0, 0.3) for y in (0.0, gap)]
        assert (place_labels(tracks) is not None) == fits


# ── formulas ────────────────────────────────────────────────────────────────────────────────────────────────────

FORMULAS = [
    "w_1 = 0.1", "w_{10} = -0.45", "w^{(1)}_{11} = 0.35", "\\hat{y}_1", "h_1", "z_{h1}", "b_1 = 0.5", "+1", "x^2",
    "h = \\sigma(z_h)", "h = \\tanh(z)", "\\alpha_i, \\beta", "a - b", "w_5 = 1/3", "784 \\times 128", "\\vdots", "E",
    "\\hat{w}^{(2)}_{12}", "\\log x", "W_{1} \\odot h", "\\ell = 0.5", "\\mathrm{ReLU}(z_1)", "\\partial E",
    "h_{1}^{(10)}", "y_1", "p^2", "\\hat{h}_1^2",
]  # fmt: skip


def by_typst(latex: str) -> tuple[float, list[Point]]:
    """Width, and the place of each glyph over the baseline, in em, as Typst sets the formula."""
    head = "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n"
    head += "#set text(size: 100pt, top-edge: .8em, bottom-edge: -.3em)\n"
    drawn = typst.compile((head + f"${to_typst(latex)}$").encode(), format="svg").decode()
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert view is not None
    base = 80.0 if float(view[2]) <= 110.01 else math.nan
    places = re.findall(r'matrix\(1 0 0 -1 ([-\d.]+) ([-\d.]+)\)"><use', drawn)
    return float(view[1]) / 100, sorted((float(x) / 100, (base - float(y)) / 100) for x, y in places)


@pytest.mark.parametrize("latex", FORMULAS)
def test_set_as_typst_sets(latex: str) -> None:
    """A formula is as wide here as in Typst, and its glyphs stand at the same places."""
    width, places = by_typst(latex)
    box = set_formula(latex)
    assert box.width == pytest.approx(width, abs=0.006)
    if len(places) == len(box.glyphs):  # Typst draws a word as one group
        mine = sorted((x, y) for _, x, y, _ in box.glyphs)
        for (x1, y1), (x2, y2) in zip(mine, places, strict=True):
            assert x1 == pytest.approx(x2, abs=0.006)
            assert math.isnan(y2) or y1 == pytest.approx(y2, abs=0.006)


@pytest.mark.parametrize("latex", ["\\mathbf{x} = 1", "\\sqrt{2}", "\\frac{1}{3}", "\\mathbb{R}^2", "\\text{隐藏层}"])
def test_never_too_narrow(latex: str) -> None:
    """What cannot be set here exactly is estimated on the large side."""
    if latex.startswith("\\text"):
        width = 3.0  # one em a character
    else:
        width, _ = by_typst(latex)
    assert measure(latex, 10)[0] >= 10 * CM_PER_POINT * (width - 0.006)


def test_size() -> None:
    """Twice the size, twice the room."""
    small, large = measure("w_1 = 0.1", 5), measure("w_1 = 0.1", 10)
    assert large == pytest.approx((2 * small[0], 2 * small[1]))


def test_unsupported() -> None:
    """A formula that only a typesetter can set is told to be one, and a wrong one to be wrong."""
    with pytest.raises(Unsupported):
        set_formula("\\begin{pmatrix} 1 \\end{pmatrix}")
    with pytest.raises(ProblemError):
        set_formula("w_{1")


def tool() -> ModuleType:
    """The script that cuts the glyphs."""
    spec = importlib.util.spec_from_file_location("make_glyphs", Path(__file__).with_name("make_glyphs.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_glyphs_are_the_fonts() -> None:
    """The shipped outlines are those that Typst draws; `python tests/make_glyphs.py` accepts a new font."""
    assert Path(glyphs.__file__).read_text(encoding="utf-8") == tool().module()


# ── the writers ─────────────────────────────────────────────────────────────────────────────────────────────────

SCENES = {
    "case 1": network_scene(*three_two_two(values=True)),
    "case 2": network_scene(*two_two_one()),
    "schematic": network_scene(*dense(784, 128, 10)),
    "deep": network_scene(*dense(*[3] * 12)),
}


@pytest.mark.parametrize("name", SCENES)
def test_typst_compiles(name: str) -> None:
    """Typst draws the scene without a warning, in a box of the scene's size."""
    scene = SCENES[name]
    page = "#set page(width: auto, height: auto, margin: 0pt)\n" + TYPST_STYLES + scene_to_typst(scene, to_typst)
    drawn: Any
    drawn, warnings = typst.Compiler().compile_with_warnings(input=page.encode(), format="svg")
    assert warnings == []
    view = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert view is not None
    assert float(view[1]) * CM_PER_POINT == pytest.approx(scene.width, abs=0.002)
    assert float(view[2]) * CM_PER_POINT == pytest.approx(scene.height, abs=0.002)


@pytest.mark.parametrize("name", SCENES)
def test_svg_stands_alone(name: str) -> None:
    """The SVG is well formed, defines every glyph it uses, refers to nothing outside, and is read out by its words."""
    text = scene_to_svg(SCENES[name], "A <network> & more", "x_1 to h_1")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    used = {use.get("href", "") for use in root.iter(space + "use")}
    assert used == {f"#{path.get('id')}" for path in root.iter(space + "path") if path.get("id")}
    assert used
    assert root.find(space + "title") is not None
    assert root.findtext(space + "title") == "A <network> & more"
    assert root.findtext(space + "desc") == "x_1 to h_1"
    for name_ in root.get("aria-labelledby", "").split():
        assert any(element.get("id") == name_ for element in root)
    assert not re.search(r"url\(|<image|@import|https?://(?!www\.w3\.org)", text)
    assert scene_to_svg(SCENES[name], "A <network> & more", "x_1 to h_1") == text


def test_svg_of_chinese_words() -> None:
    """Letters that the glyph table does not have are left to the reader's fonts, held to the room they were given."""
    scene = Scene(4, 1, (Label(2, 0.5, "\\text{隐藏层 h}", 2, 0.5),))
    text = scene_to_svg(scene)
    assert ">隐藏层</text>" in text
    assert 'textLength="3000"' in text


def test_svg_of_rich_formulas() -> None:
    """What only a typesetter can set is unsupported, or drawn by Typst where its mathematics is at hand."""
    scene = Scene(4, 1, (Label(2, 0.5, "\\mathbf{x} = \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", 2, 0.5),))
    with pytest.raises(Unsupported):
        scene_to_svg(scene)
    root = ElementTree.fromstring(scene_to_svg(scene, "a vector", math=to_typst))
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "a vector"


def test_every_role_has_its_look() -> None:
    """Each role of the scene vocabulary has colours, in each format's styles."""
    assert set(PALETTE) == set(ROLES)
    for role in ROLES:
        assert f'"{role}":' in TYPST_STYLES
        for part in ("ground", "line", "ink"):
            assert f"\\definecolor{{derive-{role}-{part}}}" in TIKZ_STYLES


def contrast(one: str, other: str) -> float:
    """The contrast of two colours after WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("role", ROLES)
def test_legible(role: str) -> None:
    """Ink on its ground has a contrast of 4.5 at least, lines on white one of 3 (WCAG 2, AA; a grid is decoration)."""
    ground, line, ink = PALETTE[role]
    assert contrast(ink, ground) >= 4.5
    assert contrast(ink, "FFFFFF") >= 4.5
    assert role == "grid" or contrast(line, "FFFFFF") >= 3


def test_tikz_places_every_mark() -> None:
    """Each line, circle and formula of the scene is in the TikZ picture once, and braces balance."""
    scene = SCENES["case 1"]
    text = scene_to_tikz(scene)
    circles = [mark for mark in scene.marks if isinstance(mark, Circle)]
    lines = [mark for mark in scene.marks if isinstance(mark, Bare)]
    formulas = [mark.latex for mark in scene.marks if not isinstance(mark, Bare) and mark.latex]
    assert text.count(" circle[radius=") == len(circles)
    assert text.count("\\draw[") == len(lines)
    assert re.findall(r"\{\$(.*)\$\};", text) == formulas
    assert text.count("{") == text.count("}")


@pytest.mark.tex
@pytest.mark.parametrize("name", SCENES)
def test_tikz_compiles(name: str, tmp_path: Path) -> None:
    """XeLaTeX draws the scene with TikZ alone, without an error or an overfull box."""
    import subprocess

    preamble = "\\documentclass{article}\\usepackage[margin=2.5cm]{geometry}\\usepackage{lmodern,amsmath,tikz}\n"
    body = "\\begin{document}\\noindent\n" + scene_to_tikz(SCENES[name]) + "\\end{document}\n"
    (tmp_path / "figure.tex").write_text(preamble + TIKZ_STYLES + body, encoding="utf-8")
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "figure.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alternative() -> None:
    """The words name every unit, every labelled weight with its ends, and every bias."""
    said = network_alternative(*two_two_one(), catalogue("en"))
    assert "Layer 1, input: x 1 equals 1, x 2 equals 0." in said
    assert "x 2 to z sub 2, 1 end sub: w super 1 sub 11" not in said
    assert "x 2 to z sub 2, 1 end sub: w super 1 sub 12 equals minus 2" in said
    assert said.endswith(
        "A constant 1 leads to z sub 2, 1 end sub, z sub 2, 2 end sub: b 1 equals 0, b 2 equals minus 1."
    )


def test_alternative_of_large_layers() -> None:
    """Of large layers the words tell the sizes, not the edges."""
    said = network_alternative(*dense(784, 128, 10), words=catalogue("en"))
    assert "784 units" in said
    assert "Edges" not in said
