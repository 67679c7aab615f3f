"""A network as a drawing: columns of units, weights on the edges, one dashed +1 for each layer's bias.

The layout tries roomier and roomier columns until the labels of every gap find a place where they touch nothing. A gap
whose labels never fit shows its bare edges, and the name of its matrix if that is known. Layers of more than eight
units, and layers beyond what the page is wide enough for, are drawn in part, with dots for the rest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from derive.records import dataclass
from derive.report.figures.bundles import bundle, thickness
from derive.report.figures.formula import measure
from derive.report.figures.labels import MARGINS, Disc, Shape, Track, forbidden, place_labels, rectangle
from derive.report.scene import Circle, Label, Line, Mark, Scene

MOST_UNITS = 8  # units drawn one by one in a layer
HEAD_UNITS = 3  # units before the dots of a larger layer
MAX_WIDTH, MAX_HEIGHT = 15.5, 10.0  # cm
NARROWEST = 1.7  # cm between the columns of a deep network

NAME_SIZE, VALUE_SIZE, LABEL_SIZE, SMALL_SIZE, TITLE_SIZE, DOTS_SIZE = 10.5, 7.0, 8.0, 7.0, 8.5, 12.0  # points
HALF_SIZE, HALF_GAP = 0.85 * NAME_SIZE, 0.05  # of two names in one circle, and cm between them
BIAS_RADIUS = 0.27
COMFORT = MARGINS[1]  # a margin worth a larger drawing
SHIFTS = (0.55, 0.3, 0.1, 0.0)  # where along its gap a +1 may stand: the first leaves the labels most room
SLOPE = 0.55  # of a bare gap's height, the least width
MANY_EDGES = 24  # in a gap: more arrow heads than these are a smear
PLAIN_GAP = 0.65  # width of a gap without labels, where other gaps have some
PAD = 0.05  # cm of ground around a label's ink
SMALLEST = 5.5  # points: a row of words that would need less is left out
APART = 0.12  # cm between neighbours in a row of words
ROW = 0.42  # cm from one line of a heading to the next


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. ``key`` is its name for edges; ``value`` stands under its name, ``before`` (``z``) to the left of it."""

    key: str
    latex: str
    value: str = ""
    before: str = ""
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A column of units, top to bottom.

    ``role`` is one of ``input hidden output loss``. ``title`` and ``formula`` (``h = \\sigma(z)``) stand over the
    column: smaller where neighbours would meet, not at all where that would be illegible. ``size`` is the number of
    units where ``units`` does not hold them all but the first ones and the last one. ``weights`` names the matrix that
    leads into the layer, for a gap without labels on its edges.
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
    """An edge from a unit to one of the next layer, with a label (``w_1 = 0.1``) and a shorter one (``w_1``).

    ``paths`` are the numbers of the coloured paths that run along it; a ``faded`` edge stands back behind them.
    """

    source: str
    target: str
    latex: str = ""
    short: str = ""
    paths: tuple[int, ...] = ()
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Bias:
    """The +1 of a layer, with one ``shared`` label at the +1 or a label for each unit's edge, and the paths there."""

    layer: int
    shared: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


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
    rooms = _rooms(layers, edges, biases, max_width, max_height)
    best = _Plan(layers, edges, biases, *rooms[-1], max_width)  # the roomiest shows what can be had at all
    if best.full == best.short == 0:  # only bare edges: compact, but not steep
        gap, spacing = rooms[0]
        steep = SLOPE * (len(max(best.keys, key=len)) - 1) * spacing
        return _Plan(layers, edges, biases, min(max(gap, steep), rooms[-1][0]), spacing, max_width).scene()
    both = best.halved and any(edge.paths for edge in edges)  # a path runs through what is before an activation too
    enough = (*best.quality[:2], min(best.quality[2], COMFORT))
    for room in rooms[:-1]:
        plan = _Plan(layers, edges, biases, *room, max_width)
        if plan.quality >= enough and plan.halved >= both:
            return plan.scene()
        best = max(best, plan, key=lambda plan: plan.quality)
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
    layers: Sequence[Layer], edges: Sequence[Edge], biases: Sequence[Bias], max_width: float, max_height: float
) -> list[tuple[float, float]]:
    """Distances between columns and between units to try, from compact to as roomy as the page."""
    columns = _columns(layers, max_width)
    gaps = sum(_shares(layers, edges, biases, columns)) or 1.0
    widest = (max_width - _overhang(layers[0]) - _overhang(layers[-1])) / gaps
    rows = max(len(units) + dots for units, dots in map(shown, layers))
    head = sum(ROW for lines in (any(x.title for x in layers), any(x.formula for x in layers)) if lines)
    foot = (1.35 if biases else 0.0) + (ROW if any(shown(layer)[1] for layer in layers) else 0.0)
    highest = (max_height - head - foot - 1.3) / max(1, rows - 1)
    rooms = ((3.4, 1.35), (4.6, 1.65), (5.3, 1.8), (6.0, 2.0), (7.0, 2.3), (9.0, 3.0))
    titled = [_overhang(layers[index]) if index is not None else 0.3 for index in columns]
    words = max((one + other + APART for one, other in itertools.pairwise(titled)), default=0.0)
    return list(dict.fromkeys((min(max(gap, words), widest), min(spacing, highest)) for gap, spacing in rooms))


