"""An equation as SymPy's matrix expression: ``h.T * dE/dz_o``, with a ``MatrixSymbol`` for each name.

SymPy has no broadcasting, so what NumPy stretches is written with matrices of ones: a row ``b`` under N samples is
``1 b`` with a column of N ones. It has no sum of all entries either: that is a trace. Sizes may be names.
"""

from __future__ import annotations

from typing import Any

import sympy
from flint import fmpq
from sympy import HadamardPower, HadamardProduct, MatrixExpr, MatrixSymbol, OneMatrix, Trace

from derive.calculus.explicit import FirstIsLarger, FirstIsSmaller, elementwise
from derive.calculus.functions import Functions, Key, rational
from derive.errors import Unsupported
from derive.graph.expression import Expression, Name
from derive.graph.ops import evaluate
from derive.graph.sizes import broadcast
from derive.problem.problem import Shape, Size


def matrix_form(expression: Expression, functions: Functions) -> sympy.Expr | MatrixExpr:
    """The SymPy object of an expression: a scalar where its shape is ``()``, else a matrix expression of its sizes.

    Raises ``Unsupported`` for the operations that SymPy's matrices have no word for.
    """
    shapes = {node.name: node.shape for node in expression.nodes() if node.op == "name"}
    for node in expression.nodes():
        if node.op in ("diag", "diagonal") or len(node.shape) > 2:
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

    def _each(self, function: Any, a: Matrix) -> Matrix:
        return Matrix(a.value.applyfunc(function) if a.shape else function(a.value), a.shape)
