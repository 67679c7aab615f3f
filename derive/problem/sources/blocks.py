"""What networks are made of, in the words of the language: affine steps, convolutions, pooling, norms, losses.

Every source draws these through here, so that the same layer reads the same wherever it came from. ``Arrays`` in, an
``Array`` under a name of its own out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq

from derive.problem.sources.arrays import Array, Arrays, named, number, shown
from derive.problem.sources.draft import Shape
from derive.problem.syntax import Call, Number, Transpose

EPS = fmpq(1, 100000)


def affine(
    arrays: Arrays, x: Array, weight: Array, bias: Array | None, comment: str = "", *, turned: bool = False
) -> Array:
    """``z = x @ W + b``, or ``z = x @ W.T + b`` for weights that are stored the way PyTorch does (``turned``)."""
    if turned:
        weight = arrays.transpose(weight)
    z = arrays.matmul(x, weight)
    if bias is not None:
        z = arrays.binary("+", z, bias)
    return arrays.let(z, "affine", comment)


def convolution(
    arrays: Arrays, x: Array, filters: Array, bias: Array | None, comment: str = "", *, stride: int = 1,
    padding: int = 0,
) -> Array:  # fmt: skip
    """``z = conv2d(x, W) + b`` (``conv1d`` for one axis less); the bias is 1 × F × 1 × 1."""
    function = {3: "conv1d", 4: "conv2d"}.get(x.axes)
    if function is None or filters.axes != x.axes:
        raise arrays.draft.unsupported(
            f"a convolution of the shapes {shown(x.shape)} and {shown(filters.shape)}",
            hint="x: N, C, H, W; w: F, C, h, w",
        )
    arrays.draft.require(function)
    if x.shape[1] != filters.shape[1]:
        raise arrays.draft.unsupported(f"{x.shape[1]} channels, and filters for {filters.shape[1]}")
    sizes = [window(arrays, size, filters.shape[k + 2], stride, padding) for k, size in enumerate(x.shape[2:])]
    options = _changed(stride=(stride, 1), padding=(padding, 0))
    z = Array(Call(function, (x.node, filters.node), options), (x.shape[0], filters.shape[0], *sizes))
    return arrays.let(z if bias is None else arrays.binary("+", z, bias), "affine", comment)


def pooling(
    arrays: Arrays, function: str, x: Array, size: int, comment: str = "", *, stride: int | None = None
) -> Array:
    """``p = max_pool(x, 2)`` or ``avg_pool`` over square windows."""
    arrays.draft.require(function)
    stride = stride or size
    sizes = tuple(window(arrays, found, size, stride, 0) for found in x.shape[2:])
    node = Call(function, (x.node, Number(fmpq(size))), _changed(stride=(stride, size)))
    return arrays.let(Array(node, (*x.shape[:2], *sizes)), "pool", comment)


def window(arrays: Arrays, size: Any, width: Any, stride: int, padding: int) -> int:
    """How many windows fit along an axis. Raises ``ProblemError`` where none does."""
    room = arrays.whole(size) + 2 * padding - arrays.whole(width)
    if room < 0:
        raise arrays.draft.error(f"a window of {width} does not fit into {size}")
    return room // stride + 1


def norm(
    arrays: Arrays, function: str, x: Array, gain: Array | None, shift: Array | None, eps: fmpq, comment: str = ""
) -> Array:
    """``n = gamma * layer_norm(x) + beta``, or ``batch_norm``; gain and shift are written out."""
    arrays.draft.require(function)
    found = Array(Call(function, (x.node,), _changed(eps=(eps, EPS))), x.shape)
    if gain is not None:
        found = arrays.binary("*", gain, found)
    if shift is not None:
        found = arrays.binary("+", found, shift)
    return arrays.let(found, "norm", comment)


def settled_norm(
    arrays: Arrays, x: Array, mean: Array, variance: Array, gain: Array | None, shift: Array | None, eps: fmpq,
    comment: str = "",
) -> Array:  # fmt: skip
    """Batch norm with known statistics: ``n = gamma * (x - m) / sqrt(v + eps) + beta``."""
    deviation = arrays.apply("sqrt", arrays.binary("+", variance, number(eps)))
    found = arrays.binary("-", x, mean)
    if gain is not None:
        found = arrays.binary("*", gain, found)
    found = arrays.binary("/", found, deviation)
    if shift is not None:
        found = arrays.binary("+", found, shift)
    return arrays.let(found, "norm", comment)


def dropout(arrays: Arrays, x: Array, mask: Array, share: fmpq | None, comment: str = "") -> Array:
    """``d = h * m / (1 - p)`` for a mask of zeros and ones that is given."""
    found = arrays.binary("*", x, mask)
    if share:
        found = arrays.binary("/", found, number(1 - share))
    return arrays.let(found, "dropout", comment)


def softmax(arrays: Arrays, function: str, x: Array, axis: int, comment: str = "") -> Array:
    """``softmax`` or ``log_softmax`` along an axis."""
    return arrays.let(arrays.along(function, x, axis), "share", comment)


def activation(arrays: Arrays, function: str, x: Array, comment: str = "", **options: Any) -> Array:
    """An elementwise function under a name of its own."""
    return arrays.let(arrays.apply(function, x, **options), "activation", comment)


def length(arrays: Arrays, x: Array) -> Array:
    """``norm(x)``, the root of the sum of all squares."""
    arrays.draft.require("norm")
    return Array(Call("norm", (x.node,)), ())


def clip(arrays: Arrays, x: Array, low: Array | None, high: Array | None) -> Array:
    """``clip(x, low, high)``, or one end of it alone."""
    if low is not None and high is not None:
        if low.value is not None and high.value is not None and low.value > high.value:
            raise arrays.draft.error(f"an interval from {low.value} to {high.value}")
        return arrays.apply("clip", x, low, high)
    for function, bound in (("maximum", low), ("minimum", high)):
        if bound is not None:
            x = arrays.apply(function, x, bound)
    return x


def flatten(arrays: Arrays, x: Array, comment: str = "", start: int = 1) -> Array:
    """All axes from ``start`` on as one."""
    if x.axes <= start + 1:
        return x
    shape = [arrays.whole(size) for size in x.shape[:start]]
    return arrays.let(arrays.reshape(x, [*shape, -1]), "flat", comment)


# ── losses ──────────────────────────────────────────────────────────────────────────────────────────────────────


def squared_error(arrays: Arrays, y: Array, t: Array, reduction: str = "mean", half: bool = False) -> Array:
    """``mean((y - t)**2)``; with ``half`` and a sum, ``sum((y - t)**2) / 2``."""
    same_shape(arrays, y, t)
    loss = reduced(arrays, arrays.power(arrays.binary("-", y, t), number(fmpq(2))), reduction)
    return arrays.let(arrays.binary("/", loss, number(fmpq(2))) if half else loss, "loss")


def absolute_error(arrays: Arrays, y: Array, t: Array, reduction: str = "mean") -> Array:
    """``mean(abs(y - t))``"""
    same_shape(arrays, y, t)
    return arrays.let(reduced(arrays, arrays.apply("abs", arrays.binary("-", y, t)), reduction), "loss")


def cross_entropy(arrays: Arrays, z: Array, t: Array, reduction: str = "mean", axis: int = -1) -> Array:
    """``cross_entropy(z, t)`` of logits; ``t`` one-hot, or class numbers, one a sample."""
    arrays.draft.require("cross_entropy")
    logits(arrays, z)
    place = arrays.place(arrays.axis(axis, z.axes), z)
    last = len(arrays.laid(z.shape)) - 1
    options = _changed(axis=(-1 if place == last else place, -1), reduction=(reduction, "mean"))
    return arrays.let(Array(Call("cross_entropy", (z.node, t.node), options), ()), "log_loss")


def logits(arrays: Arrays, z: Array) -> None:
    """The step behind these is a softmax or a sigmoid inside a loss: it keeps the letter z."""
    name = named(z)
    if name is not None and arrays.draft.role_of(name) == "affine":
        arrays.draft.relabel(name, "logits")


def binary_cross_entropy(arrays: Arrays, p: Array, t: Array, reduction: str = "mean") -> Array:
    """``mean(binary_cross_entropy(p, t))``"""
    same_shape(arrays, p, t)
    return arrays.let(reduced(arrays, arrays.apply("binary_cross_entropy", p, t), reduction), "log_loss")


def binary_cross_entropy_of_logits(arrays: Arrays, z: Array, t: Array, reduction: str = "mean") -> Array:
    """``y = sigmoid(z)``, and the binary cross-entropy of that."""
    logits(arrays, z)
    return binary_cross_entropy(arrays, activation(arrays, "sigmoid", z), t, reduction)


def negative_log_likelihood(arrays: Arrays, log_p: Array, t: Array, reduction: str = "mean") -> Array:
    """``-sum(t * log p)``, over the number of samples for a mean; ``t`` one-hot."""
    same_shape(arrays, log_p, t)
    loss = arrays.negate(reduced(arrays, arrays.binary("*", t, log_p), "sum"))
    samples = arrays.whole(log_p.shape[0]) if log_p.axes > 1 else 1
    if reduction == "mean" and samples > 1:
        loss = arrays.binary("/", loss, number(fmpq(samples)))
    return arrays.let(loss, "log_loss")


def reduced(arrays: Arrays, array: Array, reduction: str) -> Array:
    """The entries' sum or mean. Raises ``Unsupported`` for a loss that stays an array."""
    if reduction not in ("sum", "mean"):
        raise arrays.draft.unsupported(f"the reduction {reduction!r} of a loss", hint="supported are mean and sum")
    return arrays.reduce(reduction, array)


