"""The problem file and the equation language: everything that turns text into a frozen ``Problem``."""

from __future__ import annotations

from derive.problem.find import built_in, find_problem, problem_from_text, read_problem
from derive.problem.problem import Problem

__all__ = ["Problem", "built_in", "find_problem", "problem_from_text", "read_problem"]
