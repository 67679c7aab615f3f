"""The forward pass: each equation with symbols, names, numbers and result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.graph.network import Equation
from derive.graph.normalising import normalisations
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import localised
from derive.report.compose.windows import behind_equation
from derive.report.document import Block, Display, Paragraph, Spans, Text


LINES = {"layer_norm": "rows", "batch_norm": "columns"}  # what is normalised by itself


def forward(sheet: Sheet, equations: Sequence[Equation]) -> Iterator[Block]:
    """One display for each equation, with its comment as a lead."""
    for equation in equations:
        lead = _lead(sheet, equation)
        if lead:
            yield Paragraph(lead)
        yield shown(sheet, equation)
        yield from behind_equation(sheet, equation)


def _lead(sheet: Sheet, equation: Equation) -> Spans:
    """What an equation is: its caption, or the comment behind it."""
    if equation.step:
        function, step, _ = equation.step
        return sheet.words.say(f"normal.{step}" if step != "mean" else f"normal.mean_{LINES[function]}")
    caption = sheet.part.problem.captions.get(str(equation.name))
    comment = localised(caption, sheet.words.language) if caption else equation.comment
    if not comment and any(found.normalised == equation.name for found in normalisations(sheet.part.network)):
        return sheet.words.say("normal.normalised")
    return (Text(comment[0].upper() + comment[1:].rstrip(".:") + ":"),) if comment else ()


def shown(sheet: Sheet, equation: Equation) -> Display:
    """The chain of one equation."""
    left = sheet.symbols.name(equation.name)
    numbers = sheet.number_links(equation.name, equation.value) if sheet.numeric else []
    return Display((sheet.chain(left, sheet.formula_links(equation.value), numbers),))
