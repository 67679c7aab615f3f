"""One operation of ATen with its arguments by name, and the table of the functions that draw them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.problem.exact import exact
from derive.problem.sources.arrays import Array, Arrays, number
from derive.problem.sources.draft import Shape
from derive.problem.sources.stored import Part, Steps
from derive.records import dataclass


@dataclass(frozen=True)
class Call:
    """One operation with its arguments by name. ``layer`` is the comment of a step that has parameters."""

    arrays: Arrays
    operation: str
    given: dict[str, Any]
    layer: str

    def __getitem__(self, key: str) -> Any:
        return self.given[key]

    def array(self, key: str, role: str = "", shape: Shape | None = None) -> Array:
        """The argument as an array; a plain number is a constant."""
        return self.made(self.given[key], role, shape)

    def made(self, value: Any, role: str = "", shape: Shape | None = None) -> Array:
        """A value as an array."""
        if isinstance(value, Array):
            return value
        if isinstance(value, Part):
            return value.array(role, shape)
        if isinstance(value, Steps):
            return self.arrays.let(value.array(), "joined")
        if isinstance(value, bool | int | float):
            return number(exact(int(value) if isinstance(value, bool) else value))
        raise self.unsupported(f"{self.operation} of {type(value).__name__}")

    def optional(self, key: str, role: str, shape: Shape | None = None) -> Array | None:
        """The argument as an array, where it is there."""
        return None if self.given.get(key) is None else self.array(key, role, shape)

    def shape(self, key: str) -> Shape:
        """The shape of a tensor that may not be drawn yet."""
        found: Shape = self.given[key].shape
        return found

    def unsupported(self, message: str, hint: str | None = None) -> Exception:
        """The error for what a problem cannot say."""
        return self.arrays.draft.unsupported(message, hint=hint)

    def only(self, **plain: Any) -> None:
        """Raise ``Unsupported`` where an option is not what it mostly is."""
        for key, value in plain.items():
            found = self.given.get(key, value)
            if found != value:
                raise self.unsupported(f"{self.operation} with {key} = {found}", hint=f"supported is {value}")

    def reduction(self) -> str:
        """The reduction of a loss, which ATen gives as a number."""
        return ("none", "mean", "sum")[self.given["reduction"]]

    def soft(self, array: Array) -> Array:
        """A step that may stand inside the next one."""
        return self.arrays.let(array, "soft")


Handler = Callable[[Call], Any]
OPERATIONS: dict[str, Handler] = {}


def operation(*names: str) -> Callable[[Handler], Handler]:
    """Enter a function under the names of the operations that it draws."""

    def enter(function: Handler) -> Handler:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return enter
