"""Printed arithmetic such as ``(0.7896)(0.0983)(0.7) + (0.7504)(0.1598)(0.8)``, as the interval that it stands for.

A narrow and strict reader of numbers, ``+ - · × / ^``, brackets, products side by side, ``\\frac``, ``\\sqrt`` and a
few functions, in plain text (``2*-0.3``, as somebody types it) or LaTeX. What it cannot read it refuses: nothing is
guessed. Rows and matrices go to the reader of ``derive lint``; that one works in balls, which are wider than what a
product of rounded numbers can be. Here intervals have rational ends, so that sums and products of them are exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flint import arb, fmpq

from derive.errors import ProblemError
from derive.numbers.balls import enclosure, precision
from derive.numbers.intervals import Interval
from derive.records import dataclass
from derive.review.numerals import read_numeral

DEEPEST = 100  # brackets in brackets
LARGEST_POWER = 100
MATRIX = (r"\begin", r"\quad", r"\odot", r"\top", "^T")  # what only matrices and rows have
MOST_BITS = 20_000  # of the ends of an interval

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+(?![0-9.]))?|[.,][0-9]+)"
    r"|(?P<word>\\[A-Za-z]+|[A-Za-zσ]+)|(?P<sign>[-+−*/·×÷^(){}\[\]])|(?P<other>.))",
    re.DOTALL,
)
_NOTHING = re.compile(r"\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])|\\[,;:! ]|\$|~|\\displaystyle(?![A-Za-z])")
_SIGNS = {"−": "-", "·": "*", "×": "*", "÷": "/", r"\cdot": "*", r"\times": "*", r"\ast": "*", r"\div": "/"}
_CLOSE = {"(": ")", "[": "]", "{": "}"}


def _sigmoid(x: arb) -> arb:
    return 1 / (1 + (-x).exp())


_FUNCTIONS: dict[str, Callable[[arb], arb]] = {
    **dict.fromkeys((r"\sigma", "σ", "sigmoid"), _sigmoid),
    **dict.fromkeys((r"\tanh", "tanh"), arb.tanh),
    **dict.fromkeys((r"\exp", "exp"), arb.exp),
    **dict.fromkeys((r"\ln", "ln", r"\log", "log"), arb.log),
    **dict.fromkeys((r"\sqrt", "sqrt"), arb.sqrt),
}  # all of them increase


class NotRead(Exception):
    """Arithmetic that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What printed arithmetic comes to: with its digits as they stand, and for all values that they can stand for."""

    literal: Interval
    spread: Interval


def arithmetic(text: str, decimal: str, exact: Callable[[str], bool], index: tuple[int, ...] = ()) -> Arithmetic:
    """The value of an expression. ``exact`` tells which of its numbers are data and not rounded.

    Of a matrix it is the entry at ``index``, counted from 0. Raises ``NotRead``.
    """
    if not any(mark in text for mark in MATRIX):
        return _scalar(text, decimal, exact)
    from derive.review.matrices import entry_of  # only matrices pay for it

    found = entry_of(text, decimal, exact, index)
    if isinstance(found, str):
        raise NotRead(found)
    return Arithmetic(*found)


def _scalar(text: str, decimal: str, exact: Callable[[str], bool]) -> Arithmetic:
    tokens = _tokens(text, decimal)

    def spread(number: str) -> Interval:
        if exact(number):
            return _point(number)
        numeral = read_numeral(number)
        return Interval(numeral.low, numeral.high)

    try:
        return Arithmetic(_Reader(tokens, _point).all(), _Reader(tokens, spread).all())
    except ProblemError as error:
        raise NotRead(error.message) from None


def numbers_in(text: str, decimal: str) -> tuple[str, ...]:
    """The numbers that stand in an expression, with points; none where it cannot be read."""
    try:
        return tuple(token for token in _tokens(text, decimal) if token[0] in ".0123456789")
    except NotRead:
        return ()


def _tokens(text: str, decimal: str) -> list[str]:
    found: list[str] = []
    for match in _TOKEN.finditer(_NOTHING.sub(" ", text).rstrip().replace("{,}", ",")):
        piece = match[match.lastgroup or ""] if match.lastgroup else ""
        if match.lastgroup == "other":
            raise NotRead(f"{piece!r} is no arithmetic")
        if match.lastgroup == "number":
            if ("," if decimal == "." else ".") in piece:
                raise NotRead(f"{piece} has another decimal mark")
            piece = piece.replace(",", ".")
        found.append(_SIGNS.get(piece, piece))
    return found


class _Reader:
    """Recursive descent over the tokens; every rule gives the interval of what it has read."""

    def __init__(self, tokens: list[str], number: Callable[[str], Interval]) -> None:
        self.tokens, self.number = tokens, number
        self.at = self.depth = 0

    def all(self) -> Interval:
        """The whole text."""
        found = self.sum()
        if self.at < len(self.tokens):
            raise NotRead(f"{self.next!r} stands where the arithmetic should end")
        return found

    @property
    def next(self) -> str:
        """The token to be read, empty at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        """Whether that token is next; if so it is read."""
        if self.next != token:
            return False
        self.at += 1
        return True

    def sum(self) -> Interval:
        """Terms with their signs."""
        found = self.product()
        while self.next in ("+", "-"):
            minus = self.next == "-"
            self.at += 1
            term = self.product()
            found = _add(found, _negative(term) if minus else term)
        return found

    def product(self) -> Interval:
        """Factors with a sign between them, or side by side where a bracket tells them apart."""
        found = self.signed()
        while True:
            if self.take("*"):
                found = _multiply(found, self.signed())
            elif self.take("/"):
                found = _divide(found, self.signed())
            elif (
                self.next in ("(", "[", "{") or self.next in _FUNCTIONS or self.next in (r"\frac", r"\tfrac", r"\dfrac")
            ) or (self.next[:1].isdigit() and self.tokens[self.at - 1] in (")", "]", "}")):
                found = _multiply(found, self.power())
            else:
                return found

    def signed(self) -> Interval:
        """A factor with a sign of its own."""
        if self.take("-"):
            return _negative(self.signed())
        if self.take("+"):
            return self.signed()
        return self.power()

    def power(self) -> Interval:
        """A factor, raised or not."""
        base = self.atom()
        if not self.take("^"):
            return base
        blurred, self.number = self.number, _point  # an exponent counts: it is no rounded number
        try:
            n = self.signed().low
        finally:
            self.number = blurred
        if n.q != 1 or abs(n) > LARGEST_POWER:
            raise NotRead("an exponent that is no small whole number")
        return _power(base, int(n))

    def atom(self) -> Interval:
        """A number, a bracket, a fraction, a function."""
        token = self.next
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotRead(f"brackets are nested more than {DEEPEST} deep")
        try:
            if token[:1].isdigit() or token[:1] == ".":
                return self.number(token)
            if token in _CLOSE:
                return self.closed(token)
            if token in (r"\frac", r"\tfrac", r"\dfrac"):
                return _divide(self.braced(), self.braced())
            if token == "e" and self.take("^"):
                return _function(arb.exp, self.atom())
            if token in _FUNCTIONS:
                return _function(_FUNCTIONS[token], self.atom())
        finally:
            self.depth -= 1
        raise NotRead(f"{token!r} is no arithmetic" if token else "the arithmetic breaks off")

    def closed(self, bracket: str) -> Interval:
        """What stands in a bracket that has been opened."""
        found = self.sum()
        if not self.take(_CLOSE[bracket]):
            raise NotRead(f"a bracket {bracket} is not closed")
        return found

    def braced(self) -> Interval:
        """An argument in braces."""
        if not self.take("{"):
            raise NotRead("a fraction without braces")
        return self.closed("{")


