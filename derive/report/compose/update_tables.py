"""All updates in tables: what each of them found and left, and the loss of every state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from derive.calculus.explicit import Entry
from derive.problem.problem import Update
from derive.report.compose.rule_sheet import kind_of, math
from derive.report.compose.sheet import Sheet
from derive.report.compose.updates import ends
from derive.report.document import Block, Math, Paragraph, Spans, Table, Text
from derive.report.notation.printed import printed_text
from derive.solution import rules
from derive.solution.history import History
from derive.solution.values import Run

Item = TypeVar("Item")

MOST_COLUMNS = 6  # entries of parameters that stand in the table of updates


def tables(sheet: Sheet, update: Update, history: History) -> Iterator[Block]:
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
    kept = _thin(sheet, [k for k in range(len(history.runs)) if k % update.every == 0 or k == len(history.runs) - 1])
    head: list[Spans] = [words.say("rule.passes" if passes else "rule.updates")]
    head += [] if loss is None else [math(sheet.symbols.name(loss))]
    head += [math(sheet.entry(Entry(name, index))) for name, index in entries]
    rows = []
    for k in kept:
        run = history.runs[k]
        first = [] if loss is None else [_value(sheet, run, loss)]
        rows.append((math(str(k if passes else update.t + k)), *first, *_entries(sheet, run, entries)))
    if loss is not None:
        yield Paragraph(words.say("rule.losses_whole" if passes else "rule.losses", symbol=sheet.math(loss)))
    else:
        yield Paragraph(words.say("rule.states"))
    yield Table(tuple(head), tuple(rows), "r" * len(head))


def _of_updates(sheet: Sheet, update: Update, history: History, entries: Entries) -> Iterator[Block]:
    words = sheet.words
    symbol = Math(sheet.symbols.name(history.loss))
    rows = []
    for move in _thin(sheet, list(history.moves)):
        left = [
            (Math(printed_text(move.rule.shown(rules.after(name), sheet.part.rounding)[_flat(sheet, name, index)])),)
            for name, index in entries
        ]
        told = words.text("locale.comma").join(str(row + 1) for row in move.rows)
        rows.append(
            (math(str(move.t)), math(str(move.lap)), (Text(told),), _value(sheet, move.found, history.loss), *left)
        )
    yield Paragraph(words.say("rule.each", kind=kind_of(sheet, update, 2), symbol=symbol))
    head = (
        words.say("rule.number"),
        words.say("rule.lap"),
        (Text(kind_of(sheet, update, 2).capitalize()),),
        (symbol,),
        *((Math(sheet.entry(Entry(name, index))),) for name, index in entries),
    )
    yield Table(head, tuple(rows), "rrl" + "r" * (len(head) - 3))


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


def _thin(sheet: Sheet, items: list[Item]) -> list[Item]:
    """The first lines and the last, where there are too many."""
    most = sheet.detail.updates
    return items if len(items) <= most else [*items[: most - 1], items[-1]]
