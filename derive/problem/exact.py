"""A number of a problem, exact and of a bounded size.

``numbers.decimals`` reads the text; here an error becomes the user's, and the size is bounded (1e-300 to 1e300),
because the same numbers go through an engine in double precision as well.
"""

from __future__ import annotations

import re

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.decimals import MOST_DIGITS, rational, read_number
from derive.problem.wording import kind, shown

LONGEST = MOST_DIGITS + 10  # characters of one number: its digits, a sign, a point, an exponent
LARGEST = 300  # decimal exponent
RANGE = f"a number's size lies between 1e-{LARGEST} and 1e{LARGEST}, or it is 0"
EXPECTED = 'expected is a number such as 0.25, or a fraction in quotes such as "1/3"'

_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*", re.ASCII)
_BOUND = fmpq(10**LARGEST)


def decimal(text: str) -> fmpq:
    """The exact value of a decimal (``1_000.5e-3``) or a fraction (``1/3``) in its source text.

    Raises ``ProblemError`` (without a place) for anything else, ``nan`` and ``inf`` included, and for a number that is
    too long, too large or too small.
    """
    if len(text) > 3 * LONGEST:
        raise ProblemError(f"a number of {len(text)} characters, at most {LONGEST} are allowed")
    try:
        return _bounded(read_number(text), text)
    except ValueError as error:
        tip = f"write {text.strip().replace(',', '.')}" if _COMMA.fullmatch(text) else None
        what, _, far = str(error).partition(" is out of range")
        message = f"{what} is too large or too small: {RANGE}" if far else f"{error}; {EXPECTED}"
        raise ProblemError(message, hint=tip) from None


def exact(value: object) -> fmpq:
    """The exact value of a number of TOML, Python (a float by its ``repr``) or NumPy, a ``Fraction``, a ``Decimal``.

    Raises ``ProblemError`` (without a place) for everything that is no finite number.
    """
    if isinstance(value, str):
        return decimal(value)
    try:
        return _bounded(rational(value), value)
    except ValueError as error:
        raise ProblemError(f"{' '.join(str(error).split())}; {EXPECTED}") from None
    except TypeError:
        raise ProblemError(f"{kind(value)} is not a number; {EXPECTED}") from None


def _bounded(value: fmpq, text: object) -> fmpq:
    size = abs(value)
    if size > _BOUND or (size != 0 and size * _BOUND < 1):
        raise ProblemError(f"{shown(text)} is too {'large' if size > 1 else 'small'}: {RANGE}")
    return value
