"""Witnesses. Each gradient is judged by SymPy's elementwise derivation and by an engine that shares no rule with it.

A check carries the bound that was met, never the residue, so that a report does not change from machine to machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.errors import DeriveError
from derive.graph.expression import Adjoint
from derive.numbers import arrays
from derive.oracle import Differences, Oracle

if TYPE_CHECKING:
    from derive.solution.solve import Part

RELATIVE = 1e-9  # rules against another engine in doubles
CENTRAL = 1e-5  # rules against central differences
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
        self._moved = self.oracle.forward(self._shifted()) if not self.kinks else self._values

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

    def values(self) -> Iterator[Check]:
        """Every named value."""
        for name, theirs in self._values.items():
            if name in self.part.network.data:
                continue
            ours = arrays.to_floats(self.part.run.value(name))
            yield self._compare("values", name, ours, theirs, self._moved[name])

    def gradients(self) -> Iterator[Check]:
        """Every gradient and every adjoint on the way to one, by the oracle's backprop, and without any rule."""
        part = self.part
        if part.derivation is None:
            return
        seeds = self._seeds()
        theirs = self.oracle.backprop(seeds if seeds is not None else part.derivation.of)
        moved = theirs
        if not self.kinks:
            moved = self.oracle.backprop(seeds if seeds is not None else part.derivation.of, values=self._shifted())
        names = [a.by for a in part.derivation.adjoints if a.by in theirs and a.by not in part.network.labels]
        ours = {name: arrays.to_floats(part.run.value(Adjoint(part.derivation.of, name))) for name in names}
        for name in names:
            yield self._compare("backprop", f"d{part.derivation.of}/d{name}", ours[name], theirs[name], moved[name])
        wanted = [name for name in part.asked.gradients if name in names]
        for method, key, bound in (
            ("complex step", "complex_step", RELATIVE),
            ("central differences", "central_differences", CENTRAL),
        ):
            for of, seed in seeds.items() if seeds is not None and len(seeds) == 1 else [(part.derivation.of, None)]:
                if seeds is not None and seed is None:
                    break
                for name, found in self.oracle.differences(of, wanted, method).items():
                    yield from self._differences(key, bound, name, ours[name], moved[name] - theirs[name], found, seed)

    def _seeds(self) -> dict[str, Any] | None:
        upstream = self.part.problem.ask.upstream
        if not upstream:
            return None
        return {u.at: arrays.to_floats(arrays.from_tensor(u.value)) for u in upstream if u.value is not None}

    def _differences(
        self, key: str, bound: float, name: str, ours: Any, noise: Any, found: Differences, seed: Any
    ) -> Iterator[Check]:
        """Single entries and random directions; those that cross a kink are left out, and said to be."""
        of = f"d{self.part.derivation.of}/d{name}"  # type: ignore[union-attr]
        weights = np.ones(()) if seed is None else seed
        size = len(found.entries)
        theirs = (found.values.reshape(size, -1) @ np.ravel(weights)).reshape(size)
        kept = ~found.left_out.reshape(size, -1).any(axis=1)
        mine = ours.ravel()[list(found.entries)]
        slack = float(np.max(np.abs(noise))) if noise.size else 0.0
        scale = max(float(np.max(np.abs(ours))), 0.0) if ours.size else 0.0
        check = self._judge(key, of, mine[kept], theirs[kept], bound, scale, slack, self._floor(key))
        figure = check.figure if kept.all() else f"{check.figure}, {int(kept.sum())} of {size} entries"
        if not found.complete:
            figure = f"{check.figure}, {size} sampled entries and {len(found.directions)} directions"
            for direction in found.directions:
                if not direction.left_out:
                    along = float((ours * direction.vector).sum())
                    theirs_along = float(np.ravel(direction.value) @ np.ravel(weights))
                    size_of = max(abs(along), scale * math.sqrt(ours.size))
                    ends = np.array([along]), np.array([theirs_along])
                    self._judge(key, of, *ends, bound, size_of, slack * ours.size, self._floor(key))
        if kept.any():
            yield Check(check.check, of, check.passed, figure)

    def _floor(self, key: str) -> float:
        """Central differences lose what rounding takes from the loss, however small the derivative."""
        if key != "central_differences":
            return 0.0
        return 1e-9 * max(float(np.max(np.abs(value))) for value in self._values.values() if value.size)

    def ratios(self) -> Iterator[Check]:
        """Ratios by the oracle's Jacobian, and by complex steps."""
        for ratio in self.part.asked.ratios:
            ours = arrays.to_floats(self.part.value_of(ratio.text))
            full = self.oracle.jacobian(ratio.of, ratio.by)
            theirs = np.diag(full) if ratio.kind == "elementwise" else full
            yield self._compare("jacobian", ratio.text, ours, theirs.reshape(ours.shape), theirs.reshape(ours.shape))
            found = self.oracle.complex_step(ratio.of, ratio.by)
            columns = found.values.reshape(len(found.entries), -1).T
            if found.complete and not found.left_out.any():
                theirs = (np.diag(columns) if ratio.kind == "elementwise" else columns).reshape(ours.shape)
                yield self._compare("complex_step", ratio.text, ours, theirs, theirs)

    def updates(self) -> Iterator[Check]:
        """The parameters after the last certified update, and each loss on the way."""
        history = self.part.history
        if history is None or self.part.asked.loss is None:
            return
        steps = len(history.runs) - 1
        rates = {name: float(rate.p) / float(rate.q) for name, rate in history.update.rates.items()}
        run = self.oracle.train(self.part.asked.loss, rates, steps)
        for name, theirs in run.parameters.items():
            ours = arrays.to_floats(history.runs[-1].value(name))
            yield self._compare("updates", name, ours, theirs, theirs)
        losses = np.array([arrays.to_floats(r.value(self.part.asked.loss)).item() for r in history.runs])
        theirs = np.array([entry.loss for entry in run.history])
        yield self._compare("history", self.part.asked.loss, losses, theirs, theirs)

    def _compare(self, key: str, of: str, ours: Any, theirs: Any, moved: Any) -> Check:
        slack = float(np.max(np.abs(moved - theirs))) if ours.size else 0.0
        scale = float(np.max(np.abs(ours))) if ours.size else 0.0
        return self._judge(key, of, ours.ravel(), np.asarray(theirs).ravel(), RELATIVE, scale, slack, 0.0)

    def _judge(
        self, key: str, of: str, ours: Any, theirs: Any, bound: float, scale: float, slack: float, floor: float
    ) -> Check:
        """Within ``bound`` of the largest entry; where rounding alone moves a result further than that (a residual that
        nearly vanishes), within ten times what a shift of the data by a part in 10^12 does to it."""
        gap = np.abs(ours - theirs)
        worst = float(np.max(gap)) if gap.size else 0.0
        tiny = np.finfo(float).tiny
        if worst <= bound * scale + tiny:
            return Check(key, of, True, f"{bound:.0e}")
        allowed = max(10 * slack, floor)
        passed = bool(worst <= allowed)
        check = Check(key, of, passed, f"{10.0 ** math.ceil(math.log10(allowed)):.0e} absolute" if passed else "")
        at = int(np.argmax(gap))
        return require(
            check,
            f"{of}, entry {at + 1}: the rule gives {float(ours[at])!r}, "
            f"the {key.replace('_', ' ')} gives {float(theirs[at])!r}",
        )


def by_name(checks: tuple[Check, ...]) -> Mapping[str, tuple[Check, ...]]:
    """The checks of each kind, in order."""
    kinds: dict[str, list[Check]] = {}
    for check in checks:
        kinds.setdefault(check.check, []).append(check)
    return {kind: tuple(found) for kind, found in kinds.items()}
