"""Questions with a right answer among wrong ones: each wrong formula has one slip that its numbers show."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from derive.errors import ProblemError
from derive.graph.expression import Adjoint, Expression
from derive.numbers.balls import DomainError
from derive.numbers.certify import Undecided
from derive.records import dataclass
from derive.solution.slips import Slip, slips

if TYPE_CHECKING:
    from derive.solution.part import Part

WRONG = 3  # answers beside the right one


@dataclass(frozen=True, slots=True)
class Choice:
    """``answers`` in the order printed: the right formula (``None``) and slips."""

    of: Adjoint
    right: Expression
    answers: tuple[Slip | None, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A formula that is right, or has the one ``slip``."""

    of: Adjoint
    right: Expression
    slip: Slip | None


@dataclass(frozen=True)
class Questions:
    """What is asked; ``lines`` are the derivatives in order, of which one has a slip."""

    choices: tuple[Choice, ...]
    judgements: tuple[Judgement, ...]
    lines: tuple[Judgement, ...]


def questions(part: Part) -> Questions | None:
    """The questions that a part asks for, ``None`` without any. Raises ``ProblemError`` where no slip shows."""
    quiz = part.problem.ask.quiz
    if quiz is None:
        return None
    if part.derivation is None or not part.numeric:
        key = "choose" if quiz.choose else "judge" if quiz.judge else "find_error"
        raise _error(
            part, key, f"{key} needs a loss and numbers: wrong answers are told from right ones by their values"
        )
    return Questions(
        tuple(_choice(part, name) for name in quiz.choose),
        tuple(_judgement(part, name) for name in quiz.judge),
        tuple(_lines(part)) if quiz.find_error else (),
    )


def _error(part: Part, key: str, message: str) -> ProblemError:
    return ProblemError(message, file=part.problem.file, line=part.problem.line("ask", key))


def _formula(part: Part, name: str, key: str) -> tuple[Adjoint, Expression]:
    assert part.derivation is not None
    adjoint = part.derivation.adjoint(name)
    if adjoint not in part.derivation.adjoints:
        known = ", ".join(str(known.by) for known in part.derivation.adjoints)
        raise _error(part, key, f"{key}: no derivative by {name} is worked out; there are those by {known}")
    return adjoint, part.derivation.adjoints[adjoint]


def _apart(part: Part, right: Expression) -> Iterator[Slip]:
    """Slips whose printed values differ from the right one's and from each other's."""
    seen = {_printed(part, right)}
    for slip in slips(part.network, right):
        value = _printed(part, slip.wrong)
        if value is not None and value not in seen:
            seen.add(value)
            yield slip


def _printed(part: Part, expression: Expression) -> tuple[str, ...] | None:
    """The entries as they would be printed; ``None`` for a value that does not exist or is not decided."""
    try:
        texts = part.shown.shown(expression, part.rounding)
    except (ProblemError, DomainError):  # a label put in the place of a probability: the logarithm of 0
        return None
    return None if any(isinstance(text, Undecided) for text in texts) else tuple(str(text) for text in texts)


def _number(part: Part, key: str, adjoint: Adjoint) -> int:
    """A number that the same problem always has: it places the answers."""
    return zlib.crc32(f"{part.problem.name} {part.problem.part} {key} {adjoint}".encode())


def _choice(part: Part, name: str) -> Choice:
    adjoint, right = _formula(part, name, "choose")
    wrong: list[Slip | None] = []
    kinds: set[str] = set()
    every = list(_apart(part, right))
    for slip in (*every, *every):  # first one of each kind, then whatever is left
        if (
            len(wrong) < WRONG
            and slip not in wrong
            and (slip.kind not in kinds or len(wrong) >= len({s.kind for s in every}))
        ):
            wrong.append(slip)
            kinds.add(slip.kind)
    if not wrong:
        raise _error(part, "choose", f"choose: no slip in the derivative by {name} shows at these digits")
    at = _number(part, "choose", adjoint) % (len(wrong) + 1)
    return Choice(adjoint, right, (*wrong[:at], None, *wrong[at:]))


def _judgement(part: Part, name: str) -> Judgement:
    adjoint, right = _formula(part, name, "judge")
    number = _number(part, "judge", adjoint)
    found = list(_apart(part, right))
    return Judgement(adjoint, right, found[number // 2 % len(found)] if found and number % 2 else None)


def _lines(part: Part) -> Iterator[Judgement]:
    """All derivatives, one of them with a slip: the first from a seeded place on that has one to offer."""
    assert part.derivation is not None
    lines = list(part.derivation.adjoints.items())
    start = _number(part, "find_error", lines[0][0]) % len(lines)
    for k in (*range(start, len(lines)), *range(start)):
        found = list(_apart(part, lines[k][1]))
        if found:
            slip = found[_number(part, "slip", lines[k][0]) % len(found)]
            for n, (adjoint, right) in enumerate(lines):
                yield Judgement(adjoint, right, slip if n == k else None)
            return
    raise _error(part, "find_error", "find_error: no slip shows at these digits")
