"""The equation language as data: what is left of a formula once it is read and before it is understood.

The graph and the oracle both start from these nodes, and share nothing above them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from flint import fmpq

from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal as written: ``0.1`` has the value 1/10."""

    value: fmpq
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the problem, or the constant ``pi``."""

    id: str
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Negate:
    """``-operand``"""

    operand: Node
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right`` with an operator of ``+ - * / @ **``; the right side of ``**`` is a constant."""

    operator: str
    left: Node
    right: Node
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Compare:
    """``left operator right`` with an operator of ``< <= > >= == !=``; its value is 0 or 1."""

    operator: str
    left: Node
    right: Node
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Transpose:
    """``operand.T``"""

    operand: Node
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Index:
    """``operand[items]``; an item is a whole number or a ``(start, stop, step)`` slice with ``None`` for open."""

    operand: Node
    items: tuple[int | tuple[int | None, int | None, int | None], ...]
    line: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Call:
    """``function(*arguments, **options)``.

    ``arguments`` are the operands that carry values; everything else (``axis=0``, ``slope=0.01``,
    ``reduction="mean"``, the sizes of ``reshape``) is an option, under its keyword, in the order of the signature,
    defaults filled in: a reader of the node never needs the signature. An axis is an ``int``, counted from the end
    when negative; ``None`` means all axes.
    """

    function: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, int | fmpq | str | None], ...] = ()
    line: int = field(compare=False, default=0)

    def option(self, key: str) -> int | fmpq | str | None:
        """The value of an option; ``KeyError`` where the function has none of that name."""
        return dict(self.options)[key]


Node = Number | Name | Negate | Binary | Compare | Transpose | Index | Call


@dataclass(frozen=True, slots=True)
class Statement:
    """One line ``name = expression``. ``line`` counts in the problem file, ``comment`` is the text behind ``#``.

    ``loop`` is the variable of the loop that it was unrolled from, ``name`` then a member such as ``h[2]``.
    """

    name: str
    expression: Node
    source: str
    line: int = field(compare=False, default=0)
    comment: str = ""
    loop: str = field(compare=False, default="")


def walk(node: Node) -> Iterator[Node]:
    """The node and everything inside it, in the order of writing (an operation before its operands)."""
    pending = [node]
    while pending:
        at = pending.pop()
        yield at
        pending.extend(reversed(children(at)))


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, in order."""
    match node:
        case Number() | Name():
            return ()
        case Negate(operand=operand) | Transpose(operand=operand) | Index(operand=operand):
            return (operand,)
        case Binary(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments


def describe(node: Node) -> str:
    """What a node is, in the words of a message."""
    match node:
        case Binary(operator=operator) | Compare(operator=operator):
            return f"the operator {operator}"
        case Transpose():
            return "a transpose"
        case Index():
            return "an index"
        case Call(function=function):
            return f"the function {function}"
        case Name(id=name):
            return f"the name {name}"
        case _:
            return "a number"
