"""Updates one by one, by any rule and from any samples: each line of the rule, then its numbers.

The first update is worked in full. The later ones put their numbers into the same lines; where there are many, a table
has the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from derive.graph import build
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.sizes import is_scalar
from derive.problem import batches
from derive.problem.problem import Update
from derive.report.compose import statement
from derive.report.compose.rule_sheet import kind_of, rule_sheet, symbols_of
from derive.report.compose.rule_stated import stated
from derive.report.compose.sheet import ROOM, Sheet, fits
from derive.report.compose.update_tables import tables
from derive.report.compose.updates import later
from derive.report.document import Block, Chain, Display, Heading, Link, Paragraph, Spans
from derive.report.notation import Cell, Matrices, cells
from derive.report.widths import bound
from derive.solution import rules
from derive.solution.history import History, Move
from derive.solution.part import Part


def worked_updates(sheet: Sheet) -> Iterator[Block]:
    """The rule, the first update in full, some later ones, and the table of all."""
    update, history = sheet.part.problem.ask.update, sheet.part.opening
    if update is None or history is None or not sheet.numeric:
        return
    printed = history.printed
    yield from stated(sheet, update)
    for move in printed.moves[: _worked(sheet, update, printed)]:
        yield Heading(3, _heading(sheet, update, move))
        yield from _pass(sheet, update, move)
        yield from _lines(sheet, update, move)
    if sheet.part.history is not None:
        yield from tables(sheet, update, printed)
    else:
        yield from later(sheet)


def further_updates(sheet: Sheet) -> Iterator[Block]:
    """The updates after the first, where they are few and small: forward, back, and what becomes of the parameters."""
    update, history = sheet.part.problem.ask.update, sheet.part.history
    if update is None or history is None or sheet.part.problem.ask.upstream:
        return
    for move in history.printed.moves[1 : _worked(sheet, update, history)]:
        yield Heading(3, _heading(sheet, update, move))
        yield from _pass(sheet, update, move)
        yield from _lines(sheet, update, move)


def _worked(sheet: Sheet, update: Update, history: History) -> int:
    moving = sum(prod(map(int, sheet.part.network.shape(name))) for name in update.moving)
    count = len(history.moves)
    return count if count <= sheet.detail.worked and moving * count <= sheet.detail.moved else 1


# ── one update ──


def _heading(sheet: Sheet, update: Update, move: Move) -> Spans:
    """``Update 3: pass 2, row 1``"""
    if not move.rows:
        return sheet.words.say("rule.update", number=move.t)
    rows = sheet.words.text("locale.comma").join(str(row + 1) for row in move.rows)
    kind = kind_of(sheet, update, len(move.rows))
    return sheet.words.say("rule.update_rows", number=move.t, lap=move.lap, kind=kind, rows=rows)


def _pass(sheet: Sheet, update: Update, move: Move) -> Iterator[Block]:
    """Forward and back for this update: in full for the first mini-batch, in numbers alone later on."""
    words, part = sheet.words, sheet.part
    if move.slopes is None:
        yield Paragraph(words.say("rule.given"))
        of = rule_sheet(sheet, update, move)
        names = [rules.given(name) for name in update.moving]
        yield Display(tuple(of.assigned(name, of.printed(name)) for name in names))
        return
    at_the_start = move.number == 1 and not (rules.looks_ahead(update) and update.state)
    if rules.looks_ahead(update):
        yield Paragraph(words.say("rule.looks_ahead"))
        of = rule_sheet(sheet, update, move)
        yield Display(tuple(_chain(of, rules.ahead(name), "=") for name in update.moving))
        yield Paragraph(words.say("rule.ahead_is_here" if at_the_start else "rule.there"))
    else:
        key = "uses_first" if at_the_start else "uses"
        yield Paragraph(words.say(f"rule.{key}", before=move.t - 1))
    if at_the_start and part.batch is not None:
        from derive.report.compose import worked

        first = Sheet(part.batch, words, detail=sheet.detail)
        yield from _rows(first, update)
        yield from worked(first)
    if at_the_start:
        return
    view = seen(sheet, update, move)
    yield from _rows(view, update)
    yield from _numbers(view, update)


def seen(sheet: Sheet, update: Update, move: Move) -> Sheet:
    """The network of an update's samples, where it takes its gradients."""
    part, run = sheet.part, move.slopes
    assert run is not None
    problem, network = part.problem, part.network
    if update.batches is not None and move.rows:
        problem = batches.of_rows(problem, update.batches, move.rows)
        network = build(problem)
    if rules.looks_ahead(update):
        symbols = symbols_of(part, update)
        points = {name: symbols[rules.ahead(name)] for name in update.moving}
        problem = replace(problem, symbols={**problem.symbols, **points})
    changed = {"problem": problem, "network": network, "run": run, "shown": run, "explicit": None, "paths": None}
    return Sheet(Part(**{**part.__dict__, **changed}), sheet.words, first=False, detail=sheet.detail)


