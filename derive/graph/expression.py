"""Expressions: small immutable trees whose leaves are names, and which know their shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flint import fmpq

from derive.problem.problem import Shape
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Adjoint:
    """The name of a derivative: d ``of`` / d ``by``, with the shape of ``by``.

    ``numerator`` names its transpose, the same derivative in numerator layout; ``negative`` its negative, which some
    books call the error signal.
    """

    of: str
    by: str
    numerator: bool = False
    negative: bool = False

    def __str__(self) -> str:
        return f"d{self.of}/d{self.by}"


@dataclass(frozen=True, slots=True)
class Plane:
    """The name of one matrix of a stack: ``of`` at the indices ``lead`` of its first axes, counted from 0.

    Where one axis is left it is a row. Planes are for printing: no equation of a network has one.
    """

    of: str | Adjoint
    lead: tuple[int, ...]


Name = str | Adjoint | Plane


@dataclass(frozen=True, slots=True)
class Expression:
    """An operation on expressions. ``at`` holds what is not an operand: an axis, an exponent, a slope, a name."""

    op: str
    args: tuple[Expression, ...]
    at: tuple[Any, ...]
    shape: Shape

    @property
    def name(self) -> Name:
        """The name a leaf stands for."""
        if self.op != "name":
            raise TypeError(f"{self.op} is not a name")
        result: Name = self.at[0]
        return result

    @property
    def number(self) -> fmpq:
        """The number a constant stands for."""
        if self.op != "constant":
            raise TypeError(f"{self.op} is not a constant")
        result: fmpq = self.at[0]
        return result

    def nodes(self) -> Iterator[Expression]:
        """Every node, operands before what uses them."""
        for arg in self.args:
            yield from arg.nodes()
        yield self

    def names(self) -> tuple[Name, ...]:
        """The names this rests on, each once, in the order of writing."""
        return tuple(dict.fromkeys(node.name for node in self.nodes() if node.op == "name"))

    def rebuild(self, change: Callable[[Expression], Expression]) -> Expression:
        """The same tree with ``change`` applied to every node, operands first. Shapes must not change."""
        args = tuple(arg.rebuild(change) for arg in self.args)
        same = all(new is old for new, old in zip(args, self.args, strict=True))
        return change(self if same else Expression(self.op, args, self.at, self.shape))


def leaf(name: Name, shape: Shape) -> Expression:
    """A name."""
    return Expression("name", (), (name,), shape)


def constant(value: fmpq | int) -> Expression:
    """A number, of shape ``()``."""
    return Expression("constant", (), (fmpq(value),), ())


def is_constant(expression: Expression, value: int | None = None) -> bool:
    """Whether this is a number (that number)."""
    return expression.op == "constant" and (value is None or expression.number == value)
