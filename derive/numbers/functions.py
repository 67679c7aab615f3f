"""Elementary functions of one number, exact wherever the answer is a rational that anyone would expect.

``exp(0)`` is 1, ``sigmoid(0)`` is 1/2, ``sqrt(4/9)`` is 2/3, a softmax of equal logits is 1/n: so that the usual ties
are seen to be ties. Everything else is a ball at the working precision. Where a branch hangs on a sign it is taken only
when the sign is certain; otherwise ``UndecidedSign`` asks for more precision. ``DomainError`` means that no precision
will help.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from flint import arb, fmpq, fmpz

from derive.numbers.balls import EXACT_BITS, DomainError, Number, UndecidedSign, certainly_equal, midpoint, settle, sign

ZERO, ONE, HALF = fmpq(0), fmpq(1), fmpq(1, 2)


def exp(x: Number) -> Number:
    """e to the x; ``exp(0) = 1``."""
    return ONE if x == 0 else arb(x).exp()


def log(x: Number) -> Number:
    """The natural logarithm of a positive number; ``log(1) = 0``."""
    _require_positive(x, "log")
    return ZERO if x == 1 else arb(x).log()


def log2(x: Number) -> Number:
    """The logarithm to the base 2; exact for powers of two."""
    _require_positive(x, "log2")
    if isinstance(x, fmpq):
        p, q = int(x.p), int(x.q)
        if p & (p - 1) == 0 and q & (q - 1) == 0:
            return fmpq(p.bit_length() - q.bit_length())
    return arb(x).log() / arb(2).log()


def sigmoid(x: Number) -> Number:
    """1 / (1 + exp(-x)); ``sigmoid(0) = 1/2``."""
    return HALF if x == 0 else 1 / (1 + arb(-x).exp())


def tanh(x: Number) -> Number:
    """The hyperbolic tangent; ``tanh(0) = 0``."""
    return ZERO if x == 0 else arb(x).tanh()


def softplus(x: Number) -> Number:
    """log(1 + exp(x))."""
    return arb(2).log() if x == 0 else arb(x).exp().log1p()


def sqrt(x: Number) -> Number:
    """The square root of a number that is not negative; exact for the square of a rational."""
    if isinstance(x, fmpq):
        if x < 0:
            raise DomainError("sqrt of a negative number")
        p, q = _root(x.p, 2), _root(x.q, 2)
        return fmpq(p, q) if p is not None and q is not None else arb(x).sqrt()
    if sign(x) is None:
        raise UndecidedSign("sqrt of a number whose sign is not decided")
    if x < 0:
        raise DomainError("sqrt of a negative number")
    return x.sqrt()


def square(x: Number) -> Number:
    """x times x; of a ball around zero it is not negative."""
    return x * x if isinstance(x, fmpq) else _whole_power(x, 2)


def absolute(x: Number) -> Number:
    """The distance from zero. No sign is needed: of a ball around zero it is a ball that starts there."""
    return abs(x) if isinstance(x, arb) else (x if x >= 0 else -x)


def sin(x: Number) -> Number:
    """The sine; ``sin(0) = 0``."""
    return ZERO if x == 0 else arb(x).sin()


def cos(x: Number) -> Number:
    """The cosine; ``cos(0) = 1``."""
    return ONE if x == 0 else arb(x).cos()


def erf(x: Number) -> Number:
    """The error function, 2/sqrt(pi) times the integral of exp(-t²) from 0; ``erf(0) = 0``."""
    return ZERO if x == 0 else arb(x).erf()


def pi() -> Number:
    """The constant, as a ball at the working precision."""
    return arb.pi()


def relu(x: Number) -> Number:
    """max(x, 0), by a certain sign."""
    return x if certain_sign(x) > 0 else ZERO


def step(x: Number, at_zero: fmpq = ZERO) -> Number:
    """The derivative of relu: 0 below zero, 1 above, ``at_zero`` (a convention) at zero itself."""
    return (ZERO, at_zero, ONE)[certain_sign(x) + 1]


def certain_sign(x: Number) -> int:
    """-1, 0 or 1. Raises ``UndecidedSign`` where the ball does not say."""
    if (s := sign(x)) is None:
        raise UndecidedSign("the sign is not decided")
    return s


def maximum(a: Number, b: Number) -> Number:
    """The larger of two; of equals the first."""
    return a if compare(">=", a, b) else b


def minimum(a: Number, b: Number) -> Number:
    """The smaller of two; of equals the first."""
    return a if compare("<=", a, b) else b


_COMPARISONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "<": (operator.lt, operator.ge),
    "<=": (operator.le, operator.gt),
    ">": (operator.gt, operator.le),
    ">=": (operator.ge, operator.lt),
}


def compare(relation: str, a: Number, b: Number) -> bool:
    """Whether ``a relation b`` holds, with a relation of ``< <= > >= == !=``.

    Raises ``UndecidedSign`` where the enclosures meet and do not decide it.
    """
    if relation in ("==", "!="):
        if certainly_equal(a, b):
            return relation == "=="
        if a < b or a > b:
            return relation == "!="
    else:
        holds, fails = _COMPARISONS[relation]
        if holds(a, b):  # of balls: holds for every pair of values
            return True
        if fails(a, b):
            return False
    raise UndecidedSign(f"{relation} is not decided")


def first_largest(entries: Sequence[Number]) -> int:
    """Where the largest number stands, the first of equals. Raises ``UndecidedSign`` where enclosures do not tell."""
    best = 0
    for k in range(1, len(entries)):
        # One and the same number is its own equal, however wide its ball.
        if entries[k] is not entries[best] and compare(">", entries[k], entries[best]):
            best = k
    return best


def divide(a: Number, b: Number) -> Number:
    """a / b. Raises ``DomainError`` for a proved zero below, ``UndecidedSign`` for a ball around zero."""
    if b == 0:
        raise DomainError("division by zero")
    if sign(b) is None:
        raise UndecidedSign("division by a number that may be zero")
    return ZERO if a == 0 else a / b


def power(x: Number, exponent: fmpq) -> Number:
    """x to a constant rational exponent; exact where base and root are, and the result is not overlong.

    A whole exponent takes any base (not zero if negative), a fraction only a base that is not negative.
    """
    if exponent == 0:
        return ONE
    if x == 0:
        if exponent < 0:
            raise DomainError("a negative power of zero")
        return ZERO
    if exponent < 0:
        return divide(ONE, power(x, -exponent))
    p, q = int(exponent.p), int(exponent.q)
    if q != 1 and certain_sign(x) < 0:
        raise DomainError("a fractional power of a negative number")
    if isinstance(x, fmpq):
        roots = (_root(x.p, q), _root(x.q, q)) if q < 4 * EXACT_BITS else (None, None)
        if roots[0] is not None and roots[1] is not None:
            base = fmpq(roots[0], roots[1])
            if base in (1, -1):
                return base ** (p % 2)
            if p * base.height_bits() <= 2 * EXACT_BITS:
                return settle(base**p)
            return arb(base) ** p
    return _whole_power(arb(x), p) if q == 1 else arb(x) ** exponent


def _whole_power(x: arb, p: int) -> arb:
    """``x ** p`` for p > 0. FLINT's binding gives NaN for a ball around zero (0.9): that one is multiplied out."""
    if not x.contains(0):
        return x**p
    result, square, left = arb(1), x, p
    while left:
        result, square, left = (
            (result * square if left & 1 else result),
            (square * square if left > 1 else square),
            left >> 1,
        )
    return result if p % 2 else result.nonnegative_part()


