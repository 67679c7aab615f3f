"""A right answer as a platform is told it: a decimal, for platforms compare numbers, not digits."""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq

from derive.numbers.balls import Number
from derive.numbers.rounding import Printed, Rounding, as_decimal, minimal, printed


def target(value: Number, text: Printed, rounding: Rounding) -> Printed:
    """The right answer as a decimal: what is printed, and for a fraction the decimal that it rounds to."""
    if text.below is None:
        return text
    found = printed(value, replace(rounding, fractions=False))
    assert found is not None  # a fraction is printed of exact values alone
    return found


def decimal(value: fmpq) -> str:
    """A rational as ``float`` reads it: exactly where it is a short decimal, else to twelve significant digits."""
    exact = as_decimal(value)
    shown = minimal(*exact) if exact is not None and len(str(abs(exact[0]))) <= 15 else None
    shown = shown or printed(value, Rounding(digits=None, significant=12))
    assert shown is not None  # a rational always has its digits
    return shown.text
