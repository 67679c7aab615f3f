"""Forward mode: the tangent of every name as a named equation.

No rule is written a second time. A pullback hands an adjoint back by a linear map; the tangent of the result is that
map's transpose applied to the tangent of the operand, and the transpose of a map that is made of the table's operations
is their own pullback (the two-pullbacks identity, as in Radul et al., *You only linearize once*, 2023, read backwards).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from derive.graph import ops
from derive.graph.collect import collect
from derive.graph.expression import Expression, Name, leaf
from derive.graph.network import Network
from derive.graph.reverse import pull

PROBE = "upstream of the operation"  # a name that no problem can have


def push(value: Expression, moving: Mapping[Name, Expression]) -> Expression | None:
    """The tangent of an expression, from those of the names in it; ``None`` where none of them moves."""
    if value.op == "name":
        return moving.get(value.name)
    terms: list[Expression] = []
    probe = leaf(PROBE, value.shape)
    handed: tuple[Expression, ...] | None = None
    for k, arg in enumerate(value.args):
        speed = push(arg, moving)
        if speed is None:
            continue
        handed = handed or ops.OPS[value.op].pullback(probe, value)
        terms += [part for _, part in pull(speed, handed[k], frozenset({PROBE}))]
    if not terms:
        return None
    return collect(ops.add(*terms))


def tangents(
    network: Network, start: Mapping[Name, Expression], call: Callable[[str], str], rewrite: Callable[..., Expression]
) -> dict[str, Expression]:
    """The tangent of every name that moves, in the order of the network, under the name ``call`` gives it.

    ``start`` holds the tangents that the pass begins with; ``rewrite`` gives a right-hand side its final form.
    """
    moving = dict(start)
    found: dict[str, Expression] = {}
    for equation in network.equations:
        speed = push(equation.value, moving)
        if speed is None or speed.op == "zeros":
            continue
        name = call(str(equation.name))
        found[name] = rewrite(speed)
        if found[name].op == "zeros":
            del found[name]
            continue
        moving[str(equation.name)] = leaf(name, equation.value.shape)
    return found
