"""Claims about what slides: filters on signals, with channels or without, and on images, with zeros around or without.

A filter of r on N entries has N - r + 1 places. Where windows stand s apart, the image is as long as L of them reach.
An entry beyond the border is 0: a letter whose index lies outside has no derivative, and so the same lines hold there.
Stacks with samples and filters have more indices than a proof here has room for, and of a window's largest entry there
is no sum: both are not shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.graph import ops
from derive.graph.expression import Expression, leaf
from derive.graph.ops.windows import frame_of
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import plus

SLID = (
    *(f"{name}{role}" for name in ("conv1d", "conv2d") for role in ("", "_image", "_filter")),
    *("max_pool", "max_pool_pick", "max_pool_route", "avg_pool", "avg_pool_back"),
)
COUNTS, PLACES, WINDOWS = ("N", "M"), ("L", "K"), ("r", "t")


def expressions(rule: str) -> Iterator[Expression]:
    """The expressions that a rule is proved on."""
    name, _, role = rule.partition("_")
    if name == "conv1d":
        yield from (_convolution(name, role, channels, stride, padding) for channels, stride, padding in SIGNALS)
    elif name == "conv2d":
        yield from (_convolution(name, role, 1, stride, padding) for stride, padding in ((1, 0), (2, 1)))
    else:
        yield from (_pooling(rule, n, stride) for n, stride in ((2, 1), (2, 2)))


SIGNALS: tuple[tuple[Size, int, int], ...] = ((1, 1, 0), (1, 1, 1), (1, 2, 0), ("c", 1, 0))


def general(node: Expression) -> Expression:
    """The op of a node of any network over letters of symbolic size; of a stack over letters of its own sizes."""
    if any(len(arg.shape) > 2 for arg in node.args) or len(node.shape) > 2:
        return stack(node)
    frame = frame_of(node)
    name, _, role = node.op.partition("_")
    if name.startswith("conv"):
        channels: Size = "c" if frame.dims == 1 and frame.image[1] != 1 else 1
        return _convolution(name, role, channels, frame.stride, frame.padding)
    single = tuple(size == 1 for size in frame.space)
    return _pooling(node.op, max(map(int, frame.window)), frame.stride, single)


def stack(node: Expression) -> Expression:
    """A node over letters of its own sizes: for what has more axes than a proof has indices."""
    found = [leaf(letter, arg.shape) for letter, arg in zip("XYUV", node.args, strict=False)]
    return Expression(node.op, tuple(found), node.at, node.shape)


def _size(axis: int, window: Size, stride: int, padding: int) -> Size:
    """N where windows stand side by side; else as many entries as they reach."""
    if stride == 1:
        return COUNTS[axis]
    return plus((stride, PLACES[axis]), (1, window), (-1, stride + 2 * padding))


def _convolution(name: str, role: str, channels: Size, stride: int, padding: int) -> Expression:
    if name == "conv1d":
        image: Shape = (channels, _size(0, "r", stride, padding))
        filters: Shape = (channels, "r")
    else:
        image = tuple(_size(axis, WINDOWS[axis], stride, padding) for axis in (0, 1))
        filters = WINDOWS
    signal = image[0] == 1
    x, w = leaf("x" if signal else "X", image), leaf("w" if signal else "W", filters)
    whole = ops.apply(name, x, w, at=(stride, padding))
    u = leaf("u" if whole.shape[0] == 1 else "U", whole.shape)
    if role == "image":
        return ops.apply(f"{name}_image", u, w, at=(stride, padding, image))
    if role == "filter":
        return ops.apply(f"{name}_filter", x, u, at=(stride, padding, filters))
    return whole


def _pooling(rule: str, n: int, stride: int, single: tuple[bool, ...] = (False, False)) -> Expression:
    image: Shape = tuple(1 if single[axis] else _size(axis, n, stride, 0) for axis in (0, 1))
    x = leaf("X", image)
    if rule in ("max_pool", "avg_pool"):
        return ops.apply(rule, x, at=(n, stride))
    u = leaf("U", ops.apply("avg_pool", x, at=(n, stride)).shape)
    if rule == "avg_pool_back":
        return ops.apply(rule, u, at=(n, stride, image))
    return ops.apply(rule, u if rule == "max_pool_route" else leaf("U", image), x, at=(n, stride))
