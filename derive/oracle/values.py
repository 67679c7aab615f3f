"""Values that are not one NumPy call. Each takes float64, complex128 and object arrays of balls alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat, fmpq

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]


def double(x: fmpq) -> float:
    """The nearest double, for rationals of any length."""
    try:
        return int(x.p) / int(x.q)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def balls(shape: Shape, entries: Iterable[Any]) -> Array:
    """An object array of balls."""
    result = np.empty(shape, dtype=object)
    result.reshape(-1)[:] = [arb(x) for x in entries]
    return result


def as_balls(value: Any) -> Array:
    """An array of balls again, where NumPy has unwrapped a scalar or a branch has put in plain numbers."""
    if not isinstance(value, np.ndarray):
        return balls((), [value])
    return balls(value.shape, value.ravel().tolist())


def sum_to(g: Array, shape: Shape) -> Any:
    """Undo a broadcast: sum over the axes along which an operand was stretched."""
    if g.ndim < len(shape) or g.size < math.prod(shape):
        return np.broadcast_to(g, shape)
    if g.ndim > len(shape):
        g = np.add.reduce(g, axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and g.shape[i] != 1)
    return np.add.reduce(g, axis=stretched, keepdims=True) if stretched else g


def real(x: Array) -> Array:
    """The numbers that decide a branch."""
    return np.array([float(ball) for ball in x.ravel().tolist()]).reshape(x.shape) if x.dtype == object else x.real


def positive(x: Array) -> Array:
    """Where the number that decides is above zero."""
    return real(x) > 0


def total(x: Array, axis: int | None = None) -> Any:
    """The sum along an axis, which keeps size 1, or of all."""
    return np.add.reduce(x, axis=axis, keepdims=True) if axis is not None else np.add.reduce(x, axis=None)


def terms(x: Array, axis: int | None) -> int:
    """How many entries a mean takes together."""
    return x.size if axis is None else int(x.shape[axis])


def matmul(a: Array, b: Array) -> Any:
    """The matrix product, for balls by FLINT."""
    if a.dtype == object:
        left, right = (arb_mat(x.shape[0], x.shape[1], x.ravel().tolist()) for x in (a, b))
        return balls((a.shape[0], b.shape[1]), (left * right).entries())
    if a.dtype != b.dtype:  # a complex step in one factor: two real products instead of the four of a complex one
        return (a.real @ b.real) + 1j * (a @ b.imag if b.dtype == complex else a.imag @ b)
    return a @ b


def sigmoid(x: Array) -> Any:
    """1 / (1 + e^-x)."""
    above = positive(x)
    small = np.exp(np.where(above, -x, x))  # never overflows
    return np.where(above, 1, small) / (1 + small)


def softplus(x: Array) -> Any:
    """log(1 + e^x)."""
    above = positive(x)
    return np.where(above, x, 0) + np.log1p(np.exp(np.where(above, -x, x)))


def elu(x: Array) -> Any:
    """x above zero, e^x - 1 below."""
    above = positive(x)
    return np.where(above, x, np.expm1(np.where(above, 0 * x, x)))


def log2(x: Array) -> Any:
    """The logarithm to base 2."""
    return np.log(x) / (arb(2).log() if x.dtype == object else math.log(2))


def power(x: Array, exponent: Any) -> Any:
    """x to a constant exponent."""
    if x.dtype == object:
        return np.power(x, exponent)
    if isinstance(exponent, int) and x.dtype == complex:  # the library goes through log, with a branch cut
        result, square, n = np.ones_like(x), x, abs(exponent)
        while n:
            result, square, n = (result * square if n & 1 else result), (square * square if n > 1 else square), n >> 1
        return result if exponent >= 0 else 1 / result
    return np.power(x, float(exponent))


_math_erf = np.vectorize(math.erf, otypes=[float])


def erf(x: Any) -> Any:
    """The error function; beside the real line by Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (Abramowitz and Stegun 7.1.6)."""
    if isinstance(x, arb) or x.dtype == object:  # NumPy unwraps a ball that stands alone
        x = as_balls(x)
        return balls(x.shape, [ball.erf() for ball in x.ravel().tolist()])
    if x.dtype != complex:
        return _math_erf(x)
    inner = np.where(abs(x.real) < 6, x, 0)  # beyond 6 it is 1 to the last bit of a double
    term, total = inner, inner
    for n in range(1, 160):
        term = term * (2 * inner * inner / (2 * n + 1))
        total = total + term
    return np.where(abs(x.real) < 6, 2 / math.sqrt(math.pi) * np.exp(-inner * inner) * total, np.sign(x.real))


def gelu(x: Array) -> Any:
    """x Φ(x), with the exact Φ."""
    return x * (1 + erf(x * math.sqrt(0.5))) * 0.5


def softmax(z: Array, axis: int = -1) -> Any:
    """e^z over its sum along the axis."""
    powers = np.exp(z - top(z, axis))
    return powers / total(powers, axis)


def log_softmax(z: Array, axis: int = -1) -> Any:
    """The logarithm of ``softmax``, without its underflow."""
    shifted = z - top(z, axis)
    return shifted - np.log(total(np.exp(shifted), axis))


def top(z: Array, axis: int) -> Any:
    """The largest entry along the axis."""
    return np.max(real(z), axis=axis, keepdims=True)


def one_hot(z: Array, y: Array, axis: int) -> Array:
    """The target distribution: ``y`` itself, or the indicator of its class numbers (one a sample, in order)."""
    if y.shape == z.shape:
        return y
    lines = np.zeros_like(np.moveaxis(real(z), axis, -1), order="C")
    flat = lines.reshape(-1, lines.shape[-1])
    flat[np.arange(len(flat)), real(y).ravel().astype(int)] = 1
    return np.moveaxis(lines, -1, axis)


def samples(z: Array, axis: int, reduction: str) -> int:
    """By how many a mean over samples divides."""
    return z.size // z.shape[axis] if reduction == "mean" else 1


def cross_entropy(z: Array, y: Array, axis: int = -1, reduction: str = "mean") -> Any:
    """-Σ y log softmax(z), over the number of samples where the reduction is a mean."""
    return -total(one_hot(z, y, axis) * log_softmax(z, axis)) / samples(z, axis, reduction)


def cross_entropy_by_z(g: Array, v: Array, z: Array, y: Array, axis: int = -1, reduction: str = "mean") -> Any:
    """Its adjoint by the logits."""
    t = one_hot(z, y, axis)
    return g * (softmax(z, axis) * total(t, axis) - t) / samples(z, axis, reduction)


def cross_entropy_by_y(g: Array, v: Array, z: Array, y: Array, axis: int = -1, reduction: str = "mean") -> Any:
    """Its adjoint by the labels."""
    if y.shape != z.shape:
        return np.zeros(y.shape)  # class numbers do not move
    return -g * log_softmax(z, axis) / samples(z, axis, reduction)


def key(x: Array, items: tuple[Any, ...]) -> tuple[Any, ...]:
    """NumPy's key: whole numbers for every axis pick an entry, otherwise every axis stays."""
    if len(items) == x.ndim and all(isinstance(item, int) for item in items):
        return items
    return tuple(slice(i, i + 1 or None) if isinstance(i, int) else slice(*i) for i in items)


def index_back(g: Array, y: Array, x: Array, items: tuple[Any, ...]) -> Array:
    """The adjoint in its place, zeros elsewhere."""
    result = np.zeros(x.shape, dtype=np.result_type(g, x))
    result[key(x, items)] = g
    return result
