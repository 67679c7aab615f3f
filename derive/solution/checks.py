"""Witnesses. Each gradient is judged by SymPy's elementwise derivation and by an engine that shares no rule with it.

A check carries the bound that was met, never the residue, so that a report does not change from machine to machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, fmpq

from derive.errors import DeriveError, ProblemError
from derive.graph.expression import Adjoint
from derive.numbers import arrays
from derive.numbers.balls import LARGEST_EXPONENT
from derive.numbers.tensor import Tensor
from derive.oracle import Differences, Optimiser, Oracle, Training
from derive.problem.problem import Problem
from derive.records import dataclass
from derive.solution.magnitude import ROUNDING, Magnitudes
from derive.solution.rules import after, remembered
from derive.solution.values import MOST_BITS, START_BITS

if TYPE_CHECKING:
    from derive.solution.convergence import Convergence
    from derive.solution.history import History
    from derive.solution.part import Part

CLEAR = 1e-15  # how far a certified value may be unknown beside 1 and itself before it is compared
RELATIVE = 1e-9  # rules against another engine in doubles
CENTRAL = 1e-5  # rules against central differences
BOUNDS = {"complex_step": RELATIVE, "central_differences": CENTRAL}
STEPS = range(-8, -30, -3)  # powers of two: central differences are tried again with steps of these parts of an entry
SHIFT = 1e-12  # a relative shift of the data, to see how far rounding alone can move a result


class CheckFailed(DeriveError):
    """A witness disagrees. The message names the quantity and both numbers; nothing is written."""

    exit_status = 3


@dataclass(frozen=True, slots=True)
class Check:
    """``check`` is the key of its name, ``of`` the quantity, ``figure`` the bound met or the count of proofs."""

    check: str
    of: str
    passed: bool
    figure: str


def require(check: Check, message: str) -> Check:
    """The check, or ``CheckFailed``."""
    if not check.passed:
        raise CheckFailed(f"a check failed, nothing was written: {message}")
    return check


class Witness:
    """The oracle's view of one part, and the comparison with it."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.oracle = Oracle(part.problem)
        self.kinks = self.oracle.kinks()
        self._values = self.oracle.forward()
        self._largest = max([1.0, *(float(np.max(np.abs(value))) for value in self._values.values() if value.size)])

    @cached_property
    def _magnitudes(self) -> Magnitudes:
        return Magnitudes(self.part.run)

    @cached_property
    def _shifted(self) -> dict[str, Any]:
        """The data, each entry moved by a part in 10^12, up or down in turn."""
        data = {**self.part.problem.given, **self.part.problem.parameters}
        moved = {}
        for name, tensor in data.items():
            if name in self.part.network.labels:
                continue
            array = arrays.to_floats(arrays.from_tensor(tensor))
            signs = np.where(np.arange(array.size) % 2 == 0, 1.0, -1.0).reshape(array.shape)
            moved[name] = array * (1 + SHIFT * signs) + SHIFT * signs * (array == 0)
        return moved

    @property
    def _moved_problem(self) -> Problem:
        """The problem with shifted data."""

        def moved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: _tensor(self._shifted[name]) if name in self._shifted else t for name, t in tensors.items()}

        problem = self.part.problem
        return replace(problem, given=moved(problem.given), parameters=moved(problem.parameters))

    @cached_property
    def _moved_values(self) -> dict[str, Any]:
        return self._values if self.kinks else self.oracle.forward(self._shifted)

    def _moved_value(self, name: str) -> Any:
        return self._moved_values[name]

    @cached_property
    def _moved_gradients(self) -> dict[str, Any]:
        return self._gradients if self.kinks else self.oracle.backprop(self._heads, values=self._shifted)

    def _moved(self, name: str) -> Any:
        return self._moved_gradients[name]

    @cached_property
    def _gradients(self) -> dict[str, Any]:
        return self.oracle.backprop(self._heads)

    @cached_property
    def _heads(self) -> Any:
        """What backprop starts from: the loss, or the adjoints that are given."""
        upstream = self.part.problem.ask.upstream
        if not upstream:
            return self.part.derivation.of if self.part.derivation is not None else None
        return {u.at: arrays.to_floats(arrays.from_tensor(u.value)) for u in upstream if u.value is not None}

    def values(self) -> Iterator[Check]:
        """Every named value."""
        for name, theirs in self._values.items():
            if name not in self.part.network.data:
                yield self._compare("values", name, name, theirs, partial(self._moved_value, name))

    def gradients(self) -> Iterator[Check]:
        """Every gradient and every adjoint on the way to one, by the oracle's backprop, and without any rule."""
        part = self.part
        if part.derivation is None:
            return
        of = part.derivation.of
        names = [a.by for a in part.derivation.adjoints if a.by in self._gradients and a.by not in part.network.labels]
        for name in names:
            moved = partial(self._moved, name)
            yield self._compare("backprop", f"d{of}/d{name}", Adjoint(of, name), self._gradients[name], moved)
        wanted = [name for name in part.asked.gradients if name in names]
        heads = self._heads.items() if isinstance(self._heads, dict) else [(of, np.ones(()))]
        if len(heads) != 1:
            return  # differences are of one quantity
        for head, seed in heads:
            for method in ("complex step", "central differences"):
                for name, found in self.oracle.differences(head, wanted, method).items():
                    yield from self._differences(method.replace(" ", "_"), head, name, found, seed)

    def _differences(self, key: str, head: str, name: str, found: Differences, seed: Any) -> Iterator[Check]:
        """Single entries and random directions; those that cross a kink are left out, and said to be."""
        assert self.part.derivation is not None
        adjoint = Adjoint(self.part.derivation.of, name)
        ours = arrays.to_floats(self.part.run.value(adjoint))
        size = len(found.entries)
        theirs = (found.values.reshape(size, -1) @ np.ravel(seed)).reshape(size)
        kept = ~found.left_out.reshape(size, -1).any(axis=1)
        mine = ours.ravel()[list(found.entries)]
        scale = float(np.max(np.abs(ours)))
        if key == "central_differences" and kept.any():
            theirs = self._with_better_steps(head, name, found, seed, mine, theirs, scale)
        slack = self._slack(partial(self._moved, name), self._gradients[name], adjoint)
        judge = partial(self._judge, key, str(adjoint), bound=BOUNDS[key])
        check = judge(mine[kept], theirs[kept], scale=scale, slack=lambda: max(slack(), self._floor(key)))
        figure = check.figure if kept.all() else f"{check.figure}, {int(kept.sum())} of {size} entries"
        if not found.complete:
            figure = f"{check.figure}, {size} sampled entries and {len(found.directions)} directions"
            for direction in found.directions:
                if not direction.left_out:
                    judge(
                        np.array([float((ours * direction.vector).sum())]),
                        np.array([float(np.ravel(direction.value) @ np.ravel(seed))]),
                        scale=scale * math.sqrt(ours.size),
                        slack=lambda: max(slack(), self._floor(key)) * ours.size,
                    )
        if kept.any():
            yield Check(check.check, str(adjoint), check.passed, figure)

    def _with_better_steps(
        self, head: str, name: str, found: Differences, seed: Any, ours: Any, theirs: Any, scale: float
    ) -> Any:
        """The differences, taken once more with other steps where they are off: a step may be too long or too short."""
        here, better = self._values[name], theirs.copy()
        near = max(CENTRAL * scale, self._floor("central_differences"))
        for k in np.flatnonzero(np.abs(ours - theirs) > near).tolist():
            entry = np.unravel_index(found.entries[k], here.shape)
            for exponent in STEPS:
                step = 2.0**exponent * max(abs(float(here[entry])), 2.0**-10)
                ends = []
                for sign in (1, -1):
                    moved = here.copy()
                    moved[entry] += sign * step
                    try:
                        ends.append(self.oracle.forward({name: moved})[head])
                    except ProblemError:  # outside the domain of a function
                        break
                if len(ends) == 2:
                    slope = float(np.ravel(ends[0] - ends[1]) @ np.ravel(seed)) / (2 * step)
                    if abs(ours[k] - slope) < abs(ours[k] - better[k]):
                        better[k] = slope
        return better

    def _floor(self, key: str) -> float:
        """What a method loses however small the derivative is.

        Central differences lose what rounding takes from the loss; a complex step of 1e-30 leaves terms of its square
        where everything else cancels.
        """
        return {"central_differences": 1e-9, "complex_step": 1e-40}[key] * self._largest

    def ratios(self) -> Iterator[Check]:
        """Ratios by the oracle's Jacobian, and by complex steps."""
        for ratio in self.part.asked.ratios:
            ours = self.part.value_of(ratio.text)
            full = self.oracle.jacobian(ratio.of, ratio.by)
            theirs = (np.diag(full) if ratio.kind == "elementwise" else full).reshape(ours.shape)
            yield self._compare("jacobian", ratio.text, ours, theirs, None)
            found = self.oracle.complex_step(ratio.of, ratio.by)
            columns = found.values.reshape(len(found.entries), -1).T
            if found.complete and not found.left_out.any():
                theirs = (np.diag(columns) if ratio.kind == "elementwise" else columns).reshape(ours.shape)
                yield self._compare("complex_step", ratio.text, ours, theirs, None)

    def updates(self) -> Iterator[Check]:
        """The parameters and the memory after the last certified update, and each loss on the way.

        Of a run that is too long to be certified the first update is.
        """
        history, loss = self.part.opening, self.part.asked.loss
        if history is None:
            return
        if self.part.problem.ask.upstream:
            yield from self._one_update(history)
            return
        update = replace(history.update, show=(), every=1)
        try:
            run = self.oracle.follow(loss, update)
        except ProblemError as error:
            raise error.at(*self._place) from None

        @cache
        def moved() -> Training:
            """The same from data that are shifted: a long run can carry a small difference far."""
            if self.kinks:
                return run
            return Oracle(self._moved_problem).follow(loss, update)

        last = history.moves[-1].rule
        for name, theirs in run.parameters.items():
            ours = _known(partial(history.runs[-1].value, name))
            theirs = self._without_noise(history, name, arrays.to_floats(ours), theirs)
            yield self._compare("updates", name, ours, theirs, partial(lambda name: moved().parameters[name], name))
        for state, values in run.state.items():
            for name, theirs in values.items():
                ours = _known(partial(last.value, after(remembered(state, name))))
                shifted = partial(lambda state, name: moved().state[state][name], state, name)
                yield self._compare("memory", name, ours, theirs, shifted)
        if loss is not None:
            found = [_known(partial(entry.value, loss)).item() for entry in history.runs]
            losses = arrays.filled((len(history.runs),), found)
            theirs = _losses(run)
            yield self._compare("history", loss, losses, theirs, lambda: _losses(moved()))

    def _without_noise(self, history: History, name: str, ours: Any, theirs: Any) -> Any:
        """``theirs``, with ours where the slope is nothing but rounding in doubles and the rule divides by its size.

        A slope of 1e-16 where the certified one is zero moves a parameter by 1e-8 of the rate at eps = 1e-8. Only
        entries whose certified slopes all lie below what doubles tell from zero are spared, and only so far.
        """
        update, loss = history.update, self.part.asked.loss
        eps = update.constants.get("eps")
        if not eps or loss is None:
            return theirs
        unit = 4 * float(np.finfo(float).eps) * max(1.0, float(self._largest))
        rate = abs(update.rates.get(name, fmpq(0))) / eps
        far = unit * len(history.moves) * (int(rate.p) / int(rate.q))
        still = np.ones(np.shape(theirs), dtype=bool)
        for move in history.moves:
            if move.slopes is None:
                return theirs
            still &= np.abs(arrays.to_floats(_known(partial(move.slopes.value, Adjoint(loss, name))))) <= unit
        return np.where(still & (np.abs(ours - theirs) <= far), ours, theirs)

    @property
    def _place(self) -> tuple[str | None, int | None]:
        return self.part.problem.file, self.part.problem.line("ask", "update")

    def first_iteration(self, run: Convergence) -> Iterator[Check]:
        """State 1 of a training run against the certified update: the parameters, and the loss before and after."""
        loss = self.part.asked.loss
        if loss is None or run.first is None:
            return
        history = self.part.opening
        if history is None:
            return
        for name, theirs in run.first.items():
            yield self._compare("first_iteration", name, history.runs[1].value(name), theirs, None)
        ours = arrays.filled((2,), [history.runs[k].value(loss).item() for k in (0, 1)])
        yield self._compare("first_iteration", loss, ours, np.array(run.losses[:2]), None)

    def _one_update(self, history: History) -> Iterator[Check]:
        """Below a known upstream: one update from the oracle's own back-propagation."""
        before = {name: self._values[name] for name in history.update.rates}
        run = Optimiser(history.update, before).step(before, self._gradients, before)
        for name in history.update.rates:
            yield self._compare("updates", name, history.runs[-1].value(name), run[name], None)

    def against(self, key: str, of: str, ours: Any, theirs: Any) -> Check:
        """Certified numbers against those of the other engine."""
        return self._compare(key, of, ours, theirs, None)

    def _compare(self, key: str, of: str, ours: Any, theirs: Any, moved: Callable[[], Any] | None) -> Check:
        """``ours`` are certified numbers, or the name under which the run has them."""
        name = ours if isinstance(ours, str | Adjoint) else None
        certified = self.part.run.value(name) if name is not None else ours
        doubles = arrays.to_floats(certified)
        if name is not None and not np.all(doubles):
            self._within_range(name, certified, doubles)
        slack = self._slack(moved, theirs, name if name is not None else certified)
        scale = float(np.max(np.abs(doubles))) if doubles.size else 0.0
        return self._judge(
            key, of, doubles.ravel(), np.asarray(theirs).ravel(), bound=RELATIVE, scale=scale, slack=slack
        )

    def _within_range(self, name: str | Adjoint, certified: Any, doubles: Any) -> None:
        """Raises ``ProblemError`` for a value that is not zero and has no decimal of sensible length: exp(-10^300)."""
        for index in np.argwhere(doubles == 0):
            value = certified[tuple(index)]
            if isinstance(value, arb) and int(value.abs_upper().man_exp()[1]) < -LARGEST_EXPONENT:
                file, line = self.part.run.place(name)
                entry = f"[{','.join(str(k + 1) for k in index)}]" if len(index) else ""
                raise ProblemError(f"{name}{entry} is too near to zero to be written", file=file, line=line)

    def _slack(self, moved: Callable[[], Any] | None, theirs: Any, quantity: Any) -> Callable[[], float]:
        """How far rounding in doubles may carry a result, worked out only where it is needed."""

        def far() -> float:
            by_data = 10 * float(np.max(np.abs(moved() - theirs))) if moved is not None else 0.0
            if isinstance(quantity, str | Adjoint):
                return max(by_data, ROUNDING * self._magnitudes.of(quantity), _radius(self.part.run.value(quantity)))
            return max(by_data, ROUNDING * self._largest, _radius(quantity))

        return far

    def _judge(
        self, key: str, of: str, ours: Any, theirs: Any, *, bound: float, scale: float, slack: Callable[[], float]
    ) -> Check:
        """Within ``bound`` of the largest entry.

        Where rounding alone moves a result further than that (a residual that nearly vanishes), within ten times what a
        shift of the data by a part in 10^12 does to it, or within what doubles leave of a sum whose terms cancel.
        """
        gap = np.abs(ours - theirs)
        worst = float(np.max(gap)) if gap.size else 0.0
        if worst <= bound * scale + np.finfo(float).tiny:
            return Check(key, of, True, f"{bound:.0e}")
        allowed = slack()
        passed = bool(worst <= allowed)
        check = Check(key, of, passed, f"{10.0 ** math.ceil(math.log10(allowed)):.0e} absolute" if passed else "")
        at = int(np.argmax(gap))
        return require(
            check,
            f"{of}, entry {at + 1}: the rule gives {float(ours[at])!r}, "
            f"the {key.replace('_', ' ')} gives {float(theirs[at])!r}",
        )


