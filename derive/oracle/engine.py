"""The witness: the same equations once more in plain NumPy doubles, with derivatives of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from flint import fmpq

from derive.errors import ProblemError
from derive.oracle.differences import ALL_ENTRIES, DIRECTIONS, SAMPLES, Differences, differences_by, sample
from derive.oracle.fits import describe
from derive.oracle.tape import Tape
from derive.oracle.training import State, Training, descent, train
from derive.oracle.values import Array, Floats
from derive.problem.problem import Problem, Update
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Kink:
    """Entries (indices from 0) of an operation inside the equation ``name`` that sit on the kink of ``function``."""

    name: str
    function: str
    entries: tuple[tuple[int, ...], ...]
    line: int


class Oracle:
    """The NumPy run of one problem (a single part, with numbers for all its data).

    Everything is worked out once at the problem's own numbers. Raises ``ProblemError`` for sizes that do not fit and
    for values that do not exist (log of zero, division by zero), ``Unsupported`` for operations it does not know.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._tape = Tape(problem)

    @property
    def names(self) -> tuple[str, ...]:
        """Data, parameters and equations, in the order in which they get their values."""
        return tuple(self._tape.slots)

    # values

    def forward(self, values: Mapping[str, npt.ArrayLike] | None = None) -> dict[str, Floats]:
        """All values by name, in doubles; ``values`` replaces data, or an intermediate once it is computed."""
        v, _ = self._tape.run(values)
        return {name: np.array(v[slot], dtype=float) for name, slot in self._tape.slots.items()}

    def kinks(self) -> tuple[Kink, ...]:
        """Where the problem's own values sit on a kink: relu or abs at 0, equals in a max, clip at an end."""
        found = []
        for step in self._tape.steps:
            if step.out in self._tape.sides and (ties := step.ties(self._tape.sides[step.out])).any():
                places = tuple(tuple(map(int, place)) for place in np.argwhere(ties))
                found.append(Kink(step.statement.name, step.function, places, step.line))
        return tuple(found)

    # derivatives by rules

    def backprop(
        self,
        loss: str | Mapping[str, npt.ArrayLike],
        seed: npt.ArrayLike | None = None,
        values: Mapping[str, npt.ArrayLike] | None = None,
    ) -> dict[str, Floats]:
        """The gradient of ``loss`` by every name, each in the shape of its name.

        For a loss that is no scalar ``seed`` is the adjoint it starts from (its shape); a mapping gives the adjoints of
        several names at once. ``values`` as in ``forward``.
        """
        v, sides = self._tape.run(values)
        seeds: dict[int, Array] = {}
        for name, start in loss.items() if isinstance(loss, Mapping) else [(loss, seed)]:
            shape = np.shape(v[self._tape.slot(name)])
            if start is None and math.prod(shape) != 1:
                raise ProblemError(
                    f"{name!r} is {describe(shape)}, not a scalar", hint="its gradient needs an upstream"
                )
            seeds[self._tape.slot(name)] = (
                np.ones(shape) if start is None else np.broadcast_to(np.asarray(start), shape)
            )
        adjoints = self._tape.backward(v, sides, seeds, self._tape.plan(tuple(seeds), tuple(self._tape.slots.values())))
        return {
            name: np.zeros(np.shape(v[slot])) if slot not in adjoints else np.array(adjoints[slot], dtype=float)
            for name, slot in self._tape.slots.items()
        }

    def jacobian(self, of: str, by: str) -> Floats:
        """Rows: entries of ``of``, row by row; columns: entries of ``by``. By backprop, one row at a time."""
        slot, wanted = self._tape.slot(of), self._tape.slot(by)
        shape, size = np.shape(self._tape.values[slot]), np.size(self._tape.values[wanted])
        result = np.zeros((math.prod(shape), size))
        for row, seed in zip(result, np.eye(len(result)), strict=True):
            adjoints = self._tape.backward(
                self._tape.values, self._tape.sides, {slot: seed.reshape(shape)}, self._tape.plan((slot,), (wanted,))
            )
            if wanted in adjoints:
                row[:] = np.ravel(adjoints[wanted])
        return result

    def second(self, of: str, first: str, then: str) -> Floats:
        """d^2 ``of`` / d ``first`` d ``then``: rows for entries of ``first``. Complex steps through backprop."""
        from derive.oracle.second import second

        return second(self._tape, of, first, then)

    # derivatives without rules

    def complex_step(self, of: str, by: str, entries: Sequence[int] | None = None) -> Differences:
        """Im f(x + ih)/h by the entries of ``by`` (positions row by row; all or a sample where not given)."""
        return differences_by(self._tape, of, by, entries, "complex step")

    def central_differences(self, of: str, by: str, entries: Sequence[int] | None = None) -> Differences:
        """(f(x + h) - f(x - h)) / 2h; good to about ten digits where values are near 1."""
        return differences_by(self._tape, of, by, entries, "central differences")

    def differences(self, of: str, names: Iterable[str], method: str = "complex step") -> dict[str, Differences]:
        """The differences by several names, together no more than can be afforded.

        Up to 2,000 entries in all every one is taken; above that 200 seeded ones, shared out evenly, and three random
        directions for each name.
        """
        sizes = {name: np.size(self._tape.values[self._tape.slot(name)]) for name in names}
        if sum(sizes.values()) <= ALL_ENTRIES:
            return {name: differences_by(self._tape, of, name, range(size), method) for name, size in sizes.items()}
        result, left = {}, SAMPLES
        for k, (name, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
            share = min(size, -(-left // (len(sizes) - k)))
            left -= share
            result[name] = differences_by(self._tape, of, name, sample(size, share), method, DIRECTIONS)
        return {name: result[name] for name in sizes}

    # training

    def train(
        self, loss: str, rates: Mapping[str, float], steps: int, show: Sequence[str] = (), every: int = 1
    ) -> Training:
        """``steps`` updates of the names in ``rates``, all at once, by the plain rule.

        ``history`` has entry 0, every ``every``-th and the last; ``show`` adds values (``"y"``) and gradients
        (``"dE/dW1"``) to them. Raises ``ProblemError`` where the run leaves the range of doubles.
        """
        exact = {name: fmpq(*float(rate).as_integer_ratio()) for name, rate in rates.items()}
        return self.follow(loss, Update(exact, steps=steps, show=tuple(show), every=every))

    def follow(self, loss: str | None, update: Update) -> Training:
        """The updates that a problem asks for. Without a loss ``update`` has the gradients."""
        return train(self.problem, self._tape, loss, update)

    def descend(self, loss: str, update: Update) -> Iterator[State]:
        """Gradient descent without an end: the state at the start, and after each update. Raises ``Diverged``."""
        yield from descent(self.problem, self._tape, loss, update)
