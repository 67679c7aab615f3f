"""ATen's operations, one function each: what ``torch.export`` leaves of a module, in the words of the language."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, Arrays, number, shown
from derive.problem.sources.draft import Shape
from derive.problem.sources.recurrent import unrolled
from derive.problem.sources.stored import Part, Steps
from derive.problem.syntax import Call as Written
from derive.problem.syntax import Index, Number
from derive.records import dataclass


@dataclass(frozen=True)
class Call:
    """One operation with its arguments by name. ``layer`` is the comment of a step that has parameters."""

    arrays: Arrays
    operation: str
    given: dict[str, Any]
    layer: str

    def __getitem__(self, key: str) -> Any:
        return self.given[key]

    def array(self, key: str, role: str = "", shape: Shape | None = None) -> Array:
        """The argument as an array; a plain number is a constant."""
        return self.made(self.given[key], role, shape)

    def made(self, value: Any, role: str = "", shape: Shape | None = None) -> Array:
        """A value as an array."""
        if isinstance(value, Array):
            return value
        if isinstance(value, Part):
            return value.array(role, shape)
        if isinstance(value, Steps):
            return self.arrays.let(value.array(), "joined")
        if isinstance(value, bool | int | float):
            return number(exact(int(value) if isinstance(value, bool) else value))
        raise self.unsupported(f"{self.operation} of {type(value).__name__}")

    def optional(self, key: str, role: str, shape: Shape | None = None) -> Array | None:
        """The argument as an array, where it is there."""
        return None if self.given.get(key) is None else self.array(key, role, shape)

    def shape(self, key: str) -> Shape:
        """The shape of a tensor that may not be drawn yet."""
        found: Shape = self.given[key].shape
        return found

    def unsupported(self, message: str, hint: str | None = None) -> Exception:
        """The error for what a problem cannot say."""
        return self.arrays.draft.unsupported(message, hint=hint)

    def only(self, **plain: Any) -> None:
        """Raise ``Unsupported`` where an option is not what it mostly is."""
        for key, value in plain.items():
            found = self.given.get(key, value)
            if found != value:
                raise self.unsupported(f"{self.operation} with {key} = {found}", hint=f"supported is {value}")

    def reduction(self) -> str:
        """The reduction of a loss, which ATen gives as a number."""
        return ("none", "mean", "sum")[self.given["reduction"]]

    def soft(self, array: Array) -> Array:
        """A step that may stand inside the next one."""
        return self.arrays.let(array, "soft")


Handler = Callable[[Call], Any]
OPERATIONS: dict[str, Handler] = {}


def operation(*names: str) -> Callable[[Handler], Handler]:
    """Enter a function under the names of the operations that it draws."""

    def enter(function: Handler) -> Handler:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return enter


# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@operation("linear")
def _linear(call: Call) -> Array:
    call.arrays.draft.layers += 1
    weight, bias = call.array("weight", "weight"), call.optional("bias", "bias")
    return blocks.affine(call.arrays, call.array("input"), weight, bias, call.layer, turned=True)


@operation("addmm")
def _addmm(call: Call) -> Array:
    call.only(beta=1, alpha=1)
    call.arrays.draft.layers += 1
    return blocks.affine(
        call.arrays, call.array("mat1"), call.array("mat2", "weight"), call.array("self", "bias"), call.layer
    )


@operation("conv1d", "conv2d")
def _convolution(call: Call) -> Array:
    call.only(groups=1)
    if blocks.one_size(call.arrays, call["dilation"], "a dilation of") != 1:
        raise call.unsupported(f"{call.operation} with dilation = {call['dilation']}", hint="supported is 1")
    x = call.array("input")
    bias = None
    if call["bias"] is not None:
        bias = call.array("bias", "bias", blocks.bias_of_filters(call.shape("bias"), len(call.shape("weight"))))
    if isinstance(call["padding"], str):
        raise call.unsupported(f"{call.operation} with padding = {call['padding']!r}", hint="give a number")
    call.arrays.draft.layers += 1
    stride, padding = (blocks.one_size(call.arrays, call[key], f"a {key} of") for key in ("stride", "padding"))
    weight = call.array("weight", "weight")
    return blocks.convolution(call.arrays, x, weight, bias, call.layer, stride=stride, padding=padding)


@operation("max_pool2d", "avg_pool2d", "max_pool1d", "avg_pool1d")
def _pooling(call: Call) -> Array:
    call.only(ceil_mode=False, divisor_override=None)
    sizes = {key: call.given.get(key) for key in ("stride", "padding", "dilation", "kernel_size")}
    found = {
        key: blocks.one_size(call.arrays, value, f"a {key.replace('_', ' ')} of")
        for key, value in sizes.items()
        if value not in (None, [])
    }
    if found.get("padding", 0) or found.get("dilation", 1) != 1:
        raise call.unsupported(f"{call.operation} with padding or dilation")
    function = call.operation.removesuffix("2d").removesuffix("1d")
    size = found["kernel_size"]
    return blocks.pooling(call.arrays, function, call.array("self"), size, stride=found.get("stride"))


@operation("layer_norm")
def _layer_norm(call: Call) -> Array:
    x = call.array("input")
    if list(call["normalized_shape"]) != list(x.shape[-1:]):
        raise call.unsupported("layer_norm over several axes", hint="supported is the last one")
    gain, shift = call.optional("weight", "gain"), call.optional("bias", "shift")
    return blocks.norm(call.arrays, "layer_norm", x, gain, shift, exact(call["eps"]), call.layer)


@operation("batch_norm")
def _batch_norm(call: Call) -> Array:
    x = call.array("input")
    if x.axes != 2:
        raise call.unsupported(f"batch_norm of an array with {x.axes} axes", hint="supported is samples × features")
    gain, shift = call.optional("weight", "gain"), call.optional("bias", "shift")
    if call["training"]:
        return blocks.norm(call.arrays, "batch_norm", x, gain, shift, exact(call["eps"]), call.layer)
    mean, variance = call.array("running_mean"), call.array("running_var")
    return blocks.settled_norm(call.arrays, x, mean, variance, gain, shift, exact(call["eps"]), call.layer)


@operation("dropout", "feature_dropout", "alpha_dropout")
def _dropout(call: Call) -> Array:
    if call["train"] and call["p"]:
        raise call.unsupported(
            "dropout that draws its mask", hint="module.eval() leaves it out; multiply by a mask of your own to show it"
        )
    return call.array("input")


@operation("embedding")
def _embedding(call: Call) -> Array:
    call.arrays.draft.require("embedding")
    index, table = call.array("indices"), call.array("weight", "table")
    node = Written("embedding", (table.node, index.node))
    shape = (*index.shape, table.shape[1])
    laid = (*call.arrays.laid(index.shape), table.shape[1])  # a row of indices is 1 × n, and its rows 1 × n × m
    return call.arrays.let(call.arrays.fitted(node, laid, shape), "embedding", call.layer)


@operation("rnn_tanh_cell", "rnn_relu_cell")
def _recurrent_cell(call: Call) -> Array:
    arrays = call.arrays
    x, h = call.array("input"), call.array("hx")
    into, again = call.array("w_ih", "weight"), call.array("w_hh", "recurrent")
    z = arrays.binary("+", arrays.matmul(x, arrays.transpose(into)), arrays.matmul(h, arrays.transpose(again)))
    for key in ("b_ih", "b_hh"):
        if (bias := call.optional(key, "bias")) is not None:
            z = arrays.binary("+", z, bias)
    function = "tanh" if "tanh" in call.operation else "relu"
    return blocks.activation(arrays, function, arrays.let(z, "affine", call.layer))


@operation("rnn_tanh", "rnn_relu", "lstm", "gru")
def _recurrent(call: Call) -> list[Any]:
    call.only(num_layers=1, bidirectional=False)
    if call["train"] and call["dropout"]:
        raise call.unsupported(f"{call.operation} with dropout")
    roles = ("weight", "recurrent", "bias", "recurrent_bias")
    given = [call.made(value, role) for value, role in zip(call["params"], roles, strict=False)]
    if len(call["params"]) not in (2, 4):
        raise call.unsupported(f"{call.operation} with {len(call['params'])} weights")
    weights = (given[0], given[1], *(given[2:] or (None, None)))
    states = call["hx"] if isinstance(call["hx"], list) else [call["hx"]]
    call.arrays.draft.layers += 1
    every, last = unrolled(
        call.arrays, call.operation.removeprefix("rnn_"), call["input"], states, weights, call.layer,
        batch_first=call["batch_first"],
    )  # fmt: skip
    return [every, *last]


@operation("scaled_dot_product_attention")
def _attention(call: Call) -> Array:
    call.only(attn_mask=None, is_causal=False, enable_gqa=False, dropout_p=0.0)
    arrays = call.arrays
    q, k, v = call.array("query"), call.array("key"), call.array("value")
    if q.axes != 2:
        raise call.unsupported("attention over a batch", hint="supported are matrices: positions × features")
    width = arrays.whole(q.shape[-1])
    scores = arrays.matmul(q, arrays.transpose(k))
    if call["scale"] is not None:
        scores = arrays.binary("*", scores, number(exact(call["scale"])))
    elif (root := round(sqrt(width))) ** 2 == width:
        scores = arrays.binary("/", scores, number(fmpq(root)))
    else:
        scores = arrays.binary("/", scores, arrays.apply("sqrt", number(fmpq(width))))
    share = blocks.softmax(arrays, "softmax", arrays.let(scores, "soft"), -1)
    return arrays.let(arrays.matmul(share, v))


# ── elementwise ─────────────────────────────────────────────────────────────────────────────────────────────────

ACTIVATIONS = ("sigmoid", "tanh", "relu", "silu")
FUNCTIONS = ("exp", "log", "log2", "sqrt", "abs", "square", "sin", "cos", "maximum", "minimum")


@operation(*ACTIVATIONS)
def _activation(call: Call) -> Array:
    return blocks.activation(call.arrays, call.operation, call.array("self"))


@operation(*FUNCTIONS)
def _function(call: Call) -> Array:
    operands = [call.array(key) for key in ("self", "other") if key in call.given]
    return call.soft(call.arrays.apply(call.operation, *operands))


@operation("gelu")
def _gelu(call: Call) -> Array:
    call.only(approximate="none")
    return blocks.activation(call.arrays, "gelu", call.array("self"))


@operation("elu")
def _elu(call: Call) -> Array:
    call.only(alpha=1, scale=1, input_scale=1)
    return blocks.activation(call.arrays, "elu", call.array("self"))


@operation("softplus")
def _softplus(call: Call) -> Array:
    call.only(beta=1)  # past the threshold PyTorch takes z for softplus(z), which is the same to double precision
    return blocks.activation(call.arrays, "softplus", call.array("self"))


@operation("leaky_relu")
def _leaky_relu(call: Call) -> Array:
    slope = exact(call["negative_slope"])
    return blocks.activation(call.arrays, "leaky_relu", call.array("self"), slope=slope)


@operation("clamp", "hardtanh", "relu6")
def _clip(call: Call) -> Array:
    arrays, x = call.arrays, call.array("self")
    low, high = (0, 6) if call.operation == "relu6" else (None, None)
    for key in ("min", "min_val"):
        low = call.given.get(key, low)
    for key in ("max", "max_val"):
        high = call.given.get(key, high)
    if low is None or high is None:
        function, bound = ("minimum", high) if low is None else ("maximum", low)
        return arrays.let(arrays.apply(function, x, call.made(bound)), "activation")
    return arrays.let(arrays.apply("clip", x, call.made(low), call.made(high)), "activation")


SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "gt": ">",
    "lt": "<",
    "ge": ">=",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
}


@operation(*SIGNS)
def _binary(call: Call) -> Array:
    call.only(rounding_mode=None)
    other = _times(call, call.array("other"))
    return call.soft(call.arrays.binary(SIGNS[call.operation], call.array("self"), other))


@operation("rsub")
def _turned_difference(call: Call) -> Array:
    return call.soft(call.arrays.binary("-", call.array("other"), _times(call, call.array("self"))))


def _times(call: Call, array: Array) -> Array:
    """``alpha`` times the second operand, as ``torch.add`` has it."""
    alpha = call.given.get("alpha", 1)
    return array if alpha == 1 else call.arrays.binary("*", call.made(alpha), array)


@operation("neg")
def _negative(call: Call) -> Array:
    return call.soft(call.arrays.negate(call.array("self")))


@operation("pow")
def _power(call: Call) -> Array:
    return call.soft(call.arrays.power(call.array("self"), call.array("exponent")))


@operation("reciprocal")
def _reciprocal(call: Call) -> Array:
    return call.soft(call.arrays.binary("/", number(fmpq(1)), call.array("self")))


@operation("rsqrt")
def _reciprocal_root(call: Call) -> Array:
    root = call.arrays.apply("sqrt", call.array("self"))
    return call.soft(call.arrays.binary("/", number(fmpq(1)), root))


@operation("log1p")
def _log1p(call: Call) -> Array:
    return call.soft(call.arrays.apply("log", call.arrays.binary("+", number(fmpq(1)), call.array("self"))))


@operation("where")
def _where(call: Call) -> Array:
    arrays = call.arrays
    condition, yes, no = call.array("condition"), call.array("self"), call.array("other")
    kept = arrays.binary("*", condition, yes)
    rest = arrays.binary("*", arrays.binary("-", number(fmpq(1)), condition), no)
    return call.soft(arrays.binary("+", kept, rest))


# ── products, reductions, along an axis ─────────────────────────────────────────────────────────────────────────


@operation("matmul", "mm", "bmm", "mv", "dot")
def _matmul(call: Call) -> Array:
    other = next(key for key in ("other", "mat2", "vec", "tensor") if key in call.given)
    left, right = call["self"], call[other]
    if isinstance(right, Part) and right.trained and not (isinstance(left, Part) and left.trained):
        call.arrays.draft.layers += 1
        made = call.arrays.matmul(call.array("self"), call.array(other, "weight"))
        return call.arrays.let(made, "soft")
    return call.soft(call.arrays.matmul(call.made(left), call.made(right)))


@operation("outer")
def _outer(call: Call) -> Array:
    arrays = call.arrays
    column = arrays.reshape(call.array("self"), [-1, 1])
    return call.soft(arrays.matmul(column, arrays.reshape(call.array("vec2"), [1, -1])))


REDUCTIONS = {"sum": "sum", "mean": "mean", "amax": "max", "amin": "min", "max": "max", "min": "min"}


@operation(*REDUCTIONS)
def _reduction(call: Call) -> Array:
    if call.operation in ("max", "min") and "dim" in call.given:
        raise call.unsupported(f"{call.operation} along an axis, with the places", hint="use amax or amin")
    if call.operation in ("max", "min") and "other" in call.given:
        return call.soft(call.arrays.apply(f"{call.operation}imum", call.array("self"), call.array("other")))
    axes = call.given.get("dim")
    axes = [axes] if isinstance(axes, int) else axes
    found = call.arrays.reduce(
        REDUCTIONS[call.operation], call.array("self"), axes or None, bool(call.given.get("keepdim", False))
    )
    return call.soft(found)


@operation("var")
def _variance(call: Call) -> Array:
    arrays, x = call.arrays, call.array("self")
    axes = call.given.get("dim")
    axes = list(range(x.axes)) if axes in (None, []) else [axes] if isinstance(axes, int) else list(axes)
    count = 1
    for axis in axes:
        count *= arrays.whole(x.shape[arrays.axis(axis, x.axes)])
    less = call.given.get("correction", 1 if call.given.get("unbiased", True) else 0)
    less = 1 if less is None else less
    centred = arrays.binary("-", x, arrays.reduce("mean", x, axes, keepdims=True))
    squares = arrays.power(centred, number(fmpq(2)))
    keep = bool(call.given.get("keepdim", False))
    if not less:
        return call.soft(arrays.reduce("mean", squares, axes, keep))
    return call.soft(arrays.binary("/", arrays.reduce("sum", squares, axes, keep), number(fmpq(count - less))))


@operation("linalg_vector_norm", "norm")
def _norm(call: Call) -> Array:
    call.only(ord=2, p=2, dim=None)
    return call.soft(blocks.length(call.arrays, call.array("self")))


@operation("softmax", "log_softmax", "_softmax", "_log_softmax")
def _softmax(call: Call) -> Array:
    return blocks.softmax(call.arrays, call.operation.removeprefix("_"), call.array("self"), call["dim"])


# ── rearranging ─────────────────────────────────────────────────────────────────────────────────────────────────


@operation("t", "numpy_T", "mT", "transpose", "permute", "swapaxes")
def _transpose(call: Call) -> Array:
    x = call.array("self")
    order = list(range(x.axes))
    if "dims" in call.given:
        order = list(call["dims"])
    elif call.operation in ("transpose", "swapaxes"):
        one, other = (
            call.arrays.axis(call.given[key], x.axes)
            for key in (("dim0", "dim1") if "dim0" in call.given else ("axis0", "axis1"))
        )
        order[one], order[other] = order[other], order[one]
    elif call.operation == "mT":
        order[-2:] = order[:-3:-1]
    else:
        order.reverse()
    return call.soft(call.arrays.transpose(x, order))


@operation("view", "reshape", "_unsafe_view")
def _reshape(call: Call) -> Array:
    return call.arrays.let(
        call.arrays.reshape(call.array("self"), call["size" if "size" in call.given else "shape"]), "soft"
    )


@operation("flatten")
def _flatten(call: Call) -> Array:
    x = call.array("self")
    start, end = (call.arrays.axis(call[key], x.axes) for key in ("start_dim", "end_dim"))
    sizes = [call.arrays.whole(size) for size in x.shape]
    found = call.arrays.reshape(x, [*sizes[:start], -1, *sizes[end + 1 :]])
    return x if found is x else call.arrays.let(found, "flat")


@operation("squeeze", "unsqueeze")
def _squeeze(call: Call) -> Array:
    steps = call["self"]
    if isinstance(steps, Steps) and len(steps.every) == 1 and call.given.get("dim") == steps.axis:
        return steps.every[0]
    x = call.array("self")
    sizes = [call.arrays.whole(size) for size in x.shape]
    if call.operation == "unsqueeze":
        sizes.insert(call.arrays.axis(call["dim"], x.axes + 1), 1)
        return call.soft(call.arrays.reshape(x, sizes))
    axes = call.given.get("dim", list(range(x.axes)))
    over = {call.arrays.axis(axis, x.axes) for axis in ([axes] if isinstance(axes, int) else axes)}
    return call.soft(call.arrays.reshape(x, [size for k, size in enumerate(sizes) if not (k in over and size == 1)]))


@operation("expand")
def _expand(call: Call) -> Array:
    x = call.array("self")
    sizes = [size if size != -1 else x.shape[k - len(call["size"])] for k, size in enumerate(call["size"])]
    return call.soft(call.arrays.expand(x, tuple(sizes)))


@operation("select")
def _select(call: Call) -> Array:
    steps = call["self"]
    if isinstance(steps, Steps) and call["dim"] % len(steps.shape) == steps.axis:
        found: Array = steps.every[call["index"]]
        return found
    x = call.array("self")
    axis = call.arrays.axis(call["dim"], x.axes)
    items: list[Any] = [(None, None, None)] * axis
    return call.soft(call.arrays.index(x, [*items, call["index"]]))


@operation("slice")
def _slice(call: Call) -> Array:
    x = call.array("self")
    axis = call.arrays.axis(call["dim"], x.axes)
    size = call.arrays.whole(x.shape[axis])
    start, stop, step = slice(call["start"], call["end"], call["step"]).indices(size)
    whole: tuple[int | None, int | None, int | None] = (None, None, None)
    item = whole if (start, stop, step) == (0, size, 1) else (start, min(stop, size), None if step == 1 else step)
    return call.soft(call.arrays.index(x, [*[whole] * axis, item]))


@operation("cat", "stack")
def _join(call: Call) -> Array:
    every = [call.made(value) for value in call["tensors"]]
    axis = call["dim"]
    if call.operation == "stack":
        axis = call.arrays.axis(axis, every[0].axes + 1)
        sizes = [call.arrays.whole(size) for size in every[0].shape]
        every = [call.arrays.reshape(one, [*sizes[:axis], 1, *sizes[axis:]]) for one in every]
    return call.arrays.let(call.arrays.join(every, axis), "joined")


@operation("zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones")
def _constant(call: Call) -> Array:
    shape = tuple(call["size"]) if "size" in call.given else call.array("self").shape
    function = "zeros" if "zeros" in call.operation else "ones"
    if not shape:
        return number(exact(call.given.get("fill_value", int(function == "ones"))))
    call.arrays.draft.require(function)
    made = Array(Written(function, tuple(Number(fmpq(size)) for size in call.arrays.laid(shape))), shape)
    if "full" in call.operation:
        made = call.arrays.binary("*", call.made(call["fill_value"]), made)
    return call.soft(made)


@operation("clone", "contiguous", "alias", "to", "_to_copy", "type_as", "lift_fresh_copy", "lift_fresh")
def _same(call: Call) -> Any:
    return next(iter(call.given.values()))


@operation("broadcast_tensors")
def _broadcast(call: Call) -> list[Any]:
    every = call["tensors"]
    if len({one.shape for one in every}) > 1:
        shapes = " and ".join(shown(one.shape) for one in every)
        raise call.unsupported(f"arrays of the shapes {shapes}, stretched to one another")
    return list(every)


@operation("trace")
def _trace(call: Call) -> Array:
    call.arrays.draft.require("trace")
    return call.soft(Array(Written("trace", (call.array("self").node,)), ()))


# ── losses ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _output(call: Call, key: str) -> Array:
    """What a loss is of: a step of its own, since it is the network's output."""
    found = call.array(key)
    return call.arrays.let(found) if found.value is None and not _is_named(found) else found


