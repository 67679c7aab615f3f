"""Which slip explains wrong numbers: single ones first, ranked by how little they assume, by all printed values.

Every slip is worked through in doubles (``simulation``) and compared with everything that was printed: what it
explains has to lie in the interval of its digits, and nothing that is right may become wrong by it. What fits all the
numbers equally well, and assumes as little, is one class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from derive.graph.expression import Name
from derive.review.evidence import Observed, base_of
from derive.review.explanation import EVERYDAY, MISPRINT, Diagnosis, Explanation, Finding
from derive.review.misprints import dropped_paths, misprints, repeated
from derive.review.mutants import mutants
from derive.review.simulation import RIGHT, Change, Simulation
from derive.solution.part import Part

MOST_FINDINGS = 12  # slips that are looked for one after another
MOST_TRIES = 4  # wrong values without an explanation, after which the rest is taken for their consequence
MOST_PAIRS = 4000  # pairs of slips that are tried where no single one explains anything
MOST_CLASSES = 3  # that are told


def diagnose(
    part: Part, observed: Sequence[Observed], beside: Sequence[Part] = (), simulation: Simulation | None = None
) -> Diagnosis:
    """What explains the wrong ones among the printed values of a solved part.

    ``observed`` has all printed values, right and wrong: each is evidence. ``beside`` are the other parts of the
    problem, whose numbers may have been repeated. ``simulation`` is the part's, where many solutions of one problem
    are diagnosed: its slips are made but once. Without numbers there is nothing to explain.
    """
    if not part.numeric:
        return Diagnosis()
    return _Search(part, observed, beside, simulation or Simulation(part)).diagnosis()


class _Search:
    def __init__(
        self, part: Part, observed: Sequence[Observed], beside: Sequence[Part], simulation: Simulation
    ) -> None:
        self.simulation = simulation
        self.beside = tuple(other for other in beside if other is not part)
        self.quantities = tuple(dict.fromkeys(one.quantity for one in observed))
        right = self.simulation.values(RIGHT, self.quantities)
        self.observed = tuple(one for one in observed if _entry(right, one) is not None)
        self.order = {str(name): k for k, name in enumerate(self.simulation.names.values())}
        self.low = np.array([_double(one.low) for one in self.observed])
        self.high = np.array([_double(one.high) for one in self.observed])
        self.sizes = {quantity: int(np.size(value)) for quantity, value in right.items()}
        starts = dict(zip(self.sizes, np.cumsum([0, *self.sizes.values()]).tolist(), strict=False))
        self.at = np.array([starts[one.quantity] + _flat(right[one.quantity], one) for one in self.observed], dtype=int)
        self.first_round = tuple(quantity for quantity in self.sizes if not base_of(quantity)[1])
        self.later = np.array([bool(base_of(one.quantity)[1]) for one in self.observed], dtype=bool)
        self.base = self._base()

    def _base(self) -> Change:
        """As the solution was worked: in full, or with what is displayed carried on, whichever fits more numbers."""
        decimals = sorted({one.decimals for one in self.observed})
        ways = [RIGHT, *(Change(carried=places) for places in decimals if places)]
        return max(ways, key=lambda change: int(self._explained(change).sum()))

    def _explained(self, change: Change, first_round: bool = False) -> Any:
        """For each printed value whether this way of working gives it; of values after updates only on demand."""
        wanted = self.first_round if first_round else tuple(self.sizes)
        values = self.simulation.values(change, wanted)
        parts = [_flattened(values.get(quantity), size) for quantity, size in self.sizes.items()]
        found = np.concatenate(parts)[self.at] if parts else np.empty(0)
        slack = 1e-9 * (self.high - self.low) + 1e-13 * np.abs(found)
        with np.errstate(invalid="ignore"):
            fits = (self.low - slack <= found) & (found <= self.high + slack)
        return fits | self.later if first_round else fits

    def diagnosis(self) -> Diagnosis:
        findings: list[Finding] = []
        unexplained: list[Observed] = []
        base, settled = self.base, self._explained(RIGHT) | self._explained(self.base)
        while not settled.all() and len(findings) < MOST_FINDINGS and len(unexplained) < MOST_TRIES:
            first = min(np.flatnonzero(~settled), key=lambda k: self._place(self.observed[k]))
            found = self._best(base, settled, int(first))
            if found is None:
                unexplained.append(self.observed[first])
                settled[first] = True
                continue
            classes, explained = found
            told = tuple(self.observed[k] for k in np.flatnonzero(explained & ~settled))
            findings.append(Finding(told, classes))
            chosen = classes[0][0].change
            if not chosen.only_here:
                base = base.with_more(chosen)
            settled = settled | explained
        unexplained += [self.observed[k] for k in np.flatnonzero(~settled)]
        return Diagnosis(tuple(findings), tuple(unexplained))

    def _place(self, one: Observed) -> tuple[int, int]:
        """When a value was worked out: forward, backward, update after update."""
        name, made = base_of(one.quantity)
        return made, self.order.get(name, len(self.order))

    def _best(self, base: Change, settled: Any, first: int) -> tuple[tuple[tuple[Explanation, ...], ...], Any] | None:
        """The explanations of the first wrong value, in classes, and what the best of them explains besides."""
        one = self.observed[first]
        ranked: list[tuple[int, int, Explanation, Any]] = []
        kept = self._explained(base) & settled
        early = not base_of(one.quantity)[1]
        for candidate in self._candidates(base, one, first):
            if early and candidate.goes_on:  # the first round decides about most of them
                fits = self._explained(base.with_more(candidate.change), first_round=True)
                if not fits[first] or (kept & ~fits).any():
                    continue
            explained = self._explained_by(candidate, base, first)
            if explained[first] and not (kept & ~explained).any():
                ranked.append((int((explained & ~settled).sum()), candidate.cost, candidate, explained))
        if not ranked:
            return self._pair(base, settled, first, kept)
        ranked.sort(key=lambda row: (-row[0], row[1]))
        classes: list[tuple[Explanation, ...]] = []
        for count, cost in dict.fromkeys((row[0], row[1]) for row in ranked):
            classes.append(_distinct(row[2] for row in ranked if row[:2] == (count, cost)))
        return tuple(classes[:MOST_CLASSES]), ranked[0][3]

    def _explained_by(self, candidate: Explanation, base: Change, first: int) -> Any:
        change = candidate.change
        if not (change.formulas or change.entries or change.early or change.late or change.kept or change.factors):
            explained = self._explained(base).copy()  # a misprint: this number alone
            explained[first] = True
            return explained
        if change.only_here:
            explained = self._explained(base).copy()
            here = self._explained(change)
            for k, one in enumerate(self.observed):
                if one.quantity == candidate.quantity:
                    explained[k] = here[k]
            return explained
        return self._explained(base.with_more(change))

    def _candidates(self, base: Change, one: Observed, first: int) -> Iterator[Explanation]:
        name, made = base_of(one.quantity)
        names = self._above(name) if not made else frozenset(self.simulation.equations)
        every = list(mutants(self.simulation, names))
        yield from every
        for candidate in every:  # the same slips, from which nothing follows, and in one entry alone
            if candidate.quantity == name and not made and len(candidate.change.formulas) == 1:
                yield replace(candidate, change=replace(candidate.change, only_here=True), cost=candidate.cost + 1)
                yield from self._in_one_entry(candidate, one)
            elif made and candidate.kind in ("early", "late"):  # the text went on rightly; a program did it otherwise
                alone = replace(candidate.change, only_here=True)
                yield replace(candidate, quantity=one.quantity, change=alone, cost=candidate.cost + 1)
        yield from dropped_paths(self.simulation, one)
        value = _entry(self.simulation.values(base, self.quantities), one)
        if value is not None and np.isfinite(value):
            row = [other for other in self.observed if other.quantity == one.quantity]
            yield from misprints(self.simulation, one, float(value), repeated(row, self.beside))

    def _in_one_entry(self, candidate: Explanation, one: Observed) -> Iterator[Explanation]:
        if not one.index:
            return
        value = _entry(self.simulation.values(candidate.change, (candidate.quantity,)), one)
        if value is not None and np.isfinite(value):
            name = self.simulation.names[candidate.quantity]
            entries = ((name, one.index, float(value)),)
            for only_here in (False, True):
                change = Change(entries=entries, only_here=only_here)
                yield replace(candidate, change=change, entry=one.index, cost=candidate.cost + 1 + only_here)

    def _above(self, name: str) -> frozenset[Name]:
        """A name and everything that it is worked out from."""
        equations, start = self.simulation.equations, self.simulation.names.get(name)
        seen: set[Name] = set()
        stack = [start] if start is not None else []
        while stack:
            here = stack.pop()
            if here not in seen and here in equations:
                seen.add(here)
                stack += equations[here].names()
        return frozenset(seen)

    def _pair(
        self, base: Change, settled: Any, first: int, kept: Any
    ) -> tuple[tuple[tuple[Explanation, ...], ...], Any] | None:
        """Two everyday slips together, where no single one explains the value."""
        name, made = base_of(self.observed[first].quantity)
        names = self._above(name) if not made else frozenset(self.simulation.equations)
        single = [m for m in mutants(self.simulation, names) if m.cost == EVERYDAY]
        best: tuple[int, Explanation, Any] | None = None
        for tried, (one, other) in enumerate(combinations(single, 2)):
            if tried >= MOST_PAIRS:
                break
            if one.quantity == other.quantity:
                continue
            both = base.with_more(one.change.with_more(other.change))
            if not made and not self._explained(both, first_round=True)[first]:
                continue
            explained = self._explained(both)
            if explained[first] and not (kept & ~explained).any():
                count = int((explained & ~settled).sum())
                if best is None or count > best[0]:
                    change = one.change.with_more(other.change)
                    best = count, replace(one, change=change, cost=MISPRINT, besides=other), explained
        return None if best is None else (((best[1],),), best[2])


def _distinct(explanations: Iterator[Explanation]) -> tuple[Explanation, ...]:
    """Each sentence once: the same slip at the same place, whether others follow from it or not."""
    found: dict[tuple[object, ...], Explanation] = {}
    for one in explanations:
        key = (one.kind, one.quantity, one.wrong, one.entry, one.names, one.paths)
        found.setdefault(key, one)
    return tuple(found.values())


def _entry(values: Mapping[str, Any], one: Observed, default: Any = None) -> Any:
    value = values.get(one.quantity)
    if value is None or np.ndim(value) != len(one.index):
        return default
    return value[one.index] if all(k < n for k, n in zip(one.index, np.shape(value), strict=True)) else default


def _flat(value: Any, one: Observed) -> int:
    """The place of an entry among all of its quantity's, row by row."""
    return int(np.ravel_multi_index(one.index, np.shape(value))) if one.index else 0


def _flattened(value: Any, size: int) -> Any:
    return np.full(size, np.nan) if value is None else np.ravel(value)


def _double(x: Any) -> float:
    return int(x.p) / int(x.q)
