"""Losses by their usual names: ``MSELoss()``, ``CrossEntropyLoss()``, …"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, Arrays
from derive.problem.sources.given import rows, shape_of
from derive.records import dataclass

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "SquaredError"]


@runtime_checkable
class Loss(Protocol):
    """What the output is held against a target by."""

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """The loss, its equations added to the draft; a target of ``None`` is known by its shape alone."""


@dataclass(frozen=True)
class MSELoss:
    """The mean of the squared differences, over all entries; ``reduction="sum"`` for their sum."""

    reduction: str = "mean"

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """See ``Loss``."""
        return blocks.squared_error(arrays, y, alike(arrays, y, target), self.reduction)


class SquaredError:
    """Half the sum of the squared differences, as most lectures have it."""

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """See ``Loss``."""
        return blocks.squared_error(arrays, y, alike(arrays, y, target), "sum", half=True)

    def __repr__(self) -> str:
        return "SquaredError()"


@dataclass(frozen=True)
class L1Loss:
    """The mean of the absolute differences; ``reduction="sum"`` for their sum."""

    reduction: str = "mean"

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """See ``Loss``."""
        return blocks.absolute_error(arrays, y, alike(arrays, y, target), self.reduction)


@dataclass(frozen=True)
class CrossEntropyLoss:
    """Softmax and cross-entropy of logits: no ``Softmax()`` goes before it.

    The target is one-hot, or class numbers from 0, one a sample. The mean is over the samples.
    """

    reduction: str = "mean"

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """See ``Loss``."""
        return blocks.cross_entropy(arrays, y, classes(arrays, y, target), self.reduction)


@dataclass(frozen=True)
class BCELoss:
    """The mean of the binary cross-entropies of probabilities: a ``Sigmoid()`` goes before it."""

    reduction: str = "mean"

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """See ``Loss``."""
        return blocks.binary_cross_entropy(arrays, y, alike(arrays, y, target), self.reduction)


@dataclass(frozen=True)
class BCEWithLogitsLoss:
    """A sigmoid, and the mean of the binary cross-entropies: no ``Sigmoid()`` goes before it."""

    reduction: str = "mean"

    def draw(self, arrays: Arrays, y: Array, target: Any) -> Array:
        """See ``Loss``."""
        return blocks.binary_cross_entropy_of_logits(arrays, y, alike(arrays, y, target), self.reduction)


def alike(arrays: Arrays, y: Array, target: Any) -> Array:
    """A target with the shape of the output."""
    if target is None:
        return arrays.datum(y.shape, role="target")
    value, shape = rows(target)
    return arrays.datum(y.shape if shape == (1, *y.shape) else shape, value, role="target")


def classes(arrays: Arrays, y: Array, target: Any) -> Array:
    """A target of logits: one-hot, or a flat list of class numbers."""
    samples = y.shape[0] if y.axes > 1 else 1
    flat = () if target is None else shape_of(target)
    if not flat and target is not None:
        target, flat = [target], (1,)
    if len(flat) == 1 and flat == (samples,) and (samples != 1 or y.shape[-1] != 1):
        return arrays.datum(flat, target, role="target")
    if target is None:
        return arrays.datum(y.shape, role="target")
    value, shape = rows(target)
    return arrays.datum(shape, value, role="target")
