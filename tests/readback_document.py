"""Reading whole reports back: every chain of a document, or of its LaTeX file, held against the certified solution.

The names of a part are entered with their printed symbols (``Symbols.name``, ``Symbols.entry``) and certified values; a
fraction of partials is the derivative of the loss where the loss stands above, else SymPy's local derivative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

from derive.graph.expression import Adjoint
from derive.report.document import Document
from derive.solution import Solution
from derive.solution.part import Part
from readback import Finding, Reader, Report, Side
from readback_book import Book
from readback_grammar import Node, Parser, visible
from readback_rows import POINTS, Row, rows_of, rows_of_tex
from readback_tokens import NotRead, Slip, split, tokens, written
from readback_values import BITS, Number, Value, ball, literal, meets, telling, widened
from readback_windows import IndexFormula, Misread, is_index_formula

# ── one chain ───────────────────────────────────────────────────────────────────────────────────────────────────


class Chained:
    """One chain against a book."""

    def __init__(self, row: Row, book: Book, hand: Book | None = None) -> None:
        self.row, self.book, self.hand = row, book, hand
        self.findings: list[Finding] = []
        self.numbers = self.links = 0
        self._all_whole = True

    def check(self) -> list[Finding]:
        """Everything that is wrong with the chain."""
        with _precision():
            try:
                sides = self._sides()
            except Slip as slip:
                self._say("slip", self.row.text, str(slip))
                return self.findings
            except NotRead as reason:
                self._say("not read", self.row.text, str(reason))
                return self.findings
            self._judge(sides)
        return self.findings

    def _say(self, kind: str, latex: str, why: str) -> None:
        self.findings.append(Finding(kind, self.row.where, latex.strip(), why))

    def _sides(self) -> list[Side]:
        pieces = split(tokens(self.row.text))
        if pieces[0][1]:
            raise Slip(f"{written(pieces[0][1])} before the first relation")
        sides = [Side("", self.row.left, self._parse(tokens(self.row.left)))]
        for relation, text in pieces[1:]:
            sides.append(Side(relation, written(text), self._parse(text)))
        return sides

    def _parse(self, text: tuple[str, ...]) -> Node:
        summing = r"\sum" in text or "_" in text
        return Parser(text, self.book.running if summing else self.book.names, self.book.own).read()

    # ── judging ──

    def _judge(self, sides: list[Side]) -> None:
        left = sides[0]
        more: dict[Any, Value] = {}
        try:
            target = self._reader(self._literally).value(left.node)
            if len(sides) > 1 and sides[1].relation == r"\leftarrow":
                moved = self.book.after_update_of(left.node.at[0])
                if moved is None:
                    raise Slip("an update of what is not updated")
                target, more["rate"] = moved[0], Value.scalar(moved[1])
        except NotRead as reason:
            self._say("not read", left.latex, str(reason))
            return
        self.shape, self.more = target.array.shape, more
        self.target = target.array
        pool = self._pool(sides)
        before: tuple[Any, Any] | None = (self.target, self.target)
        self._put_in = False  # whether the side before has numbers put in
        if self.hand is not None and len(sides) > 1 and not sides[1].symbolic:
            before = None  # a displayed value is held against what it was rounded from, below
        for side, following in zip(sides[1:], [*sides[2:], None], strict=True):
            self._next_symbolic = following is not None and following.symbolic
            self.links += 1
            self.numbers += len(side.decimals)
            try:
                before = self._link(side, before, pool)
            except Slip as slip:
                self._say("slip", side.latex, str(slip))
                before = None
            except NotRead as reason:
                self._say("not read", side.latex, str(reason))
                before = None

    def _link(self, side: Side, before: tuple[Any, Any] | None, pool: Sequence[Number]) -> tuple[Any, Any] | None:
        """Holds one link against the one before it and against the left; gives what the next one is held against."""
        part = visible(side.node, self.shape)
        if part is not None:
            self._in_part(side, *part, pool)
            return None
        numbers_before, self._put_in = self._put_in, not side.symbolic
        plain = self._reader(self._literally).value(side.node).fitted(self.shape)
        wide = self._reader(self._widely).value(side.node).fitted(self.shape)
        if before is not None and side.relation == r"\approx":
            self._compare("wrong", side, wide, before[1], "does not meet the side before it")
            if all(map(self._is_whole, side.decimals)) and self._all_whole and _exactly(plain, before[0]):
                self._say(
                    "timid", f"{side.relation} {side.latex}", "is equal to the side before it, all digits being exact"
                )
        elif before is not None:
            self._compare("wrong", side, plain, before[0], "is not equal to the side before it")
        self._all_whole = all(map(self._is_whole, side.decimals))
        if self.hand is not None and side.symbolic:
            by_hand = Reader(self.hand.setting(self.more), self._literally).value(side.node).fitted(self.shape)
            self._compare("wrong", side, plain, self.target, "is not the value of the left")
            return plain if self._next_symbolic else by_hand, by_hand
        if self.hand is not None and before is not None and numbers_before and self._all_meet(wide, before[0]):
            # What is displayed is what goes on: this is the rounding of the very numbers that were put in, and they were
            # held against the left. Along another road than the matrix form's they may lead to another last digit.
            pass
        elif self.hand is not None:
            self._compare("wrong", side, wide, self._rounded, "does not meet the value of the left")
        else:
            unknown: list[Node] = []
            sharp = self._reader(lambda node: self._sharply(node, pool, unknown)).value(side.node).fitted(self.shape)
            for node in unknown:
                self._say("wrong", side.latex, f"{node.at[0]} is the rounding of nothing in this chain")
            if not unknown:
                self._compare("wrong", side, sharp, self.target, "is not the value of the left")
        return plain, wide

    def _in_part(self, side: Side, node: Node, rows: list[int], columns: list[int], pool: Sequence[Number]) -> None:
        """A matrix with dots: the entries that are shown, held against those of the left."""
        unknown: list[Node] = []
        book = self.book if side.symbolic else self.hand or self.book
        reader = Reader(book.setting(self.more), lambda node: self._sharply(node, pool, unknown))
        shown = reader.value(node).array
        wanted = (self._rounded if self.hand is not None and not side.symbolic else self.target)[np.ix_(rows, columns)]
        for place in np.ndindex(*shown.shape):
            if not meets(shown[place], wanted[place]):
                self._say(
                    "wrong", side.latex, f"{_short(shown[place])} is not the value of the left: {_short(wanted[place])}"
                )
                return
        if unknown and self.hand is None:
            self._say("wrong", side.latex, f"{unknown[0].at[0]} is the rounding of nothing in this chain")

    @cached_property
    def _rounded(self) -> Any:
        """The left side as it is shown: any value that rounds to it."""
        assert self.hand is not None
        whole = Chained(self.row, self.hand)
        target = whole.left_value()
        array = np.empty(self.shape, dtype=object)
        digits = self.book.digits
        for place in np.ndindex(*self.shape):
            x = ball(target[place])
            unit = (
                abs(x) * 10 / arb(10) ** digits.significant
                if digits.significant
                else arb(10) ** -(digits.decimals or 0)
            )
            array[place] = widened(x, unit)
        return array

    def left_value(self) -> Any:
        """The value of the left side; of an update the new value."""
        left = self._parse(tokens(self.row.left))
        if tokens(self.row.text)[:1] == (r"\leftarrow",):
            moved = self.book.after_update_of(left.at[0])
            assert moved is not None
            return moved[0].array
        return self._reader(self._literally).value(left).array

    def _all_meet(self, a: Any, b: Any) -> bool:
        return all(meets(a[place], b[place]) for place in np.ndindex(*self.shape))

    def _compare(self, kind: str, side: Side, a: Any, b: Any, why: str) -> None:
        for place in np.ndindex(*self.shape):
            if not meets(a[place], b[place]):
                entry = f"entry {tuple(k + 1 for k in place)}: " if len(a.ravel()) > 1 else ""
                self._say(kind, f"{side.relation} {side.latex}", f"{entry}{_short(a[place])} {why}: {_short(b[place])}")
                return

    # ── what a decimal stands for ──

    def _reader(self, decimal: Any) -> Reader:
        return Reader(self.book.setting(getattr(self, "more", None)), decimal)

    @staticmethod
    def _literally(node: Node) -> Number:
        return literal(*node.at)

    def _widely(self, node: Node) -> Number:
        value = literal(*node.at)
        return value if self._is_whole(node) else widened(value, self.book.digits.half(node))

    def _is_whole(self, node: Node) -> bool:
        return self.book.digits.whole(node) or (self.hand is not None and node.kind == "num" and "." not in node.at[0])

    def _sharply(self, node: Node, pool: Sequence[Number], unknown: list[Node]) -> Number:
        value = literal(*node.at)
        if self.book.digits.whole(node):
            return value
        around = widened(value, self.book.digits.half(node))
        fitting = [x for x in pool if around.contains(ball(x)) or (not telling(x) and around.overlaps(ball(x)))]
        if (value in self.book.constants and not node.at[0].endswith("0")) or "." not in node.at[0]:
            fitting.append(value)
        if not fitting:
            unknown.append(node)
            return around
        if len(fitting) == 1:
            return fitting[0]
        hull = ball(fitting[0])
        for x in fitting[1:]:
            hull = hull.union(ball(x))
        return hull

    def _pool(self, sides: Sequence[Side]) -> list[Number]:
        """Every value that occurs in the symbolic sides: names, pieces, products from the left; and the left itself."""
        seen: list[Value] = [Value(self.target)]
        for side in sides:
            if side.symbolic:
                reader = self._reader(self._literally)
                reader.seen = seen
                try:
                    reader.value(side.node)
                except (Slip, NotRead):
                    continue
        pool: dict[str, Number] = {}
        for value in seen:
            for entry in value.array.ravel():
                size = abs(entry) if isinstance(entry, arb) else (entry if entry >= 0 else -entry)
                if telling(size):
                    pool.setdefault(size.str(30) if isinstance(size, arb) else str(size), size)
        return list(pool.values())


def _exactly(a: Any, b: Any) -> bool:
    return all(
        isinstance(x, fmpq) and isinstance(y, fmpq) and x == y for x, y in zip(a.ravel(), b.ravel(), strict=True)
    )


def _short(x: Number) -> str:
    return str(x) if isinstance(x, fmpq) and len(str(x)) < 20 else ball(x).str(12)


class _precision:
    """FLINT's working precision, for a while."""

    def __enter__(self) -> None:
        self._before = ctx.prec
        ctx.prec = BITS

    def __exit__(self, *_: object) -> None:
        ctx.prec = self._before


