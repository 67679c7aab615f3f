"""Whether a solved question meets what is required of it: the last gate, on certified values and not on the search's.

Values come from the solution's own run, kinks from the NumPy engine's. Products and sums are worked out again here,
array by array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from flint import fmpq

from derive.errors import Unsupported
from derive.exam.answers import value_of
from derive.exam.exam import Question
from derive.exam.searching.constraints import Constraint, Tests
from derive.exam.searching.engine import Engine
from derive.exam.searching.program import Untraceable
from derive.exam.searching.trace import trace
from derive.graph.expression import Expression, Name, is_constant
from derive.numbers.arrays import Array, entries, wrap
from derive.numbers.balls import Number
from derive.numbers.functions import absolute
from derive.numbers.rounding import as_decimal
from derive.solution import Part, Solution
from derive.solution.costs import cost


def violations(question: Question, solution: Solution, first: Solution | None = None) -> tuple[str, ...]:
    """What a solved variant of a question does not meet, one sentence each; with the ``first`` variant's solution its
    count of operations as well."""
    wrong = found_in(question, solution)
    if first is not None:
        have, wanted = count_operations(question, solution), count_operations(question, first)
        if abs(have - wanted) > question.require.operations * wanted:
            wrong.append(Constraint("operations", "", f"{question.require.operations} ({have}, not {wanted})"))
    return tuple(dict.fromkeys(f"question {question.id} lacks {one}" for one in wrong))


def found_in(question: Question, solution: Solution) -> list[Constraint]:
    """The requirements that a solved question does not meet, its count of operations left aside."""
    part, require = solution.part(), question.require
    found = list(_decimals(question, part))
    if not require.kinks:
        found += [Constraint("kink", kink.name, kink.function) for kink in part.kinks]
    found += _layers(question, part)
    for name in _derivatives(question, part):
        values = entries(value_of(part, name))
        if require.nonzero and all(value == 0 for value in values):
            found.append(Constraint("nonzero", name))
        if require.smallest > 0 and not any(bool(absolute(value) >= require.smallest) for value in values):
            found.append(Constraint("smallest", name, str(require.smallest)))
    return found


def count_operations(question: Question, solution: Solution) -> int:
    """The operations on two numbers, those by 0 and 1 left out; what has no program counts as the sizes say."""
    part = solution.part()
    try:
        program = trace(part, question)
    except Untraceable:
        return _by_sizes(part)
    data = {**part.problem.given, **part.problem.parameters}
    engine = Engine(program, Tests({}, ()), [()] * len(program.cells))
    counted = engine.operations({cell.slot: data[cell.name].entries[cell.place] for cell in program.cells})
    return _by_sizes(part) if counted is None else counted


def _by_sizes(part: Part) -> int:
    total = 0
    for expression in part.run.equations.values():
        try:
            made = cost(expression)
        except Unsupported:
            continue
        total += sum(made.multiplications.values()) + sum(made.additions.values())
    return total


def _derivatives(question: Question, part: Part) -> Iterator[str]:
    asked = [f"d{part.asked.top}/d{name}" for name in part.asked.gradients] if part.asked.top is not None else []
    asked += [step for step in question.steps if "/d" in step and "@" not in step]
    known = {str(adjoint) for adjoint in part.shape_adjoints}
    yield from (name for name in dict.fromkeys(asked) if name in known)


# ── decimals ──


def _decimals(question: Question, part: Part) -> Iterator[Constraint]:
    steps = _worked_out(question, part)
    for rule in question.require.decimals:
        for quantity, values in steps:
            if (not rule.of or quantity in rule.of) and not all(_fits(value, rule.places) for value in values):
                yield Constraint("decimals", quantity, str(rule.places))


def _fits(value: Number, places: int) -> bool:
    decimal = as_decimal(value) if isinstance(value, fmpq) else None
    return decimal is not None and decimal[1] >= -places


def _worked_out(question: Question, part: Part) -> list[tuple[str, list[Number]]]:
    """Every quantity with the values that it is worked out through, its own the last."""
    network, run = part.network, part.run
    steps: dict[Name, Expression] = {equation.name: equation.value for equation in network.equations}
    steps |= dict(part.shape_adjoints.items())
    owners = {equation.name: str(equation.name) for equation in network.equations}
    for equation in reversed(network.equations):
        users = network.users()[str(equation.name)]
        if equation.auto and users:
            owners[equation.name] = owners[users[0]]
    found = []
    for name, expression in steps.items():
        values = entries(run.value(name))
        values += [value for node in expression.nodes() for value in _of_node(node, run.expression)]
        found.append((owners.get(name, str(name)), values))
    return found + _updated(question, part)


def _updated(question: Question, part: Part) -> list[tuple[str, list[Number]]]:
    """The parameters after each update that the question asks for, at least after one, with the steps of the rule."""
    history = part.history
    if history is None or history.update.batches is not None or not history.moves:
        return []
    last = max([1, *(int(step.rpartition("@")[2]) for step in question.steps if "@" in step)])
    found = []
    for number, move in enumerate(history.moves[:last], start=1):
        for name, expression in move.rule.equations.items():
            values = entries(move.rule.value(name))
            values += [value for node in expression.nodes() for value in _of_node(node, move.rule.expression)]
            found.append((f"{str(name).partition(':')[0]}@{number}", values))
    for step in question.steps:
        if "@" in step:
            found.append((step, entries(value_of(part, step))))
    return found


def _of_node(node: Expression, value: Callable[[Expression], Array]) -> Iterator[Number]:
    """The numbers that one operation goes through: each product, each sum up to a term, the result."""
    if node.op in ("name", "constant", "transpose", "spread", "zeros", "size"):
        return
    if node.op == "multiply" and sum(not is_constant(arg, -1) for arg in node.args) == 1:
        return  # -x has the decimals of x, which is looked at itself or is given
    operands: list[Array] = [wrap(value(arg)) for arg in node.args]
    if node.op == "matmul":
        a, b = operands
        for i, j in np.ndindex(a.shape[0], b.shape[1]):
            yield from (a[i, k] * b[k, j] for k in range(a.shape[1]))
    if node.op in ("multiply", "add"):
        signs = [is_constant(arg, -1) for arg in node.args]
        result: Array | None = None
        for operand in (one for one, sign in zip(operands, signs, strict=True) if not sign):
            if result is None:
                result = operand
            else:
                result = wrap(result * operand if node.op == "multiply" else result + operand)
                yield from entries(result)
    yield from entries(wrap(value(node)))


# ── layers ──


def _layers(question: Question, part: Part) -> Iterator[Constraint]:
    """Dead layers and saturated arguments."""
    require, run = question.require, part.run
    dead = 0
    for equation in part.network.equations:
        for node in equation.value.nodes():
            if node.op in ("sigmoid", "tanh", "softmax", "log_softmax", "cross_entropy"):
                sizes = [absolute(value) for value in entries(run.expression(node.args[0]))]
                if require.saturation is not None and not all(bool(size <= require.saturation) for size in sizes):
                    yield Constraint("saturation", str(equation.name), str(require.saturation))
            unit = node.args[0] if node.op == "relu" else _rectified(node)
            if unit is not None:
                dead += not any(value > 0 for value in entries(run.expression(unit)))
    if dead > require.dead_relu:
        yield Constraint("dead_relu", "", str(require.dead_relu))


def _rectified(node: Expression) -> Expression | None:
    """What a maximum with 0 is taken of."""
    if node.op != "maximum":
        return None
    zeros = [is_constant(arg, 0) for arg in node.args]
    return node.args[zeros.index(False)] if zeros.count(True) == 1 else None
