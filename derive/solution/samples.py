"""The certified run of the updates that a problem asks for: whole data, or the network of some of its rows.

Batches with the same equations share their adjoints; each has numbers of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from derive.calculus.functions import Functions
from derive.graph import build
from derive.graph.expression import Expression, Name
from derive.graph.network import Network
from derive.numbers.rounding import Rounding
from derive.problem import batches
from derive.problem.problem import Problem, Update
from derive.solution.derivation import derive
from derive.solution.history import History, Model, Rows, data_of, history
from derive.solution.rules import Squares
from derive.solution.values import Balls, Data


class Samples:
    """The networks of rows of a problem, made when they are needed."""

    def __init__(
        self,
        problem: Problem,
        network: Network,
        functions: Functions,
        equations: Mapping[Name, Expression],
        data: Data,
    ) -> None:
        self.problem, self.network, self.functions = problem, network, functions
        self.whole: Model = equations, data
        self._derived: dict[tuple[Expression, ...], Mapping[Name, Expression]] = {}  # by the forward pass
        self._known: dict[Rows, Model] = {}

    def __call__(self, rows: Rows) -> Model:
        """Equations and numbers of these rows; of the whole data for none."""
        update = self.problem.ask.update
        if not rows or update is None or update.batches is None:
            return self.whole
        if rows not in self._known:
            part = batches.of_rows(self.problem, update.batches, rows)
            network = build(part)
            forward = tuple(e.value for e in network.equations)
            if forward not in self._derived:  # class numbers stand in the equations, so batches of one size may differ
                gradients = part.ask.gradients
                assert isinstance(gradients, tuple)
                found: dict[Name, Expression] = {e.name: e.value for e in network.equations}
                adjoints = derive(network, self.functions, loss_of(part, network), gradients).adjoints
                self._derived[forward] = found | dict(adjoints.items())
            self._known[rows] = self._derived[forward], data_of(network)
        return self._known[rows]


def loss_of(problem: Problem, network: Network) -> str:
    """What an update's gradients are derivatives of."""
    if problem.ask.upstream:
        return problem.ask.upstream[0].of
    return problem.ask.loss or (str(network.equations[-1].name) if network.equations else "")


def states_of(samples: Samples, update: Update, kind: Balls, carried: Rounding | None = None) -> History:
    """The certified run, and where displayed values are ``carried`` on the run that is printed."""
    problem, network = samples.problem, samples.network
    loss = loss_of(problem, network)
    where = {e.name: (problem.file, e.line) for e in network.equations}
    place, squares = (problem.file, problem.line("ask", "update")), Squares(samples.functions)
    found = history(network, loss, update, samples, kind, squares, where, place)
    if carried is None:
        return found
    return replace(found, shown=history(network, loss, update, samples, kind, squares, where, place, carried))
