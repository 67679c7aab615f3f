"""What slides over an image: convolutions and pooling, and the ops that carry their adjoints back.

A convolution (as networks have it: the filter is not turned over) is linear in image and filter, so three ops close
the circle: the result from image and filter, the image's adjoint from the result's adjoint and the filter, and the
filter's from the image and the result's adjoint. Each one's pullback is made of the other two. The largest entry of a
window is a choice: ``max_pool_pick`` takes what stands where the winners stand, ``max_pool_route`` puts it back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np
from flint import fmpq

from derive.graph.expression import Expression
from derive.graph.ops.frames import Frame, convolution, pooling
from derive.graph.ops.table import Array, NoSum, apply, row
from derive.problem.problem import Shape

CONVOLUTIONS = ("conv1d", "conv2d")
POOLS = ("max_pool", "avg_pool")


def frame_of(node: Expression) -> Frame:
    """How the windows of a node of this module lie."""
    kind, _, role = node.op.partition("_")
    if kind in CONVOLUTIONS:
        stride, padding, *rest = node.at
        image = rest[0] if role == "image" else node.args[0].shape
        filters = rest[0] if role == "filter" else node.args[1].shape
        return convolution(int(kind[4]), image, filters, stride, padding)
    name = f"{kind}_pool"
    image = node.at[2] if node.op == "avg_pool_back" else node.args[-1].shape
    return pooling(name, image, *node.at[:2])


def work(node: Expression) -> int:
    """How many products of two numbers a convolution, or an adjoint of one, is made of; 0 for any other node."""
    if node.op.partition("_")[0] not in CONVOLUTIONS:
        return 0
    frame = frame_of(node)
    return prod(map(int, (*frame.out, frame.image[1], *frame.window)))


# ── arrays ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _whole(shape: Shape) -> tuple[int, ...]:
    return tuple(int(size) for size in shape)


def _zeros(kind: Any, shape: tuple[int, ...], like: Array) -> Array:
    zeros = np.empty(shape, dtype=like.dtype)
    zeros[...] = kind.number(fmpq(0)).item()
    return zeros


def _padded(kind: Any, image: Array, frame: Frame) -> Array:
    """The image with all its axes and zeros around it."""
    image = image.reshape(_whole(frame.image))
    if not frame.padding:
        return image
    side = frame.padding
    result = _zeros(kind, (*image.shape[:2], *(size + 2 * side for size in image.shape[2:])), image)
    result[(slice(None), slice(None), *(slice(side, side + size) for size in image.shape[2:]))] = image
    return result


def _patches(kind: Any, image: Array, frame: Frame) -> Array:
    """What each window sees: N, places, C, window."""
    axes = tuple(range(2, 2 + frame.dims))
    seen = np.lib.stride_tricks.sliding_window_view(_padded(kind, image, frame), _whole(frame.window), axis=axes)
    seen = seen[(slice(None), slice(None), *(slice(None, None, frame.stride) for _ in axes))]
    return np.moveaxis(seen, 1, 1 + frame.dims)


def _rows(patches: Array, frame: Frame) -> Array:
    """The matrix of patches (im2col): a row for each sample and window, a column for each entry that a window sees."""
    width = prod(_whole(frame.image[1:2] + frame.window))
    return patches.reshape(-1, width)


def _put_back(kind: Any, patches: Array, frame: Frame) -> Array:
    """The image whose entries are the sums of what the windows hold for them: the adjoint of ``_patches``."""
    space = [size + 2 * frame.padding for size in _whole(frame.space)]
    image = _zeros(kind, (*_whole(frame.image[:2]), *space), patches)
    for place in np.ndindex(*_whole(frame.window)):
        reached = tuple(
            slice(p, p + frame.stride * (count - 1) + 1, frame.stride)
            for p, count in zip(place, _whole(frame.places), strict=True)
        )
        image[(slice(None), slice(None), *reached)] += np.moveaxis(patches[(..., *place)], -1, 1)
    inside = (slice(frame.padding, frame.padding + int(size)) for size in frame.space)
    return image[(slice(None), slice(None), *inside)]


def _by_filter(result: Array, frame: Frame) -> Array:
    """A result (or its adjoint) as a matrix: a row for each sample and window, a column for each filter."""
    whole = result.reshape(_whole(frame.out))
    return np.moveaxis(whole, 1, -1).reshape(-1, int(frame.filters[0]))


def _convolved(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    frame, (x, w) = frame_of(node), v
    found = kind.matmul(_rows(_patches(kind, x, frame), frame), w.reshape(int(frame.filters[0]), -1).T)
    whole = found.reshape(int(frame.image[0]), *_whole(frame.places), int(frame.filters[0]))
    return np.moveaxis(whole, -1, 1).reshape(_whole(node.shape))


def _image_back(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    frame, (G, w) = frame_of(node), v
    found = kind.matmul(_by_filter(G, frame), w.reshape(int(frame.filters[0]), -1))
    shape = (frame.image[0], *frame.places, frame.image[1], *frame.window)
    return _put_back(kind, found.reshape(_whole(shape)), frame).reshape(_whole(node.shape))


def _filter_back(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    frame, (x, G) = frame_of(node), v
    return kind.matmul(_by_filter(G, frame).T, _rows(_patches(kind, x, frame), frame)).reshape(_whole(node.shape))


# ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _over(e: Any, extents: Shape, term: Callable[..., Any]) -> Any:
    """The sum of ``term`` over indices with these extents, the first outermost."""
    if not extents:
        return term()
    return e.total(extents[0], lambda k: _over(e, extents[1:], partial(term, k)))


def _reached(e: Any, frame: Frame, i: tuple[Any, ...], p: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(e.reached(a, b, frame.stride, frame.padding) for a, b in zip(i, p, strict=True))


def _convolved_entry(e: Any, node: Expression, *index: Any) -> Any:
    frame = frame_of(node)
    n, f, i = frame.split(index)
    f = 0 if frame.flat else f

    def term(c: Any, *p: Any) -> Any:
        seen = e.operand(0, *frame.image_at(n, c, _reached(e, frame, i, p)))
        return e.operand(1, *frame.filter_at(f, c, p)) * seen

    return _over(e, (frame.image[1], *frame.window), term)


def _image_entry(e: Any, node: Expression, *index: Any) -> Any:
    frame = frame_of(node)
    n, c, a = frame.split(index)

    def term(f: Any, *rest: Any) -> Any:
        i, p = rest[: frame.dims], rest[frame.dims :]
        found = e.operand(1, *frame.filter_at(f, c, p)) * e.operand(0, *frame.out_at(n, f, i))
        for here, there in zip(a, _reached(e, frame, i, p), strict=True):
            found = found * e.delta(here, there)
        return found

    return _over(e, (frame.filters[0], *frame.places, *frame.window), term)


def _filter_entry(e: Any, node: Expression, *index: Any) -> Any:
    frame = frame_of(node)
    f, c, p = frame.split(index)

    def term(n: Any, *i: Any) -> Any:
        seen = e.operand(0, *frame.image_at(n, c, _reached(e, frame, i, p)))
        return e.operand(1, *frame.out_at(n, f, i)) * seen

    return _over(e, (frame.image[0], *frame.places), term)


# ── convolution ─────────────────────────────────────────────────────────────────────────────────────────────────


def _convolution(name: str) -> None:
    dims, image, filters = int(name[4]), f"{name}_image", f"{name}_filter"

    def shape(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
        frame = convolution(dims, shapes[0], shapes[1], at[0], at[1])
        return frame.out_at(frame.image[0], frame.filters[0], frame.places) if not frame.flat else _flat_out(frame)

    def forward(at: tuple[Any, ...], x: Expression, w: Expression) -> Expression:
        return apply(name, x, w, at=at[:2])

    def to_image(at: tuple[Any, ...], G: Expression, w: Expression, like: Shape) -> Expression:
        return apply(image, G, w, at=(*at[:2], like))

    def to_filter(at: tuple[Any, ...], x: Expression, G: Expression, like: Shape) -> Expression:
        return apply(filters, x, G, at=(*at[:2], like))

    row(
        name,
        shape=shape,
        value=_convolved,
        pullback=lambda G, node: (
            to_image(node.at, G, node.args[1], node.args[0].shape),
            to_filter(node.at, node.args[0], G, node.args[1].shape),
        ),
        index=_convolved_entry,
    )
    # The adjoint of the image, from that of the result and the filter; the node carries the image's shape.
    row(
        image,
        shape=lambda shapes, at: at[2],
        value=_image_back,
        pullback=lambda U, node: (
            forward(node.at, U, node.args[1]),
            to_filter(node.at, U, node.args[0], node.args[1].shape),
        ),
        index=_image_entry,
    )
    # The adjoint of the filter, from the image and the adjoint of the result; the node carries the filter's shape.
    row(
        filters,
        shape=lambda shapes, at: at[2],
        value=_filter_back,
        pullback=lambda U, node: (
            to_image(node.at, node.args[1], U, node.args[0].shape),
            forward(node.at, node.args[0], U),
        ),
        index=_filter_entry,
    )


def _flat_out(frame: Frame) -> Shape:
    return (1, *frame.places) if frame.dims == 1 else frame.places


for _name in CONVOLUTIONS:
    _convolution(_name)


# ── pooling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _pooled_shape(name: str) -> Callable[[tuple[Shape, ...], tuple[Any, ...]], Shape]:
    def shape(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
        frame = pooling(name, shapes[-1], *at[:2])
        return frame.places if frame.flat else (*frame.image[:2], *frame.places)

    return shape


def _seen(kind: Any, image: Array, frame: Frame) -> Array:
    """A row for each window, in the order of the result's entries; a column for each entry that it sees."""
    patches = np.moveaxis(_patches(kind, image, frame), 1 + frame.dims, 1)
    return patches.reshape(-1, prod(_whole(frame.window)))


