"""A problem flattened into a list of single operations (a Wengert list), run forwards and backwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import lru_cache, partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from flint import arb, ctx, fmpq

from derive.errors import ProblemError, Unsupported
from derive.oracle.fits import Misfit, describe
from derive.oracle.rows import ROWS, Row
from derive.oracle.values import Array, Shape, as_balls, balls, double, sum_to
from derive.problem import syntax
from derive.problem.problem import Problem
from derive.records import dataclass

NEAR = 1e-8  # a gap this small beside the largest value of the run may be a kink: ask at KINK_BITS
KINK_BITS = 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the flattened problem: ``v[out] = function(v[inputs])``; ``exact`` keeps rational options."""

    function: str
    row: Row
    inputs: tuple[int, ...]
    out: int
    options: Mapping[str, Any]
    exact: Mapping[str, Any]
    statement: syntax.Statement
    line: int
    value: Callable[..., Any] = field(init=False)
    gap: Callable[..., Any] | None = field(init=False)
    pulls: tuple[Callable[..., Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        def bind(f: Callable[..., Any]) -> Callable[..., Any]:
            return partial(f, **self.options) if self.options else f

        object.__setattr__(self, "value", bind(self.row.value))
        object.__setattr__(self, "gap", bind(self.row.gap) if self.row.gap else None)
        pulls = self.row.pulls if isinstance(self.row.pulls, tuple) else self.row.pulls(len(self.inputs))
        object.__setattr__(self, "pulls", tuple(map(bind, pulls)))

    def ties(self, side: Array) -> Array:
        """Which entries sit on the kink, by the signs of its gap."""
        return self.row.ties(side, **({"axis": self.options["axis"]} if "axis" in self.options else {}))


Values: TypeAlias = list[Any]  # what each slot holds; None before it is computed
Sides: TypeAlias = dict[int, Array]  # slot of a step with a kink -> signs of its gap


class Tape:
    """The operations of one problem with all values, worked out once at the problem's own numbers.

    Slots hold values; every name has one, and so has every inner step.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.slots: dict[str, int] = {}
        self._initial: list[tuple[int, Shape, tuple[fmpq | None, ...]]] = []  # slots and their numbers; None is pi
        self._count = 0
        self.steps: list[Step] = []
        for name, tensor in (*problem.given.items(), *problem.parameters.items()):
            self.slots[name] = self._new()
            self._initial.append((self.slots[name], tensor.shape, tensor.entries))
        for statement in problem.statements:
            self.slots[statement.name] = self._flatten(statement)
        self.between = self._reached_from()
        self.values, self.sides, self.gaps = self._run_at_the_problem()
        self.plan = lru_cache(maxsize=64)(self._make_plan)

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def slot(self, name: str) -> int:
        """The slot of a name. Raises ``ProblemError``."""
        if name not in self.slots:
            why = "has sizes but no numbers" if name in self.problem.shapes else "is not in the problem"
            raise ProblemError(f"{name!r} {why}", file=self.problem.file)
        return self.slots[name]

    def _constant(self, value: fmpq | None) -> int:
        """A slot that holds a number; ``None`` stands for pi."""
        slot = self._new()
        self._initial.append((slot, (), (value,)))
        return slot

    def _flatten(self, statement: syntax.Statement) -> int:
        """The slot of the statement's value."""

        def emit(function: str, inputs: Sequence[int], line: int, **options: Any) -> int:
            if (row := ROWS.get(function)) is None:
                raise Unsupported(f"{function!r} is not built yet", file=self.problem.file, line=line or statement.line)
            exact = dict(options)
            if row.gap is not None and function in ("relu", "leaky_relu"):
                exact["at_zero"] = self.problem.convention.relu_at_zero
            doubles = {key: double(x) if isinstance(x, fmpq) else x for key, x in exact.items()}
            slot = self._new()
            self.steps.append(
                Step(function, row, tuple(inputs), slot, doubles, exact, statement, line or statement.line)
            )
            return slot

        def visit(node: syntax.Node, local: Mapping[str, int]) -> int:
            match node:
                case syntax.Number(value=value):
                    return self._constant(value)
                case syntax.Name(id=name):
                    if name in local:
                        return local[name]
                    return self._constant(None) if name == "pi" and name not in self.slots else self.slot(name)
                case syntax.Negate(operand=operand):
                    return emit("negate", [visit(operand, local)], node.line)
                case syntax.Transpose(operand=operand):
                    return emit("transpose", [visit(operand, local)], node.line)
                case syntax.Binary(operator="**", left=left, right=syntax.Number(value=n)):
                    return emit("**", [visit(left, local)], node.line, exponent=int(n.p) if n.q == 1 else n)
                case syntax.Binary(operator=operator, left=left, right=right):
                    return emit(operator, [visit(left, local), visit(right, local)], node.line)
                case syntax.Compare(operator=operator, left=left, right=right):
                    return emit("compare", [visit(left, local), visit(right, local)], node.line, relation=operator)
                case syntax.Index(operand=operand, items=items):
                    slot = visit(operand, local)
                    return emit("index", [slot], node.line, items=items)
                case syntax.Call(function=function, arguments=arguments, options=options):
                    inputs = [visit(argument, local) for argument in arguments]
                    if function in self.problem.functions:
                        formula = self.problem.functions[function]
                        if formula is None:
                            raise ProblemError(
                                f"{function!r} has no formula, so equation {statement.name!r} has no numbers",
                                file=self.problem.file,
                                line=node.line or statement.line,
                            )
                        return visit(formula[1], {formula[0]: inputs[0]})
                    return emit(function, inputs, node.line, **dict(options))

        slot = visit(statement.expression, {})
        if isinstance(statement.expression, syntax.Name | syntax.Number) or slot in self.slots.values():
            slot = emit("same", [slot], statement.line)  # a name of its own, with an adjoint of its own
        return slot

    # running

    def _run_at_the_problem(self) -> tuple[Values, Sides, Sides]:
        """Values, sides and gaps at the problem's own numbers; sizes are checked on the way."""
        v: Values = [None] * self._count
        for slot, shape, entries in self._initial:
            v[slot] = np.array([math.pi if x is None else double(x) for x in entries]).reshape(shape)
            if not np.isfinite(v[slot]).all():
                names = [name for name, at in self.slots.items() if at == slot]
                raise ProblemError(
                    f"{repr(names[0]) if names else 'a number'} is too large for a double", file=self.problem.file
                )
        sides: Sides = {}
        gaps: Sides = {}
        largest = max([1.0, *(float(np.max(np.abs(x))) for x in v if x is not None and x.size)])
        doubtful = False
        for step in self.steps:
            operands = [np.asarray(v[i]) for i in step.inputs]
            try:
                step.row.fits(*operands, **step.options)
            except Misfit as misfit:
                raise self.error(step, f": {misfit}") from None
            with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                self.forward(v, [step], sides, gaps)
            if not np.isfinite(v[step.out]).all():  # a matrix product overflows in silence
                raise self._trouble(step, v[step.out])
            if step.gap is not None:
                near = np.where(np.abs(gaps[step.out]) > NEAR * largest, 1, 0)
                doubtful = doubtful or bool(step.ties(near).any())
            largest = max(largest, float(np.max(np.abs(v[step.out]), initial=0)))
        if doubtful:
            sides = self._certain_sides()
            self.forward(v, self.steps, sides, fixed=True)
        return v, sides, gaps

    def run(self, values: Mapping[str, npt.ArrayLike] | None) -> tuple[Values, Sides]:
        """The problem's own run, or a new one with some values replaced."""
        if not values:
            return self.values, self.sides
        v, replaced, sides = list(self.values), {}, dict[int, Array]()
        for name, value in values.items():
            slot, new = self.slot(name), np.asarray(value, dtype=float)
            if new.shape != np.shape(v[slot]):
                raise ProblemError(f"{name!r} is {describe(np.shape(v[slot]))}, the new value {describe(new.shape)}")
            v[slot] = replaced[slot] = new
        with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
            self.forward(v, [step for step in self.steps if step.out not in replaced], sides)
        return v, self.sides | sides

    def forward(
        self, v: Values, steps: Iterable[Step], sides: Sides, gaps: Sides | None = None, fixed: bool = False
    ) -> None:
        """Fill ``v`` step by step; the sides of kinks are taken from ``sides`` where ``fixed``, else put there."""
        for step in steps:
            operands = [v[i] for i in step.inputs]
            try:
                if step.gap is None:
                    v[step.out] = step.value(*operands)
                    continue
                if not fixed:
                    gap = np.asarray(step.gap(*operands))
                    sides[step.out] = np.sign(gap)
                    if gaps is not None:
                        gaps[step.out] = gap
                v[step.out] = step.value(sides[step.out], *operands)
            except FloatingPointError:
                with np.errstate(all="ignore"):
                    value = step.value(*operands) if step.gap is None else step.gap(*operands)
                raise self._trouble(step, value) from None

    def _trouble(self, step: Step, value: Any) -> ProblemError:
        """What went wrong in which entry (counted from 1)."""
        bad = np.argwhere(~np.isfinite(np.asarray(value)))
        place = f" in entry ({', '.join(str(i + 1) for i in bad[0])})" if bad.size and np.ndim(value) else ""
        return self.error(step, f" {step.row.trouble}{place}")

    def error(self, step: Step, what: str) -> ProblemError:
        """The user's message: the equation, its line, and what is wrong."""
        return ProblemError(f"equation {step.statement.name!r}{what}", file=self.problem.file, line=step.line or None)

    def _certain_sides(self) -> Sides:
        """The sides of all kinks from a run in balls of 1,024 bits; what even they cannot tell from zero is zero."""
        sides: Sides = {}
        with ctx.workprec(KINK_BITS):
            v: Values = [None] * self._count
            for slot, shape, entries in self._initial:
                v[slot] = balls(shape, [arb.pi() if x is None else arb(x) for x in entries])
            for step in self.steps:
                operands = [v[i] for i in step.inputs]
                if step.row.gap is not None:
                    gap = as_balls(step.row.gap(*operands, **step.exact))
                    signs = [int(ball > 0) - int(ball < 0) for ball in gap.ravel().tolist()]
                    sides[step.out] = np.array(signs, dtype=float).reshape(gap.shape)
                    operands.insert(0, sides[step.out])
                v[step.out] = as_balls(step.row.value(*operands, **step.exact))
        return sides

    def _make_plan(
        self, heads: tuple[int, ...], wanted: tuple[int, ...]
    ) -> list[tuple[Step, list[tuple[int, int, Callable[..., Any]]]]]:
        """The steps between ``wanted`` and ``heads``, last first, each with the operands whose adjoints are needed."""
        live = set(wanted)
        for step in self.steps:
            if not live.isdisjoint(step.inputs):
                live.add(step.out)
        needed, plan = set(heads), []
        for step in reversed(self.steps):
            if step.out in needed:
                targets = [
                    (k, slot, pull)
                    for k, (slot, pull) in enumerate(zip(step.inputs, step.pulls, strict=True))
                    if slot in live
                ]
                if targets:
                    plan.append((step, targets))
                    needed.update(slot for _, slot, _ in targets)
        return plan

    def backward(
        self,
        v: Values,
        sides: Sides,
        seeds: Mapping[int, Array],
        plan: list[tuple[Step, list[tuple[int, int, Callable[..., Any]]]]],
    ) -> dict[int, Any]:
        """Adjoints by slot: each step hands the adjoint of its value on to its operands, which add them up."""
        adjoints: dict[int, Any] = dict(seeds)
        with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
            for step, targets in plan:
                if (g := adjoints.get(step.out)) is None:
                    continue
                operands = [v[i] for i in step.inputs]
                before = (g, v[step.out]) if step.gap is None else (g, v[step.out], sides[step.out])
                for k, slot, pull in targets:
                    try:
                        part = pull(*before, *operands)
                    except FloatingPointError:
                        raise self.error(step, f" {step.row.trouble}, on the way back") from None
                    if part.shape != operands[k].shape:
                        part = sum_to(part, operands[k].shape)
                    adjoints[slot] = adjoints[slot] + part if slot in adjoints else part
        return adjoints

    # stepping

    def _reached_from(self) -> Callable[[int, int], list[Step]]:
        """A cached function: the steps on the way from one slot to another."""

        @lru_cache(maxsize=256)
        def between(start: int, end: int) -> list[Step]:
            reached, needed = {start}, {end}
            for step in self.steps:
                if step.out != start and not reached.isdisjoint(step.inputs):
                    reached.add(step.out)
            for step in reversed(self.steps):
                if step.out in needed and step.out != start:
                    needed.update(step.inputs)
            return [step for step in self.steps if step.out in reached & needed and step.out != start]

        return between
