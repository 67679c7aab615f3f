"""The right values behind the claims: the problem solved with everything that is claimed asked for as well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from flint import arb, fmpq

from derive.errors import ProblemError
from derive.graph import build
from derive.graph.expression import Name
from derive.graph.network import Network
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import Number
from derive.numbers.decimals import read_number
from derive.problem.ask import split_ratio
from derive.problem.problem import Problem, Update
from derive.problem.questions import second_of
from derive.problem.wording import hint, listing, shown
from derive.review.claims import Claim, Quantity
from derive.solution import Part, Solution, solve
from derive.solution.asked import asked
from derive.solution.history import MOST_CERTIFIED

TRUSTED = 10  # digits of a run in doubles


def answers(problem: Problem, claims: Sequence[Claim]) -> Solution:
    """The checked solution of the parts that are spoken of, with every claimed quantity in it.

    Raises ``ProblemError`` at the claim for a part, a quantity or an update that the problem does not have.
    """
    of_part: dict[str | None, list[Claim]] = {}
    for claim in claims:
        of_part.setdefault(_part(problem, claim), []).append(claim)
    wanted = tuple(asking(one, of_part[one.part]) for one in problem.each() if one.part in of_part)
    return solve(replace(problem, parts=wanted) if problem.parts else wanted[0])


def _part(problem: Problem, claim: Claim) -> str | None:
    names = [str(one.part) for one in problem.parts]
    if claim.part is None and names:
        raise claim.error(f"the problem has the parts {listing(names, 'and')}, and this claim names none")
    if claim.part is not None and claim.part not in names:
        tip = hint(claim.part, names) or (f"there are {listing(names, 'and')}" if names else "the problem has no parts")
        raise claim.error(f"there is no part {shown(claim.part)}", tip)
    return claim.part


def asking(problem: Problem, claims: Iterable[Claim]) -> Problem:
    """The problem (one part of it) with the gradients, ratios and updates of the claims asked for.

    Raises ``ProblemError`` at the claim for a quantity or an update that the problem does not have.
    """
    network = build(problem)
    names = (*network.data, *(str(equation.name) for equation in network.equations))
    wish = asked(problem, network)
    wanted = dict.fromkeys([*wish.gradients, *(ratio.text for ratio in wish.ratios), *wish.seconds])
    update = problem.ask.update
    for claim in claims:
        _known(network, problem, claim, names)
        if claim.quantity.name not in names:
            wanted.setdefault(claim.quantity.name)
        if claim.quantity.update is not None:
            update = _long_enough(update, claim, problem)
    return replace(problem, ask=replace(problem.ask, gradients=tuple(wanted), update=update))


def _known(network: Network, problem: Problem, claim: Claim, names: Sequence[str]) -> None:
    """Raises ``ProblemError`` for a claim on what the problem does not have."""
    text = claim.quantity.name
    if text in names:
        return
    ratio = split_ratio(text)
    if ratio is None:
        if second_of(text, names) is None:
            tip = hint(text, names) or f"there are {listing(names, 'and')}"
            raise claim.error(f"there is no quantity {shown(text)[1:-1]}", tip)
        return
    tops = [*(str(equation.name) for equation in network.equations), *(one.of for one in problem.ask.upstream)]
    for name, known, what in ((ratio[0], tops, "equation"), (ratio[1], names, "name")):
        if name not in known:
            raise claim.error(
                f"{shown(text)[1:-1]}: there is no {what} {shown(name)[1:-1]}",
                hint(name, known) or f"there are {listing(known, 'and')}",
            )


def _long_enough(update: Update | None, claim: Claim, problem: Problem) -> Update:
    """The update of the problem, often enough for a claim on what comes out of it."""
    if update is None:
        raise claim.error(
            f"{claim.quantity.text}: the problem makes no updates", "update = { rate = 0.1 } under its [ask]"
        )
    number = claim.quantity.update or 0
    if number > update.steps and (update.slopes or update.batches is not None):
        what = "passes" if update.batches is not None else "updates"
        raise claim.error(f"{claim.quantity.text}: the problem makes {update.steps} {what}")
    steps = max(update.steps, number)
    show = update.show
    if steps > MOST_CERTIFIED:  # in doubles: only what is shown is kept, every so often
        show = tuple(dict.fromkeys([*show, claim.quantity.name]))
    every = update.every if steps == update.steps else 1
    return replace(update, steps=steps, show=show, every=every if number % every == 0 or number == steps else 1)


class Answers:
    """The right values of one part, entry by entry."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._known: dict[tuple[str, int | None, int], Array] = {}

    def entry(self, claim: Claim, bits: int) -> Number:
        """The right value of what is claimed. Raises ``ProblemError`` at the claim where there is none."""
        whole = self.whole(claim, bits)
        value: Number = whole[self.position(claim, whole.shape)]
        return -value if claim.quantity.negated else value

    def whole(self, claim: Claim, bits: int) -> Array:
        """All entries of the claimed quantity, in the layout of the problem."""
        quantity = claim.quantity
        key = (quantity.name, quantity.update, bits)
        if key not in self._known:
            try:
                self._known[key] = self._find(quantity, bits)
            except ProblemError as error:
                raise claim.error(error.message, error.hint) from None
        return self._known[key]

    def _find(self, quantity: Quantity, bits: int) -> Array:
        part, text = self.part, quantity.name
        if not part.numeric:
            raise ProblemError(f"{text} has no value: the problem gives sizes without numbers")
        if quantity.update:
            value = self._after(quantity, quantity.update, bits)
        else:
            factor = self._factor(text)
            if factor is not None:
                return factor
            value = part.value_of(text, bits)
        return value.T if self.turned(text) else value

    def turned(self, text: str) -> bool:
        """Whether numerator layout turns a quantity on its side."""
        derivation = self.part.derivation
        if derivation is None or derivation.layout != "numerator":
            return False
        return any(adjoint.numerator and str(adjoint) == text for adjoint in derivation.adjoints)

    def _factor(self, text: str) -> Array | None:
        """A factor of a chain of Jacobians, as the chain has it."""
        ratio = split_ratio(text)
        if ratio is None or ratio[0] == self.part.asked.loss or "jacobian" not in self.part.problem.convention.style:
            return None
        for ways in self.part.chains.values():
            for way in ways:
                for factor in way.factors:
                    if (factor.of, factor.by) == ratio:
                        return self.part.run.expression(factor.value)
        return None

    def name(self, text: str) -> Name | None:
        """The name under which a quantity is worked out; ``None`` for a Jacobian and a second derivative."""
        part = self.part
        if text in part.network.data or any(str(equation.name) == text for equation in part.network.equations):
            return text
        ratio = part.ratio(text)
        if ratio is not None and (ratio.kind == "jacobian" or self._factor(text) is not None):
            return None
        return next((adjoint for adjoint in part.shape_adjoints if str(adjoint) == text), None)

    def _after(self, quantity: Quantity, number: int, bits: int) -> Array:
        part, text = self.part, quantity.name
        name = self.name(text)
        if part.history is not None and number < len(part.history.runs):
            if name is None:
                raise ProblemError(f"{quantity.text}: of {text} only the value at the start is worked out")
            return part.history.runs[number].value(name, bits)
        known: Mapping[str, object] = {}
        for state in part.training.history if part.training is not None else ():
            if state.step == number and not state.rows:
                known = {**state.values, **state.gradients}
                if text == part.asked.loss and state.loss is not None:
                    known = {**known, text: np.asarray(state.loss)}
        if text not in known:
            raise ProblemError(f"{quantity.text}: there is no value of {text} after {number} updates")
        return _blurred(np.asarray(known[text]))

    def position(self, claim: Claim, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Where a claimed entry stands, counted from 0. Raises ``ProblemError`` for an index that is not there."""
        index = tuple(k - 1 for k in claim.index)
        size = " × ".join(map(str, shape)) or "a number"
        long = [axis for axis, length in enumerate(shape) if length > 1]
        if len(index) < len(shape) and len(index) == len(long):
            found = [0] * len(shape)  # [2] of a row or a column, [] of a single entry
            for axis, k in zip(long, index, strict=True):
                found[axis] = k
            index = tuple(found)
        elif not shape and all(k == 0 for k in index):
            index = ()
        if len(index) != len(shape):
            what = "the claim has no index" if not index else f"the index {list(claim.index)} does not fit"
            raise claim.error(
                f"{what}: {claim.quantity.text} is {size}", f"index = {[1] * len(shape)} is its first entry"
            )
        if any(k >= length for k, length in zip(index, shape, strict=True)):
            raise claim.error(f"the index {list(claim.index)} is off {claim.quantity.text}, which is {size}")
        return index


def _blurred(value: npt.NDArray[np.float64]) -> Array:
    """Doubles as the intervals that they are good for."""
    numbers = [read_number(repr(float(x))) for x in value.ravel()]
    return arrays.filled(value.shape, [arb(x, abs(x) / fmpq(10) ** TRUSTED) if x != 0 else x for x in numbers])
