"""Figures: the layout of networks and computation graphs, held by geometry that the layout does not know."""

from __future__ import annotations

import itertools
import math

import pytest

from derive.errors import Unsupported
from derive.report.catalogue import catalogue
from derive.report.figures.alternative import network_alternative
from derive.report.figures.graph import Arrow, Node, graph_scene
from derive.report.figures.labels import Disc, Polygon, Track, forbidden, place_labels, rectangle
from derive.report.figures.network import MAX_HEIGHT, MAX_WIDTH, Bias, Edge, Layer, Unit, network_scene, shown
from derive.report.scene import Box, Circle, Label, Line, Scene
from drawn import Graph, Network, dense, long_arrows, neuron, random_graph, three_two_two, two_two_one, weight_labels
from geometry import Point, apart, collisions, distance

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
