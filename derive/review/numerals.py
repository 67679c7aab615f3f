"""A number as a book prints it: its digits, and the interval of the values that they can stand for.

``0.7896`` stands for [0.78955, 0.78965], ``2.4e-3`` for [0.00235, 0.00245]; ``1/2`` and ``\\frac{1}{2}`` are not
rounded and stand for themselves.
"""

from __future__ import annotations

import re

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.balls import Number
from derive.numbers.decimals import read_number
from derive.numbers.intervals import read_interval
from derive.numbers.rounding import Printed, Rounding, printed
from derive.problem.wording import shown
from derive.records import dataclass

MARKS = (".", ",")
LONGEST = 400  # characters of one printed number

_FRACTION = re.compile(r"([+-]?)\\[dt]?frac\{([0-9.]+)\}\{([0-9.]+)\}|([+-]?)([0-9.]+)/([0-9.]+)")
_POWER = re.compile(r"(.+?)(?:\\times|\\cdot|×|·|\*)10\^(?:\{([+-]?[0-9]+)\}|([+-]?[0-9]+))")
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
FULL = 10  # significant digits


@dataclass(frozen=True, slots=True)
class Numeral:
    """A printed number; ``low`` and ``high`` are equal for a fraction.

    ``decimals`` counts the digits behind the point (0 for ``"1/2"``), ``significant`` the digits of a number with a
    power of ten.
    """

    text: str
    low: fmpq
    high: fmpq
    decimals: int
    significant: int | None = None

    @property
    def exact(self) -> bool:
        """Whether the number stands for itself alone."""
        return bool(self.low == self.high)

    @property
    def value(self) -> fmpq:
        """What the digits spell."""
        return (self.low + self.high) / 2

    @property
    def negative(self) -> Numeral:
        """The number with the other sign."""
        return Numeral(self.text, -self.high, -self.low, self.decimals, self.significant)

    @property
    def rounding(self) -> Rounding:
        """How another value is shown to as many digits."""
        if self.significant is not None:
            return Rounding(digits=None, significant=self.significant)
        return Rounding(digits=max(self.decimals, 0))

    def contains(self, low: fmpq, high: fmpq) -> bool | None:
        """Whether a value enclosed by ``low`` and ``high`` can be meant; ``None`` where the enclosure is too wide."""
        if self.low <= low and high <= self.high:
            return True
        return False if high < self.low or low > self.high else None

    def like(self, value: Number) -> str:
        """Another value to as many digits as are printed here; of a fraction's, ten digits or the fraction itself."""
        if self.exact:
            return str(value) if isinstance(value, fmpq) else in_full(value)
        found = printed(value, self.rounding)
        return in_full(value) if found is None else _filled(found, self.rounding)


def read_numeral(text: str, decimal: str = ".") -> Numeral:
    """The number in a printed text, whose decimal mark is ``decimal``.

    Raises ``ProblemError`` (without a place) for what is no number, and for a number with another decimal mark.
    """
    if len(text) > LONGEST:
        raise ProblemError(f"printed has {len(text)} characters, at most {LONGEST} are allowed")
    plain = _plain(text)
    other = MARKS[decimal == "."]
    if other in plain:
        tip = f'decimal = "{other}" above the claims, if that is the mark of this source' if other == "," else None
        raise ProblemError(f"{shown(text)} has a {_MARK[other]}, and the decimal mark is a {_MARK[decimal]}", hint=tip)
    plain = plain.replace(decimal, ".")
    try:
        if match := _FRACTION.fullmatch(plain):
            sign, top, bottom = (match[1], match[2], match[3]) if match[2] else (match[4], match[5], match[6])
            value = read_number(f"{sign}{top}/{bottom}")
            return Numeral(text, value, value, 0)
        if match := _POWER.fullmatch(plain):
            plain = f"{match[1]}e{match[2] or match[3]}"
        interval = read_interval(plain)
        return Numeral(text, interval.low, interval.high, *_digits(plain))
    except ValueError:
        raise ProblemError(
            f"{shown(text)} is no printed number", hint='expected is one such as "0.7896", "-2.4e-3" or "1/2"'
        ) from None


_MARK = {".": "point", ",": "comma"}


def in_full(value: Number) -> str:
    """Ten significant digits, or as many as are certain; the number itself where it is shorter."""
    for digits in range(FULL, 0, -1):
        found = printed(value, Rounding(digits=None, significant=digits))
        if found is not None:
            return found.text
    return str(value)


def _plain(text: str) -> str:
    """Without blanks and dollar signs, and with a minus that can be typed."""
    for written, meant in (("−", "-"), ("–", "-"), ("{,}", ","), (r"\,", ""), ("$", "")):
        text = text.replace(written, meant)
    return "".join(text.split())


def _digits(plain: str) -> tuple[int, int | None]:
    match = _NUMBER.fullmatch(plain)
    assert match is not None
    after = len(match[3] or "")
    if match[4] is None:
        return after, None
    whole = (match[2] + (match[3] or "")).lstrip("0")
    return after - int(match[4]), max(len(whole), 1)


def _filled(found: Printed, rounding: Rounding) -> str:
    """With the zeros that a value of few digits ends in: 0.5 to four digits is 0.5000."""
    if found.exponent is not None or rounding.digits is None or not rounding.digits:
        return found.text
    whole, _, after = found.mantissa.partition(".")
    return f"{whole}.{after.ljust(rounding.digits, '0')}"
