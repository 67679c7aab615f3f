"""A network as a drawing: columns of units, weights on the edges, one dashed +1 for each layer's bias.

The layout tries roomier and roomier columns until the labels of every gap find a place where they touch nothing. A gap
whose labels never fit shows its bare edges, and the name of its matrix if that is known. Layers of more than eight
units, and layers beyond what the page is wide enough for, are drawn in part, with dots for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from derive.report.figures.formula import measure
from derive.report.figures.labels import Disc, Shape, Track, place_labels, rectangle
from derive.report.scene import Circle, Label, Line, Mark, Scene

MOST_UNITS = 8  # units drawn one by one in a layer
HEAD_UNITS = 3  # units before the dots of a larger layer
MAX_WIDTH, MAX_HEIGHT = 15.5, 10.0  # cm
NARROWEST = 1.7  # cm between the columns of a deep network

NAME_SIZE, VALUE_SIZE, LABEL_SIZE, TITLE_SIZE, DOTS_SIZE = 10.5, 7.0, 8.0, 8.5, 12.0  # points
BIAS_RADIUS = 0.27
PAD = 0.05  # cm of ground around a label's ink
ROW = 0.42  # cm from one line of a heading to the next


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. ``key`` is its name for edges; ``value`` stands under its name, ``before`` (``z``) to the left of it."""

    key: str
    latex: str
    value: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """A column of units, top to bottom.

    ``role`` is one of ``input hidden output loss``. ``title`` and ``formula`` (``h = \\sigma(z)``) stand over the
    column. ``size`` is the number of units where ``units`` does not hold them all: the first ones and the last one.
    ``weights`` names the matrix that leads into the layer, for a gap without labels on its edges.
    """

    units: tuple[Unit, ...]
    role: str = "hidden"
    title: str = ""
    formula: str = ""
    size: int = 0
    weights: str = ""

    @property
    def count(self) -> int:
        """Number of units, drawn or not."""
        return max(self.size, len(self.units))


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge from a unit to one of the next layer, with a label (``w_1 = 0.1``) and a shorter one (``w_1``)."""

    source: str
    target: str
    latex: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Bias:
    """The +1 of a layer, with one ``shared`` label at the +1 or a label for each unit's edge."""

    layer: int
    shared: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def shown(layer: Layer) -> tuple[tuple[Unit, ...], bool]:
    """The units that are drawn, and whether dots stand before the last of them."""
    if layer.count <= MOST_UNITS and layer.count == len(layer.units):
        return layer.units, False
    return (*layer.units[: min(HEAD_UNITS, len(layer.units) - 1)], layer.units[-1]), True


def network_scene(
    layers: Sequence[Layer],
    edges: Sequence[Edge],
    biases: Sequence[Bias] = (),
    *,
    max_width: float = MAX_WIDTH,
    max_height: float = MAX_HEIGHT,
) -> Scene:
    """Draw a layered network inside ``max_width`` by ``max_height`` cm.

    Edges at units that the drawing leaves out are left out with them. Raises ``ValueError`` for an edge that does not
    lead from one layer to the next and for a bias of a layer that does not exist.
    """
    _check(layers, edges, biases)
    best: _Plan | None = None
    for gap, spacing in _rooms(layers, biases, max_width, max_height):
        plan = _Plan(layers, edges, biases, gap, spacing, max_width)
        if best is None or plan.labelled > best.labelled:
            best = plan
        if best.labelled == best.wanted:
            break
    assert best is not None  # there is always a first room
    return best.scene()


def _check(layers: Sequence[Layer], edges: Sequence[Edge], biases: Sequence[Bias]) -> None:
    if not layers or not all(layer.units for layer in layers):
        raise ValueError("a network needs layers, and a layer needs units")
    place = {unit.key: k for k, layer in enumerate(layers) for unit in layer.units}
    if len(place) < sum(len(layer.units) for layer in layers):
        raise ValueError("two units of a network have the same key")
    for edge in edges:
        if edge.source not in place or edge.target not in place:
            raise ValueError(f"the edge {edge.source} -> {edge.target} joins units that do not exist")
        if place[edge.target] != place[edge.source] + 1:
            raise ValueError(f"the edge {edge.source} -> {edge.target} does not lead from one layer to the next")
    for bias in biases:
        if not 1 <= bias.layer < len(layers):
            raise ValueError(f"a bias of layer {bias.layer}, where layers 1 to {len(layers) - 1} can have one")


