"""SymPy's entry expressions as cells: the local factors of an elementwise derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from flint import fmpq

from derive.calculus.explicit import Elementwise, FirstIsLarger, FirstIsSmaller
from derive.report.notation import cells
from derive.report.notation.cells import PRODUCT, Cell
from derive.report.notation.symbols import FUNCTIONS, Symbols

Leaf = Callable[[sympy.Symbol], Cell]


def scalar(expression: sympy.Expr, leaf: Leaf, symbols: Symbols, order: Mapping[sympy.Symbol, int]) -> Cell:
    """``expression`` with ``leaf`` for its symbols, which are written in the given order.

    Numbers come first, then symbols, then sums; in a sum, what is subtracted comes last, a number too where it can.
    Roots of numbers and of pi stand in one root, above or below the line. Raises ``TypeError`` for what
    no local derivative of the op table holds.
    """

    def key(part: sympy.Expr) -> tuple[bool, bool, int]:
        places = [order.get(symbol, -1) for symbol in part.free_symbols]
        return (bool(places), part.is_Add or part.is_Function, min(places, default=0))

    def in_order(whole: sympy.Expr) -> list[sympy.Expr]:
        minus = {part: bool(part.could_extract_minus_sign()) for part in whole.args}
        plus = any(not minus[part] and not part.is_number for part in whole.args)
        return sorted(whole.args, key=lambda part: (minus[part] and (plus or not part.is_number), key(part)))

    def show(part: sympy.Expr) -> Cell:
        if part.is_Symbol:
            return leaf(part)
        if part.is_Rational:
            return cells.number(fmpq(int(part.p), int(part.q)))
        if part.is_Add:
            return cells.add([show(term) for term in in_order(part)])
        if part.is_Mul:
            roots = _roots(part)
            if roots is not None:
                above, rest, under = roots
                return cells.divide(show(sympy.Mul(above, rest)), show(under))
            below = [factor for factor in part.args if _reciprocal(factor)]
            if below:
                top = sympy.Mul(*(factor for factor in part.args if not _reciprocal(factor)))
                return cells.divide(show(top), show(sympy.Mul(*(1 / factor for factor in below))))
            return cells.multiply([show(factor) for factor in sorted(part.args, key=key)])
        if isinstance(part, sympy.exp):
            return cells.call(r"\exp", show(part.exp), symbols.e)
        if part.is_Pow and part.exp.is_Rational:
            return cells.power(show(part.base), fmpq(int(part.exp.p), int(part.exp.q)))
        if isinstance(part, Elementwise):
            x = show(part.args[0])
            if part.order == 0:
                return cells.call(symbols.function(part.name, part.at), x, symbols.e)
            return Cell(symbols.slope(part.name, part.at) + "'" * (part.order - 1) + cells.rounded(x.text))
        if isinstance(part, FirstIsLarger | FirstIsSmaller):
            a, b = (show(arg) for arg in part.args)
            relation = r"\ge" if isinstance(part, FirstIsLarger) else r"\le"
            return Cell(rf"\mathbf{{1}}[{a.text} {relation} {b.text}]")
        if isinstance(part, sympy.log):
            inner = show(part.args[0])
            return Cell(rf"\log {inner.text}" if inner.binding == cells.ATOM else rf"\log({inner.text})", PRODUCT)
        if isinstance(part, sympy.Abs):
            return Cell(rf"\left|{show(part.args[0]).text}\right|")
        if isinstance(part, sympy.sign):
            return Cell(rf"\operatorname{{sgn}}{cells.rounded(show(part.args[0]).text)}")
        name = part.func.__name__
        if name in FUNCTIONS:
            return cells.call(FUNCTIONS[name], show(part.args[0]))
        if name == "erf":
            return Cell(rf"\operatorname{{erf}}\left({show(part.args[0]).text}\right)")
        if part is sympy.pi:
            return Cell(r"\pi")
        if part is sympy.E:
            return Cell("e")
        from derive.report.notation import choices

        chosen = choices.of_sympy(part, show)
        if chosen is not None:
            return chosen
        raise TypeError(f"no notation for {part.func.__name__} in {expression}")

    return show(expression)


def _roots(product: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr] | None:
    """A product as root times rest over root, where its number is the root of a fraction, with or without pi below.

    ``sqrt(2) z / (2 sqrt(pi))`` is ``z`` over ``sqrt(2 pi)``; ``None`` where there is no root below the line.
    """
    numbers = [factor for factor in product.args if factor.is_number]
    if all(factor.is_Rational for factor in numbers):
        return None
    number, rest = sympy.Mul(*numbers), sympy.Mul(*(factor for factor in product.args if not factor.is_number))
    square, below = number**2, sympy.S.One
    if square.has(sympy.pi):
        square, below = square * sympy.pi, sympy.pi
    if not square.is_Rational or number.is_Rational or number.is_negative:
        return None
    above, under = sympy.sqrt(sympy.Integer(square.p)), sympy.Integer(square.q) * below
    if under == 1 or (below == 1 and sympy.sqrt(under).is_Rational):
        return None
    return above, rest, sympy.Pow(under, sympy.S.Half, evaluate=False)


def _reciprocal(factor: sympy.Expr) -> bool:
    """A factor that belongs under the line: a power with a negative number as its exponent."""
    return bool(factor.is_Pow and factor.exp.is_Rational and factor.exp < 0)


def condition(holds: sympy.Basic, earlier: list[sympy.Basic]) -> str:
    """When a case applies: ``z > 0``; the last one where none of the ``earlier`` does."""
    if holds != sympy.true:
        return f"z {_RELATIONS[str(holds.rel_op)]} 0"
    excluded = {str(other.rel_op) for other in earlier if other != sympy.true}
    return "z = 0" if excluded == {">", "<"} else r"z \le 0"


_RELATIONS = {">": ">", "<": "<", ">=": r"\ge", "<=": r"\le"}
