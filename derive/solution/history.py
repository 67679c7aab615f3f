"""Gradient descent, certified: the parameters after each update are values like any others.

An update finds parameters and what its rule remembers, takes the gradients of its samples there (all parameters at
once), and leaves new ones. States are worked out from the first on, each from the one before, at whatever precision is
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.network import Equation, Network
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.rounding import Rounding
from derive.problem import batches
from derive.problem.problem import Update
from derive.records import dataclass
from derive.solution import rules
from derive.solution.values import Balls, Data, Run

MOST_CERTIFIED = 200

Rows = tuple[int, ...]
Place = tuple[str | None, int | None]  # file and line
Model = tuple[Mapping[Name, Expression], Data]  # forward pass and adjoints of some samples, and their numbers


@dataclass(frozen=True)
class Move:
    """One update. ``number`` counts them from 1, ``t`` as well but goes on from where the problem starts.

    ``found`` is the network of its samples at the parameters that it found, ``slopes`` where it took the gradients
    (``found``, unless the rule looks ahead; ``None`` where they are given), ``rule`` has the names of ``rules``.
    ``rows`` are empty where the whole data are used, ``lap`` is the pass.
    """

    number: int
    t: int
    lap: int
    rows: Rows
    found: Run
    slopes: Run | None
    rule: Run


@dataclass(frozen=True)
class History:
    """States 0 to ``steps``; ``runs[k]`` holds every value at the parameters after k updates (passes).

    ``loss`` is what the gradients are derivatives of. ``shown`` is the same run as it is printed: another one where
    displayed values are carried on.
    """

    update: Update
    loss: str
    runs: tuple[Run, ...]
    moves: tuple[Move, ...]
    shown: History | None = None

    @property
    def printed(self) -> History:
        """The run that is printed."""
        return self.shown or self


def data_of(network: Network) -> Data:
    """The problem's own numbers, at any precision."""
    known: dict[Name, Array] = {
        name: arrays.from_tensor(datum.tensor) for name, datum in network.data.items() if datum.tensor is not None
    }
    return lambda bits: known


def updated(network: Network, loss: str, name: str, rate: fmpq) -> Expression:
    """``name - rate * gradient``, in the layout of the parameter."""
    shape = network.shape(name)
    step = ops.multiply(constant(rate), leaf(Adjoint(loss, name), shape))
    return ops.subtract(leaf(name, shape), step)


def change(network: Network, loss: str, name: str, rate: fmpq) -> Expression:
    """``-rate * gradient``"""
    return ops.multiply(constant(-rate), leaf(Adjoint(loss, name), network.shape(name)))


def equations_of(network: Network, loss: str, update: Update, t: int, numerator: bool = False) -> list[Equation]:
    """The equations of update ``t`` of every parameter that moves, parameter by parameter.

    With ``numerator`` they take the gradients as numerator layout has them, and turn them.
    """
    found: list[Equation] = []
    for name in update.moving:
        shape = network.shape(name)
        own = rules.given(name) if update.slopes else rules.slope_ahead(name) if rules.looks_ahead(update) else None
        gradient = leaf(own or Adjoint(loss, name), shape)
        if numerator and not update.slopes:
            ahead = rules.slope_ahead(name, numerator) if own else Adjoint(loss, name, numerator)
            gradient = ops.transpose(leaf(ahead, shape[::-1]))
        found += [*rules.points(update, name, shape), *rules.lines(update, name, gradient, shape, t)]
    return found


def history(
    network: Network,
    loss: str,
    update: Update,
    model: Callable[[Rows], Model],
    kind: Balls,
    squares: rules.Squares,
    where: Mapping[Name, Place],
    place: Place,
    carried: Rounding | None = None,
) -> History:
    """The certified states. ``model`` gives equations and numbers of some rows; of the whole data for none.

    ``kind`` evaluates networks, ``squares`` the rule. ``where`` and ``place`` are those of the equations and of the
    update. With ``carried`` every named value is rounded before it goes on.
    """
    return _Trajectory(network, loss, update, model, kind, squares, where, place, carried).history()


