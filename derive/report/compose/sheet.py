"""What every section of a report leans on: one part, its symbols, its printed numbers, and the chains made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from math import prod
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import sympy
from flint import fmpq

from derive.calculus.closed_form import named_values
from derive.calculus.explicit import Entry
from derive.calculus.numeric import compiled
from derive.calculus.paths import Factor
from derive.graph.expression import Adjoint, Expression, Name, Plane
from derive.graph.ops.windows import CONVOLUTIONS, POOLS
from derive.graph.planes import is_deep
from derive.graph.sizes import is_scalar
from derive.numbers.balls import Number
from derive.numbers.certify import Undecided, certify
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Printed, printed
from derive.problem.names import stem_of
from derive.report.catalogue import Catalogue
from derive.report.compose.detail import STANDARD, Detail
from derive.report.document import Chain, Figure, Link, Math, Paragraph, Spans
from derive.report.notation import Cell, Cells, Matrices, Symbols
from derive.report.notation.matrices import less_a_sum, matrix_of, sum_taken_off
from derive.report.notation.printed import printed_cell, printed_text
from derive.report.notation.symbols import in_stack
from derive.report.notation.windows import shown_in_full
from derive.report.page import A4, INDENT
from derive.report.widths import bound
from derive.solution.asked import Ratio
from derive.solution.part import Part
from derive.solution.values import START_BITS

if TYPE_CHECKING:
    from derive.report.compose.only import Excerpt
    from derive.solution.recursion import Recursion

MOST_MEMBERS = 4  # members of a family that are listed one by one
MASKS = ("first_wins", "first_of", "inside")  # 0s and 1s that are printed by their values
CHOSEN = ("max_pool_route", "max_pool_pick")  # what is shown by a mask of 0 and 1
FULL = 0.8 * (A4.line - INDENT)  # em of a row that takes no further link
ROOM = A4.line - INDENT - 3  # em that a link has beside its left-hand side


class Sheet:
    """One part of a solution, ready to be written about.

    In the ``first`` part formulas are written out with the names of entries; the others only put their numbers in.
    ``detail`` says how much of the work is shown. ``excerpt`` is there where the part is what some quantities rest on:
    nothing but these is worked out.
    """

    def __init__(
        self,
        part: Part,
        words: Catalogue,
        first: bool = True,
        detail: Detail = STANDARD,
        excerpt: Excerpt | None = None,
    ) -> None:
        self.part, self.words, self.first, self.detail = part, words, first or detail.every, detail
        self.excerpt = excerpt
        self.symbols = Symbols(part.problem, part.network) if excerpt is None else excerpt.symbols
        self.named = named_values(part.network)
        self._printed: dict[Name | Expression, list[Printed | Undecided]] = {}
        self._locals: dict[sympy.Expr, Printed | Undecided] = {}
        self._direct: dict[tuple[str, str], bool] = {}
        self.letters = Matrices(self.symbols).with_names(self.named)
        self.entry_names = Cells(
            self.symbols, lambda name, index: Cell(self.symbols.entry(name, index)), named=self.named
        )
        self.entry_numbers = Cells(self.symbols, self.number, self.evaluated, self.named)

    @cached_property
    def recursion(self) -> Recursion | None:
        """What the steps of a loop have in common; ``None`` where there is no loop, or nobody wants to see it."""
        if self.part.problem.ask.recursion is False or not any(
            s.name.endswith("]") for s in self.part.problem.statements
        ):
            return None
        from derive.solution.recursion import Recursion  # only who has a loop pays for it

        return Recursion(self.part)

    @cached_property
    def pictures(self) -> Mapping[Entry, Figure]:
        """The entries whose paths are drawn, each with its drawing."""
        if not self.detail.paths or (self.part.paths is None and not self.part.problem.ask.paths):
            return {}
        from derive.report.compose.path_pictures import pictures  # only who has paths pays for it

        return pictures(self)

    def works_out(self, name: Name) -> bool:
        """Whether the value of a name is to be shown; in an excerpt some equations are stated and no more."""
        return self.excerpt is None or name in self.excerpt.worked

    # ── printed values ──

    def printed(self, what: Name | Expression) -> list[Printed | Undecided]:
        """Every entry of a name or an expression as it is printed, row by row."""
        if what not in self._printed and isinstance(what, Plane):
            whole, shape = self.printed(what.of), self.shape(what)
            self._printed[what] = [whole[self._flat_in(what, index)] for index in np.ndindex(*map(int, shape))]
        if what not in self._printed:
            self._printed[what] = self.part.shown.shown(what, self.part.rounding)
        return self._printed[what]

    def number(self, name: Name, index: tuple[int, ...]) -> Cell:
        """An entry of a name as a number."""
        return printed_cell(self.printed_entry(name, index))

    def printed_entry(self, name: Name, index: tuple[int, ...]) -> Printed | Undecided:
        """An entry of a name as it is printed."""
        return self.printed(name)[self._flat(self.shape(name), index)]

    def evaluated(self, node: Expression, index: tuple[int, ...]) -> Cell:
        """An entry of an expression as a number."""
        return printed_cell(self.printed(node)[self._flat(node.shape, index)])

    @staticmethod
    def _flat(shape: tuple[int | str, ...], index: tuple[int, ...]) -> int:
        return int(np.ravel_multi_index(index, tuple(map(int, shape)))) if shape else 0

    def _flat_in(self, name: Plane, index: tuple[int, ...]) -> int:
        shape = self.shape(name.of)
        return self._flat(shape, in_stack(name, index, len(shape)))

    def shape(self, name: Name) -> tuple[int | str, ...]:
        """The shape of a name as it stands in formulas; an adjoint in numerator layout is transposed."""
        if isinstance(name, Plane):
            rest = self.shape(name.of)[len(name.lead) :]
            return rest if len(rest) == 2 else (1, *rest)
        if isinstance(name, Adjoint):
            shape = self.part.network.shape(name.by)
            return shape[::-1] if name.numerator else shape
        return self.part.network.shape(name)

    def exact(self, what: Name | Expression) -> bool:
        """Whether every printed entry is the value itself."""
        return all(isinstance(text, Printed) and text.exact for text in self.printed(what))

    def assigned(self, name: Name, texts: Sequence[Printed | Undecided]) -> Chain:
        """A name and values of its shape."""
        shape = self.shape(name)
        value = matrix_of(tuple(map(int, shape)), lambda index: printed_text(texts[self._flat(shape, index)]))
        exact = all(isinstance(text, Printed) and text.exact for text in texts)
        return Chain(self.symbols.name(name), (Link("=" if exact else r"\approx", (value,)),))

    def ratio(self, ratio: Ratio) -> Chain:
        """A ratio of two names with its certified value; a Jacobian as the matrix that it is."""
        symbol = self.symbols.partial(self.symbols.name(ratio.of), self.symbols.name(ratio.by))
        if ratio.kind != "jacobian":
            name = Adjoint(ratio.of, ratio.by)
            return Chain(symbol, self.assigned(name, self.printed(name)).links)

        def entry(index: tuple[int, ...]) -> Printed | Undecided:
            return certify(partial(_entry_of, self.part, ratio.text, index), self.part.rounding, START_BITS)

        rows, columns = self.part.value_of(ratio.text).shape
        entries = [entry(index) for index in np.ndindex(rows, columns)]
        value = matrix_of((rows, columns), lambda index: printed_text(entries[index[0] * columns + index[1]]))
        exact = all(isinstance(text, Printed) and text.exact for text in entries)
        return Chain(symbol, (Link("=" if exact else r"\approx", (value,)),))

    def value(self, what: Name | Expression) -> str:
        """The printed value as LaTeX."""
        shape = what.shape if isinstance(what, Expression) else self.shape(what)
        texts = self.printed(what)
        return matrix_of(tuple(map(int, shape)), lambda index: printed_text(texts[self._flat(shape, index)]))

    @cached_property
    def numeric(self) -> bool:
        """Whether there are numbers to print."""
        return self.part.numeric

    @cached_property
    def slides(self) -> bool:
        """Whether there are windows or stacks of matrices to show: what shows them is loaded for these alone."""
        network = self.part.network
        deep = any(len(datum.shape) > 2 for datum in network.data.values())
        nodes = (node for equation in network.equations for node in equation.value.nodes())
        return deep or any(node.op in (*CONVOLUTIONS, *POOLS) or len(node.shape) > 2 for node in nodes)

    @cached_property
    def scalars(self) -> bool:
        """Whether every name is a number: then matrix form and entries are one and the same."""
        network = self.part.network
        names = (*network.data, *(str(equation.name) for equation in network.equations))
        return all(is_scalar(network.shape(name)) for name in names)

    # ── links ──

    def math(self, name: Name) -> Math:
        """The symbol of a name, inside a line."""
        return Math(self.symbols.name(name))

    def names(self, node: Expression) -> tuple[str, ...] | None:
        """The expression with the names of its entries put in; ``None`` where it is too large or says nothing new."""
        if not self._small(node) or all(is_scalar(inner.shape) for inner in node.nodes()):
            return None
        if is_deep(node) or any(inner.op in (*CHOSEN, "first_of") or less_a_sum(inner) for inner in node.nodes()):
            return None
        terms = Matrices(self.symbols, self.entry_names).with_names(self.named).terms(node)
        return terms if fits(terms) and sum(map(bound, terms)) < self.detail.lines * ROOM else None

    def spelled(self, node: Expression, cells: Cells) -> tuple[str, ...] | None:
        """Every product of a matrix product spelled out in its entries; ``None`` where that is no help."""
        products = [inner for inner in node.nodes() if inner.op == "matmul"]
        if any(inner.op in ("inv", "logdet") for inner in node.nodes()):
            return None
        if not products or not self._small(node):
            return None
        if sum(prod(map(int, (*inner.shape, inner.args[0].shape[1]))) for inner in products) > self.detail.spelled:
            return None
        if all(inner.args[0].shape[1] == 1 and is_scalar(inner.shape) for inner in products):
            return None
        shape = tuple(map(int, node.shape))
        if is_scalar(shape):
            cell = cells.cell(node, (0,) * len(shape))
            return cell.terms or (cell.text,)
        text = matrix_of(shape, lambda index: cells.cell(node, index).text)
        return (text,) if bound(text) < ROOM else None

    def _small(self, node: Expression) -> bool:
        for inner in node.nodes():
            if any(isinstance(size, str) for size in inner.shape):
                return False
            if prod(map(int, inner.shape)) > self.detail.named:
                return False
        return True

    def put_in(self, node: Expression) -> Link:
        """The expression with numbers put in: equal where every one of them is exact."""
        terms = Matrices(self.symbols, self.entry_numbers).with_names(self.named).terms(node)
        if not fits(terms) and any(map(less_a_sum, node.args)) and terms[0].count(r" \odot ") == 1:
            before, _, behind = terms[0].partition(r" \odot ")  # the line may end before the bracket
            terms = (before, rf"\odot {behind}", *terms[1:])
        return Link(self.relation(node), terms)

    def relation(self, node: Expression) -> str:
        """``=`` where every number that is put in is the one that goes on, rounded nowhere."""
        by_value = [
            taken for inner in node.nodes() if less_a_sum(inner) for taken in map(sum_taken_off, inner.args) if taken
        ]
        put_in = all(self._goes_on_in(inner) for inner in _put_in(node)) and all(map(self.exact, by_value))
        return "=" if put_in else r"\approx"

    def _goes_on_in(self, node: Expression) -> bool:
        match node.op:
            case "name":
                return self.goes_on(node.name)
            case op if op in (*MASKS, "derivative"):  # printed by its value
                return self.exact(node)
            case "cross_entropy":  # printed by the name of its softmax
                softmax = self.named.get(Expression("softmax", node.args[:1], node.at[:1], node.args[0].shape))
                return softmax is None or self.goes_on(softmax.name)
        return True

    def goes_on(self, name: Name) -> bool:
        """Whether the printed value of a name is the very one that the next line uses."""
        of = name.of if isinstance(name, Plane) else name
        carried = self.part.shown.carried is not None and of in self.part.shown.equations
        return carried or self.exact(name)

    def result(self, what: Name | Expression, node: Expression) -> Link:
        """The printed value, at the end of a chain in which the numbers of ``node`` were put in."""
        exact = self.exact(what) and self.relation(node) == "="
        return Link("=" if exact else r"\approx", (self.value(what),))

    def formula_links(self, node: Expression) -> list[Link]:
        """With symbols, then with the names of entries, then with every product spelled out."""
        links = [Link("=", self.letters.terms(node))]
        if not self.first:
            return links
        for terms in (self.names(node), self.spelled(node, self.entry_names)):
            if terms is not None and all(terms != link.terms for link in links):
                links.append(Link("=", terms))
        return links

    def number_links(self, what: Name, node: Expression) -> list[Link]:
        """With numbers, every product spelled out, and the result."""
        if is_deep(node) or any(inner.op in CHOSEN and not shown_in_full(inner) for inner in node.nodes()):
            return [] if len(self.shape(what)) > 2 else [self.result(what, node)]
        links = [self.put_in(node)]
        if sum(map(bound, links[0].terms)) > self.detail.lines * ROOM or not fits(links[0].terms):
            return [self.result(what, node)]
        spelled = self.spelled(node, self.entry_numbers)
        if spelled is not None and spelled != links[0].terms:
            links.append(Link("=", spelled))
        result = self.result(what, node)
        return [*links, result] if result.terms != links[-1].terms else links

    def uses(self, node: Expression) -> tuple[tuple[str, str], ...]:
        """The names that an expression rests on, each with its symbol."""
        return tuple((str(name), self._on_one_line(name)) for name in node.names())

    def _on_one_line(self, name: Name) -> str:
        symbol = self.symbols.name(name)
        if isinstance(name, Adjoint) and symbol.startswith(r"\frac"):
            return rf"\partial {self.symbols.name(name.of)} / \partial {self.symbols.name(name.by)}"
        return symbol

    def chain(self, left: str, *groups: Sequence[Link]) -> Chain:
        """One chain; short links of a group share a row. In brief all of them are one group."""
        kept: list[list[Link]] = []
        for group in groups:
            before = kept[-1][-1:] if kept else []
            kept.append([link for link in group if [link] != before])  # what was equal needs no saying twice
        if not self.detail.rewritings:
            kept = [[link for group in kept for link in group]]
        return Chain(left, tuple(link for group in kept for link in packed(group)))

    def listed(self, names: Iterable[Name]) -> Spans:
        """``a, b and c``"""
        return self.words.listed(self.in_runs(names))

    def in_runs(self, names: Iterable[Name]) -> Iterator[Math]:
        """Names one by one, families in a row with dots between."""
        return (math for run in _runs(names) for math in self.in_a_row(run))

    def in_a_row(self, names: Sequence[Name]) -> tuple[Math, ...]:
        """Names one by one; of many members of a family the first and the last, with dots between."""
        if len(names) <= MOST_MEMBERS:
            return tuple(map(self.math, names))
        return (Math(rf"{self.symbols.name(names[0])}, \dots, {self.symbols.name(names[-1])}"),)

    def entry(self, entry: Entry) -> str:
        """The symbol of an entry."""
        return self.symbols.entry(entry.name, entry.index)

    # ── error signals ──

    def signal(self, adjoint: Adjoint) -> Adjoint | None:
        """The error signal that stands for an adjoint: itself, or its negative; ``None`` where it has no such name."""
        for name in (adjoint, Adjoint(adjoint.of, adjoint.by, adjoint.numerator, True)):
            if self.symbols.signal(name):
                return name
        return None

    def turned(self, name: Name) -> bool:
        """Whether a derivative is said by its negative, the error signal."""
        signal = self.signal(name) if isinstance(name, Adjoint) and not name.negative else None
        return signal is not None and signal.negative

    # ── local derivatives ──

    def local(self, of: str, by: str, upper: str, lower: str) -> str:
        """d ``upper`` / d ``lower`` of one equation; with a plus where other ways lead from ``by`` to ``of``."""
        key = (of, by)
        if key not in self._direct:
            self._direct[key] = self.part.network.is_direct(of, by)
        return self.symbols.partial(upper, lower, direct=self._direct[key])

    @cached_property
    def some_direct(self) -> bool:
        """Whether any equation's local derivative leaves other ways out."""
        network = self.part.network
        return any(
            network.is_direct(str(equation.name), str(name))
            for equation in network.equations
            for name in equation.value.names()
        )

    @cached_property
    def entry_order(self) -> dict[sympy.Symbol, int]:
        """The order in which the entries of names are written."""
        assert self.part.explicit is not None
        return {symbol: k for k, symbol in enumerate(self.part.explicit.entry_of)}

    def adjoint(self, name: str) -> Adjoint:
        """d loss / d name, in the layout of the report."""
        assert self.part.derivation is not None
        return self.part.derivation.adjoint(name)

    def adjoint_index(self, entry: Entry) -> tuple[int, ...]:
        """Where an entry's derivative stands in that layout."""
        numerator = self.part.derivation is not None and self.part.derivation.layout == "numerator"
        return entry.index[::-1] if numerator else entry.index

    def product(self, factors: Sequence[Printed | Undecided]) -> Printed | Undecided:
        """A product of displayed numbers, displayed."""
        whole = fmpq(1)
        for factor in factors:
            if isinstance(factor, Undecided):
                return factor
            whole *= read_number(factor.text)
        shown = printed(whole, self.part.rounding)
        assert shown is not None  # a rational always rounds
        return shown

    def by_hand(self, products: Sequence[Sequence[Printed | Undecided]]) -> tuple[str, bool]:
        """A sum of products of displayed numbers, displayed; and whether that is exact."""
        total = fmpq(0)
        for factors in products:
            term = fmpq(1)
            for factor in factors:
                if isinstance(factor, Undecided):
                    return printed_text(factor), False
                term *= read_number(factor.text)
            total += term
        shown = printed(total, self.part.rounding)
        assert shown is not None  # a rational always rounds
        return printed_text(shown), shown.exact

    def local_printed(self, factor: Factor) -> Printed | Undecided:
        """A local derivative as it is printed."""
        return self._local(factor)

    def _local(self, factor: Factor) -> Printed | Undecided:
        if factor.value not in self._locals:
            self._locals[factor.value] = local_value(self.part, factor.value)
        return self._locals[factor.value]

    def local_value(self, factor: Factor) -> Cell:
        """A local derivative as a number."""
        return printed_cell(self._local(factor))

    def local_exact(self, factor: Factor) -> bool:
        """Whether that number is the value itself."""
        value = self._local(factor)
        return isinstance(value, Printed) and value.exact


