"""Updates one by one, by any rule and from any samples: each line of the rule, then its numbers.

The first update is worked in full. The later ones put their numbers into the same lines; where there are many, a table
has the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from derive.calculus.explicit import Entry
from derive.graph import build
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.network import Datum, Network
from derive.graph.sizes import is_scalar
from derive.problem import batches
from derive.problem.problem import Update
from derive.problem.rules import RULES
from derive.report.compose import statement
from derive.report.compose.sheet import LONGEST, ROOM, Sheet, fits
from derive.report.compose.updates import ends, later
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Paragraph, Span, Spans, Table, Text
from derive.report.notation import Cell, Matrices, cells
from derive.report.notation.printed import printed_text
from derive.report.notation.rule_symbols import rule_symbols
from derive.report.widths import bound
from derive.solution import rules
from derive.solution.history import History, Move, equations_of
from derive.solution.solve import Part
from derive.solution.values import Run

Item = TypeVar("Item")

MOST_WORKED = 8  # updates that are written out; a table has all of them
MOST_MOVED = 24  # entries of parameters in all these updates together
MOST_PASSES = 16  # equations and derivatives of a pass that is written out in numbers
MOST_COLUMNS = 6  # entries of parameters that stand in the table of updates
MOST_LINES = 40  # of that table


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
        yield from _table(sheet, update, printed)
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
    moving = sum(_count(sheet, name) for name in update.moving)
    count = len(history.moves)
    return count if count <= MOST_WORKED and moving * count <= MOST_MOVED else 1


def _count(sheet: Sheet, name: str) -> int:
    return int(np.prod([int(size) for size in sheet.part.network.shape(name)], dtype=int))


# ── the rule ──


def stated(sheet: Sheet, update: Update) -> Iterator[Block]:
    """What the rule does, in words; its constants; what it starts from."""
    words = sheet.words
    if sheet.part.opening is None:
        return
    form = f"_{update.form}" if update.form else ""
    yield Paragraph(words.say(f"rule.is_{update.rule}{form}"))
    if update.decay:
        yield Paragraph(_decay(sheet, update))
    if update.batches is not None:
        yield Paragraph(_batches(sheet, update))
    symbols = symbols_of(sheet.part, update)
    if update.called:
        values = [
            Math(f"{symbols[f':{role}']} = {statement.plain(update.constants[role])}") for role in update.constants
        ]
        key = "rule.constants" if len(values) > 1 else "rule.constant"
        yield Paragraph(words.say(key, values=_listed(sheet, values)))
    states = RULES[update.rule].state
    if not states:
        return
    if not update.state:
        started = [Math(symbols[rules.remembered(state, name)]) for state in states for name in update.moving]
        key = "rule.zeros" if len(started) > 1 else "rule.zero"
        yield Paragraph(words.say(key, names=_listed(sheet, started)))
        return
    yield Paragraph(words.say("rule.starts", t=str(update.t)) if update.t else words.say("rule.starts_from"))
    first = sheet.part.opening
    assert first is not None
    run = first.printed.moves[0].rule
    of = rule_sheet(sheet, update, first.printed.moves[0], run)
    names = [rules.remembered(state, name) for state in states for name in update.moving]
    yield Display(tuple(of.assigned(name, of.printed(name)) for name in names))


def given_gradients(sheet: Sheet, update: Update) -> Iterator[Block]:
    """The gradients of each update, for a sheet on which it is to be made."""
    history = sheet.part.opening
    if not update.slopes or history is None:
        return
    symbols = symbols_of(sheet.part, update)
    names = [rules.given(name) for name in update.moving]
    rows: list[tuple[Spans, ...]] = []
    for move in history.moves:
        of = rule_sheet(sheet, update, move, move.rule)
        values = (of.assigned(name, of.printed(name)).links[0].terms[0] for name in names)
        rows.append((_math(str(move.t)), *map(_math, values)))
    yield Paragraph(sheet.words.say("rule.gradients"))
    head = (sheet.words.say("rule.number"), *(_math(symbols[name]) for name in names))
    yield Table(head, tuple(rows), "r" * len(head))


def _decay(sheet: Sheet, update: Update) -> Spans:
    """To which parameters weight decay applies, how strongly, and where it enters."""
    names = [name for name in update.moving if name in update.decay]
    value = Math(rf"\lambda = {statement.plain(next(iter(update.decay.values())))}")
    key = "rule.decay_decoupled" if update.decoupled else "rule.decay"
    return sheet.words.say(key, value=value, names=sheet.listed(names))


def _batches(sheet: Sheet, update: Update) -> Spans:
    """How many samples an update uses, and in which order."""
    wish, words = update.batches, sheet.words
    assert wish is not None
    key = "rule.sample" if wish.size == 1 else "rule.batch"
    spans: list[Span] = list(
        words.say(key, kind=_kind(sheet, update, wish.size), size=wish.size, names=sheet.listed(wish.over))
    )
    if wish.orders != (tuple(range(wish.rows)),):
        told = [", ".join(str(row + 1) for row in order) for order in wish.orders[:MOST_WORKED]]
        more = " …" if len(wish.orders) > MOST_WORKED else ""
        spans += [Text(" "), *words.say("rule.order", order="; ".join(told) + more)]
    return tuple(spans)


def _kind(sheet: Sheet, update: Update, count: int) -> str:
    assert update.batches is not None
    line = "column" if update.batches.along else "row"
    return sheet.words.text(f"rule.{line}" if count == 1 else f"rule.{line}s")


def _listed(sheet: Sheet, maths: Sequence[Math]) -> Spans:
    spans: list[Span] = []
    for k, math in enumerate(maths):
        if k:
            spans.append(Text(sheet.words.text("and") if k == len(maths) - 1 else ", "))
        spans.append(math)
    return tuple(spans)


# ── one update ──


def _heading(sheet: Sheet, update: Update, move: Move) -> Spans:
    """``Update 3: pass 2, row 1``"""
    if not move.rows:
        return sheet.words.say("rule.update", number=move.t)
    rows = ", ".join(str(row + 1) for row in move.rows)
    kind = _kind(sheet, update, len(move.rows))
    return sheet.words.say("rule.update_rows", number=move.t, lap=move.lap, kind=kind, rows=rows)


def _pass(sheet: Sheet, update: Update, move: Move) -> Iterator[Block]:
    """Forward and back for this update: in full for the first mini-batch, in numbers alone later on."""
    words, part = sheet.words, sheet.part
    if move.slopes is None:
        yield Paragraph(words.say("rule.given"))
        of = rule_sheet(sheet, update, move, move.rule)
        names = [rules.given(name) for name in update.moving]
        yield Display(tuple(of.assigned(name, of.printed(name)) for name in names))
        return
    if move.rows and move.number == 1 and not rules.looks_ahead(update) and part.batch is not None:
        from derive.report.compose import worked

        first = Sheet(part.batch, words)
        yield Paragraph(words.say("rule.uses_first"))
        yield from _rows(first, update)
        yield from worked(first)
        return
    if rules.looks_ahead(update):
        yield Paragraph(words.say("rule.looks_ahead"))
        of = rule_sheet(sheet, update, move, move.rule)
        yield Display(tuple(_chain(of, rules.ahead(name), "=") for name in update.moving))
        if move.number == 1 and not move.rows and not update.state:
            yield Paragraph(words.say("rule.ahead_is_here"))
            return
        yield Paragraph(words.say("rule.there"))
    elif move.number == 1:
        yield Paragraph(words.say("rule.uses_first"))
        return
    else:
        yield Paragraph(words.say("rule.uses", before=move.t - 1))
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
    return Sheet(Part(**{**part.__dict__, **changed}), sheet.words, first=False)


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
    if len(names) + len(adjoints) <= MOST_PASSES:
        shown = [*names, *(name for name in adjoints if name.of == loss)]
        yield Display(tuple(_put_in(view, name, run.equations[name]) for name in shown))
        return
    wanted: list[Name] = [loss, *(name for name in adjoints if name.of == loss and name.by in update.moving)]
    yield Display(tuple(view.assigned(name, view.printed(name)) for name in wanted))


def _put_in(view: Sheet, name: Name, value: Expression) -> Chain:
    return view.chain(view.symbols.name(name), [*view.formula_links(value), *view.number_links(name, value)])


def symbols_of(part: Part, update: Update) -> dict[str, str]:
    """The symbols of the rule's names."""
    from derive.report.notation import Symbols

    names = (*part.network.data, *(str(equation.name) for equation in part.network.equations))
    assert part.opening is not None
    return rule_symbols(update, part.opening.loss, Symbols(part.problem, part.network), names)


