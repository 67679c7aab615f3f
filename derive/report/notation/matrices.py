"""A whole expression as LaTeX.

Three ways to fill in its names: by their symbols (``x W_1 + b_1``), by the matrices of their entries' names, or by
matrices of numbers. Products and sums of matrices stay as they are; what acts entry by entry is worked into the
entries, as one would do by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from flint import fmpq

from derive.graph.expression import Adjoint, Expression, is_constant
from derive.graph.planes import summed_axes
from derive.graph.sizes import is_scalar
from derive.report.notation import cells, wholes, windows
from derive.report.notation.cells import PRODUCT, Cell, Cells, bracketed, rounded
from derive.report.notation.running import DEEP_LETTERS, Running
from derive.report.notation.symbols import Symbols
from derive.report.page import A4, INDENT
from derive.report.widths import bound

MOST_ROWS, MOST_COLUMNS = 8, 9  # a larger matrix is printed in part
LEAST_SCALE = 0.65  # of the size of the text: a matrix that had to be set smaller than this is printed in part
WIDEST = (A4.line - INDENT - 3) / LEAST_SCALE  # em, beside a left-hand side
WIDE = 3  # columns above which entrywise products of matrices stay products of matrices
MINUS = cells.number(fmpq(-1))
FEW_CLASSES = 5  # of a softmax that is written out as powers of e
HEAD = 3  # rows or columns before the dots
NARROW = 40  # characters: no row of so few is too wide, and none of them needs to be measured


def pmatrix(rows: Sequence[Sequence[str]]) -> str:
    """A matrix in round brackets."""
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def _kept(size: int, most: int, head: int = HEAD) -> list[int | None]:
    """Which rows or columns are printed; ``None`` stands for the dots."""
    return list(range(size)) if size <= most else [*range(head), None, size - 1]


def _in_part(shape: tuple[int, ...]) -> str:
    """The size beside a matrix that is printed in part."""
    return "_{" + r" \times ".join(map(str, shape)) + "}"


def matrix_of(shape: tuple[int, ...], cell: Callable[[tuple[int, ...]], str]) -> str:
    """The matrix with these entries; a scalar for ``()`` and for 1 x 1.

    Of one with too many rows or columns, or too wide for the line even when it is set smaller, the first and the last
    are printed, with dots between them and its size beside it.
    """
    if not shape:
        return cell(())
    if all(size == 1 for size in shape):
        return cell((0,) * len(shape))
    if len(shape) > 2:
        return _stack(shape, cell)
    rows, columns = _kept(shape[0], MOST_ROWS), _kept(shape[1], MOST_COLUMNS)
    lines = _lines(rows, columns, cell)
    head = HEAD - 1 if None in columns else min(HEAD, shape[1] - 3)
    while head > 0 and _too_wide(lines):
        columns = _kept(shape[1], 0, head)
        lines, head = _lines(rows, columns, cell), head - 1
    return pmatrix(lines) + (_in_part(shape) if None in (*rows, *columns) else "")


def _lines(
    rows: Sequence[int | None], columns: Sequence[int | None], cell: Callable[[tuple[int, ...]], str]
) -> list[list[str]]:
    return [
        [r"\vdots" if j is not None else r"\ddots" for j in columns]
        if i is None
        else [cell((i, j)) if j is not None else r"\cdots" for j in columns]
        for i in rows
    ]


def _too_wide(lines: Sequence[Sequence[str]]) -> bool:
    """Whether a matrix would have to be set too small to be read."""
    return any(sum(map(len, line)) > NARROW for line in lines) and bound(pmatrix(lines)) > WIDEST


def _stack(shape: tuple[int, ...], cell: Callable[[tuple[int, ...]], str]) -> str:
    """A single line of entries as a row; else the matrices of a stack, one below another."""
    long = [axis for axis, size in enumerate(shape) if size != 1]
    if len(long) == 1:
        at = long[0]
        return matrix_of(
            (1, shape[at]), lambda index: cell(tuple(index[1] if k == at else 0 for k in range(len(shape))))
        )
    kept = _kept(shape[0], MOST_ROWS)
    inner = [r"\vdots" if k is None else matrix_of(shape[1:], partial(_under, cell, k)) for k in kept]
    return pmatrix([[text] for text in inner]) + (_in_part(shape) if None in kept else "")


def _under(cell: Callable[[tuple[int, ...]], str], k: int, index: tuple[int, ...]) -> str:
    return cell((k, *index))


class Matrices:
    """Prints expressions. Without ``filled`` names print as their symbols, with it as matrices of its cells."""

    def __init__(self, symbols: Symbols, filled: Cells | None = None) -> None:
        self.symbols, self.filled = symbols, filled

    def terms(self, node: Expression) -> tuple[str, ...]:
        """The expression, cut where a line may break: before each term of a sum."""
        cell = self.cell(node)
        return cell.terms or (cell.text,)

    def text(self, node: Expression) -> str:
        """The expression in one piece."""
        return self.cell(node).text

    def cell(self, node: Expression) -> Cell:
        """The expression and how tightly it binds."""
        if self.filled is None:
            return self._symbolic(node)
        return self._inverted(node) if node.op == "inv" else self._filled(node)

    def factor(self, node: Expression) -> Cell:
        """The expression as one factor of a product of matrices: what is entrywise at its top stands in brackets."""
        cell = self.cell(node)
        return Cell(bracketed(cell.text)) if _entrywise(node) else cell

    # ── symbols ──

    def _symbolic(self, node: Expression) -> Cell:
        match node.op:
            case "name":
                return Cell(self.symbols.name(node.name))
            case "constant":
                return cells.number(node.number)
            case "size":
                return Cell(self.symbols.size(node.at[0]))
            case "zeros":
                return Cell(r"\mathbf{0}" if node.shape else "0")
            case "add":
                return cells.add([self._symbolic(arg) for arg in node.args])
            case "multiply":
                return self._product(node)
            case "divide":
                a, b = (self._symbolic(arg) for arg in node.args)
                if is_scalar(node.shape) or is_scalar(node.args[1].shape):
                    return cells.divide(a, b)
                under = b.text if b.binding == cells.ATOM else bracketed(b.text)
                return Cell(rf"{a.factor(True)} \oslash {under}", PRODUCT)
            case "power":
                return self._power(node)
            case "matmul":
                a, b = (self._symbolic(arg) for arg in node.args)
                return Cell(f"{_beside(a, node.args[0], True)} {_beside(b, node.args[1], False)}", PRODUCT)
            case "transpose" if node.args[0].op == "inv":
                (x,) = node.args[0].args
                return Cell(rf"{self._under_sign(x, self._symbolic(x))}^{{-\top}}")
            case "trace" | "det" | "logdet" | "inv" | "norm" | "squared_norm":
                inner = self._symbolic(node.args[0])
                return wholes.symbolic(node, inner, self._under_sign(node.args[0], inner))
            case "slice" | "place" | "entry" | "concat" | "reshape":
                from derive.report.notation import blocks

                return blocks.symbolic(node, self._symbolic, self.symbols)
            case "max" | "min" | "first_of" | "compare" | "inside" | "clip" | "one_hot" | "pi":
                from derive.report.notation import choices

                return choices.symbolic(node, self._symbolic, self._running.entry, self.symbols, self.named)
            case op if op in windows.OPS:
                return windows.symbolic(node, self._symbolic, self.symbols)
            case "transpose":
                inner = self._symbolic(node.args[0])
                return Cell(rf"{self._under_sign(node.args[0], inner)}^{{\top}}")
            case "spread":
                return self._spread(node)
            case "sum":
                return self._sum(node)
            case "diag" if node.args[0].op == "spread":
                return Cell("I")
            case "diag":
                return Cell(rf"\operatorname{{diag}}{rounded(self._symbolic(node.args[0]).text)}")
            case "diagonal":
                found = rf"\operatorname{{diag}}{rounded(self._symbolic(node.args[0]).text)}"
                return Cell(found if node.at[0] == 0 else rf"{found}^{{\top}}")
            case "derivative":
                name, *at = node.at
                inner = self._symbolic(node.args[0])
                return Cell(f"{self.symbols.slope(name, tuple(at))}{rounded(inner.text)}")
            case "cross_entropy":
                return self._cross_entropy(node)
            case "binary_cross_entropy":
                p, t = (self._symbolic(arg) for arg in node.args)
                one = Cell("1", numeric=True)
                dot = r" \odot " if node.shape else r" "
                return Cell(
                    rf"-\left({t.factor()}{dot}\log {p.factor()} + {cells.add([one, _minus(t)]).factor()}{dot}"
                    rf"\log {cells.add([one, _minus(p)]).factor()}\right)",
                    PRODUCT,
                )
            case "first_wins":
                a, b = (self._symbolic(arg) for arg in node.args)
                relation = r"\ge" if node.at[0] == "maximum" else r"\le"
                return Cell(rf"\mathbf{{1}}[{a.text} {relation} {b.text}]")
            case "maximum" | "minimum":
                a, b = (self._symbolic(arg) for arg in node.args)
                return Cell(rf"{self.symbols.function(node.op)}({a.text}, {b.text})")
            case "softmax" | "log_softmax":
                along = f"_{{{node.at[0] + 1}}}" if len(node.shape) > 2 else ""  # of a stack the axis is told
                inner = self._symbolic(node.args[0])
                return Cell(rf"{self.symbols.function(node.op)}{along}{rounded(inner.text)}")
        inner = self._symbolic(node.args[0])
        symbol = self.symbols.function(node.op, node.at)
        by_name = (r"\exp", r"\operatorname{abs}", r"\operatorname{sqrt}")
        root_of_vector = symbol == by_name[-1] and 1 in node.shape  # which can only be meant entry by entry
        if node.args[0].shape and not root_of_vector and symbol in by_name:
            return Cell(f"{symbol}{rounded(inner.text)}")
        return cells.call(symbol, inner, self.symbols.e)

    def _product(self, node: Expression) -> Cell:
        """Scalars in front, matrices joined by the entrywise product."""
        lone = is_scalar(node.shape)
        scalars = cells.factors_of([arg for arg in node.args if lone or is_scalar(arg.shape)], self._symbolic)
        solid = [(arg, self._symbolic(arg)) for arg in node.args if not lone and not is_scalar(arg.shape)]
        if not solid:
            return cells.multiply(scalars)
        joined = r" \odot ".join(
            bracketed(cell.text)
            if len(solid) > 1 and (arg.op == "matmul" or (arg.op == "sum" and cell.binding == PRODUCT))
            else cell.factor()
            if k or scalars or len(solid) > 1
            else cell.text
            for k, (arg, cell) in enumerate(solid)
        )
        whole = Cell(joined, PRODUCT if len(solid) > 1 else solid[0][1].binding)
        if len(solid) == 1:
            whole = solid[0][1]
        return cells.multiply([*scalars, whole]) if scalars else whole

    def _power(self, node: Expression) -> Cell:
        x, exponent = node.args[0], node.at[0]
        inner = self._symbolic(x)
        if is_scalar(x.shape):
            return cells.power(inner, exponent)
        shown = str(exponent.p) if exponent.q == 1 else f"{exponent.p}/{exponent.q}"
        return Cell(rf"{inner.base()}^{{\odot {shown}}}")

    def _under_sign(self, node: Expression, inner: Cell) -> str:
        """What a transpose sign stands on: an adjoint in brackets, a plain symbol bare."""
        if node.op == "one_hot":
            return inner.text
        if node.op in ("concat", "place"):
            return bracketed_matrix(inner)
        if node.op != "name":
            return inner.text if node.op == "constant" else bracketed(inner.text)
        return bracketed(inner.text) if isinstance(node.name, Adjoint) or "^" in inner.text else inner.text

    def _spread(self, node: Expression) -> Cell:
        (x,) = node.args
        inner = self._symbolic(x)
        if all(size == 1 for size in node.shape):
            return inner
        ones = r"\mathbf{1}"
        if len(node.shape) > 2:
            lone = is_scalar(x.shape)
            return inner if not lone else Cell(ones if inner.text == "1" else f"{inner.factor(True)} {ones}", PRODUCT)
        if not x.shape or all(size == 1 for size in x.shape):
            shape = r"\mathbf{1}^{\top}" if node.shape[0] == 1 else ones
            if 1 not in node.shape:
                shape = r"\mathbf{1}\mathbf{1}^{\top}"
            return Cell(shape) if inner.text == "1" else Cell(f"{inner.factor(True)} {shape}", PRODUCT)
        if x.shape[0] == 1:
            return Cell(f"{ones} {inner.factor()}", PRODUCT)
        return Cell(rf"{inner.factor(True)} {ones}^{{\top}}", PRODUCT)

    def _sum(self, node: Expression) -> Cell:
        """1^T G 1 for what stands as a matrix, running indices for all entries of what is worked out one by one."""
        (x,), (axis,) = node.args, node.at
        if len(x.shape) > 2:
            return self._deep_sum(node)
        if axis is not None or x.op in ("name", "transpose", "matmul"):
            inner = self._symbolic(x)
            text = inner.text if inner.binding == cells.ATOM and not inner.negative else bracketed(inner.text)
            left = r"\mathbf{1}^{\top} " if axis in (None, 0) and x.shape[0] != 1 else ""
            right = r" \mathbf{1}" if axis in (None, 1) and x.shape[1] != 1 else ""
            return Cell(f"{left}{text}{right}", PRODUCT) if left or right else inner
        return self._running.worked_out(node, ())

    def _deep_sum(self, node: Expression) -> Cell:
        """All entries of a stack with running indices; along axes, these are named under the sign."""
        if node.at[0] is None:
            return self._running.worked_out(node, ())
        x, axes = summed_axes(node)
        letters = [DEEP_LETTERS[len(x.shape)][axis] for axis in axes if x.shape[axis] != 1]
        inner = self._symbolic(x)
        return Cell(rf"\sum_{{{','.join(letters)}}} {inner.factor()}", PRODUCT) if letters else inner

    @property
    def _running(self) -> Running:
        return Running(self.symbols, lambda node: self._symbolic(node).text, self._named)

    def _cross_entropy(self, node: Expression) -> Cell:
        logits, labels = node.args
        axis, reduction = node.at
        samples = logits.shape[1 - axis]
        sample, letter = ("i", "j") if axis == 1 else ("j", "i")
        softmax = Expression("softmax", (logits,), (axis,), logits.shape)
        label, chosen = self._running.entry(labels), self._running.entry(softmax)
        over = letter if samples == 1 else f"{sample}, {letter}"
        factor = "-"
        if reduction == "mean" and samples != 1:
            size = samples if isinstance(samples, int) else self.symbols.size(samples)
            factor = rf"-\frac{{1}}{{{size}}} "
        return Cell(rf"{factor}\sum_{{{over}}} {label.factor()} \log {chosen.text}", PRODUCT)

    @property
    def named(self) -> Mapping[Expression, Expression]:
        """Values that an equation has given a name to."""
        return self._named

    _named: Mapping[Expression, Expression] = {}

    def with_names(self, named: Mapping[Expression, Expression]) -> Matrices:
        """The same printer, which knows what equations have named."""
        self._named = named
        return self

    # ── matrices of entries ──

    def _filled(self, node: Expression) -> Cell:
        assert self.filled is not None
        if not node.shape:
            return self.filled.cell(node, ()) if not self._keeps_matrices(node) else self._kept_scalar(node)
        if node.op == "matmul" and is_scalar(node.args[0].shape) and not is_scalar(node.args[1].shape):
            first = self._filled(node.args[0])
            front = Cell(bracketed(first.text)) if first.negative else first
            return cells.multiply([front, self._filled(node.args[1])])
        match node.op:
            case "matmul":
                return cells.multiply([self._beside_filled(arg) for arg in node.args])
            case "softmax" | "log_softmax":
                return self._filled_softmax(node)
            case "inv":
                return Cell(rf"{bracketed_matrix(self._filled(node.args[0]))}^{{-1}}")
            case op if op in windows.OPS and windows.shown_in_full(node):
                return windows.filled(node, self.filled.cell, matrix_of)
            case "transpose" if node.args[0].op == "inv":
                return Cell(rf"{bracketed_matrix(self._filled(node.args[0].args[0]))}^{{-\top}}")
            case "transpose" if self._has_whole(node):
                return Cell(rf"{bracketed_matrix(self._filled(node.args[0]))}^{{\top}}")
            case "divide" if is_scalar(node.args[1].shape) and not is_scalar(node.args[0].shape):
                front = cells.divide(
                    Cell("1", numeric=True), self._filled(node.args[1])
                )  # else a fraction in each entry
                return cells.multiply([front, self._filled(node.args[0])])
            case "add" if self._has_product(node):
                return cells.add([self._stretched(arg, node.shape) for arg in node.args])
            case "multiply" if self._has_product(node) or self._many_factors(node) or self._multiple(node):
                return self._filled_product(node)
            case "multiply" if any(map(less_a_sum, node.args)):
                return self._filled_product(node)
            case "add" if less_a_sum(node) and self.filled.evaluated is not None:
                return cells.add([self._by_value(arg, node.shape) for arg in node.args])
        return self._entries(node, node.shape)

    def _beside_filled(self, node: Expression) -> Cell:
        """A factor of a product of matrices: what stays an entrywise product of matrices stands in brackets."""
        cell = self._filled(node)
        return Cell(bracketed(cell.text)) if _entrywise(node) and r" \odot " in cell.text else cell

    def _filled_softmax(self, node: Expression) -> Cell:
        """One over the sum, times the row of powers, for one sample with few classes; else softmax of the matrix."""
        (x,), (axis,) = node.args, node.at
        classes, samples = int(x.shape[axis]), int(x.shape[1 - axis])
        if samples != 1 or classes > FEW_CLASSES or node.op == "log_softmax":
            return Cell(rf"{self.symbols.function(node.op)}{rounded(self._entries(x, x.shape).text)}")
        filled = self.filled
        assert filled is not None
        entries = [filled.cell(x, (k, 0) if axis == 0 else (0, k)) for k in range(classes)]
        powers = [cells.call(r"\exp", entry, self.symbols.e).text for entry in entries]
        front = cells.divide(Cell("1"), cells.add([Cell(power) for power in powers])).text
        return Cell(f"{front} {pmatrix([[power] for power in powers] if axis == 0 else [powers])}", PRODUCT)

    def _entries(self, node: Expression, shape: tuple[int | str, ...]) -> Cell:
        """The matrix of the entries of ``node``, stretched to ``shape``."""
        filled = self.filled
        assert filled is not None
        whole = Expression("spread", (node,), (), shape) if node.shape != shape else node
        sizes = tuple(int(size) for size in shape)
        if all(size == 1 for size in sizes):
            return filled.cell(whole, (0,) * len(sizes))
        return Cell(matrix_of(sizes, lambda index: filled.cell(whole, index).text))

    def _inverted(self, node: Expression) -> Cell:
        """An inverse that stands alone: for two rows the adjugate over the determinant."""
        (x,), filled = node.args, self.filled
        assert filled is not None
        found = wholes.cramer(int(x.shape[0]), lambda i, j: filled.cell(x, (i, j)))
        if found is None:
            return self._filled(node)
        front, adjugate = found
        return cells.multiply([front, Cell(pmatrix([[cell.text for cell in row] for row in adjugate]))])

    @staticmethod
    def _has_whole(node: Expression) -> bool:
        return any(inner.op in ("matmul", "inv") for inner in node.nodes())

    @staticmethod
    def _has_product(node: Expression) -> bool:
        return any(inner.op in ("matmul", "inv", *windows.OPS) for inner in node.nodes())

    @staticmethod
    def _many_factors(node: Expression) -> bool:
        """An entrywise product too wide to be worked into the entries."""
        wide = not is_scalar(node.shape) and int(node.shape[1]) > WIDE
        return wide and sum(not is_scalar(arg.shape) for arg in node.args) > 1

    @staticmethod
    def _multiple(node: Expression) -> bool:
        """Scalars in front of one matrix."""
        return not is_scalar(node.shape) and sum(not is_scalar(arg.shape) for arg in node.args) == 1

    def _stretched(self, node: Expression, shape: tuple[int | str, ...]) -> Cell:
        if node.shape == shape:
            return self._filled(node)
        if node.op == "multiply" and node.args[0].op == "constant" and node.args[0].number == -1:
            rest = node.args[1] if len(node.args) == 2 else Expression("multiply", node.args[1:], (), node.shape)
            return cells.multiply([MINUS, self._entries(rest, shape)])
        return self._entries(node, shape)

    def _filled_product(self, node: Expression) -> Cell:
        if is_scalar(node.shape):
            return cells.multiply(cells.factors_of(node.args, self._filled))
        scalars = cells.factors_of([arg for arg in node.args if is_scalar(arg.shape)], self._filled)
        matrices = [self._stretched(arg, node.shape) for arg in node.args if not is_scalar(arg.shape)]
        if scalars and scalars[0].negative and scalars[0].numeric and not scalars[0].sign:
            scalars[0] = Cell(bracketed(scalars[0].text))
        joined = Cell(
            r" \odot ".join(part.factor() if len(matrices) > 1 else part.text for part in matrices),
            PRODUCT if len(matrices) > 1 else matrices[0].binding,
        )
        return cells.multiply([*scalars, joined]) if scalars else joined

    def _by_value(self, node: Expression, shape: tuple[int | str, ...]) -> Cell:
        """A term of a sum stretched to ``shape``; one that is itself a sum over its sample by its value."""
        taken = sum_taken_off(node)
        if taken is None:
            return self._stretched(node, shape)
        assert self.filled is not None
        assert self.filled.evaluated is not None
        evaluated = self.filled.evaluated
        sizes = tuple(int(size) for size in shape)
        ones = [size == 1 for size in taken.shape]
        return cells.multiply(
            [
                MINUS,
                Cell(
                    matrix_of(
                        sizes,
                        lambda index: (
                            evaluated(taken, tuple(0 if one else k for one, k in zip(ones, index, strict=True))).text
                        ),
                    )
                ),
            ]
        )

    def _keeps_matrices(self, node: Expression) -> bool:
        return node.op == "multiply" and self._has_product(node)

    def _kept_scalar(self, node: Expression) -> Cell:
        return cells.multiply(cells.factors_of(node.args, self._filled))


def bracketed_matrix(cell: Cell) -> str:
    """What an exponent stands on: a matrix in its own brackets is enough."""
    lone = cell.text.startswith(r"\begin{pmatrix}") and cell.text.count(r"\begin{pmatrix}") == 1
    return cell.text if lone and cell.binding == cells.ATOM else bracketed(cell.text)


def _beside(cell: Cell, node: Expression, first: bool) -> str:
    """A factor of a matrix product: an entrywise product beside it needs brackets, a scalar in front does not."""
    return bracketed(cell.text) if _entrywise(node) else cell.factor(first)


def sum_taken_off(term: Expression) -> Expression | None:
    """``s`` of ``-s``, the sum of products over a sample, as it stands behind a softmax."""
    if term.op == "multiply" and len(term.args) == 2 and is_constant(term.args[0], -1) and term.args[1].op == "sum":
        return term.args[1] if term.args[1].shape else None
    return None


def less_a_sum(node: Expression) -> bool:
    """G - (G * P) 1: from each entry a sum over its sample is taken off."""
    return node.op == "add" and any(
        taken is not None and taken.shape != node.shape for taken in map(sum_taken_off, node.args)
    )


def _entrywise(node: Expression) -> bool:
    if node.op == "divide":
        return not is_scalar(node.args[1].shape)
    wide = [arg for arg in node.args if not is_scalar(arg.shape)]
    return node.op == "multiply" and (len(wide) > 1 or any(map(_entrywise, wide)))


def _minus(x: Cell) -> Cell:
    return cells.multiply([MINUS, x])
