"""What holds of a part whatever its numbers are: its derivation can be replayed, and what SymPy shows of entries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from derive.solution import elementwise
from derive.solution.checks import Check, CheckFailed
from derive.solution.derivation import ReplayError, replay
from derive.solution.elementwise import Proof

if TYPE_CHECKING:
    from derive.solution.part import Part


class Shown:
    """Statements without numbers about the formulas of a part, each shown when it is first asked for."""

    def __init__(self, part: Part) -> None:
        self._part = part

    @cached_property
    def replayed(self) -> tuple[Check, ...]:
        """One check for each derivation. Raises ``CheckFailed`` where a step does not follow by its rule."""
        return tuple(_replayed(self._part))

    @cached_property
    def entries(self) -> tuple[Proof, ...]:
        """What SymPy shows of every entry of every derivative, and what it leaves to numbers."""
        return tuple(elementwise.proved(self._part))


def _replayed(part: Part) -> Iterator[Check]:
    derivations = [part.derivation] if part.derivation is not None else []
    for derivation in [*derivations, *part.ratios.values()]:
        try:
            steps = replay(derivation)
        except ReplayError as error:
            raise CheckFailed(f"a check failed, nothing was written: {error}") from None
        yield Check("replay", f"d{derivation.of}", True, str(steps))