def _put_in(node: Expression) -> Iterator[Expression]:
    """The parts of an expression whose numbers are printed; of what is routed by a mask the mask alone is."""
    for arg in node.args[:1] if node.op in CHOSEN else () if node.op in MASKS else node.args:
        yield from _put_in(arg)
    yield node


Item = TypeVar("Item")


def pattern_once(sheet: Sheet, items: Sequence[Item], names: Sequence[Name]) -> Iterator[Item | Paragraph]:
    """The items called ``names``; of a long loop two steps and the last, with a sentence for the rest."""
    if sheet.recursion is None:
        yield from items
        return
    left_out = sheet.recursion.pattern
    said: set[tuple[int, ...]] = set()
    for item, name in zip(items, names, strict=True):
        steps = left_out.get(name)
        if steps is None or len(steps) + 3 <= sheet.detail.steps:
            yield item
        elif steps not in said:
            said.add(steps)
            listed = Math(rf"{sheet.symbols.name(sheet.recursion.variable)} = {steps[0]}, \dots, {steps[-1]}")
            yield Paragraph(sheet.words.say("recursion.pattern", steps=listed))


def left_out(sheet: Sheet, key: str, total: int, shown: int, detail: bool = False) -> Paragraph:
    """How much of a list stands here, how much does not, and where the whole is."""
    return Paragraph(sheet.words.say(key, total=total, shown=shown, rest=total - shown), detail=detail)


