"""Comparisons, ``clip`` and *inside* of certified numbers: taken only where they are certain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flint import fmpq

from derive.numbers.balls import DomainError, Number
from derive.numbers.functions import compare


def clip(a: Number, low: Number, high: Number) -> Number:
    """``a`` inside the bounds, the nearer bound outside. Raises ``DomainError`` for bounds the wrong way round."""
    if compare(">", low, high):
        raise DomainError("clip with a lower bound above the upper one")
    if compare("<=", a, low):
        return low
    return high if compare(">=", a, high) else a


def inside(a: Number, low: Number, high: Number) -> Number:
    """1 where ``low < a < high``, else 0."""
    return fmpq(int(compare("<", low, a) and compare("<", a, high)))


def holds(relation: str, a: Number, b: Number) -> Number:
    """1 where ``a relation b``, else 0. One and the same number is its own equal, however wide its ball."""
    if a is b:
        return fmpq(int(relation in ("<=", ">=", "==")))
    return fmpq(int(compare(relation, a, b)))


CHOICES: Mapping[str, Callable[..., Number]] = {"clip": clip, "inside": inside}


def chooser(name: str, at: tuple[Any, ...]) -> Callable[..., Number]:
    """A choosing op of the graph's table as a function of numbers; ``at`` holds the relation of a comparison."""
    return partial(holds, at[0]) if name == "compare" else CHOICES[name]
