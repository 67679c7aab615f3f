"""The report on a set of variants as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.exam.exam import Exam
from derive.exam.sets.set_report import Bar, Pair, QuestionReport, SetReport, Spread
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose.statement import localised
from derive.report.document import (
    Block,
    Code,
    Document,
    Figure,
    Heading,
    Items,
    Note,
    Paragraph,
    Spans,
    Table,
    Text,
    stem_in,
)
from derive.report.figures.formula import measure
from derive.report.scene import Box, Label, Line, Mark, Scene

BAR_WIDTH, STEP, TALL = 0.9, 1.25, 3.0  # cm
SIZE = 8.0  # points


def set_document(exam: Exam, report: SetReport, language: str = "en") -> Document:
    """The report in a language. Raises ``ProblemError`` for a language that there is not."""
    words = catalogue(language)
    title = words.text("exam_set.title", exam=localised(exam.title, language))
    blocks = [Paragraph(words.say("exam_set.intro", variants=_variants(words, report.variants)))]
    if report.nearest is not None and len(report.questions) > 1:
        blocks.append(Paragraph(words.say("exam_set.nearest_papers", **_pair(report.nearest))))
    every: list[Block] = [*blocks]
    for question in report.questions:
        every += _question(question, words)
    if not report.questions:
        every.append(Paragraph(words.say("exam_set.fixed")))
    return Document(stem_in(language, f"{exam.name}-set"), title, language, tuple(every))


def _variants(words: Catalogue, number: int) -> str:
    return words.text("exam_set.one" if number == 1 else "exam_set.many", count=words.count(number))


def _question(question: QuestionReport, words: Catalogue) -> Iterator[Block]:
    yield Heading(1, words.say("exam_set.question", id=question.id))
    rows = [("operations", question.operations), ("negative", question.negative), ("fractional", question.fractional)]
    head = ("count", "least", "middle", "most")
    yield Table(
        tuple(words.say(f"exam_set.{key}") for key in head),
        tuple((words.say(f"exam_set.{key}"), *_cells(spread, words)) for key, spread in rows),
        "lrrr",
    )
    if len(question.histogram) > 1:
        yield Figure(bars(question.histogram), words.say("exam_set.histogram"), _in_words(question.histogram, words))
    if question.nearest is not None:
        yield Paragraph(words.say("exam_set.nearest", **_pair(question.nearest)))
    for one in question.unused:
        names = words.listed([Code(f"{name} = {function}") for name, function in one.functions])
        yield Note(words.say("exam_set.unused", functions=names))
        if one.blocked:
            yield Items(tuple(_wanted(each.kind, each.quantity, each.number, words) for each in one.blocked))
    key = "tried" if question.rejections else "all_fit"
    yield Paragraph(words.say(f"exam_set.{key}", candidates=words.count(question.candidates)))
    if question.rejections:
        yield Items(tuple(_rejected(one, words) for one in question.rejections))


def _cells(spread: Spread, words: Catalogue) -> tuple[Spans, ...]:
    middle = words.numbers(f"{int(spread.middle.p) / int(spread.middle.q):g}")
    return (Text(str(spread.least)),), (Text(middle),), (Text(str(spread.most)),)


def _pair(pair: Pair) -> dict[str, Code | str]:
    first, second = (Code(code) for code in pair.codes)
    return {"first": first, "second": second, "different": str(pair.different), "entries": str(pair.entries)}


def _rejected(one: tuple[str, str, str, int], words: Catalogue) -> Spans:
    kind, quantity, number, count = one
    return words.say("exam_set.rejected", what=_wanted(kind, quantity, number, words), count=words.count(count))


def _wanted(kind: str, quantity: str, number: str, words: Catalogue) -> Spans:
    """What is required, in words."""
    key = "exam_set.operations_near" if kind == "operations" else f"exam_set.{kind}"
    places: dict[str, Code | str] = {"quantity": Code(quantity), "number": words.numbers(number)}
    used = {name: place for name, place in places.items() if "{" + name + "}" in words.template(key)}
    return words.say(key, **used)


def _in_words(histogram: Sequence[Bar], words: Catalogue) -> str:
    parts = [words.text("exam_set.bar", range=_range(bar), count=words.count(bar.variants)) for bar in histogram]
    return words.text("locale.semicolon").join(parts)


def _range(bar: Bar) -> str:
    return str(bar.low) if bar.low == bar.high else f"{bar.low}–{bar.high}"


def bars(histogram: Sequence[Bar]) -> Scene:
    """A bar for each range of counts, with its number of variants above and the range below."""
    most = max(bar.variants for bar in histogram)
    floor, marks = 0.6, list[Mark]()
    width = STEP * len(histogram) + 0.2
    for k, bar in enumerate(histogram):
        x, height = 0.1 + STEP * (k + 0.5), TALL * bar.variants / most
        if bar.variants:
            marks.append(Box(round(x, 3), round(floor + height / 2, 3), BAR_WIDTH, round(height, 3), "", "input"))
        below = str(bar.low) if bar.low == bar.high else rf"{bar.low} \ldots {bar.high}"
        for latex, y in ((str(bar.variants), floor + height + 0.25), (below, floor - 0.3)):
            marks.append(Label(round(x, 3), round(y, 3), latex, *measure(latex, SIZE), size=SIZE))
    marks.append(Line(0.05, floor, round(width - 0.05, 3), floor, "plain", arrow=False))
    return Scene(round(width, 3), floor + TALL + 0.6, tuple(marks))
