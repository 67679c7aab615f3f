"""Arrays put together and cut up again."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from derive.oracle.fits import Misfit, describe
from derive.oracle.values import Array, Shape


def concat_back(count: int) -> tuple[Callable[..., Any], ...]:
    """One pullback for each of ``count`` operands: its own block of the adjoint."""

    def back(k: int, g: Array, y: Array, *parts: Array, axis: int) -> Array:
        ends = np.cumsum([part.shape[axis] for part in parts])
        return np.split(g, ends[:-1], axis=axis)[k]

    return tuple(partial(back, k) for k in range(count))


def fits_concat(*parts: Array, axis: int) -> None:
    """Sizes agree along all axes but one."""
    first = parts[0]
    if first.ndim == 0 or not -first.ndim <= axis < first.ndim:
        raise Misfit(f"{describe(first.shape)} has no axis {axis}")
    rests = {tuple(np.delete(part.shape, axis)) if part.ndim == first.ndim else None for part in parts}
    if len(rests) != 1:
        raise Misfit(f"{' and '.join(describe(part.shape) for part in parts)} do not fit one behind another")


def _as_vectors(shape: Shape, count: int, axis: int) -> tuple[Shape, int]:
    """The shape of a stack, and its axis along which the operands are counted."""
    length = math.prod(shape)
    if not shape:
        return (1, count), 1
    return ((count, length), 0) if axis % 2 == 0 else ((length, count), 1)


def stack(*parts: Array, axis: int) -> Array:
    """Numbers side by side; vectors as the rows or the columns of a matrix."""
    shape, along = _as_vectors(parts[0].shape, len(parts), axis)
    lines = np.stack([part.ravel() for part in parts])
    return (lines if along == 0 else lines.T).reshape(shape)


def stack_back(count: int) -> tuple[Callable[..., Any], ...]:
    """One pullback for each of ``count`` operands: its own line of the adjoint."""

    def back(k: int, g: Array, y: Array, *parts: Array, axis: int) -> Array:
        _, along = _as_vectors(parts[0].shape, count, axis)
        line: Array = np.take(g, k, axis=along)
        return line.reshape(parts[k].shape)

    return tuple(partial(back, k) for k in range(count))


def fits_stack(*parts: Array, axis: int) -> None:
    """Numbers, or vectors of one size."""
    shapes = {part.shape for part in parts}
    if len(shapes) != 1 or (parts[0].ndim and (parts[0].ndim != 2 or 1 not in parts[0].shape)):
        raise Misfit(f"{' and '.join(describe(part.shape) for part in parts)} cannot be stacked")


def fits_reshape(x: Array, **sizes: int) -> None:
    """As many entries as there are."""
    shape = tuple(sizes.values())
    known = math.prod(size for size in shape if size != -1)
    if shape.count(-1) > 1 or x.size % known or (-1 not in shape and x.size != known):
        raise Misfit(f"{describe(x.shape)} has no {describe(shape)} entries")
