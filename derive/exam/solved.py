"""The solutions of a variant, each of them checked like any other."""

from __future__ import annotations

from collections.abc import Mapping

from derive.exam.exam import Exam
from derive.exam.variant import Variant, problems
from derive.solution import Solution, solve


def solved(exam: Exam, variant: Variant) -> Mapping[str, Solution]:
    """The solution of each question, by its id. Raises ``ProblemError`` and ``CheckFailed`` as ``solve`` does."""
    return {id: solve(problem) for id, problem in problems(exam, variant).items()}
