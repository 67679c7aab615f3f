"""A printed decimal stands for the interval of all values that round to it: 0.7896 is [0.78955, 0.78965]."""

from __future__ import annotations

import re

from flint import fmpq

from derive.numbers.balls import Number, enclosure
from derive.numbers.decimals import read_number
from derive.records import dataclass

_DECIMAL = re.compile(r"[+-]?[0-9]*(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from ``low`` to ``high``, both ends included: which neighbour a tie went to is not known."""

    low: fmpq
    high: fmpq


def read_interval(text: str) -> Interval:
    """The rounding interval of a printed decimal: half a unit of its last digit to both sides.

    ``2`` is [1.5, 2.5], ``1.20e-05`` is [1.195e-05, 1.205e-05]. Raises ``ValueError`` for what is no decimal; a
    fraction is not printed rounded and has no interval.
    """
    text = text.strip().replace("_", "").replace("−", "-")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a printed decimal")
    value = read_number(text)
    last = int(match[2] or 0) - len(match[1] or "")
    half = fmpq(10) ** last / 2
    return Interval(value - half, value + half)


def contains(interval: Interval, x: Number) -> bool | None:
    """Whether the value lies in the interval; ``None`` where its ball lies across an end."""
    try:
        low, high = enclosure(x)
    except ValueError:  # without bounds, or too far out to be written as fractions
        return False if x < interval.low or x > interval.high else None
    if interval.low <= low and high <= interval.high:
        return True
    return False if high < interval.low or low > interval.high else None


def agrees(x: Number, text: str) -> bool | None:
    """Whether a printed decimal can be the rounding of ``x``; ``None`` where that is undecided."""
    return contains(read_interval(text), x)
