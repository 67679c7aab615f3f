"""A problem without numbers, tried on numbers.

Sizes that are letters become small numbers, all different; data without values get seeded fractions, an activation
without a formula one that no rule is tuned to, a known upstream any numbers. The derivation of the instance has to
pass every check that a problem with numbers does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

from flint import fmpq

from derive.graph.network import Network
from derive.graph.sizes import is_scalar
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem, Shape
from derive.problem.questions import Questions
from derive.problem.size_terms import names_in, terms, worked_out
from derive.problem.syntax import Binary, Name, Number

LARGEST = 60  # of a size that is a number; data beyond that are left without a trial


def instance(problem: Problem, network: Network) -> tuple[Problem, dict[str, int]] | None:
    """The problem with numbers everywhere, and the sizes chosen; ``None`` where a given size is too large to try."""
    names = sorted({size for datum in network.data.values() for size in datum.shape for size in names_in(size)})
    sizes = _large_enough(names, network)
    fractions = _Fractions()

    def numbers(shape: Shape) -> Tensor | None:
        full = tuple(worked_out(size, sizes) for size in shape)
        return None if any(size > LARGEST for size in full) else fractions.tensor(full)

    given = dict(problem.given)
    for name, shape in problem.shapes.items():
        tensor = numbers(shape)
        if tensor is None:
            return None
        given[name] = _adding_up(tensor, network.assumed[name]) if name in network.assumed else tensor
    upstream = []
    for known in problem.ask.upstream:
        value = known.value or numbers(network.shape(known.at))
        if value is None:
            return None
        upstream.append(replace(known, value=value))
    functions = {name: formula or _cubic() for name, formula in problem.functions.items()}
    questions = problem.ask.questions
    if questions is not None:
        questions = _with_directions(questions, network, numbers)
        if questions is None:
            return None
    ask = replace(problem.ask, upstream=tuple(upstream), questions=questions)
    return replace(problem, given=given, shapes={}, functions=functions, ask=ask), sizes


def _adding_up(tensor: Tensor, axis: int) -> Tensor:
    """Labels: every row (column) divided by its sum, so that it adds up to 1."""
    rows, columns = tensor.shape
    entries = tensor.entries
    lines = [
        entries[i * columns : (i + 1) * columns] if axis == 1 else entries[i::columns]
        for i in range((rows, columns)[1 - axis])
    ]
    sums = [sum(line, fmpq(0)) for line in lines]
    return Tensor.of(
        tensor.shape, (entries[i * columns + j] / sums[(i, j)[1 - axis]] for i in range(rows) for j in range(columns))
    )


def _with_directions(
    questions: Questions, network: Network, numbers: Callable[[Shape], Tensor | None]
) -> Questions | None:
    """Any direction becomes one of numbers; the batch is tried by itself."""
    passes = []
    for one in questions.forward:
        moved = dict(one)
        for name, direction in one.items():
            if direction is None and not is_scalar(network.shape(name)):
                moved[name] = numbers(network.shape(name))
                if moved[name] is None:
                    return None
        passes.append(moved)
    return replace(questions, forward=tuple(passes), batch=None)


def _large_enough(names: Sequence[str], network: Network) -> dict[str, int]:
    """Small numbers, all different, with which no size of the network is empty: N - k + 1 has to be at least 1."""
    sizes = {name: k + 2 for k, name in enumerate(names)}
    found = {size for equation in network.equations for node in equation.value.nodes() for size in node.shape}
    for _ in range(LARGEST):
        empty = sorted(str(size) for size in found if worked_out(size, sizes) < 1)
        if not empty:
            break
        _, factors = terms(empty[0])
        growing = [name for name, factor in factors.items() if factor > 0]
        if not growing:
            break
        sizes[growing[0]] = max(sizes.values()) + 1
    return sizes


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
