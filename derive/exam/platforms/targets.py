"""A right answer as a platform is told it: a decimal, and how far off an answer may be.

Platforms compare numbers, not digits. By default an answer may be one unit of its last printed digit off, which a
student who carries rounded values on is; a share of the value is the other way to say it.
"""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq

from derive.errors import ProblemError
from derive.exam.answers import LARGEST_SHARE
from derive.numbers.balls import Number
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Printed, Rounding, as_decimal, exponent_of, minimal, printed
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Tolerance:
    """``units`` of the last printed digit, or where ``relative`` is given that share of the value's size."""

    units: fmpq = fmpq(1)
    relative: fmpq | None = None

    def of(self, target: Printed, rounding: Rounding) -> fmpq:
        """How far an answer may be from what is printed; a value of zero has no share and goes by its digits."""
        value = read_number(target.text)
        if self.relative is None or value == 0:
            return self.units * unit(target, rounding)
        return self.relative * abs(value)


ONE_UNIT = Tolerance()


def tolerance(text: str | None) -> Tolerance:
    """``"1u"`` and ``"0.5u"`` count units of the last printed digit, ``"0.01"`` and ``"1%"`` are shares of the value.

    ``None`` is one unit. Raises ``ProblemError`` for anything else.
    """
    if text is None:
        return ONE_UNIT
    plain = text.strip()
    ending = plain[-1:] if plain[-1:] in ("u", "%") else ""
    try:
        value = read_number(plain[: len(plain) - len(ending)])
    except ValueError:
        raise _refused(text) from None
    share = value / 100 if ending == "%" else value
    if value <= 0 or (ending != "u" and share > LARGEST_SHARE):
        raise _refused(text)
    return Tolerance(units=value) if ending == "u" else Tolerance(relative=share)


def _refused(text: str) -> ProblemError:
    return ProblemError(
        f"the tolerance {text[:40]!r} is neither units of the last digit nor a share of the value up to a half",
        hint="1u is one unit of the last printed digit, 0.5u half of one, 0.01 or 1% one part in a hundred",
    )


def target(value: Number, text: Printed, rounding: Rounding) -> Printed:
    """The right answer as a decimal: what is printed, and for a fraction the decimal that it rounds to."""
    if text.below is None:
        return text
    found = printed(value, replace(rounding, fractions=False))
    assert found is not None  # a fraction is printed of exact values alone
    return found


def unit(target: Printed, rounding: Rounding) -> fmpq:
    """One unit of the last digit that is printed of such a number; of an exact one, of the last that would be."""
    decimals = len(target.mantissa.partition(".")[2])
    if not target.exact:
        return _power((target.exponent or 0) - decimals)
    value = read_number(target.text)
    places = rounding.digits or 0
    if rounding.significant is None and target.exponent is None:
        return _power(-places)
    if value == 0:
        return _power(-(rounding.significant or places))
    digits = rounding.significant or (max(places, 2) if abs(value) < 1 else places + 1)
    return _power(exponent_of(int(value.p), int(value.q)) - digits + 1)


def decimal(value: fmpq) -> str:
    """A rational as ``float`` reads it: exactly where it is a short decimal, else to twelve significant digits."""
    exact = as_decimal(value)
    shown = minimal(*exact) if exact is not None and len(str(abs(exact[0]))) <= 15 else None
    shown = shown or printed(value, Rounding(digits=None, significant=12))
    assert shown is not None  # a rational always has its digits
    return shown.text


def _power(exponent: int) -> fmpq:
    return fmpq(10) ** exponent