def _columns(layers: Sequence[Layer], max_width: float) -> list[int | None]:
    """Which layers are drawn, left to right; ``None`` is the column of dots of a network too deep for the page."""
    most = int((max_width - 1.6) / NARROWEST) + 1
    if len(layers) <= most:
        return list(range(len(layers)))
    tail = 2
    return [*range(most - tail - 1), None, *range(len(layers) - tail, len(layers))]


def _rooms(
    layers: Sequence[Layer], biases: Sequence[Bias], max_width: float, max_height: float
) -> Iterator[tuple[float, float]]:
    """Distances between columns and between units to try, from compact to as roomy as the page."""
    columns = _columns(layers, max_width)
    gaps = max(1, len(columns) - 1)
    over = max(_overhang(layer) for layer in layers)
    widest = max(NARROWEST * 0.8, (max_width - 2 * over) / gaps)
    rows = max(len(units) + dots for units, dots in map(shown, layers))
    head = sum(ROW for lines in (any(x.title for x in layers), any(x.formula for x in layers)) if lines)
    foot = (1.35 if biases else 0.0) + (ROW if any(shown(layer)[1] for layer in layers) else 0.0)
    highest = (max_height - head - foot - 1.3) / max(1, rows - 1)
    seen: set[tuple[float, float]] = set()
    for gap, spacing in ((3.4, 1.35), (4.0, 1.5), (4.6, 1.65), (5.2, 1.8), (6.0, 2.0), (7.0, 2.3), (9.0, 3.0)):
        room = (min(gap, widest), min(spacing, highest))
        if room not in seen:
            seen.add(room)
            yield room


def _overhang(layer: Layer) -> float:
    """How far a column reaches to either side of its middle, in cm."""
    words = [measure(text, TITLE_SIZE)[0] / 2 for text in (layer.title, layer.formula) if text]
    return max(0.65, *words) if words else 0.65


