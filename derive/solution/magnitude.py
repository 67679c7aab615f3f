"""How large the terms are that a result is added up from: what rounding in doubles is measured by.

Where terms cancel (a bias in front of a softmax has the gradient 0) doubles leave a rest, which is small beside the
terms and not beside the result. The magnitude of a name is its right-hand side with every term taken positive; through
a function it is carried by the derivative, as an error is.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from flint import fmpq

from derive.graph.expression import Expression, Name, constant
from derive.graph.ops import FUNCTIONS, OPS, derivative, subtract
from derive.numbers import arrays, rearranged
from derive.solution.values import Run

Floats = Any


ROUNDING = 1e-13  # what doubles lose of the largest term of a sum
LEVELS = 3  # how many equations back a rest is followed: beyond, bounds grow faster than errors do


SLIDING = tuple(f"{name}{role}" for name in ("conv1d", "conv2d") for role in ("", "_image", "_filter"))


class _Doubles:
    """Doubles as a kind of number, as far as convolutions need one."""

    def number(self, value: fmpq) -> Floats:
        return np.array(float(value.p) / float(value.q))

    def matmul(self, a: Floats, b: Floats) -> Floats:
        return a @ b


class Magnitudes:
    """Of the names of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def of(self, name: Name) -> float:
        """The largest magnitude among the entries of a name."""
        equation = self._run.equations.get(name)
        if equation is None:
            return 0.0
        with np.errstate(all="ignore"):
            found = float(np.max(self._of(equation, LEVELS), initial=0.0))
        return found if np.isfinite(found) else 0.0

    def _of(self, node: Expression, levels: int) -> Floats:
        args, of = node.args, partial(self._of, levels=levels)
        match node.op:
            case "name":
                value, equation = self._plain(node), self._run.equations.get(node.name)
                return value if equation is None or not levels else np.maximum(value, self._of(equation, levels - 1))
            case "add":
                return sum((of(arg) for arg in args[1:]), of(args[0]))
            case "multiply":
                whole = of(args[0])
                for arg in args[1:]:
                    whole = whole * of(arg)
                return whole
            case "divide":
                below = np.maximum(self._plain(args[1]), np.finfo(float).tiny)
                return of(args[0]) / below + self._plain(args[0]) / below**2 * of(args[1])
            case "matmul":
                return of(args[0]) @ of(args[1])
            case op if op in SLIDING:
                return OPS[op].value(_Doubles(), node, tuple(of(arg) for arg in args))
            case "transpose":
                return of(args[0]).T
            case "slice":
                return rearranged.taken(of(args[0]), node.at)
            case "place":
                return rearranged.put(of(args[0]), node.at[:-1], np.zeros(tuple(map(int, node.shape))))
            case "concat":
                return rearranged.joined([of(arg) for arg in args], node.at[0])
            case "entry":
                return of(args[0])[node.at]
            case "reshape":
                return of(args[0]).reshape(node.shape)
            case "sum":
                axis = node.at[0]
                return np.sum(of(args[0]), axis=axis, keepdims=axis is not None)
            case "spread":
                return np.broadcast_to(of(args[0]), tuple(map(int, node.shape)))
            case "power" if node.at[0] > 0:  # what an error in x makes of x^n, squares of errors included
                x, exponent = self._plain(args[0]), float(node.at[0].p) / float(node.at[0].q)
                return self._plain(node) + ((x + ROUNDING * of(args[0])) ** exponent - x**exponent) / ROUNDING
            case op if op in FUNCTIONS and args[0].op != "name":
                return self._plain(node) + self._plain(derivative(op, node.at, args[0])) * of(args[0])
            case "binary_cross_entropy":  # the logarithms of p and of 1 - p, where one of them is near 0
                p, t = (self._plain(arg) for arg in args)
                tiny = np.finfo(float).tiny
                rest = self._plain(subtract(constant(1), args[0]))
                return self._plain(node) + t * (1 + p / np.maximum(p, tiny)) + np.abs(1 - t) / np.maximum(rest, tiny)
        return self._plain(node)

    def _plain(self, node: Expression) -> Floats:
        """The absolute value."""
        return np.abs(arrays.to_floats(self._run.expression(node)))
