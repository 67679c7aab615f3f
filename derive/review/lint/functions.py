"""Functions of one number whose argument may be any value of a ball: what comes out holds all their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from flint import arb, fmpq

from derive.numbers.balls import Number
from derive.review.lint.tree import Unread
from derive.review.lint.values import ONE, ZERO, ball

Function = Callable[[Number], Number]


def hull(*values: Number) -> Number:
    """A ball around all of them; one number where they are one."""
    found = ball(values[0])
    for a, b in pairwise(values):
        if isinstance(a, fmpq) and isinstance(b, fmpq) and a == b:
            continue
        found = found.union(ball(b))
    return values[0] if all(isinstance(x, fmpq) and x == values[0] for x in values) else found


def by_sign(x: Number, below: Callable[[], Number], at: Callable[[], Number], above: Callable[[], Number]) -> Number:
    """One of three, or a ball around those that are possible."""
    found = []
    if not x >= 0:
        found.append(below())
    if not (x > 0 or x < 0):
        found.append(at())
    if not x <= 0:
        found.append(above())
    return found[0] if len(found) == 1 else hull(*found)


def sigmoid(x: Number) -> Number:
    """1 / (1 + e^-x), rising."""
    return _rising(lambda z: 1 / (1 + (-z).exp()), x)


def _rising(f: Callable[[arb], arb], x: Number) -> Number:
    """A rising function: from its value at the lower end to that at the upper."""
    if isinstance(x, fmpq) or x.rad() == 0:
        return f(ball(x))
    return f(ball(x).lower()).union(f(ball(x).upper()))


def absolute(x: Number) -> Number:
    """The distance from zero."""
    return abs(x) if isinstance(x, arb) else (x if x >= 0 else -x)


def larger(x: Number, y: Number) -> Number:
    """The larger of two."""
    if isinstance(x, fmpq) and isinstance(y, fmpq):
        return max(x, y)
    return ball(x).max(ball(y))


def smaller(x: Number, y: Number) -> Number:
    """The smaller of two."""
    return -larger(-x, -y)


def power(x: Number, exponent: fmpq) -> Number:
    """x to a rational exponent; of a ball around zero an even power starts at zero."""
    if exponent.q != 1:
        if not x >= 0:
            raise Unread("domain", "a root of a negative number")
        return ball(x) ** ball(exponent)
    p = int(exponent.p)
    if p < 0:
        return divide(ONE, power(x, -exponent))
    if isinstance(x, fmpq):
        return x**p if x.height_bits() * max(p, 1) <= 4096 else ball(x) ** p
    if p % 2 == 0:
        x = ball(absolute(x))
    return _rising(lambda z: z**p, x) if not x.contains(0) or p % 2 == 0 else _multiplied(x, p)


def _multiplied(x: arb, p: int) -> arb:
    found = arb(1)
    for _ in range(min(p, 64)):
        found *= x
    if p > 64:
        raise Unread("unbounded", str(p))
    return found


def divide(x: Number, y: Number) -> Number:
    """x / y. Raises ``Unread`` where the divisor may be zero."""
    if isinstance(y, fmpq) and y == 0:
        raise Unread("domain", "division by zero")
    if isinstance(y, arb) and y.contains(0):
        raise Unread("unbounded", "a divisor that may be zero")
    return x / y


def _root(x: Number) -> Number:
    if not x >= 0:
        raise Unread("domain", "a root of a negative number")
    return _rising(lambda z: z.sqrt(), x)


def _log(x: Number) -> Number:
    if not x > 0:
        raise Unread("domain", "the logarithm of what is not positive")
    return _rising(lambda z: z.log(), x)


def _gelu_slope(x: Number) -> Number:
    z = ball(x)
    return (1 + (z / arb(2).sqrt()).erf()) / 2 + z * (-z * z / 2).exp() / (2 * arb.pi()).sqrt()


def relu(x: Number, slope: Number = ZERO) -> Number:
    """x above zero, ``slope`` times x below."""
    return by_sign(x, lambda: slope * x if isinstance(x, fmpq) else slope * smaller(x, ZERO), lambda: ZERO,
                   lambda: x if isinstance(x, fmpq) or x > 0 else larger(x, ZERO))  # fmt: skip


def step(x: Number, at: Number = ZERO, below: Number = ZERO) -> Number:
    """The derivative of the former: ``at`` is what it is at zero."""
    return by_sign(x, lambda: below, lambda: at, lambda: ONE)


FUNCTIONS: Mapping[str, Function] = {
    "sigmoid": sigmoid,
    "tanh": lambda x: _rising(lambda z: z.tanh(), x),
    "exp": lambda x: ONE if isinstance(x, fmpq) and x == 0 else _rising(lambda z: z.exp(), x),
    "log": _log,
    "log2": lambda x: _log(x) / arb(2).log(),
    "sin": lambda x: ball(x).sin(),
    "cos": lambda x: ball(x).cos(),
    "relu": relu,
    "elu": lambda x: by_sign(x, lambda: ball(x).exp() - 1, lambda: ZERO, lambda: x),
    "softplus": lambda x: _rising(lambda z: z.exp().log1p(), x),
    "silu": lambda x: ball(x) * sigmoid(x),
    "gelu": lambda x: ball(x) * (1 + (ball(x) / arb(2).sqrt()).erf()) / 2,
    "erf": lambda x: _rising(lambda z: z.erf(), x),
    "abs": absolute,
    "sgn": lambda x: by_sign(x, lambda: -ONE, lambda: ZERO, lambda: ONE),
    "sqrt": _root,
}

SLOPES: Mapping[str, Function] = {
    "sigmoid": lambda x: sigmoid(x) * (1 - sigmoid(x)),
    "tanh": lambda x: 1 - power(FUNCTIONS["tanh"](x), fmpq(2)),
    "exp": FUNCTIONS["exp"],
    "log": lambda x: divide(ONE, x),
    "log2": lambda x: 1 / (ball(x) * arb(2).log()),
    "sin": lambda x: ball(x).cos(),
    "cos": lambda x: -ball(x).sin(),
    "softplus": sigmoid,
    "elu": lambda x: by_sign(x, lambda: ball(x).exp(), lambda: ONE, lambda: ONE),
    "silu": lambda x: sigmoid(x) * (1 + ball(x) * (1 - sigmoid(x))),
    "gelu": _gelu_slope,
    "abs": FUNCTIONS["sgn"],
    "sqrt": lambda x: 1 / (2 * ball(_root(x))),
    "relu": step,
}
