"""Gradient descent in doubles, from the whole data or from mini-batches, by any of the update rules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from derive.errors import ProblemError
from derive.oracle.fits import describe
from derive.oracle.rules import Optimiser, doubles
from derive.oracle.tape import Tape, Values
from derive.oracle.values import Floats
from derive.problem import batches
from derive.problem.problem import Problem, Update
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """The state after ``step`` updates (passes, where there are batches): the loss there, and what was to be shown.

    With ``rows`` it is what update ``step`` finds in these rows, in pass ``number``, before it moves anything.
    """

    step: int
    loss: float | None
    values: Mapping[str, Floats]
    gradients: Mapping[str, Floats]
    number: int = 0
    rows: tuple[int, ...] = ()


class Diverged(ProblemError):
    """A run of gradient descent that has left the range of doubles, or the domain of a function."""


@dataclass(frozen=True, slots=True)
class State:
    """The loss and the parameters after ``step`` updates."""

    step: int
    loss: float
    parameters: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Training:
    """A run of gradient descent in doubles; ``state`` is what its rule remembers at the end."""

    history: tuple[Entry, ...]
    parameters: Mapping[str, Floats]
    state: Mapping[str, Mapping[str, Floats]]


def update(
    parameters: Mapping[str, Floats], gradients: Mapping[str, Floats], rates: Mapping[str, float]
) -> dict[str, Floats]:
    """``name - rate * gradient`` for every name in ``rates``; other parameters as they are."""
    return {
        name: np.asarray(value - float(rates[name]) * gradients[name]) if name in rates else value
        for name, value in parameters.items()
    }


class View:
    """What one tape shows at other parameters than those of its problem: loss, values, adjoints."""

    def __init__(self, tape: Tape, loss: str | None, wanted: Iterable[int]) -> None:
        self.tape, self.top = tape, None if loss is None else tape.slot(loss)
        self.wanted = tuple(dict.fromkeys(wanted))
        self.values, self.sides = list(tape.values), tape.sides

    def look(self, data: Mapping[str, Floats], made: int) -> float | None:
        """Everything is worked out anew with these data and parameters; gives the loss. Raises ``Diverged``."""
        for name, value in data.items():
            self.values[self.tape.slots[name]] = value
        self.sides = {}
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                self.tape.forward(self.values, self.tape.steps, self.sides)
        except (FloatingPointError, ProblemError) as error:
            raise self.diverged(made, error) from None
        return self.loss(made)

    def loss(self, made: int) -> float | None:
        """The loss as it stands, after so many updates."""
        if self.top is None:
            return None
        now = float(self.values[self.top].item())
        if not math.isfinite(now):
            raise self.diverged(made, FloatingPointError("it is not finite"))
        return now

    def adjoints(self, made: int) -> dict[int, Any]:
        """The adjoints of what is wanted."""
        if self.top is None or not self.wanted:
            return {}
        seed = {self.top: np.ones(np.shape(self.values[self.top]))}
        try:
            return self.tape.backward(self.values, self.sides, seed, self.tape.plan((self.top,), self.wanted))
        except (FloatingPointError, ProblemError) as error:
            raise self.diverged(made, error) from None

    def gradients(self, names: Iterable[str], made: int) -> dict[str, Floats]:
        """The gradients by these names, each in the shape of its name."""
        adjoints, slots = self.adjoints(made), self.tape.slots
        return {name: adjoints.get(slots[name], np.zeros(np.shape(self.values[slots[name]]))) for name in names}

    def diverged(self, made: int, error: Exception) -> Diverged:
        """The message for a run that goes no further."""
        of = next((name for name, slot in self.tape.slots.items() if slot == self.top), "a value")
        what = error.message if isinstance(error, ProblemError) else error
        count = "1 update" if made == 1 else f"{made} updates"
        return Diverged(f"{of!r} leaves the range of doubles after {count}: {what}")


def train(
    problem: Problem,
    tape: Tape,
    loss: str | None,
    update: Update,
) -> Training:
    """The updates that ``update`` asks for, as many as it says.

    ``history`` has entry 0, every ``every``-th and the last; ``show`` adds values (``"y"``) and gradients
    (``"dE/dW1"``) to them. Raises ``ProblemError`` where the run leaves the range of doubles.
    """
    return _Run(problem, tape, loss, update).whole()


def descent(problem: Problem, tape: Tape, loss: str, update: Update) -> Iterator[State]:
    """Updates without an end: the state at the start, and after each of them. Raises ``Diverged``."""
    run = _Run(problem, tape, loss, replace(update, show=()))
    for k in count():
        now = run.here.loss(k) if k == 0 else run.here.look(run.parameters, k)
        assert now is not None
        yield State(k, now, dict(run.parameters))
        run.move(run.here, {}, None)


class _Run:
    """One run: the view of the whole data, those of the batches, the parameters, and the rule with its state."""

    def __init__(self, problem: Problem, tape: Tape, loss: str | None, update: Update) -> None:
        if loss is not None and np.size(tape.values[tape.slot(loss)]) != 1:
            raise ProblemError(f"{loss!r} is {describe(np.shape(tape.values[tape.slot(loss)]))}, not a scalar")
        self.problem, self.loss, self.update = problem, loss, update
        self.parameters = {name: np.array(tape.values[tape.slot(name)], dtype=float) for name in problem.parameters}
        self.rule = Optimiser(update, self.parameters)
        self.gradients = {f"d{loss}/d{name}": name for name in tape.slots}
        self.here = self._view(tape)
        self.views: dict[int, View] = {}
        self.data: dict[tuple[int, ...], dict[str, Floats]] = {}
        self.made = 0

    def _view(self, tape: Tape) -> View:
        shown = [self.gradients[item] for item in self.update.show if item in self.gradients]
        moved = () if self.update.slopes else self.rule.rates
        return View(tape, self.loss, [tape.slot(name) for name in (*moved, *shown)])

    def whole(self) -> Training:
        """All of it."""
        update = self.update
        history = [self.entry(0, self.here, self.here.loss(0))]
        for k in range(1, update.steps + 1):
            history += self.one(k)
            if k % update.every == 0 or k == update.steps:
                history.append(self.entry(k, self.here, self.here.look(self.parameters, self.made)))
        parameters = {name: self.parameters[name] for name in update.rates}
        return Training(tuple(history), parameters, self.rule.state)

    def one(self, k: int) -> list[Entry]:
        """Update k, or with batches pass k and what there is to say of each of its updates."""
        wish = self.update.batches
        if wish is None:
            if k > 1 and (k - 1) % self.update.every:
                self.here.look(self.parameters, self.made)
            self.move(self.here, {}, self._given(k))
            return []
        found = []
        order = wish.orders[(k - 1) % len(wish.orders)]
        for start in range(0, len(order), wish.size):
            rows = order[start : start + wish.size]
            view, data = self._batch(rows)
            now = view.look({**self.parameters, **data}, self.made)
            if wish.each and (self.made + 1) % self.update.every == 0:
                found.append(self.entry(self.made + 1, view, now, k, rows))
            self.move(view, data, None)
        return found

    def _batch(self, rows: tuple[int, ...]) -> tuple[View, dict[str, Floats]]:
        """The view of as many rows, and the data of these: batches of one size have one tape."""
        wish = self.update.batches
        assert wish is not None
        if rows not in self.data or len(rows) not in self.views:
            part = batches.of_rows(self.problem, wish, rows)
            if len(rows) not in self.views:
                self.views[len(rows)] = self._view(Tape(part))
            self.data[rows] = {name: doubles(part.given[name]) for name in wish.over}
        return self.views[len(rows)], self.data[rows]

    def _given(self, k: int) -> dict[str, Floats] | None:
        """The gradient of update k where the problem gives it."""
        if not self.update.slopes:
            return None
        return {name: doubles(tensor) for name, tensor in self.update.slopes[k - 1].items()}

    def move(self, view: View, data: Mapping[str, Floats], gradients: Mapping[str, Floats] | None) -> None:
        """One update, from the gradient in this view, or a given one; the view stands at the parameters."""
        at = self.rule.ahead(self.parameters)
        if gradients is None:
            if at is not self.parameters:
                view.look({**at, **data}, self.made)
            gradients = view.gradients(self.rule.rates, self.made)
        try:
            self.parameters = self.rule.step(self.parameters, gradients, at)
        except FloatingPointError as error:
            raise view.diverged(self.made, error) from None
        self.made += 1

    def entry(self, step: int, view: View, loss: float | None, number: int = 0, rows: tuple[int, ...] = ()) -> Entry:
        """What is to be said of a state; the view stands at it."""
        shown = [item for item in self.update.show if item in self.gradients]
        adjoints = view.gradients([self.gradients[item] for item in shown], self.made) if shown else {}
        values = {item: self._now(view, item) for item in self.update.show if item not in self.gradients}
        return Entry(step, loss, values, {item: adjoints[self.gradients[item]] for item in shown}, number, rows)

    @staticmethod
    def _now(view: View, item: str) -> Floats:
        value: Values = view.values
        return np.array(value[view.tape.slot(item)], dtype=float)
