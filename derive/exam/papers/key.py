"""The key: what is right, question by question, and behind it what wrong values tell and still deserve."""

from __future__ import annotations

from collections.abc import Iterator

from derive.exam.papers.choices import choices, hunt, statements
from derive.exam.papers.paper import letter
from derive.exam.papers.posed import Asked, Posed
from derive.exam.papers.solution import verdict
from derive.report.compose.slips import told
from derive.report.document import (
    Block,
    Chain,
    Display,
    Document,
    Heading,
    Link,
    Math,
    Paragraph,
    Spans,
    Strong,
    Table,
    Text,
)
from derive.report.widths import bound

MOST_WRONG = 4  # values of one quantity in the guide
WIDEST = 22.0  # em of a value in a table


def key(posed: Posed) -> Document:
    """The key of a variant, with its marking guide."""
    title = posed.words.text("exam_paper.key", title=posed.title)
    return posed.document("key", title, _blocks(posed))


def _blocks(posed: Posed) -> Iterator[Block]:
    words = posed.words
    yield Heading(1, ((Text(words.text("exam_paper.answers") + " "), Strong(posed.variant.code))), "answers")
    for asked in posed.questions:
        yield Heading(2, _title(asked))
        yield from FORMS.get(asked.question.form, _values)(asked)
    guided = [asked for asked in posed.questions if asked.question.form not in FORMS]
    if guided:
        yield Heading(1, words.say("exam_paper.guide"), "guide")
        yield Paragraph(words.say("exam_paper.rule"))
        for asked in guided:
            yield from _guide(asked)


def _title(asked: Asked) -> Spans:
    words = asked.words
    return (Text(f"{words.text('exam_paper.question')} {asked.number} {asked.points(asked.question.points)}"),)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _values(asked: Asked) -> Iterator[Block]:
    steps = asked.question.steps
    wide = [quantity for quantity, value in asked.values.items() if bound(value.latex) > WIDEST]
    rows = tuple(
        (
            (Math(asked.symbol(quantity, line=True)),), (Math(rf"{asked.relation(quantity)} {value.latex}"),),
            (Text(asked.number_text(steps[quantity])),),
        )
        for quantity, value in asked.values.items()
        if quantity not in wide
    )  # fmt: skip
    head = tuple(asked.words.say(f"exam_paper.{one}") for one in ("quantity", "value_column", "points_row"))
    if rows:
        yield Table(head, rows, "llr")
    for quantity in wide:
        link = Link(asked.relation(quantity), (asked.values[quantity].latex,))
        yield Display((Chain(asked.symbol(quantity), (link,)),), points=asked.points(steps[quantity]))


def _choice(asked: Asked) -> Iterator[Block]:
    steps = asked.question.steps
    rows = tuple(
        (
            (Text(f"{asked.number}.{number}"),), (Math(asked.symbol(one.quantity, line=True)),),
            (Strong(letter(one.right)),), (Text(asked.number_text(steps[one.quantity])),),
        )
        for number, one in enumerate(choices(asked, asked.wrongs), 1)
    )  # fmt: skip
    yield Table(((), *_head(asked, "quantity", "answer", "points_row")), rows, "llcr")


def _judge(asked: Asked) -> Iterator[Block]:
    words, steps = asked.words, asked.question.steps
    rows = tuple(
        (
            (Text(f"({letter(k)})"),), (Math(one.shown),),
            words.say("exam_paper.true" if one.slip is None else "exam_paper.false"),
            (Text(asked.number_text(steps[one.quantity])),),
        )
        for k, one in enumerate(statements(asked, asked.wrongs))
    )  # fmt: skip
    yield Table(((), *_head(asked, "equation", "answer", "points_row")), rows, "lllr")


def _find_error(asked: Asked) -> Iterator[Block]:
    lines = hunt(asked, asked.wrongs)
    number, wrong = next((n, line) for n, line in enumerate(lines, 1) if line.slip is not None)
    yield Paragraph((*asked.words.say("quiz.line", number=number), Text(" "), *verdict(asked, wrong)))


def _head(asked: Asked, *keys: str) -> tuple[Spans, ...]:
    return tuple(asked.words.say(f"exam_paper.{one}") for one in keys)


FORMS = {"choice": _choice, "judge": _judge, "find_error": _find_error}


# ── the guide ───────────────────────────────────────────────────────────────────────────────────────────────────


def _guide(asked: Asked) -> Iterator[Block]:
    """For each asked value the wrong ones of common slips, with the points that they still deserve."""
    yield Heading(2, _title(asked))
    silent = []
    for quantity, points in asked.question.steps.items():
        right = asked.values[quantity]
        found = asked.wrongs.of(quantity)[:MOST_WRONG]
        if not found:
            silent.append(Math(asked.symbol(quantity, line=True)))
            continue
        rows = []
        for wrong in found:
            left = points * wrong.entries_right(right) / max(len(right.texts), 1)
            said = asked.words.sentences(told(asked.sheet, [wrong.slip]))
            rows.append(((Math(wrong.value.latex),), said, (Text(asked.number_text(left)),)))
        equation = Math(rf"{asked.symbol(quantity, line=True)} {asked.relation(quantity)} {right.latex}")
        yield Paragraph((equation, Text(" "), Text(asked.points(points))))
        yield Table(_head(asked, "wrong_value", "slip", "still"), tuple(rows), "llr")
    if silent:
        words = asked.words
        yield Paragraph((*words.listed(silent), Text(words.text("locale.colon")), *words.say("exam_paper.no_slip")))
