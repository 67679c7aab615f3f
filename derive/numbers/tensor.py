"""An array of exact rationals, as it stands in a problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from flint import fmpq

from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Tensor:
    """Exact numbers in row-major order.

    ``shape`` is ``()`` for a scalar, ``(1, n)`` for a row, ``(m, n)`` for a matrix; there are no 1-D arrays.
    """

    shape: tuple[int, ...]
    entries: tuple[fmpq, ...]

    def __post_init__(self) -> None:
        if len(self.entries) != prod(self.shape):
            raise ValueError(f"{len(self.entries)} entries do not fill the shape {self.shape}")

    @classmethod
    def of(cls, shape: tuple[int, ...], entries: Iterable[fmpq]) -> Tensor:
        """The tensor of ``shape`` filled row by row."""
        return cls(shape, tuple(entries))

    def __iter__(self) -> Iterator[fmpq]:
        return iter(self.entries)
