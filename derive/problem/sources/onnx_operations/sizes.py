"""Arithmetic of sizes, done while the file is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass
from derive.problem.sources.onnx_operations.node import FOLDED, MOST_FOLDED, Node


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


def _sliced(node: Node, data: Any, *ends: Any) -> Any:
    """A run of a list of sizes; an empty one is allowed."""
    starts, stops = node.wholes(1, "starts"), node.wholes(2, "ends")
    steps = node.wholes(4, "steps") or [1]
    if data.ndim != 1 or not starts or not stops:
        raise ValueError("a slice of more than a list")
    return data[slice(starts[0], stops[0], steps[0])]


_fold("Gather", lambda node, data, index: data.take(index, axis=node.whole("axis", 0)))
_fold("Concat", lambda node, *arrays: _numpy().concatenate(arrays, axis=node.whole("axis", 0)))
_fold("Unsqueeze", lambda node, data, *axes: data.reshape((1,) * len(node.wholes(1, "axes") or []) + data.shape))
_fold("Slice", _sliced)
_fold("Squeeze", lambda node, data, *axes: data.reshape([size for size in data.shape if size != 1]))
_fold("Add", lambda node, a, b: a + b)
_fold("Sub", lambda node, a, b: a - b)
_fold("Mul", lambda node, a, b: a * b)
_fold("Div", lambda node, a, b: a // b)
