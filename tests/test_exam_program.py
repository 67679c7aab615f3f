"""A question as a straight line of operations: its values are those of the certified run, whatever the problem does."""

from __future__ import annotations

from pathlib import Path

import pytest
from flint import fmpq

import exams
from derive.exam.exam import Numbers, Question
from derive.exam.searching.program import Untraceable
from derive.exam.searching.trace import trace
from derive.problem import built_in, find_problem, read_problem
from derive.problem.problem import Problem
from derive.solution.differentiate import differentiated
from exam_values import differences

FILES = sorted((Path(__file__).parent / "problems").glob("*.toml"))
QUICK = ("attention-one-head", "conv2d-by-hand", "determinant-inverse-trace", "lstm-cell", "max-over-time", "ppo-clip")
LONG = "mazur-2-2-2"  # ten thousand updates


def _numeric(problem: Problem) -> list[Problem]:
    return [part for part in problem.each() if not part.shapes]


@pytest.mark.parametrize("name", QUICK)
def test_a_program_has_the_values_of_the_run(name: str) -> None:
    """Attention, convolutions, determinants, gates, choices: every quantity of the program is the certified one."""
    (path,) = (path for path in FILES if path.stem == name)
    for part in _numeric(read_problem(path)):
        assert list(differences(part)) == []


def test_every_problem_with_numbers_has_a_program_with_the_values_of_the_run() -> None:
    """All problem files and built-in problems, with their updates; what is too long to be one says so."""
    problems = [read_problem(path) for path in FILES if path.stem != LONG] + [find_problem(name) for name in built_in()]
    parts = [part for problem in problems for part in _numeric(problem)]
    assert len(parts) > 60
    for part in parts:
        assert list(differences(part)) == [], part.name
    with pytest.raises(Untraceable, match="operations"):
        [list(differences(part)) for part in _numeric(find(LONG))]


def find(name: str) -> Problem:
    """A problem file of the tests."""
    return read_problem(next(path for path in FILES if path.stem == name))


def test_every_product_of_a_matrix_product_is_an_instruction() -> None:
    """x (1 × 2) times W1 (2 × 3) is six products and three sums, and each belongs to z; the bias makes three more."""
    question = exams.relu_question()
    program = trace(differentiated(question.problem), question)
    of_z = [one.op for one in program.instructions if one.quantity == "z"]
    assert (of_z.count("product"), of_z.count("sum")) == (6, 6)
    assert [len(group.slots) for group in program.layers] == [3]
    assert set(question.steps) <= set(program.outputs)


def test_an_update_that_is_asked_for_later_has_all_passes_before_it() -> None:
    """W@3 of a momentum problem is worked out through two more forward and backward passes."""
    problem = find("momentum-two-steps")
    name = next(iter(problem.ask.update.moving)) if problem.ask.update is not None else ""
    question = Question("q", problem, fmpq(1), {f"{name}@2": fmpq(1)}, vary={name: Numbers((fmpq(1),))})
    program = trace(differentiated(problem), question)
    assert {f"{name}@1", f"{name}@2"} <= set(program.outputs)


@pytest.mark.parametrize("labels", [[0, 2], [2, 1]])
def test_labels_that_vary_are_entries_like_any_other(labels: list[int]) -> None:
    """Class numbers become rows with a single 1 inside the program, so the values follow another label."""
    problem = Problem.from_equations(
        "z = x @ W\nL = cross_entropy(z, t)",
        given={"x": [[1, 2], [0, 1]], "t": labels},
        parameters={"W": [["0.5", 0, 1], [1, "-0.5", 0]]},
        ask={"gradients": ["W"]},
    )
    assert list(differences(problem)) == []
