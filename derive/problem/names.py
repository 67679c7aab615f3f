"""Names: what can name a quantity, and how a sign that cannot is spelled."""

from __future__ import annotations

import keyword
import re
import unicodedata

from derive.errors import ProblemError
from derive.problem.functions import FUNCTIONS
from derive.problem.wording import shown

LONGEST_NAME = 60

CONSTANTS = frozenset({"pi"})
NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST_NAME - 1}}}", re.ASCII)


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
