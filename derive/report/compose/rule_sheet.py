"""One update as a sheet of its own: the rule's names with their symbols and values, printed like any others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flint import fmpq

from derive.graph.expression import Expression, Name
from derive.graph.network import Datum, Network
from derive.problem.problem import Shape, Update
from derive.problem.rules import RULES
from derive.report.compose.sheet import Sheet
from derive.report.document import Math, Spans
from derive.report.notation import Cell, Symbols
from derive.report.notation.cells import number
from derive.report.notation.rule_symbols import rule_symbols
from derive.solution import rules
from derive.solution.history import Move, equations_of
from derive.solution.part import Part
from derive.solution.values import Run


def symbols_of(part: Part, update: Update) -> dict[str, str]:
    """The symbols of the rule's names."""
    names = (*part.network.data, *(str(equation.name) for equation in part.network.equations))
    assert part.opening is not None
    return rule_symbols(update, part.opening.loss, Symbols(part.problem, part.network), names)


class RuleSheet(Sheet):
    """A sheet on which the constants of a rule stand as they were given, however few digits are shown of the rest."""

    def number(self, name: Name, index: tuple[int, ...]) -> Cell:
        return number(self._constant(name)) if _is_constant(name) else super().number(name, index)

    def exact(self, what: Name | Expression) -> bool:
        """Whether what is printed is the value itself, as it is of every constant."""
        return _is_constant(what) or super().exact(what)

    def _constant(self, name: Name) -> fmpq:
        value: fmpq = self.part.run.value(name).item()
        return value


def _is_constant(what: Name | Expression) -> bool:
    return isinstance(what, str) and what.startswith(":")


def rule_sheet(sheet: Sheet, update: Update, move: Move) -> Sheet:
    """A sheet on which the rule's names are those of a network of its own."""
    part = sheet.part
    symbols = symbols_of(part, update)
    shape = part.network.shape
    data = dict(part.network.data)
    owners: dict[str, Shape] = {label: () for label in symbols if label.startswith(":")}
    for name in update.moving:
        for label in (
            rules.given(name),
            rules.slope_ahead(name),
            *(rules.remembered(s, name) for s in RULES[update.rule].state),
        ):
            owners[label] = shape(name)
        owners[rules.slope_ahead(name, numerator=True)] = shape(name)[::-1]
    data |= {label: Datum(size, "given") for label, size in owners.items()}
    assert part.opening is not None
    numerator = part.problem.convention.layout == "numerator"
    equations = equations_of(part.network, part.opening.loss, update, move.t, numerator)
    run = move.rule
    if numerator:
        run = Run({e.name: e.value for e in equations}, run.data, run.kind, carried=run.carried)
    changed = {
        "problem": replace(part.problem, symbols={**part.problem.symbols, **symbols}, names={}),
        "network": Network(data, tuple(equations)),
        "run": run,
        "shown": run,
    }
    return RuleSheet(Part(**{**part.__dict__, **changed}), sheet.words, detail=sheet.detail)


def kind_of(sheet: Sheet, update: Update, count: int) -> str:
    """``row``, ``columns``: what a sample is."""
    assert update.batches is not None
    line = "column" if update.batches.along else "row"
    return sheet.words.text(f"rule.{line}" if count == 1 else f"rule.{line}s")


def listed(sheet: Sheet, maths: Sequence[Math]) -> Spans:
    """``a, b and c``"""
    return sheet.words.listed(maths)


def math(text: str) -> Spans:
    """A formula in a cell of its own."""
    return (Math(text),)
