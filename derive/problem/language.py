"""The equation language: text to ``Statement``.

Python's ``ast`` reads a line, and a whitelist turns the tree into nodes of ``syntax``; nothing is ever evaluated as
Python. Numbers are taken from the source text. Whatever is Python but not the language is refused, with one message.
The steps stand beside this module: ``lines`` cuts the text, ``python`` parses a line, ``expressions`` reads the tree.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from derive.errors import ProblemError, Unsupported
from derive.problem.expressions import OPERATORS, Reader
from derive.problem.functions import FUNCTIONS
from derive.problem.lines import DEEPEST, Line, logical_lines
from derive.problem.names import CONSTANTS, check_name
from derive.problem.python import parse
from derive.problem.syntax import Binary, Call, Index, Name, Node, Statement, Transpose, children, describe, walk
from derive.problem.wording import listing, shown

MOST_EQUATIONS = 20_000

__all__ = ["DEEPEST", "check_name", "children", "describe", "read_equations", "read_formula", "walk"]


def read_equations(text: str, lines: Sequence[int] = (), own: Collection[str] = ()) -> tuple[Statement, ...]:
    """The statements of ``text``, in order.

    ``lines[k]`` is the line of the problem file on which line ``k`` of ``text`` stands; ``own`` names the problem's own
    functions. Raises ``ProblemError`` with a line, and ``Unsupported`` for what the language has but derive has not
    yet. Names are not looked up here, only their form is checked.
    """
    statements = []
    for line in logical_lines(text, lines):
        statements.append(_statement(line, own))
        if len(statements) > MOST_EQUATIONS:
            raise ProblemError(f"more than {MOST_EQUATIONS} equations", line=line.lines[0])
    return tuple(statements)


def read_formula(text: str, line: int = 0) -> tuple[str, Node]:
    """An activation's formula in one variable (``"z**3 / 3"``): the variable and the tree.

    Raises ``ProblemError`` where it has no variable or several, or where it is not elementwise.
    """
    written = list(logical_lines(text, [line] * (text.count("\n") + 1)))
    if len(written) != 1:
        raise ProblemError(f'{shown(text)} is not one formula; expected is one such as "z**3 / 3"', line=line or None)
    node = Reader(written[0], ()).expression(parse(written[0], "eval"))
    for part in walk(node):
        if not _is_elementwise(part):
            raise ProblemError(
                f"the formula {shown(text)} is not elementwise: it has {describe(part)}",
                line=line or None,
                hint="a function of one's own is a formula of one entry",
            )
    variables = sorted({part.id for part in walk(node) if isinstance(part, Name)} - CONSTANTS)
    if len(variables) != 1:
        found = f"the variables {listing(variables, 'and')}" if variables else "no variable"
        raise ProblemError(f"the formula {shown(text)} has {found}, expected is exactly one", line=line or None)
    return variables[0], node


def _statement(line: Line, own: Collection[str]) -> Statement:
    tree = parse(line, "exec")
    assert isinstance(tree, ast.Module)
    reader = Reader(line, own)
    if len(tree.body) != 1:
        raise reader.error(tree.body[1], "two statements on one line, expected is one equation a line")
    statement = tree.body[0]
    if isinstance(statement, ast.For):
        raise Unsupported(
            "loops over time (for t in range(…)) are not built yet",
            line=line.lines[0],
            hint="write the steps out: h1 = …, h2 = …",
        )
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        word = line.text.split(maxsplit=1)[0].rstrip(":")
        raise reader.error(statement, _why_not_equation(statement, word), hint="an equation is name = expression")
    target = statement.targets[0]
    if not isinstance(target, ast.Name):
        if isinstance(target, ast.Subscript):
            raise reader.error(target, "a name with an index is assigned, which only a loop over time can do")
        several = isinstance(target, ast.Tuple | ast.List | ast.Starred)
        raise reader.error(target, "several names are assigned at once" if several else "what is assigned is no name")
    check_name(target.id, "an equation", line.lines[0])
    if target.id in own:
        raise reader.error(target, f"{target.id} cannot name an equation: it is a function of [functions]")
    expression = reader.expression(statement.value)
    source = " ".join(piece.strip() for piece in line.text.split("\n") if piece.strip())
    return Statement(target.id, expression, source, line.lines[0], line.comment)


def _why_not_equation(statement: ast.stmt, word: str) -> str:
    match statement:
        case ast.Assign():
            return "several names are assigned at once"
        case ast.AugAssign(op=op):
            return f"{OPERATORS.get(type(op), '')}= changes a name, and each name is assigned once"
        case ast.AnnAssign():
            return "a name with a type annotation"
        case ast.Expr(value=ast.Compare(ops=[ast.Eq()])):
            return "== compares, an equation is written with one ="
        case ast.Expr(value=ast.NamedExpr()):
            return "the walrus := is not in the language"
        case ast.Expr():
            return "an expression without a name"
        case ast.Import() | ast.ImportFrom():
            return "import is not in the language"
        case _:
            return f"{word} is a word of Python that the equation language does not have"


def _is_elementwise(node: Node) -> bool:
    match node:
        case Binary(operator=operator):
            return operator != "@"
        case Transpose() | Index():
            return False
        case Call(function=function):
            return function in FUNCTIONS and FUNCTIONS[function].elementwise
        case _:
            return True
