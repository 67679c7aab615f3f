"""``concat``, ``stack`` and ``reshape`` as they are called: what fits, and a message for what does not."""

from __future__ import annotations

from math import prod

from derive.graph import ops, sizes
from derive.graph.expression import Expression, constant
from derive.graph.ops import rearranging
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape


def concat(operands: tuple[Expression, ...], axis: int) -> Expression:
    """The operands one behind another along an axis. Raises ``ShapeError`` where other sizes differ."""
    for operand in operands:
        if not operand.shape:
            raise ShapeError("concat joins matrices, and this is a number; ones(1, 1) or stack makes a matrix of it")
    found = sizes.axis_of(operands[0].shape, axis)
    assert found is not None
    return rearranging.concat(operands, found)


def stack(operands: tuple[Expression, ...], axis: int) -> Expression:
    """Numbers as a row; rows or columns as the rows (``axis`` 0) or columns (1) of a matrix: NumPy's, of vectors."""
    first = operands[0].shape
    for operand in operands:
        if operand.shape != first:
            raise ShapeError(
                f"stack needs operands of one size, and these are {sizes.describe(first)} "
                f"and {sizes.describe(operand.shape)}"
            )
    if not first:
        if axis not in (0, -1):
            raise ShapeError(f"numbers have no axis {axis} to stack along; stack makes a row of them")
        return rearranging.concat(operands, 1)
    if len(first) != 2 or 1 not in first:
        raise ShapeError(f"stack takes numbers, rows or columns, and this is {sizes.describe(first)}; concat joins it")
    if axis not in (0, 1, -1, -2):
        raise ShapeError(f"there is no axis {axis} to stack along; vectors are stacked along 0 or 1")
    axis %= 2
    lies = 0 if first[0] == 1 and first[1] != 1 else 1 if first[1] == 1 and first[0] != 1 else axis
    turned = operands if lies == axis else tuple(map(ops.transpose, operands))
    return rearranging.concat(turned, axis)


def filled(number: int, shape: tuple[int, ...]) -> Expression:
    """Ones or zeros of a shape."""
    if len(shape) < 2:
        name = "ones" if number else "zeros"
        raise ShapeError(
            f"{name}({shape[0]}) has one size; there are no arrays of one axis: {name}(1, {shape[0]}) is a row"
        )
    return ops.spread(constant(1), shape) if number else Expression("zeros", (), (shape,), shape)


def reshape(x: Expression, shape: tuple[int, ...]) -> Expression:
    """The entries of ``x``, row by row, in another shape; one size may be -1: what is left.

    Raises ``ShapeError`` where the numbers of entries differ.
    """
    if any(isinstance(size, str) for size in x.shape):
        raise ShapeError(f"reshape needs numbers for the sizes of {sizes.describe(x.shape)}")
    have = prod(map(int, x.shape))
    known = prod(size for size in shape if size != -1)
    what = " x ".join(map(str, shape))
    if shape.count(-1) > 1:
        raise ShapeError(f"reshape to {what}: only one size can be -1, what is left for it")
    if len(shape) < 2:
        raise ShapeError(f"reshape to {what}: there are no arrays of one axis; a row is reshape(a, 1, -1)")
    if have % known or (-1 not in shape and have != known):
        raise ShapeError(f"reshape of {sizes.describe(x.shape)} to {what}: {have} entries do not fill it")
    full: Shape = tuple(have // known if size == -1 else size for size in shape)
    return rearranging.reshape(x, full)


def flatten(x: Expression) -> Expression:
    """A row for each sample, the first axis of a stack; of one matrix, a single row."""
    return (
        reshape(x, (int(x.shape[0]), -1)) if len(x.shape) > 2 and isinstance(x.shape[0], int) else reshape(x, (1, -1))
    )
