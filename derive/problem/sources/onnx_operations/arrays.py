"""ONNX's reductions, and what rearranges arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, number, shown
from derive.problem.sources.draft import MOST_ENTRIES
from derive.problem.sources.stored import Part
from derive.problem.syntax import Call, Number

if TYPE_CHECKING:
    pass
from derive.problem.sources.onnx_operations.node import Node, operation


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
