"""Arrays of certified numbers: NumPy's object arrays, with FLINT underneath where it counts.

An entry is an ``fmpq`` or an ``arb``. Every array here is an ``ndarray``, a scalar one of shape ``()``: NumPy unwraps
the result of ``a + b`` of two such scalars to the bare entry, so what comes out of NumPy goes through ``wrap`` (or
``settle_all``, which does the same).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat, fmpq, fmpq_mat

from derive.numbers import functions
from derive.numbers.balls import DomainError, Number, UndecidedSign, midpoint, settle
from derive.numbers.rounding import Printed, Rounding, printed_all
from derive.numbers.tensor import Tensor

Array: TypeAlias = npt.NDArray[np.object_]

LONGEST_DENOMINATOR = 8192  # bits of a common denominator up to which a product of rationals is worked out exactly


def filled(shape: tuple[int, ...], entries: Iterable[Number]) -> Array:
    """The array of ``shape`` with these entries, row by row."""
    result = np.empty(shape, dtype=object)
    result.reshape(-1)[:] = list(entries)
    return result


def from_tensor(tensor: Tensor) -> Array:
    """The entries of a problem's data."""
    return filled(tensor.shape, tensor.entries)


def wrap(value: Any) -> Array:
    """An array again, where NumPy has unwrapped a scalar."""
    if isinstance(value, np.ndarray):
        return value
    return filled((), (value,))


def entries(a: Array) -> list[Number]:
    """All entries, row by row."""
    return a.ravel().tolist()


def settle_all(value: Any) -> Array:
    """``settle`` of every entry: the form in which a result goes on."""
    a = wrap(value)
    return filled(a.shape, map(settle, entries(a)))


def all_exact(a: Array) -> bool:
    """Whether every entry is an exact rational."""
    return set(map(type, entries(a))) <= {fmpq}


def to_floats(a: Array) -> npt.NDArray[np.float64]:
    """The midpoints as doubles, in the same shape."""
    return np.array([midpoint(x) for x in entries(a)], dtype=np.float64).reshape(a.shape)


def print_array(a: Array, rounding: Rounding) -> list[Printed | None]:
    """Every entry printed, row by row; ``None`` where the ball is too wide."""
    return printed_all(entries(a), rounding)


def elementwise(f: Callable[..., Number], *operands: Array) -> Array:
    """``f`` of every entry, or of entries side by side after broadcasting, settled.

    ``DomainError`` and ``UndecidedSign`` are raised again with the index of the entry.
    """
    first, *others = np.broadcast_arrays(*operands) if len(operands) > 1 else operands
    results: list[Number] = []
    try:
        for arguments in zip(entries(first), *map(entries, others), strict=True):
            results.append(settle(f(*arguments)))
    except (DomainError, UndecidedSign) as error:
        entry = tuple(int(i) for i in np.unravel_index(len(results), first.shape)) if first.shape else ()
        raise type(error)(error.message, entry) from None
    return filled(first.shape, results)


def along(f: Callable[[list[Number]], list[Number]], a: Array, axis: int) -> Array:
    """``f`` of every line of entries along an axis, such as a softmax; the shape is kept."""
    lines = np.moveaxis(a, axis, -1)
    flat = entries(lines)
    width = lines.shape[-1]
    results = [y for i in range(0, len(flat), width) for y in f(flat[i : i + width])]
    return np.moveaxis(filled(lines.shape, results), -1, axis)


def diag(vector: Array) -> Array:
    """The diagonal matrix of a row or a column."""
    result = filled((vector.size, vector.size), [fmpq(0)] * vector.size**2)
    np.fill_diagonal(result, vector.ravel())
    return result


def divide(a: Array, b: Array) -> Array:
    """a / b with broadcasting; errors name the entry of the broadcast result."""
    return elementwise(functions.divide, a, b)


def total(a: Array, axis: int | None = None) -> Array:
    """The sum over all entries (shape ``()``), or along an axis, which stays with size 1."""
    if axis is None:
        return settle_all(np.add.reduce(a.ravel())) if a.size else filled((), (fmpq(0),))
    return settle_all(np.add.reduce(a, axis=axis, keepdims=True))


def matmul(a: Array, b: Array) -> Array:
    """The matrix product of two 2-D arrays, settled.

    Exact entries stay exact: an entry of the product is a ball only if a ball really enters it, that is if some ball
    is multiplied with something other than zero. Raises ``ValueError`` for other shapes.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"no matrix product of {a.shape} and {b.shape}")
    left, right = entries(a), entries(b)
    shape = (a.shape[0], b.shape[1])
    if not left or not right:
        return filled(shape, [fmpq(0)] * (shape[0] * shape[1]))
    balls_left = np.array([type(x) is arb for x in left]).reshape(a.shape)
    balls_right = np.array([type(x) is arb for x in right]).reshape(b.shape)
    short = _short_denominator(left) and _short_denominator(right)
    if not balls_left.any() and not balls_right.any() and short:
        return filled(shape, map(settle, _exact_product(left, right, a.shape, b.shape)))
    product: list[Number] = list(_ball_product(left, right, a.shape, b.shape))
    if short:
        nonzero_left = np.array([x != 0 for x in left]).reshape(a.shape)
        nonzero_right = np.array([x != 0 for x in right]).reshape(b.shape)
        # In doubles: NumPy multiplies matrices of whole numbers or truth values without BLAS, a hundred times slower.
        reached = balls_left.astype(float) @ nonzero_right + nonzero_left.astype(float) @ balls_right
        untouched = np.flatnonzero(reached.ravel() == 0)
        if untouched.size:
            zero = fmpq(0)
            plain = _exact_product(
                [x if type(x) is fmpq else zero for x in left],
                [x if type(x) is fmpq else zero for x in right],
                a.shape,
                b.shape,
            )
            for k in untouched.tolist():
                product[k] = plain[k]
    return filled(shape, map(settle, product))


def _exact_product(left: list[Any], right: list[Any], a: tuple[int, ...], b: tuple[int, ...]) -> list[fmpq]:
    return (fmpq_mat(a[0], a[1], left) * fmpq_mat(b[0], b[1], right)).entries()


def _ball_product(left: list[Any], right: list[Any], a: tuple[int, ...], b: tuple[int, ...]) -> list[arb]:
    return (arb_mat(a[0], a[1], left) * arb_mat(b[0], b[1], right)).entries()


def _short_denominator(numbers: list[Number]) -> bool:
    """Whether a common denominator is short enough for exact work (data are decimals: it nearly always is)."""
    common = None
    for q in {x.q for x in numbers if isinstance(x, fmpq)}:
        common = q if common is None else common.lcm(q)
        if common.bit_length() > LONGEST_DENOMINATOR:
            return False
    return True
