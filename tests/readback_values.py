"""What a tree is worth: arrays of rationals and FLINT balls, and every function of the language in them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from readback_tokens import NotRead, Slip

BITS = 160
ZERO, ONE = fmpq(0), fmpq(1)


Number = Any  # fmpq | arb


def _meet(x: Number, y: Number) -> bool:
    return bool(x == y) if isinstance(x, fmpq) and isinstance(y, fmpq) else bool(ball(x).overlaps(ball(y)))


INDICATED: Mapping[str, Callable[[Number, Number], Any]] = {
    "<": operator.lt, r"\le": operator.le, ">": operator.gt, r"\ge": operator.ge,
    "=": _meet, r"\ne": lambda x, y: not _meet(x, y),
}  # fmt: skip


def matrix_of(array: Any) -> Any:
    """The matrix of FLINT's that holds these numbers."""
    kind: Any = fmpq_mat if all(isinstance(x, fmpq) for x in array.ravel()) else arb_mat
    return kind(*array.shape, array.ravel().tolist())


def matrix_inverse(array: Any) -> Any:
    """The inverse; a ``Slip`` where there is none."""
    if array.shape[0] != array.shape[1]:
        raise Slip("the inverse of a matrix that is not square")
    found = np.empty(array.shape, dtype=object)
    try:
        found.reshape(-1)[:] = matrix_of(array).inv().entries()
    except ZeroDivisionError:
        raise Slip("the inverse of a singular matrix") from None
    return found


def literal(digits: str, exponent: int = 0) -> Number:
    """A decimal as the rational it spells."""
    whole, _, part = digits.partition(".")
    return fmpq(int(whole + part)) * fmpq(10) ** (exponent - len(part))


@dataclass(frozen=True)
class Value:
    """Numbers in a matrix (a scalar is 1 x 1). ``free`` marks an axis of fitting size along which nothing changes.

    With ``eye`` it is a multiple of the unit matrix of fitting size.
    """

    array: Any
    free: tuple[bool, bool] = (False, False)
    eye: bool = False

    @classmethod
    def scalar(cls, x: Number) -> Value:
        """One number."""
        array = np.empty((1, 1), dtype=object)
        array[0, 0] = x
        return cls(array)

    @property
    def lone(self) -> bool:
        """Whether it is one number."""
        return self.array.shape == (1, 1) and not any(self.free)

    def fitted(self, shape: tuple[int, int]) -> Any:
        """The array with its free axes stretched. Raises ``Slip`` where the sizes are others."""
        if self.eye and shape[0] == shape[1]:
            array = np.full(shape, fmpq(0), dtype=object)
            np.fill_diagonal(array, self.array[0, 0])
            return array
        wanted = tuple(
            size if free else here for size, here, free in zip(shape, self.array.shape, self.free, strict=True)
        )
        if wanted != shape:
            raise Slip(f"{self.array.shape} where {shape} belongs")
        return np.broadcast_to(self.array, shape)


def combined(f: Callable[..., Number], *parts: Value) -> Value:
    """Entry by entry; a number, a row or a column is stretched."""
    if any(part.eye for part in parts) and len(parts) > 1:
        raise NotRead("a unit matrix in a sum")
    sizes = []
    for axis in (0, 1):
        fixed = {part.array.shape[axis] for part in parts if not part.free[axis] and part.array.shape[axis] != 1}
        if len(fixed) > 1:
            raise Slip("sizes " + " and ".join(str(part.array.shape) for part in parts) + " do not fit")
        sizes.append(fixed.pop() if fixed else 1)
    stretched = np.broadcast_arrays(*(part.array for part in parts))
    result = np.empty(stretched[0].shape, dtype=object)
    for index in np.ndindex(result.shape):
        result[index] = f(*(array[index] for array in stretched))
    free = tuple(
        all(part.free[axis] or part.lone for part in parts) and any(part.free[axis] for part in parts)
        for axis in (0, 1)
    )
    return Value(result, (free[0], free[1]), parts[0].eye)


def times(a: Value, b: Value) -> Value:
    """Scaling where one is a number, else the product of matrices."""
    if a.eye or b.eye:
        scaled = times(Value(a.array, a.free), Value(b.array, b.free))
        return Value(scaled.array, scaled.free, a.lone and b.lone)
    if a.lone or b.lone:
        return combined(lambda x, y: x * y, a, b)
    left, right = a.array, b.array
    if a.free[1] and b.free[0]:
        raise Slip("a product of ones whose size nothing says")
    if a.free[1]:
        left = np.broadcast_to(left, (left.shape[0], right.shape[0]))
    if b.free[0]:
        right = np.broadcast_to(right, (left.shape[1], right.shape[1]))
    if left.shape[1] != right.shape[0]:
        raise Slip(f"a product of {left.shape} and {right.shape}")
    return Value(left.dot(right), (a.free[0], b.free[1]))