def same_shape(arrays: Arrays, y: Array, t: Array) -> None:
    """Raise ``ProblemError`` unless output and target have one shape."""
    if y.shape != t.shape:
        raise arrays.draft.error(f"the output has the shape {shown(y.shape)}, and the target {shown(t.shape)}")


# ── small things ────────────────────────────────────────────────────────────────────────────────────────────────


def one_size(arrays: Arrays, value: int | Sequence[int], what: str) -> int:
    """A kernel's size, stride or padding that is the same along every axis."""
    every = {value} if isinstance(value, int) else set(value)
    if len(every) != 1:
        raise arrays.draft.unsupported(
            f"{what} {tuple(value) if not isinstance(value, int) else value}",
            hint="supported is one number for all axes",
        )
    return int(every.pop())


def bias_of_filters(shape: Shape, axes: int) -> Shape:
    """F numbers as 1 × F × 1 × 1, the way the language adds them."""
    return (1, shape[0], *(1,) * (axes - 2))


def is_turned(array: Array) -> bool:
    """Whether an array stands transposed."""
    return isinstance(array.node, Transpose)


def _changed(**options: tuple[Any, Any]) -> tuple[tuple[str, Any], ...]:
    """Options that differ from their default."""
    return tuple((key, value) for key, (value, default) in options.items() if value != default)
