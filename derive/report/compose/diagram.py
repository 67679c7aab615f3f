"""The drawing of a network, where its equations are a chain of layers."""

from __future__ import annotations

from derive.graph.expression import Expression
from derive.graph.ops import FUNCTIONS
from derive.graph.sizes import is_scalar
from derive.records import dataclass
from derive.report.compose.sheet import Sheet
from derive.report.document import Figure
from derive.report.figures.alternative import network_alternative
from derive.report.figures.network import HEAD_UNITS, MOST_UNITS, Bias, Edge, Layer, Unit, network_scene

MIXING = ("matmul", "conv1d", "conv2d", "max_pool", "avg_pool", "concat", "embedding")


@dataclass(frozen=True, slots=True)
class Dense:
    """One layer: ``before = source W + bias`` and, if it has an activation, ``after = f(before)``."""

    source: str
    weights: str
    bias: str | None
    before: str
    after: str
    function: tuple[str, tuple[object, ...]] | None
    rows: bool


def dense_layers(sheet: Sheet) -> tuple[Dense, ...]:
    """The layers from the data on, each fed by the one before; as many as the equations show."""
    network = sheet.part.network
    known = [(str(equation.name), equation.value) for equation in network.equations]
    found: list[Dense] = []
    source: str | None = None
    while True:
        layer = next(
            (dense for name, value in known if (dense := _dense(sheet, name, value, source)) is not None), None
        )
        if layer is None:
            return tuple(found)
        activation = next(((n, v) for n, v in known if _activates(v, layer.before)), None)
        if activation is not None:
            name, value = activation
            layer = Dense(layer.source, layer.weights, layer.bias, layer.before, name, (value.op, value.at), layer.rows)
        found.append(layer)
        source = layer.after


def _activates(value: Expression, before: str) -> bool:
    """Whether an equation is a function of ``before`` and of nothing else."""
    return value.op in (*FUNCTIONS, "softmax") and value.args[0].op == "name" and value.args[0].name == before


def _dense(sheet: Sheet, name: str, value: Expression, source: str | None) -> Dense | None:
    """An equation as a layer fed by ``source`` (by data, where that is ``None``)."""
    network = sheet.part.network
    terms = value.args if value.op == "add" else (value,)
    products = [term for term in terms if term.op == "matmul"]
    biases = [term for term in terms if term.op == "name" or _is_turned_name(term)]
    if len(products) != 1 or len(terms) > 2 or len(biases) + 1 != len(terms):
        return None
    if not all(arg.op == "name" for arg in products[0].args):
        return None
    a, b = (str(arg.name) for arg in products[0].args)
    for moving, weights, rows in ((a, b, True), (b, a, False)):
        if weights not in network.data or (moving != source if source is not None else moving not in network.data):
            continue
        if (
            source is None
            and rows
            and network.data[weights].role != "parameter"
            and network.data[a].role == "parameter"
        ):
            continue
        if source is None and _first_is_weights(sheet, a, b, rows):
            continue
        bias = str(biases[0].names()[0]) if biases else None
        if bias is None or bias in network.data:
            return Dense(moving, weights, bias, name, name, None, rows)
    return None


def _is_turned_name(term: Expression) -> bool:
    """``b.T``: a bias that is a column, beside samples in rows."""
    return term.op == "transpose" and term.args[0].op == "name"


def _first_is_weights(sheet: Sheet, a: str, b: str, rows: bool) -> bool:
    """Whether ``a @ b`` is read the wrong way round: of two data the weights are the ones that look like it."""
    roles = [sheet.part.network.data[name].role for name in (a, b)]
    if roles[0] != roles[1]:
        return rows if roles[0] == "parameter" else not rows
    shape_a, shape_b = (sheet.part.network.shape(name) for name in (a, b))
    column = (shape_b[1] == 1 and shape_a[0] != 1) or (a[:1].isupper() and b[:1].islower())
    return rows if column else not rows


def _whole(sheet: Sheet, layers: tuple[Dense, ...]) -> bool:
    """Whether the chain of layers is the network: no other equation mixes units, and none goes past a layer."""
    if not layers:
        return False
    equations = sheet.part.network.equations
    mixing = {str(e.name) for e in equations if any(node.op in MIXING for node in e.value.nodes())}
    hidden = {name for layer in layers for name in (layer.before, layer.after)} - {layers[-1].before, layers[-1].after}
    inside = {layer.before for layer in layers}
    loss = sheet.part.asked.loss  # which may compare with the input, as an autoencoder's does
    ways = [
        (str(name), str(equation.name))
        for equation in equations
        for name in equation.value.names()
        if name in hidden or (name == layers[0].source and equation.name != loss)
    ]
    steps = {(layer.before, layer.after) for layer in layers}
    steps |= {(layer.source, layer.before) for layer in layers}
    return mixing <= inside and set(ways) <= steps


