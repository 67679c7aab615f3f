"""The engine's own convolutions and pooling: shifts of the whole image, one place of the filter after the other.

An image is N, C and one or two axes in space, a filter F, C and as many; of two matrices each is one of its kind. The
largest of a window is chosen by the signs of its gaps, as for every other kink.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from derive.oracle.branches import below_max, first_zero, pick
from derive.oracle.fits import Misfit, describe
from derive.oracle.values import Array, Shape

Slices = tuple[Any, ...]


def _image(x: Array, dims: int) -> Any:
    """With all its axes; of a matrix the rows are channels where windows have one axis."""
    return x if x.ndim == dims + 2 else x[np.newaxis] if dims == 1 else x[np.newaxis, np.newaxis]


def _shifts(x: Array, window: Shape, stride: int, padding: int) -> Iterator[tuple[Shape, Slices]]:
    """For each place of the window the part of the padded image that it moves over."""
    counts = [(size + 2 * padding - k) // stride + 1 for size, k in zip(x.shape[2:], window, strict=True)]
    for place in np.ndindex(*window):
        yield (
            place,
            tuple(slice(p, p + stride * (count - 1) + 1, stride) for p, count in zip(place, counts, strict=True)),
        )


def _padded(x: Array, padding: int) -> Any:
    if not padding:
        return x
    return np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * (x.ndim - 2), constant_values=0)


def fits_convolution(x: Array, w: Array, stride: int, padding: int, dims: int) -> None:
    """Image and filter with as many axes and channels, and room for the filter."""
    if not (x.ndim == w.ndim and x.ndim in (2, dims + 2)):
        raise Misfit(f"{describe(x.shape)} and {describe(w.shape)} are no image and filter")
    image, filters = _image(x, dims), _image(w, dims)
    if image.shape[1] != filters.shape[1]:
        raise Misfit(f"the image has {image.shape[1]} channels, the filter {filters.shape[1]}")
    for size, k in zip(image.shape[2:], filters.shape[2:], strict=True):
        if size + 2 * padding < k or padding >= k > 0 < padding:
            raise Misfit(f"a filter of size {k} does not fit on {size} entries with {padding} zeros on either side")


def convolve(x: Array, w: Array, stride: int, padding: int, dims: int) -> Any:
    """The sum over channels and places of the filter of its entry times the shifted image."""
    image, filters = _padded(_image(x, dims), padding), _image(w, dims)
    total: Any = 0
    for place, part in _shifts(_image(x, dims), filters.shape[2:], stride, padding):
        seen = image[(slice(None), slice(None), *part)]
        total = total + np.moveaxis(np.tensordot(filters[(slice(None), slice(None), *place)], seen, (1, 1)), 0, 1)
    return total if x.ndim > 2 else total[0] if dims == 1 else total[0, 0]


def by_image(g: Array, y: Array, x: Array, w: Array, stride: int, padding: int, dims: int) -> Any:
    """The adjoint of the image: every place of the filter hands its share back to where it looked."""
    whole, filters = _image(x, dims), _image(w, dims)
    result: Any = np.zeros(_padded(whole, padding).shape, dtype=np.result_type(g, w))
    for place, part in _shifts(whole, filters.shape[2:], stride, padding):
        entry = filters[(slice(None), slice(None), *place)]
        result[(slice(None), slice(None), *part)] += np.moveaxis(np.tensordot(entry, _image(g, dims), (0, 1)), 0, 1)
    inside = tuple(slice(padding, padding + size) for size in whole.shape[2:])
    return result[(slice(None), slice(None), *inside)].reshape(x.shape)


def by_filter(g: Array, y: Array, x: Array, w: Array, stride: int, padding: int, dims: int) -> Any:
    """The adjoint of the filter: what each of its entries was multiplied with, weighted by the adjoint."""
    image, filters = _padded(_image(x, dims), padding), _image(w, dims)
    adjoint = _image(g, dims)
    result: Any = np.zeros(filters.shape, dtype=np.result_type(g, x))
    axes = (0, *range(2, 2 + dims))
    for place, part in _shifts(_image(x, dims), filters.shape[2:], stride, padding):
        seen = image[(slice(None), slice(None), *part)]
        result[(slice(None), slice(None), *place)] = np.tensordot(adjoint, seen, (axes, axes))
    return result.reshape(w.shape)


# ── pooling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _window(x: Array, n: int) -> Shape:
    """n along each axis in space: the last two, or the last of three; along an axis of size 1 it is 1."""
    space = x.shape[2:] if x.ndim > 2 else x.shape
    return tuple(1 if size == 1 else n for size in space)


def fits_pooling(x: Array, n: int, stride: int) -> None:
    """Windows that fit and leave nothing over."""
    if x.ndim not in (2, 3, 4):
        raise Misfit(f"{describe(x.shape)} is no image")
    for size in x.shape[2:] if x.ndim > 2 else x.shape:
        if size != 1 and (size < n or (size - n) % stride):
            raise Misfit(f"windows of size {n}, {stride} apart, do not fit on {size} entries")


def seen(x: Array, n: int, stride: int) -> Array:
    """What each window sees, along a last axis of its own."""
    image: Any = x if x.ndim > 2 else x[np.newaxis, np.newaxis]
    window = _window(x, n)
    parts = [image[(..., *part)] for _, part in _shifts(image, window, stride, 0)]
    whole = np.stack(parts, axis=-1)
    return np.asarray(whole if x.ndim > 2 else whole[0, 0])


def given_back(shares: Array, x: Array, n: int, stride: int) -> Array:
    """The adjoint of ``seen``."""
    image: Any = x if x.ndim > 2 else x[np.newaxis, np.newaxis]
    result: Any = np.zeros(image.shape, dtype=shares.dtype)
    for k, (_, part) in enumerate(_shifts(image, _window(x, n), stride, 0)):
        result[(..., *part)] += shares[..., k]
    return np.asarray(result.reshape(x.shape))


def largest_gap(x: Array, n: int, stride: int) -> Any:
    """Each entry of a window minus the largest one."""
    return below_max(seen(x, n, stride), -1)


def largest(side: Array, x: Array, n: int, stride: int) -> Any:
    """The winners, the first of equals."""
    return pick(side, seen(x, n, stride), -1)[..., 0]


def to_winners(g: Array, y: Array, side: Array, x: Array, n: int, stride: int) -> Array:
    """Each adjoint goes where the winner of its window stands."""
    return given_back(g[..., np.newaxis] * first_zero(side, -1), x, n, stride)


def tied(side: Array, **_: Any) -> Array:
    """Where a largest entry of a window has equals."""
    zero = side == 0
    return np.asarray(zero & (zero.sum(axis=-1, keepdims=True) > 1))


def mean_of_windows(x: Array, n: int, stride: int) -> Any:
    """The mean of each window."""
    parts = seen(x, n, stride)
    return np.add.reduce(parts, axis=-1) / parts.shape[-1]


def evenly(g: Array, y: Array, x: Array, n: int, stride: int) -> Array:
    """An even share of each adjoint for every entry that its window sees."""
    count = seen(x, n, stride).shape[-1]
    return given_back(np.repeat(g[..., np.newaxis] / count, count, axis=-1), x, n, stride)


def convolution(dims: int) -> tuple[Any, tuple[Any, Any], Any]:
    """Value, pullbacks and the test of sizes for filters with so many axes in space."""
    bound = [partial(f, dims=dims) for f in (convolve, by_image, by_filter, fits_convolution)]
    return bound[0], (bound[1], bound[2]), bound[3]
