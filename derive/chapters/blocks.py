"""Blocks that chapters are made of: rules, partials entry by entry, matrices of entries, lists of sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from derive.calculus.explicit import Entry
from derive.graph.expression import Adjoint, Expression
from derive.report.compose.backward import entry_chain
from derive.report.compose.sheet import Sheet
from derive.report.document import Chain, Display, Link, Math, Spans
from derive.report.notation import Cell, scalar
from derive.report.notation.matrices import matrix_of


def adjoint(sheet: Sheet, name: str) -> Adjoint:
    """d loss / d name of a solved problem."""
    return sheet.adjoint(name)


def final(sheet: Sheet, name: str) -> Expression:
    """The formula that the engine ended with for d loss / d name."""
    assert sheet.part.derivation is not None
    return sheet.part.derivation.adjoints[adjoint(sheet, name)]


def rule(sheet: Sheet, name: str, turned: bool = False) -> Chain:
    """d loss / d name and the engine's formula; ``turned`` shows both transposed (the row of a bias)."""
    left, node = sheet.symbols.name(adjoint(sheet, name)), final(sheet, name)
    if turned:
        assert node.op == "transpose"
        left, node = rf"\left({left}\right)^{{\top}}", node.args[0]
    return Chain(left, (Link("=", sheet.letters.terms(node)),))


def rules(sheet: Sheet, names: Iterable[str]) -> Display:
    """The formulas of several derivatives, aligned; a bias that is a column is shown as its row."""
    return Display(tuple(rule(sheet, name, is_turned(sheet, name)) for name in names))


def boxed(sheet: Sheet, name: str) -> Display:
    """A formula worth remembering."""
    return Display((rule(sheet, name, is_turned(sheet, name)),), boxed=True)


def is_turned(sheet: Sheet, name: str) -> bool:
    """Whether a derivative is a row that has been turned into a column at the end."""
    return final(sheet, name).op == "transpose"


def partials(sheet: Sheet, name: str) -> Display:
    """Every entry of a name: the sum over paths, and what SymPy's local derivatives make of it."""
    paths = sheet.part.paths
    assert paths is not None
    shape = tuple(map(int, sheet.part.network.shape(name)))
    entries = [Entry(name, index) for index in np.ndindex(*shape)]
    return Display(tuple(entry_chain(sheet, entry, paths.short(entry)) for entry in entries))


def with_entries(sheet: Sheet, name: str) -> Chain:
    """A name as the matrix of the names of its entries."""
    shape = tuple(map(int, sheet.shape(name)))
    return Chain(sheet.symbols.name(name), (Link("=", (matrix_of(shape, partial(sheet.symbols.entry, name)),)),))


def equations(sheet: Sheet, names: Sequence[str] | None = None) -> Display:
    """The equations of a problem, or some of them, with symbols."""
    chosen = [e for e in sheet.part.network.equations if names is None or str(e.name) in names]
    return Display(tuple(Chain(sheet.symbols.name(e.name), (Link("=", sheet.letters.terms(e.value)),)) for e in chosen))


def outputs(sheet: Sheet, name: str) -> Display:
    """Every entry of an equation in terms of the entries of what it uses."""
    explicit = sheet.part.explicit
    assert explicit is not None
    rights, symbols = explicit.equation(name), explicit.symbols(name)
    data = [symbol for datum in sheet.part.network.data for symbol in explicit.symbols(datum).ravel()]
    order = {symbol: k for k, symbol in enumerate(data)}  # factors as the equation has them
    chains = []
    for index in np.ndindex(rights.shape):
        cell = scalar(rights[index], lambda s: Cell(sheet.entry(explicit.entry_of[s])), sheet.symbols, order)
        left = sheet.entry(explicit.entry_of[symbols[index]])
        chains.append(Chain(left, (Link("=", cell.terms or (cell.text,)),)))
    return Display(tuple(chains))


def inline(sheet: Sheet, name: str) -> Math:
    """d loss / d name with a slash, for lines of prose and cells of a table."""
    of = adjoint(sheet, name)
    return Math(rf"\partial {sheet.symbols.name(of.of)} / \partial {sheet.symbols.name(of.by)}")


def size(sheet: Sheet, name: str) -> str:
    """The size of a name: ``N \\times m``."""
    shape = sheet.part.network.shape(name)
    return r" \times ".join(str(s) if isinstance(s, int) else sheet.symbols.size(s) for s in shape)


def math(latex: str) -> Spans:
    """A formula alone in a cell of a table."""
    return (Math(latex),)
