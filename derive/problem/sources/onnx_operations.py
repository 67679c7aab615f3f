"""ONNX's operations, one function each, in the words of the language; arithmetic of sizes is done as it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, number, shown
from derive.problem.sources.draft import MOST_ENTRIES, Shape
from derive.problem.sources.stored import Part
from derive.problem.syntax import Call, Number

if TYPE_CHECKING:
    from derive.problem.sources.onnx_file import _Graph

MOST_FOLDED = 64  # entries of a constant that is worked out while the file is read: the sizes of a shape


class Node:
    """A node with its inputs, by number, and its attributes, by name."""

    def __init__(self, graph: _Graph, proto: Any, inputs: list[str], attributes: dict[str, Any]) -> None:
        self.graph, self.names, self.attributes = graph, inputs, attributes
        self.arrays, self.operation = graph.arrays, proto.op_type if proto is not None else ""

    def has(self, place: int) -> bool:
        """Whether an input is there: an empty name leaves one out."""
        return place < len(self.names) and bool(self.names[place])

    def value(self, place: int) -> Any:
        """An input as it is."""
        if not self.has(place):
            raise self.error(f"its input {place + 1} is missing")
        found = self.graph.found[self.names[place]]
        if found is None:
            raise self.unsupported(f"a second output of a node, {self.names[place]}")
        return found

    def array(self, place: int, role: str = "", shape: Shape | None = None) -> Array:
        """An input as an array."""
        found = self.value(place)
        if isinstance(found, Array):
            return found
        if isinstance(found, Part):
            if not found.shape and not found.trained and found.value is not None and not found.role:
                return number(exact(found.value.ravel()[0]))
            return found.array(role, shape)
        if found.ndim == 0:
            return number(fmpq(int(found)))
        return Part(self.arrays, found.shape, found, False, "").array(role, shape)

    def optional(self, place: int, role: str, shape: Shape | None = None) -> Array | None:
        """An input as an array, where it is there."""
        return self.array(place, role, shape) if self.has(place) else None

    def shape(self, place: int) -> Shape:
        """The shape of an input that may not be drawn yet."""
        found: Shape = tuple(self.value(place).shape)
        return found

    def is_constant(self, place: int) -> bool:
        """Whether an input is whole numbers that are known now."""
        found = self.graph.found.get(self.names[place])
        return found is not None and hasattr(found, "dtype") and found.size <= MOST_FOLDED

    def wholes(self, place: int, key: str) -> list[int] | None:
        """Whole numbers that stand in an input, or in older files in an attribute; ``None`` where in neither."""
        if self.has(place):
            found = self.value(place)
            if not hasattr(found, "dtype"):
                raise self.unsupported(f"{self.operation} with {key} that is computed")
            return [int(entry) for entry in found.ravel()]
        found = self.attributes.get(key)
        return None if found is None else [int(entry) for entry in (found if isinstance(found, list) else [found])]

    def number(self, place: int) -> fmpq:
        """A constant number."""
        found = self.array(place)
        if found.value is None:
            part = self.value(place)
            if isinstance(part, Part) and part.value is not None and part.value.size == 1:
                return exact(part.value.ravel()[0])
            raise self.unsupported(f"{self.operation} with a number that is computed")
        return found.value

    def whole(self, key: str, default: int) -> int:
        """An attribute that is a whole number."""
        found = self.attributes.get(key, default)
        if not isinstance(found, int):
            raise self.error(f"its attribute {key} is no whole number")
        return found

    def real(self, key: str, default: str) -> fmpq:
        """An attribute that is a number in single precision, by its shortest decimal."""
        found = self.attributes.get(key, default)
        if isinstance(found, float):
            import numpy

            found = numpy.float32(found)
        return exact(found)

    def only(self, **plain: Any) -> None:
        """Raise ``Unsupported`` where an attribute is not what it mostly is."""
        for key, value in plain.items():
            if (found := self.attributes.get(key, value)) != value:
                raise self.unsupported(f"{self.operation} with {key} = {found}", hint=f"supported is {value}")

    def layer(self) -> str:
        """``layer fc1``, where the weight is called ``fc1.weight``."""
        for name in self.names[1:]:
            found = self.graph.found.get(name)
            if isinstance(found, Part) and found.trained and "." in name:
                return f"layer {name.rsplit('.', 1)[0]}"
        return ""

    def error(self, message: str) -> Exception:
        """Wrong input."""
        return self.arrays.draft.error(message)

    def unsupported(self, message: str, hint: str | None = None) -> Exception:
        """What a problem cannot say."""
        return self.arrays.draft.unsupported(message, hint=hint)

    def soft(self, array: Array) -> Array:
        """A step that may stand inside the next one."""
        return self.arrays.let(array, "soft")


Handler = Callable[[Node], Any]
OPERATIONS: dict[str, Handler] = {}
FOLDED: dict[str, Handler] = {}


def operation(*names: str) -> Callable[[Handler], Handler]:
    """Enter a function under the names of the operations that it draws."""

    def enter(function: Handler) -> Handler:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return enter


# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@operation("Gemm")
def _gemm(node: Node) -> Array:
    node.only(alpha=1.0, beta=1.0)
    arrays = node.arrays
    arrays.draft.layers += 1
    x, weight = node.array(0, "weight"), node.array(1, "weight")
    if x.axes != 2 or weight.axes != 2:
        raise node.error(f"a product of the shapes {shown(x.shape)} and {shown(weight.shape)}")
    x = arrays.transpose(x) if node.whole("transA", 0) else x
    turned = bool(node.whole("transB", 0))
    return blocks.affine(arrays, x, weight, node.optional(2, "bias"), node.layer(), turned=turned)


@operation("MatMul")
def _matmul(node: Node) -> Array:
    sides = [isinstance(node.value(k), Part) and node.value(k).trained for k in (0, 1)]
    if any(sides) and not all(sides):
        node.arrays.draft.layers += 1
    return node.soft(node.arrays.matmul(node.array(0, "weight" if sides[0] else ""), node.array(1, "weight")))


@operation("Conv")
def _convolution(node: Node) -> Array:
    node.only(group=1, auto_pad="NOTSET")
    if any(size != 1 for size in node.attributes.get("dilations", [])):
        raise node.unsupported(f"Conv with dilations = {node.attributes['dilations']}", hint="supported is 1")
    arrays, x = node.arrays, node.array(0)
    arrays.draft.layers += 1
    weight = node.array(1, "weight")
    bias = node.optional(2, "bias", blocks.bias_of_filters(node.shape(2), weight.axes) if node.has(2) else None)
    stride = blocks.one_size(arrays, node.attributes.get("strides", 1), "a stride of")
    padding = blocks.one_size(arrays, node.attributes.get("pads", 0), "a padding of")
    return blocks.convolution(arrays, x, weight, bias, node.layer(), stride=stride, padding=padding)


@operation("MaxPool", "AveragePool")
def _pooling(node: Node) -> Array:
    node.only(auto_pad="NOTSET", ceil_mode=0, storage_order=0)
    if any(node.attributes.get("pads", [])) or any(size != 1 for size in node.attributes.get("dilations", [])):
        raise node.unsupported(f"{node.operation} with padding or dilation")
    arrays = node.arrays
    size = blocks.one_size(arrays, node.attributes.get("kernel_shape", []), "a window of")
    stride = blocks.one_size(arrays, node.attributes.get("strides", 1), "a stride of")
    function = "max_pool" if node.operation == "MaxPool" else "avg_pool"
    return blocks.pooling(arrays, function, node.array(0), size, stride=stride)


@operation("GlobalAveragePool", "GlobalMaxPool")
def _global_pooling(node: Node) -> Array:
    x = node.array(0)
    function = "mean" if node.operation == "GlobalAveragePool" else "max"
    return node.arrays.let(node.arrays.reduce(function, x, range(2, x.axes), keepdims=True), "pool")


@operation("BatchNormalization")
def _batch_norm(node: Node) -> Array:
    node.only(training_mode=0, spatial=1)
    x = node.array(0)
    if x.axes != 2:
        raise node.unsupported(
            f"BatchNormalization of an array with {x.axes} axes", hint="supported is samples × features"
        )
    for place in (3, 4):  # running statistics are not trained
        if isinstance(node.value(place), Part):
            node.value(place).trained = False
    gain, shift = node.array(1, "gain"), node.array(2, "shift")
    eps = node.real("epsilon", "1e-5")
    return blocks.settled_norm(node.arrays, x, node.array(3), node.array(4), gain, shift, eps, node.layer())


@operation("LayerNormalization")
def _layer_norm(node: Node) -> Array:
    x = node.array(0)
    if node.arrays.axis(node.whole("axis", -1), x.axes) != x.axes - 1:
        raise node.unsupported("LayerNormalization over several axes", hint="supported is the last one")
    gain, shift = node.array(1, "gain"), node.optional(2, "shift")
    return blocks.norm(node.arrays, "layer_norm", x, gain, shift, node.real("epsilon", "1e-5"), node.layer())


# ── elementwise ─────────────────────────────────────────────────────────────────────────────────────────────────

ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Softplus": "softplus"}
FUNCTIONS = {"Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs", "Sin": "sin", "Cos": "cos"}
SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
COMPARISONS = {"Greater": ">", "Less": "<", "GreaterOrEqual": ">=", "LessOrEqual": "<=", "Equal": "=="}


@operation(*ACTIVATIONS)
def _activation(node: Node) -> Array:
    return blocks.activation(node.arrays, ACTIVATIONS[node.operation], node.array(0))


@operation("LeakyRelu")
def _leaky_relu(node: Node) -> Array:
    return blocks.activation(node.arrays, "leaky_relu", node.array(0), slope=node.real("alpha", "0.01"))


@operation("Elu")
def _elu(node: Node) -> Array:
    node.only(alpha=1.0)
    return blocks.activation(node.arrays, "elu", node.array(0))


@operation("Gelu")
def _gelu(node: Node) -> Array:
    node.only(approximate="none")
    return blocks.activation(node.arrays, "gelu", node.array(0))


@operation("Swish")
def _swish(node: Node) -> Array:
    node.only(alpha=1.0)
    return blocks.activation(node.arrays, "silu", node.array(0))


@operation(*FUNCTIONS)
def _function(node: Node) -> Array:
    return node.soft(node.arrays.apply(FUNCTIONS[node.operation], node.array(0)))


@operation(*SIGNS, *COMPARISONS)
def _binary(node: Node) -> Array:
    sign = (SIGNS | COMPARISONS)[node.operation]
    left, right = node.value(0), node.value(1)
    roles = ["", ""]
    if sign == "+":  # a row that is added is the bias of the step before it
        roles = ["bias" if isinstance(one, Part) and one.trained else "" for one in (left, right)]
    made = node.arrays.binary(sign, node.array(0, roles[0]), node.array(1, roles[1]))
    return node.arrays.let(made, "affine" if _ends_layer(node, left, right, roles) else "soft", node.layer())


def _ends_layer(node: Node, left: Any, right: Any, roles: list[str]) -> bool:
    """Whether a sum is a product with a weight and a bias behind it: an affine step in two nodes."""
    from derive.problem.syntax import Binary

    if "bias" not in roles:
        return False
    other = left if roles[1] else right
    step = next(
        (s for s in node.arrays.draft.steps if isinstance(other, Array) and s.name == getattr(other.node, "id", "")),
        None,
    )
    return step is not None and isinstance(step.node, Binary) and step.node.operator == "@"


@operation("Neg")
def _negative(node: Node) -> Array:
    return node.soft(node.arrays.negate(node.array(0)))


@operation("Reciprocal")
def _reciprocal(node: Node) -> Array:
    return node.soft(node.arrays.binary("/", number(fmpq(1)), node.array(0)))


@operation("Pow")
def _power(node: Node) -> Array:
    return node.soft(node.arrays.power(node.array(0), number(node.number(1))))


@operation("Clip")
def _clip(node: Node) -> Array:
    bounds = [
        number(node.number(place))
        if node.has(place)
        else number(node.real(key, "0"))
        if key in node.attributes
        else None
        for place, key in ((1, "min"), (2, "max"))
    ]
    low, high = bounds
    arrays, x = node.arrays, node.array(0)
    if low is not None and high is not None:
        return arrays.let(arrays.apply("clip", x, low, high), "activation")
    for function, bound in (("maximum", low), ("minimum", high)):
        if bound is not None:
            x = arrays.let(arrays.apply(function, x, bound), "activation")
    return x


@operation("Max", "Min", "Sum")
def _several(node: Node) -> Array:
    found = node.array(0)
    for place in range(1, len(node.names)):
        other = node.array(place)
        function = {"Max": "maximum", "Min": "minimum"}.get(node.operation)
        found = node.arrays.apply(function, found, other) if function else node.arrays.binary("+", found, other)
    return node.soft(found)


@operation("Where")
def _where(node: Node) -> Array:
    arrays, condition = node.arrays, node.array(0)
    kept = arrays.binary("*", condition, node.array(1))
    rest = arrays.binary("*", arrays.binary("-", number(fmpq(1)), condition), node.array(2))
    return node.soft(arrays.binary("+", kept, rest))


# ── along axes ──────────────────────────────────────────────────────────────────────────────────────────────────


@operation("Softmax", "LogSoftmax")
def _softmax(node: Node) -> Array:
    x = node.array(0)
    axis = node.attributes.get("axis", 1 if x.axes == 2 else -1)
    function = "softmax" if node.operation == "Softmax" else "log_softmax"
    return blocks.softmax(node.arrays, function, x, axis)


REDUCTIONS = {"ReduceSum": "sum", "ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min"}


@operation(*REDUCTIONS, "ReduceSumSquare", "ReduceL1", "ReduceL2")
def _reduction(node: Node) -> Array:
    arrays, x = node.arrays, node.array(0)
    axes, keep = node.wholes(1, "axes"), bool(node.whole("keepdims", 1))
    if not axes and node.whole("noop_with_empty_axes", 0):
        return x
    if node.operation == "ReduceL2" and not keep and (not axes or len(axes) == x.axes):
        return node.soft(blocks.length(arrays, x))
    if node.operation == "ReduceL1":
        x = arrays.apply("abs", x)
    elif node.operation in ("ReduceSumSquare", "ReduceL2"):
        x = arrays.power(x, number(fmpq(2)))
    found = arrays.reduce(REDUCTIONS.get(node.operation, "sum"), x, axes, keep)
    return node.soft(arrays.apply("sqrt", found) if node.operation == "ReduceL2" else found)


# ── rearranging ─────────────────────────────────────────────────────────────────────────────────────────────────


@operation("Transpose")
def _transpose(node: Node) -> Array:
    x = node.array(0, "weight")
    order = node.attributes.get("perm")
    if order is not None and sorted(order) != list(range(x.axes)):
        raise node.error(f"perm is {order}, expected is an order of {x.axes} axes")
    return node.soft(node.arrays.transpose(x, order))


@operation("Reshape")
def _reshape(node: Node) -> Array:
    x, sizes = node.array(0), node.wholes(1, "shape")
    if sizes is None:
        raise node.error("it has no shape")
    if not node.whole("allowzero", 0):
        sizes = [node.arrays.whole(x.shape[k]) if not size and k < x.axes else size for k, size in enumerate(sizes)]
    if sizes.count(-1) > 1 or any(size < -1 or size == 0 for size in sizes):
        raise node.error(f"the shape {shown(sizes)}")
    return node.soft(node.arrays.reshape(x, sizes))


@operation("Flatten")
def _flatten(node: Node) -> Array:
    x, axis = node.array(0), node.whole("axis", 1)
    axis = axis + x.axes if axis < 0 else axis
    if not 0 <= axis <= x.axes:
        raise node.error(f"axis {axis} of an array with {x.axes} axes")
    if x.axes == 2 and axis == 1:
        return x
    sizes = [node.arrays.whole(size) for size in x.shape]
    rows = 1
    for size in sizes[:axis]:
        rows *= size
    return node.arrays.let(node.arrays.reshape(x, [rows, -1]), "flat")


@operation("Squeeze", "Unsqueeze")
def _squeeze(node: Node) -> Array:
    x, axes = node.array(0), node.wholes(1, "axes")
    sizes = [node.arrays.whole(size) for size in x.shape]
    if node.operation == "Unsqueeze":
        for axis in sorted(node.arrays.axis(axis, x.axes + len(axes or [])) for axis in axes or []):
            sizes.insert(axis, 1)
        return node.soft(node.arrays.reshape(x, sizes))
    over = {node.arrays.axis(axis, x.axes) for axis in axes} if axes else set(range(x.axes))
    return node.soft(node.arrays.reshape(x, [size for k, size in enumerate(sizes) if k not in over or size != 1]))


@operation("Concat")
def _concat(node: Node) -> Array:
    every = [node.array(place) for place in range(len(node.names))]
    return node.arrays.let(node.arrays.join(every, node.whole("axis", 0)), "joined")


@operation("Slice")
def _slice(node: Node) -> Array:
    x = node.array(0)
    starts, ends = node.wholes(1, "starts"), node.wholes(2, "ends")
    axes, steps = node.wholes(3, "axes"), node.wholes(4, "steps")
    if starts is None or ends is None or len({len(one) for one in (starts, ends, axes, steps) if one is not None}) != 1:
        raise node.error("starts, ends, axes and steps do not belong together")
    items: list[Any] = [(None, None, None)] * x.axes
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = node.arrays.axis(axes[k] if axes else k, x.axes)
        size, step = node.arrays.whole(x.shape[axis]), steps[k] if steps else 1
        if step < 1:
            raise node.unsupported(f"Slice with steps = {step}", hint="supported are positive steps")
        first, last, _ = slice(start, end, step).indices(size)
        items[axis] = (
            (None, None, None) if (first, last, step) == (0, size, 1) else (first, last, None if step == 1 else step)
        )
    return node.soft(node.arrays.index(x, items))


@operation("Gather")
def _gather(node: Node) -> Array:
    index = node.value(1)
    data = node.value(0)
    if hasattr(index, "dtype") and index.ndim == 0:
        x = node.array(0)
        axis = node.arrays.axis(node.whole("axis", 0), x.axes)
        return node.soft(node.arrays.index(x, [*[(None, None, None)] * axis, int(index)]))
    if len(node.shape(0)) != 2 or node.whole("axis", 0) or not isinstance(data, Part):
        raise node.unsupported("Gather of several entries", hint="supported are one index, and the rows of a table")
    node.arrays.draft.require("embedding")
    table, rows = node.array(0, "table"), node.array(1)
    laid, shape = node.arrays.laid(rows.shape), (*rows.shape, table.shape[1])
    made = node.arrays.fitted(Call("embedding", (table.node, rows.node)), (*laid, table.shape[1]), shape)
    return node.arrays.let(made, "embedding", node.layer())


@operation("Expand")
def _expand(node: Node) -> Array:
    x, sizes = node.array(0), node.wholes(1, "shape")
    return node.soft(node.arrays.expand(x, node.arrays.broadcast(x.shape, tuple(sizes or ()))))


@operation("Identity", "Dropout", "Cast", "CastLike")
def _same(node: Node) -> Any:
    if node.operation == "Dropout" and node.has(2) and (not node.is_constant(2) or int(node.value(2))):
        raise node.unsupported("Dropout that draws its mask", hint="export the model in evaluation mode")
    return node.value(0)


@operation("Constant")
def _constant(node: Node) -> Any:
    import numpy

    given = {key: value for key, value in node.attributes.items() if key.startswith("value")}
    if len(given) != 1:
        raise node.error("a constant with not exactly one value")
    ((key, value),) = given.items()
    if key == "value":
        return value
    if key in ("value_int", "value_ints"):
        return numpy.array(value, dtype="int64")
    if key in ("value_float", "value_floats"):
        array = numpy.array(value, dtype="float32")
        return Part(node.arrays, array.shape, array, False, "")
    raise node.unsupported(f"a constant by {key}")


@operation("ConstantOfShape")
def _filled(node: Node) -> Array:
    sizes = node.wholes(0, "shape") or []
    value = node.attributes.get("value")
    entry = (
        number(fmpq(0))
        if value is None
        else number(exact((value.value if isinstance(value, Part) else value).ravel()[0]))
    )
    if not sizes:
        return entry
    count = 1
    for size in sizes:
        count *= max(size, 0)
    if not 0 < count <= MOST_ENTRIES:
        raise node.error(f"a constant of the shape {shown(sizes)}")
    function = "zeros" if entry.value == 0 else "ones"
    node.arrays.draft.require(function)
    made = Array(Call(function, tuple(Number(fmpq(size)) for size in node.arrays.laid(tuple(sizes)))), tuple(sizes))
    return node.soft(made if entry.value in (0, 1) else node.arrays.binary("*", entry, made))


@operation("Shape")
def _shape(node: Node) -> Any:
    import numpy

    sizes = [node.arrays.whole(size) for size in node.shape(0)]
    return numpy.array(sizes[slice(node.whole("start", 0), node.attributes.get("end"))], dtype="int64")


# ── losses ──────────────────────────────────────────────────────────────────────────────────────────────────────


@operation("SoftmaxCrossEntropyLoss")
def _cross_entropy(node: Node) -> Array:
    node.only(ignore_index=None)
    if node.has(2):
        raise node.unsupported("SoftmaxCrossEntropyLoss with weights")
    z, target = node.array(0), node.array(1, "target")
    if z.axes != 2:
        raise node.unsupported("a cross-entropy of more than two axes", hint="supported is samples × classes")
    return blocks.cross_entropy(node.arrays, z, target, str(node.attributes.get("reduction", "mean")))


# ── sizes, worked out while the file is read ────────────────────────────────────────────────────────────────────


def _fold(name: str, rule: Callable[..., Any]) -> None:
    """Enter a rule for constants; what NumPy refuses becomes a message."""

    def folded(node: Node) -> Any:
        import numpy

        values = [node.value(place) for place in range(len(node.names)) if node.has(place)]
        try:
            with numpy.errstate(all="ignore"):
                found = numpy.asarray(rule(node, *values), dtype="int64")
        except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError) as error:
            raise node.error(f"{name} of constants: {error}") from None
        if found.size > MOST_FOLDED:
            raise node.error(f"{name} of constants with {found.size} entries")
        return found

    FOLDED[name] = folded


def _numpy() -> Any:
    import numpy

    return numpy


_fold("Gather", lambda node, data, index: data.take(index, axis=node.whole("axis", 0)))
_fold("Concat", lambda node, *arrays: _numpy().concatenate(arrays, axis=node.whole("axis", 0)))
_fold("Unsqueeze", lambda node, data, *axes: data.reshape((1,) * len(node.wholes(1, "axes") or []) + data.shape))
_fold("Squeeze", lambda node, data, *axes: data.reshape([size for size in data.shape if size != 1]))
_fold("Add", lambda node, a, b: a + b)
_fold("Sub", lambda node, a, b: a - b)
_fold("Mul", lambda node, a, b: a * b)
_fold("Div", lambda node, a, b: a // b)