def whole_chain(sheet: Sheet) -> tuple[Dense, ...]:
    """The layers of a network that is a chain of them and has sizes; none where it is something else."""
    layers = dense_layers(sheet)
    sizes = [size for layer in layers for size in sheet.part.network.shape(layer.weights)]
    return layers if _whole(sheet, layers) and not any(isinstance(size, str) for size in sizes) else ()


def network_figure(sheet: Sheet) -> Figure | None:
    """The network with its weights on the edges; ``None`` where it is no chain of layers."""
    layers = whole_chain(sheet)
    if not layers:
        return None
    columns = columns_of(sheet, layers)
    edges: list[Edge] = []
    biases: list[Bias] = []
    for k, layer in enumerate(layers):
        edges += edges_of(sheet, layer)
        if layer.bias is not None:
            biases.append(_bias(sheet, layer, k + 1))
    try:
        scene = network_scene(columns, edges, biases)
    except ValueError:
        return None
    caption = sheet.words.say("problem.figure" if biases else "problem.figure_plain")
    return Figure(scene, caption, network_alternative(columns, edges, biases, sheet.words))


def columns_of(sheet: Sheet, layers: tuple[Dense, ...]) -> list[Layer]:
    """The columns of units: the inputs, and what comes out of each layer."""
    found = [_column(sheet, layers[0].source, layers[0].rows, "input", None, "")]
    for k, layer in enumerate(layers):
        role = "output" if k == len(layers) - 1 else "hidden"
        found.append(_column(sheet, layer.after, layer.rows, role, layer, layer.weights))
    return found


def _units(sheet: Sheet, name: str, rows: bool) -> tuple[list[int], int]:
    """The units of a layer that are drawn (counted from 0), and how many there are."""
    shape = sheet.part.network.shape(name)
    count = int(shape[1] if rows else shape[0])
    drawn = list(range(count)) if count <= MOST_UNITS else [*range(HEAD_UNITS), count - 1]
    return drawn, count


def unit_key(name: str, unit: int) -> str:
    """What a unit is called in a drawing."""
    return f"{name}:{unit}"


def _unit_symbol(sheet: Sheet, name: str, unit: int, rows: bool) -> str:
    """The symbol of a unit: its entry where there is one sample, else its column."""
    shape = sheet.part.network.shape(name)
    samples = shape[0] if rows else shape[1]
    if samples == 1:
        return sheet.symbols.entry(name, (0, unit) if rows else (unit, 0))
    return sheet.symbols.indexed(name, str(unit + 1))


def _column(sheet: Sheet, name: str, rows: bool, role: str, layer: Dense | None, weights: str) -> Layer:
    drawn, count = _units(sheet, name, rows)
    activated = layer is not None and layer.function is not None
    units = tuple(
        Unit(
            unit_key(name, unit),
            _unit_symbol(sheet, name, unit, rows),
            before=_unit_symbol(sheet, layer.before, unit, rows) if layer is not None and activated else "",
        )
        for unit in drawn
    )
    formula = ""
    if layer is not None and layer.function is not None:
        symbol = sheet.symbols.function(*layer.function)
        formula = f"{sheet.symbols.name(layer.after)} = {symbol}({sheet.symbols.name(layer.before)})"
    title = sheet.words.text(f"layer.{role}")
    return Layer(
        units, role, rf"\text{{{title}}}", formula, size=count, weights=sheet.symbols.name(weights) if weights else ""
    )


def edges_of(sheet: Sheet, layer: Dense) -> list[Edge]:
    """The edges into a layer, with its weights."""
    sources, _ = _units(sheet, layer.source, layer.rows)
    targets, _ = _units(sheet, layer.after, layer.rows)
    values = sheet.part.network.data[layer.weights].tensor is not None
    found = []
    for i in sources:
        for j in targets:
            index = (i, j) if layer.rows else (j, i)
            symbol = sheet.symbols.entry(layer.weights, index)
            text = f"{symbol} = {sheet.number(layer.weights, index).text}" if values else symbol
            found.append(Edge(unit_key(layer.source, i), unit_key(layer.after, j), text, symbol))
    return found


def _bias(sheet: Sheet, layer: Dense, place: int) -> Bias:
    name = str(layer.bias)
    shape = sheet.part.network.shape(name)
    values = sheet.part.network.data[name].tensor is not None

    def label(index: tuple[int, ...]) -> str:
        symbol = sheet.symbols.entry(name, index)
        return f"{symbol} = {sheet.number(name, index).text}" if values else symbol

    if is_scalar(shape):
        return Bias(place, shared=label((0,) * len(shape)))
    targets, _ = _units(sheet, layer.after, layer.rows)
    return Bias(place, labels={unit_key(layer.after, j): label((0, j) if shape[0] == 1 else (j, 0)) for j in targets})
