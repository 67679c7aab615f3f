"""Entries taken out, put back and put together: slices, single entries, blocks side by side, other rows and columns.

Nothing is computed here: every row moves entries, and its pullback moves them back. What was taken out goes back to
where it came from, with zeros elsewhere; of what was put together each operand gets its own block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from derive.graph import sizes
from derive.graph.expression import Expression
from derive.graph.ops.table import apply, row
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import plus
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """The places ``start``, ``start + step``, … along an axis, ``count`` of them; start and count may be names."""

    start: Size
    count: Size
    step: int = 1

    @property
    def places(self) -> tuple[int, ...]:
        """The places, counted from 0, where start and count are numbers."""
        start, count = int(self.start), int(self.count)
        return tuple(range(start, start + self.step * count, self.step))

    def __str__(self) -> str:
        return f"{self.count} from {self.start}" + (f" by {self.step}" if self.step != 1 else "")


Slices = tuple[Slice | None, ...]  # one for each axis; None is the whole axis


def take(x: Expression, slices: Slices) -> Expression:
    """The entries of ``x`` in the slices; ``x`` itself where these are whole."""
    if all(part is None for part in slices):
        return x
    return apply("slice", x, at=slices)


def put(x: Expression, slices: Slices, shape: Shape) -> Expression:
    """``x`` in the slices of zeros of a shape: what ``take`` undoes. A number fits where there is one entry."""
    if all(part is None for part in slices):
        return x
    return Expression("place", (x,), (*slices, shape), shape)


def concat(operands: Sequence[Expression], axis: int) -> Expression:
    """The operands one behind another along an axis."""
    return operands[0] if len(operands) == 1 and operands[0].shape else apply("concat", *operands, at=(axis,))


def blocks(node: Expression) -> tuple[Slice, ...]:
    """Where each operand of a ``concat`` stands along its axis."""
    axis, found = node.at[0], list[Slice]()
    start: Size = 0
    for arg in node.args:
        count = arg.shape[axis] if arg.shape else 1
        found.append(Slice(start, count))
        start = plus((1, start), (1, count))
    return tuple(found)


def pieces(part: Slice | None, size: Size) -> tuple[tuple[Size, Slice | None], ...]:
    """How an axis of that size is cut by a slice of it: the length of each piece, and what of the slice stands there.

    ``None`` stands for a piece outside of the slice.
    """
    if part is None:
        return ((size, Slice(0, size)),)
    if part.step == 1:
        rest = plus((1, size), (-1, part.start), (-1, part.count))
        whole: list[tuple[Size, Slice | None]] = [
            (part.start, None), (part.count, Slice(0, part.count)), (rest, None)
        ]  # fmt: skip
        return tuple(piece for piece in whole if piece[0] != 0)
    found: list[tuple[Size, Slice | None]] = []
    last = 0
    for place, k in sorted((place, k) for k, place in enumerate(part.places)):
        found += [(place - last, None)] if place > last else []
        found.append((1, Slice(k, 1)))
        last = place + 1
    rest = plus((1, size), (-1, last))
    return (*found, (rest, None)) if rest != 0 else tuple(found)


def slices_of(node: Expression) -> Iterator[tuple[Slice, Size]]:
    """Every slice that a node of this module has, with the size of the axis that it lies on."""
    match node.op:
        case "slice" | "place":
            shape = node.args[0].shape if node.op == "slice" else node.shape
            yield from ((part, size) for part, size in zip(node.at, shape, strict=False) if part is not None)
        case "entry":
            yield from ((Slice(place, 1), size) for place, size in zip(node.at, node.args[0].shape, strict=True))
        case "concat":
            yield from ((part, node.shape[node.at[0]]) for part in blocks(node))


def along(axis: int, part: Slice, rank: int) -> Slices:
    """A slice of one axis, all others whole."""
    return tuple(part if k == axis else None for k in range(rank))


def _put_entry(e: Any, k: int, slices: Slices, index: tuple[Any, ...]) -> Any:
    """Entry ``index`` of operand ``k`` in its slices: a delta for each place that it may stand at."""

    def inner(axis: int, inside: tuple[Any, ...]) -> Any:
        if axis == len(slices):
            return e.operand(k, *inside)
        part = slices[axis]
        if part is None:
            return inner(axis + 1, (*inside, index[axis]))
        start, step = part.start, part.step
        return e.total(
            part.count, lambda p: e.delta(index[axis], e.shifted(p, start, step)) * inner(axis + 1, (*inside, p))
        )

    return inner(0, ())


row(
    "slice",
    shape=lambda shapes, at: tuple(
        size if part is None else part.count for size, part in zip(shapes[0], at, strict=True)
    ),
    value=lambda kind, node, v: kind.take(v[0], node.at),
    pullback=lambda G, node: (put(G, node.at, node.args[0].shape),),
    index=lambda e, node, *i: e.operand(
        0, *(k if part is None else e.shifted(k, part.start, part.step) for k, part in zip(i, node.at, strict=True))
    ),
)

# The undoing of a slice: its operand where the slice was, zeros elsewhere. The node carries the shape to fill.
row(
    "place",
    shape=lambda shapes, at: at[-1],
    value=lambda kind, node, v: kind.put(v[0], node.at[:-1], node.shape),
    pullback=lambda G, node: (
        take(G, node.at[:-1])
        if node.args[0].shape
        else apply("entry", G, at=tuple(0 if part is None else part.start for part in node.at[:-1])),
    ),
    index=lambda e, node, *i: _put_entry(e, 0, node.at[:-1], i),
)

# One entry, a number; ``at`` holds its place.
row(
    "entry",
    shape=lambda shapes, at: (),
    value=lambda kind, node, v: kind.entry(v[0], node.at),
    pullback=lambda G, node: (put(G, tuple(Slice(k, 1) for k in node.at), node.args[0].shape),),
    index=lambda e, node, *i: e.operand(0, *(e.fixed(k) for k in node.at)),
)


def _concatenated(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    """Sizes add up along the axis and agree along all others; a number is a block of one entry."""
    axis = at[0]
    whole = [shape or (1, 1) for shape in shapes]
    first = whole[0]
    for shape in whole[1:]:
        others = [(p, q) for k, (p, q) in enumerate(zip(first, shape, strict=False)) if k != axis]
        if len(shape) != len(first) or any(p != q for p, q in others):
            raise ShapeError(
                f"concat along axis {axis} of {sizes.describe(first)} and {sizes.describe(shape)}: "
                "their sizes along the other axis differ"
            )
    total: Size = 0
    for shape in whole:
        total = plus((1, total), (1, shape[axis]))
    return (*first[:axis], total, *first[axis + 1 :])


row(
    "concat",
    shape=_concatenated,
    value=lambda kind, node, v: kind.join(v, node.at[0]),
    pullback=lambda G, node: tuple(
        take(G, along(node.at[0], part, len(node.shape)))
        if arg.shape
        else apply("entry", G, at=tuple(part.start if k == node.at[0] else 0 for k in range(len(node.shape))))
        for arg, part in zip(node.args, blocks(node), strict=True)
    ),
    index=lambda e, node, *i: sum(
        (
            _put_entry(e, k, along(node.at[0], part, len(node.shape)), i)
            for k, part in enumerate(blocks(node)[1:], start=1)
        ),
        _put_entry(e, 0, along(node.at[0], blocks(node)[0], len(node.shape)), i),
    ),
)

# The entries row by row in other rows and columns; the node carries the shape to fill.
row(
    "reshape",
    shape=lambda shapes, at: at[0],
    value=lambda kind, node, v: kind.reshape(v[0], node.shape),
    pullback=lambda G, node: (reshape(G, node.args[0].shape),),
    index=lambda e, node, *i: e.operand(0, *e.reread(i, node.shape, node.args[0].shape)),
)


def reshape(x: Expression, shape: Shape) -> Expression:
    """The entries of ``x``, row by row, in another shape; twice is once."""
    if x.op == "reshape":
        x = x.args[0]
    return x if x.shape == shape else Expression("reshape", (x,), (shape,), shape)