def _runs(names: Iterable[Name]) -> list[list[Name]]:
    """Members of one family that follow each other, together; any other name alone."""
    runs: list[list[Name]] = []
    for name in names:
        last = runs[-1][-1] if runs else ""
        alike = isinstance(name, str) and name.endswith("]") and isinstance(last, str)
        if alike and stem_of(str(last)) == stem_of(str(name)) and str(last).endswith("]"):
            runs[-1].append(name)
        else:
            runs.append([name])
    return runs


def _entry_of(part: Part, quantity: str, index: tuple[int, ...], bits: int) -> Number:
    value: Number = part.value_of(quantity, bits)[index]
    return value


def packed(links: Sequence[Link]) -> list[Link]:
    """Links that go on in the same row as long as the row is not full; a break may still fall before a relation."""
    rows: list[Link] = []
    widths: list[float] = []
    for link in links:
        width = bound(" ".join(link.terms)) + 2
        if rows and widths[-1] + width < FULL:
            goes_on = (f"{link.relation} {link.terms[0]}", *link.terms[1:])
            rows[-1] = Link(rows[-1].relation, (*rows[-1].terms, *goes_on))
            widths[-1] += width
        else:
            rows.append(link)
            widths.append(width)
    return rows


def local_value(part: Part, formula: sympy.Expr) -> Printed | Undecided:
    """A local derivative, certified to the digits of the report."""
    assert part.explicit is not None
    explicit = part.explicit
    evaluated = compiled(formula)
    symbols = sorted(formula.free_symbols, key=str)

    def compute(bits: int) -> Number:
        env = {s: part.shown.value(explicit.entry_of[s].name, bits)[explicit.entry_of[s].index] for s in symbols}
        return evaluated(env)

    return certify(compute, part.rounding, start=START_BITS)


def fits(terms: Sequence[str]) -> bool:
    """Whether the longest unbreakable piece fits on a line."""
    return max(bound(term) for term in terms) < ROOM
