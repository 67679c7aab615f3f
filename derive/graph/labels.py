"""Labels without numbers: data that weigh the logarithms of a softmax are taken to add up to 1 over its classes.

That is what the textbook's softmax minus label rests on. A report says so where it is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derive.graph.expression import Expression
from derive.graph.network import Datum, Equation


def assumed_labels(data: Mapping[str, Datum], equations: Sequence[Equation]) -> dict[str, int]:
    """The data without numbers in a product with log(softmax(…)), each with the axis of its classes."""
    named = {str(equation.name): equation.value for equation in equations}
    found: dict[str, int] = {}
    for equation in equations:
        for node in equation.value.nodes():
            if node.op != "multiply":
                continue
            axes = [axis for axis in (_class_axis(arg, named) for arg in node.args) if axis is not None]
            for arg in node.args:
                name = str(arg.name) if arg.op == "name" else ""
                if len(axes) == 1 and name in data and data[name].tensor is None and arg.shape == node.shape:
                    found[name] = axes[0]
    return found


def _class_axis(node: Expression, named: Mapping[str, Expression]) -> int | None:
    """The axis of a log(softmax(…)), whatever of it has a name."""
    node = _meant(node, named)
    if node.op == "log_softmax":
        return int(node.at[0])
    inner = _meant(node.args[0], named) if node.op == "log" else None
    return int(inner.at[0]) if inner is not None and inner.op == "softmax" else None


def _meant(node: Expression, named: Mapping[str, Expression]) -> Expression:
    return named.get(str(node.name), node) if node.op == "name" else node
