"""A whole solution worked again with some formulas changed: forward, backward, updates, all in doubles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flint import fmpq

from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.ops import evaluate
from derive.records import dataclass
from derive.review.doubles import Doubles
from derive.review.evidence import base_of
from derive.solution.part import Part

Values = dict[Name, Any]
MOST_UPDATES = 50  # that are gone through again for each slip


@dataclass(frozen=True, slots=True)
class Change:
    """What is done otherwise.

    ``formulas`` replace right-hand sides and ``entries`` single entries by numbers; what rests on them follows suit,
    unless ``only_here`` says that the value alone is wrong. ``early`` are parameters whose new values are used on the
    way back, ``late`` those whose values of one update before are used, ``kept`` those that are not updated;
    ``factors`` multiply a parameter's step (-1 goes uphill); ``carried`` rounds every named value to so many decimals
    before it is used.
    """

    formulas: tuple[tuple[Name, Expression], ...] = ()
    entries: tuple[tuple[Name, tuple[int, ...], float], ...] = ()
    only_here: bool = False
    early: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    factors: tuple[tuple[str, float], ...] = ()
    carried: int | None = None

    def with_more(self, other: Change) -> Change:
        """Both at once. ``only_here`` holds of both or of none, so two that differ in it go on."""
        return Change(
            formulas=self.formulas + other.formulas,
            entries=self.entries + other.entries,
            only_here=self.only_here and other.only_here,
            early=self.early + other.early,
            late=self.late + other.late,
            kept=self.kept + other.kept,
            factors=self.factors + other.factors,
            carried=other.carried if self.carried is None else self.carried,
        )


RIGHT = Change()


class Simulation:
    """One part's equations, ready to be run again and again."""

    def __init__(self, part: Part) -> None:
        self.part = part
        network = part.network
        self.kind = Doubles(part.functions)
        self.forward: dict[Name, Expression] = {e.name: e.value for e in network.equations}
        self.backward: dict[Name, Expression] = dict(part.shape_adjoints.items())
        self.equations: dict[Name, Expression] = {**self.forward, **self.backward}
        self.data: Values = {
            name: np.array([int(x.p) / int(x.q) for x in datum.tensor.entries], dtype=float).reshape(
                tuple(map(int, datum.shape))
            )
            for name, datum in network.data.items()
            if datum.tensor is not None
        }
        for upstream in part.problem.ask.upstream:
            if upstream.value is not None:
                entries = [int(x.p) / int(x.q) for x in upstream.value.entries]
                self.data[Adjoint(upstream.of, upstream.at)] = np.array(entries).reshape(upstream.value.shape)
        update = part.problem.ask.update
        self.rates: Mapping[str, fmpq] = update.moving if update is not None and update.plain else {}
        self.top = part.asked.top or ""
        self.names: dict[str, Name] = {str(name): name for name in (*self.data, *self.equations)}
        self.slips: dict[Name, tuple[Any, ...]] = {}  # of each formula, once they have been made
        self._right: Values | None = None

    def values(self, change: Change, wanted: Iterable[str]) -> dict[str, Any]:
        """The quantities as this way of working has them; what it cannot tell is left out."""
        wanted = tuple(wanted)
        asked = [(quantity, *base_of(quantity)) for quantity in wanted]
        last = max((at for _, _, at in asked), default=0)
        found: dict[str, Any] = {}
        with np.errstate(all="ignore"):
            here, before = dict(self.data), dict(self.data)
            for made in range(min(last, MOST_UPDATES) + 1):
                values, used = self._run(here, before, change)
                for quantity, name, at in asked:
                    if at == made and name in self.names:
                        found[quantity] = values.get(self.names[name])
                if made == last or not self.rates:
                    break
                here, before = self._updated(here, used, change), here
        return {quantity: value for quantity, value in found.items() if value is not None}

    def _run(self, here: Values, before: Values, change: Change) -> tuple[Values, Values]:
        """All values as they come out, and as they are used."""
        plain = not (change.late or change.early or change.carried is not None)
        if plain and here.keys() == self.data.keys() and all(here[k] is self.data[k] for k in here):
            found = self._changed_only(change)
            return found, found
        known: Values = {**here, **{name: before[name] for name in change.late}}
        values, used = self._worked(known, self.equations, change)
        return {**values, **{name: here[name] for name in change.late}}, used

    def _changed_only(self, change: Change) -> Values:
        """The right values, and anew only what rests on a changed formula."""
        if self._right is None:
            self._right, _ = self._worked(dict(self.data), self.equations, RIGHT)
        values = dict(self._right)
        formulas, touched = dict(change.formulas), {name for name, _, _ in change.entries}
        moved: set[Name] = set()
        for name, right in self.equations.items():
            formula = formulas.get(name, right)
            follows = not change.only_here and any(used in moved for used in formula.names())
            if name in formulas or follows or name in touched:
                value = self._value(formula, self._right if change.only_here else values)
                values[name] = _with_entries(name, value, change)
                moved.add(name)
        return values

    def _worked(self, known: Values, equations: Mapping[Name, Expression], change: Change) -> tuple[Values, Values]:
        formulas = dict(change.formulas)
        values, exact = known, dict(known)
        for name, right in equations.items():
            env = values
            if change.early and isinstance(name, Adjoint):
                env = {**values, **self._new_ones(values, change)}
            value = _with_entries(name, self._value(formulas.get(name, right), env), change)
            exact[name] = value
            if change.only_here and (name in formulas or any(name == touched for touched, _, _ in change.entries)):
                values[name] = self._value(right, env)
            else:
                values[name] = _rounded(value, change.carried)
        return exact, values

    def _new_ones(self, values: Values, change: Change) -> Values:
        """The updated values of the ``early`` parameters whose derivative is there already."""
        found: Values = {}
        for name in change.early:
            gradient = values.get(Adjoint(self.top, name))
            if gradient is not None:
                found[name] = values[name] - float(self.kind.number(self.rates[name])) * gradient
        return found

    def _updated(self, here: Values, values: Values, change: Change) -> Values:
        after = dict(here)
        factors = dict(change.factors)
        for name, rate in self.rates.items():
            gradient = values.get(Adjoint(self.top, name))
            if name not in change.kept and gradient is not None:
                step = float(self.kind.number(rate)) * factors.get(name, 1.0) * gradient
                after[name] = _rounded(here[name] - step, change.carried)
        return after

    def _value(self, formula: Expression, env: Values) -> Any:
        try:
            return evaluate(formula, env.__getitem__, self.kind)
        except (KeyError, ValueError, TypeError, np.linalg.LinAlgError):
            return np.full(tuple(map(int, formula.shape)), np.nan)


def _with_entries(name: Name, value: Any, change: Change) -> Any:
    """The value with the entries that are put in its place."""
    own = [(index, number) for touched, index, number in change.entries if touched == name]
    if own:
        value = np.array(value, dtype=float)
        for index, number in own:
            value[index] = number
    return value


def _rounded(value: Any, decimals: int | None) -> Any:
    """Half away from zero, as by hand."""
    if decimals is None:
        return value
    shift = 10.0**decimals
    return np.sign(value) * np.floor(np.abs(value) * shift + 0.5) / shift