def _unseen(kind: Any, rows: Array, frame: Frame) -> Array:
    """The adjoint of ``_seen``."""
    patches = rows.reshape(_whole((*frame.image[:2], *frame.places, *frame.window)))
    return _put_back(kind, np.moveaxis(patches, 1, 1 + frame.dims), frame)


def _scaled(weight: Any, x: Any) -> Any:
    return x if weight == 1 else weight * x


def _picked(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    """What stands in the first operand where the second has its winners (of ``max_pool`` they are one)."""
    frame, taken, image = frame_of(node), v[0], v[-1]
    wins = kind.wins(_seen(kind, image, frame))
    found = np.empty(prod(_whole(node.shape)), dtype=object)
    for k, (weights, entries) in enumerate(zip(wins, _seen(kind, taken, frame), strict=True)):
        terms = [_scaled(weight, x) for weight, x in zip(weights, entries, strict=True) if weight != 0]
        found[k] = sum(terms[1:], terms[0])
    return found.reshape(_whole(node.shape))


def _routed(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    frame, (G, image) = frame_of(node), v
    wins = kind.wins(_seen(kind, image, frame))
    zero = kind.number(fmpq(0)).item()
    shares = np.empty(wins.shape, dtype=object)
    for k, (weights, g) in enumerate(zip(wins, G.ravel(), strict=True)):
        shares[k] = [_scaled(weight, g) if weight != 0 else zero for weight in weights]
    return _unseen(kind, shares, frame).reshape(_whole(node.shape))


def _no_sum(e: Any, node: Expression, *index: Any) -> Any:
    """The index form of a choice: by numbers where the entries can be compared."""
    frame = frame_of(node)
    if any(isinstance(size, str) for size in (*frame.image, *frame.places)):
        raise NoSum(f"an entry of {node.op} is a choice among the entries of a window, not a sum over indices")
    n, c, i = frame.split(index)
    places = list(np.ndindex(*_whole(frame.window)))

    def seen(k: int, window: tuple[Any, ...]) -> list[Any]:
        return [e.operand(k, *frame.image_at(n, c, _reached(e, frame, window, p))) for p in places]

    if node.op != "max_pool_route":
        return e.function("picked", (), (tuple(seen(len(node.args) - 1, i)), tuple(seen(0, i))))
    whole = e.number(fmpq(0))
    for window in product(*(range(int(count)) for count in frame.places)):
        shares = tuple(
            e.operand(0, *frame.out_at(n, c, window) if not frame.flat else window)
            if _reached(e, frame, window, p) == i
            else e.number(fmpq(0))
            for p in places
        )
        whole = whole + e.function("picked", (), (tuple(seen(1, window)), shares))
    return whole


row(
    "max_pool",
    shape=_pooled_shape("max_pool"),
    value=_picked,
    pullback=lambda G, node: (apply("max_pool_route", G, node.args[0], at=node.at),),
    index=_no_sum,
)

# The first operand's entries where the second's are the largest of their window; flat in the second almost everywhere.
row(
    "max_pool_pick",
    shape=_pooled_shape("max_pool"),
    value=_picked,
    pullback=lambda G, node: (apply("max_pool_route", G, node.args[1], at=node.at), _flat(node.args[1])),
    index=_no_sum,
)

# Each entry of the first operand, put where the second has the largest entry of its window; what meets adds up.
row(
    "max_pool_route",
    shape=lambda shapes, at: shapes[1],
    value=_routed,
    pullback=lambda U, node: (apply("max_pool_pick", U, node.args[1], at=node.at), _flat(node.args[1])),
    index=_no_sum,
)


def _flat(x: Expression) -> Expression:
    return Expression("zeros", (), (x.shape,), x.shape)


def _averaged(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    frame = frame_of(node)
    rows = _seen(kind, v[0], frame)
    if rows.shape[1] == 1:  # a window of one entry gives that very number
        return rows.reshape(_whole(node.shape))
    share = kind.number(fmpq(1, rows.shape[1]))
    return (np.add.reduce(rows, axis=1) * share).reshape(_whole(node.shape))


def _spread_out(kind: Any, node: Expression, v: tuple[Array, ...]) -> Array:
    frame = frame_of(node)
    width = prod(_whole(frame.window))
    shares = np.repeat((v[0] * kind.number(fmpq(1, width))).reshape(-1, 1), width, axis=1)
    return _unseen(kind, shares, frame).reshape(_whole(node.shape))


def _averaged_entry(e: Any, node: Expression, *index: Any) -> Any:
    frame = frame_of(node)
    n, c, i = frame.split(index)
    whole = _over(e, frame.window, lambda *p: e.operand(0, *frame.image_at(n, c, _reached(e, frame, i, p))))
    return e.number(fmpq(1, prod(_whole(frame.window)))) * whole


def _spread_entry(e: Any, node: Expression, *index: Any) -> Any:
    frame = frame_of(node)
    n, c, a = frame.split(index)

    def term(*rest: Any) -> Any:
        i, p = rest[: frame.dims], rest[frame.dims :]
        found = e.operand(0, *(i if frame.flat else (n, c, *i)))
        for here, there in zip(a, _reached(e, frame, i, p), strict=True):
            found = found * e.delta(here, there)
        return found

    whole = _over(e, (*frame.places, *frame.window), term)
    return e.number(fmpq(1, prod(_whole(frame.window)))) * whole


row(
    "avg_pool",
    shape=_pooled_shape("avg_pool"),
    value=_averaged,
    pullback=lambda G, node: (apply("avg_pool_back", G, at=(*node.at, node.args[0].shape)),),
    index=_averaged_entry,
)

# The adjoint of an average: an even share for every entry that a window sees; the node carries the image's shape.
row(
    "avg_pool_back",
    shape=lambda shapes, at: at[2],
    value=_spread_out,
    pullback=lambda U, node: (apply("avg_pool", U, at=node.at[:2]),),
    index=_spread_entry,
)
