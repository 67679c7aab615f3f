r"""What chooses: ``\max_j X_{:,j}``, ``\mathbf{1}[a < b]``, ``\operatorname{clip}(a, l, u)``, rows with a single 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from derive.calculus.choices import Clip, Indicator, Inside
from derive.calculus.explicit import FirstLargest
from derive.graph.expression import Adjoint, Expression
from derive.graph.ops.choosing import extreme_of
from derive.graph.sizes import is_scalar
from derive.report.notation.cells import PRODUCT, Cell, bracketed, rounded
from derive.report.notation.symbols import Symbols

OPS = frozenset({"max", "min", "first_of", "compare", "inside", "clip", "one_hot", "pi"})
RELATIONS: Mapping[str, str] = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
LETTERS = ("i", "j")

Show = Callable[[Expression], Cell]


def indicator(a: Cell, relation: str, b: Cell) -> Cell:
    """1 where a relation holds, else 0."""
    return _one_where(f"{a.text} {RELATIONS[relation]} {b.text}")


def between(a: Cell, low: Cell, high: Cell) -> Cell:
    """1 where ``a`` lies between two others, else 0."""
    return _one_where(f"{low.text} < {a.text} < {high.text}")


def _one_where(condition: str) -> Cell:
    tall = r"\frac" in condition or r"\begin" in condition
    return Cell(rf"\mathbf{{1}}\left[{condition}\right]" if tall else rf"\mathbf{{1}}[{condition}]")


def clipped(a: Cell, low: Cell, high: Cell) -> Cell:
    """``a`` with its bounds."""
    return Cell(rf"\operatorname{{clip}}{rounded(f'{a.text}, {low.text}, {high.text}')}")


def largest(symbol: str, entries: Sequence[Cell]) -> Cell:
    """The largest (smallest) of some entries; of one entry that entry."""
    return entries[0] if len(entries) == 1 else Cell(f"{symbol}{rounded(', '.join(cell.text for cell in entries))}")


def symbolic(
    node: Expression, show: Show, entry: Show, symbols: Symbols, named: Mapping[Expression, Expression]
) -> Cell:
    """A node of ``OPS`` in the symbols of its operands; ``entry`` prints an operand with running indices."""
    match node.op:
        case "pi":
            return Cell(r"\pi")
        case "one_hot":
            name, chosen, classes = node.at
            of = symbols.name(name) if name else str(chosen[0])
            return Cell(rf"\operatorname{{onehot}}_{{{classes}}}({of})")
        case "max" | "min":
            return _extreme(node, show, entry, symbols)
        case "first_of":
            whole = extreme_of(node)
            taken = show(named[whole]) if whole in named else _extreme(whole, show, entry, symbols)
            return indicator(show(node.args[0]), "==", taken)
        case "compare":
            return indicator(show(node.args[0]), node.at[0], show(node.args[1]))
    a, low, high = map(show, node.args)
    return between(a, low, high) if node.op == "inside" else clipped(a, low, high)


def _extreme(node: Expression, show: Show, entry: Show, symbols: Symbols) -> Cell:
    """Over the entries of a vector or of all; of a matrix along an axis over its columns or rows."""
    (x,), (axis,) = node.args, node.at
    symbol = symbols.function(node.op)
    long = [k for k, size in enumerate(x.shape) if size != 1]
    if is_scalar(x.shape) or (axis is not None and axis not in long):
        return show(x)  # there is one to choose from
    if axis is None or len(long) == 1:
        letters = ",".join(LETTERS[k] for k in long)
        return Cell(rf"{symbol}_{{{letters}}} {entry(x).factor()}", PRODUCT)
    base = show(x).text
    plain = x.op == "name" and not isinstance(x.name, Adjoint) and not set("_^") & set(base)
    places = r",\,".join(LETTERS[k] if k == axis else ":" for k in (0, 1))
    return Cell(rf"{symbol}_{{{LETTERS[axis]}}} {base if plain else bracketed(base)}_{{{places}}}", PRODUCT)


def of_sympy(part: sympy.Expr, show: Callable[[sympy.Expr], Cell]) -> Cell | None:
    """A choice among SymPy's expressions; ``None`` for anything else."""
    if isinstance(part, Indicator):
        a, b = map(show, part.args)
        return indicator(a, part.relation, b)
    if isinstance(part, Inside):
        return between(*map(show, part.args))
    if isinstance(part, Clip):
        return clipped(*map(show, part.args))
    if isinstance(part, FirstLargest):
        which, *entries = part.args
        smallest = all(entry.could_extract_minus_sign() for entry in entries)
        plain = [-entry if smallest else entry for entry in entries]
        return indicator(
            show(plain[int(which)]), "==", largest(r"\min" if smallest else r"\max", list(map(show, plain)))
        )
    return None
