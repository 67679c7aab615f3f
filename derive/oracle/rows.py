"""The engine's own table: one row per operation, its value and, operand by operand, its pullback."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from derive.oracle.branches import RELATIONS, below_max, clip, clip_gap, first_zero, pick, relu_slope, several
from derive.oracle.fits import anything, broadcast, fits_key, fits_labels, fits_matmul, has_axis
from derive.oracle.linear import (
    det,
    diagonal_back,
    diagonal_of,
    fits_diagonal,
    inv,
    logdet,
    norm,
    norm_back,
    square,
    vectors,
)
from derive.oracle.lookup import fits_classes, fits_table, pick_rows, pick_rows_back, rows_of_one
from derive.oracle.normal import has_lines, standardise, standardise_back
from derive.oracle.rearranged import concat_back, fits_concat, fits_reshape, fits_stack, stack, stack_back
from derive.oracle.values import (
    Array,
    cross_entropy,
    cross_entropy_by_y,
    cross_entropy_by_z,
    elu,
    erf,
    gelu,
    index_back,
    key,
    log2,
    log_softmax,
    matmul,
    power,
    sigmoid,
    softmax,
    softplus,
    terms,
    total,
)
from derive.oracle.windows import (
    convolution,
    evenly,
    fits_pooling,
    largest,
    largest_gap,
    mean_of_windows,
    tied,
    to_winners,
)
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One operation. ``pulls[k](g, y, *operands)`` carries the adjoint ``g`` of the value ``y`` to operand ``k``.

    Where ``gap`` is given the operation has a kink: ``value`` and ``pulls`` get the sign of the gap before the
    operands, and ``ties`` marks the entries that sit on the kink. Where there may be any number of operands, ``pulls``
    gives the pullbacks for a number of them.
    """

    value: Callable[..., Any]
    pulls: tuple[Callable[..., Any], ...] | Callable[[int], tuple[Callable[..., Any], ...]]
    fits: Callable[..., None] = anything
    gap: Callable[..., Any] | None = None
    ties: Callable[..., Array] = lambda side, **_: side == 0
    trouble: str = "is too large for a double"


