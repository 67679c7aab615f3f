"""Where a question is no straight line of operations: numbers are drawn, solved and looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from flint import fmpq

from derive.errors import DeriveError
from derive.exam.exam import Question
from derive.exam.searching.constraints import Constraint
from derive.exam.searching.engine import Blocked, Point
from derive.exam.searching.stream import Stream
from derive.exam.searching.violations import count_operations, found_in
from derive.exam.variant import Chosen, Variant, problem_of
from derive.solution import solve


class Tried:
    """The same face as ``Engine``; one candidate is a draw of all numbers, which costs a whole solution."""

    limit = 200

    def __init__(
        self, question: Question, domains: Sequence[Sequence[fmpq]], chosen: Callable[[Sequence[fmpq]], Chosen]
    ) -> None:
        self.question, self.domains, self.chosen = question, domains, chosen
        self.rejections: Counter[Constraint] = Counter()
        self.candidates = 0

    def find(
        self,
        stream: Stream,
        bound: int,
        operations: tuple[int, int] | None = None,
        taken: Callable[[tuple[fmpq, ...]], bool] = lambda values: False,
    ) -> Point:
        """As ``Engine.find``; ``bound`` is a number of solutions."""
        for _ in range(bound):
            self.candidates += 1
            values = tuple(domain[stream.below(len(domain))] for domain in self.domains)
            if taken(values):
                self.rejections[Constraint("distinct")] += 1
                continue
            variant = Variant(0, "", {self.question.id: self.chosen(values)})
            try:
                solution = solve(problem_of(self.question, variant))
                wrong = found_in(self.question, solution)
                count = count_operations(self.question, solution)
            except DeriveError:
                self.rejections[Constraint("value", self.question.id)] += 1
                continue
            if operations is not None and not operations[0] <= count <= operations[1]:
                wrong = [*wrong, Constraint("operations")]
            if not wrong:
                return Point(values, count)
            self.rejections[wrong[0]] += 1
        raise Blocked(complete=False)
