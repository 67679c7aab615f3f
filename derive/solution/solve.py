"""One way through the house: problem, network, derivation, values, witnesses, solution."""

from __future__ import annotations

from derive.problem.problem import Problem
from derive.solution.differentiate import differentiated
from derive.solution.part import Solution
from derive.solution.verify import verified


def solve(problem: Problem) -> Solution:
    """Solves and verifies every part. Raises ``ProblemError`` for bad input, ``CheckFailed`` where two disagree."""
    return Solution(problem, tuple(verified(differentiated(part)) for part in problem.each()))
