"""How windows lie on an image: the geometry that convolutions and pooling share.

An image has the axes N, C and one or two in space, a filter F, C and as many. Two matrices are one image and one
filter: of ``conv2d`` their rows and columns are space, of ``conv1d`` the rows are channels. Place p of window i reaches
the entry ``stride * i + p - padding`` (counted from 0); beyond the image there are zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from derive.errors import Unsupported
from derive.graph import sizes
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import joined, plus, terms
from derive.records import dataclass

AXES = {1: "N, C, W", 2: "N, C, H, W"}
FILTER_AXES = {1: "F, C, w", 2: "F, C, h, w"}


@dataclass(frozen=True, slots=True)
class Frame:
    """Windows on images: all axes there are, however the operands were given.

    ``image`` is (N, C, …), ``filters`` (F, C, …), ``places`` how many windows there are along each axis in space.
    ``flat`` says that the operands are two matrices.
    """

    dims: int
    image: Shape
    filters: Shape
    places: Shape
    stride: int
    padding: int
    flat: bool

    @property
    def window(self) -> Shape:
        """The sizes of a window."""
        return self.filters[2:]

    @property
    def space(self) -> Shape:
        """The sizes of an image in space."""
        return self.image[2:]

    @property
    def out(self) -> Shape:
        """The shape of the result, with all axes."""
        return (self.image[0], self.filters[0], *self.places)

    def image_at(self, n: Any, c: Any, place: Sequence[Any]) -> tuple[Any, ...]:
        """Where an entry of the image stands in the operand as it was given."""
        return self._at(n, c, place)

    def filter_at(self, f: Any, c: Any, place: Sequence[Any]) -> tuple[Any, ...]:
        """Where an entry of a filter stands in the operand as it was given."""
        return self._at(f, c, place)

    def out_at(self, n: Any, f: Any, place: Sequence[Any]) -> tuple[Any, ...]:
        """Where an entry of the result stands in it."""
        return self._at(n, 0, place) if self.flat else (n, f, *place)

    def _at(self, first: Any, c: Any, place: Sequence[Any]) -> tuple[Any, ...]:
        if not self.flat:
            return (first, c, *place)
        return (c, *place) if self.dims == 1 else tuple(place)

    def split(self, index: Sequence[Any]) -> tuple[Any, Any, tuple[Any, ...]]:
        """The sample (filter), the channel and the place that an index of an operand or of the result means."""
        if not self.flat:
            return index[0], index[1], tuple(index[2:])
        return (0, index[0], tuple(index[1:])) if self.dims == 1 else (0, 0, tuple(index))

    @property
    def left_over(self) -> tuple[int, ...]:
        """Along each axis the entries at the end, padding included, that no window reaches; 0 where sizes are names."""
        rooms = (plus((1, n), (2, self.padding), (-1, k)) for n, k in zip(self.space, self.window, strict=True))
        return tuple(room % self.stride if isinstance(room, int) else 0 for room in rooms)


def convolution(dims: int, x: Shape, w: Shape, stride: int, padding: int) -> Frame:
    """The frame of ``conv1d`` (``dims`` 1) or ``conv2d`` (2). Raises ``ShapeError`` where they do not fit."""
    name, flat = f"conv{dims}d", len(x) == 2 == len(w)
    if not flat and not len(x) == len(w) == dims + 2:
        raise ShapeError(
            f"{name} takes an image {AXES[dims]} and a filter {FILTER_AXES[dims]}, or two matrices; "
            f"found are {sizes.describe(x)} and {sizes.describe(w)}"
        )
    if flat:
        x, w = ((1, *x), (1, *w)) if dims == 1 else ((1, 1, *x), (1, 1, *w))
    if x[1] != w[1]:
        hint = " (of conv1d the rows of a matrix are channels; a signal is a row)" if flat else ""
        raise ShapeError(
            f"{name}: the image has {_channels(x[1])} and the filter {_channels(w[1])}; they must be as many{hint}"
        )
    places = tuple(_places(name, size, k, stride, padding) for size, k in zip(x[2:], w[2:], strict=True))
    return Frame(dims, x, w, places, stride, padding, flat)


def pooling(name: str, x: Shape, n: int, stride: int) -> Frame:
    """The frame of a pooling: windows n x n on the last two axes of an image or a matrix, n on the last of N, C, W.

    Along an axis of size 1 a window has size 1: a row is pooled along itself. Raises ``ShapeError`` for windows that do
    not fit, or that leave entries over.
    """
    if len(x) not in (2, 3, 4):
        raise ShapeError(f"{name} takes a matrix or an image N, C, H, W; this is {sizes.describe(x)}")
    space = x[2:] if len(x) > 2 else x
    leading = x[:2] if len(x) > 2 else (1, 1)
    window = tuple(1 if size == 1 else n for size in space)
    places = []
    for size, k in zip(space, window, strict=True):
        step = 1 if size == 1 else stride
        place = _places(name, size, k, step, 0)
        if isinstance(size, int) and (size - k) % step:
            raise ShapeError(
                f"{name}: windows of size {k}, {step} apart, do not fit on {size} entries: {(size - k) % step} "
                "would be left over (cut them off with a slice, or choose another stride)"
            )
        places.append(place)
    return Frame(len(space), (*leading, *space), (1, 1, *window), tuple(places), stride, 0, len(x) == 2)


def _places(name: str, size: Size, window: Size, stride: int, padding: int) -> Size:
    """How many windows there are along an axis: (size + 2 padding - window) / stride + 1, rounded down."""
    if isinstance(window, int) and padding >= window and padding:
        raise ShapeError(
            f"{name}: a padding of {padding} is too large for a window of size {window}: a window would lie on zeros "
            f"alone; the most is {window - 1}"
        )
    room = plus((1, size), (2, padding), (-1, window))
    if isinstance(room, int):
        if room < 0:
            beside = f" and {padding} zeros on either side" if padding else ""
            raise ShapeError(f"{name}: a window of size {window} does not fit on {size} entries{beside}")
        return room // stride + 1
    number, names = terms(room)
    if number % stride or any(factor % stride for factor in names.values()):
        raise Unsupported(
            f"{name} with stride = {stride} needs numbers for its sizes; with stride = 1 they may be names"
        )
    return plus((1, joined(number // stride, {name: factor // stride for name, factor in names.items()})), (1, 1))


def _channels(count: Size) -> str:
    return "1 channel" if count == 1 else f"{count} channels"
