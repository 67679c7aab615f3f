"""A solved problem: what each part knows of itself, and the solution that holds the parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from flint import fmpq

from derive.calculus.explicit import Explicit
from derive.calculus.functions import Functions
from derive.calculus.paths import Paths
from derive.errors import ProblemError
from derive.graph.expression import Adjoint, Expression
from derive.graph.network import Network
from derive.numbers import arrays
from derive.numbers.rounding import Rounding
from derive.oracle import Kink, Training
from derive.problem.problem import Problem
from derive.records import dataclass
from derive.solution import elementwise
from derive.solution.asked import Asked, Ratio
from derive.solution.checks import Check
from derive.solution.convergence import Convergence
from derive.solution.derivation import Derivation
from derive.solution.history import History
from derive.solution.jacobian import Chain
from derive.solution.values import Run, data_with

if TYPE_CHECKING:
    from derive.solution.further import Further
    from derive.solution.gates import Gates
    from derive.solution.quiz import Questions


@dataclass(frozen=True)
class Part:
    """A solved problem without parts.

    ``derivation`` is laid out as the problem wishes; ``shape_adjoints`` are the same adjoints in the shape of their
    variables, ratios included. ``run`` holds certified values; ``shown`` is the run that is printed, which carries
    displayed values where the problem wants that. Without numbers there is neither. ``explicit`` and ``paths`` are
    there for small networks. ``batch`` is the network of the first mini-batch, solved like a problem of its own;
    ``opening`` holds the first updates, certified however many there are.
    """

    problem: Problem
    network: Network
    functions: Functions
    asked: Asked
    derivation: Derivation | None
    ratios: Mapping[str, Derivation]
    shape_adjoints: Mapping[Adjoint, Expression]
    chains: Mapping[str, tuple[Chain, ...]]
    run: Run
    shown: Run
    explicit: Explicit | None
    paths: Paths | None
    history: History | None
    training: Training | None
    checks: tuple[Check, ...] = ()
    kinks: tuple[Kink, ...] = ()
    convergence: Convergence | None = None
    gates: Gates | None = None
    quiz: Questions | None = None
    further: Further | None = None
    batch: Part | None = None
    opening: History | None = None
    _written: dict[str, sympy.Expr | None] = field(default_factory=dict, repr=False)

    @property
    def numeric(self) -> bool:
        """Whether there are numbers to put in."""
        return self.network.numeric and not self._symbolic_upstream and self._formulas

    @property
    def _symbolic_upstream(self) -> bool:
        return any(upstream.value is None for upstream in self.problem.ask.upstream)

    @property
    def _formulas(self) -> bool:
        return all(formula is not None for formula in self.problem.functions.values())

    @property
    def rounding(self) -> Rounding:
        """How numbers are shown."""
        return rounding_of(self.problem)

    def written_out(self, top: sympy.Symbol) -> sympy.Expr | None:
        """The loss in terms of data and parameters; ``None`` where that is too long to be of use."""
        key = str(top)
        if key not in self._written and self.explicit is not None:
            written: sympy.Expr | None = top
            for equation in reversed(self.network.equations):
                written = self.explicit.written_out(written, (str(equation.name),))
                if written.count_ops() > elementwise.LONGEST_WHOLE:
                    written = None
                    break
            self._written[key] = written
        return self._written.get(key)

    def ratio(self, text: str) -> Ratio | None:
        """The ratio that was asked for under this text."""
        return next((ratio for ratio in self.asked.ratios if ratio.text == text), None)

    def value_of(self, text: str, bits: int = 128) -> arrays.Array:
        """The certified value of a name, of ``dE/dW2`` or of a ratio. Raises ``ProblemError`` for any other text."""
        if text in self.network.data or text in self._equation_names:
            return self.run.value(text, bits)
        ratio = self.ratio(text)
        second = self.further.second(text) if self.further is not None else None
        if second is not None:
            return second.view.value_of(second.target, bits)
        if ratio is not None and ratio.kind == "jacobian":
            return self._jacobian(ratio, bits)
        if ratio is not None:
            return self.run.value(Adjoint(ratio.of, ratio.by), bits)
        for adjoint in self.shape_adjoints:
            if str(adjoint) == text:
                return self.run.value(adjoint, bits)
        if self.asked.loss is not None and text == f"d{self.asked.loss}/d{self.asked.loss}":
            return arrays.wrap(fmpq(1))
        known = [*self.network.data, *self._equation_names, *map(str, self.shape_adjoints)]
        known += [ratio.text for ratio in self.asked.ratios]
        known += [one.text for one in self.further.seconds] if self.further is not None else []
        raise ProblemError(f"there is no quantity {text!r} in this solution", hint="there are " + ", ".join(known))

    @property
    def _equation_names(self) -> tuple[str, ...]:
        return tuple(str(equation.name) for equation in self.network.equations)

    def _jacobian(self, ratio: Ratio, bits: int) -> arrays.Array:
        """One row for each entry of the upper name, by reverse mode from a unit upstream."""
        shape = tuple(int(size) for size in self.network.shape(ratio.of))
        derivation = self.ratios[ratio.text]
        seed = Adjoint("", ratio.of)
        rows = []
        for index in np.ndindex(*shape):
            unit = arrays.filled(shape, [fmpq(0)] * int(np.prod(shape)))
            unit[index] = fmpq(1)
            equations = dict(self.run.equations)
            equations.update((adjoint, value) for adjoint, value in derivation.adjoints.items())
            run = Run(equations, data_with(self.run.data, {seed: unit}), self.run.kind)
            target = Adjoint(ratio.of, ratio.by)
            rows.append(arrays.entries(run.value(target, bits)))
        return arrays.filled((len(rows), len(rows[0])), [entry for row in rows for entry in row])


@dataclass(frozen=True)
class Solution:
    """A problem with all its parts solved and checked."""

    problem: Problem
    parts: tuple[Part, ...]

    def part(self, name: str | None = None) -> Part:
        """The part of that name; the only one where there is no choice. Raises ``ProblemError`` otherwise."""
        if name is None and len(self.parts) == 1:
            return self.parts[0]
        for part in self.parts:
            if part.problem.part == name:
                return part
        known = ", ".join(str(part.problem.part) for part in self.parts)
        raise ProblemError(f"there is no part {name!r}", hint=f"there are {known}")

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all parts."""
        return tuple(check for part in self.parts for check in part.checks)


def rounding_of(problem: Problem) -> Rounding:
    """How a problem wants its numbers shown."""
    convention = problem.convention
    mode: Any = convention.rounding
    if convention.significant is not None:
        return Rounding(digits=None, significant=convention.significant, mode=mode, fractions=convention.fractions)
    return Rounding(digits=convention.digits, mode=mode, tiny="scientific", fractions=convention.fractions)


def entry_texts(problem: Problem) -> dict[str, tuple[str, ...]]:
    """The problem's own names of entries, row by row."""
    return {name: tuple(text for row in rows for text in row) for name, rows in problem.names.items()}
