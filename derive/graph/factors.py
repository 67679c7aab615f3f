"""Products of matrices in the form they are printed in: unit matrices left out, transposes inside, A x + A^T x as one.

Each function takes an expression and gives an equal one, or ``None`` where it does not apply.
"""

from __future__ import annotations

from derive.graph import ops
from derive.graph.expression import Expression, constant, is_constant


def is_unit(node: Expression) -> bool:
    """Whether this is the unit matrix."""
    return node.op == "diag" and node.args[0].op == "spread" and is_constant(node.args[0].args[0], 1)


def without_unit(product: Expression) -> Expression | None:
    """I A and A I are A."""
    a, b = product.args
    return b if is_unit(a) else a if is_unit(b) else None


def turned(transpose: Expression) -> Expression | None:
    """(A B)^T is B^T A^T; a diagonal matrix is its own transpose."""
    (inner,) = transpose.args
    match inner.op:
        case "matmul":
            return ops.matmul(*(_turn(arg) for arg in reversed(inner.args)))
        case "diag":
            return inner
        case "transpose":
            return inner.args[0]
    return None


def _turn(node: Expression) -> Expression:
    """The transpose, inside a product of matrices."""
    again = ops.transpose(node)
    return (turned(again) or again) if again.op == "transpose" else again


def product_of(node: Expression) -> tuple[Expression, ...]:
    """The factors of a product of matrices, however it is bracketed."""
    return tuple(part for arg in node.args for part in product_of(arg)) if node.op == "matmul" else (node,)


def twins(a: Expression, b: Expression) -> Expression | None:
    """A x + A^T x is (A + A^T) x, as in the derivative of a quadratic form; on the other side x^T (A + A^T)."""
    first, second = product_of(a), product_of(b)
    if len(first) < 2 or len(first) != len(second):
        return None
    for k in (0, -1):
        rest, other = (first[1:], second[1:]) if k == 0 else (first[:-1], second[:-1])
        if rest == other and second[k] == ops.transpose(first[k]) and first[k] != second[k]:
            both = ops.add(*sorted((first[k], second[k]), key=lambda factor: factor.op == "transpose"))
            return _chain((both, *rest) if k == 0 else (*rest, both))
    return None


def _chain(factors: tuple[Expression, ...]) -> Expression:
    whole = factors[0]
    for factor in factors[1:]:
        whole = ops.matmul(whole, factor)
    return whole


def cancelled(factors: list[Expression]) -> list[Expression]:
    """r and A / r are A: a factor that another one is divided by goes with its line."""
    kept = list(factors)
    for k, part in enumerate(kept):
        if part.op == "divide" and part.args[1] in kept and part.args[1].op != "constant":
            rest = [*kept[:k], part.args[0], *kept[k + 1 :]]
            rest.remove(part.args[1])
            shape = ops.multiply(*kept).shape
            whole = ops.multiply(*rest) if rest else constant(1)
            return cancelled(rest) if whole.shape == shape else kept
    return kept