# ── intervals with rational ends ────────────────────────────────────────────────────────────────────────────────


def _checked(low: fmpq, high: fmpq) -> Interval:
    if low.height_bits() > MOST_BITS or high.height_bits() > MOST_BITS:
        raise NotRead("numbers with too many digits")
    return Interval(low, high)


def _point(number: str) -> Interval:
    value = read_numeral(number).value
    return Interval(value, value)


def _negative(a: Interval) -> Interval:
    return Interval(-a.high, -a.low)


def _add(a: Interval, b: Interval) -> Interval:
    return _checked(a.low + b.low, a.high + b.high)


def _multiply(a: Interval, b: Interval) -> Interval:
    ends = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
    return _checked(min(ends), max(ends))


def _divide(a: Interval, b: Interval) -> Interval:
    if b.low <= 0 <= b.high:
        raise NotRead("a division by what may be zero")
    return _multiply(a, Interval(1 / b.high, 1 / b.low))


def _power(a: Interval, n: int) -> Interval:
    if n < 0:
        return _divide(Interval(fmpq(1), fmpq(1)), _power(a, -n))
    ends = [a.low**n, a.high**n]
    if n % 2 == 0 and a.low <= 0 <= a.high and n:
        ends.append(fmpq(0))
    return _checked(min(ends), max(ends))


def _function(f: Callable[[arb], arb], a: Interval) -> Interval:
    """An increasing function at both ends, rounded outwards."""
    with precision(192):
        try:
            low, high = enclosure(f(arb(a.low)))[0], enclosure(f(arb(a.high)))[1]
        except ValueError:
            raise NotRead("a function outside of where it is defined") from None
    return Interval(low, high)
