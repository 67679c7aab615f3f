"""``layer_norm(x)`` and ``batch_norm(x)`` as a derivation writes them out: mean, centred, variance, deviation.

Each step is an equation with a name of its own (``mu_x``, ``c_x``, ``v_x``, ``s_x``), which ``Equation.step`` marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from derive.graph import ops
from derive.graph.expression import Expression, constant, leaf
from derive.graph.network import Equation, Network
from derive.graph.ops.normal import AXES, fused
from derive.problem.names import joined, member
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Normalisation:
    """From ``x`` to ``normalised``: the names of the steps between; ``axis`` is 1 for rows, 0 for columns."""

    function: str
    x: str
    mean: str
    centred: str
    deviation: str
    normalised: str

    @property
    def axis(self) -> int:
        """Along which the mean is taken."""
        return AXES[self.function]

    def fused(self, network: Network, upstream: Expression) -> Expression:
        """dJ/dx along these steps in one formula, from dJ/d ``normalised``."""
        h, s = (leaf(name, network.shape(name)) for name in (self.normalised, self.deviation))
        return fused(self.axis, upstream, h, s)


def steps(node: Expression, free: Callable[[str], str]) -> tuple[list[Equation], Expression]:
    """The equations that lead from the name under ``node`` to what is normalised, and that as their quotient.

    ``free(label)`` is a name like ``label`` that nobody has.
    """
    function, (x,), (eps,) = node.op, node.args, node.at
    axis, made = AXES[function], list[Equation]()

    def step(kind: str, letter: str, value: Expression) -> Expression:
        name = free(labelled(letter, str(x.name)))
        made.append(Equation(name, value, auto=True, step=(function, kind, str(x.name))))
        return leaf(name, value.shape)

    mu = step("mean", "mu", ops.mean(x, axis))
    c = step("centred", "c", ops.subtract(x, mu))
    v = step("variance", "v", ops.mean(ops.power(c, 2), axis))
    s = step("deviation", "s", ops.apply("sqrt", ops.add(v, constant(eps))))
    return made, ops.divide(c, s)


def labelled(letter: str, of: str) -> str:
    """``mu_x`` for the mean of x, ``mu_h[2]`` for that of a member of a family."""
    parts = member(of)
    return f"{letter}_{of}" if parts is None else joined(f"{letter}_{parts[0]}", parts[1])


def hat(of: str) -> str:
    """``xhat`` for x normalised, ``zhat_1`` for z_1, ``uhat1`` for u1."""
    parts = member(of)
    label = re.sub(r"^([A-Za-z]+)", r"\1hat", of if parts is None else parts[0])
    return label if parts is None else joined(label, parts[1])


def normalisations(network: Network) -> Iterator[Normalisation]:
    """Those of a network, in the order of its equations."""
    known: dict[str, Equation] = {str(equation.name): equation for equation in network.equations if equation.step}
    for equation in network.equations:
        value = equation.value
        if value.op != "divide" or any(arg.op != "name" or str(arg.name) not in known for arg in value.args):
            continue
        c, s = (known[str(arg.name)] for arg in value.args)
        if (c.step[1], s.step[1]) == ("centred", "deviation"):
            function, _, x = c.step
            mean = next(str(name) for name in c.value.names() if name != x)  # x may be normalised more than once
            yield Normalisation(function, x, mean, str(c.name), str(s.name), str(equation.name))