# ── whole documents ─────────────────────────────────────────────────────────────────────────────────────────────


class Books:
    """The readings of the parts of a solution, made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool, bool], tuple[Book, Book | None]] = {}

    def of(self, part: Part) -> Iterator[tuple[Book, Book | None]]:
        """How the fractions of a part may be understood, the usual way first; beside it, the values of work by hand."""
        by_hand = part.problem.convention.carry == "displayed"
        for local, turned in ((False, False), (True, False), (False, True), (True, True)):
            key = (id(part), local, turned)
            if key not in self._known:
                hand = Book(part, local=local, turned=turned, carried=True) if by_hand else None
                self._known[key] = Book(part, local=local, turned=turned), hand
            yield self._known[key]


def read_rows(rows: Iterator[Row], books: Books | None = None) -> Report:
    """Every chain, read and judged."""
    report, books = Report(), books or Books()
    for row in rows:
        check_row(row, books, report)
    return report


def check_row(row: Row, books: Books, report: Report) -> None:
    """One chain: right if one understanding of its fractions makes it right."""
    if _defines_a_function(row):
        _check_function(row, next(books.of(row.part))[0], report)
        return
    if is_index_formula(row.text):
        _check_indices(row, books, report)
        return
    if not row.part.numeric:
        report.findings.append(Finding("not read", row.where, row.text, "no numbers"))
        return
    first: Chained | None = None
    for book, hand in books.of(row.part):
        chained = Chained(row, book, hand)
        bad = [finding for finding in chained.check() if finding.kind in ("wrong", "slip")]
        first = first or chained
        if not bad:
            first = chained
            break
        if r"\partial" not in row.left + row.text:
            break
    assert first is not None
    report.findings += first.findings
    report.links += first.links
    report.numbers += first.numbers


def _defines_a_function(row: Row) -> bool:
    if row.left.startswith(r"\operatorname{vec}"):
        return False
    return re.fullmatch(r"[^_]*\(z\)|\\sqrt\{z\}|\\left\|z\\right\||e\^\{z\}", row.left) is not None


def _check_indices(row: Row, books: Books, report: Report) -> None:
    """An index formula, held at every index of its left-hand side."""
    part, book = row.part, next(books.of(row.part))[0]
    if not part.numeric:
        report.findings.append(Finding("not read", row.where, row.text, "no numbers"))
        return
    top = part.asked.top or ""
    shapes = {name: book._shape(name) for name in book._all}
    formula = IndexFormula(
        shapes,
        book.symbols.name,
        book.symbols.indexed,
        lambda name: part.run.value(name, BITS),
        lambda name: part.run.value(Adjoint(top, name), BITS),
        book.symbols.name(top),
    )
    report.links += 1
    try:
        with _precision():
            for why in formula.disagreements(row.left, row.text.removeprefix("= ")):
                report.findings.append(Finding("wrong", row.where, row.text, why))
    except Misread as misread:
        report.findings.append(Finding("slip", row.where, row.text, str(misread)))


def _check_function(row: Row, book: Book, report: Report) -> None:
    """``σ(z) = …``: held at a few points."""
    try:
        pieces = split(tokens(row.text))
        names: dict[tuple[str, ...], Any] = {("z",): "z"}
        sides = [Parser(text, names, book.own).read() for text in (tokens(row.left), *(text for _, text in pieces[1:]))]
        with _precision():
            for point in POINTS:
                reader = Reader(book.setting({"z": Value.scalar(point)}), Chained._literally)
                left, *rest = (reader.value(side).array[0, 0] for side in sides)
                for side, value in zip(pieces[1:], rest, strict=True):
                    report.links += 1
                    if not meets(value, left):
                        why = f"at z = {point}: {_short(value)} is not {_short(left)}"
                        report.findings.append(Finding("wrong", row.where, written(side[1]), why))
    except Slip as slip:
        report.findings.append(Finding("slip", row.where, row.text, str(slip)))
    except NotRead as reason:
        report.findings.append(Finding("not read", row.where, row.text, str(reason)))


def read_document(document: Document, solution: Solution) -> Report:
    """Every chain of a document."""
    return read_rows(rows_of(document, solution))


def read_tex(text: str, solution: Solution) -> Report:
    """Every chain of a LaTeX file."""
    return read_rows(rows_of_tex(text, solution))