def _rows(view: Sheet, update: Update) -> Iterator[Block]:
    """The numbers of the samples."""
    if update.batches is not None:
        yield from statement.data(view, update.batches.over)


def _numbers(view: Sheet, update: Update) -> Iterator[Block]:
    """The pass with its numbers put in; of a large one the loss and the gradients."""
    network, run = view.part.network, view.part.run
    numerator = view.part.problem.convention.layout == "numerator"
    adjoints = [name for name in run.equations if isinstance(name, Adjoint) and name.numerator == numerator]
    names: list[Name] = [e.name for e in network.equations]
    loss = view.part.problem.ask.loss or str(names[-1])
    if len(names) + len(adjoints) <= view.detail.passes:
        shown = [*names, *(name for name in adjoints if name.of == loss)]
        yield Display(tuple(_put_in(view, name, run.equations[name]) for name in shown))
        return
    wanted: list[Name] = [loss, *(name for name in adjoints if name.of == loss and name.by in update.moving)]
    yield Display(tuple(view.assigned(name, view.printed(name)) for name in wanted))


def _put_in(view: Sheet, name: Name, value: Expression) -> Chain:
    return view.chain(view.symbols.name(name), [*view.formula_links(value), *view.number_links(name, value)])


def _lines(sheet: Sheet, update: Update, move: Move) -> Iterator[Block]:
    """The equations of the rule, parameter by parameter, each with its numbers."""
    of = rule_sheet(sheet, update, move)
    for name in update.moving:
        labels = [str(e.name) for e in of.part.network.equations if str(e.name).split(":")[0] == name]
        chains = []
        for label in labels:
            if label == rules.ahead(name):
                continue
            assigned = label.endswith(":after")
            chains.append(_chain(of, label, r"\leftarrow" if assigned else "="))
        yield Display(tuple(chains))


class _Apart(Matrices):
    """Sums of matrices and multiples of them stay what they are: 0.9 (…) + 0.1 (…), not one matrix of sums."""

    def _filled(self, node: Expression) -> Cell:
        if node.shape and node.op == "add":
            return cells.add([self._stretched(arg, node.shape) for arg in node.args])
        if node.shape and node.op == "divide" and is_scalar(node.args[1].shape):
            top, bottom = (self._filled(arg) for arg in node.args)
            return cells.multiply([cells.divide(Cell("1", numeric=True), bottom), top])
        return super()._filled(node)


def _chain(of: Sheet, label: str, relation: str) -> Chain:
    """A name of the rule: its formula, the numbers put in, the result."""
    value = of.part.network.equation(label).value
    links = [Link(relation, of.letters.terms(value))]
    terms = _Apart(of.symbols, of.entry_numbers).terms(value)
    put_in = Link(of.relation(value), terms)
    if fits(terms) and sum(map(bound, terms)) < of.detail.lines * ROOM:
        links.append(put_in)
    result = of.result(label, value)
    if result.terms != links[-1].terms:
        links.append(result)
    return of.chain(of.symbols.name(label), links)
