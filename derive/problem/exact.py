"""Numbers from their text: ``0.1`` is 1/10, never the float that lies beside it.

Their size is bounded (1e-300 to 1e300, a thousand characters), because the same numbers go through an engine in
double precision as well.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from flint import fmpq

from derive.errors import ProblemError
from derive.problem.wording import Written, kind, shown

LONGEST = 1000  # characters of one number
LARGEST = 300  # decimal exponent
RANGE = f"a number's size lies between 1e-{LARGEST} and 1e{LARGEST}, or it is 0"
EXPECTED = 'expected is a number such as 0.25, or a fraction in quotes such as "1/3"'

_DECIMAL = re.compile(r"([+-]?)(\d+(?:_\d+)*)?(?:\.(\d+(?:_\d+)*)?)?(?:[eE]([+-]?\d+(?:_\d+)*))?", re.ASCII)
_BOUND = fmpq(10**LARGEST)


def decimal(text: str) -> fmpq:
    """The exact value of a decimal in its source text (``-1_000.5e-3``).

    Raises ``ProblemError`` (without a place) for anything else, ``nan`` and ``inf`` included, and for a number that is
    too long, too large or too small.
    """
    if len(text) > LONGEST:
        raise ProblemError(f"a number of {len(text)} characters, at most {LONGEST} are allowed")
    match = _DECIMAL.fullmatch(text)
    if match is None or (match[2] is None and match[3] is None):
        if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise ProblemError(f"{text} is not a number one can compute with; {EXPECTED}")
        raise ProblemError(f"{shown(text)} is not a number; {EXPECTED}", hint=_comma(text))
    sign, whole, fraction, exponent = match.groups()
    whole, fraction = (whole or "").replace("_", ""), (fraction or "").replace("_", "")
    digits = int(whole + fraction)
    if not digits:
        return fmpq(0)
    power = int((exponent or "0").replace("_", "")) - len(fraction)
    magnitude = len(str(digits)) + power  # |value| = 0.d… × 10^magnitude
    if not 1 - LARGEST <= magnitude <= LARGEST + 1:
        raise ProblemError(f"{shown(text)[1:-1]} is too {'large' if magnitude > 0 else 'small'}: {RANGE}")
    if sign == "-":
        digits = -digits
    return fmpq(digits * 10**power) if power >= 0 else fmpq(digits, 10**-power)


def fraction(text: str) -> fmpq:
    """The exact value of ``0.25`` or ``1/3``, as it stands in a quoted text. Errors as ``decimal``."""
    above, bar, below = text.partition("/")
    if not bar:
        return decimal(text.strip())
    divisor = decimal(below.strip())
    if divisor == 0:
        raise ProblemError(f"{shown(text)} divides by zero; {EXPECTED}")
    return _bounded(decimal(above.strip()) / divisor, text)


def exact(value: object) -> fmpq:
    """The exact value of a number of TOML, Python (a float by its ``repr``) or NumPy, a ``Fraction``, a ``Decimal``.

    Raises ``ProblemError`` (without a place) for everything that is no finite number.
    """
    if isinstance(value, Written):
        return decimal(value)
    if isinstance(value, bool):
        raise ProblemError(f"{kind(value)} is not a number; {EXPECTED}")
    if isinstance(value, int):
        return _bounded(fmpq(value), value)
    if isinstance(value, float) and type(value).__module__ == "builtins":
        return decimal(repr(value))
    if isinstance(value, str):
        return fraction(value)
    return _foreign(value)


def _foreign(value: Any) -> fmpq:
    if isinstance(value, fmpq):
        return _bounded(value, value)
    if isinstance(value, Fraction):
        return _bounded(fmpq(value.numerator, value.denominator), value)
    module, name = type(value).__module__.partition(".")[0], type(value).__name__
    if (module, name) == ("decimal", "Decimal"):
        return decimal(str(value))
    if module == "numpy" and name.startswith(("int", "uint", "long", "ulong")) and name != "longdouble":
        return _bounded(fmpq(int(value)), value)
    if module == "numpy" and (name.startswith("float") or name == "longdouble"):
        return decimal(str(value))  # the shortest text that reads back as the same number of this width
    if module == "flint" and name == "fmpz":
        return _bounded(fmpq(value), value)
    if module == "sympy" and getattr(value, "is_Rational", False):
        return _bounded(fmpq(int(value.p), int(value.q)), value)
    raise ProblemError(f"{kind(value)} is not a number; {EXPECTED}")


def _bounded(value: fmpq, text: object) -> fmpq:
    size = abs(value)
    if size > _BOUND or (size != 0 and size * _BOUND < 1):
        raise ProblemError(f"{shown(text)} is too {'large' if size > 1 else 'small'}: {RANGE}")
    return value


def _comma(text: str) -> str | None:
    repaired = text.replace(",", ".")
    return f"write {repaired}" if "," in text and _DECIMAL.fullmatch(repaired) else None
