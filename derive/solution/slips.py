"""Single slips: what a formula becomes when one thing in it goes wrong, and everything else is right.

Each slip has a key under which a language says what happened. Only slips that keep the size are made, so that the size
does not give them away, and only those whose value differs from the right one at the digits shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from derive.graph import ops
from derive.graph.collect import collect
from derive.graph.expression import Adjoint, Expression, constant, is_constant, leaf
from derive.graph.network import Network
from derive.graph.ops import FUNCTIONS
from derive.graph.sizes import ShapeError
from derive.records import dataclass

Wrongs = Callable[[Network, Expression], Iterator[Expression]]
Kinds = Mapping[str, Wrongs]


@dataclass(frozen=True, slots=True)
class Slip:
    """``wrong`` stands where ``right`` should; ``kind`` says how, ``place`` is where in the formula."""

    kind: str
    right: Expression
    wrong: Expression
    place: Expression


def slips(network: Network, right: Expression, kinds: Kinds | None = None) -> tuple[Slip, ...]:
    """Every single slip in a formula, each wrong formula once, in the order of ``kinds`` and of reading.

    ``kinds`` are ``KINDS`` where nothing else is said; a kind gives what may stand in the place of one node.
    """
    found: dict[Expression, Slip] = {}
    for kind, wrongs in (KINDS if kinds is None else kinds).items():
        for wrong, place in _everywhere(network, right, wrongs):
            tidy = collect(wrong)
            if wrong.shape == right.shape and tidy != collect(right) and tidy not in found:
                found[tidy] = Slip(kind, right, tidy, place)
    return tuple(found.values())


def _everywhere(network: Network, node: Expression, wrongs: Wrongs) -> Iterator[tuple[Expression, Expression]]:
    """The formula with the slip at each place where it can happen, and that place."""
    for wrong in wrongs(network, node):
        if wrong.shape == node.shape:
            yield wrong, node
    for k, arg in enumerate(node.args):
        for wrong, place in _everywhere(network, arg, wrongs):
            args = (*node.args[:k], wrong, *node.args[k + 1 :])
            yield Expression(node.op, args, node.at, node.shape), place


def _without_slope(network: Network, node: Expression) -> Iterator[Expression]:
    """The derivative of the activation is forgotten: f'(z), or what it was written out as."""
    if node.op != "multiply":
        return
    for k, factor in enumerate(node.args):
        if factor.op == "derivative":
            yield ops.multiply(*_others(node, k))
    slope = [k for k, factor in enumerate(node.args) if _is_slope(network, factor)]
    if slope and len(slope) < len(node.args):
        yield ops.multiply(*(arg for k, arg in enumerate(node.args) if k not in slope))


def _is_slope(network: Network, factor: Expression) -> bool:
    """h, 1 - h or 1 - h^2 of an activation h."""
    names = [name for name in factor.names() if not isinstance(name, Adjoint)]
    if len(names) != 1 or names[0] in network.data or len(factor.names()) != 1:
        return False
    return network.equation(str(names[0])).value.op in FUNCTIONS


def _pre_activation(network: Network, node: Expression) -> Iterator[Expression]:
    """z where h = f(z) should stand."""
    if node.op == "name" and not isinstance(node.name, Adjoint) and node.name not in network.data:
        value = network.equation(str(node.name)).value
        if value.op in FUNCTIONS and value.args[0].op == "name":
            yield value.args[0]


def _transposes(network: Network, node: Expression) -> Iterator[Expression]:
    """A factor of a product of matrices turned over, or left as it is."""
    if node.op != "matmul":
        return
    for k, arg in enumerate(node.args):
        if len(arg.shape) == 2 and arg.shape[0] == arg.shape[1] and arg.shape[0] != 1:
            args = list(node.args)
            args[k] = ops.transpose(arg)
            yield _fitting(args)


def _order(network: Network, node: Expression) -> Iterator[Expression]:
    """The factors of a product of matrices the wrong way round."""
    if node.op == "matmul":
        try:
            yield ops.matmul(node.args[1], node.args[0])
        except ShapeError:
            return


def _fitting(args: list[Expression]) -> Expression:
    return ops.matmul(args[0], args[1])


def _sign(network: Network, node: Expression) -> Iterator[Expression]:
    """A minus lost, or one too many."""
    if node.op == "add":
        for k, term in enumerate(node.args):
            yield ops.add(*node.args[:k], ops.negate(term), *node.args[k + 1 :])
    elif node.op == "multiply" and is_constant(node.args[0], -1):
        yield ops.multiply(*node.args[1:])


def _term(network: Network, node: Expression) -> Iterator[Expression]:
    """A term of a sum left out: one of several paths."""
    if node.op == "add" and len(node.args) > 1:
        for k, term in enumerate(node.args):
            if any(isinstance(name, Adjoint) for name in term.names()):
                yield ops.add(*_others(node, k))


def _number(network: Network, node: Expression) -> Iterator[Expression]:
    """A number in front forgotten: 2, 1/2, 1/N, a rate."""
    if node.op == "multiply":
        for k, factor in enumerate(node.args):
            plain = factor.op == "constant" and not is_constant(factor, -1)
            if (plain or not factor.names()) and not is_constant(factor, -1) and len(node.args) > 1:
                yield ops.multiply(*_others(node, k))


def _matrix_for_entries(network: Network, node: Expression) -> Iterator[Expression]:
    """A product of matrices where entries should be multiplied, or the other way round."""
    if node.op == "matmul" and node.args[0].shape == node.args[1].shape:
        yield ops.multiply(*node.args)
    if node.op == "multiply" and len(node.args) == 2 and len(node.shape) == 2:
        try:
            yield ops.matmul(*node.args)
        except ShapeError:
            return


def _other_name(network: Network, node: Expression) -> Iterator[Expression]:
    """Another variable of the same size."""
    if node.op != "name" or isinstance(node.name, Adjoint) or not node.shape:
        return
    every = (*network.data, *(str(equation.name) for equation in network.equations if not equation.auto))
    for name in every:
        if name != node.name and network.shape(name) == node.shape and name not in network.labels:
            yield leaf(name, node.shape)


def _double(network: Network, node: Expression) -> Iterator[Expression]:
    """A factor 2 too many: a squared error without its half."""
    if node.op in ("multiply", "matmul", "add", "name") and (node.op != "name" or isinstance(node.name, Adjoint)):
        yield ops.multiply(constant(2), node)


def _others(node: Expression, k: int) -> tuple[Expression, ...]:
    return node.args[:k] + node.args[k + 1 :]


KINDS: Kinds = {
    "slope": _without_slope,
    "pre_activation": _pre_activation,
    "transpose": _transposes,
    "order": _order,
    "term": _term,
    "number": _number,
    "sign": _sign,
    "entries": _matrix_for_entries,
    "other_name": _other_name,
    "double": _double,
}
