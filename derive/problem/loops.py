"""Loops: ``for t in range(1, 4): h[t] = …`` becomes one statement for each turn, before anything else sees it.

A loop is bounded by whole numbers and unrolled as it is read. A name that is indexed by the loop's variable, or
assigned with an index, is a *family*; its members ``h[1]``, ``h[2]``, … are names like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from derive.errors import ProblemError, Unsupported
from derive.problem.expressions import integer
from derive.problem.functions import FUNCTIONS
from derive.problem.lines import Line
from derive.problem.names import check_name
from derive.problem.python import parse
from derive.problem.wording import shown
from derive.records import dataclass

MOST_TURNS = 1000
USAGE = "for t in range(1, 4): h[t] = …"


@dataclass(frozen=True, slots=True)
class Block:
    """Equations that are read together: one alone, or the body of a loop of ``variable`` over ``numbers``."""

    body: tuple[tuple[Line, ast.stmt], ...]
    variable: str = ""
    numbers: Sequence[int] = (0,)
    line: int = 0

    def turns(self) -> Iterator[Mapping[str, int]]:
        """What the loop's variable stands for, turn by turn; one turn with nothing bound outside of loops."""
        for number in self.numbers:
            yield {self.variable: number} if self.variable else {}


def blocks(lines: Iterable[Line]) -> Iterator[Block]:
    """The blocks of a text. Raises ``ProblemError`` for a loop that is not bounded, empty or wrongly indented."""
    pending = list(lines)
    at = 0
    while at < len(pending):
        line = pending[at]
        at += 1
        if not _opens(line):
            tree = parse(line, "exec")
            assert isinstance(tree, ast.Module)
            statements = tree.body
            if isinstance(statements[0], ast.For) and len(statements) == 1:
                yield _loop(statements[0], line, [(line, statement) for statement in statements[0].body])
            else:
                _one(statements, line)
                yield Block(((line, statements[0]),))
            continue
        header = parse(Line(f"{line.text} pass", line.lines, line.comment), "exec")
        assert isinstance(header, ast.Module)
        first = at
        while at < len(pending) and pending[at].indent > line.indent:
            if pending[at].text.split(maxsplit=1)[0] == "for":
                raise _nested(pending[at])
            if pending[at].indent != pending[first].indent:
                raise ProblemError(
                    "the equations of a loop stand one under the other",
                    line=pending[at].lines[0],
                    hint="indent them alike",
                )
            at += 1
        yield _loop(header.body[0], line, list(_body(pending[first:at], line)))


def _opens(line: Line) -> bool:
    """Whether a line is the head of a block that follows."""
    return line.text.split(maxsplit=1)[0] == "for" and line.text.endswith(":")


def _body(lines: Sequence[Line], header: Line) -> Iterator[tuple[Line, ast.stmt]]:
    """The equations of a block; a comment on its head is that of the first equation, where this has none."""
    if not lines:
        raise ProblemError(
            "a loop with nothing in it", line=header.lines[0], hint="its equations are indented, or stand behind the :"
        )
    for number, line in enumerate(lines):
        tree = parse(line, "exec")
        assert isinstance(tree, ast.Module)
        _one(tree.body, line)
        comment = line.comment or (header.comment if number == 0 else "")
        yield Line(line.text, line.lines, comment, line.indent), tree.body[0]


def _one(statements: Sequence[ast.stmt], line: Line) -> None:
    if len(statements) != 1:
        raise ProblemError("two statements on one line, expected is one equation a line", line=line.lines[0])


def _nested(line: Line) -> Unsupported:
    return Unsupported(
        "a loop inside a loop is not built yet",
        line=line.lines[0],
        hint="a layer's states can be families of their own: h1[t] = …, h2[t] = …",
    )


def _loop(tree: ast.stmt, line: Line, body: Sequence[tuple[Line, ast.stmt]]) -> Block:
    start = line.lines[0]
    if not isinstance(tree, ast.For):
        raise ProblemError("this loop cannot be read", line=start, hint=USAGE)
    if any(isinstance(statement, ast.For | ast.While) for _, statement in body):
        raise _nested(line)
    if tree.orelse:
        raise ProblemError("a loop has no else", line=start, hint=USAGE)
    _one([statement for _, statement in body[:1]] if _opens(line) else tree.body, line)
    if not isinstance(tree.target, ast.Name):
        raise ProblemError("a loop counts with one name", line=start, hint=USAGE)
    variable = tree.target.id
    check_name(variable, "the variable of a loop", start)
    return Block(tuple(body), variable, _numbers(tree.iter, start), start)


def _numbers(tree: ast.expr, line: int) -> Sequence[int]:
    """The numbers that a loop runs over."""
    counted = isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "range"
    if not counted:
        raise ProblemError(f"a loop runs over {shown(ast.unparse(tree))}, expected is range(…)", line=line, hint=USAGE)
    assert isinstance(tree, ast.Call)
    if tree.keywords or not 1 <= len(tree.args) <= 3:
        raise ProblemError("range takes one, two or three whole numbers", line=line, hint="range(1, 4) is 1, 2, 3")
    ends = [integer(end, {}) for end in tree.args]
    for end, argument in zip(ends, tree.args, strict=True):
        if end is None:
            raise ProblemError(
                f"a loop without a bound: {shown(ast.unparse(argument))} in range is no whole number",
                line=line,
                hint="the number of turns is written out: range(1, 4) is 1, 2, 3",
            )
    whole = [end for end in ends if end is not None]
    if len(whole) == 3 and whole[2] == 0:
        raise ProblemError("a range of step 0", line=line)
    numbers = range(*whole)
    if not numbers:
        tip = f"range({whole[0]}, {whole[1]}, -1) counts down" if len(whole) == 2 else "range(1, 4) is 1, 2, 3"
        raise ProblemError(f"{shown(ast.unparse(tree))[1:-1]} has no number in it", line=line, hint=tip)
    if len(numbers) > MOST_TURNS:
        raise ProblemError(f"a loop of {len(numbers)} turns, at most {MOST_TURNS} are unrolled", line=line)
    return numbers


def families(found: Iterable[Block]) -> frozenset[str]:
    """The names that are families: indexed by a loop's variable alone, or assigned with an index."""
    names: set[str] = set()
    for block in found:
        for _, statement in block.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                    assigned = isinstance(node.ctx, ast.Store)
                    plain = not any(isinstance(part, ast.Slice | ast.Tuple) for part in ast.walk(node.slice))
                    counted = any(isinstance(p, ast.Name) and p.id == block.variable for p in ast.walk(node.slice))
                    if plain and (assigned or (counted and block.variable)) and node.value.id not in FUNCTIONS:
                        names.add(node.value.id)
    return frozenset(names)
