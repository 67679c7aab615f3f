"""What a rule does and what it starts from, before the first update is made: all that somebody needs to make them."""

from __future__ import annotations

from collections.abc import Iterator

from derive.problem.problem import Update
from derive.problem.rules import RULES
from derive.report.compose import statement
from derive.report.compose.rule_sheet import kind_of, listed, math, rule_sheet, symbols_of
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Display, Math, Paragraph, Span, Spans, Table, Text
from derive.solution import rules

MOST_ORDERS = 8  # passes whose order is told


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
    frozen = [name for name in update.rates if name not in update.moving]
    if frozen:
        yield Paragraph(
            words.say("update.frozen" if len(frozen) > 1 else "update.frozen_one", names=sheet.listed(frozen))
        )
    symbols = symbols_of(sheet.part, update)
    numbers = {f":{role}": value for role, value in update.constants.items()}
    own = {rules.rate_of(name, update): rate for name, rate in update.moving.items()}
    numbers |= own if len(own) > 1 else {}
    if numbers:
        values = [Math(f"{symbols[name]} = {statement.plain(value)}") for name, value in numbers.items()]
        key = "rule.constants" if len(values) > 1 else "rule.constant"
        yield Paragraph(words.say(key, values=listed(sheet, values)))
    states = RULES[update.rule].state
    if not states:
        return
    if not update.state:
        started = [Math(symbols[rules.remembered(state, name)]) for state in states for name in update.moving]
        key = "rule.zeros" if len(started) > 1 else "rule.zero"
        yield Paragraph(words.say(key, names=listed(sheet, started)))
        return
    yield Paragraph(words.say("rule.starts", t=str(update.t)) if update.t else words.say("rule.starts_from"))
    of = rule_sheet(sheet, update, sheet.part.opening.printed.moves[0])
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
        of = rule_sheet(sheet, update, move)
        values = (of.assigned(name, of.printed(name)).links[0].terms[0] for name in names)
        rows.append((math(str(move.t)), *map(math, values)))
    yield Paragraph(sheet.words.say("rule.gradients"))
    head = (sheet.words.say("rule.number"), *(math(symbols[name]) for name in names))
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
        words.say(key, kind=kind_of(sheet, update, wish.size), size=wish.size, names=sheet.listed(wish.over))
    )
    if wish.orders != (tuple(range(wish.rows)),):
        comma, semicolon = words.text("locale.comma"), words.text("locale.semicolon")
        told = [comma.join(str(row + 1) for row in order) for order in wish.orders[:MOST_ORDERS]]
        more = " …" if len(wish.orders) > MOST_ORDERS else ""
        spans += [Text(words.text("locale.sentence")), *words.say("rule.order", order=semicolon.join(told) + more)]
    return tuple(spans)
