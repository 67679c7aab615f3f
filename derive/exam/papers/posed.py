"""The questions of one variant, ready to be written about: what is asked, its symbols, its printed values, its points.

One ``Posed`` serves paper, solution and key, so that what is worked out for one is there for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from flint import fmpq

from derive.exam.answers import answers, value_of
from derive.exam.exam import Exam, Question
from derive.exam.variant import Variant
from derive.graph.expression import Adjoint, Name
from derive.numbers.rounding import Printed, as_decimal, minimal
from derive.problem.ask import split_ratio
from derive.records import dataclass
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose.detail import BRIEF
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import localised, rate_symbol
from derive.report.document import Block, Document, Math, Spans, Text, stem_in
from derive.report.notation.matrices import matrix_of
from derive.report.notation.printed import printed_text
from derive.report.numerals import in_text, set_numbers
from derive.report.render import RUNNING, shortened
from derive.solution import Part, Solution

if TYPE_CHECKING:
    from derive.exam.papers.wrongs import Wrongs

# A solution for those who mark: formula, numbers put in, result; no sentence for a rule that everybody knows.
WORKED = replace(BRIEF, name="exam", lines=4)


@dataclass(frozen=True, slots=True)
class Value:
    """The printed entries of an asked quantity, row by row."""

    quantity: str
    shape: tuple[int, ...]
    texts: tuple[Printed, ...]

    @property
    def relation(self) -> str:
        """``=`` where every entry is the value itself."""
        return "=" if all(text.exact for text in self.texts) else r"\approx"

    @property
    def latex(self) -> str:
        """The value as a matrix."""
        return latex_of(self.shape, [printed_text(text) for text in self.texts])


def latex_of(shape: tuple[int, ...], cells: Iterable[str]) -> str:
    """The matrix of these entries, given row by row."""
    rest = list(cells)

    def cell(index: tuple[int, ...]) -> str:
        place = 0
        for size, k in zip(shape, index, strict=True):
            place = place * size + k
        return rest[place]

    return matrix_of(shape, cell)


class Asked:
    """One question of a variant."""

    def __init__(
        self, exam: Exam, variant: Variant, number: int, question: Question, solution: Solution, words: Catalogue
    ):
        self.exam, self.variant, self.number, self.question, self.solution = exam, variant, number, question, solution
        self.words = words
        self.sheet = Sheet(solution.part(), self.words, detail=WORKED)

    @property
    def part(self) -> Part:
        """What was solved."""
        return self.sheet.part

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """The value of each asked quantity, in the order of working."""
        texts: dict[str, list[Printed]] = {quantity: [] for quantity in self.question.steps}
        for answer in answers(self.question, self.solution):
            texts[answer.quantity].append(answer.printed)
        return {
            quantity: Value(quantity, tuple(value_of(self.part, quantity).shape), tuple(found))
            for quantity, found in texts.items()
        }

    @cached_property
    def wrongs(self) -> Wrongs:
        """The values that slips give."""
        from derive.exam.papers.wrongs import Wrongs  # a worked paper alone has no use for it

        return Wrongs(self)

    def name(self, quantity: str) -> Name | None:
        """The name under which a quantity is worked out; ``None`` for one after an update."""
        return quantity if quantity in self.forward else next((a for a in self.backward if str(a) == quantity), None)

    @cached_property
    def forward(self) -> tuple[str, ...]:
        """The names of the equations."""
        return tuple(str(equation.name) for equation in self.part.network.equations)

    @cached_property
    def backward(self) -> tuple[Adjoint, ...]:
        """The derivatives that are worked out."""
        return tuple(self.part.derivation.adjoints) if self.part.derivation is not None else ()

    def symbol(self, quantity: str, line: bool = False) -> str:
        """A quantity as LaTeX; with ``line`` a derivative without a fraction."""
        base = quantity.partition("@")[0]
        symbols, ratio = self.sheet.symbols, split_ratio(base)
        name = self.name(base)
        if ratio is None or (isinstance(name, Adjoint) and symbols.signal(name)):
            return symbols.name(base if name is None else name)
        if line:
            return rf"\partial {symbols.name(ratio[0])} / \partial {symbols.name(ratio[1])}"
        return symbols.partial(symbols.name(ratio[0]), symbols.name(ratio[1]))

    def relation(self, quantity: str) -> str:
        """What stands between a quantity and its value: an arrow for a parameter after an update."""
        return r"\leftarrow" if "@" in quantity else self.values[quantity].relation

    def told(self, quantity: str) -> Spans:
        """What is asked for, as an item of a list."""
        base, _, update = quantity.partition("@")
        words, symbol = self.words, Math(self.symbol(quantity))
        if update and update != "0":
            key = "after_one" if update == "1" else "after_many"
            return words.say(f"exam_paper.{key}", name=symbol, steps=update, rate=Math(rate_symbol(self.sheet, base)))
        if split_ratio(base) is not None:
            return words.say("exam_paper.derivative", name=symbol)
        return words.say("exam_paper.loss" if base == self.part.asked.loss else "exam_paper.value", name=symbol)

    def points(self, number: fmpq, brackets: bool = True) -> str:
        """``(2 points)``"""
        key = "point" if number == 1 else "points"
        text = self.words.text(f"exam_paper.{key}", number=self.number_text(number))
        return self.words.text("exam_paper.brackets", text=text) if brackets else text

    def number_text(self, number: fmpq) -> str:
        """A number of points: a decimal where it is one, else a fraction."""
        return number_text(number, self.words)


class Posed:
    """All questions of a variant in one language, with the decimal sign that they agree on or else the language's."""

    def __init__(self, exam: Exam, variant: Variant, solutions: Mapping[str, Solution], language: str):
        self.exam, self.variant, self.language = exam, variant, language
        wishes = {question.problem.convention.decimal for question in exam.questions}
        self.words = catalogue(language).with_decimal(wishes.pop() if len(wishes) == 1 else None)
        self.questions = tuple(
            Asked(exam, variant, number, question, solutions[question.id], self.words)
            for number, question in enumerate(exam.questions, 1)
        )

    @property
    def title(self) -> str:
        """The title of the exam."""
        return localised(self.exam.title, self.language) or self.exam.name

    def document(self, kind: str, title: str, blocks: Iterable[Block]) -> Document:
        """A document of the variant; its running head names the variant, its pages are counted."""
        variant, words = self.variant, self.words
        stem = stem_in(self.language, f"{variant.number:03d}-{variant.code}-{kind}")
        before, between, behind = (words.text(f"exam_paper.page_{key}") for key in ("before", "of", "behind"))
        ending, pages = f" – {variant.code}", (before, between, behind)
        running = shortened(title, RUNNING - len(ending)) + ending
        made = Document(stem, title, self.language, tuple(blocks), running=running, pages=pages)
        return set_numbers(made, words)


def number_text(number: fmpq, words: Catalogue) -> str:
    """A number of points in a language."""
    decimal = as_decimal(number)
    if decimal is None:
        return f"{number.p}/{number.q}"
    return in_text(printed_text(minimal(*decimal)), words.text("locale.decimal"))


def told_in(words: Catalogue, text: Mapping[str, str]) -> Spans:
    """What a teacher wrote, in the language."""
    found = localised(text, words.language) if text else ""
    return (Text(found),) if found else ()
