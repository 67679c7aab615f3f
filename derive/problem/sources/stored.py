"""Tensors that a model brings along: each becomes data of the problem where it is first used."""

from __future__ import annotations

from typing import Any

from derive.problem.exact import exact
from derive.problem.sources.arrays import Array, Arrays, number
from derive.problem.sources.draft import Shape
from derive.records import dataclass


class Part:
    """A stored tensor: it becomes data where it is first used, in the layout that its use asks for."""

    def __init__(
        self, arrays: Arrays, shape: Shape, value: Any, trained: bool, path: str, name: str | None = None
    ) -> None:
        self.arrays, self.shape, self.value, self.trained = arrays, shape, value, trained
        self.path, self.name, self.role = path, name, ""
        self._made: Array | None = None

    @property
    def used(self) -> bool:
        """Whether it is data of the problem already."""
        return self._made is not None

    def array(self, role: str = "", shape: Shape | None = None) -> Array:
        """The tensor as data; ``shape`` with more axes of size 1 is how a bias meets its filters."""
        wanted = self.shape if shape is None else shape
        if self._made is None:
            if not self.shape and not self.trained and not self.role:
                return number(exact(self.value.ravel()[0]))  # a constant of the code
            value = self.value if shape is None else self.value.reshape(shape)
            self._made = self.arrays.datum(
                wanted, value, trained=self.trained, role=self.role or role, caption=self.path, name=self.name
            )
        if self._made.shape != wanted:
            return self.arrays.reshape(self._made, [self.arrays.whole(size) for size in wanted])
        return self._made


@dataclass(frozen=True)
class Steps:
    """Arrays that a model has stacked along an axis, one for each step in time: each can be taken out again."""

    arrays: Arrays
    every: tuple[Array, ...]
    axis: int

    @property
    def shape(self) -> Shape:
        """The shape of the stack."""
        inside = self.every[0].shape
        return (*inside[: self.axis], len(self.every), *inside[self.axis :])

    def array(self) -> Array:
        """All of them in one array."""
        sizes = [self.arrays.whole(size) for size in self.every[0].shape]
        laid = [*sizes[: self.axis], 1, *sizes[self.axis :]]
        return self.arrays.join([self.arrays.reshape(one, laid) for one in self.every], self.axis)


def exactly(array: Any) -> Any:
    """An array of floats as the binary fractions that they are, to the last digit."""
    import numpy
    from flint import fmpq

    made = numpy.empty(array.size, dtype=object)
    made[:] = [fmpq(*float(entry).as_integer_ratio()) for entry in array.ravel()]
    return made.reshape(array.shape)