def _known(find: Callable[[int], Any]) -> Any:
    """A value at as many bits as it takes: an update that divides by a small root may lose many at once."""
    bits = START_BITS
    while True:
        value = find(bits)
        if bits >= MOST_BITS or all(
            isinstance(x, fmpq) or x.rad() < CLEAR * (1 + abs(x)) for x in arrays.entries(value)
        ):
            return value
        bits *= 2


def _losses(run: Training) -> Any:
    """The losses of the states, without those of single batches."""
    return np.array([entry.loss for entry in run.history if not entry.rows])


def _tensor(array: Any) -> Tensor:
    """Doubles as exact numbers."""
    return Tensor.of(array.shape, [fmpq(*float(x).as_integer_ratio()) for x in array.ravel()])


def _radius(array: Any) -> float:
    """The largest radius of certified numbers: what is known of them, and no more."""
    return max((float(x.rad()) for x in arrays.entries(array) if isinstance(x, arb)), default=0.0)


def by_name(checks: tuple[Check, ...]) -> Mapping[str, tuple[Check, ...]]:
    """The checks of each kind, in order."""
    kinds: dict[str, list[Check]] = {}
    for check in checks:
        kinds.setdefault(check.check, []).append(check)
    return {kind: tuple(found) for kind, found in kinds.items()}
