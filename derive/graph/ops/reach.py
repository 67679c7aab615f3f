"""Which entries an entry of a convolution or of a pooling rests on, where all sizes are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from derive.graph.expression import Expression
from derive.graph.ops.windows import frame_of

CONVOLVING = tuple(f"{name}{role}" for name in ("conv1d", "conv2d") for role in ("", "_image", "_filter"))
POOLING = ("max_pool", "avg_pool", "max_pool_route", "max_pool_pick", "avg_pool_back")

Place = tuple[int, ...]


def products(node: Expression, index: Place) -> list[tuple[Expression, Place, Expression, Place]]:
    """The pairs of entries that an entry of a convolution, or of an adjoint of one, adds up the products of.

    The filter's (the adjoint's) entry comes first, as one writes it; what lies beyond the border is left out.
    """
    frame = frame_of(node)
    a, b = node.args
    first, second, place = frame.split(index)
    windows = [range(int(k)) for k in frame.window]
    places = [range(int(k)) for k in frame.places]
    found = []

    def reached(i: Sequence[int], p: Sequence[int]) -> tuple[int, ...]:
        return tuple(frame.stride * x + y - frame.padding for x, y in zip(i, p, strict=True))

    def inside(at: Sequence[int]) -> bool:
        return all(0 <= x < int(size) for x, size in zip(at, frame.space, strict=True))

    if node.op.endswith("_image"):
        for f in range(int(frame.filters[0])):
            for i in product(*places):
                p = tuple(x - frame.stride * y + frame.padding for x, y in zip(place, i, strict=True))
                if all(0 <= x < int(k) for x, k in zip(p, frame.window, strict=True)):
                    found.append((a, frame.out_at(first, f, i), b, frame.filter_at(f, second, p)))
    elif node.op.endswith("_filter"):
        for n in range(int(frame.image[0])):
            for i in product(*places):
                if inside(reached(i, place)):
                    found.append((b, frame.out_at(n, first, i), a, frame.image_at(n, second, reached(i, place))))
    else:
        f = 0 if frame.flat else second
        for c in range(int(frame.image[1])):
            for p in product(*windows):
                if inside(reached(place, p)):
                    found.append((b, frame.filter_at(f, c, p), a, frame.image_at(first, c, reached(place, p))))
    return found


def seen(node: Expression, index: Place) -> list[Place]:
    """Where the entries stand that the window of an entry of a pooling sees."""
    frame = frame_of(node)
    n, c, i = frame.split(index)
    return [
        frame.image_at(n, c, tuple(frame.stride * x + y for x, y in zip(i, p, strict=True)))
        for p in product(*(range(int(k)) for k in frame.window))
    ]


def seen_by(node: Expression, index: Place) -> tuple[int, list[Place]]:
    """How many entries a window of an adjoint of a mean has, and the windows that see the entry at ``index``."""
    frame = frame_of(node)
    n, c, place = frame.split(index)
    windows = [
        [i for i in range(int(count)) if 0 <= at - frame.stride * i < int(k)]
        for at, count, k in zip(place, frame.places, frame.window, strict=True)
    ]
    found = [i if frame.flat else (n, c, *i) for i in product(*windows)]
    return prod(int(k) for k in frame.window), found
