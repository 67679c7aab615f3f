"""The equation language: text to ``Statement``.

Python's ``ast`` reads a line, and a whitelist turns the tree into nodes of ``syntax``; nothing is ever evaluated as
Python. Numbers are taken from the source text. Whatever is Python but not the language is refused, with one message.
The steps stand beside this module: ``lines`` cuts the text, ``python`` parses a line, ``loops`` unrolls, and
``expressions`` reads the tree.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import replace

from derive.errors import ProblemError
from derive.problem import loops
from derive.problem.expressions import OPERATORS, Reader
from derive.problem.functions import FUNCTIONS
from derive.problem.lines import DEEPEST, Line, logical_lines
from derive.problem.names import CONSTANTS, check_name
from derive.problem.python import parse
from derive.problem.spell import spell
from derive.problem.syntax import Binary, Call, Index, Name, Node, Statement, Transpose, children, describe, walk
from derive.problem.wording import listing, shown

MOST_EQUATIONS = 20_000

__all__ = ["DEEPEST", "check_name", "children", "describe", "read_equations", "read_formula", "walk"]


def read_equations(
    text: str, lines: Sequence[int] = (), own: Collection[str] = (), families: Collection[str] = ()
) -> tuple[Statement, ...]:
    """The statements of ``text``, in order; a loop gives one for each of its equations and turns.

    ``lines[k]`` is the line of the problem file on which line ``k`` of ``text`` stands; ``own`` names the problem's own
    functions, ``families`` the names that data give member by member. Raises ``ProblemError`` with a line, and
    ``Unsupported`` for what the language has but derive has not yet. Names are not looked up here, only their form is
    checked.
    """
    found = tuple(loops.blocks(logical_lines(text, lines)))
    known = frozenset(families) | loops.families(found)
    statements: list[Statement] = []
    for block in found:
        for turn, bound in enumerate(block.turns()):
            for line, tree in block.body:
                statement = _statement(line, tree, Reader(line, own, known, bound), block.variable)
                statements.append(replace(statement, comment="") if turn else statement)
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


def _statement(line: Line, statement: ast.stmt, reader: Reader, loop: str) -> Statement:
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        word = line.text.split(maxsplit=1)[0].rstrip(":")
        raise reader.error(statement, _why_not_equation(statement, word), hint="an equation is name = expression")
    target = statement.targets[0]
    match target:
        case ast.Name(id=stem):
            name = stem
        case ast.Subscript(value=ast.Name(id=stem)):
            name = reader.member(stem, target.slice)
        case _:
            several = isinstance(target, ast.Tuple | ast.List | ast.Starred)
            raise reader.error(
                target, "several names are assigned at once" if several else "what is assigned is no name"
            )
    check_name(stem, "an equation", line.lines[0])
    if stem in reader.own:
        raise reader.error(target, f"{stem} cannot name an equation: it is a function of [functions]")
    if name in reader.bound:
        raise reader.error(target, f"{name} counts the loop and is assigned in it")
    if loop and name == stem:
        raise reader.error(
            target, f"{name} is assigned in every turn of the loop, and each name is assigned once",
            hint=f"a name for each turn has an index: {name}[{loop}] = …",
        )  # fmt: skip
    if loop in reader.families:
        raise reader.error(target, f"{loop} counts the loop, and is a family as well")
    if name == stem and stem in reader.families:
        raise reader.error(target, f"{stem} is a family, and is assigned without an index", hint=f"{stem}[1] = …")
    expression = reader.expression(statement.value)
    source = " ".join(piece.strip() for piece in line.text.split("\n") if piece.strip())
    if loop:
        source = f"{name} = {spell(expression)}"
    return Statement(name, expression, source, line.lines[0], line.comment, loop)


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