def softmax(logits: Sequence[Number]) -> list[Number]:
    """exp(z_i) / Σ exp(z_j), the largest logit subtracted first; equal exact logits give exactly 1/n.

    Any shift gives the same values, so which logit of two balls is larger need not be certain.
    """
    powers = [exp(d) for d in _below_the_largest(logits)]
    total = sum(powers[1:], powers[0])
    return [settle(e / total) for e in powers]


def log_softmax(logits: Sequence[Number]) -> list[Number]:
    """z_i - log Σ exp(z_j), the largest logit subtracted first."""
    distances = _below_the_largest(logits)
    powers = [exp(d) for d in distances]
    total = log(sum(powers[1:], powers[0]))
    return [settle(d - total) for d in distances]


def log_sum_exp(logits: Sequence[Number]) -> Number:
    """log Σ exp(z_j), the largest logit taken out first."""
    powers = [exp(d) for d in _below_the_largest(logits)]
    return settle(max(logits, key=midpoint) + log(sum(powers[1:], powers[0])))


def _below_the_largest(logits: Sequence[Number]) -> list[Number]:
    """z_i - z_top, with exactly 0 for the top itself."""
    top = max(range(len(logits)), key=lambda i: midpoint(logits[i]))
    return [ZERO if i == top else z - logits[top] for i, z in enumerate(logits)]


def _require_positive(x: Number, name: str) -> None:
    """Refuse what is not certainly a positive number."""
    if x > 0:
        return
    if x <= 0:
        raise DomainError(f"{name} of a number that is not positive")
    raise UndecidedSign(f"{name} of a number that may be zero or negative")


def _root(n: fmpz, degree: int) -> int | None:
    """The whole ``degree``-th root of n, if it has one."""
    if degree == 1:
        return int(n)
    if n < 0:
        return None
    root = n.root(degree)
    return int(root) if root**degree == n else None
