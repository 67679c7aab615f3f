"""A claims file judged: read, the problem solved with what is claimed, every claim with its verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from derive.errors import ProblemError
from derive.problem import find_problem
from derive.records import dataclass
from derive.review.answers import answers
from derive.review.claims import Claim, Claims, read_claims
from derive.review.verdicts import Bench, Judged, Verdict
from derive.solution import Solution

if TYPE_CHECKING:
    from derive.review.explanation import Diagnosis, Finding


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A claims file with its verdicts in the order of the file, and the solution that they were held against."""

    claims: Claims
    solution: Solution
    judged: tuple[Judged, ...]
    benches: Mapping[str | None, Bench]
    _diagnoses: dict[str | None, Diagnosis] = field(default_factory=dict, repr=False, compare=False)

    @property
    def unexpected(self) -> tuple[Judged, ...]:
        """The claims whose verdict is not the one that they expect."""
        return tuple(one for one in self.judged if not one.expected)

    def finding(self, judged: Judged) -> Finding | None:
        """What explains a number that is not right, in the light of all numbers of its part; ``None`` for nothing."""
        if judged.verdict.right or judged.verdict is Verdict.UNDECIDED or judged.inherits or judged.survives:
            return None
        part, bench = judged.claim.part, self.benches[judged.claim.part]
        if part not in self._diagnoses:
            self._diagnoses[part] = diagnosed(bench, self.solution)
        diagnosis, observed = self._diagnoses[part], bench.observation(judged.claim)
        return next((finding for finding in diagnosis.findings if observed in finding.explains), None)


def check(path: str | os.PathLike[str]) -> Reviewed:
    """Judge a claims file. Raises ``ProblemError`` with file and line for what cannot be judged."""
    return judged(read_claims(path))


def judged(claims: Claims) -> Reviewed:
    """The same for claims that have been read."""
    try:
        problem = find_problem(claims.problem)
    except ProblemError as error:
        if error.line is not None:
            raise
        what = error.message if error.file is None else f"{error.file}: {error.message}"
        raise ProblemError(what, file=claims.file, line=claims.problem_line, hint=error.hint) from None
    return reviewed(claims, answers(problem, claims.claims))


@dataclass(frozen=True, slots=True)
class Checked:
    """One printed value, judged on its own. ``diagnosis`` has the slips that explain it, where any do."""

    judged: Judged
    diagnosis: Finding | None = None

    @property
    def verdict(self) -> str:
        """``"agrees"``, ``"agrees if displayed values are carried"``, …: the words of ``Verdict``."""
        return self.judged.verdict.value

    @property
    def right(self) -> str:
        """The right value, to the digits that are printed."""
        return self.judged.right

    def __bool__(self) -> bool:
        """Whether the printed value may stand, so that ``assert solution.check(…)`` says what it looks like."""
        return self.judged.verdict.right

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        judged = self.judged
        value = "" if judged.full == judged.right else f" ({judged.full})"
        said = f"{judged.claim.label} = {judged.claim.printed.text}: {self.verdict}"
        return said if judged.verdict is Verdict.AGREES else f"{said}; right is {judged.right}{value}"


def check_value(solution: Solution, claim: Claim, decimal: str = ".") -> Checked:
    """The verdict on one value; what the solution does not have yet is worked out.

    Raises ``ProblemError`` for a quantity, an index or a part that the problem does not have.
    """
    wanted = {part.problem.part for part in solution.parts}
    try:
        bench = Bench(solution.part(claim.part), [claim], decimal) if claim.part in wanted else None
    except ProblemError:
        bench = None
    if bench is None:
        solution = answers(solution.problem, [claim])
        bench = Bench(solution.part(claim.part), [claim], decimal)
    claims = Claims("", solution.problem.name, (claim,), decimal=decimal)
    judged = bench.judge(claim)
    return Checked(judged, Reviewed(claims, solution, (judged,), {claim.part: bench}).finding(judged))


def reviewed(claims: Claims, solution: Solution) -> Reviewed:
    """The claims against a solution that has everything that they speak of."""
    of_part: dict[str | None, list[Claim]] = {}
    for claim in claims.claims:
        of_part.setdefault(claim.part, []).append(claim)
    benches = {part: Bench(solution.part(part), those, claims.decimal) for part, those in of_part.items()}
    judged = tuple(benches[claim.part].judge(claim) for claim in claims.claims)
    return Reviewed(claims, solution, judged, benches)


def diagnosed(bench: Bench, solution: Solution) -> Diagnosis:
    """Which slips explain the numbers of one part."""
    from derive.review.diagnosis import diagnose  # only a number that is not right pays for it

    return diagnose(bench.part, bench.observed(), solution.parts)
