"""``x[…]`` as slices: NumPy's indices, less its dropping of axes, and with a message where they reach nothing."""

from __future__ import annotations

from derive.graph import sizes
from derive.graph.expression import Expression
from derive.graph.ops.rearranging import Slice, take
from derive.graph.ops.table import apply
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import plus

Written = tuple[int | None, int | None, int | None]
Item = int | Written


def indexed(x: Expression, items: tuple[Item, ...]) -> Expression:
    """``x[items]``: a number where every axis has a whole number, else a slice that keeps all axes.

    Raises ``ShapeError`` for more indices than axes, for an index that is not there, and for an empty slice.
    """
    shape = x.shape
    if len(items) > len(shape):
        what = sizes.describe(shape)
        raise ShapeError(f"{len(items)} indices for {what}" if shape else "a number has no entries to index")
    if len(items) == len(shape) and all(isinstance(item, int) for item in items):
        starts = (_part(shape, axis, item) for axis, item in enumerate(items))
        return apply("entry", x, at=tuple(0 if part is None else part.start for part in starts))
    open_axes: tuple[Item, ...] = ((None, None, None),) * (len(shape) - len(items))
    return take(x, tuple(_part(shape, axis, item) for axis, item in enumerate((*items, *open_axes))))


def _part(shape: Shape, axis: int, item: Item) -> Slice | None:
    size = shape[axis]
    if isinstance(item, int):
        part = Slice(_single(shape, axis, item), 1)
    elif isinstance(size, int):
        part = _fixed(shape, axis, size, item)
    else:
        part = _open(shape, axis, size, item)
    return None if part == Slice(0, size) else part


def _single(shape: Shape, axis: int, item: int) -> Size:
    """The place of a whole number, counted from 0; a negative one counts from the end."""
    size = shape[axis]
    if not isinstance(size, int):
        return item if item >= 0 else plus((1, size), (1, item))
    if not -size <= item < size:
        row = axis == 0 and size == 1 and len(shape) == 2
        other = f"; a row has its entries along axis 1: [0, {item}]" if row else ""
        raise ShapeError(
            f"there is no index {item} along axis {axis} of {sizes.describe(shape)}; "
            f"indices count from 0, so the last is {size - 1}{other}"
        )
    return item % size


def _fixed(shape: Shape, axis: int, size: int, item: Written) -> Slice:
    places = range(*slice(*item).indices(size))
    if not places:
        raise ShapeError(f"the slice {written(item)} along axis {axis} of {sizes.describe(shape)} is empty")
    return Slice(places[0], len(places), places.step if len(places) > 1 else 1)


def _open(shape: Shape, axis: int, size: str, item: Written) -> Slice:
    """A slice of an axis whose size is a name, which is taken to be long enough."""
    start, stop, step = item
    if step not in (None, 1):
        raise ShapeError(f"the slice {written(item)} needs a number for the size {size} of {sizes.describe(shape)}")
    first: Size = start or 0
    if isinstance(first, int) and first < 0:
        first = plus((1, size), (1, first))
    last: Size = size if stop is None else stop if stop >= 0 else plus((1, size), (1, stop))
    count = plus((1, last), (-1, first))
    if isinstance(count, int) and count < 1:
        raise ShapeError(f"the slice {written(item)} along axis {axis} of {sizes.describe(shape)} is empty")
    return Slice(first, count)


def written(item: Written) -> str:
    """``1:3``, ``::2``: as it stands in an equation."""
    start, stop, step = ("" if part is None else str(part) for part in item)
    return f"{start}:{stop}" + (f":{step}" if step else "")
