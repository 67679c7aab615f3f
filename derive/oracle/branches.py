"""Kinks: the sign of a gap decides the branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.oracle.values import Array, real, total


def first_zero(side: Array, axis: int | None) -> Array:
    """Where ``side`` is zero for the first time along the axis: the winner of a max, the first among equals."""
    zero = side == 0
    order = zero.cumsum(axis=axis).reshape(zero.shape) if axis is None else zero.cumsum(axis=axis)
    return np.asarray(zero & (order == 1))


def below_max(x: Array, axis: int | None, flip: int = 1) -> Any:
    """The gap of a reduction: x minus its largest entry (``flip=-1``: the smallest), never positive."""
    real = flip * (ranks(x) if x.dtype == object else x.real)
    return flip * (x - total(np.where(first_zero(real - np.max(real, axis=axis, keepdims=True), axis), x, 0), axis))


def ranks(x: Array) -> Array:
    """The order of balls by their midpoints, which doubles may blur."""
    mids = [ball.mid() for ball in x.ravel().tolist()]
    ranks, last = np.zeros(len(mids)), -1
    for rank, i in enumerate(sorted(range(len(mids)), key=mids.__getitem__)):
        ranks[i] = ranks[last] if last >= 0 and mids[last] == mids[i] else rank
        last = i
    return ranks.reshape(x.shape)


def several(side: Array, axis: int | None) -> Array:
    """Where a largest entry has equals."""
    return np.asarray((side == 0) & (np.sum(side == 0, axis=axis, keepdims=True) > 1))


def pick(side: Array, x: Array, axis: int | None) -> Any:
    """The winner of a max along an axis, which keeps size 1."""
    return total(np.where(first_zero(side, axis), x, 0), axis)


def clip_gap(x: Array, low: Any, high: Any) -> Any:
    """Positive inside, zero at either end, negative outside."""
    return np.where(real(np.asarray(x - low)) < real(np.asarray(high - x)), x - low, high - x)


def clip(side: Array, x: Array, low: Any, high: Any) -> Any:
    """``x`` inside, the nearer end outside."""
    return np.where(side > 0, x, np.where(real(np.asarray(x - low)) <= real(np.asarray(high - x)), low, high))


def relu_slope(side: Array, low: float, at_zero: float) -> Array:
    """1 above zero, ``low`` below, and between the two as ``at_zero`` says at zero."""
    return np.where(side > 0, 1.0, np.where(side == 0, low + (1 - low) * at_zero, low))


RELATIONS: dict[str, Callable[[Array], Any]] = {
    "<": lambda side: side < 0,
    "<=": lambda side: side <= 0,
    ">": lambda side: side > 0,
    ">=": lambda side: side >= 0,
    "==": lambda side: side == 0,
    "!=": lambda side: side != 0,
}
