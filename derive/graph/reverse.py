"""Reverse mode: the adjoint of every name as a named equation.

Each equation hands its own adjoint back to the names on its right-hand side by the rows' pullbacks; a name that is
used several times adds up what comes back along each path. Nothing is inlined, so the list grows with the network and
no faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, constant, leaf
from derive.graph.network import Network
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one use of a name hands back: through the equation ``via``, the expression ``value``."""

    via: str
    value: Expression


@dataclass(frozen=True, slots=True)
class AdjointEquation:
    """``name = sum of the contributions``; with none of them, the known upstream or zero."""

    name: Adjoint
    contributions: tuple[Contribution, ...]
    value: Expression
    known: bool = field(default=False)


def differentiate(
    network: Network, of: str, by: Iterable[str], seeds: Mapping[str, Expression] | None = None
) -> tuple[AdjointEquation, ...]:
    """d ``of`` / d name for each name in ``by`` and for every name on the way, in the order they are found.

    ``of`` is a scalar (or one entry) of the network, whose own adjoint is 1. With ``seeds``, ``of`` is any scalar
    outside the network and ``seeds`` holds its known adjoints.
    """
    wanted = tuple(dict.fromkeys(by))
    tops = dict(seeds) if seeds is not None else {of: _one(network, of)}
    below = network.descendants(wanted)
    above = frozenset().union(*(network.ancestors(top) for top in tops))
    needed = below & above
    arriving: dict[str, list[Contribution]] = {name: [] for name in needed}
    found: list[AdjointEquation] = []

    def settle(name: str) -> Expression | None:
        """Adds up what has arrived at a name; the expression by which the next equation refers to it."""
        shape = network.shape(name)
        parts = tuple(arriving[name])
        if seeds is None and name == of:
            return tops[name]
        if name in tops:
            parts = (Contribution("", tops[name]), *parts)
        if not parts:
            return None
        known = name in tops and len(parts) == 1
        adjoint = Adjoint(of, name)
        found.append(AdjointEquation(adjoint, parts, ops.add(*(part.value for part in parts)), known))
        return leaf(adjoint, shape)

    first_use = _first_use(network)
    for equation in reversed(network.equations):
        name = str(equation.name)
        upstream = settle(name) if name in needed else None
        if upstream is not None:
            for source, value in pull(upstream, equation.value, needed):
                arriving[source].append(Contribution(name, value))
        for source in first_use.get(name, ()):
            if source in needed:
                settle(source)
    done = {equation.name.by for equation in found}
    for name in wanted:
        if name not in done and name != of:
            shape = network.shape(name)
            found.append(AdjointEquation(Adjoint(of, name), (), Expression("zeros", (), (shape,), shape)))
    return tuple(found)


def _first_use(network: Network) -> dict[str, list[str]]:
    """The data that each equation is the first to use: once it is done, nothing more comes back to them."""
    seen: set[str] = set()
    first: dict[str, list[str]] = {}
    for equation in network.equations:
        fresh = [str(name) for name in equation.value.names() if name in network.data and name not in seen]
        seen.update(fresh)
        first[str(equation.name)] = fresh
    return first


def pull(upstream: Expression, value: Expression, needed: frozenset[str]) -> Iterator[tuple[str, Expression]]:
    """What ``value`` hands back to each needed name in it, left to right; one item for each occurrence."""
    if value.op == "name":
        if value.name in needed:
            yield str(value.name), upstream
        return
    if not any(name in needed for name in value.names()):
        return
    for operand, handed in zip(value.args, ops.OPS[value.op].pullback(upstream, value), strict=True):
        yield from pull(handed, operand, needed)


def _one(network: Network, of: str) -> Expression:
    return ops.spread(constant(1), network.shape(of))
