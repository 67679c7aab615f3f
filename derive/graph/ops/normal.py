"""Normalising along an axis: mean 0 and variance 1; the derivative in one formula.

    mu = mean(x)     c = x - mu     v = mean(c^2)     s = sqrt(v + eps)     h = c / s
    dJ/dx = (G - mean(G) - h mean(G h)) / s          with G = dJ/dh

``layer_norm`` takes every row by itself (axis 1), ``batch_norm`` every column (axis 0); the variance is the biased one
(Ioffe and Szegedy, Batch Normalization, 2015, section 3; Ba, Kiros and Hinton, Layer Normalization, 2016, section 3).
A network has the steps as equations of their own (``graph.normalising``); the row here is what they come to.
"""

from __future__ import annotations

from typing import Any

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression, constant, leaf
from derive.graph.ops.table import evaluate, row
from derive.graph.ops.words import add, divide, mean, multiply, power, subtract
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape

AXES = {"layer_norm": 1, "batch_norm": 0}


def centred(x: Expression, axis: int) -> Expression:
    """Less its mean along the axis."""
    return subtract(x, mean(x, axis))


def deviation(x: Expression, axis: int, eps: fmpq) -> Expression:
    """The root of the biased variance and ``eps``, so that nothing is divided by zero."""
    return power(add(mean(power(centred(x, axis), 2), axis), constant(eps)), fmpq(1, 2))


def fused(axis: int, G: Expression, h: Expression, s: Expression) -> Expression:
    """dJ/dx from G = dJ/dh, what is normalised and its deviation."""
    inner = subtract(subtract(G, mean(G, axis)), multiply(h, mean(multiply(G, h), axis)))
    return divide(inner, s)


def _shape(name: str) -> Any:
    axis = AXES[name]

    def shape(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
        (x,) = shapes
        if len(x) != 2:
            raise ShapeError(f"{name} needs a matrix, and this is {sizes.describe(x)}")
        if x[axis] == 1:
            line, other = ("row", "batch_norm") if axis == 1 else ("column", "layer_norm")
            raise ShapeError(
                f"{name} takes the mean of each {line}, and a {line} of {sizes.describe(x)} has one entry; "
                f"did you mean {other}?"
            )
        return x

    return shape


def _value(axis: int) -> Any:
    def value(kind: Any, node: Expression, v: tuple[Any, ...]) -> Any:
        x = leaf("x", node.shape)
        return evaluate(divide(centred(x, axis), deviation(x, axis, node.at[0])), lambda name: v[0], kind)

    return value


def _index(axis: int) -> Any:
    def index(e: Any, node: Expression, i: Any, j: Any) -> Any:
        extent = node.shape[axis]

        def x(k: Any) -> Any:
            return e.operand(0, i, k) if axis == 1 else e.operand(0, k, j)

        def less_mean(k: Any) -> Any:
            return x(k) - e.total(extent, x) / e.size(extent)

        squares = e.total(extent, lambda k: e.power(less_mean(k), fmpq(2))) / e.size(extent)
        return less_mean(j if axis == 1 else i) / e.power(squares + e.number(node.at[0]), fmpq(1, 2))

    return index


def _pullback(axis: int) -> Any:
    return lambda G, node: (fused(axis, G, node, deviation(node.args[0], axis, node.at[0])),)


for _name, _axis in AXES.items():
    row(_name, shape=_shape(_name), value=_value(_axis), pullback=_pullback(_axis), index=_index(_axis))
