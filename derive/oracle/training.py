"""Gradient descent in doubles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

import numpy as np

from derive.errors import ProblemError
from derive.oracle.fits import describe
from derive.oracle.tape import Tape, Values
from derive.oracle.values import Floats
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """The state after ``step`` updates: the loss there, and what else was to be shown."""

    step: int
    loss: float
    values: Mapping[str, Floats]
    gradients: Mapping[str, Floats]


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
    """A run of gradient descent in doubles."""

    history: tuple[Entry, ...]
    parameters: Mapping[str, Floats]


def update(
    parameters: Mapping[str, Floats], gradients: Mapping[str, Floats], rates: Mapping[str, float]
) -> dict[str, Floats]:
    """``name - rate * gradient`` for every name in ``rates``; other parameters as they are."""
    return {
        name: np.asarray(value - float(rates[name]) * gradients[name]) if name in rates else value
        for name, value in parameters.items()
    }


def train(
    tape: Tape, loss: str, rates: Mapping[str, float], steps: int, show: Sequence[str] = (), every: int = 1
) -> Training:
    """``steps`` updates of the names in ``rates``, all at once.

    ``history`` has entry 0, every ``every``-th and the last; ``show`` adds values (``"y"``) and gradients
    (``"dE/dW1"``) to them. Raises ``ProblemError`` where the run leaves the range of doubles.
    """
    names = {f"d{loss}/d{name}": slot for name, slot in tape.slots.items()}
    shown_values = {item: tape.slot(item) for item in show if item not in names}
    shown_gradients = {item: names[item] for item in show if item in names}
    history, zero = [], np.zeros(())
    for k, now, v, adjoints in islice(descent(tape, loss, rates, shown_gradients.values()), steps + 1):
        if k % every == 0 or k == steps:
            history.append(
                Entry(
                    k,
                    now,
                    {item: np.array(v[slot], dtype=float) for item, slot in shown_values.items()},
                    {
                        item: np.array(adjoints.get(slot, zero * v[slot]), dtype=float)
                        for item, slot in shown_gradients.items()
                    },
                )
            )
    return Training(tuple(history), {name: np.array(v[tape.slots[name]], dtype=float) for name in rates})


def descent(
    tape: Tape, loss: str, rates: Mapping[str, float], more: Iterable[int] = ()
) -> Iterator[tuple[int, float, Values, dict[int, Any]]]:
    """Updates made, the loss, all values and the adjoints there; ``more`` are slots that need their adjoint."""
    top = tape.slot(loss)
    if np.size(tape.values[top]) != 1:
        raise ProblemError(f"{loss!r} is {describe(np.shape(tape.values[top]))}, not a scalar")
    moved = [(tape.slot(name), float(rate)) for name, rate in rates.items()]
    plan = tape.plan((top,), tuple(dict.fromkeys([*(slot for slot, _ in moved), *more])))
    v, sides, seed = list(tape.values), tape.sides, {top: np.ones(np.shape(tape.values[top]))}
    adjoints: dict[int, Any] = {}
    for k in count():
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                if k:
                    for slot, rate in moved:
                        if slot in adjoints:
                            v[slot] = v[slot] - rate * adjoints[slot]
                    sides = {}
                    tape.forward(v, tape.steps, sides)
                now = float(v[top].item())
                if not math.isfinite(now):
                    raise FloatingPointError("it is not finite")
                adjoints = tape.backward(v, sides, seed, plan)
        except (FloatingPointError, ProblemError) as error:
            raise Diverged(f"{loss!r} leaves the range of doubles after {k} updates: {error}") from None
        yield k, now, v, adjoints
