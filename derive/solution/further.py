"""The further questions of a problem, answered and checked: what is asked beyond values, gradients and updates.

Imported only where something of the kind is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from derive.records import dataclass
from derive.solution import alphabet, quotients, rows, second, tangents
from derive.solution.alphabet import Spelled
from derive.solution.checks import Check, Witness
from derive.solution.quotients import Exercise
from derive.solution.rows import Rows
from derive.solution.second import Second
from derive.solution.tangents import Pass

if TYPE_CHECKING:
    from derive.solution.part import Part


@dataclass(frozen=True)
class Further:
    """The answers. ``views`` maps the label of a section to the part as that section sees it."""

    passes: tuple[Pass, ...] = ()
    seconds: tuple[Second, ...] = ()
    spelled: tuple[Spelled, ...] = ()
    rows: Rows | None = None
    exercises: tuple[Exercise, ...] = ()

    @property
    def views(self) -> Mapping[str, Part]:
        """Each section's label and the part with the names that it brings along."""
        found = {one.label: one.view for one in self.exercises}
        found |= {one.label: one.view for one in self.passes} | {one.label: one.view for one in self.seconds}
        return found if self.rows is None else {**found, self.rows.label: self.rows.view}

    def second(self, text: str) -> Second | None:
        """The second derivative that was asked for under this text."""
        return next((one for one in self.seconds if one.text == text), None)


def further(part: Part) -> Further:
    """Every further question answered. Raises ``ProblemError`` for what cannot be."""
    return Further(
        passes=tangents.passes(part),
        seconds=second.seconds(part),
        spelled=alphabet.spelled(part),
        rows=rows.rows(part),
        exercises=quotients.exercises(part),
    )


def checks(part: Part, found: Further, witness: Witness | None) -> Iterator[Check]:
    """The witnesses of the answers; without numbers only those that need none."""
    if witness is not None:
        yield from tangents.checks(part, found.passes, witness)
        yield from quotients.checks(part, found.exercises, witness)
    yield from second.checks(part, found.seconds, witness)
    yield from alphabet.checks(part, found.spelled)
    yield from rows.checks(part, found.rows)
