"""Names: what can name a quantity, members of families among them, and how a sign that cannot is spelled.

``h[2]`` is the member 2 of the family ``h``: a name like any other, in JSON, in asks and as a key of a table.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

from derive.errors import ProblemError
from derive.problem.functions import FUNCTIONS
from derive.problem.wording import shown

LONGEST_NAME = 60
LARGEST_INDEX = 99_999  # of a member of a family

CONSTANTS = frozenset({"pi"})
NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST_NAME - 1}}}", re.ASCII)
QUANTITY = rf"{NAME.pattern}(?:\[-?[0-9]{{1,5}}\])?"  # a name or a member, inside larger patterns
MEMBER = re.compile(rf"({NAME.pattern})\[(0|-?[1-9][0-9]{{0,4}})\]", re.ASCII)


def joined(stem: str, index: int) -> str:
    """``h[2]``"""
    return f"{stem}[{index}]"


def member(name: str) -> tuple[str, int] | None:
    """``("h", 2)`` for ``h[2]``; ``None`` for a plain name."""
    match = MEMBER.fullmatch(name) if name.endswith("]") else None
    return (match[1], int(match[2])) if match else None


def stem_of(name: str) -> str:
    """``h`` for ``h[2]``; a plain name is its own."""
    return name.partition("[")[0]


def members(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """The families among ``names``: stem, index, name; indices in the order of ``names``."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        parts = member(name)
        if parts is not None:
            found.setdefault(parts[0], {})[parts[1]] = name
    return found


def check_name(name: str, what: str, line: int | None = None) -> None:
    """Raise ``ProblemError`` unless ``name`` can name a quantity; ``what`` says what it is to name."""
    if not NAME.fullmatch(name):
        if len(name) > LONGEST_NAME and NAME.match(name):
            raise ProblemError(f"{what} has a name of {len(name)} characters, at most {LONGEST_NAME}", line=line)
        raise ProblemError(
            f"{shown(name)} cannot name {what}: a name is letters a to z, digits and _, and starts with a letter",
            line=line,
            hint=spelled(name),
        )
    if keyword.iskeyword(name):
        raise ProblemError(f"{name} cannot name {what}: it is a word of the language", line=line)
    if name in CONSTANTS:
        raise ProblemError(f"{name} cannot name {what}: it is a constant", line=line)
    if name in FUNCTIONS:
        raise ProblemError(f"{name} cannot name {what}: it is a function", line=line)


def spelled(text: str) -> str | None:
    """``write sigma`` for ``σ``."""
    for character in text:
        words = unicodedata.name(character, "").split() if not character.isascii() else []
        if words[:1] == ["GREEK"] and "LETTER" in words:
            name = words[words.index("LETTER") + 1].lower().replace("lamda", "lambda_")
            return f"write {name.capitalize() if 'CAPITAL' in words else name}"
    return None
