"""Mean 0 and variance 1 along an axis, in doubles: the value, and its adjoint through mean and variance by hand.

With n entries in a line, x minus its mean c, and 1/s the reciprocal deviation r, the adjoint is that of a product c r
whose factor r moves by -r^3 (c . dc) / n, and c by what is left of dx less its mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.oracle.fits import Misfit, describe
from derive.oracle.values import Array, total


def has_lines(x: Array, axis: int, **_: Any) -> None:
    """A matrix with more than one entry along the axis."""
    if x.ndim != 2 or x.shape[axis] == 1:
        raise Misfit(f"what is normalised needs more than one entry in a line, and this is {describe(x.shape)}")


def _parts(x: Array, axis: int, eps: Any) -> tuple[Array, Any]:
    n = x.shape[axis]
    c = x - total(x, axis) / n
    return c, 1 / np.sqrt(total(c * c, axis) / n + eps)


def standardise(x: Array, axis: int, eps: Any) -> Any:
    """(x - mean) / sqrt(variance + eps)."""
    c, r = _parts(x, axis, eps)
    return c * r


def standardise_back(g: Array, y: Array, x: Array, axis: int, eps: Any) -> Any:
    """The adjoint of ``standardise``: first of the centred entries, then of the entries themselves."""
    n = x.shape[axis]
    c, r = _parts(x, axis, eps)
    by_c = g * r - c * r**3 * total(g * c, axis) / n
    return by_c - total(by_c, axis) / n
