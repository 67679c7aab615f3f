"""A question's forward and backward pass as a straight line of operations on single numbers.

The network is evaluated once per structure over a kind of number that writes down what it is asked to do. So a matrix
product is there as its products and their sum, each an instruction of its own that a constraint can be put on, and
that the search works out as soon as the entries that it rests on are chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flint import fmpq

from derive.numbers.balls import Number
from derive.records import dataclass

Value = Callable[..., Number]


class Untraceable(Exception):
    """The problem does something that is no straight line of operations on single numbers."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One operation: ``op`` is ``"sum"``, ``"product"``, or the name of any other, which ``value`` works out.

    ``inputs`` and ``output`` are slots; ``quantity`` is what it is a step of (``"h"``, ``"dE/dW2"``, ``"W2@1"``).
    ``most`` is how many operations on two numbers it can be at most, those by 0 and 1 not left out.
    """

    op: str
    inputs: tuple[int, ...]
    output: int
    quantity: str
    most: int
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """An entry that varies: ``place`` counts the entries of ``name`` row by row from 0."""

    name: str
    place: int
    slot: int


@dataclass(frozen=True, slots=True)
class Group:
    """The arguments of one call: the units of a layer, or what must not saturate. ``slots`` has one for each entry."""

    function: str
    quantity: str
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """``fixed`` has the values of slots that no variant changes, ``outputs`` the slots of each quantity's entries.

    ``layers`` are the arguments of each ReLU layer, ``saturating`` those of sigmoids and the like. ``kinks`` are pairs
    of slots (the second may be ``None``: zero) whose tie is a kink, each with its quantity.
    """

    cells: tuple[Cell, ...]
    fixed: Mapping[int, fmpq]
    instructions: tuple[Instruction, ...]
    outputs: Mapping[str, tuple[int, ...]]
    layers: tuple[Group, ...] = ()
    saturating: tuple[Group, ...] = ()
    kinks: tuple[Group, ...] = ()
    size: int = 0
