"""The finite-difference check as an exercise: J(w + h), J(w - h), their quotient, and how far it is from the gradient.

Every number is certified: the quotient's error is that of the method, not of rounding. Half the step tells whether the
error shrinks with the square of h, as it does where no kink lies between the two ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.network import Datum, Network
from derive.graph.sizes import is_scalar
from derive.numbers import arrays
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem
from derive.problem.questions import Quotient
from derive.problem.wording import hint
from derive.records import dataclass
from derive.solution.checks import Check, Witness
from derive.solution.derivation import derive
from derive.solution.history import data_of
from derive.solution.part import Part
from derive.solution.values import Run
from derive.solution.view import extended, refused, view

MOST_DIGITS = 15
PRECISE = 512  # bits at which a distance is told from zero
SHRINKS = 2.0  # half the step divides the distance by four; by less than this, and something is in the way


@dataclass(frozen=True)
class Exercise:
    """``of`` at ``index`` (from 0) is moved by ``step`` to either side.

    The names are those of the view: the step, the loss at both ends, the quotient, the gradient's entry, the distance.
    ``shrinks`` says whether half the step makes the distance as much smaller as it should; ``None`` where there is none
    that could be told from zero.
    """

    label: str
    of: str
    index: tuple[int, ...]
    step: fmpq
    loss: str
    view: Part
    shrinks: bool | None

    def name(self, what: str) -> str:
        """The view's name of ``step``, ``plus``, ``minus``, ``quotient``, ``slope`` or ``gap``."""
        return f"{what} at {self.loss} {self.of} {','.join(map(str, self.index))}"


def exercises(part: Part) -> tuple[Exercise, ...]:
    """Every exercise that is asked for. Raises ``ProblemError``, without numbers too: there is nothing to move."""
    questions = part.problem.ask.questions
    wanted = questions.differences if questions is not None else ()
    return tuple(_exercise(part, wish, k + 1) for k, wish in enumerate(wanted))


def _exercise(part: Part, wish: Quotient, number: int) -> Exercise:
    loss = part.asked.loss or str(part.network.equations[-1].name)
    if not part.numeric:
        raise refused(part, "differences", "differences: the problem has no numbers to take differences of")
    if not is_scalar(part.network.shape(loss)):
        raise refused(part, "differences", f"differences: {loss} is no number")
    if wish.of in part.network.labels:
        raise refused(part, "differences", f"differences: {wish.of} holds class numbers")
    index = _index(part, wish)
    found = Exercise(f"quotient-{number}", wish.of, index, wish.step, loss, part, None)
    plus, minus, quotient, slope, gap = map(found.name, ("plus", "minus", "quotient", "slope", "gap"))
    step = leaf(found.name("step"), ())
    ends: dict[Name, Any] = {name: _moved(part, found, sign * wish.step) for name, sign in ((plus, 1), (minus, -1))}
    adjoints: dict[Name, Expression] = {}
    adjoints.update(derive(part.network, part.functions, loss, (wish.of,)).adjoints.items())
    equations = {
        plus: leaf(plus, ()),
        minus: leaf(minus, ()),
        slope: leaf(slope, ()),
        quotient: ops.divide(ops.subtract(leaf(plus, ()), leaf(minus, ())), ops.multiply(constant(2), step)),
        gap: ops.subtract(leaf(quotient, ()), leaf(slope, ())),
    }
    seeds = {found.name("step"): Datum((), "given", Tensor.of((), (wish.step,)))}
    gradient = Run({**part.run.equations, **adjoints}, part.run.data, part.run.kind)

    def entry(bits: int) -> Any:
        if wish.of not in part.network.ancestors(loss):
            return arrays.wrap(fmpq(0))
        return arrays.wrap(gradient.value(Adjoint(loss, wish.of), bits)[index])

    network = extended(part.network, equations, seeds)
    known: dict[Name, Any] = {**ends, slope: entry}
    seen = view(part, network, problem=_with_digits(part.problem, wish.step), known=known)
    halved = _distance(part, found, wish.step / 2, entry)
    off = seen.run.value(gap, PRECISE).ravel()[0]
    if (not isinstance(off, fmpq) and off.contains(0)) or off == 0:
        return Exercise(found.label, wish.of, index, wish.step, loss, seen, None)
    full = abs(float(arrays.to_floats(arrays.wrap(off))))
    return Exercise(found.label, wish.of, index, wish.step, loss, seen, halved * SHRINKS <= full)