class _Plan:
    """One way to lay the network out; ``labelled`` counts the edges that carry their label."""

    def __init__(
        self,
        layers: Sequence[Layer],
        edges: Sequence[Edge],
        biases: Sequence[Bias],
        gap: float,
        spacing: float,
        max_width: float,
    ) -> None:
        self.layers, self.spacing = layers, spacing
        self.columns = _columns(layers, max_width)
        self.radius = min(0.3 * spacing, self.needed_radius())
        left, right = _overhang(layers[0]), _overhang(layers[-1])
        self.xs = [left + k * gap for k in range(len(self.columns))]
        self.width = self.xs[-1] + right
        self.column_of = {layer: k for k, layer in enumerate(self.columns) if layer is not None}
        self.lay_units()
        self.lay_biases(biases)
        self.marks: list[Mark] = []
        self.front: list[Mark] = []
        self.labelled = self.wanted = 0
        for k in range(1, len(self.columns)):
            here, before = self.columns[k], self.columns[k - 1]
            if here is not None and before is not None:
                self.draw_gap(k, [e for e in edges if e.target in self.keys[k] and e.source in self.keys[k - 1]])

    # units

    def needed_radius(self) -> float:
        """The radius at which every name, with what stands under and beside it, has room."""
        radius = 0.4
        for layer in self.layers:
            for unit in shown(layer)[0]:
                width, height = measure(unit.latex, NAME_SIZE)
                if unit.before:
                    width = 2 * max(width, measure(unit.before, NAME_SIZE)[0]) + 0.2
                radius = max(radius, (width**2 + height**2) ** 0.5 / 2 + 0.05)
                if unit.value:
                    radius = max(radius, 0.47, measure(unit.value, VALUE_SIZE)[0] / 2 + 0.1)
        return min(radius, 0.62)

    def lay_units(self) -> None:
        """A place for every drawn unit; columns are centred on one line, y = 0 for now."""
        self.place: dict[str, tuple[float, float]] = {}
        self.dots: list[tuple[float, float]] = []
        self.keys: list[list[str]] = []
        for x, index in zip(self.xs, self.columns, strict=True):
            self.keys.append([])
            if index is None:
                continue
            units, dotted = shown(self.layers[index])
            rows = len(units) + dotted
            top = (rows - 1) / 2 * self.spacing
            for row, unit in enumerate(units):
                low = row + (dotted and row == len(units) - 1)
                self.place[unit.key] = (x, top - low * self.spacing)
                self.keys[-1].append(unit.key)
            if dotted:
                self.dots.append((x, top - (len(units) - 1) * self.spacing))
        self.top = max(y for _, y in self.place.values()) + self.radius
        self.bottom = min(y for _, y in self.place.values()) - self.radius

    def lay_biases(self, biases: Sequence[Bias]) -> None:
        """The +1 of a layer stands under the column before it."""
        self.plus: dict[int, tuple[Bias, float, float]] = {}
        sized = any(shown(layer)[1] for layer in self.layers)
        y = self.bottom - (ROW if sized else 0.0) - 0.32 - BIAS_RADIUS
        for bias in biases:
            column = self.column_of.get(bias.layer)
            if column is not None and self.columns[column - 1] is not None:
                self.plus[column] = (bias, self.xs[column - 1], y)
        self.foot = self.bottom - (ROW if sized else 0.0)
        if self.plus:
            self.foot = y - BIAS_RADIUS - (ROW if any(bias.shared for bias, _, _ in self.plus.values()) else 0.0)

    # edges

    def track(self, start: tuple[float, float], radius: float, target: str, latex: str) -> Track:
        """The line from circle to circle, with the size of its label."""
        end = self.place[target]
        bare = Track(start, end)
        width, height = measure(latex, LABEL_SIZE) if latex else (0.0, 0.0)
        pad = 2 * PAD if latex else 0.0
        return Track(bare.at(radius), bare.at(bare.length - self.radius), width + pad, height and height + pad)

    def draw_gap(self, column: int, edges: Sequence[Edge]) -> None:
        """Edges of one gap with the richest labels that fit: in full, short, none."""
        bias = self.plus.get(column)
        dashes = [(key, bias[0].labels.get(key, "")) for key in self.keys[column]] if bias else []
        obstacles: list[Shape] = [
            Disc(*self.place[key], self.radius) for key in (*self.keys[column - 1], *self.keys[column])
        ]
        for other in (column, column + 1):
            obstacles += self.bias_shapes(other)
        obstacles += [rectangle(x, y, 0.3, 0.6) for x, y in self.dots]
        wanted = [edge for edge in edges if edge.latex]
        self.wanted += len(wanted) + sum(bool(text) for _, text in dashes)
        full = [edge.latex for edge in edges]
        for texts in (full, [edge.short if edge.latex else "" for edge in edges], [""] * len(edges)):
            for written in (True, False):
                words = [text if written else "" for _, text in dashes]
                tracks = [
                    self.track(self.place[edge.source], self.radius, edge.target, text)
                    for edge, text in zip(edges, texts, strict=True)
                ]
                if bias:
                    ends = zip(dashes, words, strict=True)
                    tracks += [self.track(bias[1:], BIAS_RADIUS, key, word) for (key, _), word in ends]
                places = place_labels(tracks, obstacles)
                if places is not None:
                    if texts is full:
                        self.labelled += sum(map(bool, texts))
                    self.labelled += sum(map(bool, words))
                    self.draw_tracks(tracks, places, [*texts, *words], len(edges))
                    if not any(texts):
                        self.draw_matrix(column)
                    return

    def bias_shapes(self, column: int) -> list[Shape]:
        """What a +1 and its label cover."""
        if column not in self.plus:
            return []
        bias, x, y = self.plus[column]
        shapes: list[Shape] = [Disc(x, y, BIAS_RADIUS)]
        if bias.shared:
            width, height = measure(bias.shared, LABEL_SIZE)
            shapes.append(rectangle(x, y - BIAS_RADIUS - ROW / 2, width, height))
        return shapes

    def draw_tracks(self, tracks: Sequence[Track], places: Sequence[float], texts: Sequence[str], weights: int) -> None:
        for k, (track, along, text) in enumerate(zip(tracks, places, texts, strict=True)):
            role = "edge" if k < weights else "bias-edge"
            self.marks.append(Line(*track.start, *track.end, role, dashed=k >= weights))
            if text:
                x, y = track.at(along)
                box = (track.width, track.height, track.angle)
                self.front.append(Label(x, y, text, *box, role=role, ground=True, size=LABEL_SIZE))

    def draw_matrix(self, column: int) -> None:
        """The name of the matrix over the uppermost edges of a gap without labels."""
        index = self.columns[column]
        latex = self.layers[index].weights if index is not None else ""
        if not latex or not self.keys[column]:
            return
        width, height = measure(latex, LABEL_SIZE)
        (x1, y1), (x2, y2) = self.place[self.keys[column - 1][0]], self.place[self.keys[column][0]]
        slope = abs(y2 - y1) / (x2 - x1)
        if width + 0.3 < x2 - x1 - 2 * self.radius:
            y = (y1 + y2) / 2 + slope * width / 2 + height / 2 + 0.1
            self.front.append(Label((x1 + x2) / 2, y, latex, width, height, role="edge", size=LABEL_SIZE))

    # the whole

    def headings(self) -> Iterator[tuple[float, str, float]]:
        """Title and formula over each column, aligned row by row: x, LaTeX, y."""
        y = self.top + 0.12
        for texts in ([layer.formula for layer in self.layers], [layer.title for layer in self.layers]):
            if any(texts):
                y += ROW
                for x, index in zip(self.xs, self.columns, strict=True):
                    if index is not None and texts[index]:
                        yield x, texts[index], y - ROW / 2
        self.head = y

    def scene(self) -> Scene:
        """All marks, moved so that the lowest stands at 0."""
        front = [*self.front]
        for x, text, y in self.headings():
            width, height = measure(text, TITLE_SIZE)
            front.append(Label(x, y, text, width, height, size=TITLE_SIZE))
        for bias, x, y in self.plus.values():
            front.append(Circle(x, y, BIAS_RADIUS, "+1", "bias", LABEL_SIZE))
            if bias.shared:
                box, low = measure(bias.shared, LABEL_SIZE), y - BIAS_RADIUS - ROW / 2
                front.append(Label(x, low, bias.shared, *box, role="bias", size=LABEL_SIZE))
        for x, y in self.dots:
            front.append(Label(x, y, "\\vdots", 0.3, 0.6, size=DOTS_SIZE))
        for x, index in zip(self.xs, self.columns, strict=True):
            if index is None:
                front.append(Label(x, 0.0, "\\cdots", 0.6, 0.3, size=DOTS_SIZE))
                continue
            units, dotted = shown(self.layers[index])
            for unit in units:
                front += self.unit(unit, self.layers[index].role)
            if dotted:
                text, low = str(self.layers[index].count), self.place[units[-1].key][1] - self.radius
                width, height = measure(text, LABEL_SIZE)
                front.append(Label(x, low - ROW / 2 - 0.03, text, width, height, size=LABEL_SIZE))
        lift = 0.08 - self.foot
        return Scene(self.width, self.head + lift, tuple(_lifted(mark, lift) for mark in (*self.marks, *front)))

    def unit(self, unit: Unit, role: str) -> Iterator[Mark]:
        """The circle of a unit with what stands in it."""
        x, y = self.place[unit.key]
        name, value = measure(unit.latex, NAME_SIZE), measure(unit.value, VALUE_SIZE) if unit.value else (0.0, 0.0)
        size = min(NAME_SIZE, NAME_SIZE * self.radius / 0.4)
        if not unit.before and (not unit.value or value[0] / 2 + 0.06 > self.radius):
            yield Circle(x, y, self.radius, unit.latex, role, size)
            return
        yield Circle(x, y, self.radius, "", role, size)
        up = 0.15 if unit.value else 0.0
        if unit.before:
            half = self.radius / 2
            yield Line(x, y - self.radius if not unit.value else y - 0.08, x, y + self.radius, role, arrow=False)
            yield Label(x - half + 0.03, y + up, unit.before, *name, role=role, size=0.85 * NAME_SIZE)
            yield Label(x + half - 0.03, y + up, unit.latex, *name, role=role, size=0.85 * NAME_SIZE)
        else:
            yield Label(x, y + up, unit.latex, *name, role=role, size=NAME_SIZE)
        if unit.value:
            yield Label(x, y - 0.2, unit.value, *value, role=role, size=VALUE_SIZE)


def _lifted(mark: Mark, lift: float) -> Mark:
    """The same mark, higher."""
    match mark:
        case Line(x1, y1, x2, y2, role, arrow, dashed):
            return Line(x1, y1 + lift, x2, y2 + lift, role, arrow, dashed)
        case Circle(x, y, radius, latex, role, size):
            return Circle(x, y + lift, radius, latex, role, size)
        case Label(x, y, latex, width, height, angle, role, ground, size):
            return Label(x, y + lift, latex, width, height, angle, role, ground, size)
    raise TypeError(f"a network draws no {type(mark).__name__}")