def rule_sheet(sheet: Sheet, update: Update, move: Move, run: Run) -> Sheet:
    """A sheet on which the rule's names are those of a network of its own."""
    part = sheet.part
    symbols = symbols_of(part, update)
    shape = part.network.shape
    data = dict(part.network.data)
    owners = {label: () for label in symbols if label.startswith(":")}
    for name in update.moving:
        for label in (
            rules.given(name),
            rules.slope_ahead(name),
            *(rules.remembered(s, name) for s in RULES[update.rule].state),
        ):
            owners[label] = shape(name)  # type: ignore[assignment]
    data |= {label: Datum(size, "given") for label, size in owners.items()}
    assert part.opening is not None
    numerator = part.problem.convention.layout == "numerator"
    equations = equations_of(part.network, part.opening.loss, update, move.t, numerator)
    if numerator:
        run = Run({e.name: e.value for e in equations}, run.data, run.kind, carried=run.carried)
    changed = {
        "problem": replace(part.problem, symbols={**part.problem.symbols, **symbols}, names={}),
        "network": Network(data, tuple(equations)),
        "run": run,
        "shown": run,
    }
    return Sheet(Part(**{**part.__dict__, **changed}), sheet.words)


def _lines(sheet: Sheet, update: Update, move: Move) -> Iterator[Block]:
    """The equations of the rule, parameter by parameter, each with its numbers."""
    of = rule_sheet(sheet, update, move, move.rule)
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
    if fits(terms) and sum(map(bound, terms)) < LONGEST * ROOM:
        links.append(put_in)
    result = of.result(label, value)
    if result.terms != links[-1].terms:
        links.append(result)
    return of.chain(of.symbols.name(label), links)


