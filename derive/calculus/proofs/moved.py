"""Claims about what moves entries: slices that start anywhere and are of any length, blocks of any size.

A slice of rows takes rows s, …, s + m - 1 (or every second one of them), one of columns t, …, t + p - 1; a single row
is row s, a single column column t. That a slice lies within its axis is no hypothesis: else there is no such slice.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.graph import ops
from derive.graph.expression import Expression, leaf
from derive.graph.ops.rearranging import Slice, Slices, put, reshape, take
from derive.problem.problem import Shape, Size

MOVED = ("slice", "place", "entry", "concat", "reshape")
MATRIX: Shape = ("N", "n")
STARTS, COUNTS = ("s - 1", "t - 1"), ("m", "p")
WIDTHS = ("m", "n", "p", "q", "r")  # of blocks that stand side by side
LETTERS = "XYUVQR"


def _cut(axis: int, step: int = 1, single: bool = False) -> Slice:
    return Slice(STARTS[axis], 1 if single else COUNTS[axis], step)


def _slice(slices: Slices) -> Expression:
    return take(leaf("X", MATRIX), slices)


def _place(slices: Slices) -> Expression:
    shape: Shape = tuple(size if part is None else part.count for part, size in zip(slices, MATRIX, strict=True))
    return put(leaf("X" if 1 not in shape else "b", shape), slices, MATRIX)


def _entry(operand: str = "X") -> Expression:
    return ops.apply("entry", leaf(operand, MATRIX), at=STARTS)


def _number_in_place() -> Expression:
    return put(leaf("b", ()), (_cut(0, single=True), _cut(1, single=True)), MATRIX)


def _concat(axis: int, numbers: tuple[bool, ...]) -> Expression:
    """Blocks side by side (``axis`` 1) or under each other; a number is a block of one entry."""
    operands: list[Expression] = []
    for k, number in enumerate(numbers):
        width = WIDTHS[k] if k < len(WIDTHS) else f"n{k + 1}"
        other: Size = 1 if any(numbers) else "N"
        letter = LETTERS[k] if k < len(LETTERS) else f"X{k + 1}"
        shape: Shape = () if number else (other, width) if axis == 1 else (width, other)
        operands.append(leaf(letter.lower() if any(numbers) else letter, shape))
    return ops.apply("concat", *operands, at=(axis,))


def expressions(rule: str) -> Iterator[Expression]:
    """The expressions that a rule is proved on."""
    some = tuple(map(_cut, (0, 1)))
    match rule:
        case "slice":
            yield from map(_slice, ((some[0], None), (None, some[1]), some, (_cut(0, single=True), None)))
            yield from map(_slice, ((None, _cut(1, single=True)), (_cut(0, 2), None), (None, _cut(1, -1))))
        case "place":
            yield from map(_place, ((some[0], None), (None, some[1]), some, (_cut(0, single=True), None)))
            yield from map(_place, ((None, _cut(1, single=True)), (_cut(0, 2), None)))
            yield _number_in_place()
        case "entry":
            yield _entry()
        case "concat":
            yield from (_concat(axis, numbers) for axis in (1, 0) for numbers in ((False,) * 2, (False,) * 3))
            yield _concat(1, (True, True))
        case "reshape":
            yield reshape(leaf("X", MATRIX), MATRIX[::-1])


def general(node: Expression) -> Expression:
    """The op of a node of any network over letters of symbolic size."""
    match node.op:
        case "slice" | "place":
            cut = tuple(
                None if part is None else _cut(axis, part.step, part.count == 1)
                for axis, part in zip((0, 1), node.at, strict=False)
            )
            if node.op == "slice":
                return _slice(cut)
            return _place(cut) if node.args[0].shape else _number_in_place()
        case "entry":
            return _entry()
        case "concat":
            return _concat(node.at[0], tuple(not arg.shape for arg in node.args))
    return next(expressions(node.op))
