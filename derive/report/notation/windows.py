r"""Convolutions and pooling in print: ``X \star W``, zeros around an image, the filter turned over, a mask of winners.

With numbers every convolution and each of its adjoints is one and the same operation, the cross-correlation of two
matrices that stand there in full: zeros around an image or between its entries are printed, the filter is turned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from derive.graph.expression import Expression, constant
from derive.graph.ops.frames import Frame
from derive.graph.ops.reach import CONVOLVING, POOLING
from derive.graph.ops.windows import frame_of
from derive.problem.problem import Size
from derive.problem.size_terms import plus
from derive.report.notation.cells import ATOM, PRODUCT, SUM, Cell, bracketed, multiply, rounded
from derive.report.notation.symbols import Symbols

OPS = frozenset({*CONVOLVING, *POOLING})

Show = Callable[[Expression], Cell]
Grid = list[list[Cell]]
ZERO = Cell("0", numeric=True)


def symbolic(node: Expression, show: Show, symbols: Symbols) -> Cell:
    """A node of ``OPS``; ``show`` prints its operands."""
    frame, shown = frame_of(node), [show(arg) for arg in node.args]
    if node.op in POOLING:
        return _pooled(node, frame, shown)
    if node.op.endswith("_image"):
        around = [plus((1, k), (-1, 1 + frame.padding)) for k in frame.window]
        inner = _padded(_dilated(shown[0], frame), around, frame.left_over, symbols)
        turned = "flip" if frame.dims == 1 else "rot_180"
        return _star(inner, _word(turned, shown[1]))
    channels = [0] if frame.dims == 1 and frame.image[1] != 1 else []  # of a signal: no zeros above or below
    sides: list[Size] = [*channels, *[frame.padding] * frame.dims]
    image = _padded(shown[0], sides, (), symbols)
    if node.op.endswith("_filter"):
        if any(frame.left_over):
            image = _word("crop", image, _sides([str(size) for size in (*channels, *frame.left_over)]))
        return _star(image, _dilated(shown[1], frame))
    return _star(image, shown[1], frame.stride)


def _star(a: Cell, b: Cell, stride: int = 1) -> Cell:
    """A sum among factors, so that brackets stand around it there; its operands are bracketed unless they are atoms."""
    left, right = (x.text if x.binding == ATOM and not x.negative else bracketed(x.text) for x in (a, b))
    return Cell(rf"{left} \star{f'_{{{stride}}}' if stride > 1 else ''} {right}", SUM)


def _word(word: str, inner: Cell, script: str = "") -> Cell:
    name, _, own = word.partition("_")
    script = script or own
    if inner.text.startswith(r"\begin{pmatrix}") and inner.text.count(r"\begin{pmatrix}") == 1:  # brackets enough
        return Cell(rf"\operatorname{{{name}}}" + (f"_{{{script}}}" if script else "") + inner.text)
    return Cell(rf"\operatorname{{{name}}}" + (f"_{{{script}}}" if script else "") + rounded(inner.text))


def _padded(inner: Cell, around: Sequence[Size], more: Sequence[int], symbols: Symbols) -> Cell:
    """Zeros around: one number where all sides have as many."""
    after = [plus((1, size), (1, extra)) for size, extra in zip(around, more or [0] * len(around), strict=True)]
    if all(size == 0 for size in (*around, *after)):
        return inner
    sides = [_size(a, symbols) if a == b else rf"{_size(a, symbols)}\mid {_size(b, symbols)}"
             for a, b in zip(around, after, strict=True)]  # fmt: skip
    return _word("pad", inner, _sides(sides))


def _sides(sides: Sequence[str]) -> str:
    """One number where all are the same."""
    return sides[0] if len(set(sides)) == 1 else ",".join(sides)


def _size(size: Size, symbols: Symbols) -> str:
    return str(size) if isinstance(size, int) else symbols.size(size)


def _dilated(inner: Cell, frame: Frame) -> Cell:
    return inner if frame.stride == 1 or frame.places == (1,) * frame.dims else _word("dil", inner, str(frame.stride))


def tiles(node: Expression) -> bool:
    """Whether the windows of a pooling lie side by side and cover every entry once."""
    frame = frame_of(node)
    return all(size == 1 or k == frame.stride for size, k in zip(frame.space, frame.window, strict=True))


def extent(node: Expression) -> str:
    """``2`` for windows 2 x 2 side by side, ``1 \\times 2`` in a row, ``3,2`` where they stand 2 apart."""
    frame = frame_of(node)
    window = [str(k) for k in frame.window]
    text = window[0] if len(set(window)) == 1 else r" \times ".join(window)
    return text if tiles(node) else f"{text},{frame.stride}"


def _pooled(node: Expression, frame: Frame, shown: Sequence[Cell]) -> Cell:
    match node.op:
        case "max_pool":
            return _word("maxpool", shown[0], extent(node))
        case "avg_pool":
            return _word("avgpool", shown[0], extent(node))
        case "avg_pool_back" if tiles(node):
            up = _word("up", shown[0], extent(node))
            return up if _count(frame) == 1 else Cell(rf"\frac{{1}}{{{_count(frame)}}} {up.text}", PRODUCT)
        case "avg_pool_back":
            return _word("share", shown[0], extent(node))
        case "max_pool_route" if tiles(node):
            mask, up = _word("mask", shown[1], extent(node)), _word("up", shown[0], extent(node))
            return Cell(rf"{mask.text} \odot {up.text}", PRODUCT)
    word = "route" if node.op == "max_pool_route" else "pick"
    return Cell(rf"\operatorname{{{word}}}_{{{extent(node)}}}{rounded(f'{shown[0].text}, {shown[1].text}')}")


def _count(frame: Frame) -> int:
    whole = 1
    for k in frame.window:
        whole *= int(k)
    return whole


# ── with the entries put in ─────────────────────────────────────────────────────────────────────────────────────


def shown_in_full(node: Expression) -> bool:
    """Whether a node of ``OPS`` over matrices can be printed with its entries put in."""
    return node.op in ("max_pool", "avg_pool", *CONVOLVING) or (
        node.op in ("max_pool_route", "avg_pool_back") and tiles(node)
    )


def filled(
    node: Expression,
    entry: Callable[[Expression, tuple[int, ...]], Cell],
    matrix: Callable[[tuple[int, ...], Callable[[tuple[int, ...]], str]], str],
) -> Cell:
    """A node of ``OPS`` over matrices with their entries; ``matrix`` prints the matrix of a size."""
    frame = frame_of(node)

    def grid(shape: Sequence[int], cell: Callable[[tuple[int, ...]], Cell]) -> Cell:
        return Cell(matrix(tuple(shape), lambda index: cell(index).text))

    def whole(x: Expression) -> Cell:
        return grid([int(size) for size in x.shape], lambda index: entry(x, index))

    if node.op in ("max_pool", "avg_pool"):
        return _word(node.op.replace("_", ""), whole(node.args[0]), extent(node))
    if node.op in ("max_pool_route", "avg_pool_back"):
        window = [int(k) for k in frame.window]
        shape = [int(size) for size in node.shape]
        up = grid(shape, lambda index: entry(node.args[0], tuple(i // k for i, k in zip(index, window, strict=True))))
        if node.op == "avg_pool_back":
            return up if _count(frame) == 1 else Cell(rf"\frac{{1}}{{{_count(frame)}}} {up.text}", PRODUCT)
        ones = Expression("spread", (constant(1),), (), node.args[0].shape)
        mask = Expression(node.op, (ones, node.args[1]), node.at, node.shape)
        won = grid(shape, lambda index: entry(mask, index))
        if all(size == 1 for size in shape):
            return multiply([Cell(won.text, numeric=True), entry(node.args[0], (0,) * len(shape))])
        return Cell(rf"{won.text} \odot {up.text}", PRODUCT)
    if node.op.endswith("_image"):
        return _star(*_full(node, frame, entry, grid))
    padded = _surrounded(node.args[0], frame, frame.padding, entry)
    space = [int(size) + 2 * frame.padding for size in frame.space]
    rows = [int(node.args[0].shape[0])] if frame.dims == 1 else []
    if not node.op.endswith("_filter"):
        return _star(grid([*rows, *space], padded), whole(node.args[1]), frame.stride)
    used = [size - extra for size, extra in zip(space, frame.left_over, strict=True)]
    G = node.args[1]
    return _star(grid([*rows, *used], padded), grid(*_spaced(G, frame, entry)))


def _surrounded(
    x: Expression, frame: Frame, around: int, entry: Callable[[Expression, tuple[int, ...]], Cell]
) -> Callable[[tuple[int, ...]], Cell]:
    """The entries of an image among zeros; channels of a signal have none above or below."""
    sides = [0] * (2 - frame.dims) + [around] * frame.dims

    def cell(index: tuple[int, ...]) -> Cell:
        inner = tuple(i - side for i, side in zip(index, sides, strict=True))
        inside = all(0 <= i < int(size) for i, size in zip(inner, x.shape, strict=True))
        return entry(x, inner) if inside else ZERO

    return cell


def _spaced(
    G: Expression, frame: Frame, entry: Callable[[Expression, tuple[int, ...]], Cell]
) -> tuple[list[int], Callable[[tuple[int, ...]], Cell]]:
    """The entries of a result with zeros between them, as far apart as the windows were."""
    step = frame.stride
    steps = [1] * (2 - frame.dims) + [step] * frame.dims
    shape = [s * (int(size) - 1) + 1 for s, size in zip(steps, G.shape, strict=True)]

    def cell(index: tuple[int, ...]) -> Cell:
        if any(i % s for i, s in zip(index, steps, strict=True)):
            return ZERO
        return entry(G, tuple(i // s for i, s in zip(index, steps, strict=True)))

    return shape, cell


def _full(
    node: Expression,
    frame: Frame,
    entry: Callable[[Expression, tuple[int, ...]], Cell],
    grid: Callable[[Sequence[int], Callable[[tuple[int, ...]], Cell]], Cell],
) -> tuple[Cell, Cell]:
    """The result's adjoint among zeros, and the filter turned over."""
    G, w = node.args
    shape, inner = _spaced(G, frame, entry)
    fixed = 2 - frame.dims
    around = [0] * fixed + [int(k) - 1 - frame.padding for k in frame.window]
    more = [0] * fixed + list(frame.left_over)
    outer = [size + 2 * side + extra for size, side, extra in zip(shape, around, more, strict=True)]

    def cell(index: tuple[int, ...]) -> Cell:
        place = tuple(i - side for i, side in zip(index, around, strict=True))
        return inner(place) if all(0 <= i < size for i, size in zip(place, shape, strict=True)) else ZERO

    sizes = [int(size) for size in w.shape]
    turned = [False] * fixed + [True] * frame.dims

    def over(index: tuple[int, ...]) -> Cell:
        places = zip(index, sizes, turned, strict=True)
        return entry(w, tuple(size - 1 - i if turn else i for i, size, turn in places))

    return grid(outer, cell), grid(sizes, over)
