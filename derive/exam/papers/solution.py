"""The solution: each question with its working, every answer in a box, its points beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from derive.errors import ProblemError
from derive.exam.papers.choices import Statement, choices, hunt, statements
from derive.exam.papers.paper import choose, form, letter, listing
from derive.exam.papers.posed import WORKED, Asked, Posed
from derive.exam.papers.stated import note, opened, shared_conventions, stated
from derive.graph.expression import Adjoint
from derive.report.compose.backward import matrix_form
from derive.report.compose.forward import shown
from derive.report.compose.only import UPDATED, excerpts
from derive.report.compose.sheet import Sheet
from derive.report.compose.slips import told
from derive.report.compose.updates import in_numbers
from derive.report.document import Block, Chain, Display, Document, Items, Link, Math, Paragraph, Spans, Strong, Text


def solution(posed: Posed) -> Document:
    """The solution of a variant."""
    title = posed.words.text("exam_paper.solution", title=posed.title)
    return posed.document("solution", title, _blocks(posed))


def _blocks(posed: Posed) -> Iterator[Block]:
    shared = shared_conventions(posed)
    yield Paragraph((Strong(posed.variant.code),))
    yield from note(posed, shared)
    for asked in posed.questions:
        yield opened(asked)
        yield from stated(asked, shared)
        yield from FORMS[asked.question.form](asked)


# ── worked ──────────────────────────────────────────────────────────────────────────────────────────────────────


def worked(asked: Asked) -> Iterator[Block]:
    """What the asked quantities rest on, in the order of working; an asked one boxed, with its points."""
    steps = asked.question.steps
    sheet = _sheet(asked)
    if sheet is None:  # a second derivative, say, has no excerpt: its value alone stands for it
        yield from (_value(asked, quantity) for quantity in steps)
        return
    done = set()
    for name, display in _working(sheet):
        done.add(name)
        yield _earned(asked, name, display)
    yield from (_value(asked, quantity) for quantity in steps if quantity not in done)


def _sheet(asked: Asked) -> Sheet | None:
    """What the asked quantities rest on, and nothing else."""
    try:
        [excerpt] = excerpts((asked.part,), tuple(asked.question.steps))
    except ProblemError:
        return None
    return Sheet(excerpt.part, asked.words, detail=WORKED, excerpt=excerpt)


def _working(sheet: Sheet) -> Iterator[tuple[str, Display]]:
    """Each display with the name of what it works out."""
    part = sheet.part
    for equation in part.network.equations:
        if sheet.works_out(equation.name):
            yield str(equation.name), shown(sheet, equation)
    for derivation in (*([part.derivation] if part.derivation is not None else []), *part.ratios.values()):
        for adjoint in derivation.adjoints:
            yield str(adjoint), matrix_form(sheet, derivation, adjoint)
    update = part.problem.ask.update
    for name, rate in update.moving.items() if update is not None else ():
        for block in in_numbers(sheet, name, rate):
            if isinstance(block, Display):
                yield f"{name}{UPDATED}", block


def _earned(asked: Asked, quantity: str, display: Display) -> Display:
    """The display; where it works out what is asked, its last value in a box and its points beside it."""
    plain = replace(display, of="", uses=())
    points = asked.question.steps.get(quantity)
    if points is None:
        return plain
    *before, chain = display.chains
    *links, last = chain.links
    *terms, value = last.terms
    opens = next((sign for sign in ("= ", r"\approx ") if value.startswith(sign)), "") if terms else ""
    boxed = replace(last, terms=(*terms, rf"{opens}\boxed{{{value.removeprefix(opens)}}}"))
    return replace(plain, chains=(*before, replace(chain, links=(*links, boxed))), points=asked.points(points))


def _value(asked: Asked, quantity: str) -> Display:
    """An asked value without its working."""
    value = asked.values[quantity]
    link = Link(asked.relation(quantity), (rf"\boxed{{{value.latex}}}",))
    return Display((Chain(asked.symbol(quantity), (link,)),), points=asked.points(asked.question.steps[quantity]))


# ── the other forms ─────────────────────────────────────────────────────────────────────────────────────────────


def _table(asked: Asked) -> Iterator[Block]:
    yield form(asked, {quantity: value.latex for quantity, value in asked.values.items()})
    yield from worked(asked)


def _choice(asked: Asked) -> Iterator[Block]:
    words = asked.words
    for number, choice in enumerate(choices(asked, asked.wrongs), 1):
        yield from choose(asked, number, choice)
        yield Paragraph(words.say("exam_paper.right_is", letter=Strong(letter(choice.right))))
        yield Items(
            tuple(
                (Text(f"({letter(k)}) "), *words.sentences(told(asked.sheet, [option.slip])))
                for k, option in enumerate(choice.options)
                if option.slip is not None
            )
        )


def _judge(asked: Asked) -> Iterator[Block]:
    made = statements(asked, asked.wrongs)
    yield Items(
        tuple((Math(one.shown), Text(asked.words.text("locale.colon")), *verdict(asked, one)) for one in made),
        letters=True,
        points=tuple(asked.points(asked.question.steps[one.quantity]) for one in made),
    )


def _find_error(asked: Asked) -> Iterator[Block]:
    lines = hunt(asked, asked.wrongs)
    yield listing(lines)
    yield Paragraph(found(asked, lines))
    yield from (_earned(asked, "", display) for display in _derivatives(asked))


def _derivatives(asked: Asked) -> Iterator[Display]:
    derivation = asked.part.derivation
    for adjoint in asked.backward:
        assert isinstance(adjoint, Adjoint)
        assert derivation is not None
        yield matrix_form(asked.sheet, derivation, adjoint)


def found(asked: Asked, lines: Sequence[Statement]) -> Spans:
    """Which line is wrong, why, and what should stand there."""
    k, wrong = next((k, line) for k, line in enumerate(lines) if line.slip is not None)
    line = asked.words.say("quiz.line", number=Strong(f"({letter(k)})"))
    return asked.words.sentences((line, *_mended(asked, wrong)))


def _mended(asked: Asked, wrong: Statement) -> tuple[Spans, ...]:
    assert wrong.slip is not None
    return (*told(asked.sheet, [wrong.slip]), asked.words.say("quiz.should", formula=Math(wrong.right)))


def verdict(asked: Asked, one: Statement) -> Spans:
    """Right; or wrong, with the slip and what should stand there."""
    words = asked.words
    if one.slip is None:
        return (Strong(words.text("exam_paper.true")),)
    said = (Strong(words.text("exam_paper.false")), Text(words.text("locale.semicolon")))
    return (*said, *words.sentences(_mended(asked, one)))


FORMS = {
    "worked": worked, "matrix": worked, "table": _table,
    "choice": _choice, "judge": _judge, "find_error": _find_error,
}  # fmt: skip
