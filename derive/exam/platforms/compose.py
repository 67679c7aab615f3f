"""From the questions of a variant to items: the problem stated, the tasks with their keys, the solution worked out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from flint import fmpq

from derive.exam.answers import Answer, answers
from derive.exam.exam import Exam
from derive.exam.papers.choices import Choice as Chosen
from derive.exam.papers.choices import Statement, choices, hunt, statements
from derive.exam.papers.posed import Asked
from derive.exam.papers.wrongs import Wrong as WrongWhole
from derive.exam.platforms.items import Choice, Entries, Field, Item, Judgement, Option, Task, Wrong
from derive.exam.platforms.targets import target
from derive.exam.tolerance import ONE_UNIT, Tolerance, unit_of
from derive.exam.variant import Variant
from derive.numbers.decimals import read_number
from derive.problem.ask import split_ratio
from derive.report.catalogue import catalogue
from derive.report.compose import given, stepped
from derive.report.compose.detail import BRIEF
from derive.report.compose.sheet import Sheet
from derive.report.compose.slips import told
from derive.report.compose.statement import localised
from derive.report.document import Block, Document, Heading, Math, Paragraph, Spans, Text
from derive.report.numerals import in_latex, set_numbers
from derive.review.explanation import Explanation
from derive.solution import Solution

MOST_WRONG = 2  # wrong values of one entry that are answered with the slip behind them
MOST_TRIED = 6  # wrong values of the whole quantity that they are taken from
_ODD = re.compile(r"[^A-Za-z0-9_-]")


def items(
    exam: Exam,
    variant: Variant,
    solutions: Mapping[str, Solution],
    language: str,
    tolerance: Tolerance = ONE_UNIT,
) -> tuple[Item, ...]:
    """The questions of a variant, in the order of the exam.

    Raises ``ProblemError`` for an unknown language, a quantity without a value, and a form of question for which no
    slip shows.
    """
    found = []
    for number, question in enumerate(exam.questions, 1):  # each stands alone, with the decimal sign of its own problem
        words = catalogue(language).with_decimal(question.problem.convention.decimal)
        asked = Asked(exam, variant, number, question, solutions[question.id], words)
        found.append(_Composer(asked, tolerance).item)
    return tuple(found)


def identifier(*parts: str) -> str:
    """A name that every platform takes, made of names that a stranger chose; different for different ones."""
    return "-".join(_ODD.sub(lambda match: f"_{ord(match[0]):x}_", part.replace("_", "__")) for part in parts)


class _Composer:
    """One question on its way to an item."""

    def __init__(self, asked: Asked, tolerance: Tolerance) -> None:
        self.asked, self.tolerance = asked, tolerance
        self.words, self.sheet = asked.words, asked.sheet
        self.sign = self.words.text("locale.decimal")

    @property
    def item(self) -> Item:
        """The whole."""
        asked, language = self.asked, self.words.language
        question = localised(asked.question.text, language) if asked.question.text else ""
        problem = asked.solution.problem
        title = localised(problem.title, language) or problem.name
        stated = [block for block in given(Sheet(asked.part, self.words)) if not _is_top(block)]
        prompt = [*([Paragraph((Text(question),))] if question else []), *stated]
        tasks = tuple(self._tasks())
        return Item(
            identifier=identifier("q", asked.question.id, f"{asked.variant.number:04d}", asked.variant.code),
            question=asked.question.id,
            variant=asked.variant.code,
            title=f"{title} ({asked.variant.code})",
            language=language,
            prompt=self._set(prompt),
            advice=self._advice if any(isinstance(task, Entries) for task in tasks) else (),
            tasks=tasks,
            solution=self._set([*self._answered(tasks), *self._worked()]),
        )

    def _worked(self) -> Iterator[Block]:
        """The steps, without the questions of choice of the problem's own: those are others than the item's."""
        yield from stepped(Sheet(self.asked.part, self.words, detail=BRIEF))

    def _set(self, blocks: list[Block]) -> tuple[Block, ...]:
        return set_numbers(Document("item", "", self.words.language, tuple(blocks)), self.words).blocks

    @property
    def _advice(self) -> Spans:
        said = [self.words.say("platforms.decimals")]
        if self.sign != ".":
            said.append(self.words.say("platforms.point"))
        return self.words.sentences(said)

    # ── tasks ──

    def _tasks(self) -> Iterator[Task]:
        question = self.asked.question
        match question.form:
            case "choice":
                for chosen in choices(self.asked, self.asked.wrongs):
                    yield self._choice(chosen, question.steps[chosen.quantity])
            case "judge":
                for statement, points in zip(
                    statements(self.asked, self.asked.wrongs), question.steps.values(), strict=True
                ):
                    yield self._judgement(statement, points)
            case "find_error":
                yield self._hunt(hunt(self.asked, self.asked.wrongs), question.points)
            case _:
                yield from self._entries()

    def _entries(self) -> Iterator[Entries]:
        found: dict[str, list[Answer]] = {quantity: [] for quantity in self.asked.question.steps}
        for answer in answers(self.asked.question, self.asked.solution):
            found[answer.quantity].append(answer)
        for quantity, entries in found.items():
            relation = r"\leftarrow" if "@" in quantity else "="
            whole = self.asked.wrongs.of(quantity, MOST_TRIED)
            label = (Math(f"{self.asked.symbol(quantity)} {relation}"),)
            fields = tuple(self._field(answer, place, whole) for place, answer in enumerate(entries))
            yield Entries(quantity, label, self.asked.values[quantity].shape, fields)

    def _field(self, answer: Answer, place: int, whole: Sequence[WrongWhole]) -> Field:
        rounding = self.asked.part.rounding
        right = target(answer.value, answer.printed, rounding)
        value = read_number(right.text)
        off = self.tolerance.of(value, unit_of(value, rounding))
        label = (Math(self._entry(answer)),)
        return Field(label, answer.index, right.text, off, answer.points, self._wrong(right.text, off, place, whole))

    def _entry(self, answer: Answer) -> str:
        """The symbol of one entry; a number has that of the whole."""
        base, symbols = answer.quantity.partition("@")[0], self.sheet.symbols
        name, names, index = self.asked.name(base), split_ratio(base), tuple(k - 1 for k in answer.index)
        if not index:
            return self.asked.symbol(answer.quantity)
        if name is not None or names is None:
            return symbols.entry(name or base, index)
        ratio = self.asked.part.ratio(base)
        if ratio is None or ratio.kind == "jacobian":  # entries of one name by entries of the other, both row by row
            of, by = (self._counted(one, k) for one, k in zip(names, index, strict=True))
        else:
            of = symbols.entry(ratio.of, index) if ratio.kind == "elementwise" else symbols.name(ratio.of)
            by = symbols.entry(ratio.by, index)
        return symbols.partial(of, by)

    def _counted(self, name: str, k: int) -> str:
        """The symbol of the entry of a name that has ``k`` others before it."""
        shape = tuple(map(int, self.asked.part.network.shape(name)))
        symbols = self.sheet.symbols
        return symbols.entry(name, tuple(map(int, np.unravel_index(k, shape)))) if shape else symbols.name(name)

    def _wrong(self, right: str, off: fmpq, place: int, whole: Sequence[WrongWhole]) -> tuple[Wrong, ...]:
        """What slips make of one entry: values that no tolerance mixes up with the right one or with each other."""
        taken, found = [read_number(right)], list[Wrong]()
        for wrong in whole:
            shown = wrong.value.texts[place]
            if len(found) == MOST_WRONG or shown.below is not None:
                continue
            value = read_number(shown.text)
            if all(abs(value - other) > 2 * off for other in taken):
                taken.append(value)
                found.append(Wrong(shown.text, self._slip(wrong.slip)))
        return tuple(found)

    def _slip(self, slip: Explanation) -> Spans:
        return self._line(self.words.sentences(told(self.sheet, (slip,))))

    def _line(self, spans: Spans) -> Spans:
        """A line with the decimal sign in its numbers."""
        return tuple(Math(in_latex(span.latex, self.sign)) if isinstance(span, Math) else span for span in spans)

    # ── forms to choose from ──

    def _choice(self, chosen: Chosen, points: fmpq) -> Choice:
        options = tuple(
            Option(
                self._line((Math(option.latex),)), option.slip is None, self._slip(option.slip) if option.slip else ()
            )
            for option in chosen.options
        )
        return Choice(self._which(chosen.quantity), options, points)

    def _which(self, quantity: str) -> Spans:
        symbol, update = Math(self.asked.symbol(quantity)), quantity.partition("@")[2]
        if update in ("", "0"):
            return self.words.say("platforms.choose", name=symbol)
        if update == "1":
            return self.words.say("platforms.choose_after_one", name=symbol)
        return self.words.say("platforms.choose_after_many", name=symbol, count=update)

    def _judgement(self, statement: Statement, points: fmpq) -> Judgement:
        asked = self.words.say("quiz.judge", formula=Math(statement.shown))
        return Judgement(self._line(asked), statement.slip is None, self._verdict(statement), points)

    def _verdict(self, statement: Statement) -> Spans:
        if statement.slip is None:
            return self.words.say("quiz.true")
        return self.words.sentences((self.words.say("quiz.false"), self._slip(statement.slip)))

    def _hunt(self, lines: tuple[Statement, ...], points: fmpq) -> Choice:
        options = tuple(
            Option(
                self._line((Math(one.shown),)),
                one.slip is not None,
                self._verdict(one) if one.slip is not None else self.words.say("quiz.true"),
            )
            for one in lines
        )
        return Choice(self.words.say("quiz.find", count=len(lines)), options, points, fixed=True)

    def _answered(self, tasks: tuple[Task, ...]) -> Iterator[Block]:
        """The key of what was to be chosen or judged; entries are found in the solution."""
        for task in tasks:
            if isinstance(task, Judgement):
                yield Paragraph((*task.asked, Text(" "), *task.feedback))
            elif isinstance(task, Choice):
                right = next(option for option in task.options if option.right)
                yield Paragraph((*task.asked, Text(" "), *right.said))
                if right.feedback:
                    yield Paragraph(right.feedback)


def _is_top(block: Block) -> bool:
    """The heading over the whole problem, which an item does not need."""
    return isinstance(block, Heading) and block.label == "problem"
