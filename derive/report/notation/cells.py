"""One entry of an expression as LaTeX, whatever stands for its names: symbols, or numbers.

A cell knows how tightly it binds, so brackets stand where they are needed and nowhere else. Numbers are multiplied
with a dot (``0.1 \\cdot 4``), symbols by standing together (``w_1 x_1``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from flint import fmpq

from derive.graph.expression import Expression, Name, constant
from derive.graph.ops import reach
from derive.graph.ops.choosing import extreme_of
from derive.numbers.rounding import as_decimal, minimal
from derive.records import dataclass
from derive.report.notation.symbols import Symbols

SUM, PRODUCT, ATOM = 1, 2, 3
_LAYER = re.compile(r"\^\{\(\w+\)\}")  # the superscript of w^{(1)}, which is no bracket
LARGEST_DENOMINATOR = 9  # of a fraction that is printed as one although it is a decimal
LARGEST_WHOLE = 10**9  # whole numbers below are written out
_FRACTION = re.compile(r"\\frac\{(\d+)\}\{(\d+|[A-Za-z]+(?:_\w|_\{[^{}]*\})?)\}")  # of a number by a number or a letter
LONG_SUM = 4  # terms of a sum in brackets that a line may break in


@dataclass(frozen=True, slots=True)
class Cell:
    """A printed scalar. ``binding`` is SUM, PRODUCT or ATOM; ``numeric`` if it starts and ends with a digit.

    ``terms`` cuts a sum where a line may break; each term after the first opens with its sign. ``sign`` marks the -1
    that is nothing but a minus in front of what follows.
    """

    text: str
    binding: int = ATOM
    numeric: bool = False
    terms: tuple[str, ...] = ()
    sign: bool = False

    @property
    def negative(self) -> bool:
        """Whether it opens with a minus."""
        return self.text.startswith("-")

    def factor(self, first: bool = False) -> str:
        """As a factor: sums in brackets, and what opens with a minus too, unless it comes first."""
        if self.binding == SUM or (self.negative and not first):
            return bracketed(self.text)
        return self.text

    def base(self) -> str:
        """Under an exponent."""
        plain = self.binding == ATOM and not self.negative and "^" not in self.text
        return self.text if plain and not self.text.startswith(r"\frac") else bracketed(self.text)


def bracketed(text: str) -> str:
    """In brackets: square ones around round ones, and such as grow with what they hold."""
    left, right = ("[", "]") if "(" in _LAYER.sub("", text) else ("(", ")")
    return rf"\left{left}{text}\right{right}" if _tall(text) else f"{left}{text}{right}"


def rounded(text: str) -> str:
    """In the round brackets of an argument."""
    return rf"\left({text}\right)" if _tall(text) else f"({text})"


def _tall(text: str) -> bool:
    return any(tall in text for tall in (r"\frac", r"\begin", r"\sum"))


def number(value: fmpq) -> Cell:
    """An exact rational in a formula: a whole number, a small fraction, a decimal, or any fraction."""
    if value.q == 1 and abs(value) < LARGEST_WHOLE:
        return Cell(str(value.p), numeric=True, sign=value == -1)
    decimal = as_decimal(value) if value.q > LARGEST_DENOMINATOR or value.q == 1 else None
    if decimal is not None:
        shown = minimal(*decimal)
        text = shown.mantissa if shown.exponent is None else rf"{shown.mantissa} \times 10^{{{shown.exponent}}}"
        return Cell(text, ATOM if shown.exponent is None else PRODUCT, numeric=True)
    sign = "-" if value < 0 else ""
    return Cell(rf"{sign}\frac{{{abs(value.p)}}}{{{value.q}}}", numeric=False)


def add(parts: Sequence[Cell]) -> Cell:
    """A sum; a part that opens with a minus is subtracted."""
    terms = [parts[0].text]
    for part in parts[1:]:
        terms.append(f"- {part.text[1:].lstrip()}" if part.negative else f"+ {part.text}")
    opened: list[str] = []
    for text, part in zip(terms, parts, strict=True):
        opened += [text] if not part.terms or part.negative else _reopened(text, part)
    return parts[0] if len(parts) == 1 else Cell(" ".join(terms), SUM, False, tuple(opened))


def _reopened(text: str, part: Cell) -> list[str]:
    sign = "+ " if text.startswith("+ ") else ""
    return [sign + part.terms[0], *part.terms[1:]]


def multiply(factors: Sequence[Cell]) -> Cell:
    """A product: signs to the front, numbers joined by dots."""
    if len(factors) == 1:
        return factors[0]
    if factors[-1].text.startswith(r"-\sum"):
        others = factors[1:-1] if factors[0].sign else (Cell("-1", numeric=True, sign=True), *factors[:-1])
        return multiply([*others, _without_sign(factors[-1])])
    if factors[0].sign:
        rest = multiply(factors[1:])
        if rest.binding == SUM or rest.negative:
            return Cell("-" + bracketed(rest.text), PRODUCT, rest.numeric, _opened("-", rest))
        return Cell(
            "-" + rest.text, PRODUCT, rest.numeric, ("-" + rest.terms[0], *rest.terms[1:]) if rest.terms else ()
        )
    text, last = factors[0].factor(first=True), factors[0]
    for factor in factors[1:]:
        shown = factor.factor()
        dotted = _runs_into(text, shown) or (last.numeric and (factor.numeric or last.text == "1"))
        dotted = dotted or (factor.numeric and text[-1:].isdigit())
        text += (r" \cdot " if dotted else " ") + shown
        last = factor
    front = text.removesuffix(factors[-1].factor())
    return Cell(text, PRODUCT, factors[0].numeric and last.numeric, _opened(front, factors[-1]))


def _without_sign(x: Cell) -> Cell:
    """What stands behind the minus that a product opens with."""
    return Cell(x.text[1:].lstrip(), x.binding, x.numeric)


def summed(sign: str, x: Cell) -> Cell:
    """A sum over ``x``; the minus of a product stands in front of the sum."""
    if x.negative and x.binding == PRODUCT:
        return Cell(f"-{sign} {_without_sign(x).text}", PRODUCT)
    return Cell(f"{sign} {x.factor()}", PRODUCT)


def factors_of(nodes: Sequence[Expression], cell: Callable[[Expression], Cell]) -> list[Cell]:
    """The factors of a product as cells; fractions of numbers and sizes side by side are one: 1/2 1/N is 1/(2N)."""
    found: list[Cell] = []
    front: tuple[list[str], list[str]] | None = None
    minus = False
    for node in _means_apart(nodes) if len(nodes) > 1 else nodes:
        shown = cell(node)
        if node.op == "cross_entropy" and len(nodes) > 1:
            minus, shown = True, _without_sign(shown)
        fraction = _FRACTION.fullmatch(shown.text) if is_coefficient(node) else None
        if fraction is None:
            found, front = [*found, shown], None
        elif front is None:
            found, front = [*found, shown], ([fraction[1]], [fraction[2]])
        else:
            above, below = front = ([*front[0], fraction[1]], [*front[1], fraction[2]])
            above = [text for text in above if text != "1"] or ["1"]
            found[-1] = Cell(rf"\frac{{{_side_by_side(above)}}}{{{_side_by_side(below)}}}")
    if minus:
        return found[1:] if found[0].sign else [Cell("-1", numeric=True, sign=True), *found]
    return found


def _means_apart(nodes: Sequence[Expression]) -> Iterator[Expression]:
    """The mean of a cross-entropy as a factor of its own, so that it joins the fraction in front."""
    for node in nodes:
        if node.op != "cross_entropy" or node.at[1] != "mean" or node.args[0].shape[1 - node.at[0]] == 1:
            yield node
            continue
        samples = node.args[0].shape[1 - node.at[0]]
        if isinstance(samples, int):
            yield constant(fmpq(1, samples))
        else:
            yield Expression("divide", (constant(1), Expression("size", (), (samples,), ())), (), ())
        yield Expression("cross_entropy", node.args, (node.at[0], "sum"), ())


def is_coefficient(node: Expression) -> bool:
    """Whether nothing but numbers and sizes is in it, so that it is the same for all data."""
    return not node.shape and all(inner.op in ("constant", "size", "divide") for inner in node.nodes())


def _side_by_side(texts: Sequence[str]) -> str:
    """Numbers first and with dots between them, then letters, capital ones first."""
    numbers, letters = ([text for text in texts if text[:1].isdigit() == digit] for digit in (True, False))
    return " ".join([*([r" \cdot ".join(numbers)] if numbers else []), *sorted(letters)])


def _runs_into(before: str, after: str) -> bool:
    """Whether two factors would be read as one number: ``0.1 0.4``, ``3 \\frac{1}{2}``."""
    fraction = after.startswith(r"\frac{") and after[6:7].isdigit() and before[-1:].isdigit()
    return after[:1].isdigit() or fraction


def _opened(front: str, last: Cell) -> tuple[str, ...]:
    """``front [a + b]`` cut inside its brackets, where these need not grow; only a long sum is worth it."""
    if last.binding != SUM or len(last.terms) < LONG_SUM or _tall(last.text):
        return ()
    whole = bracketed(last.text)
    first, *middle, end = last.terms
    return (front + whole[0] + first, *middle, end + whole[-1])


def divide(a: Cell, b: Cell) -> Cell:
    """A fraction."""
    if a.negative and a.binding != SUM:
        return Cell(rf"-{divide(_without_sign(a), b).text}", PRODUCT)
    fraction = _FRACTION.fullmatch(a.text)
    if fraction is not None:  # a half of 1/N is 1/(2N)
        below = multiply([Cell(fraction[2], numeric=fraction[2].isdigit()), b])
        return Cell(rf"\frac{{{fraction[1]}}}{{{below.text}}}", ATOM)
    return Cell(rf"\frac{{{a.text}}}{{{b.text}}}", ATOM)


def power(x: Cell, exponent: fmpq) -> Cell:
    """x to a constant exponent; a half is a root, minus one a fraction."""
    if exponent == fmpq(1, 2):
        return Cell(rf"\sqrt{{{x.text}}}")
    if exponent < 0:
        return divide(Cell("1", numeric=True), power(x, -exponent) if exponent != -1 else x)
    shown = str(exponent.p) if exponent.q == 1 else f"{exponent.p}/{exponent.q}"
    return Cell(f"{x.base()}^{{{shown}}}" if len(shown) > 1 else f"{x.base()}^{shown}")


def call(symbol: str, x: Cell, e: str = "e") -> Cell:
    """f(x), e^x, a root or bars; ``e`` is empty where a name of the problem is called so."""
    match symbol:
        case r"\exp" if e:
            return Cell(f"e^{{{x.text}}}")
        case r"\operatorname{sqrt}":
            return Cell(rf"\sqrt{{{x.text}}}")
        case r"\operatorname{abs}":
            return Cell(rf"\left|{x.text}\right|")
    return Cell(f"{symbol}{rounded(x.text)}")


def is_one_hot(node: Expression) -> bool:
    """Rows with a single 1, or their transpose: what picks rows of another matrix."""
    return node.op == "one_hot" or (node.op == "transpose" and node.args[0].op == "one_hot")


class Cells:
    """Prints entries. ``leaf(name, index)`` prints an entry of a name.

    ``evaluated``, where given, prints an entry of a node by its value: what a reader would look up rather than work out
    (the 0 or 1 of a ReLU's derivative). ``named`` holds values that an equation has given a name to.
    """

    def __init__(
        self,
        symbols: Symbols,
        leaf: Callable[[Name, tuple[int, ...]], Cell],
        evaluated: Callable[[Expression, tuple[int, ...]], Cell] | None = None,
        named: Mapping[Expression, Expression] | None = None,
    ) -> None:
        self.symbols, self.leaf, self.evaluated, self.named = symbols, leaf, evaluated, named or {}

    def cell(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """The entry of ``node`` at ``index`` (``()`` for a scalar)."""
        match node.op:
            case "name":
                return self.leaf(node.name, index)
            case "constant":
                return number(node.number)
            case "size":
                return Cell(self.symbols.size(node.at[0]))
            case "zeros":
                return Cell("0", numeric=True)
            case "slice" | "place" | "entry" | "concat" | "reshape":
                return self._moved(node, index)
            case "max" | "min" | "first_of" | "compare" | "inside" | "clip" | "one_hot" | "pi":
                return self._chosen(node, index)
            case "add":
                return add([self._operand(arg, index) for arg in self._standing(node.args, index)])
            case "multiply":
                return multiply(factors_of(node.args, lambda arg: self._operand(arg, index)))
            case "divide":
                return divide(*(self._operand(arg, index) for arg in node.args))
            case "squared_norm":
                return add([power(self.cell(node.args[0], inner), fmpq(2)) for inner in inside(node, index)])
            case "power":
                return power(self.cell(node.args[0], index), node.at[0])
            case "matmul" if is_one_hot(node.args[0]):
                return self._picked(node, index)
            case "matmul":
                return add([multiply(pair) for pair in self._products(node, index)])
            case "transpose":
                return self.cell(node.args[0], index[::-1])
            case "spread":
                return self._operand(node.args[0], index)
            case "sum":
                return add([self.cell(node.args[0], inner) for inner in inside(node, index)])
            case "diag":
                i, j = index
                place = (0, i) if node.args[0].shape[0] == 1 else (i, 0)
                return self.cell(node.args[0], place) if i == j else Cell("0", numeric=True)
            case "diagonal":
                k = index[1] if node.at[0] == 0 else index[0]
                return self.cell(node.args[0], (k, k))
            case op if op in reach.CONVOLVING or op in reach.POOLING:
                return self._window(node, index)
            case "inv" | "trace" | "det" | "logdet" | "norm":
                return self._whole_matrix(node, index)
            case "derivative":
                return self._derivative(node, index)
            case "first_wins":
                return self._first_wins(node, index)
            case "maximum" | "minimum":
                a, b = (self._operand(arg, index) for arg in node.args)
                return Cell(rf"{self.symbols.function(node.op)}({a.text}, {b.text})")
            case "softmax":
                return self._softmax(node, index)
            case "log_softmax":
                whole = self._softmax(node, index)
                return Cell(rf"\log {whole.text}", PRODUCT)
            case "cross_entropy":
                return self.cross_entropy(node)
            case "binary_cross_entropy":
                return self._binary_cross_entropy(node, index)
        return call(self.symbols.function(node.op, node.at), self.cell(node.args[0], index), self.symbols.e)

    def _window(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """An entry of a convolution as a sum of products; of pooling a choice or a mean, routed ones by their value."""
        match node.op:
            case "max_pool":
                entries = [self.cell(node.args[0], place).text for place in reach.seen(node, index)]
                return Cell(rf"{self.symbols.function('maximum')}({', '.join(entries)})")
            case "avg_pool":
                terms = [self.cell(node.args[0], place) for place in reach.seen(node, index)]
                return multiply([divide(Cell("1", numeric=True), Cell(str(len(terms)))), add(terms)])
            case "avg_pool_back":
                return self._shares(node, index)
            case op if op in reach.CONVOLVING:
                found = reach.products(node, index)
                return (
                    add([multiply([self.cell(a, i), self.cell(b, j)]) for a, i, b, j in found])
                    if found
                    else Cell("0", numeric=True)
                )
        if self.evaluated is None:
            raise TypeError(f"{node.op} has entries by their values alone")
        return self.evaluated(node, index)

    def _shares(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """What the windows that see an entry hand back to it."""
        count, places = reach.seen_by(node, index)
        if not places:
            return Cell("0", numeric=True)
        share = divide(Cell("1", numeric=True), Cell(str(count)))
        return multiply([share, add([self.cell(node.args[0], place) for place in places])])

    def _operand(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """An operand that may have been stretched to the size of the result."""
        if not node.shape:
            return self.cell(node, ())
        if not index:
            return self.cell(node, (0,) * len(node.shape))
        return self.cell(node, tuple(0 if size == 1 else k for size, k in zip(node.shape, index, strict=True)))

    def _standing(self, args: Sequence[Expression], index: tuple[int, ...]) -> Sequence[Expression]:
        """The terms of a sum less those of which only the zeros beside a block stand here (unless all do)."""

        def stands(arg: Expression) -> bool:
            if arg.op == "matmul" and arg.args[0].op == "transpose" and is_one_hot(arg.args[0]):
                return index[0] in arg.args[0].args[0].at[1]
            if arg.op != "place":
                return True
            from derive.report.notation import blocks  # few problems have blocks, and starting up is a budget

            return blocks.source(arg, index) is not None

        return [arg for arg in args if stands(arg)] or args[:1]

    def _chosen(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """A choice among entries; where a derivative is masked by one, its value where there are values."""
        from derive.report.notation import choices

        match node.op:
            case "one_hot":
                return Cell("1" if node.at[1][index[0]] == index[1] else "0", numeric=True)
            case "max" | "min":
                found = [self.cell(node.args[0], place) for place in inside(node, index)]
                return choices.largest(self.symbols.function(node.op), found)
            case "inside" | "first_of" if self.evaluated is not None:
                return self.evaluated(node, index)
            case "first_of":
                whole = extreme_of(node)
                place = tuple(0 if size == 1 else k for k, size in zip(index, whole.shape, strict=False))
                taken = self.cell(self.named.get(whole, whole), place)
                return choices.indicator(self.cell(node.args[0], index), "==", taken)
        return choices.symbolic(
            node, lambda arg: self._operand(arg, index), lambda arg: self._operand(arg, index), self.symbols, self.named
        )

    def _moved(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """An entry that stands elsewhere in an operand, or the zero beside it."""
        from derive.report.notation import blocks

        found = blocks.source(node, index)
        return Cell("0", numeric=True) if found is None else self.cell(*found)

    def _picked(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """An entry of a one-hot matrix times another: the entries that its 1s pick, added up."""
        a, b = node.args
        chosen = (a.args[0] if a.op == "transpose" else a).at[1]
        rows = [k for k, row in enumerate(chosen) if row == index[0]] if a.op == "transpose" else [chosen[index[0]]]
        return add([self.cell(b, (k, index[1])) for k in rows]) if rows else Cell("0", numeric=True)

    def _products(self, node: Expression, index: tuple[int, ...]) -> Iterator[tuple[Cell, Cell]]:
        a, b = node.args
        for q in range(int(a.shape[1])):
            yield self.cell(a, (index[0], q)), self.cell(b, (q, index[1]))

    def _derivative(self, node: Expression, index: tuple[int, ...]) -> Cell:
        if self.evaluated is not None:
            return self.evaluated(node, index)
        name, *at = node.at
        return Cell(f"{self.symbols.slope(name, tuple(at))}{rounded(self.cell(node.args[0], index).text)}")

    def _whole_matrix(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """Worked out in entries as far as one would by hand; else by its value, or as it is called."""
        from derive.report.notation import wholes

        (x,) = node.args
        if node.op == "norm":
            return wholes.squares([self.cell(x, inner) for inner in inside(node, index)])
        found = wholes.entries(node, lambda i, j: self.cell(x, (i, j))) if node.op != "inv" else None
        if found is None and self.evaluated is not None:
            return self.evaluated(node, index)
        if found is None:
            from derive.report.notation.matrices import Matrices

            places = "".join(str(k + 1) for k in index)
            whole = Matrices(self.symbols).cell(node)
            found = Cell(rf"{bracketed(whole.text)}_{{{places}}}") if places else whole
        return found

    def _first_wins(self, node: Expression, index: tuple[int, ...]) -> Cell:
        if self.evaluated is not None:
            return self.evaluated(node, index)
        a, b = (self._operand(arg, index) for arg in node.args)
        relation = r"\ge" if node.at[0] == "maximum" else r"\le"
        return Cell(rf"\mathbf{{1}}[{a.text} {relation} {b.text}]")

    def _softmax(self, node: Expression, index: tuple[int, ...]) -> Cell:
        x, axis = node.args[0], node.at[0]
        lines = [(*index[:axis], k, *index[axis + 1 :]) for k in range(int(x.shape[axis]))]
        powers = [call(r"\exp", self.cell(x, line), self.symbols.e) for line in lines]
        top = call(r"\exp", self.cell(x, index), self.symbols.e)
        return divide(top, add(powers))

    def cross_entropy(self, node: Expression) -> Cell:
        """The double sum in full, less the terms whose label is printed as 0."""
        logits, labels = node.args
        axis, reduction = node.at
        terms = []
        for i in range(int(logits.shape[0])):
            for j in range(int(logits.shape[1])):
                label = self.cell(labels, (i, j))
                if label.text == "0":
                    continue
                inner = self.leaf_of_softmax(logits, axis, (i, j))
                log = Cell(
                    rf"\log {inner.text}" if inner.binding == ATOM else rf"\log {bracketed(inner.text)}", PRODUCT
                )
                terms.append(log if label.text == "1" else multiply([label, log]))
        whole = add(terms) if terms else Cell("0")
        samples = int(logits.shape[1 - axis])
        factor = f"-\\frac{{1}}{{{samples}}}" if reduction == "mean" and samples > 1 else "-"
        if whole.binding == SUM:
            return Cell(f"{factor}{bracketed(whole.text)}", PRODUCT, False, _opened(factor, whole))
        return Cell(f"{factor} {whole.text}" if factor != "-" else f"-{whole.text}", PRODUCT)

    def leaf_of_softmax(self, logits: Expression, axis: int, index: tuple[int, ...]) -> Cell:
        """softmax(logits) at an index, by the name that an equation gave it."""
        softmax = Expression("softmax", (logits,), (axis,), logits.shape)
        return self.cell(self.named[softmax], index) if softmax in self.named else self._softmax(softmax, index)

    def _binary_cross_entropy(self, node: Expression, index: tuple[int, ...]) -> Cell:
        p, t = (self._operand(arg, index) for arg in node.args)
        one = Cell("1", numeric=True)
        first = multiply([t, Cell(rf"\log {p.text}" if p.binding == ATOM else rf"\log({p.text})", PRODUCT)])
        rest = multiply([add([one, _negated(t)]), Cell(rf"\log({add([one, _negated(p)]).text})", PRODUCT)])
        return Cell(f"-{bracketed(add([first, rest]).text)}", PRODUCT)


def _negated(x: Cell) -> Cell:
    return multiply([number(fmpq(-1)), x])


def inside(node: Expression, index: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The entries that a sum takes together for its entry ``index``."""
    (x,), (axis,) = node.args, node.at
    sizes = [int(size) for size in x.shape]
    if axis is None:
        yield from _all(sizes)
    else:
        for k in range(sizes[axis]):
            yield (*index[:axis], k, *index[axis + 1 :])


def _all(sizes: list[int]) -> Iterator[tuple[int, ...]]:
    if not sizes:
        yield ()
        return
    for k in range(sizes[0]):
        for rest in _all(sizes[1:]):
            yield (k, *rest)
