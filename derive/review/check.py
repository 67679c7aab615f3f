"""A claims file judged: read, the problem solved with what is claimed, every claim with its verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from derive.errors import ProblemError
from derive.problem import find_problem
from derive.records import dataclass
from derive.review.answers import answers
from derive.review.claims import Claim, Claims, read_claims
from derive.review.verdicts import Bench, Judged, Verdict
from derive.solution import Solution

if TYPE_CHECKING:
    from derive.review.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A claims file with its verdicts in the order of the file, and the solution that they were held against."""

    claims: Claims
    solution: Solution
    judged: tuple[Judged, ...]
    benches: Mapping[str | None, Bench]

    @property
    def unexpected(self) -> tuple[Judged, ...]:
        """The claims whose verdict is not the one that they expect."""
        return tuple(one for one in self.judged if not one.expected)

    def diagnosis(self, judged: Judged) -> Diagnosis | None:
        """Which slip explains a number that is not right, in the light of all numbers of its part."""
        if judged.verdict.right or judged.verdict is Verdict.UNDECIDED or judged.inherits or judged.survives:
            return None
        return diagnosed(self.benches[judged.claim.part], judged)


def check(path: str | os.PathLike[str]) -> Reviewed:
    """Judge a claims file. Raises ``ProblemError`` with file and line for what cannot be judged."""
    claims = read_claims(path)
    try:
        problem = find_problem(claims.problem)
    except ProblemError as error:
        if error.line is not None:
            raise
        raise ProblemError(error.message, file=claims.file, line=claims.problem_line, hint=error.hint) from None
    return reviewed(claims, answers(problem, claims.claims))


def reviewed(claims: Claims, solution: Solution) -> Reviewed:
    """The claims against a solution that has everything that they speak of."""
    of_part: dict[str | None, list[Claim]] = {}
    for claim in claims.claims:
        of_part.setdefault(claim.part, []).append(claim)
    benches = {part: Bench(solution.part(part), those, claims.decimal) for part, those in of_part.items()}
    judged = tuple(benches[claim.part].judge(claim) for claim in claims.claims)
    return Reviewed(claims, solution, judged, benches)


def diagnosed(bench: Bench, judged: Judged) -> Diagnosis | None:
    """The diagnosis of one number; ``None`` where none is built."""
    try:
        from derive.review.diagnosis import diagnose
    except ModuleNotFoundError:
        return None
    return diagnose(bench.part, bench.observed())
