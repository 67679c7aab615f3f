"""Questions that are answered by ticking, ready to be marked: what stands on the paper, and which option is right.

A choice asks for a letter for each quantity, a judgement for true or false, and where an error is to be found the one
quantity is the wrong line. Options are those of the paper of the variant, whatever language it was printed in. A right
tick earns all points of its step, any other none; nothing follows from a tick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flint import fmpq

from derive.errors import ProblemError
from derive.exam.exam import Exam, Question
from derive.exam.marking.judge import EMPTY, RIGHT, WRONG, Judged, Marked, Slipped
from derive.exam.marking.tick import LINE, Tick, Ticks
from derive.exam.papers.choices import OPTIONS, Choice, Statement, choices, hunt, statements
from derive.exam.papers.posed import Asked
from derive.exam.variant import Variant
from derive.problem.wording import shown
from derive.records import dataclass
from derive.report.catalogue import Catalogue, catalogue
from derive.review.explanation import Explanation
from derive.solution import Solution

FORMS = ("choice", "judge", "find_error")


@dataclass(frozen=True, slots=True)
class Ticked:
    """What is ticked for one quantity. ``right`` is the place of the right option, counted from 0.

    ``slips`` has for each option the slip that whoever ticks it made or overlooked, if there is one. What stands on
    paper is a ``choice``, or ``lines``: the one statement to judge, or all lines of which one is wrong.
    """

    quantity: str
    ticks: Ticks
    right: int
    points: fmpq
    slips: tuple[Explanation | None, ...]
    choice: Choice | None = None
    lines: tuple[Statement, ...] = ()


class TickBench:
    """What all students with the same paper have in common. Made once a variant and question.

    Raises ``ProblemError`` where the form finds nothing to ask, as the paper does.
    """

    def __init__(self, exam: Exam, variant: Variant, question: Question, solution: Solution) -> None:
        self.exam, self.variant, self.question, self.solution = exam, variant, question, solution
        self.part = solution.part()
        self._asked: dict[str, Asked] = {}
        self.ticked: Mapping[str, Ticked] = {one.quantity: one for one in _ticked(self.asked_in(catalogue("en")))}

    def asked_in(self, words: Catalogue) -> Asked:
        """The question in a language."""
        if words.language not in self._asked:
            number = 1 + self.exam.questions.index(self.question)
            self._asked[words.language] = Asked(
                self.exam, self.variant, number, self.question, self.solution, words
            )  # fmt: skip
        return self._asked[words.language]

    @property
    def asked(self) -> dict[str, Ticks]:
        """What may be ticked for each quantity in every variant; one paper may have fewer options in a choice."""
        return {
            quantity: Ticks("choice", OPTIONS) if one.choice is not None else one.ticks
            for quantity, one in self.ticked.items()
        }


def judge_ticks(bench: TickBench, given: Mapping[str, Tick | None]) -> Marked:
    """Mark one student's ticks; what is not in ``given`` is empty.

    Raises ``ProblemError`` with its line for an option that this paper does not have.
    """
    entries, slips = [], []
    for quantity, one in bench.ticked.items():
        tick = given.get(quantity)
        if tick is not None and tick.option >= one.ticks.count:
            raise ProblemError(
                f"{bench.question.id}: {quantity}: {shown(tick.text)} is no option of variant {bench.variant.code}",
                line=tick.line, hint=one.ticks.expected,
            )  # fmt: skip
        verdict = EMPTY if tick is None else RIGHT if tick.option == one.right else WRONG
        earned = one.points if verdict == RIGHT else fmpq(0)
        entries.append(Judged(quantity, (), None, verdict, earned, one.points, tick=tick))
        slip = one.slips[tick.option] if tick is not None and verdict == WRONG else None
        slips += [Slipped(quantity, ((),), (slip,))] if slip is not None else []
    return Marked(bench.question.id, tuple(entries), tuple(slips))


def _ticked(asked: Asked) -> Iterator[Ticked]:
    question = asked.question
    match question.form:
        case "choice":
            for choice in choices(asked, asked.wrongs):
                points, slips = question.steps[choice.quantity], tuple(one.slip for one in choice.options)
                ticks = Ticks("choice", len(slips))
                yield Ticked(choice.quantity, ticks, choice.right, points, slips, choice=choice)
        case "judge":
            made = statements(asked, asked.wrongs)
            for one, (quantity, points) in zip(made, question.steps.items(), strict=True):
                right, ticks = int(one.slip is not None), Ticks("judge", 2)
                yield Ticked(quantity, ticks, right, points, (one.slip, None), lines=(one,))
        case _:
            lines = hunt(asked, asked.wrongs)
            wrong = next(k for k, one in enumerate(lines) if one.slip is not None)
            slips = tuple(None if k == wrong else lines[wrong].slip for k in range(len(lines)))
            yield Ticked(LINE, Ticks("find_error", len(lines)), wrong, question.points, slips, lines=lines)
