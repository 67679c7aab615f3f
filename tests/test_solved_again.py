"""Solving a problem of a structure that is known gives what solving it from scratch gives, with no check left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from flint import fmpq

from derive.errors import DeriveError
from derive.graph import ops
from derive.graph.expression import Adjoint, constant
from derive.numbers import arrays
from derive.numbers.tensor import Tensor
from derive.problem import built_in
from derive.problem.find import find_problem
from derive.problem.problem import Problem
from derive.report.compose import compose
from derive.report.files import files
from derive.solution import CheckFailed, Part, Solution, solve
from derive.solution.again import Again, Structure
from exams import relu_question, sigmoid_question
from sampling import sampled

PROBLEMS = Path(__file__).parent / "problems"
EVERY = (*built_in(), *sorted(path.stem for path in PROBLEMS.glob("*.toml")))

CLASSIFIER = "z = x @ W\nE = cross_entropy(z, t)"
WEIGHTS = [[1, 2, "0.5"], ["-1", 0, 1]]


def find(name: str) -> Problem:
    """A problem by its name, or by the stem of its file among those of the tests."""
    path = PROBLEMS / f"{name}.toml"
    return find_problem(str(path) if path.exists() else name)


def scaled(problem: Problem, factor: fmpq) -> Problem:
    """The problem with every parameter times a number, in all of its parts."""
    parameters = {
        name: Tensor.of(tensor.shape, [entry * factor for entry in tensor.entries])
        for name, tensor in problem.parameters.items()
    }
    return replace(problem, parameters=parameters, parts=tuple(scaled(part, factor) for part in problem.parts))


def values(part: Part) -> Mapping[str, list[str]]:
    """Every certified value of a part, forward and backward and after each update, as text."""
    found = {str(name): list(map(str, arrays.entries(part.run.value(name)))) for name in part.run.equations}
    for k, run in enumerate(part.history.runs if part.history is not None else ()):
        for name in part.network.data:
            found[f"{name} after {k}"] = list(map(str, arrays.entries(run.value(name))))
    return found


def printed(solution: Solution) -> Mapping[str, bytes]:
    """The whole report as Markdown, and its pictures."""
    return files(compose(solution), ("md",))


def alike(ours: Solution, scratch: Solution) -> bool:
    """The same checks with the same figures, the same values, kinks and report."""
    for own, other in zip(ours.parts, scratch.parts, strict=True):
        if own.numeric:
            assert values(own) == values(other)
        assert own.checks == other.checks
        assert own.kinks == other.kinks
        assert own.problem == other.problem
    return printed(ours) == printed(scratch)


def outcome(solver: Callable[[Problem], Solution], problem: Problem) -> Solution | DeriveError:
    """The solution, or what is wrong with the problem."""
    try:
        return solver(problem)
    except DeriveError as error:
        return error


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(EVERY, 3))
def test_a_problem_with_other_numbers_is_solved_again_as_from_scratch(name: str) -> None:
    """Values, checks and the bytes of the report are those of a solution from scratch; so is the message of an error."""
    problem, again = find(name), Again()
    again.solve(problem)
    other = scaled(problem, fmpq(9, 10))
    ours, scratch = outcome(again.solve, other), outcome(solve, other)
    if isinstance(ours, Solution) and isinstance(scratch, Solution):
        assert alike(ours, scratch)
    else:
        assert repr(ours) == repr(scratch)


def test_one_structure_is_derived_once() -> None:
    """A second problem of a structure has the very derivation steps of the first, over its own network."""
    again, problem = Again(), relu_question().problem
    first, second = again.solve(problem).part(), again.solve(scaled(problem, fmpq(1, 2))).part()
    assert len(again.known) == 1
    assert first.derivation is not None
    assert second.derivation is not None
    assert second.derivation.steps is first.derivation.steps
    assert second.derivation.network is second.network is not first.network
    assert second.explicit is not None
    assert second.explicit.network is second.network
    assert second.paths is not None
    assert second.paths.network is second.network


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([[1, 0, 0]], [[1, 1, 0]]),  # labels that no longer add up to 1: softmax times their sum
        ([[1, 1, 0]], [[0, 0, 1]]),
        (2, [[0, 1, 0]]),  # a class number, and its row of zeros and a one
    ],
)
def test_numbers_that_change_the_derivation_are_solved_from_scratch(one: object, other: object) -> None:
    """Where labels add up to 1 in one problem alone the derivations differ, and each gets its own."""
    again = Again()
    for labels in (one, other):
        problem = Problem.from_equations(
            CLASSIFIER, given={"x": [1, "0.5"], "t": labels}, parameters={"W": WEIGHTS}, name="labels"
        )
        assert alike(again.solve(problem), solve(problem))
    assert len(again.known) == 2


@pytest.mark.parametrize("number", [0, 1])
def test_class_numbers_that_are_labels_may_vary(number: int) -> None:
    """A label given as a class number is data: the derivation is the same for all."""
    again = Again()
    for label in (2, number):
        problem = Problem.from_equations(
            CLASSIFIER, given={"x": [1, "0.5"], "t": label}, parameters={"W": WEIGHTS}, name="labels"
        )
        assert alike(again.solve(problem), solve(problem))
    assert len(again.known) == 1


def test_a_row_that_is_picked_is_part_of_the_structure() -> None:
    """Numbers that pick rows of a table stand in the equations: other rows, another derivation."""
    again = Again()
    for word in ([0, 2], [1, 2]):
        problem = Problem.from_equations(
            "e = embedding(C, w)\nE = sum(e**2)",
            given={"w": [word]},
            parameters={"C": [[1, 2], [3, "0.5"], [-1, 1]]},
            name="rows",
        )
        assert alike(again.solve(problem), solve(problem))
    assert len(again.known) == 2


def test_another_activation_is_another_structure() -> None:
    """A formula, an ask or a convention that differs is not taken for the same problem; both are kept."""
    again, problem = Again(), sigmoid_question().problem
    other = replace(problem, convention=replace(problem.convention, layout="numerator"))
    for one in (problem, other, scaled(problem, fmpq(2)), scaled(other, fmpq(2))):
        assert alike(again.solve(one), solve(one))
    assert len(again.known) == 2


def test_a_witness_judges_every_problem_of_a_structure() -> None:
    """A derivation that is wrong, taken for shown, is stopped by the witnesses that see the numbers of the next problem."""
    again, problem = Again(), relu_question().problem
    again.solve(problem)
    (known,) = again.known
    adjoint = Adjoint("E", "W2")
    wrong = {**known.formulas.equations}
    wrong[adjoint] = ops.multiply(constant(fmpq(101, 100)), wrong[adjoint])
    again.known = [Structure(**{**known.__dict__, "formulas": replace(known.formulas, equations=wrong)})]
    with pytest.raises(CheckFailed, match="dE/dW2"):
        again.solve(scaled(problem, fmpq(1, 2)))


def test_no_more_structures_are_kept_than_wanted() -> None:
    """The structure that was used longest ago goes first."""
    again, kept = Again(most=1), relu_question().problem
    for problem in (sigmoid_question().problem, kept):
        again.solve(problem)
    assert [structure.first.problem.name for structure in again.known] == [kept.name]
