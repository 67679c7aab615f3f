"""A student's own work: the equations of the solution, carried on from the numbers that the student wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.ops import evaluate
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import DomainError, Number, UndecidedSign, precision
from derive.review.by_hand import BITS, ByHand, Level
from derive.review.simulation import RIGHT, Change
from derive.solution import Part
from derive.solution.values import Run

Key = tuple[Level, Name]
Place = tuple[int, ...]
Written = Mapping[Key, Mapping[Place, Number]]
Kept = Callable[[Number, Number], bool]


class Own(ByHand):
    """All values of one part as they follow from what was written; what was not written follows from the rest.

    ``kept(computed, written)`` says whether the digits written may stand for what was worked out: then that goes on,
    with all its digits, in place of what was written. Without it whatever was written goes on. ``change`` has slips
    that were made in formulas whose values nobody asked for: these are worked with the slip in them. ``blurred``
    makes of a value that was not written all those that it may have been rounded to.
    """

    def __init__(
        self,
        part: Part,
        written: Written,
        kept: Kept | None = None,
        change: Change = RIGHT,
        blurred: Callable[[Number], Number] | None = None,
    ) -> None:
        def carry(level: Level, name: Name, value: Array) -> Array:
            return value if blurred is None else arrays.filled(value.shape, map(blurred, arrays.entries(value)))

        super().__init__(part, carry)
        self.written, self.kept, self.change = written, kept, change
        self._changed = {name: wrong for name, wrong in change.formulas if (0, name) not in written}

    def carried(self, level: Level, name: Name) -> Array | None:
        """What goes on of a value."""
        key = (level, name)
        own = self.written.get(key)
        if not own:
            return super().carried(level, name)
        if key not in self._carried:
            self._carried[key] = self._own(level, name, own)
        return self._carried[key]

    def _own(self, level: Level, name: Name, own: Mapping[Place, Number]) -> Array | None:
        shape = tuple(map(int, self.part.network.shape(name.by if isinstance(name, Adjoint) else str(name))))
        whole = 1
        for size in shape:
            whole *= size
        if self.kept is None and len(own) == whole:
            return arrays.filled(shape, [own[place] for place in sorted(own)])
        value = self.computed(level, name)
        if value is None:
            return None if len(own) < whole else arrays.filled(shape, [own[place] for place in sorted(own)])
        found = value.copy()
        for place, number in own.items():
            if self.kept is None or not self.kept(value[place], number):
                found[place] = number
        return found

    def _evaluated(self, run: Run, level: Level, name: Name) -> Array | None:
        return self.otherwise(level, name, self._changed.get(name, run.equations[name]))

    def otherwise(self, level: Level, name: Name, formula: Expression, besides: Key | None = None) -> Array | None:
        """The value by another formula, or with what was written for ``besides`` passed over; ``None`` as ever."""
        run = self._run(level)
        if run is None:
            return None
        known: dict[Name, Array] = {}
        for used in formula.names():
            early = used in self.change.early and isinstance(name, Adjoint) and name.by != used
            at = (level + 1, used) if early else (level, used)
            value = self.computed(*at) if at == besides else self.carried(*at)
            if value is None:
                return None
            known[used] = value
        try:
            with precision(BITS):
                return arrays.wrap(evaluate(formula, known.__getitem__, run.kind))
        except (DomainError, UndecidedSign, ZeroDivisionError):
            return None


def formulas(part: Part, level: Level, name: Name) -> tuple[Expression, ...]:
    """The right-hand side of a name and those that say the same; none where no equation leads to it."""
    run = part.run if not level else None
    if level and part.history is not None and level < len(part.history.runs):
        run = part.history.runs[level]
    right = None if run is None else run.equations.get(name)
    if right is None:
        return ()
    return tuple(dict.fromkeys((right, right.rebuild(lambda node: _same(part, node)))))


def _same(part: Part, node: Expression) -> Expression:
    """The same from what stands behind it: the state of a ReLU from its output, a cross-entropy from its softmax."""
    for equation in part.network.equations:
        value = equation.value
        if node.op == "derivative" and node.at[:1] == ("relu",) and value.op == "relu" and value.args == node.args:
            return ops.derivative(node.at[0], node.at[1:], leaf(equation.name, value.shape))
        if node.op == "cross_entropy" and value.op == "softmax" and value.args[0] == node.args[0]:
            (z, y), (axis, reduction) = node.args, node.at
            if y.shape == z.shape and value.at == (axis,):
                p = leaf(equation.name, value.shape)
                share = constant(fmpq(-1, int(z.shape[1 - axis])) if reduction == "mean" else -1)
                return ops.multiply(share, ops.total(ops.multiply(y, ops.apply("log", p))))
    return node