class _Trajectory:
    """Parameters and memory after each update, filled from the first on: no recursion, however many there are."""

    def __init__(
        self,
        network: Network,
        loss: str,
        update: Update,
        model: Callable[[Rows], Model],
        kind: Balls,
        squares: rules.Squares,
        where: Mapping[Name, Place],
        place: Place,
        carried: Rounding | None,
    ) -> None:
        self.network, self.loss, self.update, self.model = network, loss, update, model
        self.kind, self.where, self.place, self.carried = kind, where, place, carried
        self.constants, self.squares = rules.constants(update), squares
        self.states: dict[int, list[Mapping[Name, Array]]] = {}
        self.moves: list[Move] = []

    def history(self) -> History:
        """Everything."""
        update = self.update
        runs, done = [self.run((), 0)], 0
        schedule = self.schedule()
        for lap, rows in schedule:
            if lap - 1 > done:  # the pass before it is complete
                done = lap - 1
                runs.append(self.run((), len(self.moves)))
            found = self.run(rows, len(self.moves)) if rows else runs[-1]
            self.moves.append(self.move(lap, rows, found))
        runs.append(self.run((), len(self.moves)))
        return History(update, self.loss, tuple(runs), tuple(self.moves))

    def schedule(self) -> Iterator[tuple[int, Rows]]:
        """Pass and rows of each update; without batches every update is a pass over the whole data."""
        if self.update.batches is not None:
            return batches.schedule(self.update)
        return ((k + 1, ()) for k in range(self.update.steps))

    def run(self, rows: Rows, made: int, ahead: bool = False) -> Run:
        """The network of some rows at the parameters after so many updates, or ahead of them."""
        equations, own = self.model(rows)

        def data(bits: int) -> Mapping[Name, Array]:
            known = dict(own(bits))
            known |= {name: value for name, value in self.state(made, bits).items() if name in self.update.moving}
            return known | self.ahead(made, bits) if ahead else known

        return Run(equations, data, self.kind, carried=self.carried, where=dict(self.where))

    def ahead(self, made: int, bits: int) -> dict[Name, Array]:
        """The points at which the gradients are taken, under the names of the parameters."""
        shape = self.network.shape
        here = self._run(
            [equation for name in self.update.moving for equation in rules.points(self.update, name, shape(name))],
            lambda bits: {**self.constants, **self.state(made, bits)},
        )
        return {name: here.value(rules.ahead(name), bits) for name in self.update.moving}

    def move(self, lap: int, rows: Rows, found: Run) -> Move:
        """The next update."""
        update, made = self.update, len(self.moves)
        t = update.t + made + 1
        slopes: Run | None = None
        if not update.slopes:
            slopes = self.run(rows, made, ahead=True) if rules.looks_ahead(update) else found

        def data(bits: int) -> Mapping[Name, Array]:
            known = {**self.constants, **self.state(made, bits)}
            for name in update.moving:
                if slopes is not None:
                    value = slopes.value(Adjoint(self.loss, name), bits)
                else:
                    value = arrays.from_tensor(update.slopes[made][name])
                known[Adjoint(self.loss, name)] = known[rules.slope_ahead(name)] = known[rules.given(name)] = value
                known[Adjoint(self.loss, name, True)] = known[rules.slope_ahead(name, numerator=True)] = value.T
            return known

        rule = self._run(equations_of(self.network, self.loss, update, t), data)
        return Move(made + 1, t, lap, rows, found, slopes, rule)

    def _run(self, equations: list[Equation], data: Data) -> Run:
        where: dict[Name, Place] = {equation.name: self.place for equation in equations}
        return Run({e.name: e.value for e in equations}, data, self.squares, carried=self.carried, where=where)

    def state(self, made: int, bits: int) -> Mapping[Name, Array]:
        """Parameters that move, and memory, after so many updates."""
        known = self.states.setdefault(bits, [])
        if not known:
            shapes = {name: self.network.shape(name) for name in self.update.moving}
            own = self.model(())[1](bits)
            known.append({**{name: own[name] for name in shapes}, **rules.start(self.update, shapes)})
        while len(known) <= made:
            value = partial(self.moves[len(known) - 1].rule.value, bits=bits)
            known.append({name: value(rules.after(str(name))) for name in known[0]})
        return known[made]
