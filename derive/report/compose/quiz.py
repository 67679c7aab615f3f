"""Questions of choice: the formulas to choose from, to judge, to search for a slip; and the answers."""

from __future__ import annotations

from collections.abc import Iterator

from derive.graph.expression import Adjoint, Expression
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Items, Math, Paragraph, Spans, Text
from derive.solution.quiz import Choice, Judgement, Questions
from derive.solution.slips import Slip

LETTERS = "abcd"


def asked(sheet: Sheet, quiz: Questions) -> Iterator[Block]:
    """The questions alone."""
    for choice in quiz.choices:
        yield from _choose(sheet, choice)
    for judgement in quiz.judgements:
        yield Paragraph(sheet.words.say("quiz.judge", formula=_equation(sheet, judgement)))
    if quiz.lines:
        yield Paragraph(sheet.words.say("quiz.find", count=len(quiz.lines)))
        yield Items(tuple((_equation(sheet, line),) for line in quiz.lines), ordered=True)


def answered(sheet: Sheet, quiz: Questions) -> Iterator[Block]:
    """The questions, each with its answer and what is wrong with the others."""
    for choice in quiz.choices:
        yield from _choose(sheet, choice)
        right = choice.answers.index(None)
        yield Paragraph(sheet.words.say("quiz.right_one", letter=LETTERS[right]))
        yield Items(
            tuple(
                (Text(f"({LETTERS[k]}) "), *_slip(sheet, slip))
                for k, slip in enumerate(choice.answers)
                if slip is not None
            )
        )
    for judgement in quiz.judgements:
        yield Paragraph(sheet.words.say("quiz.judge", formula=_equation(sheet, judgement)))
        yield Paragraph(_verdict(sheet, judgement))
    if quiz.lines:
        yield Paragraph(sheet.words.say("quiz.find", count=len(quiz.lines)))
        yield Items(tuple((_equation(sheet, line),) for line in quiz.lines), ordered=True)
        number, wrong = next((n, line) for n, line in enumerate(quiz.lines, 1) if line.slip is not None)
        assert wrong.slip is not None
        yield Paragraph(
            sheet.words.sentences((
                sheet.words.say("quiz.line", number=number), _slip(sheet, wrong.slip),
                sheet.words.say("quiz.should", formula=_formula(sheet, wrong.of, wrong.right)),
            ))
        )  # fmt: skip


def _choose(sheet: Sheet, choice: Choice) -> Iterator[Block]:
    yield Paragraph(sheet.words.say("quiz.choose", derivative=sheet.math(choice.of)))
    formulas = [choice.right if slip is None else slip.wrong for slip in choice.answers]
    yield Items(tuple((Text(f"({LETTERS[k]}) "), Math(sheet.letters.text(f))) for k, f in enumerate(formulas)))


def _verdict(sheet: Sheet, judgement: Judgement) -> Spans:
    if judgement.slip is None:
        return sheet.words.say("quiz.true")
    should = sheet.words.say("quiz.should", formula=_formula(sheet, judgement.of, judgement.right))
    return sheet.words.sentences((sheet.words.say("quiz.false"), _slip(sheet, judgement.slip), should))


def _slip(sheet: Sheet, slip: Slip) -> Spans:
    return sheet.words.say(f"slip.{slip.kind}", place=Math(sheet.letters.text(slip.place)))


def _equation(sheet: Sheet, judgement: Judgement) -> Math:
    return _formula(sheet, judgement.of, judgement.right if judgement.slip is None else judgement.slip.wrong)


def _formula(sheet: Sheet, name: Adjoint, formula: Expression) -> Math:
    return Math(f"{sheet.symbols.name(name)} = {sheet.letters.text(formula)}")
