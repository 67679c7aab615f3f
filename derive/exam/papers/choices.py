"""Questions with a right answer among wrong ones, each wrong one what a slip gives: choose, judge, find the error.

Wrong answers have the shape of the right one, and differ from it and from each other in what is printed. Where the
right answer stands differs from variant to variant: of as many variants as there are places each has another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from derive.errors import ProblemError
from derive.exam.exam import Numbers
from derive.exam.papers.posed import Asked
from derive.exam.papers.wrongs import Wrong, Wrongs
from derive.graph.expression import Adjoint, Name
from derive.records import dataclass
from derive.report.widths import bound
from derive.review.explanation import Explanation

OPTIONS = 4
MOST = 12  # wrong values from which those to show are picked
WIDEST = 34.0  # em of a formula to choose
MULTIPLES = ("factor", "double", "number")  # kinds of slips that leave a multiple of the right answer
SIGNS = ("sign", "sign_lost", "sign_added")


@dataclass(frozen=True, slots=True)
class Option:
    """An answer to choose; without a slip the right one."""

    latex: str
    slip: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One question of choice: which value (``formula`` false) or which formula is ``quantity``?"""

    quantity: str
    formula: bool
    options: tuple[Option, ...]

    @property
    def right(self) -> int:
        """The place of the right answer, counted from 0."""
        return next(k for k, option in enumerate(self.options) if option.slip is None)


@dataclass(frozen=True, slots=True)
class Statement:
    """An equation that is right, or has the one ``slip``; ``right`` is what should stand there."""

    quantity: str
    shown: str
    right: str
    slip: Explanation | None


def choices(asked: Asked, wrongs: Wrongs) -> tuple[Choice, ...]:
    """A choice for each asked quantity: among values, or for a derivative among formulas where enough are plausible.

    Among x, -x, 2 x and 3 x the bare one is seen to be right: so formulas are offered where most of the wrong ones are
    of another make, or where no number varies that values could be made from.

    Raises ``ProblemError`` at the question where no slip shows at the printed digits.
    """
    return tuple(_choice(asked, wrongs, quantity) for quantity in asked.question.steps)


def _choice(asked: Asked, wrongs: Wrongs, quantity: str) -> Choice:
    name = asked.name(quantity)
    if isinstance(name, Adjoint):
        best = _picked(_formulas(asked, wrongs, name))
        if len(best) == OPTIONS - 1 and (_rich(best) or not _numbers_vary(asked)):
            right = asked.sheet.letters.text(wrongs.simulation.equations[name])
            picked = [Option(latex, wrong.slip) for latex, wrong in best]
            return Choice(quantity, True, _placed(asked, quantity, Option(right), picked))
    values = [(wrong.value.latex, wrong) for wrong in wrongs.of(quantity, MOST)]
    picked = [Option(latex, wrong.slip) for latex, wrong in _picked(values)]
    if not picked:
        raise _nothing(asked, f"choice: no slip in {quantity} shows at the printed digits")
    return Choice(quantity, False, _placed(asked, quantity, Option(asked.values[quantity].latex), picked))


def statements(asked: Asked, wrongs: Wrongs) -> tuple[Statement, ...]:
    """A statement for each asked quantity, right in half of the variants, wrong in the others."""
    made = []
    for quantity in asked.question.steps:
        name = asked.name(quantity)
        if name is None:
            raise _nothing(asked, f"judge: {quantity} has no formula of its own to judge")
        made.append(_statement(asked, wrongs, name, place(asked, f"judge {quantity}", 2) == 1))
    return tuple(made)


def hunt(asked: Asked, wrongs: Wrongs) -> tuple[Statement, ...]:
    """All derivatives in order, one of them with a slip. Raises ``ProblemError`` where none has one to offer."""
    lines = [name for name in asked.backward if _formulas(asked, wrongs, name)]
    if not lines:
        raise _nothing(asked, "find_error: no slip in a derivative shows at the printed digits")
    wrong = lines[place(asked, "line", len(lines))]
    return tuple(_statement(asked, wrongs, name, name == wrong) for name in asked.backward)


def place(asked: Asked, key: str, count: int) -> int:
    """A place below ``count``: of so many variants one behind the other each has another, in an order by chance.

    The chance is a digest of the exam's name, the question and ``key``: the same on every machine.
    """
    run, k = divmod(asked.variant.number - 1, count)
    text = f"{asked.exam.name} {asked.question.id} {key} {run}"
    return sorted(range(count), key=lambda n: sha256(f"{text} {n}".encode()).digest())[k]


def _statement(asked: Asked, wrongs: Wrongs, name: Name, slipped: bool) -> Statement:
    sheet = asked.sheet
    found = _formulas(asked, wrongs, name) if slipped else []
    left, right = sheet.symbols.name(name), sheet.letters.text(wrongs.simulation.equations[name])
    if not found:
        return Statement(str(name), f"{left} = {right}", f"{left} = {right}", None)
    latex, wrong = _picked(found)[place(asked, f"slip {name}", min(len(found), OPTIONS - 1))]
    return Statement(str(name), f"{left} = {latex}", f"{left} = {right}", wrong.slip)


def _formulas(asked: Asked, wrongs: Wrongs, name: Name) -> list[tuple[str, Wrong]]:
    """Wrong formulas of a name with their slips, each printed formula once."""
    letters = asked.sheet.letters
    seen = {letters.text(wrongs.simulation.equations[name])}
    found = []
    for wrong in wrongs.of(str(name), MOST, own=True):
        latex = letters.text(wrong.formula) if wrong.formula is not None else ""
        if latex and latex not in seen and bound(latex) < WIDEST:
            seen.add(latex)
            found.append((latex, wrong))
    return found


def _picked(found: Sequence[tuple[str, Wrong]]) -> list[tuple[str, Wrong]]:
    """As many as a choice has room for, each text once.

    What changes the make of a formula comes first, one of each kind before others of it; then one with the sign turned
    over and one multiple; more of those only where there is nothing else.
    """
    first: dict[str, tuple[str, Wrong]] = {}
    for one in found:
        kind = one[1].slip.kind
        first.setdefault("multiple" if kind in MULTIPLES else "sign" if kind in SIGNS else kind, one)
    rest = [one for one in found if one not in first.values()]
    order = sorted([*first.values(), *rest], key=_weak)
    unique: dict[str, tuple[str, Wrong]] = {}
    for one in order:
        unique.setdefault(one[0], one)
    return list(unique.values())[: OPTIONS - 1]


def _weak(one: tuple[str, Wrong]) -> bool:
    """Whether it is the right answer but for its sign or a constant factor."""
    return one[1].slip.kind in (*MULTIPLES, *SIGNS)


def _rich(picked: Sequence[tuple[str, Wrong]]) -> bool:
    """Whether most are more than the right one with another sign or factor."""
    return 2 * sum(map(_weak, picked)) < len(picked)


def _numbers_vary(asked: Asked) -> bool:
    """Whether every variant has numbers of its own."""
    return any(isinstance(domain, Numbers) for domain in asked.question.vary.values())


def _placed(asked: Asked, quantity: str, right: Option, wrong: Sequence[Option]) -> tuple[Option, ...]:
    at = place(asked, f"choice {quantity}", len(wrong) + 1)
    return (*wrong[:at], right, *wrong[at:])


def _nothing(asked: Asked, message: str) -> ProblemError:
    hint = "leave the quantity out of the steps, or choose another form"
    return ProblemError(
        f"question {asked.question.id}, variant {asked.variant.code}: {message}",
        file=asked.exam.file, line=asked.question.line, hint=hint,
    )  # fmt: skip
