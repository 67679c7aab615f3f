"""What many rows share: shapes that broadcast or stay, and folding over operands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.graph import sizes
from derive.graph.expression import Expression
from derive.graph.ops.table import Array
from derive.problem.problem import Shape


def no_operands(G: Expression, node: Expression) -> tuple[Expression, ...]:
    """Nothing is handed back: the row has no operands."""
    return ()


def broadcast(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    """The shape that all operands are stretched to. Raises ``ShapeError``."""
    shape = shapes[0]
    for other in shapes[1:]:
        shape = sizes.broadcast(shape, other)
    return shape


def same(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    """The shape of the first operand."""
    return shapes[0]


def fold(values: tuple[Array, ...], join: Callable[[Array, Array], Array]) -> Array:
    """The values joined one after another."""
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def others(node: Expression, k: int) -> tuple[Expression, ...]:
    """The operands but for the ``k``-th."""
    return node.args[:k] + node.args[k + 1 :]
