r"""Slices and blocks: ``X_{1:2,\,:}``, matrices side by side, zeros around what is put back.

Places are counted from 1 and both ends are in: ``1:2`` are the first two. Zeros that are no single entry carry their
size.
"""

from __future__ import annotations

from collections.abc import Callable

from derive.graph.expression import Adjoint, Expression
from derive.graph.ops import rearranging
from derive.graph.ops.rearranging import Slice, Slices, pieces
from derive.graph.sizes import is_scalar
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import plus
from derive.report.notation.cells import Cell, bracketed, rounded
from derive.report.notation.symbols import Symbols

OPS = frozenset({"slice", "place", "entry", "concat", "reshape"})

Show = Callable[[Expression], Cell]


def symbolic(node: Expression, show: Show, symbols: Symbols) -> Cell:
    """A node of ``OPS``; ``show`` prints its operands."""
    match node.op:
        case "slice":
            return _slice(node.args[0], node.at, show, symbols)
        case "entry":
            return _slice(node.args[0], tuple(Slice(place, 1) for place in node.at), show, symbols)
        case "concat":
            parts = [show(arg).text for arg in node.args]
            return Cell(_matrix([parts] if node.at[0] == 1 else [[part] for part in parts]))
        case "place":
            return _place(node, show, symbols)
    shape = r" \times ".join(_size(size, symbols) for size in node.shape)
    return Cell(rf"\operatorname{{reshape}}_{{{shape}}}{rounded(show(node.args[0]).text)}")


def source(node: Expression, index: tuple[int, ...]) -> tuple[Expression, tuple[int, ...]] | None:
    """Which entry of which operand stands at an index of a node of ``OPS``; ``None`` where a zero does."""
    match node.op:
        case "slice":
            places = zip(index, node.at, strict=True)
            return node.args[0], tuple(k if part is None else part.places[k] for k, part in places)
        case "entry":
            return node.args[0], node.at
        case "concat":
            axis = node.at[0]
            for arg, part in zip(node.args, rearranging.blocks(node), strict=True):
                if index[axis] in part.places:
                    inside = tuple(k - int(part.start) if n == axis else k for n, k in enumerate(index))
                    return arg, inside if arg.shape else ()
        case "place":
            own: list[int] = []
            for k, part in zip(index, node.at[:-1], strict=True):
                if part is not None and k not in part.places:
                    return None
                own.append(k if part is None else part.places.index(k))
            return node.args[0], tuple(own) if node.args[0].shape else ()
        case "reshape":
            flat = 0
            for k, size in zip(index, node.shape, strict=True):
                flat = flat * int(size) + k
            found: list[int] = []
            for size in reversed(node.args[0].shape):
                flat, k = divmod(flat, int(size))
                found.append(k)
            return node.args[0], tuple(reversed(found))
    raise AssertionError(f"{node.op} moves no entries")


def _slice(x: Expression, slices: Slices, show: Show, symbols: Symbols) -> Cell:
    """``X_{1:2,\\,:}``; of a row or a column the one index that there is, of a single entry its own symbol."""
    counts = [size if part is None else part.count for size, part in zip(x.shape, slices, strict=True)]
    starts = [0 if part is None else part.start for part in slices]
    if x.op == "name" and is_scalar(tuple(counts)):
        if all(isinstance(start, int) for start in starts):
            return Cell(symbols.entry(x.name, tuple(map(int, starts))))
        if isinstance(x.name, str):
            lines = [start for start, size in zip(starts, x.shape, strict=True) if size != 1]
            texts = [_size(plus((1, start), (1, 1)), symbols) for start in lines]
            return Cell(symbols.indexed(x.name, (r",\," if max(map(len, texts)) > 1 else "").join(texts)))
    long = [axis for axis, size in enumerate(x.shape) if size != 1] or [0]
    axes = long if len(long) == 1 else range(len(x.shape))
    places = r",\,".join(_places(slices[axis], symbols) for axis in axes)
    base = show(x).text
    plain = x.op == "name" and not isinstance(x.name, Adjoint) and not set("_^") & set(base)
    return Cell(rf"{base if plain else bracketed(base)}_{{{places}}}")


def _places(part: Slice | None, symbols: Symbols) -> str:
    if part is None:
        return ":"
    first = _size(plus((1, part.start), (1, 1)), symbols)
    if part.count == 1:
        return first
    if part.step == 1:
        return f"{first}:{_size(plus((1, part.start), (1, part.count)), symbols)}"
    if isinstance(part.start, int) and isinstance(part.count, int):
        return rf"\{{{','.join(str(place + 1) for place in part.places)}\}}"
    second = _size(plus((1, part.start), (1, part.step + 1)), symbols)
    last = _size(plus((1, part.start), (part.step, part.count), (1, 1 - part.step)), symbols)
    return rf"\{{{first},{second},\dots,{last}\}}"


def _place(node: Expression, show: Show, symbols: Symbols) -> Cell:
    """The operand as a block among zeros; where they alternate in unknown numbers, as what is put in its places."""
    (x,), slices = node.args, node.at[:-1]
    if any(part is not None and part.step != 1 and not isinstance(part.count, int) for part in slices):
        places = r",\,".join(_places(part, symbols) for part in slices)
        return Cell(rf"\operatorname{{put}}_{{{places}}}{rounded(show(x).text)}")
    rows, columns = (pieces(part, size) for part, size in zip(slices, node.shape, strict=True))

    def block(height: Size, p: Slice | None, width: Size, q: Slice | None) -> str:
        if p is None or q is None:
            return _zeros((height, width), symbols)
        if not x.shape or (p, q) == tuple(Slice(0, size) for size in x.shape):
            return show(x).text
        own = tuple(None if part == Slice(0, size) else part for part, size in zip((p, q), x.shape, strict=True))
        return _slice(x, own, show, symbols).text

    return Cell(_matrix([[block(height, p, width, q) for width, q in columns] for height, p in rows]))


def _zeros(shape: Shape, symbols: Symbols) -> str:
    sizes = [_size(size, symbols) for size in shape]
    size = r" \times ".join(f"({text})" if set("+-") & set(text) else text for text in sizes)
    return "0" if is_scalar(shape) else rf"\mathbf{{0}}_{{{size}}}"


def _size(size: Size, symbols: Symbols) -> str:
    return str(size) if isinstance(size, int) else symbols.size(size)


def _matrix(rows: list[list[str]]) -> str:
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
