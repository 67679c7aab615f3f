"""A number as a student wrote it: ``0.7896``, ``0,79``, ``-2.4e-3``, ``3/4``, ``1 1/2``, ``2,4 · 10^-3``."""

from __future__ import annotations

import re

from flint import fmpq

from derive.errors import ProblemError
from derive.problem.wording import shown
from derive.records import dataclass
from derive.review.numerals import Numeral, read_numeral

LONGEST = 80  # characters of one number

# Marks that are a minus sign on some keyboard or in some font, full-width digits' companions among them.
_MINUS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
_WIDE = {0xFF10 + k: str(k) for k in range(10)} | {0xFF0E: ".", 0xFF0C: ",", 0xFF0B: "+", 0xFF0F: "/"}
_MIXED = re.compile(r"([+-]?)\s*([0-9]+)\s+([0-9]+)\s*/\s*([0-9]+)")
_APART = re.compile(r"[0-9.,]\s+[0-9.,]")  # two numbers, or thousands set apart: not to be guessed
HINT = 'expected is one such as "0.7896", "0,7896", "-2.4e-3" or "3/4"'


@dataclass(frozen=True, slots=True)
class Given:
    """``value`` is what the digits spell; ``last`` is one unit of the last digit, and 0 for a fraction."""

    text: str
    value: fmpq
    last: fmpq


def read_given(text: str) -> Given:
    """The number in a text. Raises ``ProblemError`` (without a place) for a formula and for whatever is no number."""
    bare = text.strip()
    if len(bare) > LONGEST:
        raise ProblemError(f"an answer has {len(bare)} characters, at most {LONGEST} are allowed", hint=HINT)
    if bare[:1] in ("=", "@"):
        raise ProblemError(f"{shown(bare)} is a formula, and formulas are not worked out", hint=HINT)
    plain = bare.translate(_MINUS).translate(_WIDE)
    if match := _MIXED.fullmatch(plain):
        if int(match[4]) == 0:
            raise ProblemError(f"{shown(bare)} divides by zero", hint=HINT)
        size = int(match[2]) + fmpq(int(match[3]), int(match[4]))
        return Given(bare, -size if match[1] == "-" else size, fmpq(0))
    if _APART.search(plain) or ("." in plain and "," in plain) or plain.count(",") > 1:
        raise ProblemError(f"{shown(bare)} is not one number", hint=HINT)
    try:
        numeral = read_numeral(plain, "," if "," in plain else ".")
    except ProblemError:
        raise ProblemError(f"{shown(bare)} is not a number", hint=HINT) from None
    return Given(bare, numeral.value, _unit(numeral))


def _unit(numeral: Numeral) -> fmpq:
    return numeral.high - numeral.low
