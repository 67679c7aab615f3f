"""How far an answer may be from a value: one rule, for marking and for learning platforms.

An answer is held to the digits that its question asks for. By default it may be one unit of the last of them off,
which a student who carries rounded values on is; a share of the value is the other way to say it.
"""

from __future__ import annotations

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.decimals import read_number
from derive.numbers.rounding import LARGEST_FIXED, Rounding, exponent_of
from derive.records import dataclass

LARGEST_SHARE = fmpq(1, 2)  # of a value's size; beyond it an answer of no size is nearly right


@dataclass(frozen=True, slots=True)
class Tolerance:
    """``units`` of the last digit that is asked for or, where ``relative`` is given, that share of the value's size.

    A share is never less than half such a unit: what is right as it is printed stays right.
    """

    units: fmpq = fmpq(1)
    relative: fmpq | None = None

    def of(self, value: fmpq, unit: fmpq) -> fmpq:
        """The largest distance from a value whose last digit has this unit."""
        return self.units * unit if self.relative is None else max(abs(value) * self.relative, unit / 2)


ONE_UNIT = Tolerance()


def tolerance(text: str | None) -> Tolerance:
    """``"1u"`` and ``"0.5u"`` count units of the last digit, ``"0.01"`` and ``"1%"`` are shares of the value.

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
        hint="1u is one unit of the last digit asked for, 0.5u half of one, 0.01 or 1% one part in a hundred",
    )


def unit_of(value: fmpq, rounding: Rounding) -> fmpq:
    """One unit of the last digit of a value that is shown in this way; of a zero to significant digits as of a 1.

    To so many decimals it is the same for all values: who writes 0.0000 for 2.4e-07 has these decimals right. Only
    where a value is too large to be written out is it that of the digits shown. To three significant digits that of
    9.996 is 0.1, for it is shown as 10.0.
    """
    exponent = exponent_of(int(value.p), int(value.q)) if value != 0 else 0
    digits = rounding.significant
    if digits is None:
        decimals = rounding.digits or 0
        if exponent <= LARGEST_FIXED:
            return fmpq(10) ** -decimals
        digits = decimals + 1
    unit = fmpq(10) ** (exponent - digits + 1)
    # A tie goes up or to the even neighbour, and 10…0 is even: half a unit below the next power of ten is enough.
    return unit * 10 if abs(value) + unit / 2 >= fmpq(10) ** (exponent + 1) else unit
