"""From a differentiated question to its program: forward, backward, and the updates that are asked for."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from flint import fmpq

from derive.exam.exam import Numbers, Question
from derive.exam.searching.program import Cell, Program, Untraceable
from derive.exam.searching.tracer import Scalar, Tracer, filled
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.ops import OPS
from derive.numbers.tensor import Tensor
from derive.solution import Part
from derive.solution.history import equations_of
from derive.solution.rules import after, constants, looks_ahead, start


def trace(part: Part, question: Question) -> Program:
    """The program of a differentiated question. Raises ``Untraceable`` where it has none."""
    try:
        return _Trace(part, question).program()
    except (TypeError, AttributeError, ValueError, IndexError) as error:
        raise Untraceable(str(error)) from error


def varying(question: Question) -> list[tuple[str, Tensor]]:
    """The tensors of a question that vary, in the order of its data."""
    data = {**question.problem.given, **question.problem.parameters}
    return [(name, tensor) for name, tensor in data.items() if isinstance(question.vary.get(name), Numbers)]


class _Trace:
    def __init__(self, part: Part, question: Question) -> None:
        self.part, self.question = part, question
        self.tracer = Tracer(part)
        self.cells: list[Cell] = []
        self.outputs: dict[str, tuple[int, ...]] = {}
        self.chosen: dict[str, Any] = {}  # class numbers that vary
        self.given: tuple[Name, ...] = ()

    def program(self) -> Program:
        tracer = self.tracer
        env = self._data()
        self.given = tuple(env)
        self._pass(env)
        self._updates(env)
        return Program(
            tuple(self.cells), tracer.fixed, tuple(tracer.instructions), self.outputs, tuple(tracer.layers),
            tuple(tracer.saturating), tuple(tracer.kinks.values()), tracer.slots,
        )  # fmt: skip

    def _data(self) -> dict[Name, Any]:
        """Every datum: cells where it varies, given numbers elsewhere; class numbers as rows with a single 1."""
        part = self.part
        env: dict[Name, Any] = {}
        varied = {name: [self.tracer.fresh() for _ in tensor] for name, tensor in varying(self.question)}
        self.cells = [Cell(name, k, one.slot) for name, ones in varied.items() for k, one in enumerate(ones)]
        for name, value in part.run.data(64).items():
            if not isinstance(name, str) or name not in varied:
                env[name] = filled(value.shape, [self.tracer.given(x) for x in value.ravel().tolist()])
                continue
            entries = varied[name]
            if name in part.network.labels:
                env[name] = self._one_hot(entries, value.shape[-1])
            elif name in part.network.class_numbers:
                self.chosen[name] = entries
                env[name] = filled(value.shape, entries)
            else:
                env[name] = filled(value.shape, entries)
        return env

    def _one_hot(self, entries: Sequence[Scalar], classes: int) -> Any:
        def one(x: Scalar, k: int) -> Scalar:
            return self.tracer.write(f"is {k}", (x,), lambda v: fmpq(int(v == k)))

        return filled((len(entries), classes), [one(x, k) for x in entries for k in range(classes)])

    def _pass(self, env: dict[Name, Any], number: int = 0) -> None:
        """Forward and backward; after ``number`` updates the quantities have that behind their names."""
        mark = f"@{number}" if number else ""
        first = (len(self.tracer.layers), len(self.tracer.saturating))
        steps: dict[Name, Expression] = {one.name: one.value for one in self.part.network.equations}
        steps |= {name: value for name, value in self.part.run.equations.items() if name not in steps}
        for name in _ordered(steps, env):
            self.tracer.quantity = self._owner(name) + mark
            env[name] = self._value(steps[name], env)
            if not isinstance(name, Adjoint) or not (name.numerator or name.negative):
                self.outputs[f"{name}{mark}"] = tuple(x.slot for x in env[name].ravel().tolist())
        if number:  # only the numbers that the question starts from are held to these
            del self.tracer.layers[first[0] :], self.tracer.saturating[first[1] :]

    def _owner(self, name: Name) -> str:
        """The quantity of the problem that an equation is a step of: an unnamed one belongs to what uses it."""
        equations = {one.name: one for one in self.part.network.equations}
        while name in equations and equations[name].auto:
            users = self.part.network.users()[str(name)]
            if not users:
                break
            name = users[0]
        return str(name)

    def _updates(self, env: dict[Name, Any]) -> None:
        update, loss = self.part.problem.ask.update, self.part.asked.top
        if update is None or loss is None or update.batches is not None or update.slopes or looks_ahead(update):
            return
        asked = [step.rpartition("@") for step in self.question.steps]
        numbers = [int(number) for _, sign, number in asked if sign and number.isdecimal()]
        network, tracer = self.part.network, self.tracer
        shapes = {name: network.shape(name) for name in update.moving}
        rule = {
            name: filled(value.shape, [tracer.given(x) for x in value.ravel().tolist()])
            for name, value in {**constants(update), **start(update, shapes)}.items()
        }
        for number in range(1, max(1, *numbers, 0) + 1):
            if number > 1:
                here = {name: env[name] for name in self.given}
                self._pass(here, number - 1)
                env = {**env, **here}
            known: dict[Name, Any] = {**env, **rule}
            for equation in equations_of(network, loss, update, update.t + number):
                tracer.quantity = f"{str(equation.name).partition(':')[0]}@{number}"
                known[equation.name] = self._value(equation.value, known)
            for name in shapes:
                env[name] = known[after(name)]
                self.outputs[f"{name}@{number}"] = tuple(x.slot for x in env[name].ravel().tolist())
            rule = {name: known.get(after(str(name)), value) for name, value in rule.items()}
        forward = {name.rpartition("@")[0] for name in self.question.steps if "@" in name}
        if number in numbers and any(name not in shapes for name in forward):
            self._pass({name: env[name] for name in self.given}, number)

    def _value(self, expression: Expression, env: Mapping[Name, Any]) -> Any:
        """As ``evaluate`` does, but for what is a single choice here and arithmetic with 0 and 1 there."""
        if expression.op == "name":
            return env[expression.name]
        if expression.op == "one_hot" and expression.at[0] in self.chosen:
            return self._one_hot(self.chosen[expression.at[0]], expression.at[2])
        operands = tuple(self._value(arg, env) for arg in expression.args)
        if expression.op in ("maximum", "minimum"):
            return self.tracer.extreme(expression.op, *operands)
        return self.tracer.settle(OPS[expression.op].value(self.tracer, expression, operands), expression)


def _ordered(steps: Mapping[Name, Expression], known: Container[Name]) -> list[Name]:
    """The names in an order in which each comes after what it is made of, as near as can be to the one they have."""
    done: dict[Name, None] = {}
    stack = [(name, False) for name in reversed(list(steps))]
    while stack:
        name, ready = stack.pop()
        if name in done or name not in steps or name in known:
            continue
        if ready:
            done[name] = None
            continue
        stack.append((name, True))
        stack += [(below, False) for below in reversed(steps[name].names())]
    return list(done)
