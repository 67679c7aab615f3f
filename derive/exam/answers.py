"""What is asked, entry by entry: the right value, as it is and as it is printed, and the points that it is worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from flint import fmpq

from derive.errors import ProblemError
from derive.exam.exam import Question
from derive.numbers.arrays import Array
from derive.numbers.balls import Number
from derive.numbers.rounding import Printed, printed
from derive.records import dataclass
from derive.review.answers import Answers
from derive.review.claims import claim
from derive.solution import Part, Solution

STEPS_OF_BITS = (128, 512, 2048, 4096)


@dataclass(frozen=True, slots=True)
class Answer:
    """One entry of an asked quantity.

    ``index`` counts from 1 and is empty for a number; ``value`` is exact or a ball, ``printed`` has it to the digits
    of the question's problem (its ``text`` with a decimal point). ``points`` is its share of the quantity's points.
    """

    quantity: str
    index: tuple[int, ...]
    value: Number
    printed: Printed
    points: fmpq


def answers(question: Question, solution: Solution) -> tuple[Answer, ...]:
    """Every entry that a question asks for, in the order of its steps. Raises ``ProblemError`` where there is none."""
    part = solution.part()
    return tuple(answer for quantity, points in question.steps.items() for answer in _entries(part, quantity, points))


def value_of(part: Part, quantity: str, bits: int = STEPS_OF_BITS[0]) -> Array:
    """All entries of a quantity of a step, ``"W1@1"`` among them, in the layout of the problem."""
    return Answers(part).whole(claim(quantity, "0"), bits)


def _entries(part: Part, quantity: str, points: fmpq) -> Iterator[Answer]:
    whole = value_of(part, quantity)
    share = points / max(whole.size, 1)
    for place in np.ndindex(*whole.shape):
        value, text = _decided(part, quantity, place)
        yield Answer(quantity, tuple(k + 1 for k in place), value, text, share)


def _decided(part: Part, quantity: str, place: tuple[int, ...]) -> tuple[Number, Printed]:
    for bits in STEPS_OF_BITS:
        value: Number = value_of(part, quantity, bits)[place]
        text = printed(value, part.rounding)
        if text is not None:
            return value, text
    raise ProblemError(f"the digits of {quantity} cannot be decided")
