"""What a network costs, read off the shapes of its solved equations: parameters, and multiply-adds of both passes.

Only matrix products are counted. All else is done once per entry, and is less by a factor of a layer's width.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from derive.graph.expression import Expression
from derive.graph.sizes import describe
from derive.solution import Part


@dataclass(frozen=True, slots=True)
class Cost:
    """Numbers of parameters, and of multiply-adds for each sample."""

    parameters: int
    forward: int
    backward: int


def cost(part: Part, samples: str) -> Cost:
    """The cost of a solved network in which the letter ``samples`` stands for the number of samples.

    Its parameters are what derivatives have been asked for.
    """
    network = part.network
    adjoints = part.derivation.adjoints.values() if part.derivation is not None else ()
    return Cost(
        sum(prod(int(size) for size in network.shape(name)) for name in part.asked.gradients),
        _multiply_adds((equation.value for equation in network.equations), samples),
        _multiply_adds(adjoints, samples),
    )


def _multiply_adds(formulas: Iterable[Expression], samples: str) -> int:
    """Of all matrix products, for each sample. Raises ``ValueError`` for one that is not linear in the samples."""
    total = 0
    for formula in formulas:
        for node in formula.nodes():
            if node.op == "matmul":
                sizes = (*node.shape, node.args[0].shape[1])
                if sizes.count(samples) != 1:
                    raise ValueError(f"a product of size {describe(node.shape)} is not linear in {samples}")
                total += prod(int(size) for size in sizes if size != samples)
    return total
