"""A question's program held against the certified run of its problem: every quantity, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator

from flint import fmpq

from derive.exam.answers import value_of
from derive.exam.exam import Numbers, Question
from derive.exam.searching.constraints import Tests
from derive.exam.searching.engine import Engine
from derive.exam.searching.program import Program
from derive.exam.searching.trace import trace
from derive.numbers.arrays import Array
from derive.numbers.balls import overlaps
from derive.problem.problem import Problem
from derive.solution import Part
from derive.solution.differentiate import differentiated


def asking(problem: Problem) -> Question:
    """A question on a problem in which every number may vary, and which asks for its updates."""
    data = {**problem.given, **problem.parameters}
    steps = {}
    if problem.ask.update is not None and problem.ask.update.batches is None:
        steps = {f"{name}@{problem.ask.update.steps}": fmpq(1) for name in problem.ask.update.moving}
    return Question("q", problem, fmpq(1), steps, vary={name: Numbers(tuple(set(data[name]))) for name in data})


def worked(problem: Problem) -> tuple[Program, Engine, Part]:
    """The program of a problem, worked out at its own numbers."""
    part, question = differentiated(problem), asking(problem)
    program = trace(part, question)
    engine = Engine(program, Tests({}, ()), [()] * len(program.cells))
    data = {**problem.given, **problem.parameters}
    own = {cell.slot: data[cell.name].entries[cell.place] for cell in program.cells}
    assert engine.operations(own) is not None
    return program, engine, part


def differences(problem: Problem) -> Iterator[str]:
    """The entries whose value in the program is certainly not that of the run."""
    program, engine, part = worked(problem)
    for name, slots in program.outputs.items():
        turned = not name.startswith("d") and "@" not in name
        values = (part.run.value(name) if turned else _whole(part, name)).ravel().tolist()
        assert len(values) == len(slots), name
        for k, (slot, value) in enumerate(zip(slots, values, strict=True)):
            if not overlaps(engine.values[slot], value):
                yield f"{name}[{k}]: {engine.values[slot]}, not {value}"


def _whole(part: Part, name: str) -> Array:
    adjoint = next((one for one in part.shape_adjoints if str(one) == name), None)
    return part.run.value(adjoint) if adjoint is not None else value_of(part, name)
