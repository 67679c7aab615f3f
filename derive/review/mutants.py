"""Every single slip of a whole solution: in a forward or a backward formula, or in the order of an update."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from flint import fmpq

from derive.graph import ops
from derive.graph.collect import collect
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.network import Network
from derive.graph.ops import FUNCTIONS
from derive.review.explanation import EVERYDAY, RARER, Explanation
from derive.review.simulation import Change, Simulation
from derive.solution.history import updated
from derive.solution.slips import KINDS, Kinds, slips

# ── what may go wrong at one place of a formula, beyond what a question of choice offers ────────────────────────


def _any_term(network: Network, node: Expression) -> Iterator[Expression]:
    """A term of a sum forgotten: a bias, or one of several paths."""
    if node.op == "add" and len(node.args) > 1:
        for k in range(len(node.args)):
            yield ops.add(*node.args[:k], *node.args[k + 1 :])


def _other_way(network: Network, node: Expression) -> Iterator[Expression]:
    """Another derivative of the same size: that by h where that by z should stand."""
    if node.op == "name" and isinstance(node.name, Adjoint) and node.shape:
        for equation in network.equations:
            name = Adjoint(node.name.of, str(equation.name))
            if name != node.name and equation.value.shape == node.shape:
                yield leaf(name, node.shape)


def _unactivated(network: Network, node: Expression) -> Iterator[Expression]:
    """The activation forgotten."""
    if node.op in (*FUNCTIONS, "softmax"):
        yield node.args[0]


def _mean_or_sum(network: Network, node: Expression) -> Iterator[Expression]:
    """A cross-entropy summed where its mean should be taken, or the other way round."""
    if node.op == "cross_entropy":
        axis, reduction = node.at
        yield Expression(node.op, node.args, (axis, "sum" if reduction == "mean" else "mean"), node.shape)


def _plain_for_log(network: Network, node: Expression) -> Iterator[Expression]:
    """The wrong base of a logarithm."""
    if node.op in ("log", "log2"):
        yield Expression("log2" if node.op == "log" else "log", node.args, node.at, node.shape)


def _factor_left_out(network: Network, node: Expression) -> Iterator[Expression]:
    """One factor of a product forgotten: 1 - h of h (1 - h)."""
    if node.op == "multiply" and len(node.args) > 1:
        for k, factor in enumerate(node.args):
            if factor.names():
                yield ops.multiply(*node.args[:k], *node.args[k + 1 :])


def _exponent(network: Network, node: Expression) -> Iterator[Expression]:
    """An exponent forgotten: 1 - h where 1 - h^2 should stand."""
    if node.op == "power":
        yield node.args[0]


def _in_binary_cross_entropy(network: Network, node: Expression) -> Iterator[Expression]:
    """A sign or a term of -(t log p + (1 - t) log(1 - p))."""
    if node.op != "binary_cross_entropy":
        return
    p, t = node.args
    yes, no = ops.multiply(t, ops.apply("log", p)), ops.multiply(_one_less(t), ops.apply("log", _one_less(p)))
    yield ops.subtract(no, yes)
    yield ops.subtract(yes, no)
    yield ops.add(yes, no)
    yield ops.negate(yes)
    yield ops.negate(no)
    for sign in (1, -1):  # 1 + p and p - 1 in the place of 1 - p, and the same with t
        one = ops.add(constant(sign), p)
        yield ops.negate(ops.add(yes, ops.multiply(_one_less(t), ops.apply("log", one))))
        yield ops.negate(ops.add(yes, ops.multiply(ops.add(constant(sign), t), ops.apply("log", _one_less(p)))))


def _one_less(x: Expression) -> Expression:
    return ops.subtract(constant(1), x)


MORE: Kinds = {
    "loss": _in_binary_cross_entropy,
    "part": _factor_left_out,
    "exponent": _exponent,
    "sum_term": _any_term,
    "other_derivative": _other_way,
    "activation": _unactivated,
    "reduction": _mean_or_sum,
    "base": _plain_for_log,
}
CUSTOMS = ("slope", "pre_activation", "activation")  # what who does it once does everywhere
COSTS = {
    **dict.fromkeys(("slope", "sign", "sum_term", "term", "transpose", "number", "pre_activation"), EVERYDAY),
    **dict.fromkeys(("part", "exponent", "loss"), EVERYDAY),
    **dict.fromkeys(("order", "entries", "activation", "reduction", "extra_slope", "softmax"), EVERYDAY),
    **dict.fromkeys(("other_derivative", "other_name", "double", "base"), RARER),
}


def mutants(simulation: Simulation, names: frozenset[Name]) -> Iterator[Explanation]:
    """Every single slip that touches one of ``names``, and every slip of the updates."""
    network = simulation.part.network
    everywhere: dict[str, list[Explanation]] = {}
    for name, right in simulation.equations.items():
        if name not in names:
            continue
        met: set[str] = set()
        if name not in simulation.slips:
            simulation.slips[name] = tuple(_of_one(simulation, network, name, right))
        for made in simulation.slips[name]:
            yield made
            if made.kind in CUSTOMS and made.kind not in met:
                everywhere.setdefault(made.kind, []).append(made)
                met.add(made.kind)
    for kind, each in everywhere.items():
        if len(each) > 1:
            change = Change(tuple(formula for one in each for formula in one.change.formulas))
            yield Explanation(kind, "", RARER, change, names=tuple(one.quantity for one in each))
    yield from of_updates(simulation)


def _of_one(simulation: Simulation, network: Network, name: Name, right: Expression) -> Iterator[Explanation]:
    for kind, wrong, place in _formulas(simulation, network, name, right):
        cost = _cost(simulation, kind, name, right)
        yield Explanation(kind, str(name), cost, Change(((name, wrong),)), right, wrong, place)


def _cost(simulation: Simulation, kind: str, name: Name, right: Expression) -> int:
    """A factor comes in with the loss and its first derivatives; anywhere else it is a rarer thing."""
    if kind != "factor":
        return COSTS[kind]
    first = isinstance(name, Adjoint) and not any(isinstance(used, Adjoint) for used in right.names())
    return EVERYDAY if first or name == simulation.top else RARER


def _formulas(
    simulation: Simulation, network: Network, name: Name, right: Expression
) -> Iterator[tuple[str, Expression, Expression]]:
    """Wrong formulas for one name, each once, and none that rests on the name itself: nobody can have worked by it."""
    seen, later = {collect(right)}, _resting_on(simulation, name)
    found = [("sign", ops.negate(right), right)]
    found += [(slip.kind, slip.wrong, slip.place) for slip in slips(network, right, {**KINDS, **MORE})]
    found += _slopes(simulation, network, name, right)
    found += [("factor", ops.multiply(constant(factor), right), right) for factor in _factors(network)]
    for kind, wrong, place in found:
        tidy = collect(wrong)
        if tidy not in seen and wrong.shape == right.shape and later.isdisjoint(tidy.names()):
            seen.add(tidy)
            yield kind, tidy, place


def _resting_on(simulation: Simulation, name: Name) -> frozenset[Name]:
    """A name and all that is worked out from it."""
    found = {name}
    for other, value in simulation.equations.items():  # in the order of working
        if not found.isdisjoint(value.names()):
            found.add(other)
    return frozenset(found)


def _slopes(
    simulation: Simulation, network: Network, name: Name, right: Expression
) -> Iterator[tuple[str, Expression, Expression]]:
    """A derivative of an activation too many, or a softmax differentiated entry by entry."""
    if not isinstance(name, Adjoint):
        return
    for equation in network.equations:
        node, z = equation.value, equation.value.args[0] if equation.value.args else equation.value
        if node.op == "cross_entropy" and z.op == "name" and z.name == name.by:
            yield from _fused(node, right)
        beside = name.by in (equation.name, *node.names())  # the activation in front of it, or the one behind
        if node.shape != right.shape or not beside:
            continue
        h = leaf(equation.name, node.shape)
        if node.op in FUNCTIONS and node.op != "own":
            slope = ops.derivative(node.op, node.at, z)
            yield "extra_slope", ops.multiply(right, slope), right
        if node.op == "softmax":
            slope = ops.multiply(h, ops.subtract(constant(1), h))
            yield "extra_slope", ops.multiply(right, slope), right
            above = Adjoint(name.of, str(equation.name))
            if z.op == "name" and z.name == name.by and above in simulation.equations:
                yield "softmax", ops.multiply(leaf(above, node.shape), slope), right


def _fused(node: Expression, right: Expression) -> Iterator[tuple[str, Expression, Expression]]:
    """A cross-entropy with its softmax, differentiated as if the softmax acted entry by entry: -y (1 - p)."""
    (z, y), (axis, reduction) = node.args, node.at
    share = constant(fmpq(1, int(z.shape[1 - axis]))) if reduction == "mean" else constant(1)
    p = ops.apply("softmax", z, at=(axis,))
    yield "softmax", ops.multiply(constant(-1), share, y, ops.subtract(constant(1), p)), right


def _factors(network: Network) -> list[fmpq]:
    """Factors that are easily forgotten or put in twice: 2, and the sizes of the data."""
    sizes = {int(size) for datum in network.data.values() for size in datum.shape if isinstance(size, int)}
    sizes |= {prod(map(int, datum.shape)) for datum in network.data.values() if datum.role == "given"}
    numbers = sorted({2, *(size for size in sizes if size > 1)})
    return [fmpq(number) for number in numbers] + [fmpq(1, number) for number in numbers]


# ── the order of an update ──────────────────────────────────────────────────────────────────────────────────────


def of_updates(simulation: Simulation) -> Iterator[Explanation]:
    """New weights used too early, old ones too late, parameters left as they are, steps the wrong way."""
    moving = tuple(simulation.rates)
    if not moving:
        return
    backward = {name for value in simulation.backward.values() for name in value.names()}
    biases = tuple(name for name in moving if _is_added(simulation.part.network, name))
    for names in _each_and_all(tuple(name for name in moving if name in backward)):
        yield Explanation("early", "update", EVERYDAY, Change(early=names), names=names)
    for names in _each_and_all(biases):
        yield _of_step(simulation, "kept", EVERYDAY, Change(kept=names), names, fmpq(0))
    for names in _each_and_all(tuple(name for name in moving if name not in biases)):
        yield _of_step(simulation, "kept", RARER, Change(kept=names), names, fmpq(0))
    for names in _each_and_all(moving)[::-1]:
        cost = EVERYDAY if names == moving else RARER
        uphill = tuple((name, -1.0) for name in names)
        rates = simulation.rates
        yield _of_step(simulation, "uphill", cost, Change(factors=uphill), names, -rates[names[0]])
        whole = tuple((name, 1 / float(simulation.kind.number(rates[name]))) for name in names)
        yield _of_step(simulation, "no_rate", cost, Change(factors=whole), names, fmpq(1))
        yield Explanation("late", "update", RARER, Change(late=names), names=names)


def _of_step(
    simulation: Simulation, kind: str, cost: int, change: Change, names: tuple[str, ...], rate: fmpq
) -> Explanation:
    """A slip in the step itself; of a single parameter with the step as it was taken, at ``rate``, and as it should."""
    if len(names) > 1:
        return Explanation(kind, "update", cost, change, names=names)
    network, top, [name] = simulation.part.network, simulation.top, names
    wrong, right = (updated(network, top, name, taken) for taken in (rate, simulation.rates[name]))
    return Explanation(kind, "update", cost, change, collect(right), collect(wrong), names=names)


def _each_and_all(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(name,) for name in names] + ([names] if len(names) > 1 else [])


def _is_added(network: Network, name: str) -> bool:
    """Whether a parameter is a bias: a term of a sum, wherever it is used."""
    nodes = [node for equation in network.equations for node in equation.value.nodes()]
    users = [node for node in nodes if any(arg.op == "name" and arg.name == name for arg in node.args)]
    return bool(users) and all(node.op == "add" for node in users)
