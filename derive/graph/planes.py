"""The matrices that a stack is made of: what an expression with more than two axes is at one sample and one channel.

Convolutions with channels become sums of convolutions of single matrices, so that whatever prints and works out
matrices does so with stacks as well. A plane of N, C, H, W is a matrix, of N, C, W a sample or a single row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from derive.graph import ops
from derive.graph.expression import Expression, Plane, leaf
from derive.graph.ops import OPS
from derive.graph.ops.windows import frame_of
from derive.problem.problem import Shape

Lead = tuple[int, ...]


def is_deep(node: Expression) -> bool:
    """Whether an expression has a part with more than two axes."""
    return any(len(inner.shape) > 2 for inner in node.nodes())


def leads(shape: Shape, rows: bool = False) -> Iterator[Lead]:
    """The places of the planes of a stack, in order; with ``rows`` those of its single rows."""
    count = len(shape) - (1 if rows else 2)
    yield from product(*(range(int(size)) for size in shape[:count]))


def by_rows(node: Expression) -> bool:
    """Whether a stack is told row by row: what a filter with one axis in space makes of a sample."""
    return len(node.shape) == 3 and any(inner.op in ("conv1d", "max_pool", "avg_pool") for inner in node.nodes())


def plane(node: Expression, lead: Lead) -> Expression | None:
    """The matrix (the row) at ``lead``; ``None`` where it is no expression in planes."""
    if not node.shape:
        return node
    if len(node.shape) == 2:
        return node if all(size == 1 for size in node.shape) else None
    shape = node.shape[len(lead) :] if len(node.shape) - len(lead) == 2 else (1, *node.shape[len(lead) :])
    here = tuple(0 if size == 1 else k for k, size in zip(lead, node.shape, strict=False))
    match node.op:
        case "name":
            assert not isinstance(node.name, Plane)
            return leaf(Plane(node.name, here), shape)
        case "zeros":
            return Expression("zeros", (), (shape,), shape)
        case "spread":
            inner = plane(node.args[0], lead)
            return None if inner is None else ops.spread(inner, shape)
        case "sum":
            return _summed(node, lead)
        case "conv1d" | "conv2d":
            frame, (n, f) = frame_of(node), (lead[0], lead[1] if len(lead) > 1 else 0)
            if frame.dims == 1 and len(lead) == 1:
                return None
            if frame.dims == 1:
                return _applied(node, node.at, [((n,), (f,))])
            return _applied(node, node.at, [((n, c), (f, c)) for c in range(int(frame.image[1]))])
        case "conv1d_image" | "conv2d_image":
            frame = frame_of(node)
            filters = range(int(frame.filters[0]))
            pairs: list[tuple[Lead, Lead]]
            if frame.dims == 1:
                pairs = [((lead[0], f), (f,)) for f in filters]
                return _applied(node, (*node.at[:2], shape), pairs) if len(lead) == 1 else None
            return _applied(node, (*node.at[:2], shape), [((lead[0], f), (f, lead[1])) for f in filters])
        case "conv1d_filter" | "conv2d_filter":
            frame = frame_of(node)
            samples = range(int(frame.image[0]))
            if frame.dims == 1:
                pairs = [((n,), (n, lead[0])) for n in samples]
                return _applied(node, (*node.at[:2], shape), pairs) if len(lead) == 1 else None
            return _applied(node, (*node.at[:2], shape), [((n, lead[1]), (n, lead[0])) for n in samples])
        case "max_pool" | "avg_pool" | "max_pool_route" | "max_pool_pick" | "avg_pool_back":
            at = (*node.at[:2], shape) if node.op == "avg_pool_back" else node.at
            return _applied(node, at, [(here,) * len(node.args)]) if len(here) == 2 else None
    if not OPS[node.op].elementwise:
        return None
    parts = [plane(arg, lead) for arg in node.args]
    known = [part for part in parts if part is not None]
    return None if len(known) < len(parts) else Expression(node.op, tuple(known), node.at, shape)


def _applied(node: Expression, at: tuple[object, ...], places: Sequence[tuple[Lead, ...]]) -> Expression | None:
    """The sum of the same op on the planes of its operands at these places."""
    terms: list[Expression] = []
    for place in places:
        parts = [plane(arg, lead) for arg, lead in zip(node.args, place, strict=True)]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        terms.append(ops.apply(node.op, *known, at=at))
    return terms[0] if len(terms) == 1 else ops.apply("add", *terms)


def summed_axes(node: Expression) -> tuple[Expression, tuple[int, ...]]:
    """Sums along several axes, one inside the other: what is summed, and along which axes."""
    axes: list[int] = []
    while node.op == "sum" and node.at[0] is not None:
        axes.append(node.at[0])
        (node,) = node.args
    return node, tuple(sorted(axes))


def _summed(node: Expression, lead: Lead) -> Expression | None:
    x, axes = summed_axes(node)
    if len(x.shape) != 4 or len(lead) != 2 or not {2, 3} <= set(axes) | {k for k in (2, 3) if x.shape[k] == 1}:
        return None
    places = product(*(range(int(x.shape[k])) if k in axes else (lead[k],) for k in (0, 1)))
    terms = []
    for place in places:
        inner = plane(x, place)
        if inner is None:
            return None
        terms.append(ops.total(inner))
    return ops.spread(ops.add(*terms), (1, 1))