def _is_named(array: Array) -> bool:
    return not isinstance(array.node, Index) and getattr(array.node, "id", None) is not None


@operation("mse_loss")
def _squared_error(call: Call) -> Array:
    return blocks.squared_error(call.arrays, _output(call, "self"), call.array("target"), call.reduction())


@operation("l1_loss")
def _absolute_error(call: Call) -> Array:
    return blocks.absolute_error(call.arrays, _output(call, "self"), call.array("target"), call.reduction())


@operation("cross_entropy_loss")
def _cross_entropy(call: Call) -> Array:
    call.only(weight=None, label_smoothing=0.0)
    _all_counted(call)
    z = _output(call, "self")
    if z.axes > 2:
        raise call.unsupported("a cross-entropy of more than two axes", hint="supported is samples × classes")
    return blocks.cross_entropy(call.arrays, z, call.array("target"), call.reduction())


@operation("nll_loss", "nll_loss_nd")
def _likelihood(call: Call) -> Array:
    call.only(weight=None)
    _all_counted(call)
    log_p, target = _output(call, "self"), call["target"]
    if not isinstance(target, Part) or log_p.axes > 2:
        raise call.unsupported("a likelihood of labels that are computed")
    import numpy

    classes = call.arrays.whole(log_p.shape[-1])
    target.value = numpy.eye(classes, dtype=int)[target.value]
    target.shape = target.value.shape
    return blocks.negative_log_likelihood(call.arrays, log_p, target.array("target"), call.reduction())


def _all_counted(call: Call) -> None:
    """Labels that a loss is to leave out are not in the language."""
    target = call["target"]
    if isinstance(target, Part) and target.value.dtype.kind in "iu" and (target.value == call["ignore_index"]).any():
        raise call.unsupported(f"a label of {call['ignore_index']}, which the loss leaves out")


@operation("binary_cross_entropy")
def _binary_cross_entropy(call: Call) -> Array:
    call.only(weight=None)
    return blocks.binary_cross_entropy(call.arrays, _output(call, "self"), call.array("target"), call.reduction())


@operation("binary_cross_entropy_with_logits")
def _binary_cross_entropy_of_logits(call: Call) -> Array:
    call.only(weight=None, pos_weight=None)
    z = _output(call, "self")
    return blocks.binary_cross_entropy_of_logits(call.arrays, z, call.array("target"), call.reduction())
