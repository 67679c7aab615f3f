"""Sizes are numbers or names; shapes are ``()``, ``(m, n)`` or deeper. NumPy's broadcasting, less its traps."""

from __future__ import annotations

from derive.problem.problem import Shape, Size


class ShapeError(Exception):
    """Sizes do not fit. The message names them; whoever knows the equation adds it."""


def describe(shape: Shape) -> str:
    """``2 x 3`` for a matrix, ``a scalar`` for ``()``."""
    texts = (str(size) if isinstance(size, int) or size.isidentifier() else f"({size})" for size in shape)
    return " x ".join(texts) if shape else "a scalar"


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of an elementwise result.

    One operand may be stretched along axes where it has size 1, never both: NumPy lets ``(N, 1) - (1, N)`` become
    ``N x N`` in silence, and a whole wrong network with it.
    """
    if not a or not b:
        return a or b
    if len(a) != len(b):
        raise ShapeError(f"{describe(a)} and {describe(b)} have different numbers of axes")
    result: list[Size] = []
    stretched = [False, False]
    for p, q in zip(a, b, strict=True):
        if p == q:
            result.append(p)
        elif p == 1 or q == 1:
            result.append(q if p == 1 else p)
            stretched[0 if p == 1 else 1] = True
        else:
            raise ShapeError(f"{describe(a)} and {describe(b)} do not fit together")
    if all(stretched):
        raise ShapeError(
            f"{describe(a)} and {describe(b)} would both have to be stretched; "
            "only one side may be (transpose one of them?)"
        )
    return tuple(result)


def matmul(a: Shape, b: Shape) -> Shape:
    """The shape of ``a @ b``."""
    if len(a) != 2 or len(b) != 2:
        scalar = describe(a if len(a) != 2 else b)
        raise ShapeError(f"the matrix product needs two matrices, and one operand is {scalar}")
    if a[1] != b[0]:
        raise ShapeError(f"{describe(a)} @ {describe(b)}: the inner sizes {a[1]} and {b[0]} differ{_turned(a, b)}")
    return (a[0], b[1])


def _turned(a: Shape, b: Shape) -> str:
    """Which transpose would make two matrices fit, if one does; most often a flat list was meant as a column."""
    if a[1] == b[1] and b[0] == 1:
        return " (the second is a row, as a flat list is; a column is its .T, or [[1], [2]])"
    if a[1] == b[1]:
        return " (the second transposed, .T, would fit)"
    return " (the first transposed, .T, would fit)" if a[0] == b[0] else ""


def axis_of(shape: Shape, axis: int | None) -> int | None:
    """``axis`` counted from 0; ``None`` stands for all axes."""
    if axis is None:
        return None
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"there is no axis {axis} in {describe(shape)}")
    return axis % len(shape)


def reduce(shape: Shape, axis: int | None) -> Shape:
    """The shape of a sum along ``axis``, which stays with size 1; a scalar where ``axis`` is ``None``."""
    return () if axis is None else tuple(1 if k == axis else size for k, size in enumerate(shape))


def count(shape: Shape, axis: int | None = None) -> tuple[int, tuple[str, ...]]:
    """How many entries a reduction takes together: a number and the names of sizes to multiply it by."""
    number, names = 1, list[str]()
    for size in shape if axis is None else (shape[axis],):
        if isinstance(size, int):
            number *= size
        else:
            names.append(size)
    return number, tuple(names)


def is_scalar(shape: Shape) -> bool:
    """A number, or a matrix of one entry."""
    return all(size == 1 for size in shape)
