"""Training to convergence: the rule that stopped it, chosen iterations, the curve of the loss, the estimates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.calculus.explicit import Entry
from derive.numbers.decimals import rational
from derive.numbers.rounding import Rounding, printed
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import stopping_rules
from derive.report.compose.updates import double
from derive.report.document import Block, Figure, Math, Note, Paragraph, Spans, Table
from derive.report.figures.chart import Curve, chart
from derive.report.notation.printed import printed_text
from derive.report.scene import PATHS
from derive.solution.convergence import Convergence

NOISE = 1e-12  # a share that is smaller than this is rounding


def training(sheet: Sheet) -> Iterator[Block]:
    """The run after the worked update; nothing where none was asked for."""
    run, loss, words = sheet.part.convergence, sheet.part.asked.loss, sheet.words
    if run is None or loss is None:
        return
    symbol = Math(sheet.symbols.name(loss))
    yield Paragraph(words.say("training.intro", rules=stopping_rules(sheet)))
    yield Note(words.say("training.doubles"))
    yield Paragraph(_stopped(sheet, run, symbol))
    if run.losses[-1] > run.losses[0] and run.stopped != "diverged":
        yield Note(words.say("training.higher"))
    yield _table(sheet, run, symbol)
    if run.updates > 1:
        yield from _curve(sheet, run, symbol)
    if run.stopped != "diverged":
        yield from _estimates(sheet, run)


def _stopped(sheet: Sheet, run: Convergence, symbol: Math) -> Spans:
    """The rule that fired, with the loss there."""
    return sheet.words.say(
        f"training.{run.stopped}",
        count=sheet.words.count(run.updates),
        loss=Math(rf"{symbol.latex} \approx {double(run.losses[-1])}"),
        symbol=symbol,
        next=sheet.words.count(run.updates + 1),
    )


def _table(sheet: Sheet, run: Convergence, symbol: Math) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for k in run.chosen():
        loss = (Math(str(k)),), (Math(double(run.losses[k])),)
        moved: tuple[Spans, Spans] = ((), ())
        if k:
            moved = (Math(_share(run.change(k))),), (Math(_share(run.moves[k - 1])),)
        rows.append((*loss, *moved))
    head = (
        sheet.words.say("training.updates"),
        (symbol,),
        sheet.words.say("training.change", symbol=symbol),
        sheet.words.say("training.move"),
    )
    return Table(head, tuple(rows), "rrrr", sheet.words.say("training.shares"))


def _share(value: float) -> str:
    """Two significant digits; what is nothing but rounding is said to be small."""
    if value == 0:
        return "0"
    if value < NOISE:
        return "< 10^{-12}"
    shown = printed(rational(value), Rounding(digits=None, significant=2))
    return "" if shown is None else printed_text(shown)


def _curve(sheet: Sheet, run: Convergence, symbol: Math) -> Iterator[Block]:
    points = tuple((float(k), loss) for k, loss in enumerate(run.losses))
    scene = chart([Curve(points, PATHS[0])], rf"\text{{{sheet.words.text('training.axis')}}}", symbol.latex)
    if scene is not None:
        told = {
            "count": str(run.updates),
            "first": f"{run.losses[0]:.3g}",
            "last": f"{run.losses[-1]:.3g}",
            "least": f"{min(run.losses):.3g}",
        }
        caption = sheet.words.say("training.curve", symbol=symbol)
        yield Figure(scene, caption, sheet.words.text("training.curve_words", **told))


def _estimates(sheet: Sheet, run: Convergence) -> Iterator[Block]:
    """Every parameter at the start and at the end, where they are few."""
    rows: list[tuple[Spans, ...]] = []
    for name, value in run.parameters.items():
        if run.train.rates[name] == 0:
            continue
        before = sheet.printed(name)
        for flat, index in enumerate(np.ndindex(*value.shape)):
            entry = sheet.entry(Entry(name, index))
            rows.append(((Math(entry),), (Math(printed_text(before[flat])),), (Math(double(float(value[index]))),)))
    if len(rows) <= sheet.detail.ends:
        yield Paragraph(sheet.words.say("training.estimates"))
        head = tuple(sheet.words.say(f"training.{key}") for key in ("entry", "start", "end"))
        yield Table(head, tuple(rows), "lrr")
