"""What the three chapters about losses share: the factors in front of a loss, and their table.

A loss is a sum of terms, one for each entry or sample, times a factor; whoever leaves the factor out of the derivative
has differentiated another loss. Every factor is a problem of its own, solved with letters for the sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import sympy

from derive.chapters.blocks import rule
from derive.chapters.chapter import Worked
from derive.problem.problem import Problem
from derive.report.compose.sheet import Sheet, packed
from derive.report.document import Chain, Display, Link
from derive.report.notation import Cell, scalar
from derive.solution.checks import CheckFailed

FACTORS: Mapping[str, str] = {
    "1": "sum({})",
    "1/2": "sum({}) / 2",
    "1/N": "mean(sum({}, axis=1))",
    "1/2N": "mean(sum({}, axis=1)) / 2",
    "1/Nn": "mean({})",
}
"""A factor as it is asked for, and the loss in the equation language around the term of one entry."""


def lettered(term: str, factors: Iterable[str]) -> dict[str, Problem]:
    """The loss of each factor with letters for its sizes; ``term`` is one entry's, in ``out`` and ``Y``."""
    return {
        f"letters {factor}": Problem.from_equations(
            f"J = {FACTORS[factor].format(term)}",
            shapes={"out": ["N", "n"], "Y": ["N", "n"]},
            ask={"gradients": ["out"]},
            name=f"letters {factor}",
        )
        for factor in factors
    }


def small(equation: str, rows: int, columns: int, gradients: tuple[str, ...] = ("out",)) -> Problem:
    """A loss with numbers for its sizes; entries are called o and y, with one index where there is one column."""

    def names(stem: str) -> str:
        if columns == 1:
            return "; ".join(f"{stem}_{i + 1}" for i in range(rows))
        return "; ".join(" ".join(f"{stem}_{i + 1}{j + 1}" for j in range(columns)) for i in range(rows))

    return Problem.from_equations(
        equation,
        shapes={"out": [rows, columns], "Y": [rows, columns]},
        names={"out": names("o"), "Y": names("y")},
        ask={"gradients": list(gradients)},
        name="small",
    )


def slopes(sheet: Sheet, name: str = "out") -> Display:
    """SymPy's derivative of the loss, written out in entries, by every entry of a name."""
    explicit, loss = sheet.part.explicit, sheet.part.asked.loss
    assert explicit is not None
    assert loss is not None
    (written,) = explicit.equation(loss).ravel()
    chains = []
    for index in np.ndindex(*map(int, sheet.shape(name))):
        symbol = explicit.symbols(name)[index]
        slope = sympy.factor(explicit.with_definitions(sympy.diff(written, symbol)))
        left = sheet.symbols.partial(sheet.symbols.name(loss), sheet.symbols.entry(name, index))
        chains.append(Chain(left, (Link("=", (entry_text(sheet, slope),)),)))
    return Display(tuple(chains))


def entry_text(sheet: Sheet, expression: sympy.Expr) -> str:
    """A SymPy expression in the entries of a problem, as LaTeX."""
    explicit = sheet.part.explicit
    assert explicit is not None

    def leaf(symbol: sympy.Symbol) -> Cell:
        return Cell(sheet.entry(explicit.entry_of[symbol]))

    return scalar(expression, leaf, sheet.symbols, sheet.entry_order).text


def by_factor(work: Worked, keys: Iterable[str]) -> Display:
    """The loss and its derivative for every factor, from the solved problems."""
    chains = []
    for key in keys:
        sheet = work.sheets[key]
        equation = sheet.part.network.equation(str(sheet.part.asked.loss))
        slope = rule(sheet, "out")
        result = Link(r"\Rightarrow", (slope.left, "= " + " ".join(slope.links[0].terms)))
        links = (Link("=", (" ".join(sheet.letters.terms(equation.value)),)), result)
        chains.append(Chain(sheet.symbols.name(equation.name), tuple(packed(links))))
    return Display(tuple(chains))


def require_zero(difference: sympy.Expr, what: str) -> None:
    """Raise ``CheckFailed`` unless SymPy shows that the difference vanishes."""
    if sympy.simplify(difference) != 0:
        raise CheckFailed(f"a check failed, nothing was written: {what}")