def _distance(part: Part, found: Exercise, step: fmpq, entry: Callable[[int], Any]) -> float:
    """The distance from the gradient with another step."""
    bits = PRECISE
    ends = [_moved(part, found, sign * step)(bits).ravel()[0] for sign in (1, -1)]
    difference = (ends[0] - ends[1]) / (2 * step) - entry(bits).ravel()[0]
    return abs(float(arrays.to_floats(arrays.wrap(difference))))


def _index(part: Part, wish: Quotient) -> tuple[int, ...]:
    """The entry, counted from 0. Raises ``ProblemError`` for a name that no entry has."""
    shape = tuple(map(int, part.network.shape(wish.of)))
    if not isinstance(wish.entry, str):
        if len(wish.entry) != len(shape) or not all(1 <= k <= size for k, size in zip(wish.entry, shape, strict=True)):
            raise refused(part, "differences", f"differences: {wish.of} has no entry {list(wish.entry)}")
        return tuple(k - 1 for k in wish.entry)
    names = [name for row in part.problem.names.get(wish.of, ()) for name in row]
    if wish.entry not in names:
        tip = hint(wish.entry, names) or "indices are counted from 1: entry = [1, 2]"
        raise refused(part, "differences", f"differences: no entry of {wish.of} is called {wish.entry}", hint=tip)
    return tuple(int(k) for k in np.unravel_index(names.index(wish.entry), shape)) if shape else ()


def _moved(part: Part, found: Exercise, by: fmpq) -> Callable[[int], Any]:
    """The loss with one entry moved, at any precision."""
    datum = part.network.data[found.of]
    assert datum.tensor is not None
    shape = tuple(map(int, datum.shape))
    flat = int(np.ravel_multi_index(found.index, shape)) if shape else 0
    entries = [entry + by if k == flat else entry for k, entry in enumerate(datum.tensor.entries)]
    changed = replace(datum, tensor=Tensor.of(shape, entries))
    network = Network({**part.network.data, found.of: changed}, part.network.equations, part.network.labels)
    ours, theirs = data_of(network), part.run.data

    def data(bits: int) -> Mapping[Name, Any]:
        return {**theirs(bits), **ours(bits)}

    run = Run(part.run.equations, data, part.run.kind)
    return lambda bits: arrays.wrap(run.value(found.loss, bits).ravel()[0])


def _with_digits(problem: Problem, step: fmpq) -> Problem:
    """As many digits more as the division by 2h takes away, and one."""
    more = max(0, math.ceil(-math.log10(2 * int(step.p) / int(step.q)))) + 1
    convention = problem.convention
    if convention.significant is not None:
        wider = replace(convention, significant=min(MOST_DIGITS, convention.significant + more + 2), carry="full")
    else:
        wider = replace(convention, digits=min(MOST_DIGITS, convention.digits + more), carry="full")
    return replace(problem, convention=wider)


def checks(part: Part, found: tuple[Exercise, ...], witness: Witness) -> Iterator[Check]:
    """The loss at both ends against the other engine."""
    for one in found:
        here = arrays.to_floats(part.run.value(one.of))
        for what, sign in (("plus", 1), ("minus", -1)):
            moved = here.copy()
            moved[one.index] += sign * float(one.step.p) / float(one.step.q)
            theirs = np.reshape(witness.oracle.forward({one.of: moved})[one.loss], ())
            yield witness.against("quotients", f"d{one.loss}/d{one.of}", one.view.run.value(one.name(what)), theirs)
