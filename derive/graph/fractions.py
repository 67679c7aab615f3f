"""1/N p - 1/N y is 1/N (p - y): a fraction that all terms of a sum have, but for its sign, goes in front of it."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Expression, constant, is_constant


def fraction_out(terms: Sequence[Expression]) -> tuple[Expression, ...] | None:
    """The factors of ``sum(terms)``: the common fraction, then what is left of the sum; ``None`` where there is none.

    A fraction is a number that is not whole, or a number over sizes: a whole number stays in its terms.
    """
    split = [_split(term) for term in terms]
    front, sizes, _ = split[0]
    if len(terms) == 1 or (front.q == 1 and not sizes):
        return None
    cores = []
    for number, found, core in split:
        if core is None or abs(number) != abs(front) or found != sizes:
            return None
        cores.append(core if number > 0 else ops.negate(core))
    below = (ops.apply("divide", constant(1), size) for size in sizes)
    return constant(abs(front)), *below, ops.add(*cores)


def _split(term: Expression) -> tuple[fmpq, tuple[Expression, ...], Expression | None]:
    """``term`` is a number over sizes, times a core; the core is ``None`` where nothing else is left."""
    number, sizes, cores = fmpq(1), [], []
    for factor in term.args if term.op == "multiply" else (term,):
        if factor.op == "constant":
            number *= factor.number
        elif factor.op == "divide" and is_constant(factor.args[0]) and factor.args[1].op == "size":
            number *= factor.args[0].number
            sizes.append(factor.args[1])
        else:
            cores.append(factor)
    return number, tuple(sizes), ops.multiply(*cores) if cores else None
