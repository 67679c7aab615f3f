"""Shapes of two dimensions in words: scripts, fractions, derivatives, roots, matrices, cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from derive.report.latex_tree import (
    DELIMITERS,
    GREEK,
    Accent,
    Array,
    Boxed,
    Braced,
    Fenced,
    Fraction,
    Group,
    Node,
    Number,
    Operator,
    Root,
    Row,
    Scripts,
    Space,
    Styled,
    Symbol,
    Words,
)
from derive.report.speech.phrases import Phrases

_SIGNS = frozenset((r"\infty", r"\ell", r"\top", r"\hbar", r"\emptyset", r"\bot"))
_MINUS, _COMMA, _PARTIAL = Symbol("-"), Symbol(","), Symbol(r"\partial")
_ONE, _REALS = Number("1"), Symbol("R")
_POWERS = {"2": "squared", "3": "cubed"}
_MARKS = frozenset(("+", "-", "*", r"\ast", r"\star", r"\dagger", r"\circ", r"\odot"))
_UNITS = frozenset("234")  # one half, one third, one quarter
WIDE = 0.5  # em; a wider space is a pause


def delimiter(name: str) -> str:
    """The character that a command for a delimiter prints; any other name as it is."""
    if name in (r"\lvert", r"\rvert", r"\lVert", r"\rVert"):
        return name
    return DELIMITERS.get(name, name) if name[0] == "\\" else name


def is_short(row: Row) -> bool:
    """Whether a row is one sign, or one with a minus: its end is heard without being said."""
    if len(row) == 2 and row[0] == _MINUS:
        row = row[1:]
    return len(row) == 1 and is_sign(row[0])


def is_sign(node: Node) -> bool:
    """A letter, a number or a word, with an index at most."""
    match node:
        case Symbol(name):
            return _is_letter(name)
        case Number() | Words() | Operator():
            return True
        case Group((inner,)) | Accent(_, (inner,)) | Styled(_, (inner,)):
            return is_sign(inner)
        case Styled("mathrm", body):
            return all(isinstance(letter, Symbol) and letter.name.isalpha() for letter in body)
        case Scripts(base, sub, None, primes):
            return is_sign(base) and primes == 0 and (sub is None or is_index(sub))
        case Scripts(base, sub, sup, 0):
            return is_sign(base) and (sub is None or is_index(sub)) and _upper_index(sup or ()) is not None
    return False


def is_index(row: Row) -> bool:
    """Letters and digits, nothing between them: ``ij``, ``h1``, ``10``."""
    return bool(row) and all(
        isinstance(node, Number) or (isinstance(node, Symbol) and _is_letter(node.name)) for node in row
    )


def _is_letter(name: str) -> bool:
    return name.isalpha() or name[1:] in GREEK or name in _SIGNS


def _upper_index(sup: Row) -> Row | None:
    """What stands in the brackets of ``u^{(1)}``, a place in a list and no power."""
    match sup:
        case (Symbol("("), *inner, Symbol(")")) if is_index(tuple(inner)):
            return tuple(inner)
        case (Fenced("(", inner, ")"),) if is_index(inner):
            return inner
    return None


class Shapes:
    """Reads one node out; the rows inside it are read by ``row``."""

    def __init__(self, phrases: Phrases, row: Callable[[Row], str]) -> None:
        self.phrases = phrases
        self.fill = phrases.fill
        self.row = row
        self.fraction = lru_cache(maxsize=2048)(self._fraction)
        """A derivative, a share, or a fraction that is closed where its parts are long."""

    def said(self, node: Node) -> str:
        """The node in words."""
        match node:
            case Fraction(_, above, below):
                return self.fraction(above, below)
            case Array():
                return self.array(node)
            case Accent(accent, body):
                return self.fill[f"accent_{self.alike(accent)}"](body=self.grouped(body))
            case Styled(style, body):
                return self.styled(style, body)
            case Fenced():
                return self.fenced(node)
            case Root(index, body):
                return self.root(index, body)
            case Group(body):
                return self.grouped(body)
            case Boxed(body):
                return self.fill["boxed"](body=self.row(body))
            case Braced(under, body):
                return self.fill["under_brace" if under else "over_brace"](body=self.row(body))
        return self.row((node,))

    @staticmethod
    def alike(accent: str) -> str:
        """Wide accents are read as the narrow ones."""
        return {"widehat": "hat", "widetilde": "tilde", "overline": "bar"}.get(accent, accent)

    def grouped(self, body: Row) -> str:
        """A row that something belongs to as a whole."""
        if not body:
            return self.phrases["blank"]
        return self.row(body) if is_short(body) else self.fill["group"](body=self.row(body))

    # scripts

    def scripts(self, node: Scripts) -> str:
        """The base, its upper index, its index, its primes and its power, in this order."""
        base, sub, sup = node.base, node.sub, node.sup
        if isinstance(base, Braced) and (label := sub if base.under else sup) and not (sup if base.under else sub):
            return self.fill["labelled"](body=self.said(base), label=self.row(label))
        if isinstance(base, Fenced) and not base.left and base.right == "|" and sub and not sup:
            return self.fill["evaluated"](body=self.row(base.body), at=self.row(sub))
        text = self.phrases["blank"] if base == Group(()) else self.row((base,))
        upper = _upper_index(sup) if sup else None
        if upper is not None:
            text = self.fill["upper"](base=text, index=self.letters(upper))
        if sub is not None:
            text = self.sub(base, text, sub, upper is not None)
        for _ in range(node.primes):
            text = self.fill["prime"](base=text)
        return text if sup is None or upper is not None else self.power(base, text, sup)

    def letters(self, row: Row) -> str:
        """The signs of an index, one behind the other."""
        return " ".join(self.row((node,)) for node in row)

    def sub(self, base: Node, text: str, sub: Row, has_upper: bool) -> str:
        """``W 1``, ``x sub i j``, ``x sub i plus 1 end sub``."""
        if not is_index(sub):
            return self.fill["sub_long"](base=text, index=self.row(sub))
        letter = isinstance(base, Symbol | Accent) and is_sign(base)
        if letter and not has_upper and len(sub) == 1 and isinstance(sub[0], Number):
            return self.fill["numbered"](base=text, index=sub[0].digits)
        return self.fill["sub"](base=text, index=self.letters(sub))

    def power(self, base: Node, text: str, sup: Row) -> str:
        """``squared``, ``transposed``, ``inverse``, ``to the power of …``, or a mark above."""
        fill = self.fill
        match sup:
            case (Number(digits),) if digits in _POWERS:
                return fill[_POWERS[digits]](base=text)
            case (Symbol(r"\top"),):
                return fill["transposed"](base=text)
            case (Symbol("-"), Symbol(r"\top")):
                return fill["transposed"](base=fill["inverse"](base=text))
            case (Symbol(r"\prime"),):
                return fill["prime"](base=text)
            case (Symbol("-"), Number("1")) if not isinstance(base, Number):
                return fill["inverse"](base=text)
            case (Symbol(r"\odot"), *rest) if rest:
                return fill["entrywise"](power=self.power(base, text, tuple(rest)))
            case (Symbol(name),) if name in _MARKS:
                return fill["mark"](base=text, mark=self.phrases.sign(name))
            case (Words(word),):
                return fill["mark"](base=text, mark=word.strip())
        return fill["power" if is_short(sup) else "power_long"](base=text, exponent=self.row(sup))

    def big(self, name: str, node: Scripts) -> str:
        """A sum or a product with its bounds."""
        sub, sup = node.sub or (), node.sup or ()
        equals = sub.index(Symbol("=")) if Symbol("=") in sub else -1
        if equals > 0 and sup:
            index, low = self.row(sub[:equals]), self.row(sub[equals + 1 :])
            return self.fill[f"{name}_from"](index=index, low=low, high=self.row(sup))
        if sub and not sup:
            return self.fill[f"{name}_over"](index=self.row(sub))
        return self.scripts(node) if sub or sup else self.phrases[name]

    def over(self, operator: Node, sub: Row) -> str:
        """``maximum over i of``"""
        return self.fill["over"](operator=self.row((operator,)), index=self.row(sub))

    # fractions

    def _fraction(self, above: Row, below: Row) -> str:
        found = self.derivative(above, below)
        if found:
            return found
        match above, below:
            case (Number("1"),), (Number(digits),) if digits in _UNITS:
                return self.phrases[f"one_over_{digits}"]
        short = len(above) == len(below) == 1 and is_sign(above[0]) and is_sign(below[0])
        return self.fill["fraction" if short else "fraction_long"](above=self.row(above), below=self.row(below))

    def derivative(self, above: Row, below: Row) -> str:
        """``∂E/∂W`` in words; nothing if it is none."""
        order = self.order(above[0]) if len(above) > 1 and below and below[0] == _PARTIAL else ""
        if not order:
            return ""
        variables: list[Row] = []
        for node in below:
            if node == _PARTIAL:
                variables.append(())
            elif not isinstance(node, Space):
                variables[-1] += (node,)
        if order == "2" and len(variables) == 1:
            match variables[0]:
                case (Scripts(base, sub, (Number("2"),), 0),):  # by the same variable twice
                    variables = [(base if sub is None else Scripts(base, sub, None, 0),)]
                case _:
                    return ""
        elif len(variables) != (2 if order == "2" else 1) or not all(variables):
            return ""
        by = self.grouped(variables[0])
        if len(variables) == 2:
            by = self.fill["both"](one=by, other=self.grouped(variables[1]))
        return self.fill[f"derivative_{order}"](of=self.grouped(above[1:]), by=by)

    @staticmethod
    def order(node: Node) -> str:
        """``1``, ``2`` or ``direct`` for a sign of differentiation, else nothing."""
        match node:
            case Symbol(r"\partial"):
                return "1"
            case Scripts(Symbol(r"\partial"), None, (Number("2"),), 0):
                return "2"
            case Scripts(Symbol(r"\partial"), None, (Symbol("+"),), 0):
                return "direct"
        return ""

    def partial(self, node: Node) -> str:
        """A sign of differentiation alone, maybe with scripts: the direct one, of a higher order, with an index."""
        text = self.phrases["partial"]
        if self.order(node) == "direct":
            return self.phrases["partial_direct"]
        if not isinstance(node, Scripts):
            return text
        if node.sub is not None:
            text = self.fill["sub" if is_index(node.sub) else "sub_long"](base=text, index=self.letters(node.sub))
        return text if node.sup is None else self.power(_PARTIAL, text, node.sup)

    # the rest

    def root(self, index: Row | None, body: Row) -> str:
        """A square root, or one with its index; closed where it is long."""
        end = "" if is_short(body) else "_long"
        if index is None:
            return self.fill[f"root{end}"](body=self.row(body))
        return self.fill["root_index"](index=self.row(index), body=self.row(body))

    def fenced(self, node: Fenced) -> str:
        """What stands in brackets that grow with it; a matrix in round or square ones is a matrix."""
        if len(node.body) == 1 and isinstance(node.body[0], Array) and node.left in ("(", "["):
            return self.said(node.body[0])
        body = self.row(node.body)
        if node.left == node.right and node.left in ("|", "‖"):
            return self.fill["absolute" if node.left == "|" else "norm"](body=body)
        words = [self.phrases.sign(side) if side else "" for side in (node.left, node.right)]
        return " ".join(filter(None, (words[0], body, words[1]))) if any(words) else self.fill["group"](body=body)

    def styled(self, style: str, body: Row) -> str:
        """Letters of another face; upright ones are a word."""
        if style == "mathbf" and body == (_ONE,):
            return self.phrases["ones"]
        if style == "mathbb" and body == (_REALS,):
            return self.phrases["reals"]
        letters = [node.name for node in body if isinstance(node, Symbol) and node.name.isalpha()]
        if len(letters) == len(body) and len(body) > 1:
            word = "".join(letters)
            return word if style == "mathrm" else self.fill[style](body=word)
        return self.fill[style](body=self.grouped(body))

    def array(self, node: Array) -> str:
        """Cases, rows of a chain, or a matrix with its size, row by row."""
        if node.environment == "aligned":
            joined = tuple(tuple(part for cell in row for part in cell) for row in node.rows)
            return (self.phrases["semicolon"] + " ").join(self.row(row) for row in joined)
        if node.environment == "cases":
            return self.cases(node)
        comma, semicolon = self.phrases["comma"] + " ", self.phrases["semicolon"] + " "
        columns = max(len(row) for row in node.rows)
        lines = [comma.join(self.cell(row[k] if k < len(row) else ()) for k in range(columns)) for row in node.rows]
        kind = {"vmatrix": "determinant_of", "Vmatrix": "norm_of"}.get(node.environment, "")
        if len(lines) == 1 or columns == 1:
            of = "matrix_row" if len(lines) == 1 else "matrix_column"
            text = self.fill[of](count=columns if len(lines) == 1 else len(lines), entries=comma.join(lines))
        else:
            rows = semicolon.join(self.fill["row"](number=k, entries=line) for k, line in enumerate(lines, 1))
            text = self.fill["matrix"](rows=len(lines), columns=columns, entries=rows)
        return self.fill[kind](matrix=text) if kind else text

    def cell(self, cell: Row) -> str:
        """An entry of a matrix; commas of its own are not those between entries."""
        if any(node == _COMMA or (isinstance(node, Space) and node.width > WIDE) for node in cell):
            return self.grouped(cell)
        return self.row(cell) or self.phrases["blank"]

    def cases(self, node: Array) -> str:
        """``z if z is greater than 0; 0 if …``"""
        said = []
        for row in node.rows:
            cells = [self.row(_without_comma(cell)) for cell in row]
            worded = len(row) > 1 and any(isinstance(part, Words) for part in row[1][:1])
            key = "case_bare" if len(row) == 1 else "case_worded" if worded else "case"
            said.append(self.fill[key](value=cells[0], condition=" ".join(cells[1:])))
        return self.fill["cases"](count=len(said), cases=(self.phrases["semicolon"] + " ").join(said))


def _without_comma(cell: Row) -> Row:
    return cell[:-1] if cell and cell[-1] == _COMMA else cell
