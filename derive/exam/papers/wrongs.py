"""Wrong values of what is asked: each what one common slip would give, told apart from the right one as it is printed.

A slip is made where the quantity itself is worked out, or on the way to it in something that is not asked; a slip in
an earlier asked quantity is that quantity's own, and what follows from it is right as far as it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, takewhile
from typing import Any

import numpy as np
from flint import fmpq

from derive.exam.papers.posed import Asked, Value
from derive.graph.expression import Expression, Name
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Printed, Rounding, printed
from derive.records import dataclass
from derive.review.explanation import MISPRINT, Explanation
from derive.review.mutants import mutants, of_updates
from derive.review.simulation import RIGHT, Simulation

UPDATES = "update"  # what an explanation calls a slip in the step of an update
WEAK = ("sign", "factor", "double", "number")  # kinds that change a formula as a whole: last among their equals
TRUSTED = 12  # digits of what is worked out in doubles
_SMALL = 1000  # denominator up to which a double is taken for a fraction


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong value and the slip that gives it; ``formula`` is what was worked out, where it is that alone."""

    slip: Explanation
    value: Value
    formula: Expression | None

    def entries_right(self, right: Value) -> int:
        """How many entries are the right ones all the same."""
        return sum(a == b for a, b in zip(_key(self.value.texts), _key(right.texts), strict=True))


class Wrongs:
    """The wrong values of the quantities of one question."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.simulation = Simulation(asked.part)
        self._found: dict[tuple[str, bool], list[Wrong]] = {}
        self._rest: dict[tuple[str, bool], Iterator[Wrong]] = {}

    def of(self, quantity: str, most: int, own: bool = False) -> Sequence[Wrong]:
        """Up to ``most`` wrong values of a quantity, the likeliest slips first, each once and none the right one.

        With ``own`` only slips in the quantity's own formula. No more are worked out than are asked for.
        """
        key = (quantity, own)
        if key not in self._found:
            self._found[key], self._rest[key] = [], self._of(quantity, own)
        found = self._found[key]
        found += islice(self._rest[key], max(most - len(found), 0))
        return found[:most]

    def _of(self, quantity: str, own: bool) -> Iterator[Wrong]:
        asked, rounding = self.asked, self.asked.part.rounding
        right = self.simulation.values(RIGHT, [quantity]).get(quantity)
        if right is None:
            return
        shape = tuple(np.shape(right))
        texts = _printed(right, rounding)
        seen = {_key(texts)} if texts is not None else set()
        if quantity in asked.values:
            seen.add(_key(asked.values[quantity].texts))
        for slip in (*self._slips(quantity, own), *(() if own else _signs(quantity, right))):
            if slip.entry is None:
                value = self.simulation.values(slip.change, [quantity]).get(quantity)
            else:
                value = np.array(right, dtype=float)
                value[slip.entry] *= -1
            texts = _printed(value, rounding) if value is not None and np.shape(value) == shape else None
            if texts is None or _key(texts) in seen:
                continue
            seen.add(_key(texts))
            formulas = slip.change.formulas
            alone = len(formulas) == 1 and str(formulas[0][0]) == quantity
            yield Wrong(slip, Value(quantity, shape, texts), formulas[0][1] if alone else None)

    def _slips(self, quantity: str, own: bool) -> list[Explanation]:
        name = self.asked.name(quantity)
        names = frozenset(() if name is None else (name,)) if own else self._on_the_way(quantity)
        slips = list(takewhile(lambda slip: slip.quantity != UPDATES, mutants(self.simulation, names)))
        slips = [slip for slip in slips if slip.quantity]  # the same slip in several is one of another quantity, too
        if "@" in quantity:
            slips += of_updates(self.simulation)
        return sorted(slips, key=lambda slip: (slip.cost, slip.quantity not in (quantity, UPDATES), slip.kind in WEAK))

    def _on_the_way(self, quantity: str) -> frozenset[Name]:
        """The quantity, and what it is made of that is not asked for itself."""
        equations, steps = self.simulation.equations, self.asked.question.steps
        base = quantity.partition("@")[0]
        name = self.asked.name(base)
        start = name if name in equations else None
        if "@" in quantity:
            slope = f"d{self.simulation.top}/d{base}"
            start = self.asked.name(slope) if slope not in steps else None
        waiting, found = [start] if start is not None else [], set[Name]()
        while waiting:
            one = waiting.pop()
            found.add(one)
            waiting += [
                used
                for used in equations[one].names()
                if used in equations and used not in found and str(used) not in steps
            ]
        return frozenset(found)


def _signs(quantity: str, right: Any) -> Iterator[Explanation]:
    """One entry with its sign turned over: what there is where no formula's slip shows, in zeros above all."""
    for entry in np.ndindex(*np.shape(right)):
        kind = "sign_lost" if np.asarray(right)[entry] < 0 else "sign_added"
        yield Explanation(kind, quantity, MISPRINT, RIGHT, entry=entry)


def _printed(value: Any, rounding: Rounding) -> tuple[Printed, ...] | None:
    """The entries of a value in doubles as they would be printed; ``None`` where one of them is no number."""
    entries = np.asarray(value, dtype=float).ravel().tolist()
    if not all(np.isfinite(entries)):
        return None
    texts = [printed(_exactly(entry, rounding), rounding) for entry in entries]
    return tuple(text for text in texts if text is not None)


def _exactly(entry: float, rounding: Rounding) -> fmpq:
    """The number that a double stands for: a decimal of a few digits, or a small fraction where these are shown."""
    if rounding.fractions:
        small = Fraction(entry).limit_denominator(_SMALL)
        if abs(float(small) - entry) < 10.0**-TRUSTED * max(1.0, abs(entry)):
            return fmpq(small.numerator, small.denominator)
    return read_number(f"{entry:.{TRUSTED}g}")


def _key(texts: Sequence[Printed]) -> tuple[fmpq, ...]:
    """What is printed, as numbers: 0.3 and 0.3000 are the same."""
    return tuple(
        fmpq(int(text.mantissa), text.below) if text.below is not None else read_number(text.text) for text in texts
    )
