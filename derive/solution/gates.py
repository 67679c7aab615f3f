"""The computation graph: the same equations with one operation a line, a name for each, and the way back through them.

A gate is one operation on names. ``f = (x + y) * z`` has two: ``v1 = x + y`` and ``f = v1 * z``. What the problem
itself names keeps its name; values and derivatives of those are checked against the main road's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from derive.graph.expression import Adjoint, Expression, Name, is_constant, leaf
from derive.graph.network import Equation, Network
from derive.numbers import arrays
from derive.numbers.balls import overlaps, precision
from derive.records import dataclass
from derive.solution.checks import Check, CheckFailed
from derive.solution.derivation import Derivation, derive
from derive.solution.values import START_BITS, Run

if TYPE_CHECKING:
    from derive.solution.part import Part

MOST_GATES = 60  # of a graph that is worth a table
UNASKED = 24  # of a graph that is drawn without being asked for


@dataclass(frozen=True)
class Gates:
    """``network`` has one operation an equation, in the order of the forward pass; ``derivation`` leads back."""

    network: Network
    derivation: Derivation | None
    run: Run
    shown: Run

    @property
    def order(self) -> tuple[str, ...]:
        """Inputs that are used, then gates, in the order in which the forward pass visits them."""
        used = {str(name) for equation in self.network.equations for name in equation.value.names()}
        return (
            *(name for name in self.network.data if name in used),
            *(str(equation.name) for equation in self.network.equations),
        )


def gates(part: Part) -> Gates | None:
    """The gates of a part; ``None`` where there are more than ``MOST_GATES``."""
    network = _split(part)
    if len(network.equations) > MOST_GATES:
        return None
    found = part.derivation
    derivation = None
    equations: dict[Name, Expression] = {equation.name: equation.value for equation in network.equations}
    if found is not None:
        tops = tuple(found.seeds or (found.of,))
        needed = frozenset().union(*(network.ancestors(top) for top in tops))
        labels = network.labels
        by = [name for name in (*network.data, *map(str, equations)) if name in needed and name not in labels]
        by = [name for name in by if found.seeds is not None or name != found.of]
        derivation = derive(network, part.functions, found.of, by, seeds=found.seeds)
        equations.update(derivation.adjoints.items())
    run = Run(equations, part.run.data, part.run.kind)
    carried = part.shown.carried
    return Gates(
        network,
        derivation,
        run,
        Run(equations, part.run.data, part.run.kind, carried=carried) if carried is not None else run,
    )


def _split(part: Part) -> Network:
    """Every operation an equation of its own; a difference of two, and a multiple of a name, are one operation."""
    taken = {*part.network.data, *(str(equation.name) for equation in part.network.equations)}
    made: list[Equation] = []
    known: dict[Expression, Expression] = {}

    def fresh() -> str:
        number = 1
        while f"v{number}" in taken:
            number += 1
        taken.add(f"v{number}")
        return f"v{number}"

    def simple(node: Expression, parent: Expression) -> Expression:
        """``node`` as an operand: itself where it is a name or a number, else the name of a new gate."""
        if not node.names():
            return node
        if node.op == "name":
            return node
        if parent.op == "add" and len(parent.args) == 2 and node is parent.args[1] and _negated(node) is not None:
            rest = _negated(node)
            assert rest is not None
            return Expression("multiply", (node.args[0], simple(rest, node)), (), node.shape)
        if node.op == "transpose" and node.args[0].op == "name":
            return node
        gate = operation(node)
        if gate not in known:
            name = fresh()
            made.append(Equation(name, gate, auto=True))
            known[gate] = leaf(name, gate.shape)
        return known[gate]

    def operation(node: Expression) -> Expression:
        return Expression(node.op, tuple(simple(arg, node) for arg in node.args), node.at, node.shape)

    for equation in part.network.equations:
        value = equation.value if equation.value.op == "name" else operation(equation.value)
        made.append(Equation(equation.name, value, equation.line, equation.comment, equation.auto))
        # What the user named is not looked up: its derivative knows nothing of the same value elsewhere.
        if equation.auto:
            known.setdefault(value, leaf(equation.name, value.shape))
    return Network(part.network.data, tuple(made), part.network.labels)


def _negated(node: Expression) -> Expression | None:
    """``x`` of ``-x``, and ``None`` of anything else."""
    if node.op == "multiply" and len(node.args) == 2 and is_constant(node.args[0], -1) and node.args[1].names():
        return node.args[1]
    return None


def agree(part: Part, found: Gates) -> Iterator[Check]:
    """Values and derivatives of all that the problem names, by gates and by the main road."""
    if not part.numeric:
        return
    names: list[Name] = [equation.name for equation in part.network.equations]
    if found.derivation is not None:
        names += [adjoint for adjoint in part.shape_adjoints if adjoint in found.run.equations]
    for name in names:
        with precision(START_BITS):
            pairs = zip(arrays.entries(part.run.value(name)), arrays.entries(found.run.value(name)), strict=True)
            if not all(overlaps(a, b) for a, b in pairs):
                raise CheckFailed(f"a check failed, nothing was written: {name} by gates is not {name}")
    top = found.derivation.of if found.derivation is not None else str(found.network.equations[-1].name)
    yield Check("gates", f"d{top}" if found.derivation is not None else top, True, f"{len(names)} of {len(names)}")


def inputs(value: Expression) -> tuple[str, ...]:
    """The names that a gate is fed by, each once."""
    return tuple(str(name) for name in value.names() if not isinstance(name, Adjoint))