ROWS: dict[str, Row] = {
    "same": Row(lambda x: x, (lambda g, y, x: g,)),
    "+": Row(np.add, (lambda g, y, a, b: g, lambda g, y, a, b: g), broadcast),
    "-": Row(np.subtract, (lambda g, y, a, b: g, lambda g, y, a, b: -g), broadcast),
    "*": Row(np.multiply, (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a), broadcast),
    "/": Row(
        np.true_divide,
        (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        broadcast,
        trouble="divides by zero",
    ),
    "**": Row(
        power,
        (lambda g, y, x, exponent: g * float(exponent) * power(x, exponent - 1) if exponent != 0 else 0 * g,),
        trouble="takes a power outside its domain",
    ),
    "@": Row(matmul, (lambda g, y, a, b: g @ b.T, lambda g, y, a, b: a.T @ g), fits_matmul),
    "negate": Row(np.negative, (lambda g, y, x: -g,)),
    "transpose": Row(np.transpose, (lambda g, y, x: g.T,)),
    "index": Row(lambda x, items: x[key(x, items)], (index_back,), fits_key),
    "embedding": Row(pick_rows, (pick_rows_back, lambda g, y, table, numbers: np.zeros(numbers.shape)), fits_table),
    "one_hot": Row(rows_of_one, (lambda g, y, numbers, classes: np.zeros(numbers.shape),), fits_classes),
    "ones": Row(lambda **sizes: np.ones(tuple(sizes.values())), ()),
    "zeros": Row(lambda **sizes: np.zeros(tuple(sizes.values())), ()),
    "concat": Row(lambda *parts, axis: np.concatenate(parts, axis=axis), concat_back, fits_concat),
    "stack": Row(stack, stack_back, fits_stack),
    "flatten": Row(
        lambda x: x.reshape(len(x) if x.ndim > 2 else 1, -1),
        (lambda g, y, x: g.reshape(x.shape),),
    ),
    "reshape": Row(
        lambda x, **sizes: x.reshape(tuple(sizes.values())),
        (lambda g, y, x, **sizes: g.reshape(x.shape),),
        fits_reshape,
    ),
    "sum": Row(total, (lambda g, y, x, axis=None: np.broadcast_to(g, x.shape),), has_axis),
    "mean": Row(
        lambda x, axis=None: total(x, axis) / terms(x, axis),
        (lambda g, y, x, axis=None: np.broadcast_to(g / terms(x, axis), x.shape),),
        has_axis,
    ),
    "exp": Row(np.exp, (lambda g, y, x: g * y,)),
    "log": Row(np.log, (lambda g, y, x: g / x,), trouble="takes the log of a number that is not positive"),
    "log2": Row(
        log2, (lambda g, y, x: g / (x * math.log(2)),), trouble="takes the log2 of a number that is not positive"
    ),
    "sqrt": Row(np.sqrt, (lambda g, y, x: g / (2 * y),), trouble="takes a root where it or its slope does not exist"),
    "square": Row(np.square, (lambda g, y, x: 2 * g * x,)),
    "sin": Row(np.sin, (lambda g, y, x: g * np.cos(x),)),
    "cos": Row(np.cos, (lambda g, y, x: -g * np.sin(x),)),
    # σ(-x) rather than 1 - σ(x), and sech² x = 4 σ(2x) σ(-2x): no digits are lost where the function saturates
    "sigmoid": Row(sigmoid, (lambda g, y, x: g * y * sigmoid(-x),)),
    "tanh": Row(np.tanh, (lambda g, y, x: 4 * g * sigmoid(2 * x) * sigmoid(-2 * x),)),
    "softplus": Row(softplus, (lambda g, y, x: g * sigmoid(x),)),
    "silu": Row(lambda x: x * sigmoid(x), (lambda g, y, x: g * sigmoid(x) * (1 + x * sigmoid(-x)),)),
    "gelu": Row(
        gelu,
        (lambda g, y, x: g * (0.5 + 0.5 * erf(x / math.sqrt(2)) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)),),
    ),
    "elu": Row(elu, (lambda g, y, x: g * np.exp(np.minimum(x, 0)),)),
    "softmax": Row(softmax, (lambda g, y, z, axis=-1: y * (g - total(g * y, axis)),), has_axis),
    "log_softmax": Row(log_softmax, (lambda g, y, z, axis=-1: g - np.exp(y) * total(g, axis),), has_axis),
    "cross_entropy": Row(cross_entropy, (cross_entropy_by_z, cross_entropy_by_y), fits_labels),
    "binary_cross_entropy": Row(
        lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
        (lambda g, y, p, t: g * ((1 - t) / (1 - p) - t / p), lambda g, y, p, t: g * (np.log(1 - p) - np.log(p))),
        broadcast,
        # In doubles sigmoid(37) is 1; exact numbers and balls know better, but what is printed needs both witnesses.
        trouble="takes the log of a number that is not positive (probabilities lie between 0 and 1; "
        "in doubles a sigmoid beyond 36 is 1, where softplus(z) - t * z is the same loss and stays finite)",
    ),
    "relu": Row(
        lambda side, x, at_zero: np.where(side > 0, x, 0),
        (lambda g, y, side, x, at_zero: g * relu_slope(side, 0.0, at_zero),),
        gap=lambda x, at_zero: x,
    ),
    "leaky_relu": Row(
        lambda side, x, at_zero, slope: np.where(side > 0, x, slope * x),
        (lambda g, y, side, x, at_zero, slope: g * relu_slope(side, float(slope), at_zero),),
        gap=lambda x, at_zero, slope: x,
    ),
    "abs": Row(lambda side, x: side * x, (lambda g, y, side, x: g * side,), gap=lambda x: x),
    "maximum": Row(
        lambda side, a, b: np.where(side >= 0, a, b),
        (lambda g, y, side, a, b: g * (side >= 0), lambda g, y, side, a, b: g * (side < 0)),
        broadcast,
        gap=np.subtract,
    ),
    "minimum": Row(
        lambda side, a, b: np.where(side <= 0, a, b),
        (lambda g, y, side, a, b: g * (side <= 0), lambda g, y, side, a, b: g * (side > 0)),
        broadcast,
        gap=np.subtract,
    ),
    "clip": Row(
        clip,
        (
            lambda g, y, side, x, low, high: g * (side > 0),
            lambda g, y, side, x, low, high: g * ((side < 0) & (x < low)),
            lambda g, y, side, x, low, high: g * ((side < 0) & (x > high)),
        ),
        broadcast,
        gap=clip_gap,
    ),
    "max": Row(
        pick,
        (lambda g, y, side, x, axis: g * first_zero(side, axis),),
        has_axis,
        gap=below_max,
        ties=several,
    ),
    "min": Row(
        pick,
        (lambda g, y, side, x, axis: g * first_zero(side, axis),),
        has_axis,
        gap=partial(below_max, flip=-1),
        ties=several,
    ),
    "trace": Row(lambda x: np.asarray(x.diagonal().sum()), (lambda g, y, x: g * np.eye(len(x)),), square),
    "diag": Row(diagonal_of, (diagonal_back,), fits_diagonal),
    "det": Row(det, (lambda g, y, x: g * y * inv(x).T,), square),
    "logdet": Row(
        logdet, (lambda g, y, x: g * inv(x).T,), square, trouble="takes the logarithm of a determinant that is 0"
    ),
    "inv": Row(inv, (lambda g, y, x: -y.T @ g @ y.T,), square, trouble="takes the inverse of a singular matrix"),
    "norm": Row(lambda side, x, axis: norm(x, axis), (norm_back,), has_axis, gap=norm),
    "layer_norm": Row(partial(standardise, axis=1), (partial(standardise_back, axis=1),), partial(has_lines, axis=1)),
    "batch_norm": Row(partial(standardise, axis=0), (partial(standardise_back, axis=0),), partial(has_lines, axis=0)),
    "outer": Row(
        lambda a, b: matmul(a.reshape(-1, 1), b.reshape(1, -1)),
        (
            lambda g, y, a, b: (g @ b.reshape(-1, 1)).reshape(a.shape),
            lambda g, y, a, b: (a.reshape(1, -1) @ g).reshape(b.shape),
        ),
        vectors,
    ),
    "conv1d": Row(*convolution(1)),
    "conv2d": Row(*convolution(2)),
    "max_pool": Row(largest, (to_winners,), fits_pooling, gap=largest_gap, ties=tied),
    "avg_pool": Row(mean_of_windows, (evenly,), fits_pooling),
    "compare": Row(
        lambda side, a, b, relation: RELATIONS[relation](side) * 1.0,
        (lambda g, y, side, a, b, relation: 0 * g, lambda g, y, side, a, b, relation: 0 * g),
        broadcast,
        gap=lambda a, b, relation: a - b,
    ),
}
