"""The equations of a problem as text: as they were written, and what was unrolled from a loop rolled up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from derive.problem.names import member, stem_of
from derive.problem.spell import spell
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Statement, Transpose
from derive.problem.write_toml import WIDTH, block


def equations(statements: Sequence[Statement]) -> str:
    """The key ``equations`` with its text."""
    return block("equations", equation_lines(statements))


def equation_lines(statements: Sequence[Statement]) -> list[str]:
    """The lines of the text, the comments in one column."""
    lines = list(_lines(statements))
    width = min(max((len(line) for line, comment in lines if comment), default=0), WIDTH // 2)
    return [f"{line:<{width}}   # {comment}" if comment else line for line, comment in lines]


def _lines(statements: Sequence[Statement]) -> Iterator[tuple[str, str]]:
    """Each line and its comment."""
    at = 0
    while at < len(statements):
        first = statements[at]
        if not first.loop:
            yield first.source, first.comment
            at += 1
            continue
        run = at
        while run < len(statements) and statements[run].loop == first.loop:
            run += 1
        body, turns = _rolled(statements[at:run])
        numbers = [_index(statements[at + turn * body].name) for turn in range(turns)]
        step = numbers[1] - numbers[0] if turns > 1 else 1
        end = numbers[-1] + (1 if step > 0 else -1)
        yield f"for {first.loop} in range({numbers[0]}, {end}{'' if step == 1 else f', {step}'}):", ""
        texts = _body(statements[at:run], body, turns) or []
        for statement, text in zip(statements[at : at + body], texts, strict=True):
            yield f"    {text}", statement.comment
        at += body * turns


def _rolled(statements: Sequence[Statement]) -> tuple[int, int]:
    """How many equations the body of the first loop has, and how many turns, the same but for what counts."""
    stems = [stem_of(statement.name) for statement in statements]
    body = stems.index(stems[0], 1) if stems[0] in stems[1:] else len(stems)
    turns = 1
    while (turns + 1) * body <= len(statements) and _body(statements, body, turns + 1) is not None:
        turns += 1
    return body, turns


def _body(statements: Sequence[Statement], body: int, turns: int) -> list[str] | None:
    """The equations of a body whose turns these are; ``None`` where they are not turns of one body."""
    numbers = [_index(statements[turn * body].name) for turn in range(turns)]
    steps = {b - a for a, b in pairwise(numbers)}
    if len(steps) > 1 or 0 in steps:
        return None
    texts = []
    for place in range(body):
        turn = [statements[k * body + place] for k in range(turns)]
        if any(one.comment for one in turn[1:]):
            return None
        name = _member([one.name for one in turn], numbers, turn[0].loop)
        value = _common([one.expression for one in turn], numbers, turn[0].loop)
        if name is None or value is None:
            return None
        texts.append(f"{name} = {spell(value)}")
    return texts


def _common(nodes: Sequence[Node], numbers: Sequence[int], variable: str) -> Node | None:
    """The expression in the loop's variable that gives these, turn by turn."""
    first = nodes[0]
    if any(type(node) is not type(first) for node in nodes):
        return None

    def inside(parts: Sequence[Node]) -> Node | None:
        return _common(parts, numbers, variable)

    match first:
        case Name():
            name = _member([node.id for node in nodes if isinstance(node, Name)], numbers, variable)
            return None if name is None else Name(name)
        case Negate() | Transpose():
            operand = inside([node.operand for node in nodes if isinstance(node, Negate | Transpose)])
            return None if operand is None else type(first)(operand)
        case Index():
            operand = inside([node.operand for node in nodes if isinstance(node, Index)])
            same = len({node.items for node in nodes if isinstance(node, Index)}) == 1
            return Index(operand, first.items) if operand is not None and same else None
        case Binary() | Compare():
            pairs = [node for node in nodes if isinstance(node, Binary | Compare)]
            left, right = inside([node.left for node in pairs]), inside([node.right for node in pairs])
            if left is None or right is None or len({node.operator for node in pairs}) > 1:
                return None
            return type(first)(first.operator, left, right)
        case Call():
            calls = [node for node in nodes if isinstance(node, Call)]
            if len({(node.function, len(node.arguments), node.options) for node in calls}) > 1:
                return None
            every = [inside(parts) for parts in zip(*(node.arguments for node in calls), strict=True)]
            arguments = tuple(part for part in every if part is not None)
            return Call(first.function, arguments, first.options) if len(arguments) == len(every) else None
    return first if len(set(nodes)) == 1 else None


def _member(names: Sequence[str], numbers: Sequence[int], variable: str) -> str | None:
    """``h[t-1]`` for members that count with the loop, the name itself for one that is always the same."""
    found = [member(name) for name in names]
    counted = {(one[0], one[1] - number) for one, number in zip(found, numbers, strict=True) if one}
    if len(set(names)) == 1 and (len(names) > 1 or not counted):
        return names[0]
    if None in found or len(counted) != 1:
        return None
    ((stem, offset),) = counted
    return f"{stem}[{variable}{f'{offset:+d}' if offset else ''}]"


def _index(name: str) -> int:
    found = member(name)
    return found[1] if found else 0
