"""A node of an ONNX graph with its inputs and attributes, and the tables of the functions that draw nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources.arrays import Array, number
from derive.problem.sources.draft import Shape
from derive.problem.sources.stored import Part

if TYPE_CHECKING:
    from derive.problem.sources.onnx_file import _Graph


MOST_FOLDED = 64  # entries of a constant that is worked out while the file is read: the sizes of a shape


class Node:
    """A node with its inputs, by number, and its attributes, by name."""

    def __init__(self, graph: _Graph, proto: Any, inputs: list[str], attributes: dict[str, Any]) -> None:
        self.graph, self.names, self.attributes = graph, inputs, attributes
        self.arrays, self.operation = graph.arrays, proto.op_type if proto is not None else ""

    def has(self, place: int) -> bool:
        """Whether an input is there: an empty name leaves one out."""
        return place < len(self.names) and bool(self.names[place])

    def value(self, place: int) -> Any:
        """An input as it is."""
        if not self.has(place):
            raise self.error(f"its input {place + 1} is missing")
        found = self.graph.found[self.names[place]]
        if found is None:
            raise self.unsupported(f"a second output of a node, {self.names[place]}")
        return found

    def array(self, place: int, role: str = "", shape: Shape | None = None) -> Array:
        """An input as an array."""
        found = self.value(place)
        if isinstance(found, Array):
            return found
        if isinstance(found, Part):
            if not found.shape and not found.trained and found.value is not None and not found.role:
                return number(exact(found.value.ravel()[0]))
            return found.array(role, shape)
        if found.ndim == 0:
            return number(fmpq(int(found)))
        return Part(self.arrays, found.shape, found, False, "").array(role, shape)

    def optional(self, place: int, role: str, shape: Shape | None = None) -> Array | None:
        """An input as an array, where it is there."""
        return self.array(place, role, shape) if self.has(place) else None

    def shape(self, place: int) -> Shape:
        """The shape of an input that may not be drawn yet."""
        found: Shape = tuple(self.value(place).shape)
        return found

    def is_constant(self, place: int) -> bool:
        """Whether an input is whole numbers that are known now."""
        found = self.graph.found.get(self.names[place])
        return found is not None and hasattr(found, "dtype") and found.size <= MOST_FOLDED

    def wholes(self, place: int, key: str) -> list[int] | None:
        """Whole numbers that stand in an input, or in older files in an attribute; ``None`` where in neither."""
        if self.has(place):
            found = self.value(place)
            if not hasattr(found, "dtype"):
                raise self.unsupported(f"{self.operation} with {key} that is computed")
            return [int(entry) for entry in found.ravel()]
        found = self.attributes.get(key)
        return None if found is None else [int(entry) for entry in (found if isinstance(found, list) else [found])]

    def number(self, place: int) -> fmpq:
        """A constant number."""
        found = self.array(place)
        if found.value is None:
            part = self.value(place)
            if isinstance(part, Part) and part.value is not None and part.value.size == 1:
                return exact(part.value.ravel()[0])
            raise self.unsupported(f"{self.operation} with a number that is computed")
        return found.value

    def whole(self, key: str, default: int) -> int:
        """An attribute that is a whole number."""
        found = self.attributes.get(key, default)
        if not isinstance(found, int):
            raise self.error(f"its attribute {key} is no whole number")
        return found

    def real(self, key: str, default: str) -> fmpq:
        """An attribute that is a number in single precision, by its shortest decimal."""
        found = self.attributes.get(key, default)
        if isinstance(found, float):
            import numpy

            found = numpy.float32(found)
        return exact(found)

    def only(self, **plain: Any) -> None:
        """Raise ``Unsupported`` where an attribute is not what it mostly is."""
        for key, value in plain.items():
            if (found := self.attributes.get(key, value)) != value:
                raise self.unsupported(f"{self.operation} with {key} = {found}", hint=f"supported is {value}")

    def layer(self) -> str:
        """``layer fc1``, where the weight is called ``fc1.weight``."""
        for name in self.names[1:]:
            found = self.graph.found.get(name)
            if isinstance(found, Part) and found.trained and "." in name:
                return f"layer {name.rsplit('.', 1)[0]}"
        return ""

    def error(self, message: str) -> Exception:
        """Wrong input."""
        return self.arrays.draft.error(message)

    def unsupported(self, message: str, hint: str | None = None) -> Exception:
        """What a problem cannot say."""
        return self.arrays.draft.unsupported(message, hint=hint)

    def soft(self, array: Array) -> Array:
        """A step that may stand inside the next one."""
        return self.arrays.let(array, "soft")


Handler = Callable[[Node], Any]
OPERATIONS: dict[str, Handler] = {}
FOLDED: dict[str, Handler] = {}


def operation(*names: str) -> Callable[[Handler], Handler]:
    """Enter a function under the names of the operations that it draws."""

    def enter(function: Handler) -> Handler:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return enter
