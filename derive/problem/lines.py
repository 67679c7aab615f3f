"""From text to lines: comments taken off, lines joined while a bracket is open, foreign signs refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.errors import ProblemError
from derive.problem.exact import LONGEST
from derive.problem.names import LONGEST_NAME, spelled
from derive.problem.wording import shown
from derive.records import dataclass

DEEPEST = 100  # operations inside operations, brackets inside brackets
LONGEST_EQUATION = 20_000  # characters

_SIGNS = {"×": "*", "·": "*", "⋅": "*", "⊙": "*", "∘": "*", "÷": "/", "−": "-", "–": "-", "²": "**2", "³": "**3"}
_TOKEN = re.compile(
    r"(?P<string>\"[^\"\n]*+\"|'[^'\n]*+')|(?P<comment>#[^\n]*+)|(?P<newline>\n)|(?P<open>[\[({])|(?P<close>[\])}])"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*+)|(?P<number>(?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:[eE][+-]?\d[\d_]*+)?)"
    r"|(?P<blank>[ \t]++)|(?P<other>.)",
    re.ASCII | re.DOTALL,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_PLAIN = frozenset("+-*/@=<>!,.:;%&|~^")


@dataclass(frozen=True, slots=True)
class Line:
    """One equation as written: its text without comments, where each of its lines stands, comments, indent."""

    text: str
    lines: tuple[int, ...]
    comment: str
    indent: int = 0


def logical_lines(text: str, lines: Sequence[int]) -> Iterator[Line]:
    """Equations as written: comments taken off, lines joined while a bracket is open, foreign signs refused."""
    code: list[str] = []
    comments: list[str] = []
    brackets: list[tuple[str, int]] = []
    start = at = 0  # lines of the text: where the equation starts, where we are

    def place(number: int) -> int:
        return lines[number] if number < len(lines) else number + 1

    def finished() -> Line | None:
        source = "".join(code)
        if not source.strip():
            return None
        if len(source) > LONGEST_EQUATION:
            raise ProblemError(
                f"an equation of {len(source)} characters, at most {LONGEST_EQUATION}", line=place(start)
            )
        skip = len(source[: len(source) - len(source.lstrip())].split("\n")) - 1
        where = tuple(place(number) for number in range(start + skip, at + 1))
        indent = len(source) - len(source.lstrip())
        return Line(source.strip(), where, " ".join(comment for comment in comments if comment), indent)

    before = ""
    for token in _TOKEN.finditer(text):
        written, group = token[0], token.lastgroup
        if group == "newline":
            if brackets:
                code.append("\n")
            else:
                if line := finished():
                    yield line
                code, comments, start = [], [], at + 1
            at += 1
        elif group == "comment":
            if brackets or "".join(code).strip():
                comments.append(written[1:].strip())
        else:
            _check_token(written, group, before, place(at))
            if group == "open":
                brackets.append((written, at))
                if len(brackets) > DEEPEST:
                    raise ProblemError(f"brackets are nested more than {DEEPEST} deep", line=place(at))
            elif group == "close":
                if not brackets or brackets[-1][0] != _CLOSES[written]:
                    raise ProblemError(f"{written} closes nothing that was opened", line=place(at))
                brackets.pop()
            code.append(written)
        before = group or ""
    if brackets:
        raise ProblemError(f"{brackets[-1][0]} is never closed", line=place(brackets[-1][1]))
    if line := finished():
        yield line


def _check_token(written: str, group: str | None, before: str, line: int) -> None:
    if group == "number" and len(written) > LONGEST:
        raise ProblemError(f"a number of {len(written)} characters, at most {LONGEST} are allowed", line=line)
    if group == "string" and not (written.isascii() and written.isprintable() and "\\" not in written):
        raise ProblemError(f"{shown(written)} is a text; the language has numbers and names", line=line)
    if group == "word" and before == "number":
        raise ProblemError(f"a number runs into {shown(written)}", line=line, hint="a product is written with *: 2 * x")
    if group == "word" and len(written) > LONGEST_NAME:
        raise ProblemError(f"a name of {len(written)} characters, at most {LONGEST_NAME} are allowed", line=line)
    if group == "number" and before == "number":
        raise ProblemError(f"a number runs into {shown(written)}", line=line)
    if group != "other" or written in _PLAIN:
        return
    if written in _SIGNS:
        raise ProblemError(f"{written} is not a sign of the language", line=line, hint=f"write {_SIGNS[written]}")
    if written == "\\":
        raise ProblemError(
            "\\ is not a sign of the language", line=line, hint="an equation in brackets may go over several lines"
        )
    if written in "'\"":
        raise ProblemError(f"a stray {written}: the language has no texts", line=line, hint="a transpose is written .T")
    raise ProblemError(f"{shown(written)} is not a sign of the language", line=line, hint=spelled(written))
