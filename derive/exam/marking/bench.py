"""One question of one variant, ready to be marked: right values, units, places in the equations, order of working."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from flint import fmpq

from derive.exam.answers import Answer, answers
from derive.exam.exam import Question
from derive.exam.marking.own import Key, Place
from derive.exam.tolerance import unit_of
from derive.numbers.balls import Number, enclosure
from derive.review.answers import Answers
from derive.review.evidence import base_of
from derive.review.simulation import Simulation
from derive.solution import Solution

Entry = tuple[str, tuple[int, ...]]  # a quantity and an index counted from 1, as answers have them


class Bench:
    """What all students with the same paper have in common. Made once a variant and question."""

    def __init__(self, question: Question, solution: Solution) -> None:
        self.question, self.part = question, solution.part()
        self.right: dict[Entry, Answer] = {(one.quantity, one.index): one for one in answers(question, solution)}
        self.quantities: dict[str, tuple[Answer, ...]] = {
            quantity: tuple(one for one in self.right.values() if one.quantity == quantity)
            for quantity in question.steps
        }
        self.middle: dict[Entry, fmpq] = {entry: middle(one.value) for entry, one in self.right.items()}
        self._answers = Answers(self.part)

    @cached_property
    def simulation(self) -> Simulation:
        """The slips of this part, each made but once."""
        return Simulation(self.part)

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """Where the equations have each asked quantity; a Jacobian or a second derivative they do not have."""
        found: dict[str, Key] = {}
        for quantity in self.quantities:
            name, level = base_of(quantity)
            own = self._answers.name(name)
            if own is not None:
                found[quantity] = (level, own)
        return found

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The asked quantities as they are worked out: what another rests on first, however the exam lists them."""
        ranks = {name: k for k, name in enumerate(self.simulation.equations)}

        def rank(quantity: str) -> tuple[int, int]:
            level, name = self.keys.get(quantity, (10**9, quantity))
            return level, ranks.get(name, -1)  # a parameter after an update comes before what is worked out from it

        return tuple(sorted(self.quantities, key=rank))

    @property
    def asked(self) -> dict[str, tuple[int, ...]]:
        """The shape of each asked quantity."""
        return {
            quantity: tuple(map(max, zip(*(one.index for one in entries), strict=True)))
            for quantity, entries in self.quantities.items()
        }

    def place(self, entry: Entry) -> Place:
        """Where the equations have an entry, counted from 0; numerator layout lays a derivative on its side."""
        quantity, index = entry
        found = tuple(k - 1 for k in index)
        return found[::-1] if self._answers.turned(base_of(quantity)[0]) else found

    def unit(self, value: fmpq) -> fmpq:
        """One unit of the last digit that the question shows of a value."""
        return unit_of(value, self.part.rounding)


def middle(value: Number) -> fmpq:
    """The value itself, or the middle of its ball."""
    low, high = enclosure(value)
    return (low + high) / 2
