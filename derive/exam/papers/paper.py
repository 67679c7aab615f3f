"""The paper: what stands on its first page, and each question in its form with the space for its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from derive.exam.papers import blanks, scan
from derive.exam.papers.choices import Choice, Statement, choices, hunt, statements
from derive.exam.papers.posed import Asked, Posed, number_text, told_in
from derive.exam.papers.stated import BETWEEN, ROOM, note, opened, shared_conventions, stated
from derive.problem.ask import split_ratio
from derive.report.document import (
    Block,
    Chain,
    Display,
    Document,
    Figure,
    Items,
    Link,
    Masthead,
    Math,
    Paragraph,
    Question,
    Room,
    Spans,
    Table,
    Text,
)
from derive.report.widths import bound

MOST_QUESTIONS = 10  # that have a column each in the table of points
LARGEST_ROOM = 20.0  # cm of one frame; a larger space is several
SCORE = 0.9  # cm of the row for the score
TICK = 1.0  # cm of a row with a box to tick
CORRECTION = 2.4  # cm for an equation set right


def paper(posed: Posed) -> Document:
    """The paper of a variant."""
    return posed.document("paper", posed.title, _blocks(posed))


def _blocks(posed: Posed) -> Iterator[Block]:
    yield _masthead(posed)
    if 1 < len(posed.questions) <= MOST_QUESTIONS:
        yield _points(posed)
    instructions = told_in(posed.words, posed.exam.instructions)
    if instructions:
        yield Paragraph(instructions)
    shared = shared_conventions(posed)
    yield from note(posed, shared)
    for asked in posed.questions:
        yield opened(asked)
        yield from stated(asked, shared)
        yield from FORMS[asked.question.form](asked)


def _masthead(posed: Posed) -> Masthead:
    exam, words, count = posed.exam, posed.words, len(posed.questions)
    date = told_in(words, exam.date)
    points = posed.questions[0].points(exam.points, brackets=False)
    total = words.say("exam_paper.total" if count > 1 else "exam_paper.total_one", count=count, points=points)
    fields = (words.text("exam_paper.name"), ""), (words.text("exam_paper.student"), posed.variant.student or "")
    content = scan.content(exam, posed.variant)
    alternative = words.text("exam_paper.qr", content=content)
    return Masthead((*([date] if date else []), total), fields, scan.code(content), posed.variant.code, alternative)


def _points(posed: Posed) -> Table:
    words, questions = posed.words, posed.questions

    def text(key: str) -> Spans:
        return words.say(f"exam_paper.{key}")

    numbers = [*(asked.question.points for asked in questions), posed.exam.points]
    head = (text("question"), *((Text(str(asked.number)),) for asked in questions), text("sum"))
    points = (text("points_row"), *((Text(number_text(number, words)),) for number in numbers))
    score = (text("score_row"), *(() for _ in numbers))
    return Table(head, (points, score), "c" * (len(numbers) + 1), room=(0.6, SCORE))


# ── the forms ───────────────────────────────────────────────────────────────────────────────────────────────────


def _worked(asked: Asked) -> Iterator[Block]:
    yield Paragraph(asked.words.say("exam_paper.find"))
    yield tasks(asked)
    if asked.question.blanks:
        yield from _matrices(asked)
    yield from _room(asked, _needed(asked) / (2 if asked.question.blanks else 1))


def _matrix(asked: Asked) -> Iterator[Block]:
    yield Paragraph(asked.words.say("exam_paper.fill"))
    yield tasks(asked)
    yield from _matrices(asked)
    yield from _room(asked, _needed(asked) / 2)


def _table(asked: Asked) -> Iterator[Block]:
    from derive.report.compose.circuit import blank_circuit  # only who has a graph pays for it

    graph = [block for block in blank_circuit(asked.sheet) if isinstance(block, Figure)]
    if graph:
        yield Paragraph(asked.words.say("exam_paper.fill_graph"))
        yield from graph
    if any(split_ratio(quantity) is not None for quantity in asked.question.steps):
        loss = Math(asked.symbol(asked.part.asked.top or ""))
        yield Paragraph(asked.words.say("exam_paper.fill_table", loss=loss))
    else:
        yield Paragraph(asked.words.say("exam_paper.fill_values"))
    yield form(asked)
    yield from _room(asked, 0.0)


def _choice(asked: Asked) -> Iterator[Block]:
    yield Paragraph(asked.words.say("exam_paper.choose"))
    for number, choice in enumerate(choices(asked, asked.wrongs), 1):
        yield from choose(asked, number, choice)
    yield from _room(asked, 0.0)


def _judge(asked: Asked) -> Iterator[Block]:
    words = asked.words
    yield Paragraph(words.say("exam_paper.judge"))
    rows = [
        (
            (Text(f"({letter(k)})"),),
            (Math(one.shown),),
            (),
            (),
            (Text(asked.number_text(asked.question.steps[one.quantity])),),
        )
        for k, one in enumerate(statements(asked, asked.wrongs))
    ]
    head = ((), *(words.say(f"exam_paper.{key}") for key in ("equation", "true", "false", "points_row")))
    yield Table(head, tuple(rows), "clccc", room=(TICK,) * len(rows))
    yield from _room(asked, 0.0)


def _find_error(asked: Asked) -> Iterator[Block]:
    words = asked.words
    yield Paragraph(words.say("exam_paper.find_error"))
    yield listing(hunt(asked, asked.wrongs))
    rows = ((words.say("exam_paper.line"), ()), (words.say("exam_paper.correct"), ()))
    yield Table((words.say("exam_paper.answer"), ()), rows, "cl", room=(TICK, CORRECTION))
    yield from _room(asked, 0.0)


FORMS = {
    "worked": _worked, "matrix": _matrix, "table": _table,
    "choice": _choice, "judge": _judge, "find_error": _find_error,
}  # fmt: skip


# ── what paper and solution share ───────────────────────────────────────────────────────────────────────────────


def letter(k: int) -> str:
    """a, b, …, z, aa, ab, …"""
    return (letter(k // 26 - 1) if k >= 26 else "") + chr(ord("a") + k % 26)


def tasks(asked: Asked) -> Items:
    """What is to be found, with its points."""
    steps = asked.question.steps
    return Items(tuple(map(asked.told, steps)), letters=True, points=tuple(map(asked.points, steps.values())))


def choose(asked: Asked, number: int, choice: Choice) -> Iterator[Block]:
    """One question of choice."""
    key = "choose_formula" if choice.formula else "choose_value"
    name = asked.told(choice.quantity) if "@" in choice.quantity else (Math(asked.symbol(choice.quantity)),)
    said = asked.words.say(f"exam_paper.{key}", name=name)
    yield Question(f"{asked.number}.{number}", said, asked.points(asked.question.steps[choice.quantity]), part=True)
    yield Display(tuple(_options(choice)))


def _options(choice: Choice) -> Iterator[Chain]:
    """The answers to choose from in rows of four, two or one, as wide as they are."""
    texts = [rf"\text{{({letter(k)})}} \enspace {{{option.latex}}}" for k, option in enumerate(choice.options)]
    widest = max(map(bound, texts)) + BETWEEN
    side_by_side = next(count for count in (len(texts), 2, 1) if count * widest <= ROOM or count == 1)
    for k in range(0, len(texts), side_by_side):
        yield Chain("", (Link("", (r" \qquad ".join(texts[k : k + side_by_side]),)),))


def listing(lines: Sequence[Statement]) -> Items:
    """Lines of formulas, each with its letter."""
    return Items(tuple((Math(line.shown),) for line in lines), letters=True)


def form(asked: Asked, filled: Mapping[str, str] | None = None) -> Table:
    """The table of values and derivatives, blank or filled: a row for each name."""
    words, steps = asked.words, asked.question.steps
    rows: dict[str, list[str]] = {}
    for quantity in steps:
        ratio = split_ratio(quantity)
        rows.setdefault(quantity if ratio is None else ratio[1], []).append(quantity)
    order = {name: k for k, name in enumerate((*asked.part.network.data, *asked.forward))}
    made, room = [], []
    for name in sorted(rows, key=lambda name: order.get(name, len(order))):
        pair = [next((q for q in rows[name] if (split_ratio(q) is not None) == back), None) for back in (False, True)]
        cells: list[Spans] = [
            (Text("–"),)
            if quantity is None
            else (Math(rf"\displaystyle {filled[quantity]}"),)
            if filled is not None
            else ()
            for quantity in pair
        ]
        points = " + ".join(asked.number_text(steps[quantity]) for quantity in pair if quantity is not None)
        high = max(blanks.Blank("", asked.values[q].shape).grid[0] for q in rows[name])
        label = asked.told(name) if "@" in name else (Math(asked.symbol(name)),)
        made.append((label, *cells, (Text(points),)))
        room.append(0.4 + blanks.CELL_HEIGHT * high)
    head = tuple(
        words.say(f"exam_paper.{key}") for key in ("quantity", "value_column", "derivative_column", "points_row")
    )
    return Table(head, tuple(made), "cllc", room=tuple(room) if filled is None else ())


# ── space ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _matrices(asked: Asked) -> Iterator[Block]:
    """A blank for each asked quantity, and a frame for those that are too large for one."""
    arrow = r"\leftarrow"
    made = [
        blanks.Blank(rf"{asked.symbol(quantity, line=True)} {arrow if '@' in quantity else '='}", value.shape)
        for quantity, value in asked.values.items()
    ]
    fitting = [blank for blank in made if blank.fits]
    if fitting:
        yield blanks.figure(fitting, asked.words)
    for blank in made:
        if not blank.fits:
            yield Display((Chain(blank.latex, ()),))
            yield Room(4.0)


def _needed(asked: Asked) -> float:
    """cm for the working, from how many rows the asked matrices have."""
    heights = (1.2 + 0.5 * blanks.Blank("", value.shape).grid[0] for value in asked.values.values())
    return min(max(sum(heights), 3.0), LARGEST_ROOM)


def _room(asked: Asked, usual: float) -> Iterator[Block]:
    """The space for the answer: what the exam says, or what is usual for the form."""
    space = asked.question.space
    height = round(usual, 1) if space is None else int(space.p) / int(space.q)
    while height > 0:
        yield Room(min(height, LARGEST_ROOM))
        height -= LARGEST_ROOM