# ── all of them ──


def _table(sheet: Sheet, update: Update, history: History) -> Iterator[Block]:
    """Loss and parameters after each update; with mini-batches after each pass, and what each update found."""
    entries = [
        (name, index)
        for name in update.moving
        for index in np.ndindex(*(int(size) for size in sheet.part.network.shape(name)))
    ]
    if len(entries) > MOST_COLUMNS:
        entries = []
    if update.batches is not None and len(history.moves) > 1:
        yield from _of_updates(sheet, update, history, entries)
    if entries or sheet.part.asked.loss is not None:
        yield from _of_states(sheet, update, history, entries)
    if not entries:
        yield Paragraph(sheet.words.say("rule.end"))
        yield ends(sheet, tuple(update.moving), history.runs[-1])


Entries = Sequence[tuple[str, tuple[int, ...]]]


def _of_states(sheet: Sheet, update: Update, history: History, entries: Entries) -> Iterator[Block]:
    words, loss = sheet.words, sheet.part.asked.loss
    passes = update.batches is not None
    kept = _thin([k for k in range(len(history.runs)) if k % update.every == 0 or k == len(history.runs) - 1])
    head: list[Spans] = [words.say("rule.passes" if passes else "rule.updates")]
    head += [] if loss is None else [_math(sheet.symbols.name(loss))]
    head += [_math(sheet.entry(Entry(name, index))) for name, index in entries]
    rows = []
    for k in kept:
        run = history.runs[k]
        first = [] if loss is None else [_value(sheet, run, loss)]
        rows.append((_math(str(k if passes else update.t + k)), *first, *_entries(sheet, run, entries)))
    if loss is not None:
        yield Paragraph(words.say("rule.losses_whole" if passes else "rule.losses", symbol=sheet.math(loss)))
    else:
        yield Paragraph(words.say("rule.states"))
    yield Table(tuple(head), tuple(rows), "r" * len(head))


def _of_updates(sheet: Sheet, update: Update, history: History, entries: Entries) -> Iterator[Block]:
    words = sheet.words
    symbol = Math(sheet.symbols.name(history.loss))
    rows = []
    for move in _thin(list(history.moves)):
        left = [
            (Math(printed_text(move.rule.shown(rules.after(name), sheet.part.rounding)[_flat(sheet, name, index)])),)
            for name, index in entries
        ]
        told = ", ".join(str(row + 1) for row in move.rows)
        rows.append(
            (_math(str(move.t)), _math(str(move.lap)), (Text(told),), _value(sheet, move.found, history.loss), *left)
        )
    yield Paragraph(words.say("rule.each", kind=_kind(sheet, update, 2), symbol=symbol))
    head = (
        words.say("rule.number"),
        words.say("rule.lap"),
        (Text(_kind(sheet, update, 2).capitalize()),),
        (symbol,),
        *((Math(sheet.entry(Entry(name, index))),) for name, index in entries),
    )
    yield Table(head, tuple(rows), "rrl" + "r" * (len(head) - 3))


def _math(text: str) -> Spans:
    return (Math(text),)


def _value(sheet: Sheet, run: Run, name: str) -> Spans:
    return (Math(printed_text(run.shown(name, sheet.part.rounding)[0])),)


def _entries(sheet: Sheet, run: Run, entries: Entries) -> list[Spans]:
    return [
        (Math(printed_text(run.shown(name, sheet.part.rounding)[_flat(sheet, name, index)])),)
        for name, index in entries
    ]


def _flat(sheet: Sheet, name: str, index: tuple[int, ...]) -> int:
    shape = tuple(int(size) for size in sheet.part.network.shape(name))
    return int(np.ravel_multi_index(index, shape)) if shape else 0


def _thin(items: list[Item]) -> list[Item]:
    """The first lines and the last, where there are too many."""
    return items if len(items) <= MOST_LINES else [*items[: MOST_LINES - 1], items[-1]]
