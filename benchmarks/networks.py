"""The networks of the growth table: sigmoid layers, biases, half the squared error; sizes without numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.problem import Problem


def layers(count: int, width: int) -> list[int]:
    """The widths of a network with ``count`` layers of weights, all of one width."""
    return [width] * (count + 1)


def parameters(widths: list[int]) -> int:
    """How many numbers are trained."""
    return sum(m * n + n for m, n in pairwise(widths))


def problem(widths: list[int]) -> Problem:
    """The same network as ``plain_sympy.loss``, written for derive; sizes stand in place of numbers."""
    from derive.problem import Problem

    lines, shapes = [], {"h0": [1, widths[0]], "t": [1, widths[-1]]}
    for layer, (m, n) in enumerate(pairwise(widths), start=1):
        lines += [f"z{layer} = h{layer - 1} @ W{layer} + b{layer}", f"h{layer} = sigmoid(z{layer})"]
        shapes |= {f"W{layer}": [m, n], f"b{layer}": [1, n]}
    lines.append(f"E = sum((h{len(widths) - 1} - t)**2) / 2")
    return Problem.from_equations("\n".join(lines), shapes=shapes)
