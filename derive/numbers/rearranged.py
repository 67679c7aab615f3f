"""Entries of NumPy's arrays taken, put and joined: the same for every kind of number.

A slice is anything that knows its ``places`` along an axis; ``None`` is the whole axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any


def taken(a: Array, slices: Sequence[Any]) -> Array:
    """The entries in the slices; no axis is lost."""
    for axis, part in enumerate(slices):
        if part is not None:
            a = np.take(a, part.places, axis=axis)
    return a


def put(a: Array, slices: Sequence[Any], zeros: Array) -> Array:
    """A copy of ``zeros`` with the entries of ``a`` (of a number: the number) in the slices."""
    result = np.array(zeros)
    places = [range(n) if part is None else part.places for part, n in zip(slices, result.shape, strict=True)]
    result[np.ix_(*places)] = a
    return result


def joined(parts: Sequence[Array], axis: int) -> Array:
    """One behind another along an axis; a number is a block of one entry."""
    return np.concatenate([part if part.ndim else part.reshape(1, 1) for part in parts], axis=axis)


class Rearranged:
    """What a kind of number that lives in NumPy's object arrays needs for the rearranging rows of the op table."""

    zero: Any
    one: Any

    def take(self, a: Array, slices: Sequence[Any]) -> Array:
        return taken(a, slices)

    def put(self, a: Array, slices: Sequence[Any], shape: Sequence[Any]) -> Array:
        return put(a, slices, np.full(tuple(map(int, shape)), self.zero, dtype=object))

    def join(self, parts: Sequence[Array], axis: int) -> Array:
        return joined(parts, axis)

    def entry(self, a: Array, place: tuple[int, ...]) -> Array:
        result = np.empty((), dtype=object)
        result[()] = a[place]
        return result

    def one_hot(self, chosen: Sequence[int], classes: int) -> Array:
        result = np.full((len(chosen), classes), self.zero, dtype=object)
        result[np.arange(len(chosen)), list(chosen)] = self.one
        return result

    def reshape(self, a: Array, shape: Sequence[Any]) -> Array:
        return a.reshape(tuple(map(int, shape)))
