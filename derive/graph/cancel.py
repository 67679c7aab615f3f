"""What is divided by and multiplied with the same cancels: (p - t) / [p (1 - p)] times p (1 - p) is p - t.

Equal wherever the first is defined. Kept out of the normal form of a derivation, where each step shows its own factor.
"""

from __future__ import annotations

from derive.graph import ops
from derive.graph.collect import collect
from derive.graph.expression import Expression, constant


def cancelled(expression: Expression) -> Expression:
    """The same value without factors that stand above and below a line, multiplied out where that lets them cancel."""
    return collect(expression.rebuild(_cancel).rebuild(_distribute))


def _distribute(node: Expression) -> Expression:
    """p (a - t / p) as p a - t: a sum is multiplied out where every line in it disappears."""
    if node.op != "multiply":
        return node
    for k, factor in enumerate(node.args):
        if factor.op != "add" or not _divides(factor):
            continue
        others = [*node.args[:k], *node.args[k + 1 :]]
        terms = [_cancel(collect(ops.multiply(*others, term))) for term in factor.args]
        whole = ops.add(*terms)
        if not _divides(whole) and whole.shape == node.shape:
            return whole
    return node


def _divides(node: Expression) -> bool:
    return any(inner.op == "divide" and inner.shape for inner in node.nodes())


def _cancel(node: Expression) -> Expression:
    if node.op == "divide":
        node = ops.multiply(constant(1), node) if node.shape else node
    factors = list(node.args) if node.op == "multiply" else [node]
    above: list[Expression] = []
    below: list[Expression] = []
    for factor in factors:
        if factor.op == "divide" and factor.args[1].shape == node.shape and factor.args[0].shape in ((), node.shape):
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
