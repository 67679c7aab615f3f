"""What fits: the sizes and the labels that an operation takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.oracle.values import Array, Shape, real


class Misfit(Exception):
    """Sizes that do not fit, or labels that are none: the engine adds the equation."""


def describe(shape: Shape) -> str:
    """``2 × 3``, or ``a scalar``."""
    return " × ".join(map(str, shape)) or "a scalar"


def broadcast(*operands: Array, **_: Any) -> None:
    """The result must have the shape of one operand: only the others are stretched."""
    shapes = [x.shape for x in operands]
    try:
        whole = np.broadcast_shapes(*shapes)
    except ValueError:
        raise Misfit(f"the sizes {' and '.join(map(describe, shapes))} do not fit") from None
    if whole not in shapes:
        raise Misfit(f"{' and '.join(map(describe, shapes))} would both be stretched to {describe(whole)}")


def fits_matmul(a: Array, b: Array) -> None:
    """Two matrices with one inner size."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise Misfit(f"the matrix product of {describe(a.shape)} and {describe(b.shape)} does not exist")


def has_axis(x: Array, axis: int | None = None, **_: Any) -> None:
    """An axis that is there."""
    if axis is not None and not -x.ndim <= axis < x.ndim:
        raise Misfit(f"{describe(x.shape)} has no axis {axis}")


def fits_labels(z: Array, y: Array, axis: int = -1, **_: Any) -> None:
    """Labels of the logits' size, or one class number a sample."""
    has_axis(z, axis)
    classes = z.shape[axis]
    if classes == 1:
        raise Misfit(
            f"the class axis of {describe(z.shape)} has size 1: axis={0 if axis in (-1, 1) else -1} is the other"
        )
    if y.shape == z.shape:
        return
    if y.size != z.size // classes:
        raise Misfit(f"the labels ({describe(y.shape)}) fit neither {describe(z.shape)} nor one number a sample")
    labels = real(y).ravel()
    if ((labels != np.floor(labels)) | (labels < 0) | (labels >= classes)).any():
        raise Misfit(f"class numbers are whole, from 0 to {classes - 1}")


def fits_key(x: Array, items: tuple[Any, ...]) -> None:
    """Indices inside the array."""
    if len(items) > x.ndim:
        raise Misfit(f"{len(items)} indices for {describe(x.shape)}")
    for item, size in zip(items, x.shape, strict=False):
        if isinstance(item, int) and not -size <= item < size:
            raise Misfit(f"there is no index {item} in {describe(x.shape)} (counted from 0)")


def anything(*_: Any, **__: Any) -> None:
    """Every size fits."""
