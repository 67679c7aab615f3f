"""A digit is printed only when the whole ball rounds to it.

Rounding is monotone, so a ball lies in one rounding interval exactly when both its ends round to the same decimal:
this is all that certification needs. Everything here is integer arithmetic in decimals.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from flint import arb, fmpq

from derive.numbers.balls import Number
from derive.records import dataclass

Mode = Literal["half-up", "half-even"]

SMALLEST_PLAIN, LARGEST_PLAIN = -5, 16  # exponents between which a number is written without a power of ten
MOST_ABOVE, MOST_BELOW = 10**6, 10**4  # a fraction is short while its parts are smaller
LARGEST_FIXED = 20  # with fixed decimals, integer parts are written out up to 21 digits


@dataclass(frozen=True, slots=True)
class Rounding:
    """How numbers are shown: ``digits`` decimals or, where ``significant`` is given, that many significant digits.

    Half-up sends a tie away from zero, half-even to the even neighbour. ``tiny`` says what becomes of a value other
    than zero whose decimals would all be zeros: ``"plain"`` prints them, ``"scientific"`` changes to a power of ten
    with ``max(digits, 2)`` significant digits. With ``fractions`` an exact value that is no whole number is a fraction
    in lowest terms while that is short, whatever its decimals are.
    """

    digits: int | None = 4
    significant: int | None = None
    mode: Mode = "half-up"
    tiny: Literal["plain", "scientific"] = "plain"
    fractions: bool = False

    def __post_init__(self) -> None:
        if self.significant is None and self.digits is None:
            raise ValueError("a rounding needs digits or significant")
        if (self.digits or 0) < 0 or (self.significant is not None and self.significant < 1):
            raise ValueError("digits counts from 0, significant from 1")
        if self.mode not in ("half-up", "half-even") or self.tiny not in ("plain", "scientific"):
            raise ValueError(f"unknown rounding {self.mode!r}, {self.tiny!r}")


@dataclass(frozen=True, slots=True)
class Printed:
    """A certified decimal. ``mantissa`` is all of it unless ``exponent``, the power of ten beside it, is given.

    A fraction has its denominator in ``below``, and ``mantissa`` is what stands above the line.
    ``exact``: the text is the value itself, not a rounding of it. ``tie``: the value lay exactly between two
    decimals, and the rounding mode chose.
    """

    mantissa: str
    exponent: int | None = None
    exact: bool = False
    tie: bool = False
    below: int | None = None

    @property
    def text(self) -> str:
        """The number in one piece, as ``float`` reads it: ``1.23e-05``, ``-0.5``; a fraction as ``-1/3``."""
        if self.below is not None:
            return f"{self.mantissa}/{self.below}"
        return self.mantissa if self.exponent is None else f"{self.mantissa}e{self.exponent:+03d}"


ZERO = Printed("0", exact=True)


def printed(x: Number, rounding: Rounding) -> Printed | None:
    """The decimal that ``x`` rounds to, or ``None`` where its ball is too wide to tell.

    An exact value that needs no more digits than are shown is printed as it is, without trailing zeros ("4.3"); any
    other keeps them ("0.5000"). Zero never carries a sign.
    """
    if isinstance(x, fmpq):
        return _exact(x, rounding)
    if not x.is_finite():
        return None
    if x.is_exact() and abs(int(x.man_exp()[1])) < 4096:
        return _exact(x.fmpq(), rounding)
    # 24 digits settle nearly every ball and are quick; the ball's own length settles what is left.
    return _ball(x, 24, rounding) or _ball(x, int(x.bits() * 0.3011) + 4, rounding)


def printed_all(values: Iterable[Number], rounding: Rounding) -> list[Printed | None]:
    """``printed`` of every value in turn (about 5 microseconds each)."""
    return [printed(x, rounding) for x in values]


# --- one decimal interval: [low, high] * 10**shift -------------------------------------------------------------------


def _ball(x: arb, digits: int, rounding: Rounding) -> Printed | None:
    """Round both ends of a decimal interval around the ball."""
    mid, rad, exp = x.mid_rad_10exp(digits)
    centre, radius, shift = int(mid), int(rad), int(exp)
    low, high = centre - radius, centre + radius
    if rounding.significant is not None:
        return _scientific_ends(low, high, shift, rounding.significant, rounding.mode)
    decimals = rounding.digits or 0
    top = len(str(max(abs(low), abs(high)))) + shift - 1
    if top > LARGEST_FIXED:
        return _scientific_ends(low, high, shift, decimals + 1, rounding.mode, always=True)
    n = _common(low, high, shift + decimals, rounding.mode)
    if n is None:
        return None
    if n == 0 and rounding.tiny == "scientific":
        return _scientific_ends(low, high, shift, max(decimals, 2), rounding.mode, always=True)
    return Printed(_fixed(n, decimals))


def _common(low: int, high: int, shift: int, mode: Mode) -> int | None:
    """The integer to which both ends of ``[low, high] * 10**shift`` round, if it is one."""
    first, _ = _nearest_shifted(low, shift, mode)
    last, _ = _nearest_shifted(high, shift, mode)
    return first if first == last else None


def _scientific_ends(
    low: int, high: int, shift: int, significant: int, mode: Mode, always: bool = False
) -> Printed | None:
    """The same for significant digits; an interval that contains zero has no first digit."""
    if low <= 0 <= high:
        return None
    first, last = _leading(low, shift, significant, mode), _leading(high, shift, significant, mode)
    if first != last:
        return None
    n, exponent = first
    return _significant(n, exponent, significant, always)


def _leading(n: int, shift: int, significant: int, mode: Mode) -> tuple[int, int]:
    """``n * 10**shift`` to ``significant`` digits: (those digits as an integer, exponent of the first)."""
    length = len(str(abs(n)))
    rounded, _ = _nearest_shifted(n, significant - length, mode)
    exponent = length - 1 + shift
    if abs(rounded) == 10**significant:  # 0.99995 at four digits is 1.000
        return rounded // 10, exponent + 1
    return rounded, exponent


def _nearest_shifted(n: int, shift: int, mode: Mode) -> tuple[int, bool]:
    """``n * 10**shift`` rounded to an integer, and whether it was a tie."""
    if shift >= 0:
        return n * 10**shift, False
    if len(str(abs(n))) + shift < 0:  # below 1/10: no need to build a large power of ten
        return 0, False
    return _nearest(n, 10**-shift, mode)


def _nearest(p: int, q: int, mode: Mode) -> tuple[int, bool]:
    """``p / q`` (q > 0) rounded to an integer, and whether it was a tie."""
    whole, rest = divmod(abs(p), q)
    tie = 2 * rest == q
    if 2 * rest > q or (tie and (mode == "half-up" or whole % 2 == 1)):
        whole += 1
    return (whole if p >= 0 else -whole), tie


# --- exact values ----------------------------------------------------------------------------------------------------


def _exact(x: fmpq, rounding: Rounding) -> Printed:
    """A rational, printed whole where it is a short decimal and rounded otherwise."""
    p, q = int(x.p), int(x.q)
    if p == 0:
        return ZERO
    if rounding.fractions and 1 < q < MOST_BELOW and abs(p) < MOST_ABOVE:
        return Printed(str(p), exact=True, below=q)
    decimal = as_decimal(x)
    if rounding.significant is not None:
        if decimal is not None and len(str(abs(decimal[0]))) <= rounding.significant:
            return minimal(*decimal)
        return _rounded(p, q, rounding.significant, rounding.mode)
    decimals = rounding.digits or 0
    if p.bit_length() - q.bit_length() > 68 and 10 ** (LARGEST_FIXED + 1) * q <= abs(p):  # 10**21 has 70 bits
        if decimal is not None and len(str(abs(decimal[0]))) <= decimals + 1:
            return minimal(*decimal)
        return _rounded(p, q, decimals + 1, rounding.mode, always=True)
    if decimal is not None and -decimal[1] <= decimals:
        return Printed(_fixed(decimal[0] * 10 ** max(decimal[1], 0), max(-decimal[1], 0)), exact=True)
    n, tie = _nearest(p * 10**decimals, q, rounding.mode)
    if n == 0 and rounding.tiny == "scientific":
        if decimal is not None and len(str(abs(decimal[0]))) <= max(decimals, 2):
            return minimal(*decimal, always=True)
        return _rounded(p, q, max(decimals, 2), rounding.mode, always=True)
    return Printed(_fixed(n, decimals), tie=tie)


def _rounded(p: int, q: int, significant: int, mode: Mode, always: bool = False) -> Printed:
    """``p / q`` to significant digits."""
    exponent = exponent_of(p, q)
    shift = significant - 1 - exponent
    n, tie = _nearest(p * 10**shift, q, mode) if shift >= 0 else _nearest(p, q * 10**-shift, mode)
    if abs(n) == 10**significant:
        n, exponent = n // 10, exponent + 1
    return _significant(n, exponent, significant, always, tie)


def exponent_of(p: int, q: int) -> int:
    """The power of ten of the first digit of ``p / q``: the largest e with ``10**e <= |p / q|``."""
    p = abs(p)
    e = int((p.bit_length() - q.bit_length()) * 0.30102999566398) - 1
    while (p >= 10 ** (e + 1) * q) if e + 1 >= 0 else (p * 10 ** -(e + 1) >= q):
        e += 1
    while (p < 10**e * q) if e >= 0 else (p * 10**-e < q):
        e -= 1
    return e


def as_decimal(x: fmpq) -> tuple[int, int] | None:
    """``(n, e)`` with ``x == n * 10**e`` and n not divisible by ten; ``None`` for a fraction such as 1/3."""
    p, q = int(x.p), int(x.q)
    if p == 0:
        return 0, 0
    if q == 1:
        zeros = len(text := str(p)) - len(text.rstrip("0"))
        return p // 10**zeros, zeros
    twos = (q & -q).bit_length() - 1
    odd = q >> twos
    fives = round((odd.bit_length() - 0.5) / 2.321928094887362)
    fives = next((k for k in (fives - 1, fives, fives + 1) if k >= 0 and 5**k == odd), -1)
    if fives < 0:
        return None
    places = max(twos, fives)
    return p * 2 ** (places - twos) * 5 ** (places - fives), -places


def minimal(n: int, e: int, always: bool = False) -> Printed:
    """``n * 10**e`` exactly and without trailing zeros; with a power of ten where it is far from 1."""
    digits = len(str(abs(n)))
    exponent = digits - 1 + e
    if not always and SMALLEST_PLAIN <= exponent <= LARGEST_PLAIN:
        return Printed(_fixed(n * 10 ** max(e, 0), max(-e, 0)), exact=True)
    return Printed(_fixed(n, digits - 1), exponent, exact=True)


# --- spelling --------------------------------------------------------------------------------------------------------


def _significant(n: int, exponent: int, significant: int, always: bool, tie: bool = False) -> Printed:
    """The digits of ``n`` with the point where ``exponent`` puts it.

    Without a power of ten only where every digit written is one that was asked for: 12345 to four digits is 1.235e+04.
    """
    if not always and SMALLEST_PLAIN <= exponent < significant:
        return Printed(_fixed(n, significant - 1 - exponent), tie=tie)
    return Printed(_fixed(n, significant - 1), exponent, tie=tie)


def _fixed(n: int, decimals: int) -> str:
    """``n / 10**decimals`` with all its decimals; zero has no sign."""
    if decimals == 0:
        return str(n)
    body = str(abs(n)).rjust(decimals + 1, "0")
    return ("-" if n < 0 else "") + body[:-decimals] + "." + body[-decimals:]
