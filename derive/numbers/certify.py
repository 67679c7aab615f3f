"""Double the precision until the digits are decided, or say honestly that they are not."""

from __future__ import annotations

from collections.abc import Callable

from flint import fmpq

from derive.numbers.balls import Number, UndecidedSign, enclosure, precision
from derive.numbers.rounding import Printed, Rounding, printed
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Undecided:
    """The value lies between ``low`` and ``high``, on a rounding boundary or too near to one to tell."""

    low: fmpq
    high: fmpq


def certify(
    compute: Callable[[int], Number], rounding: Rounding, start: int = 64, limit: int = 4096
) -> Printed | Undecided:
    """The printed form of ``compute(bits)``, run under that working precision, doubled from ``start`` to ``limit``.

    A hidden tie, whose value is a boundary without being known as a rational, stays ``Undecided`` at every precision.
    Raises ``UndecidedSign`` where ``compute`` still does at the limit, ``ValueError`` for a value without bounds.
    """
    bits = start
    while True:
        with precision(bits):
            try:
                x = compute(bits)
            except UndecidedSign:
                if bits >= limit:
                    raise
            else:
                if (result := printed(x, rounding)) is not None:
                    return result
                if bits >= limit:
                    return Undecided(*enclosure(x))
        bits = min(2 * bits, limit)
