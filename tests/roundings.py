"""The roundings that tests of numbers use, and what they print."""

from __future__ import annotations

from flint import arb

from derive.numbers.balls import (
    Number,
    precision,
)
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Rounding, printed

FOUR = Rounding(4)
EVEN = Rounding(4, mode="half-even")
SIGNIFICANT = Rounding(significant=4)
TINY = Rounding(4, tiny="scientific")


def text(x: Number, rounding: Rounding = FOUR) -> str | None:
    """What is printed, without the marks."""
    result = printed(x, rounding)
    return None if result is None else result.text


def ball(x: str, radius: str = "1e-30") -> arb:
    """A ball around a decimal."""
    with precision(256):
        return arb(arb(read_number(x)).mid(), arb(radius))
