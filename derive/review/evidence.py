"""What a printed solution says: one quantity's entry, and the interval of all values that its digits stand for."""

from __future__ import annotations

from flint import fmpq

from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Observed:
    """A printed value.

    ``quantity`` is a name (``"z_h"``), a derivative (``"dE/dW2"``), or either after k updates (``"W1@1"``, ``"E@2"``);
    ``index`` counts from 0, stands where the equations have the entry (not where numerator layout turns it to), and is
    empty for a number. Every value from ``low`` to ``high``, both ends included, rounds
    to the printed digits.
    """

    quantity: str
    index: tuple[int, ...]
    low: fmpq
    high: fmpq

    @property
    def decimals(self) -> int:
        """The decimals that were printed, as far as the width of the interval tells."""
        width, places = self.high - self.low, 0
        while 0 < width < 1 and places < 40:
            width, places = width * 10, places + 1
        return places

    @property
    def middle(self) -> fmpq:
        """The printed number itself."""
        return (self.low + self.high) / 2


def base_of(quantity: str) -> tuple[str, int]:
    """A quantity without the update that it stands behind, and how many updates that are."""
    name, _, made = quantity.partition("@")
    return name, int(made) if made else 0
