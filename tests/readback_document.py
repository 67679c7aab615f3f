"""Reading whole reports back: every chain of a document, or of its LaTeX file, held against the certified solution.

The names of a part are entered with their printed symbols (``Symbols.name``, ``Symbols.entry``) and certified values; a
fraction of partials is the derivative of the loss where the loss stands above, else SymPy's local derivative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from flint import arb, ctx, fmpq

from derive.calculus.numeric import compiled
from derive.graph.expression import Adjoint, Plane
from derive.report.document import Chain, Display, Document, Heading, Text
from derive.report.notation import Symbols, letter
from derive.solution import Solution
from derive.solution.part import Part
from readback import Digits, Finding, Reader, Report, Running, Setting, Side
from readback_grammar import Node, Parser, numbered, visible
from readback_tokens import NotRead, Slip, split, tokens, written
from readback_updates import staged, update_of
from readback_values import BITS, FUNCTIONS, SLOPES, Number, Value, _relu, _step, ball, literal, meets, telling, widened
from readback_windows import IndexFormula, Misread, is_index_formula

POINTS = tuple(fmpq(*pair) for pair in ((3, 10), (-7, 5), (9, 4)))  # where definitions of functions are tried


@dataclass(frozen=True)
class Row:
    """A chain as printed: its left side, and everything after it as one text with its relations."""

    part: Part
    left: str
    text: str

    @property
    def where(self) -> str:
        name = self.part.problem.part
        return (f"part {name}, " if name else "") + self.left


def rows_of(document: Document, solution: Solution) -> Iterator[Row]:
    """Every chain of a document, with the part of the solution it belongs to."""
    where = _Where(solution)
    for block in document.blocks:
        if isinstance(block, Heading):
            title = "".join(s.text for s in block.spans if isinstance(s, Text))
            where.heading(title, block.level, block.label)
        elif isinstance(block, Display):
            left = ""
            for chain in block.chains:
                left = chain.left or left
                yield from _for_every_step(where.row(left, joined(chain)))


class _Where:
    """In which part of the solution a row stands, and within its updates in which one, after which lines."""

    def __init__(self, solution: Solution) -> None:
        self.solution = solution
        self.part = self.whole = solution.parts[0]
        self.update: int | None = None
        self.level = 0
        self.assigned: frozenset[tuple[str, ...]] = frozenset()
        self.known: dict[Any, Part] = {}

    def heading(self, title: str, level: int, label: str = "") -> None:
        """A new section."""
        found = _part_named(self.solution, title, self.whole)
        if found is not self.whole or level < 3:
            self.part = self.whole = found
        self.part = _view(self.whole, label) or self.part
        begun = update_of(title, self.whole)
        if begun is not None or level < self.level:
            self.update, self.assigned, self.level = begun, frozenset(), level
        if re.fullmatch(r"Step \d+: Update", title) and _has_a_rule(self.whole):
            self.update, self.level = 0, level  # what the rule starts from

    def row(self, left: str, text: str) -> Row:
        """A row; what it assigns has its new value from the next row on."""
        if self.update is None:
            return Row(self.part, left, text)
        key = (id(self.whole), self.update, self.assigned)
        if key not in self.known:
            self.known[key] = staged(self.whole, self.update, self.assigned)
        if tokens(text)[:1] == (r"\leftarrow",):
            self.assigned |= {tokens(left)}
        return Row(self.known[key], left, text)


def _has_a_rule(part: Part) -> bool:
    return part.opening is not None and not part.opening.update.plain


def _for_every_step(row: Row) -> Iterator[Row]:
    """A general equation at each of its steps; ``(t = 1, \\dots, 9)`` behind it says which."""
    match = re.search(r"(?:\\quad)?\s*\((\\?[A-Za-z]+) = ([-0-9, ]+?)(?:, \\dots, (-?[0-9]+))?\)\s*$", row.text)
    if match is None:
        yield row
        return
    steps = [int(number) for number in match[2].split(",")]
    if match[3]:
        last = int(match[3])
        gap = steps[1] - steps[0] if len(steps) > 1 else 1 if last > steps[0] else -1
        steps = list(range(steps[0], last + (1 if gap > 0 else -1), gap))
    for step in steps:
        left, text = (" ".join(numbered(tokens(t), match[1], step)) for t in (row.left, row.text[: match.start()]))
        yield Row(row.part, left, text)


def joined(chain: Chain) -> str:
    """What follows the left side, in one line."""
    return " ".join(f"{link.relation} {' '.join(link.terms)}" for link in chain.links)


def _view(part: Part, label: str) -> Part | None:
    """The part as a labelled section sees it, with the names that the section brings along."""
    return part.further.views.get(label) if part.further is not None else None


def _part_named(solution: Solution, title: str, now: Part) -> Part:
    return next((part for part in solution.parts if title == f"Part {part.problem.part}"), now)


def rows_of_tex(text: str, solution: Solution) -> Iterator[Row]:
    """Every chain of a LaTeX file, from its displays."""
    where = _Where(solution)
    body = text[text.index(r"\begin{document}") :]
    pattern = re.compile(
        r"\\(?P<sub>(?:sub)*)section\{(?P<title>[^{}]*)\}|\\begin\{derivation\}(?P<plain>.*?)\\end\{derivation\}"
        r"|\\begin\{aligned\}(?P<boxed>.*?)\\end\{aligned\}",
        re.DOTALL,
    )
    for match in pattern.finditer(body):
        if match["title"] is not None:
            where.heading(match["title"].strip(), 1 + len(match["sub"]) // 3)
            continue
        left, text = "", ""
        for line in _lines(match["plain"] or match["boxed"]):
            here, _, rest = line.partition("&")
            rest = re.sub(r"\\dvnumber\\label\{[^{}]*\}", "", rest.replace(r"\quad", " ")).strip().removeprefix("{}")
            if here.strip():
                if left:
                    yield from _for_every_step(where.row(left, text))
                left, text = here.strip(), ""
            text += " " + _unfitted(rest)
        if left:
            yield from _for_every_step(where.row(left, text))


def _lines(body: str) -> list[str]:
    r"""The rows of a display: ``\\`` outside of matrices ends one."""
    lines, depth, line, k = [], 0, "", 0
    body = re.sub(r"\\\\\[[0-9.]+ex\]", r"\\\\", body)  # more room between the rows of a matrix
    body = re.sub(r"\\begin\{array\}\{[^{}]*\}", r"\\begin{array}", body)
    while k < len(body):
        if body.startswith(r"\begin{", k):
            depth += 1
        elif body.startswith(r"\end{", k):
            depth -= 1
        elif body.startswith("\\\\", k) and depth == 0:
            lines.append(line)
            line, k = "", k + 2 + body.startswith("\\\\*", k)
            continue
        line += body[k]
        k += 1
    return [line for line in [*lines, line] if line.strip()]


def _unfitted(text: str) -> str:
    r"""Without ``\dvfit{…}{…}``, which scales what is too wide; arrays in brackets are the matrices they are elsewhere."""
    text = re.sub(r"\\dvfit\{[^{}]*\}", "", text)
    return text.replace(r"\left(\begin{array}", r"\begin{pmatrix}").replace(r"\end{array}\right)", r"\end{pmatrix}")


# ── what printed symbols stand for ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Whole:
    """A name with all its entries."""

    name: str


@dataclass(frozen=True)
class One:
    """An entry of a name."""

    name: str
    index: tuple[int, ...]


@dataclass(frozen=True)
class InStack:
    """One matrix (or row) of a name with more than two axes."""

    name: str
    lead: tuple[int, ...]


def _planes(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The places of the matrices of a stack, and of its rows where it has three axes; and the sizes there."""
    for count in (len(shape) - 2, len(shape) - 1) if len(shape) == 3 else (len(shape) - 2,) if len(shape) > 3 else ():
        for lead in np.ndindex(*shape[:count]):
            yield lead, shape[count:]


