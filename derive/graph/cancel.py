"""What is divided by and multiplied with the same cancels: (p - t) / [p (1 - p)] times p (1 - p) is p - t.

Equal wherever the first is defined. Kept out of the normal form of a derivation, where each step shows its own factor.
"""

from __future__ import annotations

from derive.graph import ops
from derive.graph.collect import collect
from derive.graph.expression import Expression, constant


def cancelled(expression: Expression) -> Expression:
    """The same value without factors that stand above and below a line."""
    return collect(expression.rebuild(_cancel))


def _cancel(node: Expression) -> Expression:
    if node.op == "divide":
        node = ops.multiply(constant(1), node) if node.shape else node
    factors = list(node.args) if node.op == "multiply" else [node]
    above: list[Expression] = []
    below: list[Expression] = []
    for factor in factors:
        if factor.op == "divide" and factor.args[0].shape == factor.args[1].shape == node.shape:
            above += _factors(factor.args[0])
            below += _factors(factor.args[1])
        else:
            above += _factors(factor)
    kept = []
    for factor in below:
        if factor.shape == node.shape and factor in above:
            above.remove(factor)
        else:
            kept.append(factor)
    if len(kept) == len(below):
        return node
    top = ops.multiply(*above) if above else constant(1)
    whole = ops.divide(top, ops.multiply(*kept)) if kept else top
    return whole if whole.shape == node.shape else ops.spread(whole, node.shape)


def _factors(node: Expression) -> list[Expression]:
    return list(node.args) if node.op == "multiply" else [node]
