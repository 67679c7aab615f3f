"""What explains one printed number alone: its sign, its digits, another number in its place, paths left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

import numpy as np
from flint import fmpq

from derive.calculus.explicit import Entry
from derive.graph.expression import Adjoint
from derive.numbers.balls import midpoint
from derive.review.evidence import Observed, base_of
from derive.review.explanation import EVERYDAY, MISPRINT, PLAIN, RARER, Explanation
from derive.review.simulation import Change, Simulation
from derive.solution.part import Part

MOST_PATHS = 8  # of one entry, whose subsets are tried


def misprints(simulation: Simulation, one: Observed, right: float, repeats: tuple[str, ...]) -> Iterator[Explanation]:
    """What may have happened between the right number and the printed one; nothing follows from it."""
    places = one.decimals
    printed, correct = _digits(one.middle, places), _digits_of(right, places)

    def found(kind: str, cost: int, *names: str) -> Explanation:
        return Explanation(kind, one.quantity, cost, Change(only_here=True), entry=one.index, names=names)

    if _within(one, -right):
        yield found("sign_lost" if right < 0 else "sign_added", PLAIN if repeats else EVERYDAY, *repeats)
    if _is_truncated(one, right):
        yield found("truncated", EVERYDAY)
    yield from (found("elsewhere", RARER, name) for name in _elsewhere(simulation, one))
    if _swapped(printed, correct):
        yield found("swapped", RARER)
    if any(_within(one, right * 10.0**k) for k in (-3, -2, -1, 1, 2, 3)) and right:
        yield found("point", RARER)
    if len(printed) == len(correct) and sum(a != b for a, b in zip(printed, correct, strict=True)) == 1:
        yield found("digit", MISPRINT)


def dropped_paths(simulation: Simulation, one: Observed) -> Iterator[Explanation]:
    """Some of the paths of an entry left out of their sum, in full or down to the next derivative with a name."""
    part, (name, made) = simulation.part, base_of(one.quantity)
    adjoint = simulation.names.get(name)
    if part.paths is None or not isinstance(adjoint, Adjoint) or made or part.explicit is None:
        return
    entry = Entry(adjoint.by, one.index)
    whole = part.paths.full(entry)
    if whole is None or not 1 < len(whole) <= MOST_PATHS:
        return
    values = [_worth(part, path.factors) for path in whole]
    for count in range(1, len(whole)):
        for gone in combinations(range(len(whole)), count):
            value = sum(values) - sum(values[k] for k in gone)
            if _within(one, value):
                cost = EVERYDAY if count <= len(whole) // 2 else RARER
                change = Change(entries=((adjoint, one.index, value),))
                yield Explanation(
                    "paths", one.quantity, cost, change, entry=one.index, paths=gone, kept=len(whole) - count
                )


def _worth(part: Part, factors: Sequence[Any]) -> float:
    """The product of a path's local derivatives in doubles."""
    from derive.calculus.numeric import compiled

    assert part.explicit is not None
    value = 1.0
    for factor in factors:
        env = {}
        for symbol in factor.value.free_symbols:
            place = part.explicit.entry_of[symbol]
            env[symbol] = part.run.value(place.name)[place.index]
        value *= midpoint(compiled(factor.value)(env))
    return value


# ── digits ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _within(one: Observed, value: float) -> bool:
    return bool(np.isfinite(value)) and float(one.low.p) / float(one.low.q) <= value <= float(one.high.p) / float(
        one.high.q
    )


def _digits(value: fmpq, places: int) -> str:
    return f"{Decimal(int(value.p)) / Decimal(int(value.q)):.{places}f}".lstrip("-")


def _digits_of(value: float, places: int) -> str:
    return f"{abs(value):.{places}f}"


def _is_truncated(one: Observed, right: float) -> bool:
    """Whether the right digits were cut off where they should have been rounded."""
    shift = 10.0**one.decimals
    return int(np.trunc(right * shift)) == round(float(one.middle.p) / float(one.middle.q) * shift)


def _swapped(printed: str, correct: str) -> bool:
    """Whether two neighbouring digits changed places."""
    if len(printed) != len(correct):
        return False
    apart = [k for k, (a, b) in enumerate(zip(printed, correct, strict=True)) if a != b]
    if len(apart) != 2 or printed[apart[0]] != correct[apart[1]] or printed[apart[1]] != correct[apart[0]]:
        return False
    return apart[1] - apart[0] == 1 or (apart[1] - apart[0] == 2 and printed[apart[0] + 1] == ".")


def _elsewhere(simulation: Simulation, one: Observed) -> Iterator[str]:
    """Another entry of the same quantity whose value was printed here."""
    values = simulation.values(Change(), (one.quantity,)).get(one.quantity)
    if values is None or not one.index:
        return
    for index in np.ndindex(*np.shape(values)):
        if index != one.index and _within(one, float(values[index])):
            yield f"{one.quantity}[{','.join(str(k + 1) for k in index)}]"
            return


def repeated(row: Sequence[Observed], beside: Sequence[Part]) -> tuple[str, ...]:
    """The other parts of the problem for which every printed entry of a quantity would be right."""
    name, made = base_of(row[0].quantity)
    found = []
    for part in beside:
        if made or name not in {*map(str, part.shape_adjoints), *(str(e.name) for e in part.network.equations)}:
            continue
        array = part.value_of(name)
        if all(_is_entry(one, array.shape) and _within(one, midpoint(array[one.index])) for one in row):
            found.append(str(part.problem.part))
    return tuple(found)


def _is_entry(one: Observed, shape: tuple[int, ...]) -> bool:
    return len(one.index) == len(shape) and all(k < size for k, size in zip(one.index, shape, strict=True))
