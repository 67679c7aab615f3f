"""Determinant and inverse of certified matrices: exact as long as every entry is, FLINT's balls from there.

A matrix of rationals is singular or it is not; of balls FLINT either encloses the inverse or cannot tell, and then more
precision is asked for.
"""

from __future__ import annotations

from typing import Any

from flint import arb, arb_mat, fmpq, fmpq_mat

from derive.numbers.arrays import Array, all_exact, entries, filled, wrap
from derive.numbers.balls import DomainError, Number, UndecidedSign, settle


def determinant(a: Array) -> Array:
    """The determinant of a square matrix, of shape ``()``."""
    return wrap(_determinant(a))


def inverse(a: Array) -> Array:
    """The inverse of a square matrix.

    Raises ``DomainError`` where the matrix is singular, ``UndecidedSign`` where its balls do not tell.
    """
    try:
        found: list[Any] = _flint(a).inv().entries()
    except ZeroDivisionError:
        raise _singular(a, "there is no inverse") from None
    return filled(a.shape, map(settle, found))


def log_determinant(a: Array) -> Array:
    """log |det a|, of shape ``()``. Raises as ``inverse`` does."""
    det = _determinant(a)
    if det == 0:
        raise _singular(a, "the logarithm of its determinant does not exist")
    if not (det > 0 or det < 0):
        raise UndecidedSign("a determinant that may be zero")
    return wrap(fmpq(0) if det in (1, -1) else arb(det if det > 0 else -det).log())


def _determinant(a: Array) -> Number:
    return settle(_flint(a).det())


def _flint(a: Array) -> Any:
    kind: Any = fmpq_mat if all_exact(a) else arb_mat
    return kind(a.shape[0], a.shape[1], entries(a))


def _singular(a: Array, what: str) -> ArithmeticError:
    if all_exact(a):
        return DomainError(f"the matrix is singular (its determinant is 0): {what}")
    return UndecidedSign("a matrix that may be singular")