def _plane(array: Any, lead: tuple[int, ...]) -> Value:
    inner = array[lead]
    return Value(np.array(inner, dtype=object).reshape(1, -1) if inner.ndim == 1 else np.array(inner, dtype=object))


class Book:
    """The printed symbols of one part and their certified values.

    ``local`` says how a fraction is understood whose upper name is not the loss, or which may be both: as the local
    derivative of one equation (True), or as the derivative along all ways where the solution has one. ``turned``: with
    rows and columns exchanged. With ``carried`` the values are the displayed ones that work by hand goes on with.
    """

    def __init__(self, part: Part, *, local: bool = False, turned: bool = False, carried: bool = False) -> None:
        self.part, self.local, self.turned, self.carried = part, local, turned, carried
        self.run = part.shown if carried else part.run
        self.symbols = Symbols(part.problem, part.network)
        convention = part.problem.convention
        self.digits = Digits(None if convention.significant else convention.digits, convention.significant)
        self._values: dict[Any, Value] = {}

    # ── names ──

    @cached_property
    def _all(self) -> tuple[str, ...]:
        return (*self.part.network.data, *(str(equation.name) for equation in self.part.network.equations))

    @cached_property
    def names(self) -> dict[tuple[str, ...], Any]:
        """The tokens of every symbol and what it stands for. A symbol of two things is a ``Slip``."""
        table: dict[tuple[str, ...], Any] = {}

        def enter(latex: str, key: Any) -> None:
            held = table.setdefault(tokens(latex), key)
            if held != key and not self._same(held, key):
                raise Slip(f"{latex} stands for {held} and for {key}")

        for name in self._all:
            enter(self.symbols.name(name), Whole(name))
            for index in np.ndindex(*self._shape(name)):
                if len(self._shape(name)) >= 2:
                    enter(self.symbols.entry(name, index), One(name, index))
            for lead, rest in _planes(self._shape(name)):
                if np.prod(rest) > 1:
                    enter(self.symbols.name(Plane(name, lead)), InStack(name, lead))
        for key, adjoint in self.signals.items():
            enter(self.symbols.name(adjoint), Whole(key))
            for index in np.ndindex(*self._shape(key)):
                enter(self.symbols.entry(adjoint, index), One(key, index))
        for text in self._seconds:
            enter(self.symbols.name(text), Whole(text))
        for upstream in self.part.problem.ask.upstream:
            enter(self.symbols.name(upstream.of), Whole(upstream.of))
        update = self.part.problem.ask.update
        if update is not None:
            enter(letter(update.symbol), "rate")
        return table

    @cached_property
    def running(self) -> dict[tuple[str, ...], Any]:
        """The names with running indices, for sums."""
        table = dict(self.names)
        for name in self._all:
            shape = self._shape(name)
            letters = "".join(letter for letter, size in zip("ij", shape, strict=False) if size != 1)
            if len(shape) == 2 and letters:
                key = tokens(self.symbols.indexed(name, letters))
                if key in table:
                    raise Slip(f"{written(key)} is a name and a running entry")
                table[key] = Running(Whole(name), letters)
        return table

    @cached_property
    def own(self) -> dict[tuple[str, ...], Any]:
        """The symbols of the problem's own functions."""
        return {tokens(self.symbols.function("own", (name,))): ("own", name) for name in self.part.problem.functions}

    def _same(self, a: Any, b: Any) -> bool:
        return (
            isinstance(a, Whole | One)
            and isinstance(b, Whole | One)
            and a.name == b.name
            and np.prod(self._shape(a.name)) == 1
        )

    def _shape(self, name: str) -> tuple[int, ...]:
        if name in self.signals:
            adjoint = self.signals[name]
            shape = tuple(int(size) for size in self.part.network.shape(adjoint.by))
            return shape[::-1] if adjoint.numerator else shape
        if name in {upstream.of for upstream in self.part.problem.ask.upstream}:
            return ()
        return tuple(int(size) for size in self.part.network.shape(name))

    # ── values ──

    def value(self, key: Any) -> Value:
        """The certified value of a symbol."""
        if key not in self._values:
            self._values[key] = self._find(key)
        return self._values[key]

    @cached_property
    def signals(self) -> dict[str, Adjoint]:
        """The error signals: a name for each, and the adjoint that it is."""
        part = self.part
        names = part.problem.ask.questions.delta if part.problem.ask.questions is not None else {}
        if part.derivation is None:
            return {}
        negative = part.problem.convention.delta_sign == "negative"
        found = (a for a in part.derivation.adjoints if a.by in names)
        return {f"delta {a.by}": Adjoint(a.of, a.by, a.numerator, negative) for a in found}

    @property
    def _seconds(self) -> tuple[str, ...]:
        """The second derivatives that the part has."""
        ratios = tuple(ratio.text for ratio in self.part.asked.ratios if ratio.text.startswith("d2"))
        return ratios + (tuple(one.text for one in self.part.further.seconds) if self.part.further is not None else ())

    def _find(self, key: Any) -> Value:
        if isinstance(key, Whole) and key.name in self.signals:
            return _matrix(self.run.value(self.signals[key.name], BITS))
        if isinstance(key, Whole) and key.name in self._seconds:
            return _matrix(self.part.value_of(key.name, BITS))
        if isinstance(key, Whole):
            return _matrix(self.run.value(key.name, BITS))
        if isinstance(key, One) and len(self._shape(key.name)) > 2:
            return Value.scalar(self.run.value(key.name, BITS)[key.index])
        if isinstance(key, InStack):
            return _plane(self.run.value(key.name, BITS), key.lead)
        if isinstance(key, One):
            return Value.scalar(self.value(Whole(key.name)).array[key.index])
        if isinstance(key, fmpq | arb):
            return Value.scalar(key)
        raise NotRead(f"{key} without a value")

    def partial(self, above: Any, below: Any, direct: bool = False) -> Value:
        """d above / d below; ``direct``: by one equation alone, whatever other ways there are."""
        key = ("d", above, below, direct)
        if key not in self._values:
            self._values[key] = self._partial(above, below, direct)
        return self._values[key]

    def _partial(self, above: Any, below: Any, only: bool) -> Value:
        of, by = above.name, below.name
        if len(self._shape(by)) > 2 and not isinstance(below, Whole):
            found = self._of_stack(above, below, only)
            if found is not None:
                return found
        ratio = next((ratio for ratio in self.part.asked.ratios if (ratio.of, ratio.by) == (of, by)), None)
        if (
            not only
            and ratio is not None
            and ratio.kind == "jacobian"
            and isinstance(above, Whole)
            and isinstance(below, Whole)
        ):
            return _matrix(self.part.value_of(ratio.text, BITS))
        total = self._total(of, by) if np.prod(self._shape(of)) == 1 or isinstance(above, Whole) else None
        direct = (
            of in {str(e.name) for e in self.part.network.equations}
            and by in self.part.network.equation(of).value.names()
        )
        if total is not None and not ((self.local or only) and direct):
            if isinstance(below, One) and len(below.index) > 2:
                return Value.scalar(self.run.value(Adjoint(of, by), BITS)[below.index])
            if isinstance(below, One):
                return Value.scalar(total.array[below.index])
            numerator = self.part.derivation is not None and self.part.derivation.layout == "numerator"
            return Value(total.array.T) if numerator != self.turned else total
        if not direct and of == by:
            return Value.scalar(fmpq(1))
        rows = [above.index] if isinstance(above, One) else list(np.ndindex(*self._shape(of)))
        columns = [below.index] if isinstance(below, One) else list(np.ndindex(*self._shape(by)))
        array = np.empty((len(rows), len(columns)), dtype=object)
        for place, (row, column) in zip(np.ndindex(*array.shape), ((r, c) for r in rows for c in columns), strict=True):
            array[place] = self._local(of, row, by, column)
        return Value(array)

    def _of_stack(self, above: Any, below: Any, only: bool) -> Value | None:
        """The derivative of the loss by an entry or a matrix of a stack; ``None`` where that of one equation is meant."""
        if np.prod(self._shape(above.name)) != 1 or only or self.local:
            return None
        adjoint = Adjoint(above.name, below.name)
        if adjoint not in self.part.shape_adjoints:
            return None
        whole = self.run.value(adjoint, BITS)
        return _plane(whole, below.lead) if isinstance(below, InStack) else Value.scalar(whole[below.index])

    def _total(self, of: str, by: str) -> Value | None:
        for adjoint in (*self.part.shape_adjoints, Adjoint(of, by)):
            if (adjoint.of, adjoint.by) == (of, by):
                try:
                    return _matrix(self.run.value(adjoint, BITS))
                except KeyError:
                    return None
        return None

    def _local(self, of: str, row: tuple[int, ...], by: str, column: tuple[int, ...]) -> Number:
        explicit = self.part.explicit
        if explicit is None:
            raise NotRead("a local derivative of a large network")
        right, symbol = explicit.equation(of)[row], explicit.symbols(by)[column]
        slope = explicit.with_definitions(sympy.diff(right, symbol))
        return self._evaluate(slope)

    def _evaluate(self, formula: sympy.Expr) -> Number:
        explicit = self.part.explicit
        assert explicit is not None
        env = {}
        for symbol in formula.free_symbols:
            entry = explicit.entry_of[symbol]
            if len(entry.index) > 2:
                env[symbol] = self.value(One(str(entry.name), entry.index)).array[0, 0]
                continue
            array = self.value(Whole(str(entry.name))).array
            env[symbol] = array[entry.index] if entry.index else array[0, 0]
        result: Number = compiled(formula)(env)
        return result

    def function(self, name: Any, primes: int) -> Any:
        """A function of the op table, or one of the problem's own, or its derivative."""
        if isinstance(name, tuple) and name[0] == "own":
            return self._own(name[1], primes)
        at = next((node.at for e in self.part.network.equations for node in e.value.nodes() if node.op == name), ())
        if name == "relu" and primes:
            kink = self.part.problem.convention.relu_at_zero
            return lambda x: _step(x, fmpq(0), fmpq(kink))
        if name == "leaky_relu":
            slope = fmpq(at[0])
            return (
                (lambda x: _relu(x, slope))
                if not primes
                else (lambda x: _step(x, slope, fmpq(self.part.problem.convention.relu_at_zero)))
            )
        table = (FUNCTIONS, SLOPES)
        if primes > 1 or name not in table[primes]:
            raise NotRead(f"{name} with {primes} primes")
        return table[primes][name]

    def _own(self, name: str, primes: int) -> Any:
        from derive.calculus.functions import Z

        formula = self.part.functions.definition("own", (name,))
        if formula is None:
            raise NotRead("a function without a formula")
        evaluate = compiled(sympy.diff(formula, Z, primes))
        return lambda x: evaluate({Z: x})

    @cached_property
    def axis(self) -> int:
        """The axis of the network's softmax."""
        for equation in self.part.network.equations:
            for node in equation.value.nodes():
                if node.op in ("softmax", "log_softmax", "cross_entropy"):
                    return int(node.at[0])
        return 1

    def setting(self, more: Mapping[Any, Value] | None = None) -> Setting:
        """What a reader needs, with some symbols standing for something else."""
        more = more or {}
        return Setting(
            lambda key: more[key] if key in more else self.value(key), self.partial, self.function, self.axis
        )

    @cached_property
    def constants(self) -> frozenset[fmpq]:
        """The numbers of the problem: data, rates, constants of the equations."""
        found: set[fmpq] = set()
        for datum in self.part.network.data.values():
            if datum.tensor is not None:
                found |= {abs(entry) for entry in datum.tensor.entries}
        update = self.part.problem.ask.update
        if update is not None:
            found |= {abs(rate) for rate in update.rates.values()}
        for e in self.part.network.equations:
            found |= {abs(node.number) for node in e.value.nodes() if node.op == "constant"}
        return frozenset(found)

    def after_update_of(self, key: Any) -> tuple[Value, fmpq] | None:
        """``after_update`` of a name, or of one matrix of a stack."""
        update, loss = self.part.problem.ask.update, self.part.asked.loss
        if not isinstance(key, InStack) or update is None or loss is None:
            return self.after_update(key.name)
        rate = update.rates[key.name]
        old, slope = (_plane(self.run.value(of, BITS), key.lead) for of in (key.name, Adjoint(loss, key.name)))
        return Value(old.array - slope.array * rate), rate

    def after_update(self, name: str) -> tuple[Value, fmpq] | None:
        """The value of a parameter after one update, and its rate."""
        stage = getattr(self.part, "stage", None)
        if stage is not None:
            return _matrix(stage.after_update(name, BITS, self.carried)), fmpq(0)
        update, loss = self.part.problem.ask.update, self.part.asked.loss
        if update is None or loss is None or name not in update.rates:
            return None
        total = self._total(loss, name)
        if total is None:
            return None
        rate = update.rates[name]
        old = self.value(Whole(name)).array
        return Value(old - total.array * rate), rate


def _matrix(array: Any) -> Value:
    lone = sum(size != 1 for size in array.shape) <= 1 and (array.size == 1 or array.shape[1] != 1)
    if array.ndim > 2 and lone:  # one entry for each filter
        return Value(np.array(array, dtype=object).reshape(1, -1))
    if array.ndim > 2:
        raise NotRead("more than two axes")
    return Value(np.array(array, dtype=object).reshape((1, 1)) if array.ndim < 2 else np.array(array, dtype=object))


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
