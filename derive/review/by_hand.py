"""A part worked out by hand: every value goes on as it is printed, and not as it is.

The equations are those of the solution, forward, backward and of the updates. What is carried from one to the next is
up to a ``Carry``: the printed digits of single entries, or every value rounded to so many digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from derive.graph.expression import Adjoint, Name
from derive.graph.ops import evaluate
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import DomainError, UndecidedSign, precision
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Rounding, printed
from derive.solution import Part, rules
from derive.solution.history import History
from derive.solution.values import Run

BITS = 256

Level = int  # how many updates were made before
Carry = Callable[[Level, Name, Array], Array]
"""What goes on of a value that was worked out at a level under a name."""


class ByHand:
    """The values of one part, each worked out from carried ones.

    ``computed`` is what comes out of an equation, before it is carried; ``None`` where the values carried so far leave
    a function's domain, and for what no equation leads to.
    """

    def __init__(self, part: Part, carry: Carry) -> None:
        self.part, self.carry = part, carry
        self._computed: dict[tuple[Level, Name], Array | None] = {}
        self._carried: dict[tuple[Level, Name], Array | None] = {}

    def computed(self, level: Level, name: Name) -> Array | None:
        """The value of a name after so many updates, as carried values give it."""
        key = (level, name)
        if key not in self._computed:
            self._computed[key] = None
            self._work_out(level, name)
        return self._computed[key]

    def carried(self, level: Level, name: Name) -> Array | None:
        """What goes on of it."""
        key = (level, name)
        if key not in self._carried:
            value = self.computed(level, name)
            self._carried[key] = None if value is None else self.carry(level, name, value)
        return self._carried[key]

    def _work_out(self, level: Level, name: Name) -> None:
        """Everything that a name needs, in order: no recursion along the equations, however deep they are."""
        run = self._run(level)
        if run is None:
            return
        data = run.data(BITS)
        for needed in run.order(name, ()):
            key = (level, needed)
            if key in self._computed and (needed != name or self._computed[key] is not None):
                continue
            if needed in run.equations:
                self._computed[key] = self._evaluated(run, level, needed)
            elif level and self._moves(level, needed):
                self._computed[key] = self._updated(level, needed)
            else:
                self._computed[key] = self._carried[key] = data.get(needed)

    def _evaluated(self, run: Run, level: Level, name: Name) -> Array | None:
        inputs = {used: self.carried(level, used) for used in run.equations[name].names()}
        return _value(run, name, inputs)

    # ── updates ──

    @cached_property
    def _history(self) -> History | None:
        """The updates, where each is a single step of the whole data."""
        history = self.part.history
        plain = history is not None and history.update.batches is None and not history.update.slopes
        return history if plain and history is not None and not rules.looks_ahead(history.update) else None

    def _run(self, level: Level) -> Run | None:
        if not level:
            return self.part.run
        history = self._history
        return history.runs[level] if history is not None and level < len(history.runs) else None

    def _moves(self, level: Level, name: Name) -> bool:
        history = self._history
        return (
            history is not None
            and isinstance(name, str)
            and rules.after(name) in history.moves[level - 1].rule.equations
        )

    def _updated(self, level: Level, name: Name) -> Array | None:
        """A parameter, or what its rule remembers, from the carried ones before and the carried gradient."""
        assert self._history is not None
        rule = self._history.moves[level - 1].rule
        known: dict[Name, Array | None] = dict(rule.data(BITS))
        target = rules.after(str(name))
        for used in rule.order(target, ()):
            if used in rule.equations:
                known[used] = _value(rule, used, {inner: known.get(inner) for inner in rule.equations[used].names()})
            elif isinstance(used, Adjoint):
                known[used] = self.carried(level - 1, used)
            elif isinstance(used, str) and (rules.after(used) in rule.equations or used in self.part.network.data):
                known[used] = self.carried(level - 1, used) if used in self.part.network.data else known.get(used)
        return known.get(target)


def _value(run: Run, name: Name, inputs: Mapping[Name, Array | None]) -> Array | None:
    known: dict[Name, Array] = {used: value for used, value in inputs.items() if value is not None}
    if len(known) < len(inputs):
        return None
    try:
        with precision(BITS):
            found: Array = arrays.wrap(evaluate(run.equations[name], lambda used: known[used], run.kind))
    except (DomainError, UndecidedSign, ZeroDivisionError):
        return None
    return found


def rounded(rounding: Rounding) -> Carry:
    """Every value is carried to so many digits."""

    def carry(level: Level, name: Name, value: Array) -> Array:
        texts = [printed(entry, rounding) for entry in arrays.entries(value)]
        return arrays.filled(
            value.shape,
            [
                entry if text is None else read_number(text.text)
                for entry, text in zip(arrays.entries(value), texts, strict=True)
            ],
        )

    return carry
