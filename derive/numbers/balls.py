"""A number is an exact rational for as long as that is cheap, and a ball that encloses it from there on.

``fmpq`` is the value itself. ``arb`` is FLINT's ball: a midpoint and a radius, rounded outwards by every
operation, so that the true value never leaves it (Johansson, "Arb: efficient arbitrary-precision midpoint-radius
interval arithmetic", 2017). Mixed arithmetic gives a ball at the working precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeGuard

from flint import arb, ctx, fmpq

Number: TypeAlias = fmpq | arb

EXACT_BITS = 256
"""A rational whose numerator or denominator is longer than this goes on as a ball."""

LARGEST_EXPONENT = 2**20
"""Of two, in a ball whose ends are to be written as fractions."""


class UndecidedSign(ArithmeticError):
    """A ball is too wide to tell on which side of a boundary its value lies: compute again at a higher precision.

    ``entry`` is the index (counted from 0) of the entry in its array, where it is known.
    """

    def __init__(self, message: str, entry: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.message, self.entry = message, entry


class DomainError(ArithmeticError):
    """A value is certainly outside the domain of a function: log of -1, division by zero. ``entry`` as above."""

    def __init__(self, message: str, entry: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.message, self.entry = message, entry


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls made inside carry about ``bits`` bits; the precision from before comes back afterwards."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def working_precision() -> int:
    """The number of bits that balls made now carry."""
    return int(ctx.prec)


def exact(x: Number) -> TypeGuard[fmpq]:
    """Whether the value is known exactly, as a rational."""
    return isinstance(x, fmpq)


def settle(x: Number) -> Number:
    """The form in which a result goes on.

    A rational above ``EXACT_BITS`` bits becomes a ball at the working precision; a ball without radius around
    zero (``0 * ball``) is a proved zero and becomes exact.
    """
    if isinstance(x, fmpq):
        return x if x.height_bits() <= EXACT_BITS else arb(x)
    return fmpq(0) if x.is_zero() else x


def enclosure(x: Number) -> tuple[fmpq, fmpq]:
    """The ends of the interval in which the value certainly lies; twice the value itself where it is exact.

    Raises ``ValueError`` for a ball without bounds (infinite or not a number), and for one whose ends have exponents
    beyond what a rational can sensibly hold (``exp(-10**9)``).
    """
    if isinstance(x, fmpq):
        return x, x
    if not x.is_finite():
        raise ValueError("the ball has no bounds")
    mid, rad = x.mid(), x.rad()  # both exact; FLINT's own lower() and upper() would round at the working precision
    for part in (mid, rad):
        if not part.is_zero() and abs(int(part.man_exp()[1])) > LARGEST_EXPONENT:
            raise ValueError("the ends of the ball are too large or too small to be written as fractions")
    centre, radius = mid.fmpq(), rad.fmpq()
    return centre - radius, centre + radius


def sign(x: Number) -> int | None:
    """-1, 0 or 1; ``None`` where the ball contains zero and something else."""
    if x > 0:
        return 1
    if x < 0:
        return -1
    return 0 if x == 0 else None


def certainly_equal(a: Number, b: Number) -> bool:
    """Whether both are known to be the same number; two balls with a radius never are."""
    return bool(a == b)


def overlaps(a: Number, b: Number) -> bool:
    """Whether both may be the same number: the values are equal or the enclosures meet.

    The ends are compared as rationals: FLINT would round a rational to the working precision before it compares.
    """
    try:
        (low, high), (least, most) = enclosure(a), enclosure(b)
    except ValueError:
        return not (bool(a < b) or bool(a > b))
    return bool(low <= most and least <= high)


def midpoint(x: Number) -> float:
    """The double nearest to the value, or to the middle of its ball; infinite where no double is large enough."""
    if isinstance(x, arb):
        return float(x)
    try:
        return int(x.p) / int(x.q)  # of Python's whole numbers, of any length, this is the nearest double
    except OverflowError:
        return math.inf if x > 0 else -math.inf
