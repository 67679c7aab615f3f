"""An equation as SymPy's matrix expression: ``h.T * dE/dz_o``, with a ``MatrixSymbol`` for each name.

SymPy has no broadcasting, so what NumPy stretches is written with matrices of ones: a row ``b`` under N samples is
``1 b`` with a column of N ones. It has no sum of all entries either: that is a trace. Sizes may be names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from flint import fmpq
from sympy import (
    BlockMatrix,
    Determinant,
    DiagMatrix,
    DiagonalOf,
    HadamardPower,
    HadamardProduct,
    Identity,
    ImmutableDenseMatrix,
    Inverse,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Trace,
    ZeroMatrix,
)
from sympy.matrices.expressions.slice import MatrixSlice

from derive.calculus.explicit import FirstIsLarger, FirstIsSmaller, elementwise
from derive.calculus.functions import Functions, Key, rational
from derive.errors import Unsupported
from derive.graph.expression import Expression, Name
from derive.graph.ops import evaluate
from derive.graph.ops.reach import CONVOLVING, POOLING
from derive.graph.ops.rearranging import Slice, pieces
from derive.graph.sizes import broadcast
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import plus


def matrix_form(expression: Expression, functions: Functions) -> sympy.Expr | MatrixExpr:
    """The SymPy object of an expression: a scalar where its shape is ``()``, else a matrix expression of its sizes.

    Raises ``Unsupported`` for the operations that SymPy's matrices have no word for.
    """
    shapes = {node.name: node.shape for node in expression.nodes() if node.op == "name"}
    for node in expression.nodes():
        if len(node.shape) > 2 or node.op in ("max", "min", "first_of", *CONVOLVING, *POOLING):
            raise Unsupported(f"the matrix form of {node.op} is not built; ask for form='explicit'")
    found: Matrix = evaluate(expression, lambda name: symbol(name, shapes[name]), Matrices(functions))
    return found.value


def symbol(name: Name, shape: Shape) -> Matrix:
    """A name as a symbol of its shape."""
    if not shape:
        return Matrix(sympy.Symbol(str(name), real=True), ())
    return Matrix(MatrixSymbol(str(name), *map(size, shape)), shape)


def size(value: Size) -> sympy.Expr:
    """A size as a number or as a positive whole symbol."""
    return sympy.Integer(value) if isinstance(value, int) else sympy.Symbol(value, integer=True, positive=True)


class Matrix:
    """A scalar or a matrix expression together with its shape; ``+ - *`` act entry by entry, as NumPy's do."""

    def __init__(self, value: Any, shape: Shape) -> None:
        self.value, self.shape = value, shape

    @property
    def T(self) -> Matrix:
        """The transpose."""
        return Matrix(self.value.T, self.shape[::-1])

    def stretched(self, shape: Shape) -> Any:
        """The value with the axes that have size 1 filled up."""
        if self.shape == shape:
            return self.value
        rows, columns = shape
        if not self.shape:
            return self.value * OneMatrix(size(rows), size(columns))
        value = self.value
        if self.shape[0] != rows:
            value = OneMatrix(size(rows), 1) * value
        return value if self.shape[1] == columns else value * OneMatrix(1, size(columns))

    def __add__(self, other: Matrix) -> Matrix:
        shape = broadcast(self.shape, other.shape)
        return Matrix(self.stretched(shape) + other.stretched(shape), shape)

    def __neg__(self) -> Matrix:
        return Matrix(-self.value, self.shape)

    def __sub__(self, other: Matrix) -> Matrix:
        return self + (-other)

    def __mul__(self, other: Matrix) -> Matrix:
        shape = broadcast(self.shape, other.shape)
        if not self.shape or not other.shape:
            return Matrix(self.value * other.value, shape)
        factors = [self.stretched(shape), other.stretched(shape)]
        flat = [
            part for factor in factors for part in (factor.args if isinstance(factor, HadamardProduct) else (factor,))
        ]
        return Matrix(HadamardProduct(*flat), shape)


