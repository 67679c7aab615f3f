"""Gradient descent: the rule, each parameter in numbers, entry by entry, and what became of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from flint import fmpq

from derive.calculus.explicit import Entry
from derive.graph.collect import coefficient, times
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.sizes import is_scalar
from derive.numbers.decimals import rational, read_number
from derive.numbers.rounding import Printed, Rounding, printed
from derive.oracle import Training
from derive.problem import batches
from derive.report.compose.sheet import Sheet, packed
from derive.report.compose.stacks import planes_of, told
from derive.report.compose.statement import plain
from derive.report.document import Block, Chain, Display, Link, Math, Note, Paragraph, Spans, Table
from derive.report.notation import Cell, letter
from derive.report.notation.printed import printed_text
from derive.solution.history import updated
from derive.solution.values import Run

Item = TypeVar("Item")


def first_update(sheet: Sheet) -> Iterator[Block]:
    """The first update, with its numbers."""
    part, words = sheet.part, sheet.words
    update, loss = part.problem.ask.update, part.asked.top
    if update is None or loss is None or not sheet.numeric:
        return
    moving = {name: rate for name, rate in update.rates.items() if rate != 0}
    if sheet.detail.reasons:
        yield Paragraph(words.say("update.rule"))
    if update.steps > 1:
        yield Paragraph(words.say("update.first", steps=update.steps))
    for name, rate in moving.items():
        yield from in_numbers(sheet, name, rate)
    frozen = [name for name, rate in update.rates.items() if rate == 0]
    if frozen:
        key = "update.frozen" if len(frozen) > 1 else "update.frozen_one"
        yield Paragraph(words.say(key, names=sheet.listed(frozen)))
    if "elements" in part.problem.convention.style:
        yield from _table(sheet, loss, moving)


def in_numbers(sheet: Sheet, name: str, rate: fmpq) -> Iterator[Block]:
    """One parameter in the first update, with its numbers."""
    update, loss = sheet.part.problem.ask.update, sheet.part.asked.top
    if update is None or loss is None:
        return
    symbol, after = letter(update.symbol), updated(sheet.part.network, loss, name, rate)
    for old, slope, new in planes_of(sheet, name, Adjoint(loss, name), after):
        formula = rule(sheet, loss, name, symbol, old)
        links = (*formula.links, *_added(sheet, name, symbol), *_numbers(sheet, old, slope, new, rate))
        links = links if sheet.detail.rewritings else tuple(packed(links))
        yield Display((Chain(formula.left, links),))


def _added(sheet: Sheet, name: str, symbol: str) -> Iterator[Link]:
    """W + eta x^T delta, where the error signal is the negative of a derivative: an update by it adds."""
    derivation, adjoint = sheet.part.derivation, sheet.adjoint(name)
    if derivation is None or adjoint.numerator or adjoint not in derivation.adjoints or len(sheet.shape(name)) > 2:
        return
    factor, rest = coefficient(derivation.adjoints[adjoint])
    if rest is None or factor >= 0 or rest.op == "add":
        return
    if any(isinstance(inner, Adjoint) and inner.negative for inner in rest.names()):
        yield Link("=", (sheet.symbols.name(name), f"+ {symbol} {sheet.letters.cell(times(-factor, rest)).factor()}"))


def rule(sheet: Sheet, loss: str, name: str, symbol: str, what: Name | None = None) -> Chain:
    """W <- W - eta dJ/dW, with the rate's symbol; ``what`` may be one matrix of W, where that is a stack."""
    left = sheet.symbols.name(what if what is not None else name)
    slope = sheet.symbols.partial(sheet.symbols.name(loss), left)
    if sheet.part.problem.convention.layout == "numerator" and not is_scalar(sheet.shape(name)):
        slope = rf"\left({slope}\right)^{{\top}}"
    return Chain(left, (Link(r"\leftarrow", (left, rf"- {symbol} {slope}")),))


def _numbers(sheet: Sheet, name: Name, slope: Name, after: Expression, rate: fmpq) -> list[Link]:
    """old - rate · gradient, in the shape of the parameter."""
    old, gradient = sheet.value(name), sheet.value(slope)
    rate_text = plain(abs(rate))
    sign = "-" if rate > 0 else "+"
    if is_scalar(sheet.shape(name)):
        gradient = rf"\cdot {Cell(gradient).factor()}"
    product = f"{sign} {rate_text} {gradient}"
    exact = sheet.goes_on(name) and sheet.goes_on(slope)
    result = "=" if exact and sheet.exact(after) else r"\approx"
    put_in = [Link("=" if exact else r"\approx", (old, product))] if sheet.detail.lines else []
    return [*put_in, Link(result, (sheet.value(after),))]


