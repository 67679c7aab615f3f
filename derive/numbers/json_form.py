"""A number as a result spells it: exact where it is rational, else seventeen certified significant digits."""

from __future__ import annotations

from flint import fmpq

from derive.numbers.balls import Number
from derive.numbers.rounding import Rounding, as_decimal, exponent_of, minimal, printed

DIGITS = 17
LONGEST_FRACTION = 60

_SEVENTEEN = Rounding(digits=None, significant=DIGITS)


def json_number(x: Number) -> str | None:
    """``"4.3"``, ``"1/3"``, ``"0.98661308217233512"``, ``"1.5e-07"``; ``None`` where a ball is too wide.

    A rational is a decimal of up to 17 digits, else a fraction of up to 60 characters. Other values, and longer
    fractions, have exactly 17 digits, so a shorter decimal is always the value itself.
    """
    if isinstance(x, fmpq):
        decimal = as_decimal(x)
        if decimal is not None and len(str(abs(decimal[0]))) <= DIGITS:
            return minimal(*decimal).text
        if len(fraction := str(x)) <= LONGEST_FRACTION:
            return fraction
    result = printed(x, _SEVENTEEN)
    return None if result is None else result.text


def json_undecided(low: fmpq, high: fmpq) -> dict[str, list[str]]:
    """``{"undecided": [low, high]}`` with the ends rounded outwards to 17 digits."""
    return {"undecided": [_outwards(low, -1), _outwards(high, +1)]}


def _outwards(x: fmpq, direction: int) -> str:
    """``x`` rounded to 17 digits, never inwards."""
    if x == 0:
        return "0"
    shift = DIGITS - 1 - exponent_of(int(x.p), int(x.q))
    scaled = x * fmpq(10) ** shift
    n = int(scaled.floor() if direction < 0 else scaled.ceil())
    return minimal(*_without_zeros(n, -shift)).text


def _without_zeros(n: int, e: int) -> tuple[int, int]:
    while n and n % 10 == 0:
        n, e = n // 10, e + 1
    return n, e
