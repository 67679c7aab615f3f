"""A tick as it stands in a file of answers: ``b``, ``true``, ``错``, ``√``, the number of a line."""

from __future__ import annotations

import unicodedata
from dataclasses import field

from derive.errors import ProblemError
from derive.problem.wording import shown
from derive.records import dataclass

LINE = "line"  # what a question in which an error is to be found asks for, under the name of a quantity
TRUE = ("true", "t", "right", "yes", "对", "正确", "√", "✓", "✔")
FALSE = ("false", "f", "wrong", "no", "错", "错误", "×", "✗", "✘", "✕")
JUDGED = ("true", "false")  # the options of a judgement in their order
LONGEST = 80  # characters of one tick


@dataclass(frozen=True, slots=True)
class Ticks:
    """What may be ticked for a quantity: one of ``count`` options of a ``form`` of question."""

    form: str
    count: int

    @property
    def expected(self) -> str:
        """What may stand in a cell, for a message."""
        if self.form == "judge":
            return "expected is true or false (t/f, right/wrong, yes/no, 对/错, 正确/错误, √/×)"
        if self.form == "find_error":
            last = letter(self.count - 1)
            return f"expected is the number of the wrong line, from 1 to {self.count}, or its letter, from a to {last}"
        return f"expected is one letter from a to {letter(self.count - 1)}"


@dataclass(frozen=True, slots=True)
class Tick:
    """``option`` counts from 0 (of a judgement true, then false); ``text`` is what stands in ``line`` of the file."""

    text: str
    option: int
    line: int | None = field(default=None, compare=False)


def read_tick(text: str, ticks: Ticks, line: int | None = None) -> Tick:
    """The tick in a text. Raises ``ProblemError`` (without a place) that says what is expected."""
    bare = text.strip()
    word = unicodedata.normalize("NFKC", bare[:LONGEST]).strip().casefold()
    if word[:1] == "(" and word[-1:] == ")":
        word = word[1:-1].strip()
    option = _option(word, ticks) if len(bare) <= LONGEST else None
    if option is None:
        what = {"judge": "neither true nor false", "find_error": f"none of the {ticks.count} lines"}
        raise ProblemError(f"{shown(bare)} is {what.get(ticks.form, 'no option')}", hint=ticks.expected)
    return Tick(bare, option, line)


def _option(word: str, ticks: Ticks) -> int | None:
    if ticks.form == "judge":
        return 0 if word in TRUE else 1 if word in FALSE else None
    if ticks.form == "find_error" and word.isascii() and word.isdigit() and len(word) < 9:
        return int(word) - 1 if 1 <= int(word) <= ticks.count else None
    return next((k for k in range(ticks.count) if letter(k) == word), None)


def label(form: str, option: int) -> str:
    """An option, counted from 0, as data has it: ``b``, ``true``, or the number of a line from 1."""
    match form:
        case "judge":
            return JUDGED[option]
        case "find_error":
            return str(option + 1)
        case _:
            return letter(option)


def letter(k: int) -> str:
    """The letter that stands on paper in front of an option counted from 0."""
    from derive.exam.papers.paper import letter as on_paper

    return on_paper(k)
