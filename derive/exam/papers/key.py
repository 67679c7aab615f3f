"""The key: what is right, question by question, and behind it what wrong values tell and still deserve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.exam.papers.choices import choices, hunt, statements
from derive.exam.papers.paper import letter
from derive.exam.papers.posed import Asked, Posed
from derive.exam.papers.solution import found
from derive.report.compose.slips import told
from derive.report.document import (
    Block,
    Chain,
    Display,
    Document,
    Heading,
    Items,
    Link,
    Math,
    Paragraph,
    Spans,
    Strong,
    Table,
    Text,
)
from derive.report.widths import bound
from derive.review.explanation import Explanation

MOST_WRONG = 3  # values of one quantity in the guide
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
    title = asked.words.text("exam_paper.title", number=str(asked.number))
    return (Text(f"{title} {asked.points(asked.question.points)}"),)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _values(asked: Asked) -> Iterator[Block]:
    steps = asked.question.steps
    wide = [quantity for quantity, value in asked.values.items() if bound(value.latex) > WIDEST]
    rows = tuple(
        (
            (Math(asked.symbol(quantity, line=True)),),
            (Math(rf"\displaystyle {asked.relation(quantity)} {value.latex}"),),
            (Text(asked.number_text(steps[quantity])),),
        )
        for quantity, value in asked.values.items()
        if quantity not in wide
    )
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
    yield Paragraph(found(asked, lines))


def _head(asked: Asked, *keys: str) -> tuple[Spans, ...]:
    return tuple(asked.words.say(f"exam_paper.{one}") for one in keys)


FORMS = {"choice": _choice, "judge": _judge, "find_error": _find_error}


# ── the guide ───────────────────────────────────────────────────────────────────────────────────────────────────


def _guide(asked: Asked) -> Iterator[Block]:
    """For each asked value the wrong ones of common slips, with the points that they still deserve."""
    yield Heading(2, _title(asked))
    silent: list[Math] = []
    colon = Text(asked.words.text("locale.colon"))
    for quantity, points in asked.question.steps.items():
        right, symbol = asked.values[quantity], asked.symbol(quantity, line=True)
        wrongs = asked.wrongs.of(quantity, MOST_WRONG)
        if not wrongs:
            silent.append(Math(symbol))
            continue
        left = [points * wrong.entries_right(right) / max(len(right.texts), 1) for wrong in wrongs]
        equation = Math(rf"\displaystyle {symbol} {asked.relation(quantity)} {right.latex}")
        yield Paragraph((equation, Text(" "), Text(asked.points(points))))
        yield Items(
            tuple(
                (Math(rf"\displaystyle {wrong.value.latex}"), colon, *_said(asked, wrong.slip, quantity))
                for wrong in wrongs
            ),
            points=tuple(asked.points(number) for number in left),
        )
    if silent:
        words = asked.words
        yield Paragraph((*words.listed(silent), Text(words.text("locale.colon")), *words.say("exam_paper.no_slip")))


def _said(asked: Asked, slip: Explanation, quantity: str) -> Spans:
    """The slip in words, without the name of the quantity where that stands above it."""
    bare = replace(slip, quantity="") if slip.quantity == quantity and not slip.names else slip
    return asked.words.sentences(told(asked.sheet, [bare]))
