"""Python's parser on one line, and what it says where that is no equation."""

from __future__ import annotations

import ast
import keyword
import re

from derive.errors import ProblemError
from derive.problem.lines import DEEPEST, Line
from derive.problem.wording import shown


def parse(line: Line, mode: str) -> ast.AST:
    """The tree of an equation (``mode`` "exec") or an expression ("eval"). Raises ``ProblemError`` with the line."""
    try:
        return ast.parse(line.text, mode=mode)
    except SyntaxError as error:
        at = line.lines[min(max((error.lineno or 1) - 1, 0), len(line.lines) - 1)]
        raise _syntax_error(line.text, error, at) from None
    except (RecursionError, MemoryError):
        raise ProblemError(f"the expression is nested more than {DEEPEST} deep", line=line.lines[0]) from None
    except ValueError as error:
        raise ProblemError(f"{shown(line.text)} cannot be read: {error}", line=line.lines[0]) from None


def _syntax_error(text: str, error: SyntaxError, line: int) -> ProblemError:
    word = re.match(r"[A-Za-z_]\w*", text)
    if word and keyword.iskeyword(word[0]) and word[0] not in ("lambda", "not", "for"):
        return ProblemError(
            f"{word[0]} is a word of Python that the equation language does not have",
            line=line,
            hint="an equation is name = expression",
        )
    if re.search(r"\blambda\b(?!\s*[\w,*\s]*:)", text):
        return ProblemError(
            "lambda is a word of Python and names no value",
            line=line,
            hint="call it lam, and write lam = '\\lambda' under [symbols]",
        )
    if word and word[0] == "for":
        return ProblemError("this loop cannot be read", line=line, hint="for t in range(1, 4): h[t] = …")
    if "nested" in (error.msg or "") or "recursion" in (error.msg or ""):
        return ProblemError(f"the expression is nested more than {DEEPEST} deep", line=line)
    if text.rstrip().endswith("="):
        return ProblemError(f"{shown(text)} has nothing behind =", line=line)
    found = ""
    if error.offset and error.text and 0 < error.offset <= len(error.text) and (error.lineno or 1) == 1:
        rest = text[error.offset - 1 :]
        token = re.match(r"[A-Za-z_]\w*|[\d.]+|\S", rest)
        found = f" at {shown(token[0])}" if token else ""
    return ProblemError(f"{shown(text)} cannot be read{found}", line=line, hint="an equation is name = expression")
