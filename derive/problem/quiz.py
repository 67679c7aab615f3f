"""``[ask] choose``, ``judge`` and ``find_error``: the answer among wrong ones, right or wrong, which line is wrong.

``choose = ["W1"]`` prints the derivative by W1 among formulas with one slip each, ``judge = ["b1"]`` one formula to be
called right or wrong, and ``find_error = true`` the whole way back with one slip in it. The solution has the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from derive.problem import wording
from derive.problem.places import Places
from derive.records import dataclass

if TYPE_CHECKING:
    from derive.problem.ask import Known

QUIZ_KEYS = ("choose", "judge", "find_error")


@dataclass(frozen=True, slots=True)
class Quiz:
    """Names by whose derivatives is asked, by form of question."""

    choose: tuple[str, ...] = ()
    judge: tuple[str, ...] = ()
    find_error: bool = False


def read_quiz(table: Mapping[str, object], known: Known, places: Places) -> Quiz | None:
    """The questions of these forms, ``None`` where there are none. Raises ``ProblemError``."""
    find = table.get("find_error", False)
    if not isinstance(find, bool):
        raise places.error(f"find_error is {wording.kind(find)}, expected is true or false", "ask", "find_error")
    quiz = Quiz(_names("choose", table, known, places), _names("judge", table, known, places), find)
    return quiz if quiz != Quiz() else None


def _names(key: str, table: Mapping[str, object], known: Known, places: Places) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list | tuple):
        tip = f'{key} = ["{value}"]' if isinstance(value, str) else None
        raise places.error(f"{key} is {wording.kind(value)}, expected is a list of names", "ask", key, hint=tip)
    found: list[str] = []
    for number, name in enumerate(value):
        if not isinstance(name, str):
            raise places.error(f"{key} has {wording.kind(name)}, expected are names", "ask", key, number)
        if name not in known.names and known.complete:
            raise places.unknown(f"{key} names what does not exist:", name, known.names, "ask", key, number)
        if name in found:
            raise places.error(f"{key} has {name} twice", "ask", key, number)
        found.append(name)
    return tuple(found)
