"""ATen's products, reductions, and what rearranges arrays."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, number, shown
from derive.problem.sources.aten.call import Call, operation
from derive.problem.sources.stored import Part, Steps
from derive.problem.syntax import Call as Written
from derive.problem.syntax import Number


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


@operation("logsumexp")
def _logsumexp(call: Call) -> Array:
    arrays = call.arrays
    total = arrays.reduce("sum", arrays.apply("exp", call.array("self")), call["dim"], call["keepdim"])
    return call.soft(arrays.apply("log", total))


@operation("adaptive_avg_pool2d", "adaptive_avg_pool1d")
def _mean_of_each_channel(call: Call) -> Array:
    sizes = call["output_size"]
    if any(size != 1 for size in (sizes if isinstance(sizes, list) else [sizes])):
        raise call.unsupported(f"{call.operation} to {sizes}", hint="supported is one number for each channel")
    x = call.array("self")
    axes = range(x.axes - (2 if call.operation.endswith("2d") else 1), x.axes)
    return call.arrays.let(call.arrays.reduce("mean", x, list(axes), keepdims=True), "pool")


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


@operation("unbind", "split", "split_with_sizes", "chunk")
def _parts(call: Call) -> list[Array]:
    """One array for each entry of an axis, or for each run of them."""
    x = call.array("self")
    axis = call.arrays.axis(call["dim"], x.axes)
    size = call.arrays.whole(x.shape[axis])
    whole: list[Any] = [(None, None, None)] * axis
    if call.operation == "unbind":
        return [call.soft(call.arrays.index(x, [*whole, k])) for k in range(size)]
    width: Any = call.given.get("split_size", call.given.get("split_sizes"))
    width = -(-size // call["chunks"]) if call.operation == "chunk" else width
    ends = [0]
    while ends[-1] < size:
        ends.append(min(ends[-1] + (width if isinstance(width, int) else width[len(ends) - 1]), size))
    return [call.soft(call.arrays.index(x, [*whole, (a, b, None)])) for a, b in pairwise(ends)]


@operation("expand_as", "view_as", "reshape_as")
def _like(call: Call) -> Array:
    x, shape = call.array("self"), call.array("other").shape
    if call.operation == "expand_as":
        return call.soft(call.arrays.expand(x, shape))
    return call.soft(call.arrays.reshape(x, [call.arrays.whole(size) for size in shape]))


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
