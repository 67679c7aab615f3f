"""An entry with running indices: ``y_{ij}``, ``\\sum_j (o_j - t_j)^2``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flint import fmpq

from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.ops import reach
from derive.report.notation.cells import PRODUCT, Cell, Cells, power, rounded, summed
from derive.report.notation.symbols import Symbols

LETTERS = ("i", "j")
DEEP_LETTERS = {k: ("n", "c", "i", "j", "k", "l", "p", "q")[:k] for k in range(3, 9)}  # samples and channels first

Index = tuple[Any, ...]  # a letter for each axis, 0 for an axis of size 1


def running_index(shape: tuple[int | str, ...]) -> Index:
    """i and j, as far as there is anything to run over."""
    letters = LETTERS if len(shape) < 3 else DEEP_LETTERS[len(shape)]
    return tuple(0 if size == 1 else letter for size, letter in zip(shape, letters, strict=True)) if shape else ()


class Running(Cells):
    """Prints the entry i, j of an expression. ``whole`` prints an expression as a matrix."""

    def __init__(
        self, symbols: Symbols, whole: Callable[[Expression], str], named: Mapping[Expression, Expression]
    ) -> None:
        super().__init__(symbols, self._entry, named=named)
        self._whole = whole

    def entry(self, node: Expression) -> Cell:
        """The entry i, j of ``node``."""
        return self.cell(node, running_index(node.shape))

    def cell(self, node: Expression, index: Index) -> Cell:
        """As for entries with numbers, but sums stay sums and products of matrices stay products."""
        if node in self.named:
            return self.cell(self.named[node], index)
        return self.worked_out(node, index)

    def worked_out(self, node: Expression, index: Index) -> Cell:
        """By what an expression does, even where an equation has named it: a right-hand side is no name."""
        match node.op:
            case "sum":
                letters, whole = self._under_letters(node, index)
                if not letters:
                    return whole
                return summed(rf"\sum_{{{','.join(letters)}}}", whole)
            case "norm" | "squared_norm":
                return self._norm(node, index)
            case "matmul" | "softmax" | "log_softmax" | "diag" | "diagonal" | "inv" | "trace" | "det" | "logdet":
                return self._of_whole(node, index)
            case "slice" | "place" | "entry" | "concat" | "reshape" | "one_hot":
                return self._of_whole(node, index)
            case "max" | "min":
                return self._extreme(node, index)
            case op if op in reach.CONVOLVING or op in reach.POOLING:
                return self._of_whole(node, index)
        return super().cell(node, index)

    def _under_letters(self, node: Expression, index: Index) -> tuple[list[str], Cell]:
        """The letters over which a reduction runs, those that its result has not, and the entry under them."""
        (x,), (axis,) = node.args, node.at
        free = running_index(x.shape)
        inner = free if axis is None else (*index[:axis], free[axis], *index[axis + 1 :])
        return [k for n, k in enumerate(inner) if k and (axis is None or n == axis)], self.cell(x, inner)

    def _extreme(self, node: Expression, index: Index) -> Cell:
        """The largest over the letters that the result has not."""
        letters, whole = self._under_letters(node, index)
        if not letters:
            return whole
        return Cell(rf"{self.symbols.function(node.op)}_{{{','.join(letters)}}} {whole.factor()}", PRODUCT)

    def _of_whole(self, node: Expression, index: Index) -> Cell:
        """The entry of what stands as one matrix, in brackets."""
        places = "".join(k for k in index if k)
        text = self._whole(node)
        return Cell(f"{rounded(text)}_{{{places}}}" if places else text, PRODUCT)

    def _norm(self, node: Expression, index: Index) -> Cell:
        """A root of a sum of squares; of all entries a norm in its bars."""
        (x,), (axis,) = node.args, node.at
        if axis is None:
            return Cell(self._whole(node))
        free = running_index(x.shape)
        inner = (*index[:axis], free[axis], *index[axis + 1 :])
        square = power(self.cell(x, inner), fmpq(2))
        summed = rf"\sum_{{{free[axis]}}} {square.text}" if free[axis] else square.text
        return Cell(summed, PRODUCT) if node.op == "squared_norm" else Cell(rf"\sqrt{{{summed}}}")

    def _entry(self, name: Name, index: Index) -> Cell:
        if isinstance(name, Adjoint):
            letters = "".join(k for k in (index[::-1] if name.numerator else index) if k)
            text = self.symbols.name(name)
            return Cell(rf"\left({text}\right)_{{{letters}}}" if letters else text)
        letters = "".join(k for k in index if k)
        return Cell(self.symbols.indexed(str(name), letters) if letters else self.symbols.name(name))
