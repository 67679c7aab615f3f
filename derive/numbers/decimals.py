"""A decimal is read as the rational it spells: ``0.1`` is 1/10, never a double."""

from __future__ import annotations

import re
from fractions import Fraction
from numbers import Integral

from flint import fmpq

MOST_DIGITS = 1000
LARGEST_EXPONENT = 1000

_NUMBER = re.compile(r"[+-]?(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9]+)?")


def read_number(text: str) -> fmpq:
    """The rational spelled by a decimal (``-2.5e-3``, ``1_000``) or a fraction of two (``1/3``).

    Raises ``ValueError`` with a message fit for a user: for what is no number (``nan``, ``inf``), for a denominator
    of zero, and for a number too long (1,000 digits) or too far from 1 (exponent 1,000) to be meant.
    """
    top, slash, bottom = text.strip().partition("/")
    value = _decimal(top.strip(), text)
    if not slash:
        return value
    below = _decimal(bottom.strip(), text)
    if below == 0:
        raise ValueError(f"{text.strip()!r} divides by zero")
    return value / below


def _decimal(text: str, whole: str) -> fmpq:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{_shown(whole)} is not a number")
    mantissa, _, power = text.replace("_", "").lower().partition("e")
    before, _, after = mantissa.partition(".")
    if len(before) + len(after) > MOST_DIGITS:
        raise ValueError(f"{_shown(whole)} has more than {MOST_DIGITS} digits")
    if len(power) > 9 or abs(int(power or 0)) > LARGEST_EXPONENT:
        raise ValueError(f"{_shown(whole)} is out of range: exponents go up to {LARGEST_EXPONENT}")
    digits, exponent = int(before + after), int(power or 0) - len(after)
    return fmpq(digits * 10**exponent) if exponent >= 0 else fmpq(digits, 10**-exponent)


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:37] + "…")


def rational(value: object) -> fmpq:
    """The rational meant by a Python or NumPy number: a float by its ``repr``, so that ``0.1`` is 1/10.

    Raises ``ValueError`` for what is not finite, ``TypeError`` for what is not a number (truth values included).
    """
    if isinstance(value, fmpq):
        return value
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        raise TypeError(f"{value!r} is a truth value, not a number")
    if isinstance(value, str):
        return read_number(value)
    if isinstance(value, Integral):
        return fmpq(int(value))
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, float):
        return read_number(float.__repr__(value))
    if hasattr(value, "__float__"):  # numpy.float32, decimal.Decimal: both spell themselves shortly and exactly
        return read_number(str(value))
    raise TypeError(f"{value!r} is not a number")
