"""What was done wrongly where a quantity went wrong: its own formula with a slip in it, on the student's own numbers.

Whatever was answered before goes in as it was written, so that each slip is looked for by itself, however many there
are. Between those answers and the wrong quantity lie formulas that nobody asked for; a slip in one of them counts too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.exam.marking.bench import Bench
from derive.exam.marking.own import Key, Own
from derive.exam.tolerance import Tolerance
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.ops import evaluate
from derive.numbers import arrays
from derive.review.evidence import Observed, base_of
from derive.review.explanation import EVERYDAY, Explanation
from derive.review.misprints import misprints
from derive.review.mutants import mutants, of_updates

if TYPE_CHECKING:
    from derive.exam.marking.judge import Judged

MOST = 6  # that cannot be told apart
SLACK = 6  # units: the numbers that went in are rounded ones


class Naming:
    """The slips of one student in one question."""

    def __init__(self, bench: Bench, by_hand: Own, tolerance: Tolerance) -> None:
        self.bench, self.by_hand, self.tolerance = bench, by_hand, tolerance
        self.simulation = bench.simulation
        self._floats: dict[Key, Any] = {}

    def of(self, quantity: str, found: Sequence[Judged]) -> tuple[Explanation, ...]:
        """The explanations that assume least, of all those that explain every wrong entry; none where nothing does."""
        key = self.bench.keys.get(quantity)
        if key is None:
            return ()
        wrong = [one for one in found if one.verdict == "wrong"]
        ranked: list[tuple[int, Explanation]] = []
        for explanation, value in self._candidates(quantity, key):
            if value is None or not all(self._fits(value, one) for one in wrong):
                continue
            others = [one for one in found if one.given is not None and one not in wrong]
            if all(self._fits(value, one) for one in others):
                ranked.append((explanation.cost, explanation))
            elif len(wrong) == 1 and explanation.quantity == quantity and explanation.kind != "kept":
                alone = replace(explanation, entry=self.bench.place((quantity, wrong[0].index)))
                ranked.append((explanation.cost + 1, alone))
        if len(wrong) == 1:
            ranked += [(one.cost, one) for one in self._misprints(quantity, wrong[0])]
        least = min((cost for cost, _ in ranked), default=0)
        return _distinct(iter([one for cost, one in ranked if cost == least]))[:MOST]

    def _fits(self, value: Any, one: Judged) -> bool:
        assert one.given is not None
        index = self.bench.place((one.quantity, one.index))
        found = float(value[index]) if np.shape(value) else float(value)
        if not np.isfinite(found):
            return False
        written = int(one.given.value.p) / int(one.given.value.q)
        unit = self.bench.unit(one.given.value)
        allowed = self.tolerance.of(one.given.value, unit)
        slack = max(SLACK * int(unit.p) / int(unit.q), int(allowed.p) / int(allowed.q))
        return abs(written - found) <= slack

    # ── formulas with a slip ──

    def _candidates(self, quantity: str, key: Key) -> Iterator[tuple[Explanation, Any]]:
        level, name = key
        if name in self.simulation.equations:
            yield from self._in_formulas(key)
        elif level:
            yield from self._in_the_step(key)

    def _in_formulas(self, key: Key) -> Iterator[tuple[Explanation, Any]]:
        level, name = key
        between = self._between(key)
        for explanation in mutants(self.simulation, frozenset(between)):
            changed = dict(explanation.change.formulas)
            if explanation.change.early:
                if level or not isinstance(name, Adjoint):
                    continue
                yield explanation, self._worked(key, between, {}, explanation.change.early)
            elif changed and any(one in changed for one in between):
                yield explanation, self._worked(key, between, changed)

    def _between(self, key: Key) -> tuple[Name, ...]:
        """The quantity and what lies between it and the answers before it, in order."""
        level, name = key
        found: set[Name] = set()
        stack: list[Name] = [name]
        while stack:
            here = stack.pop()
            if here in found or here not in self.simulation.equations:
                continue
            if here != name and (level, here) in self.by_hand.written:
                continue
            found.add(here)
            stack += self.simulation.equations[here].names()
        return tuple(one for one in self.simulation.equations if one in found)

    def _worked(
        self, key: Key, between: Sequence[Name], changed: dict[Name, Expression], early: Sequence[str] = ()
    ) -> Any:
        """The quantity by these formulas; ``early`` parameters have the values of after the update."""
        level = key[0]
        known: dict[Name, Any] = {}

        def value(used: Name) -> Any:
            if used in known:
                return known[used]
            return self._float((level + 1, used) if used in early else (level, used))

        with np.errstate(all="ignore"):
            for name in between:
                formula = changed.get(name, self.simulation.equations[name])
                try:
                    known[name] = evaluate(formula, value, self.simulation.kind)
                except (KeyError, ValueError, TypeError, np.linalg.LinAlgError):
                    return None
        return known[key[1]]

    def _float(self, key: Key) -> Any:
        """What was written, or follows from it, in doubles. Raises ``KeyError`` where there is nothing."""
        if key not in self._floats:
            found = self.by_hand.carried(*key)
            self._floats[key] = None if found is None else arrays.to_floats(found)
        if self._floats[key] is None:
            raise KeyError(key)
        return self._floats[key]

    def _in_the_step(self, key: Key) -> Iterator[tuple[Explanation, Any]]:
        """A parameter that was not moved, or moved the wrong way, or by the whole gradient."""
        level, name = key
        rate = self.simulation.rates.get(str(name))
        if rate is None:
            return
        step = int(rate.p) / int(rate.q)
        try:
            old = self._float((level - 1, name))
            slope = self._float((level - 1, Adjoint(self.simulation.top, str(name))))
        except KeyError:
            return
        taken = {"kept": 0.0, "uphill": -step, "no_rate": 1.0}
        for explanation in of_updates(self.simulation):
            if explanation.kind in taken and explanation.names == (str(name),):
                yield replace(explanation, cost=EVERYDAY), old - taken[explanation.kind] * slope

    # ── digits ──

    def _misprints(self, quantity: str, one: Judged) -> Iterator[Explanation]:
        if one.own is None or one.given is None or base_of(quantity)[1]:
            return
        unit = self.bench.unit(one.given.value)  # who writes 0.5 where 0.9241 is right has not one digit wrong
        last = unit if one.given.last == 0 else min(one.given.last, unit)
        value, half = one.given.value, last / 2
        seen = Observed(quantity, self.bench.place((quantity, one.index)), value - half, value + half)
        yield from misprints(self.simulation, seen, int(one.own.p) / int(one.own.q), ())


def _distinct(explanations: Iterator[Explanation]) -> tuple[Explanation, ...]:
    found: dict[object, Explanation] = {}
    for one in explanations:
        found.setdefault((one.kind, one.quantity, one.wrong, one.entry, one.names), one)
    return tuple(found.values())
