"""What a printed solution shows of a quantity: the one piece of data that verdicts, arithmetic and diagnosis share."""

from __future__ import annotations

from flint import fmpq

from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Observed:
    """The printed digits of one entry, as the closed interval of the values that they can stand for.

    ``quantity`` is written as in a claim: ``"z_h"``, ``"dE/dW2"``, ``"W1@1"`` for the value after update 1. ``index``
    counts from 0 along each axis and is ``()`` for a scalar. ``low`` and ``high`` are equal for an exact number.
    """

    quantity: str
    index: tuple[int, ...]
    low: fmpq
    high: fmpq
