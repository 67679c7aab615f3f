"""How large the terms are that a result is added up from: what rounding in doubles is measured by.

Where terms cancel (a bias in front of a softmax has the gradient 0) doubles leave a rest, which is small beside the
terms and not beside the result. The magnitude of a name is its right-hand side with every term taken positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.graph.expression import Expression, Name
from derive.numbers import arrays
from derive.solution.values import Run

Floats = Any


class Magnitudes:
    """Of the names of one run, worked out on demand."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[Name, Floats] = {}

    def of(self, name: Name) -> float:
        """The largest magnitude among the entries of a name."""
        for needed in self._run.order(name, self._known):
            self._known[needed] = self._of_name(needed)
        return float(np.max(self._known[name], initial=0.0))

    def _of_name(self, name: Name) -> Floats:
        value = np.abs(arrays.to_floats(self._run.value(name)))
        if name not in self._run.equations:
            return value
        with np.errstate(all="ignore"):
            return np.maximum(value, self._of(self._run.equations[name]))

    def _of(self, node: Expression) -> Floats:
        args = node.args
        match node.op:
            case "name":
                return self._known[node.name]
            case "add":
                return sum((self._of(arg) for arg in args[1:]), self._of(args[0]))
            case "multiply":
                whole = self._of(args[0])
                for arg in args[1:]:
                    whole = whole * self._of(arg)
                return whole
            case "divide":
                return self._of(args[0]) / np.maximum(self._plain(args[1]), np.finfo(float).tiny)
            case "matmul":
                return self._of(args[0]) @ self._of(args[1])
            case "transpose":
                return self._of(args[0]).T
            case "sum":
                axis = node.at[0]
                return np.sum(self._of(args[0]), axis=axis, keepdims=axis is not None)
            case "spread":
                return np.broadcast_to(self._of(args[0]), tuple(map(int, node.shape)))
        return self._plain(node)

    def _plain(self, node: Expression) -> Floats:
        """The absolute value: of a function, of a quotient's lower side."""
        return np.abs(arrays.to_floats(self._run.expression(node)))
