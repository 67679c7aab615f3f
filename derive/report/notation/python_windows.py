"""NumPy for what slides over an image: convolutions, pooling, and the way back through them, as short functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from derive.graph.expression import Expression
from derive.graph.ops.windows import frame_of

if TYPE_CHECKING:
    from derive.report.notation.python import Code

# Images have the axes N, C and space; filters F, C and space. What a window sees stands in the last axes.
HELPERS: Mapping[str, tuple[str, ...]] = {
    "seen": (
        "def seen(x, window, stride, padding=0):",
        "    axes = tuple(range(2, x.ndim))",
        "    x = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * len(axes))",
        "    view = np.lib.stride_tricks.sliding_window_view(x, window, axis=axes)",
        "    return view[(slice(None), slice(None)) + (slice(None, None, stride),) * len(axes)]",
    ),
    "put_back": (
        "def put_back(parts, shape, stride, padding=0):",
        "    dims = len(shape) - 2",
        "    x = np.zeros(tuple(shape[:2]) + tuple(size + 2 * padding for size in shape[2:]))",
        "    for place in np.ndindex(*parts.shape[2 + dims:]):",
        "        at = [slice(p, p + stride * n, stride) for p, n in zip(place, parts.shape[2:])]",
        "        x[(slice(None), slice(None), *at)] += parts[(..., *place)]",
        "    inside = [slice(padding, padding + size) for size in shape[2:]]",
        "    return x[(slice(None), slice(None), *inside)]",
    ),
    "conv": (
        "def conv(x, w, stride, padding):",
        "    view = seen(x, w.shape[2:], stride, padding)",
        "    inner = [1, *range(x.ndim, 2 * x.ndim - 2)]",
        "    return np.moveaxis(np.tensordot(view, w, (inner, list(range(1, w.ndim)))), -1, 1)",
    ),
    "conv_filter": (
        "def conv_filter(x, g, shape, stride, padding):",
        "    view = seen(x, shape[2:], stride, padding)",
        "    over = [0, *range(2, x.ndim)]",
        "    return np.tensordot(g, view, (over, over))",
    ),
    "conv_image": (
        "def conv_image(g, w, shape, stride, padding):",
        "    parts = np.moveaxis(np.tensordot(g, w, (1, 0)), g.ndim - 1, 1)",
        "    return put_back(parts, shape, stride, padding)",
    ),
    "winners": (
        "def winners(x, window, stride):",
        "    view = seen(x, window, stride)",
        "    flat = view.reshape(*view.shape[:x.ndim], -1)",
        "    return (np.arange(flat.shape[-1]) == flat.argmax(-1)[..., None]).reshape(view.shape)",
    ),
    "max_pool": (
        "def max_pool(x, window, stride):",
        "    return seen(x, window, stride).max(tuple(range(x.ndim, 2 * x.ndim - 2)))",
    ),
    "max_pool_pick": (
        "def max_pool_pick(u, x, window, stride):",
        "    taken = seen(u, window, stride) * winners(x, window, stride)",
        "    return taken.sum(tuple(range(x.ndim, 2 * x.ndim - 2)))",
    ),
    "max_pool_route": (
        "def max_pool_route(g, x, window, stride):",
        "    shares = winners(x, window, stride) * g[(...,) + (None,) * len(window)]",
        "    return put_back(shares, x.shape, stride)",
    ),
    "avg_pool": (
        "def avg_pool(x, window, stride):",
        "    return seen(x, window, stride).mean(tuple(range(x.ndim, 2 * x.ndim - 2)))",
    ),
    "avg_pool_back": (
        "def avg_pool_back(g, shape, window, stride):",
        "    shares = np.ones(window) * g[(...,) + (None,) * len(window)] / np.prod(window)",
        "    return put_back(shares, shape, stride)",
    ),
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "conv": ("seen",), "conv_filter": ("seen",), "conv_image": ("put_back",), "winners": ("seen",),
    "max_pool": ("seen",), "max_pool_pick": ("seen", "winners"), "max_pool_route": ("put_back", "seen", "winners"),
    "avg_pool": ("seen",), "avg_pool_back": ("put_back",),
}  # fmt: skip


def call(code: Code, node: Expression) -> str:
    """The node as a call of one of these functions; two matrices are lifted to one image and one filter, and back."""
    name = node.op.replace("conv1d", "conv").replace("conv2d", "conv")
    dims = 1 if node.op.startswith("conv1d") else 2
    flat = len(node.args[0].shape) == 2
    up = "[None]" if dims == 1 else "[None, None]"
    down = "[0]" if dims == 1 else "[0, 0]"
    operands = [code.inside(arg, 5) + (up if flat else "") for arg in node.args]
    for needed in (*NEEDS[name], name):
        code.write_out(needed, HELPERS[needed])
    arguments = [*operands]
    if name.startswith("conv"):
        stride, padding, *like = node.at
        if like:
            lead: tuple[int | str, ...] = (1,) * dims if flat else ()
            arguments.append(code.shape((*lead, *like[0])))
        arguments += [str(stride), str(padding)]
    else:
        _, stride, *like = node.at
        if like:
            arguments.append(code.shape((1, 1, *like[0]) if flat else like[0]))
        arguments += [code.shape(frame_of(node).window), str(stride)]
    return f"{name}({', '.join(arguments)}){down if flat else ''}"


OPERATIONS: tuple[str, ...] = (
    *("conv1d", "conv1d_image", "conv1d_filter", "conv2d", "conv2d_image", "conv2d_filter"),
    *("max_pool", "max_pool_pick", "max_pool_route", "avg_pool", "avg_pool_back"),
)