def mapped(f: Callable[[Number], Number], a: Value) -> Value:
    """A function of each entry."""
    return combined(f, a)


def ball(x: Number) -> Number:
    """A number as a ball."""
    return x if isinstance(x, arb) else arb(x)


def _sigmoid(x: Number) -> Number:
    return 1 / (1 + (-ball(x)).exp())


def _relu(x: Number, slope: Number = ZERO) -> Number:
    if x >= 0:
        return x
    if x <= 0:
        return slope * x
    low, high = slope * ball(x).lower(), ball(x).upper()
    return low.union(high)


def _step(x: Number, below: Number, at: Number, above: Number = ONE) -> Number:
    if x > 0:
        return above
    if x < 0:
        return below
    if x == 0:
        return at
    return ball(below).union(ball(above)).union(ball(at))


def _abs(x: Number) -> Number:
    return abs(x) if isinstance(x, arb) else (x if x >= 0 else -x)


def _larger(x: Number, y: Number) -> Number:
    if isinstance(x, fmpq) and isinstance(y, fmpq):
        return max(x, y)
    return ball(x).max(ball(y))


def _smaller(x: Number, y: Number) -> Number:
    return -_larger(-x, -y)


def _power(x: Number, exponent: fmpq) -> Number:
    if exponent.q == 1:
        return x ** int(exponent.p)
    return ball(x) ** ball(exponent)


def _divide(x: Number, y: Number) -> Number:
    if isinstance(y, fmpq) and y == 0:
        raise Slip("division by zero")
    return x / y


def _elu(x: Number) -> Number:
    return x if x >= 0 else ball(x).exp() - 1


def _gelu(x: Number) -> Number:
    return ball(x) * (1 + (ball(x) / arb(2).sqrt()).erf()) / 2


def _gelu_slope(x: Number) -> Number:
    x = ball(x)
    return (1 + (x / arb(2).sqrt()).erf()) / 2 + x * (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


FUNCTIONS: Mapping[str, Callable[[Number], Number]] = {
    "sigmoid": _sigmoid,
    "tanh": lambda x: ball(x).tanh(),
    "exp": lambda x: ball(x).exp(),
    "log": lambda x: ball(x).log(),
    "log2": lambda x: ball(x).log() / arb(2).log(),
    "sin": lambda x: ball(x).sin(),
    "cos": lambda x: ball(x).cos(),
    "relu": _relu,
    "elu": _elu,
    "softplus": lambda x: (1 + ball(x).exp()).log(),
    "silu": lambda x: ball(x) * _sigmoid(x),
    "gelu": _gelu,
    "erf": lambda x: ball(x).erf(),
    "abs": _abs,
    "sgn": lambda x: _step(x, fmpq(-1), fmpq(0)),
    "sqrt": lambda x: ball(x).sqrt(),
}


SLOPES: Mapping[str, Callable[[Number], Number]] = {
    "sigmoid": lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    "tanh": lambda x: 1 - ball(x).tanh() ** 2,
    "exp": lambda x: ball(x).exp(),
    "log": lambda x: 1 / ball(x),
    "log2": lambda x: 1 / (ball(x) * arb(2).log()),
    "sin": lambda x: ball(x).cos(),
    "cos": lambda x: -ball(x).sin(),
    "softplus": _sigmoid,
    "elu": lambda x: fmpq(1) if x > 0 else ball(x).exp(),
    "silu": lambda x: _sigmoid(x) * (1 + ball(x) * (1 - _sigmoid(x))),
    "gelu": _gelu_slope,
    "abs": lambda x: _step(x, fmpq(-1), fmpq(0)),
    "sqrt": lambda x: 1 / (2 * ball(x).sqrt()),
}


def widened(centre: Number, radius: Number) -> Number:
    """The ball around a number."""
    return ball(centre) + arb(0, ball(radius))


def meets(a: Number, b: Number) -> bool:
    """Whether two may be the same number; a ball without bounds says nothing and so may be any."""
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a == b)
    a, b = ball(a), ball(b)
    return not (a.is_finite() and b.is_finite()) or bool(a.overlaps(b))


def telling(a: Number) -> bool:
    """Whether a number is known to far more digits than are printed."""
    return isinstance(a, fmpq) or (a.is_finite() and bool(a.rad() <= abs(a.mid()) * arb(2) ** -60 + arb(2) ** -90))
