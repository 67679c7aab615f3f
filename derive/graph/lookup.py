"""``one_hot`` and ``embedding``: class numbers as rows with a single 1, and the rows of a table that they pick.

A row picked by number is the one-hot row times the table, so that the adjoint of the table is the transposed one-hot
matrix times the adjoint of what was picked: a row that is picked twice adds up.
"""

from __future__ import annotations

from collections.abc import Mapping

from derive.errors import ProblemError, Unsupported
from derive.graph import ops, sizes
from derive.graph.expression import Expression
from derive.graph.network import Datum
from derive.graph.sizes import ShapeError
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem
from derive.problem.syntax import Name, Node, Number


class Lookup:
    """Reads class numbers out of the data of one problem; ``labels`` holds those that have become one-hot."""

    def __init__(self, problem: Problem, data: Mapping[str, Datum], labels: Mapping[str, Tensor]) -> None:
        self.problem, self.data, self.labels = problem, data, labels

    def one_hot(self, node: Node, classes: int) -> Expression:
        """The rows of ``one_hot(y, classes)``. Raises ``ProblemError`` for a number that is no class."""
        return self._rows(node, classes, "one_hot", f"which is no class number; there are {classes} classes")

    def embedding(self, table: Expression, node: Node) -> Expression:
        """The rows of a table that class numbers pick."""
        if len(table.shape) != 2:
            raise ShapeError(f"embedding needs a table of rows, and this is {sizes.describe(table.shape)}")
        rows = table.shape[0]
        if not isinstance(rows, int):
            raise ShapeError(f"embedding needs a number for the rows of the table, which has {rows} of them")
        return ops.matmul(self._rows(node, rows, "embedding", f"and the table has {rows} rows"), table)

    def _rows(self, node: Node, classes: int, function: str, there_are: str) -> Expression:
        name, numbers = self._numbers(node, function)
        chosen = []
        for number in numbers:
            if number.q != 1 or not 0 <= number.p < classes:
                raise ProblemError(
                    f"{function} gets {number}{f' from {name}' if name else ''}, {there_are}; "
                    f"expected are whole numbers from 0 to {classes - 1}",
                    file=self.problem.file,
                    line=self.problem.line("given", name) if name else None,
                )
            chosen.append(int(number.p))
        return ops.apply("one_hot", at=(name, tuple(chosen), classes))

    def _numbers(self, node: Node, function: str) -> tuple[str, Tensor]:
        """The numbers of a name of the data, or the one number that stands there."""
        if isinstance(node, Number):
            return "", Tensor((), (node.value,))
        if not isinstance(node, Name) or node.id not in self.data:
            raise ShapeError(
                f"{function} takes its class numbers from the data: a name under [given], or a whole number"
            )
        name = node.id
        tensor = self.labels.get(name, self.data[name].tensor)
        if tensor is None:
            raise Unsupported(
                f"{function} needs the numbers of {name}, which has a shape alone; without them it is not built yet"
            )
        if len(tensor.shape) > 2 or (len(tensor.shape) == 2 and 1 not in tensor.shape):
            raise ShapeError(
                f"{function} takes a flat list of class numbers, and {name} is {sizes.describe(tensor.shape)}"
            )
        return name, tensor
