"""A part seen with further named equations: tangents, adjoints as names, what is asked about them.

A view is a part like any other, with the problem's network and some equations more, so that one printer and one
evaluator serve it as well. Its further names hold a blank, which no name of a problem can: ``dot z`` is the tangent of
z, ``bar z`` its adjoint, ``z along x`` the derivative of z by a number x.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sympy

from derive.calculus.explicit import Explicit
from derive.errors import ProblemError
from derive.graph.expression import Adjoint, Expression, Name, leaf
from derive.graph.network import Datum, Equation, Network
from derive.problem.problem import Problem
from derive.solution.asked import Asked, Ratio
from derive.solution.elementwise import is_small
from derive.solution.history import data_of
from derive.solution.values import Run

if TYPE_CHECKING:
    from derive.solution.part import Part


def dot(name: str) -> str:
    """The tangent of a name."""
    return f"dot {name}"


def bar(name: str) -> str:
    """The adjoint of a name, as a name."""
    return f"bar {name}"


def along(name: str, by: str) -> str:
    """The derivative of a name by a number."""
    return f"{name} along {by}"


def extended(network: Network, equations: Mapping[str, Expression], data: Mapping[str, Datum]) -> Network:
    """The network with more data and more equations."""
    more = tuple(Equation(name, value) for name, value in equations.items())
    return Network({**network.data, **data}, (*network.equations, *more), network.labels, network.assumed)


def with_bars(of: str, expression: Expression) -> Expression:
    """Adjoints of ``of`` called by their names ``bar z``."""

    def change(node: Expression) -> Expression:
        if node.op == "name" and isinstance(node.name, Adjoint) and node.name.of == of:
            return leaf(bar(node.name.by), node.shape)
        return node

    return expression.rebuild(change)


def down_to_data(explicit: Explicit, rights: Mapping[Name, Expression], entry: sympy.Expr) -> sympy.Expr:
    """An entry with adjoints, then intermediates, replaced by their right-hand sides; known adjoints stay."""
    own = {name: right for name, right in rights.items() if right.op != "name" or right.name != name}
    while inner := {
        s: explicit.entries(own[explicit.entry_of[s].name])[explicit.entry_of[s].index]
        for s in entry.free_symbols
        if s in explicit.entry_of and explicit.entry_of[s].name in own
    }:
        entry = entry.xreplace(inner)
    return explicit.written_out(entry)


def refused(part: Part, key: str, message: str, hint: str | None = None) -> ProblemError:
    """The error for a wish under [ask] that cannot be answered."""
    return ProblemError(message, file=part.problem.file, line=part.problem.line("ask", key), hint=hint)


def view(
    part: Part,
    network: Network,
    *,
    problem: Problem | None = None,
    ratios: Iterable[Ratio] = (),
    known: Mapping[Name, Any] | None = None,
    more: Mapping[Name, Expression] | None = None,
) -> Part:
    """The part over another network, nothing asked but ``ratios``.

    ``known`` are values that come from elsewhere, found at so many bits; ``more`` are equations for the run alone.
    """
    from derive.solution.differentiate import derived_ratio
    from derive.solution.part import Part, entry_texts, rounding_of

    problem = problem or part.problem
    equations: dict[Name, Expression] = dict(part.run.equations)
    equations.update((equation.name, equation.value) for equation in network.equations)
    equations.update(more or {})
    ours, theirs, found = data_of(network), part.run.data, dict(known or {})

    def data(bits: int) -> Mapping[Name, Any]:
        return {**theirs(bits), **ours(bits), **{name: find(bits) for name, find in found.items()}}

    where = {equation.name: (problem.file, equation.line) for equation in network.equations}
    run = Run(equations, data, part.run.kind, where=where)
    by_hand = problem.convention.carry == "displayed"
    shown = Run(equations, data, part.run.kind, carried=rounding_of(problem), where=where) if by_hand else run
    wanted = tuple(ratios)
    fields = {
        "problem": problem,
        "network": network,
        "asked": Asked(None, None, (), wanted),
        "derivation": None,
        "ratios": {ratio.text: derived_ratio(network, part.functions, ratio) for ratio in wanted},
        "shape_adjoints": {},
        "chains": {},
        "run": run,
        "shown": shown,
        "explicit": Explicit(network, part.functions, entry_texts(problem)) if is_small(network) else None,
        "paths": None,
        "history": None,
        "training": None,
        "checks": (),
        "convergence": None,
        "further": None,
        "gates": None,
        "batch": None,
        "_written": {},
    }
    return Part(**{**part.__dict__, **fields})
