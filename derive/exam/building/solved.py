"""The solutions of a variant, each of them checked like any other."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from derive.exam.exam import Exam
from derive.exam.variant import Variant, problems
from derive.solution import Solution
from derive.solution.again import Again

# Variants differ in their numbers: what holds for all of them is worked out once in each thread, and kept for the next.
_KNOWN = threading.local()


def solved(exam: Exam, variant: Variant) -> Mapping[str, Solution]:
    """The solution of each question, by its id. Raises ``ProblemError`` and ``CheckFailed`` as ``solve`` does."""
    again = _again()
    return {id: again.solve(problem) for id, problem in problems(exam, variant).items()}


def _again() -> Again:
    known: Again | None = getattr(_KNOWN, "again", None)
    if known is None:
        known = _KNOWN.again = Again()
    return known
