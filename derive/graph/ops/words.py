"""Words for building expressions: they drop what changes nothing, and no more."""

from __future__ import annotations

from typing import Any

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression, constant, is_constant
from derive.graph.ops.table import apply
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape


def add(*terms: Expression) -> Expression:
    """The sum; sums inside it are opened, zeros left out (unless they give the sum its shape)."""
    flat = [part for term in terms for part in (term.args if term.op == "add" else (term,))]
    kept = [part for part in flat if not is_constant(part, 0) and part.op != "zeros"] or flat[:1]
    return kept[0] if len(kept) == 1 else apply("add", *kept)


def multiply(*factors: Expression) -> Expression:
    """The entrywise product; products inside it are opened, ones and needless spreading left out."""
    flat = [part for factor in factors for part in (factor.args if factor.op == "multiply" else (factor,))]
    flat = [part for part in flat if not is_constant(part, 1)] or flat[:1]
    if len(flat) > 1:
        flat = _without_spreading(flat)
    return flat[0] if len(flat) == 1 else apply("multiply", *flat)


def _without_spreading(factors: list[Expression]) -> list[Expression]:
    """``spread(g) * X`` is ``g * X`` as soon as the product has the shape without it."""
    shape = apply("multiply", *factors).shape
    kept: list[Expression] = list(factors)
    for k, factor in enumerate(factors):
        if factor.op == "spread":
            smaller = [*kept[:k], factor.args[0], *kept[k + 1 :]]
            try:
                fits = apply("multiply", *smaller).shape == shape
            except ShapeError:
                fits = False
            if fits:
                kept = smaller
    return [part for part in kept if not is_constant(part, 1)] or kept[:1]


def negate(x: Expression) -> Expression:
    """``-x``"""
    return multiply(constant(-1), x)


def subtract(a: Expression, b: Expression) -> Expression:
    """``a - b``"""
    return add(a, negate(b))


def divide(a: Expression, b: Expression) -> Expression:
    """``a / b``; by a number it is a multiple: ``-a / 2`` is minus half of a, and ``3 / 4`` one number."""
    if b.op == "constant" and b.number != 0:
        if a.op == "constant" and a.number.q == b.number.q == 1:
            return constant(a.number / b.number)
        if a.op == "multiply" and is_constant(a.args[0], -1):
            return multiply(constant(-1 / b.number), *a.args[1:])
        return multiply(constant(1 / b.number), a)
    return apply("divide", a, b)


def power(x: Expression, exponent: fmpq | int) -> Expression:
    """``x ** exponent`` with a constant exponent."""
    exponent = fmpq(exponent)
    if x.op == "norm" and exponent == 2:  # a sum of squares: exact, and smooth at 0
        return apply("squared_norm", *x.args, at=x.at)
    return x if exponent == 1 else constant(1) if exponent == 0 and not x.shape else apply("power", x, at=(exponent,))


def matmul(a: Expression, b: Expression) -> Expression:
    """``a @ b``"""
    return apply("matmul", a, b)


def transpose(x: Expression) -> Expression:
    """``x.T``; twice is not at all, and one entry has none."""
    if x.op == "transpose":
        return x.args[0]
    return x if all(size == 1 for size in x.shape) else apply("transpose", x)


def total(x: Expression, axis: int | None = None) -> Expression:
    """The sum of the entries along an axis, or of all."""
    return x if not x.shape else apply("sum", x, at=(axis,))


def mean(x: Expression, axis: int | None = None) -> Expression:
    """The sum over the number of its terms."""
    number, names = sizes.count(x.shape, axis)
    parts = [total(x, axis), constant(fmpq(1, number))]
    parts += [apply("divide", constant(1), Expression("size", (), (name,), ())) for name in names]
    return multiply(*reversed(parts))


def spread(x: Expression, shape: Shape) -> Expression:
    """``x`` repeated along the axes that ``shape`` has more of."""
    return x if x.shape == shape else Expression("spread", (x,), (), shape)


def sum_to(x: Expression, shape: Shape) -> Expression:
    """The adjoint of broadcasting: what was repeated is added up again."""
    if x.shape == shape:
        return x
    if all(size == 1 for size in shape):
        return spread(total(x), shape)
    for axis, (have, want) in enumerate(zip(x.shape, shape, strict=True)):
        if want == 1 and have != 1:
            return sum_to(total(x, axis), shape)
    return spread(x, shape)


def derivative(name: str, at: tuple[Any, ...], x: Expression) -> Expression:
    """f'(x), entry by entry, as a symbol."""
    return apply("derivative", x, at=(name, *at))
