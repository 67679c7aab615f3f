"""The forward pass: each equation with symbols, names, numbers and result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.graph.network import Equation
from derive.graph.normalising import normalisations
from derive.problem.names import stem_of
from derive.report.compose.sheet import Sheet, pattern_once
from derive.report.compose.statement import localised
from derive.report.document import Block, Display, Paragraph, Spans, Text

LINES = {"layer_norm": "rows", "batch_norm": "columns"}  # what is normalised by itself


def forward(sheet: Sheet, equations: Sequence[Equation]) -> Iterator[Block]:
    """One display for each equation, with its comment as a lead."""
    for equation in pattern_once(sheet, equations, [equation.name for equation in equations]):
        if not isinstance(equation, Equation):
            yield equation
            continue
        lead = _lead(sheet, equation)
        if lead and sheet.detail.reasons:
            yield Paragraph(lead)
        yield shown(sheet, equation)
        if sheet.slides:
            from derive.report.compose.windows import behind_equation

            yield from behind_equation(sheet, equation)


def _lead(sheet: Sheet, equation: Equation) -> Spans:
    """What an equation is: its caption, or the comment behind it."""
    if equation.step:
        function, step, _ = equation.step
        return sheet.words.say(f"normal.{step}" if step != "mean" else f"normal.mean_{LINES[function]}")
    name, captions = str(equation.name), sheet.part.problem.captions
    stem = stem_of(name)
    caption = captions.get(name) or (captions[stem] if stem in captions and _is_first(sheet, name) else None)
    comment = localised(caption, sheet.words.language) if caption else equation.comment
    if not comment and any(found.normalised == equation.name for found in normalisations(sheet.part.network)):
        return sheet.words.say("normal.normalised")
    said = comment[:1].upper() + comment[1:].rstrip(".:。：")
    return (Text(said + sheet.words.text("locale.lead")),) if said else ()


def _is_first(sheet: Sheet, name: str) -> bool:
    """Whether a member is the first of its family: what is said of the family is said there, once."""
    return next(str(e.name) for e in sheet.part.network.equations if stem_of(str(e.name)) == stem_of(name)) == name


def shown(sheet: Sheet, equation: Equation) -> Display:
    """The chain of one equation."""
    left = sheet.symbols.name(equation.name)
    numbers = sheet.number_links(equation.name, equation.value) if sheet.numeric else []
    chain = sheet.chain(left, sheet.formula_links(equation.value), numbers)
    return Display((chain,), of=str(equation.name), uses=sheet.uses(equation.value))
