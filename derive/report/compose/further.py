"""Sections on the further questions: second derivatives, forward mode.

Each stands on a view of the part, under a heading whose label names that view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy

from derive.graph.expression import Adjoint, Expression, Name
from derive.problem.ask import split_ratio
from derive.report.compose.backward import matrix_form
from derive.report.compose.chains import chain_of_jacobians
from derive.report.compose.sheet import Sheet, fits
from derive.report.compose.statement import plain
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Paragraph, Table
from derive.report.notation import Cell, scalar
from derive.report.notation.matrices import matrix_of
from derive.solution.quotients import Exercise
from derive.solution.rows import Rows
from derive.solution.second import Second, shown_written
from derive.solution.tangents import Pass
from derive.solution.view import bar, dot


def view_of(sheet: Sheet, label: str) -> Sheet:
    """The sheet of a section: the part with the names that the section brings along."""
    assert sheet.part.further is not None
    return Sheet(sheet.part.further.views[label], sheet.words, sheet.first, sheet.detail)


def equation(sheet: Sheet, name: str) -> Chain:
    """One equation of a view: formula, names, numbers, result."""
    value = sheet.part.network.equation(name).value
    return _chain(sheet, name, value)


def _chain(sheet: Sheet, name: Name, value: Expression) -> Chain:
    """A chain without the links that are too wide for a line; formula and result always stay."""
    formula = sheet.formula_links(value)
    numbers = sheet.number_links(name, value) if sheet.numeric else []
    formula = [formula[0], *(link for link in formula[1:] if fits(link.terms))]
    numbers = [*(link for link in numbers[:-1] if fits(link.terms)), *numbers[-1:]]
    return sheet.chain(sheet.symbols.name(name), formula, numbers)


# ── forward mode ────────────────────────────────────────────────────────────────────────────────────────────────


def forward_mode(sheet: Sheet) -> Iterator[Block]:
    """One section for each pass, every tangent beside its value."""
    found = sheet.part.further.passes if sheet.part.further is not None else ()
    if found:
        yield Paragraph(sheet.words.say("tangents.intro", dot=Math(r"\dot{v}"), name=Math("v")))
    for one in found:
        yield from _pass(sheet, view_of(sheet, one.label), one)


def _pass(whole: Sheet, sheet: Sheet, one: Pass) -> Iterator[Block]:
    words = sheet.words
    yield Heading(3, words.say("tangents.heading", names=sheet.listed(one.moved)), one.label)
    starts = [dot(name) for name in one.moved]
    said = [name for name in starts if sheet.part.network.data[name].tensor is not None]
    free = [name for name in starts if name not in said]
    still = len(one.moved) < sum(name not in whole.part.network.labels for name in whole.part.network.data)
    if said:
        yield Paragraph(words.say("tangents.start_only" if still else "tangents.start"))
        yield Display(tuple(Chain(sheet.symbols.name(name), (Link("=", (_seed(sheet, name),)),)) for name in said))
    if free:
        yield Paragraph(words.say("tangents.free", names=sheet.listed(free)))
    yield Paragraph(words.say("tangents.follow" if sheet.numeric else "tangents.follow_symbolic"))
    for name in one.names:
        chains = [equation(sheet, name)]
        if sheet.numeric:
            value = name.removeprefix("dot ")
            relation = "=" if sheet.exact(value) else r"\approx"
            chains.insert(0, Chain(sheet.symbols.name(value), (Link(relation, (sheet.value(value),)),)))
        yield Display(tuple(chains))
    if one.products is not None:
        yield Paragraph(words.say("tangents.reverse", end=sheet.math(one.end)))
        yield Display((_products(sheet, one, one.products),))


def _seed(sheet: Sheet, name: str) -> str:
    """The numbers of a direction, as they stand in the problem file."""
    datum = sheet.part.network.data[name]
    assert datum.tensor is not None
    entries, width = datum.tensor.entries, int(datum.shape[-1]) if datum.shape else 1
    return matrix_of(tuple(map(int, datum.shape)), lambda k: plain(entries[k[0] * width + k[1] if k else 0]))


def _products(sheet: Sheet, one: Pass, products: Expression) -> Chain:
    """The last tangent as reverse mode has it: adjoint times direction."""
    return _chain(sheet, dot(one.end), products)


# ── a prescribed alphabet ───────────────────────────────────────────────────────────────────────────────────────


def alphabet(sheet: Sheet) -> Iterator[Block]:
    """Each gradient in the letters that are allowed for it."""
    found = sheet.part.further.spelled if sheet.part.further is not None else ()
    for letters in dict.fromkeys(one.letters for one in found):
        yield Paragraph(sheet.words.say("alphabet.intro", letters=sheet.listed(letters_of(letters))))
        yield Display(tuple(_chain(sheet, one.laid_out, one.shown) for one in found if one.letters == letters))


def letters_of(letters: Sequence[str]) -> Iterator[Name]:
    """Names as they are; ``dJ/dy`` as the derivative that it is."""
    for letter in letters:
        ratio = split_ratio(letter)
        yield letter if ratio is None else Adjoint(*ratio)


# ── difference quotients ────────────────────────────────────────────────────────────────────────────────────────


def differences(sheet: Sheet) -> Iterator[Block]:
    """Each exercise: both ends, the quotient, its distance from the gradient."""
    for one in sheet.part.further.exercises if sheet.part.further is not None else ():
        yield from _exercise(view_of(sheet, one.label), one)


def _exercise(sheet: Sheet, one: Exercise) -> Iterator[Block]:
    words = sheet.words
    step, plus, minus, quotient, slope, gap = map(one.name, ("step", "plus", "minus", "quotient", "slope", "gap"))
    entry, loss = Math(sheet.symbols.entry(one.of, one.index)), sheet.math(one.loss)
    yield Heading(3, words.say("differences.heading", entry=entry), one.label)
    size = Math(rf"{sheet.symbols.name(step)} = {plain(one.step)}")
    yield Paragraph(words.say("differences.intro", entry=entry, step=size, loss=loss))
    yield Display((_valued(sheet, plus), _valued(sheet, minus)))
    yield Paragraph(words.say("differences.quotient"))
    yield Display((_chain(sheet, quotient, sheet.part.network.equation(quotient).value),))
    yield Paragraph(words.say("differences.slope"))
    yield Display((_valued(sheet, slope),))
    yield Paragraph(words.say("differences.gap"))
    yield Display((Chain(sheet.symbols.name(gap), _number_of(sheet, gap)),))
    key = {True: "shrinks", False: "stays", None: "exact"}[one.shrinks]
    yield Paragraph(words.say(f"differences.{key}", step=sheet.math(step)))


def _valued(sheet: Sheet, name: str) -> Chain:
    return Chain(sheet.symbols.name(name), _number_of(sheet, name))


def _number_of(sheet: Sheet, name: str) -> tuple[Link, ...]:
    return (Link("=" if sheet.exact(name) else r"\approx", (sheet.value(name),)),)


# ── from one sample to a batch ──────────────────────────────────────────────────────────────────────────────────


def batch(sheet: Sheet) -> Iterator[Block]:
    """The equations and the derivatives for N rows, and what changes."""
    found = sheet.part.further.rows if sheet.part.further is not None else None
    if found is None:
        return
    seen, words = view_of(sheet, found.label), sheet.words
    size = Math(sheet.symbols.size(found.size))
    yield Heading(3, words.say("batch.heading", size=size), found.label)
    key = f"batch.{('row', 'column')[found.axis]}{'s' if len(found.of) > 1 else ''}"
    yield Paragraph(words.say(key, names=sheet.listed(found.of), size=size))
    network = seen.part.network
    yield Display(
        tuple(
            Chain(seen.symbols.name(equation.name), (Link("=", seen.letters.terms(equation.value)),))
            for equation in network.equations
        )
    )
    loss = sheet.part.asked.loss
    if loss is not None and found.kind:
        kind = (
            found.kind if found.kind == "other" else f"{'each' if found.kind == 'each' else 'loss'}_{found.reduction}"
        )
        yield Paragraph(words.say(f"batch.{kind}", loss=sheet.math(loss), size=size))
    yield Paragraph(words.say("batch.derivatives"))
    for adjoint in found.derivation.adjoints:
        yield matrix_form(seen, found.derivation, adjoint)
    yield from _what_changes(sheet, seen, found)


def _what_changes(sheet: Sheet, seen: Sheet, found: Rows) -> Iterator[Block]:
    """The formulas side by side, those that are other ones for N rows."""
    words, before = sheet.words, sheet.part.derivation
    assert before is not None
    lines, same = [], []
    for adjoint, value in found.derivation.adjoints.items():
        if adjoint not in before.adjoints:
            continue
        one, many = sheet.letters.text(before.adjoints[adjoint]), seen.letters.text(value)
        if one == many:
            same.append(adjoint)
        else:
            lines.append(((sheet.math(adjoint),), (Math(one),), (Math(many),)))
    if lines:
        yield Paragraph(words.say("batch.changes"))
        size = Math(sheet.symbols.size(found.size))
        head = (words.say("batch.derivative"), words.say("batch.one"), words.say("batch.many", size=size))
        yield Table(head, tuple(lines), "lll")
    if same:
        yield Paragraph(words.say("batch.same_one" if len(same) == 1 else "batch.same", names=sheet.listed(same)))


# ── second derivatives ──────────────────────────────────────────────────────────────────────────────────────────


def second_derivatives(sheet: Sheet) -> Iterator[Block]:
    """One section for each."""
    for one in sheet.part.further.seconds if sheet.part.further is not None else ():
        yield from _second(sheet, view_of(sheet, one.label), one)


def _second(whole: Sheet, sheet: Sheet, one: Second) -> Iterator[Block]:
    words, symbols = sheet.words, sheet.symbols
    places = {"of": sheet.math(one.of), "first": sheet.math(one.first), "then": sheet.math(one.then)}
    twice = one.first == one.then
    yield Heading(3, words.say("second.heading_twice" if twice else "second.heading", **places), one.label)
    yield Paragraph(words.say("second.adjoints", bar=Math(symbols.name(bar(one.first))), **places))
    yield Display(tuple(equation(sheet, name) for name in one.adjoints))
    if one.kind == "hessian":
        if one.formula is not None and len(one.ways[0].factors) > 1:
            yield from chain_of_jacobians(sheet, bar(one.first), one.then, one.ways)
        yield Paragraph(words.say("second.rows", **places))
    else:
        yield Paragraph(words.say("second.speeds", then=places["then"]))
        for name in one.speeds:
            yield Display((equation(sheet, name),))
        yield Paragraph(words.say("second.result"))
    yield Display((_result(whole, sheet, one),))


def _result(whole: Sheet, sheet: Sheet, one: Second) -> Chain:
    """The second derivative: the name it was found under, its entries in the data, its numbers."""
    left = sheet.symbols.name(one.text)
    links: list[Link] = []
    if one.kind != "hessian":
        links.append(Link("=", (sheet.symbols.name(one.speeds[-1]),)))
    elif one.formula is not None and fits(sheet.letters.terms(one.formula)):
        links.append(Link("=", sheet.letters.terms(one.formula)))
    written = shown_written(one)
    if written is not None:
        terms = _entries(whole, written)
        if fits(terms):
            links.append(Link("=", terms))
    if not links:
        links.append(
            Link("=", (sheet.symbols.partial(sheet.symbols.name(bar(one.first)), sheet.symbols.name(one.then)),))
        )
    if sheet.numeric:
        links += _number(sheet, one).links
    return Chain(left, tuple(links))


def _number(sheet: Sheet, one: Second) -> Chain:
    if one.kind == "hessian":
        return sheet.ratio(sheet.part.asked.ratios[0])
    return sheet.assigned(one.text, sheet.printed(one.text))


def results(sheet: Sheet) -> tuple[Chain, ...]:
    """The second derivatives once more, by their numbers."""
    found = sheet.part.further.seconds if sheet.part.further is not None else ()
    seen = [(one, view_of(sheet, one.label)) for one in found]
    return tuple(Chain(view.symbols.name(one.text), _number(view, one).links) for one, view in seen)


def _entries(sheet: Sheet, written: sympy.Matrix) -> tuple[str, ...]:
    """SymPy's entries in the problem's own names of entries."""
    explicit = sheet.part.explicit
    assert explicit is not None

    def cell(index: Sequence[int]) -> Cell:
        formula = written[tuple(index)]
        return scalar(formula, lambda s: Cell(sheet.entry(explicit.entry_of[s])), sheet.symbols, sheet.entry_order)

    if written.shape == (1, 1):
        whole = cell((0, 0))
        return whole.terms or (whole.text,)
    return (matrix_of(written.shape, lambda index: cell(index).text),)


__all__ = ["alphabet", "batch", "differences", "forward_mode", "results", "second_derivatives", "view_of"]
