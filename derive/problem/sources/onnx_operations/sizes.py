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


_fold("Gather", lambda node, data, index: data.take(index, axis=node.whole("axis", 0)))
_fold("Concat", lambda node, *arrays: _numpy().concatenate(arrays, axis=node.whole("axis", 0)))
_fold("Unsqueeze", lambda node, data, *axes: data.reshape((1,) * len(node.wholes(1, "axes") or []) + data.shape))
_fold("Squeeze", lambda node, data, *axes: data.reshape([size for size in data.shape if size != 1]))
_fold("Add", lambda node, a, b: a + b)
_fold("Sub", lambda node, a, b: a - b)
_fold("Mul", lambda node, a, b: a * b)
_fold("Div", lambda node, a, b: a // b)