def _shares(
    layers: Sequence[Layer], edges: Sequence[Edge], biases: Sequence[Bias], columns: Sequence[int | None]
) -> list[float]:
    """Width of each gap as a share of the widest: what has no labels needs less room."""
    place = {unit.key: k for k, layer in enumerate(layers) for unit in layer.units}
    spoken = {place[edge.target] for edge in edges if edge.latex} | {bias.layer for bias in biases}
    return [PLAIN_GAP if spoken and index is not None and index not in spoken else 1.0 for index in columns[1:]]


def _overhang(layer: Layer) -> float:
    """How far a column reaches to either side of its middle, in cm."""
    words = [measure(text, TITLE_SIZE)[0] / 2 for text in (layer.title, layer.formula) if text]
    return min(max([0.65, *words]), 2.0)


def _fitted(row: Sequence[tuple[float, str]], size: float, width: float) -> float:
    """The size at which words centred at these places neither meet nor leave the drawing; 0 if that is too small."""
    halves = [(x, measure(text, size)[0] / 2) for x, text in row]
    shares = [min(x, width - x) / half for x, half in halves]
    shares += [(x2 - x1 - APART) / (half1 + half2) for (x1, half1), (x2, half2) in itertools.pairwise(halves)]
    fitting = size * min([1.0, *shares])
    return fitting if fitting >= SMALLEST else 0.0


