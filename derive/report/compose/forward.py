"""The forward pass: each equation with symbols, names, numbers and result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.graph.network import Equation
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import localised
from derive.report.document import Block, Display, Paragraph, Text


def forward(sheet: Sheet, equations: Sequence[Equation]) -> Iterator[Block]:
    """One display for each equation, with its comment as a lead."""
    for equation in equations:
        yield Paragraph(lead(sheet, equation))
        yield shown(sheet, equation)


def lead(sheet: Sheet, equation: Equation) -> tuple[Text, ...]:
    """What an equation is: its caption or comment, or its name."""
    caption = sheet.part.problem.captions.get(str(equation.name))
    comment = localised(caption, sheet.words.language) if caption else equation.comment
    if comment:
        return tuple(sheet.words.say("forward.comment_capital", comment=comment[0].upper() + comment[1:]))  # type: ignore[arg-type]
    return tuple(sheet.words.say("forward.plain", name=sheet.math(equation.name)))  # type: ignore[arg-type]


def shown(sheet: Sheet, equation: Equation) -> Display:
    """The chain of one equation."""
    left = sheet.symbols.name(equation.name)
    links = sheet.formula_links(equation.value)
    if sheet.numeric:
        links += sheet.number_links(equation.name, equation.value)
    return Display((sheet.chain(left, links),))