def _table(sheet: Sheet, loss: str, moving: Mapping[str, fmpq]) -> Iterator[Block]:
    """Every single parameter before and after."""
    rows: list[tuple[Spans, ...]] = []
    still: list[Math] = []
    for name, rate in moving.items():
        shape = tuple(map(int, sheet.part.network.shape(name)))
        after = updated(sheet.part.network, loss, name, rate)
        columns = [sheet.printed(what) for what in (name, Adjoint(loss, name), after)]
        for flat, index in enumerate(np.ndindex(*shape)):
            symbol = Math(sheet.entry(Entry(name, index)))
            texts = [printed_text(column[flat]) for column in columns]
            rows.append(((symbol,), *((Math(text),) for text in texts)))
            if _same(columns[0][flat], columns[2][flat]):
                still.append(symbol)
    if len(rows) > sheet.detail.entries_updated or len(rows) < 2:
        return
    words = sheet.words
    yield Paragraph(words.say("update.entries"))
    head = tuple(words.say(f"update.{key}") for key in ("entry", "before", "slope", "after"))
    yield Table(head, tuple(rows), "lrrr")
    if still:
        yield Note(words.say("update.unchanged", names=words.listed(still)))


def _same(before: object, after: object) -> bool:
    """Whether a change is too small to be seen at the digits shown."""
    if not isinstance(before, Printed) or not isinstance(after, Printed) or after.exact:
        return False
    return bool(read_number(before.text) == read_number(after.text))


def later(sheet: Sheet) -> Iterator[Block]:
    """The loss after each update, and what else was to be shown."""
    part, words = sheet.part, sheet.words
    update, loss = part.problem.ask.update, part.asked.loss
    if update is None or loss is None:
        return
    symbol = Math(sheet.symbols.name(loss))
    if part.history is not None:
        runs = part.history.printed.runs
        if len(runs) == 2:
            before, after = (printed_text(run.shown(loss, part.rounding)[0]) for run in runs)
            yield Paragraph(
                words.say("update.loss_after", after=Math(f"{symbol.latex} \\approx {after}"), before=Math(before))
            )
            return
        from derive.report.compose.optimisers import further_updates  # only several updates pay for it

        further = list(further_updates(sheet))
        yield from further
        if further:
            yield Paragraph(words.say("update.all"))
        kept = [k for k in range(len(runs)) if k % update.every == 0 or k == len(runs) - 1]
        rows = [((Math(str(k)),), (Math(printed_text(runs[k].shown(loss, part.rounding)[0])),)) for k in _thin(kept)]
        yield Table((words.say("history.step"), (symbol,)), tuple(rows), "rr")
        yield Paragraph(words.say("update.final", steps=update.steps))
        yield ends(sheet, tuple(update.moving), runs[-1])
    elif part.training is not None:
        yield Note(words.say("history.doubles", steps=words.count(batches.count(update))))
        entries = [entry for entry in part.training.history if not entry.rows]
        rows = [((Math(str(e.step)),), (Math(double(e.loss)),)) for e in _thin(list(entries)) if e.loss is not None]
        first = words.say("history.step" if update.batches is None else "rule.passes")
        yield Table((first, (symbol,)), tuple(rows), "rr")
        yield from _ends(sheet, part.training)


def ends(sheet: Sheet, names: Sequence[str], run: Run) -> Table:
    """The parameters at the start and at the end: entry by entry, or as matrices where they are many."""
    words, rounding = sheet.words, sheet.part.rounding
    before = {name: sheet.printed(name) for name in names}
    after = {name: run.shown(name, rounding) for name in names}
    if sum(map(len, after.values())) > sheet.detail.ends:
        pieces = (piece for name in names for piece in told(sheet, name, after[name]))
        last = [((sheet.math(what),), (Math(text),)) for what, text in pieces]
        return Table((words.say("sizes.parameter"), words.say("update.after")), tuple(last), "lr")
    rows = [
        (
            (Math(sheet.entry(Entry(name, index))),),
            (Math(printed_text(before[name][flat])),),
            (Math(printed_text(after[name][flat])),),
        )
        for name in names
        for flat, index in enumerate(np.ndindex(*map(int, sheet.part.network.shape(name))))
    ]
    head = tuple(words.say(f"update.{key}") for key in ("entry", "before", "after"))
    return Table(head, tuple(rows), "lrr")


def _ends(sheet: Sheet, training: Training) -> Iterator[Block]:
    """The parameters at the end of a run in doubles, where they are few."""
    rows = [
        ((Math(sheet.entry(Entry(name, index))),), (Math(double(float(value[index]))),))
        for name, value in training.parameters.items()
        for index in np.ndindex(*value.shape)
    ]
    if len(rows) <= sheet.detail.ends:
        yield Paragraph(sheet.words.say("rule.end"))
        yield Table((sheet.words.say("update.entry"), sheet.words.say("update.after")), tuple(rows), "lr")


def _thin(items: list[Item]) -> list[Item]:
    """At most some twenty rows: the first ones, then evenly, and the last."""
    if len(items) <= 21:
        return items
    stride = -(-(len(items) - 1) // 20)
    return [*items[:-1:stride], items[-1]]


def double(value: float) -> str:
    """A double, to six significant digits."""
    shown = printed(rational(value), Rounding(digits=None, significant=6))
    return "" if shown is None else printed_text(shown)