class _Plan:
    """One way to lay the network out; ``quality`` is the number of labels in full, of short ones, and their margin."""

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
        self.halved = all(self.has_room(unit) for layer in layers for unit in shown(layer)[0])
        self.name_size = min(NAME_SIZE * self.shrink(unit) for layer in layers for unit in shown(layer)[0])
        left, right = _overhang(layers[0]), _overhang(layers[-1])
        self.xs = [left]
        for share in _shares(layers, edges, biases, self.columns):
            self.xs.append(self.xs[-1] + share * gap)
        self.width = self.xs[-1] + right
        self.column_of = {layer: k for k, layer in enumerate(self.columns) if layer is not None}
        self.lay_units()
        self.lay_biases(biases)
        self.marks: list[Mark] = []
        self.front: list[Mark] = []
        self.full, self.short, self.margin = 0, 0, MARGINS[0]
        for k in range(1, len(self.columns)):
            here, before = self.columns[k], self.columns[k - 1]
            if here is not None and before is not None:
                joined = [e for e in edges if e.target in self.keys[k] and e.source in self.keys[k - 1]]
                self.draw_gap(k, before, here, joined)
        self.quality = (self.full, self.short, self.margin)

    # units

    def needed_radius(self) -> float:
        """The radius at which every name, with what stands under and beside it, has room."""
        radius = 0.4
        for layer in self.layers:
            for unit in shown(layer)[0]:
                width, height = measure(unit.latex, NAME_SIZE)
                if unit.before:
                    width = 1.7 * max(width, measure(unit.before, NAME_SIZE)[0]) + 0.2
                radius = max(radius, math.hypot(width, height) / 2 + 0.05)
                if unit.value:
                    radius = max(radius, 0.47, measure(unit.value, VALUE_SIZE)[0] / 2 + 0.1)
        return min(radius, 0.62)

    def has_room(self, unit: Unit) -> bool:
        """Whether the names before and after the activation stand side by side in the circle, or there is one name."""
        words = [measure(text, HALF_SIZE) for text in (unit.before, unit.latex)] if unit.before else []
        return all(width + HALF_GAP <= self.radius and height <= 1.6 * self.radius for width, height in words)

    def shrink(self, unit: Unit) -> float:
        """By how much a name must shrink to stand within the circle."""
        width, height = measure(unit.latex, NAME_SIZE)
        return min(1.0, (2 * self.radius - 0.06) / math.hypot(width, 0.7 * height))

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
        """The +1 of a layer stands under the gap before it, off the column, since it is none of its units."""
        self.plus: dict[int, tuple[Bias, float, float]] = {}
        sized = any(shown(layer)[1] for layer in self.layers)
        y = self.bottom - (ROW if sized else 0.0) - 0.4 - BIAS_RADIUS
        for bias in biases:
            column = self.column_of.get(bias.layer)
            if column is not None and self.columns[column - 1] is not None:
                self.plus[column] = (bias, self.clear_shift(column, y), y)
        self.foot = self.bottom - (ROW if sized else 0.0)
        if self.plus:
            self.foot = y - BIAS_RADIUS - (ROW if any(bias.shared for bias, _, _ in self.plus.values()) else 0.0)
        spoken = sorted((x, bias.shared) for bias, x, _ in self.plus.values() if bias.shared)
        self.shared_size = _fitted(spoken, LABEL_SIZE, self.width)

    def clear_shift(self, column: int, y: float) -> float:
        """The first place for a +1 from which no dashed edge runs through a unit on its way to another."""
        start, width = self.xs[column - 1], self.xs[column] - self.xs[column - 1]
        keys = self.keys[column]
        for shift in SHIFTS:
            x = start + shift * width
            if all(
                forbidden(Track((x, y), self.place[key]), Disc(*self.place[other], self.radius + 0.05), 0.0) is None
                for key in keys
                for other in keys
                if other != key
            ):
                break
        return x

    # edges

    def track(
        self, start: tuple[float, float], radius: float, target: str, latex: str, size: float, paths: int = 0
    ) -> Track:
        """The line from circle to circle, or the bundle of ``paths``, with the size of its label."""
        end = self.place[target]
        bare = Track(start, end)
        width, height = measure(latex, size) if latex else (0.0, 0.0)
        pad, thick = 2 * PAD if latex else 0.0, thickness(paths)
        return Track(
            bare.at(radius), bare.at(bare.length - self.radius), width + pad, height and max(height, thick) + pad,
            thick=thick,
        )  # fmt: skip

    def draw_gap(self, column: int, before: int, here: int, edges: Sequence[Edge]) -> None:
        """Edges from layer ``before`` to layer ``here`` with the richest labels that fit: in full, short, none."""
        bias = self.plus.get(column)
        dashes = [(key, bias[0].labels.get(key, "")) for key in self.keys[column]] if bias else []
        obstacles: list[Shape] = [
            Disc(*self.place[key], self.radius) for key in (*self.keys[column - 1], *self.keys[column])
        ]
        for other in (column, column + 1):
            obstacles += self.bias_shapes(other)
        obstacles += [rectangle(x, y, 0.3, 0.6) for x, y in self.dots]
        whole = not any(dotted for _, dotted in map(shown, (self.layers[before], self.layers[here])))
        full = [edge.latex if whole else "" for edge in edges]
        short = [edge.short if label else "" for edge, label in zip(edges, full, strict=True)]
        bare = [""] * len(edges)
        for texts, written, size in (
            (full, True, LABEL_SIZE), (full, True, SMALL_SIZE), (full, False, LABEL_SIZE), (short, True, LABEL_SIZE),
            (short, True, SMALL_SIZE), (bare, True, LABEL_SIZE), (bare, False, LABEL_SIZE),
        ):  # fmt: skip
            words = [text if written else "" for _, text in dashes]
            tracks = [
                self.track(self.place[edge.source], self.radius, edge.target, text, size, len(edge.paths))
                for edge, text in zip(edges, texts, strict=True)
            ]
            if bias:
                ends = zip(dashes, words, strict=True)
                tracks += [
                    self.track(bias[1:], BIAS_RADIUS, key, word, size, len(bias[0].paths.get(key, ())))
                    for (key, _), word in ends
                ]
            placed = place_labels(tracks, obstacles)
            if placed is not None:
                break
        else:
            placed = [0.0] * len(tracks), 0.0  # not even bare edges are clear, but they are edges
        places, margin = placed
        self.full += sum(map(bool, words)) + (sum(map(bool, texts)) if texts is full else 0)
        self.short += sum(map(bool, texts)) if texts is short else 0
        self.margin = min(self.margin, margin if size == LABEL_SIZE else 0.0)
        kinds = [("faded" if edge.faded else "edge", edge.paths) for edge in edges]
        kinds += [("bias-edge", bias[0].paths.get(key, ())) for key, _ in dashes] if bias else []
        self.draw_tracks(tracks, places, [*texts, *words], kinds, size)
        if not any(texts):
            self.draw_matrix(column)

    def bias_shapes(self, column: int) -> list[Shape]:
        """What a +1 and its label cover."""
        if column not in self.plus:
            return []
        bias, x, y = self.plus[column]
        shapes: list[Shape] = [Disc(x, y, BIAS_RADIUS)]
        if bias.shared and self.shared_size:
            width, height = measure(bias.shared, self.shared_size)
            shapes.append(rectangle(x, y - BIAS_RADIUS - ROW / 2, width, height))
        return shapes

    def draw_tracks(
        self,
        tracks: Sequence[Track],
        places: Sequence[float],
        texts: Sequence[str],
        kinds: Sequence[tuple[str, tuple[int, ...]]],
        size: float,
    ) -> None:
        """Lines with their labels, each line of a role or a bundle of paths; those to a +1 are dashed."""
        coloured: list[Line] = []
        headed = len(tracks) <= MANY_EDGES
        for track, along, text, (role, paths) in zip(tracks, places, texts, kinds, strict=True):
            if paths:
                coloured += bundle(track, paths)
            else:
                self.marks.append(Line(*track.start, *track.end, role, arrow=headed, dashed=role == "bias-edge"))
            if text:
                x, y = track.at(along)
                box = (track.width, track.height, track.angle)
                self.front.append(Label(x, y, text, *box, role=role, ground=True, size=size))
        self.marks += coloured

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

    def headings(self) -> Iterator[Label]:
        """Title and formula over each column, aligned row by row; ``head`` is their upper end."""
        self.head = self.top + 0.12
        for texts in ([layer.formula for layer in self.layers], [layer.title for layer in self.layers]):
            placed = zip(self.xs, self.columns, strict=True)
            row = [(x, texts[index]) for x, index in placed if index is not None and texts[index]]
            if size := _fitted(row, TITLE_SIZE, self.width) if row else 0.0:
                self.head += ROW
                for x, text in row:
                    yield Label(x, self.head - ROW / 2, text, *measure(text, size), size=size)

    def scene(self) -> Scene:
        """All marks, moved so that the lowest stands at 0."""
        front = [*self.front, *self.headings()]
        for bias, x, y in self.plus.values():
            front.append(Circle(x, y, BIAS_RADIUS, "+1", "bias", LABEL_SIZE))
            if bias.shared and self.shared_size:
                box, low = measure(bias.shared, self.shared_size), y - BIAS_RADIUS - ROW / 2
                front.append(Label(x, low, bias.shared, *box, role="bias", size=self.shared_size))
        for x, y in self.dots:
            front.append(Label(x, y, "\\vdots", 0.3, 0.6, size=DOTS_SIZE))
        for x, index in zip(self.xs, self.columns, strict=True):
            if index is None:
                front.append(Label(x, 0.0, "\\cdots", 0.6, 0.3, size=DOTS_SIZE))
                continue
            units, dotted = shown(self.layers[index])
            for unit in units:
                front += self.unit(unit, "faded" if unit.faded else self.layers[index].role)
            if dotted:
                text, low = str(self.layers[index].count), self.place[units[-1].key][1] - self.radius
                width, height = measure(text, LABEL_SIZE)
                front.append(Label(x, low - ROW / 2 - 0.03, text, width, height, size=LABEL_SIZE))
        lift = 0.08 - self.foot
        return Scene(self.width, self.head + lift, tuple(mark.moved(0.0, lift) for mark in (*self.marks, *front)))

    def unit(self, unit: Unit, role: str) -> Iterator[Mark]:
        """The circle of a unit with what stands in it."""
        x, y = self.place[unit.key]
        name, value = measure(unit.latex, NAME_SIZE), measure(unit.value, VALUE_SIZE) if unit.value else (0.0, 0.0)
        valued = bool(unit.value) and value[0] / 2 + 0.06 <= self.radius  # a value too wide is left to the text
        halved = bool(unit.before) and self.halved
        if not halved and not valued:
            yield Circle(x, y, self.radius, unit.latex, role, self.name_size)
            return
        yield Circle(x, y, self.radius, "", role)
        up = 0.15 if valued else 0.0
        if halved:
            size, aside = HALF_SIZE, self.radius / 2 - 0.03
            yield Line(x, y - (0.08 if valued else self.radius), x, y + self.radius, role, arrow=False)
            for text, to in ((unit.before, x - aside), (unit.latex, x + aside)):
                yield Label(to, y + up, text, *measure(text, size), role=role, size=size)
        else:
            yield Label(x, y + up, unit.latex, *name, role=role, size=NAME_SIZE)
        if valued:
            yield Label(x, y - 0.2, unit.value, *value, role=role, size=VALUE_SIZE)
