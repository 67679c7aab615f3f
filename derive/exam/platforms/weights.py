"""Points as whole weights, for platforms that take no fractions."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm

from flint import fmpq


def weights(points: Sequence[fmpq]) -> tuple[int, ...]:
    """The smallest whole numbers in the ratio of the points; none of them is 0 unless its points are."""
    below = lcm(*(int(one.q) for one in points))
    whole = [int((one * below).p) for one in points]
    common = gcd(*whole) or 1
    return tuple(one // common for one in whole)
