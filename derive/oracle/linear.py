"""Matrices as wholes, in doubles: trace, diagonals, determinant, inverse, norms.

Every value takes complex numbers too, for the complex step (``log |det|`` by the sign of its real part), and balls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb_mat

from derive.oracle.fits import Misfit, describe
from derive.oracle.values import Array, balls, real, total


def square(a: Array) -> None:
    """As many rows as columns."""
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise Misfit(f"a square matrix is expected, and this is {describe(a.shape)}")


def fits_diagonal(a: Array) -> None:
    """A row, a column or a square matrix."""
    if a.ndim != 2 or (1 not in a.shape and a.shape[0] != a.shape[1]):
        raise Misfit(f"a vector or a square matrix is expected, and this is {describe(a.shape)}")


def vectors(*operands: Array) -> None:
    """Rows or columns."""
    for x in operands:
        if x.ndim != 2 or 1 not in x.shape:
            raise Misfit(f"a row or a column is expected, and this is {describe(x.shape)}")


def diagonal_of(x: Array) -> Any:
    """Of a row or column the diagonal matrix, of a matrix its diagonal as a row."""
    if 1 in x.shape:
        return np.diagflat(x) if x.dtype != object else np.where(np.eye(x.size, dtype=bool), x.reshape(1, -1), 0)
    return x.diagonal().reshape(1, -1)


def diagonal_back(g: Array, y: Array, x: Array) -> Any:
    """The adjoint of ``diagonal_of``."""
    return g.diagonal().reshape(x.shape) if 1 in x.shape else np.diagflat(g)


def _balls(x: Array) -> arb_mat:
    return arb_mat(x.shape[0], x.shape[1], x.ravel().tolist())


def det(x: Array) -> Any:
    """The determinant."""
    return balls((), [_balls(x).det()]) if x.dtype == object else np.asarray(np.linalg.det(x))


def logdet(x: Array) -> Any:
    """The logarithm of the determinant's absolute value."""
    if x.dtype == object:
        return balls((), [abs(_balls(x).det()).log()])
    d = np.linalg.det(x)
    return np.asarray(np.log(d if real(np.asarray(d)) > 0 else -d))


def inv(x: Array) -> Any:
    """The inverse; no number where there is none."""
    if x.dtype == object:
        return balls(x.shape, _balls(x).inv().entries())
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return np.full(x.shape, np.nan)


def norm(x: Array, axis: int | None = None) -> Any:
    """The root of the sum of squares."""
    return np.sqrt(total(x * x, axis))


def norm_back(g: Array, y: Array, side: Array, x: Array, axis: int | None = None) -> Any:
    """x over its norm, times the adjoint; nothing at the kink, where the norm is 0."""
    return g * x / np.where(side == 0, 1, y)
