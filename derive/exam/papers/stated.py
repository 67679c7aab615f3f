"""A question as it is put: the network, its numbers in as few lines as they need, the conventions that bear on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.exam.papers.posed import Asked, Posed, told_in
from derive.report.compose import statement
from derive.report.document import Block, Chain, Display, Items, Link, Math, Note, Question, Spans, Strong
from derive.report.page import A4, INDENT
from derive.report.widths import bound

BETWEEN = 2.5  # em between two matrices of a line
ROOM = 0.9 * (A4.line - INDENT)


def opened(asked: Asked) -> Question:
    """The line that opens the question, with its points."""
    question = asked.question
    said = told_in(asked.words, question.text) or asked.words.say("exam_paper.network")
    return Question(str(asked.number), said, asked.points(question.points))


def stated(asked: Asked, shared: Sequence[Spans]) -> Iterator[Block]:
    """The equations and the numbers, and the conventions that are not shared by all questions."""
    blocks = [*statement.equations(asked.sheet), *statement.data(asked.sheet)]
    equations, *data = [block for block in blocks if isinstance(block, Display)] or [Display(())]
    yield Display((*equations.chains, *_lines([chain for block in data for chain in block.chains])))
    yield from _rule(asked)
    own = [item for item in conventions(asked) if item not in shared]
    if own:
        yield Note(asked.words.sentences(own))


def _rule(asked: Asked) -> Iterator[Block]:
    """What a rule other than plain descent needs besides its rate, where an update is asked for."""
    update = asked.part.problem.ask.update
    if update is not None and not update.plain and any("@" in quantity for quantity in asked.question.steps):
        from derive.report.compose import rule_stated  # only such updates pay for it

        yield from rule_stated.stated(asked.sheet, update)
        yield from rule_stated.given_gradients(asked.sheet, update)


def _lines(chains: Sequence[Chain]) -> Iterator[Chain]:
    """Short chains side by side, as many as a line holds; the first of a line is aligned with the equations."""
    line: Chain | None = None
    used = 0.0
    for chain in chains:
        text = " ".join([chain.left, *(f"{link.relation} {' '.join(link.terms)}" for link in chain.links)])
        width = bound(text) + BETWEEN
        if line is not None and used + width <= ROOM and len(line.links) == 1:
            [link] = line.links
            line = Chain(line.left, (Link(link.relation, (rf"{' '.join(link.terms)} , \qquad {text}",)),))
            used += width
            continue
        if line is not None:
            yield line
        line, used = chain, width
    if line is not None:
        yield line


def conventions(asked: Asked) -> tuple[Spans, ...]:
    """The conventions that bear on a question, without what a report says of its own signs."""
    convention, words = asked.part.problem.convention, asked.words
    said = [item for block in statement.conventions(asked.sheet) if isinstance(block, Items) for item in block.items]
    signs = words.say("conventions.full", equal=Math("="), approx=Math(r"\approx"))
    return tuple(item for item in said if convention.carry != "full" or item != signs)


def shared_conventions(posed: Posed) -> tuple[Spans, ...]:
    """The conventions that hold in every question; each question then says what else holds in it."""
    first, *rest = posed.questions
    return tuple(item for item in conventions(first) if all(item in conventions(other) for other in rest))


def note(posed: Posed, remarks: Sequence[Spans]) -> Iterator[Block]:
    """The conventions of the whole paper in a remark."""
    if remarks:
        lead = (Strong(posed.words.text("exam_paper.conventions")),)
        yield Note(posed.words.sentences([lead, *remarks]))
