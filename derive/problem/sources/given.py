"""Values as they are given from Python: how large nested lists and arrays are, and samples as rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

Shape = tuple[int | str, ...]
Values = Any  # numbers as the reader takes them: a number, nested lists, a NumPy array


def shape_of(value: Values) -> Shape:
    """The sizes of nested lists or of an array, by its first entries; the reader looks at all of them."""
    if hasattr(value, "shape"):
        return tuple(value.shape)
    shape: list[int] = []
    while isinstance(value, list | tuple):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def rows(value: Values) -> tuple[Values, Shape]:
    """Samples as rows: a flat list is one of them, a number a 1 × 1 matrix."""
    shape = shape_of(value)
    return ([[value]], (1, 1)) if not shape else (value, (1, *shape) if len(shape) == 1 else shape)


def flat(value: Values) -> list[Any]:
    """The numbers of nested lists, row by row."""
    return [entry for inner in value for entry in flat(inner)] if shape_of(value) else [value]


def nested(numbers: list[Any], shape: Sequence[Any]) -> Any:
    """Numbers, row by row, as nested lists of a shape."""
    sizes = list(shape)
    for size in reversed(sizes[1:]):
        numbers = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    return numbers


def filled(shape: Shape, value: str) -> Any:
    """One number everywhere."""
    whole = [size for size in shape if isinstance(size, int)]
    return nested([value] * prod(whole), whole)


def size(shape: Shape) -> str:
    """``2 × 3``, or ``a number``."""
    return " × ".join(map(str, shape)) or "a number"
