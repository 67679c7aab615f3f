"""The lines of an index proof as LaTeX: sums with their limits, indexed letters, Kronecker deltas.

The lines are SymPy expressions whose bound indices have no letters yet; here each gets one. The axes of the result keep
i and j wherever these are free, so that what is summed over in one line is recognised in the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from flint import fmpq

from derive.calculus.explicit import FirstIsLarger, FirstIsSmaller
from derive.calculus.proofs.opaque import Opaque
from derive.problem.problem import Shape
from derive.problem.size_terms import canonical
from derive.report.notation import cells
from derive.report.notation.cells import ATOM, PRODUCT, Cell, bracketed
from derive.report.notation.symbols import Symbols

OWN = ("i", "j", "k", "l")  # indices that are called what they are called
SPARE = ("q", "p", "r", "s", "t", "u", "v")
NUMBER, SCALAR, DELTA, LETTER, GROUP, SUMMED = range(6)  # the order of factors


class Sums:
    """Prints entries over the letters in ``shapes``; ``axes`` are those that i and j are kept for."""

    def __init__(self, symbols: Symbols, shapes: Mapping[str, Shape], axes: Shape) -> None:
        self.symbols, self.shapes = symbols, shapes
        self.preferred = {str(extent): letter for letter, extent in zip("ij", axes, strict=False)}

    def terms(self, expression: sympy.Expr) -> tuple[str, ...]:
        """The expression, cut where a line may break."""
        cell = self.cell(expression)
        return cell.terms or (cell.text,)

    def cell(self, expression: sympy.Expr) -> Cell:
        """The expression and how tightly it binds."""
        taken = {str(letter) for letter in expression.free_symbols}
        return self._show(expression, {}, frozenset(taken))

    def entry(self, name: str, places: tuple[sympy.Expr, ...]) -> str:
        """An entry of a letter; an axis of size 1 has no index."""
        return self._indexed(name, places, {})

    # ── one kind of node each ──

    def _show(self, node: sympy.Expr, names: Mapping[sympy.Symbol, str], taken: frozenset[str]) -> Cell:
        def show(part: sympy.Expr) -> Cell:
            return self._show(part, names, taken)

        if node.is_Rational:
            return cells.number(fmpq(int(node.p), int(node.q)))
        if isinstance(node, sympy.Indexed):
            return Cell(self._indexed(str(node.base), tuple(node.indices), names))
        if node.is_Symbol:
            name = str(node)
            return Cell(self.symbols.name(name) if name in self.shapes else self.symbols.size(name))
        if isinstance(node, sympy.KroneckerDelta):
            return Cell(rf"\delta_{{{_joined(sorted((self._letter(p, names) for p in node.args), key=_by_length))}}}")
        if node.is_Add:
            return cells.add([show(term) for term in sorted(node.args, key=_minus_last)])
        if node.is_Mul:
            return self._product(node, names, taken)
        if isinstance(node, sympy.Sum):
            return self._sum(node, names, taken)
        if node.is_Pow and node.exp.is_Rational:
            return cells.power(show(node.base), fmpq(int(node.exp.p), int(node.exp.q)))
        if isinstance(node, Opaque):
            return self._function(node, show(node.args[0]))
        if isinstance(node, FirstIsLarger | FirstIsSmaller):
            a, b = (show(arg) for arg in node.args)
            relation = r"\ge" if isinstance(node, FirstIsLarger) else r"\le"
            return Cell(rf"\mathbf{{1}}[{a.text} {relation} {b.text}]")
        from derive.report.notation import choices

        chosen = choices.of_sympy(node, show)
        if chosen is not None:
            return chosen
        raise TypeError(f"no notation for {type(node).__name__} in a proof")

    def _indexed(self, name: str, places: tuple[sympy.Expr, ...], names: Mapping[sympy.Symbol, str]) -> str:
        shape = self.shapes[name]
        letters = [self._letter(place, names) for place, extent in zip(places, shape, strict=False) if extent != 1]
        return self.symbols.indexed(name, _joined(letters)) if letters else self.symbols.name(name)

    @staticmethod
    def _letter(place: sympy.Expr, names: Mapping[sympy.Symbol, str]) -> str:
        """An index: its letter, a number, or a sum such as i + s - 1."""
        if place in names or place.is_Symbol or place.is_Integer:
            return names.get(place, str(place))
        text = ""
        for term in sorted(place.as_ordered_terms(), key=lambda term: (term.is_number, str(term) in names.values())):
            number, letter = term.as_coeff_Mul()
            times = "" if abs(number) == 1 and letter != 1 else str(abs(number))
            sign = "-" if number < 0 else "+" if text else ""
            text += sign + times + ("" if letter == 1 else names.get(letter, str(letter)))
        return text

    def _function(self, node: Opaque, x: Cell) -> Cell:
        if node.order:
            symbol = self.symbols.slope(node.name, node.at) + "'" * (node.order - 1)
            return Cell(f"{symbol}{cells.rounded(x.text)}")
        symbol = self.symbols.function(node.name, node.at)
        if node.name == "log":
            return Cell(rf"\log {x.text}" if x.binding == ATOM else rf"\log {bracketed(x.text)}", PRODUCT)
        return cells.call(symbol, x)

    def _sum(self, node: sympy.Sum, names: Mapping[sympy.Symbol, str], taken: frozenset[str]) -> Cell:
        """The outermost sum comes first."""
        own, used = dict(names), set(taken)
        signs = []
        for letter, _, extent in reversed(node.limits):
            shown = self._free(str(letter), extent, used)
            own[letter] = shown
            used.add(shown)
            signs.append(rf"\sum_{{{shown}=1}}^{{{self._extent(extent)}}}")
        inner = self._show(node.function, own, frozenset(used))
        return Cell(f"{' '.join(signs)} {inner.factor()}", PRODUCT)

    def _extent(self, extent: sympy.Expr) -> str:
        """Up to where an index runs: a size, of several terms in the order in which sizes are written."""
        if extent.is_Add:
            return self.symbols.size(str(canonical(str(extent))))
        return self._show(extent, {}, frozenset()).text

    def _free(self, letter: str, extent: sympy.Expr, used: set[str]) -> str:
        """A letter for a bound index: its own, that of the axis of the result with its size, or a spare one."""
        wanted = (letter,) if letter in OWN else ((self.preferred.get(str(extent), SPARE[0])), *SPARE)
        return next((one for one in wanted if one not in used), letter)

    def _product(self, node: sympy.Mul, names: Mapping[sympy.Symbol, str], taken: frozenset[str]) -> Cell:
        """Numbers, deltas, letters in the order of the indices that they hand on, sums last; one fraction."""
        below = [factor for factor in node.args if _reciprocal(factor)]
        above = [factor for factor in node.args if not _reciprocal(factor)]
        if below:
            bottom = sympy.Mul(*(1 / factor for factor in below))
            in_front = not bottom.has(sympy.Sum) and any(isinstance(factor, sympy.Sum) for factor in above)
            top = [factor for factor in above if factor.is_Number] if in_front else above
            fraction = cells.divide(*(self._show(side, names, taken) for side in (sympy.Mul(*top), bottom)))
            if not in_front:
                return fraction
            rest = sympy.Mul(*(factor for factor in above if not factor.is_Number))
            return cells.multiply([fraction, self._show(rest, names, taken)])
        ordered = sorted(above, key=self._rank)
        shown = [self._show(factor, names, taken) for factor in ordered]
        for k, (factor, cell) in enumerate(zip(ordered, shown, strict=True)):
            if isinstance(factor, sympy.Sum) and k < len(shown) - 1:
                shown[k] = Cell(bracketed(cell.text))
        return cells.multiply(shown)

    @staticmethod
    def _rank(factor: sympy.Expr) -> tuple[int, int, str]:
        free = {str(letter) for letter in factor.free_symbols}
        first, last = bool(free & {"i", "k"}), bool(free & {"j", "l"})
        return _kind(factor), 0 if first and not last else 2 if last and not first else 1, str(factor)


def _joined(letters: Sequence[str]) -> str:
    """Indices side by side, with commas where one of them is a sum."""
    return r",\,".join(letters) if any(len(letter) > 1 for letter in letters) else "".join(letters)


def _by_length(letters: str) -> tuple[int, str]:
    return len(letters), letters


def _kind(factor: sympy.Expr) -> int:
    if factor.is_Number:
        return NUMBER
    if factor.is_Symbol:
        return SCALAR
    if isinstance(factor, sympy.KroneckerDelta):
        return DELTA
    return SUMMED if isinstance(factor, sympy.Sum) else GROUP if factor.is_Add else LETTER


def _minus_last(term: sympy.Expr) -> tuple[bool, str]:
    return bool(term.could_extract_minus_sign()), str(term)


def _reciprocal(factor: sympy.Expr) -> bool:
    return bool(factor.is_Pow and factor.exp.is_Rational and factor.exp < 0)
