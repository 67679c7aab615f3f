"""A problem without numbers, tried on numbers.

Sizes that are letters become small numbers, all different; data without values get seeded fractions, an activation
without a formula one that no rule is tuned to, a known upstream any numbers. The derivation of the instance has to
pass every check that a problem with numbers does.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from flint import fmpq

from derive.graph.network import Network
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem, Shape
from derive.problem.syntax import Binary, Name, Number

LARGEST = 60  # of a size that is a number; data beyond that are left without a trial


def instance(problem: Problem, network: Network) -> tuple[Problem, dict[str, int]] | None:
    """The problem with numbers everywhere, and the sizes chosen; ``None`` where a given size is too large to try."""
    names = sorted({size for datum in network.data.values() for size in datum.shape if isinstance(size, str)})
    sizes = {name: k + 2 for k, name in enumerate(names)}
    fractions = _Fractions()

    def numbers(shape: Shape) -> Tensor | None:
        full = tuple(sizes[size] if isinstance(size, str) else size for size in shape)
        return None if any(size > LARGEST for size in full) else fractions.tensor(full)

    given = dict(problem.given)
    for name, shape in problem.shapes.items():
        tensor = numbers(shape)
        if tensor is None:
            return None
        given[name] = tensor
    upstream = []
    for known in problem.ask.upstream:
        value = known.value or numbers(network.shape(known.at))
        if value is None:
            return None
        upstream.append(replace(known, value=value))
    functions = {name: formula or _cubic() for name, formula in problem.functions.items()}
    ask = replace(problem.ask, upstream=tuple(upstream))
    return replace(problem, given=given, shapes={}, functions=functions, ask=ask), sizes


def _cubic() -> tuple[str, Binary]:
    """z^3 / 3 + z / 7: smooth, and equal to none of the built-in functions."""
    z = Name("z")
    cube = Binary("/", Binary("**", z, Number(fmpq(3))), Number(fmpq(3)))
    return ("z", Binary("+", cube, Binary("/", z, Number(fmpq(7)))))


class _Fractions:
    """Fractions between 0 and 1, none twice in a row, the same in every run (a linear congruence)."""

    def __init__(self) -> None:
        self._state = 12345

    def tensor(self, shape: tuple[int, ...]) -> Tensor:
        return Tensor.of(shape, (self._next() for _ in range(prod(shape))))

    def _next(self) -> fmpq:
        self._state = (1103515245 * self._state + 12345) % 2**31
        return fmpq(self._state // 2**11 % 89 + 5, 97)
