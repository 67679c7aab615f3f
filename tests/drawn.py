"""Networks and graphs that are drawn in tests, and their scenes."""

from __future__ import annotations

import itertools

import numpy

from derive.report.figures.graph import Arrow, Node
from derive.report.figures.network import Bias, Edge, Layer, Unit, network_scene
from derive.report.scene import Label, Scene

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


# ── the writers ─────────────────────────────────────────────────────────────────────────────────────────────────

SCENES = {
    "case 1": network_scene(*three_two_two(values=True)),
    "case 2": network_scene(*two_two_one()),
    "schematic": network_scene(*dense(784, 128, 10)),
    "deep": network_scene(*dense(*[3] * 12)),
}