class Matrices:
    """Matrix expressions as a kind of number for the graph's op table."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions

    def settle(self, value: Matrix, expression: Expression) -> Matrix:
        """Nothing is to be settled."""
        return value

    def number(self, value: fmpq) -> Matrix:
        return Matrix(rational(value), ())

    def size(self, name: str) -> Matrix:
        return Matrix(size(name), ())

    def matmul(self, a: Matrix, b: Matrix) -> Matrix:
        return Matrix(a.value * b.value, (a.shape[0], b.shape[1]))

    def power(self, a: Matrix, exponent: fmpq) -> Matrix:
        return Matrix((HadamardPower if a.shape else sympy.Pow)(a.value, rational(exponent)), a.shape)

    def divide(self, a: Matrix, b: Matrix) -> Matrix:
        return a * self.power(b, fmpq(-1))

    def function(self, name: str, at: Key, a: Matrix) -> Matrix:
        return self._each(elementwise(self.functions, name, at), a)

    def derivative(self, name: str, at: Key, a: Matrix) -> Matrix:
        order = 1
        while name == "derivative":
            name, at, order = at[0], at[1:], order + 1
        return self._each(elementwise(self.functions, name, at, order), a)

    def first_wins(self, kind: str, a: Matrix, b: Matrix) -> Matrix:
        if a.shape or b.shape:
            raise Unsupported(f"the matrix form of {kind} is not built; ask for form='explicit'")
        return Matrix((FirstIsLarger if kind == "maximum" else FirstIsSmaller)(a.value, b.value), ())

    def softmax(self, a: Matrix, axis: int) -> Matrix:
        powers = self._each(sympy.exp, a)
        return self.divide(powers, self.total(powers, axis))

    def log_softmax(self, a: Matrix, axis: int) -> Matrix:
        return a - self._each(sympy.log, self.total(self._each(sympy.exp, a), axis))

    def total(self, a: Matrix, axis: int | None) -> Matrix:
        rows, columns = a.shape
        if axis == 0:
            return Matrix(OneMatrix(1, size(rows)) * a.value, (1, columns))
        if axis == 1:
            return Matrix(a.value * OneMatrix(size(columns), 1), (rows, 1))
        return Matrix(Trace(OneMatrix(1, size(rows)) * a.value * OneMatrix(size(columns), 1)), ())

    def spread(self, a: Matrix, shape: Shape) -> Matrix:
        return Matrix(a.stretched(shape), shape)

    def take(self, a: Matrix, slices: Sequence[Slice | None]) -> Matrix:
        shape = tuple(extent if part is None else part.count for part, extent in zip(slices, a.shape, strict=True))
        bounds = []
        for part, extent in zip(slices, a.shape, strict=True):
            part = part or Slice(0, extent)
            bounds.append((size(part.start), size(part.start) + part.step * size(part.count), part.step))
        return Matrix(MatrixSlice(a.value, *bounds), shape)

    def put(self, a: Matrix, slices: Sequence[Slice | None], shape: Shape) -> Matrix:
        rows, columns = (pieces(part, extent) for part, extent in zip(slices, shape, strict=True))
        body = [[self._piece(a, height, width, p, q) for width, q in columns] for height, p in rows]
        return Matrix(BlockMatrix(body), shape)

    def _piece(self, a: Matrix, height: Size, width: Size, p: Slice | None, q: Slice | None) -> Any:
        if p is None or q is None:
            return ZeroMatrix(size(height), size(width))
        if not a.shape:
            return a.value * OneMatrix(1, 1)
        whole = (p, q) == tuple(Slice(0, extent) for extent in a.shape)
        return a.value if whole else self.take(a, (p, q)).value

    def join(self, parts: Sequence[Matrix], axis: int) -> Matrix:
        blocks = [part.value if part.shape else part.value * OneMatrix(1, 1) for part in parts]
        shape = list(parts[0].shape or (1, 1))
        shape[axis] = plus(*((1, part.shape[axis] if part.shape else 1) for part in parts))
        return Matrix(BlockMatrix([blocks] if axis == 1 else [[block] for block in blocks]), tuple(shape))

    def entry(self, a: Matrix, place: tuple[Size, ...]) -> Matrix:
        return Matrix(a.value[tuple(map(size, place))], ())

    def reshape(self, a: Matrix, shape: Shape) -> Matrix:
        raise Unsupported("the matrix form of reshape is not built; ask for form='explicit'")

    def one_hot(self, chosen: Sequence[int], classes: int) -> Matrix:
        rows = [[int(k == number) for k in range(classes)] for number in chosen]
        return Matrix(ImmutableDenseMatrix(rows), (len(chosen), classes))

    def choice(self, name: str, at: Key, operands: tuple[Matrix, ...]) -> Matrix:
        if any(operand.shape for operand in operands):
            raise Unsupported(f"the matrix form of {name} is not built; ask for form='explicit'")
        from derive.calculus.choices import choice

        return Matrix(choice(name, at, tuple(operand.value for operand in operands)), ())

    def pi(self) -> Matrix:
        return Matrix(sympy.pi, ())

    def diag(self, vector: Matrix) -> Matrix:
        rows, columns = vector.shape
        extent = rows if columns == 1 else columns
        if isinstance(vector.value, OneMatrix):
            return Matrix(Identity(size(extent)), (extent, extent))
        return Matrix(DiagMatrix(vector.value if columns == 1 else vector.value.T), (extent, extent))

    def diagonal(self, a: Matrix, axis: int) -> Matrix:
        column = DiagonalOf(a.value)
        return Matrix(column.T, (1, a.shape[0])) if axis == 0 else Matrix(column, (a.shape[0], 1))

    def trace(self, a: Matrix) -> Matrix:
        return Matrix(Trace(a.value), ())

    def determinant(self, a: Matrix) -> Matrix:
        return Matrix(Determinant(a.value), ())

    def log_determinant(self, a: Matrix) -> Matrix:
        return self.function("log", (), self.function("abs", (), self.determinant(a)))

    def inverse(self, a: Matrix) -> Matrix:
        return Matrix(Inverse(a.value), a.shape)

    def _each(self, function: Any, a: Matrix) -> Matrix:
        return Matrix(a.value.applyfunc(function) if a.shape else function(a.value), a.shape)
