"""One page for one student: what was right, what followed, where it went wrong and what should stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flint import fmpq

from derive.exam.exam import Exam
from derive.exam.marking.judge import CARRIED, DEGENERATE, EMPTY, FOLLOWS, VERDICTS, Judged, Marked, Slipped
from derive.exam.marking.marks import Benches, Paper
from derive.exam.marking.spoken import Spoken, points
from derive.exam.marking.ticked import TickBench
from derive.exam.marking.ticked_pages import SpokenTicks
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose.statement import localised
from derive.report.document import Block, Document, Heading, Items, Note, Paragraph, Spans, Strong, Table, Text
from derive.report.numerals import set_numbers

FLAGS = ("constant", "huge", "copied", "vanished", "saturated", "trivial")


def feedback(exam: Exam, paper: Paper, benches: Benches, language: str, stem: str) -> Document:
    """The page of a student, named ``stem``. Raises ``ProblemError`` for an unknown language."""
    words = catalogue(language)
    blocks: list[Block] = [
        Paragraph(words.say("marking.student", student=Strong(paper.sheet.student), variant=paper.code)),
        _total(words, paper.points, exam.points, Strong),
    ]
    for place, question in enumerate(exam.questions, start=1):
        marked = next((one for one in paper.questions if one.question == question.id), None)
        if marked is not None:
            title = localised(question.problem.title, language) or question.id
            blocks.append(Heading(1, words.say("marking.question", number=place, title=title)))
            blocks.append(_total(words, marked.points, question.points))
            bench = benches[question.id]
            if isinstance(bench, TickBench):
                blocks += SpokenTicks(bench, words).blocks(marked)
            else:
                blocks += _question(Spoken(bench, words), marked)
    title = words.text("marking.title", exam=localised(exam.title, language) or exam.name)
    return set_numbers(Document(stem, title, language, tuple(blocks)), words)


def _total(words: Catalogue, earned: fmpq, of: fmpq, kind: type[Text] | type[Strong] = Text) -> Paragraph:
    return Paragraph(words.say("marking.total", points=kind(points(words, earned)), of=points(words, of)))


def _question(spoken: Spoken, marked: Marked) -> Iterator[Block]:
    words = spoken.words
    head = tuple(words.say(f"marking.{key}") for key in ("quantity", "answer", "verdict", "points"))
    yield Table(
        head, tuple(_row(spoken, quantity, _of(marked, quantity)) for quantity in spoken.bench.quantities), "lllr"
    )
    verdicts = {one.verdict for one in marked.entries}
    if verdicts & {FOLLOWS, DEGENERATE}:
        yield Paragraph(words.say("marking.paid"))
    if marked.slips:
        yield Heading(2, words.say("marking.slips"))
    for slip in marked.slips:
        yield from _slip(spoken, slip, _of(marked, slip.quantity))
    flags = {one.flag for one in marked.entries}
    for flag in FLAGS:
        if flag in flags:
            names = dict.fromkeys(one.quantity for one in marked.entries if one.flag == flag)
            symbols = words.listed(spoken.symbol(name) for name in names)
            yield Note(words.say(f"marking.{flag}", names=symbols))


def _of(marked: Marked, quantity: str) -> list[Judged]:
    return [one for one in marked.entries if one.quantity == quantity]


def _row(spoken: Spoken, quantity: str, found: Sequence[Judged]) -> tuple[Spans, ...]:
    words = spoken.words
    earned = sum((one.points for one in found), start=found[0].points * 0)
    of = sum((one.of for one in found), start=found[0].of * 0)
    given = {one.index: one.given for one in found}
    said = words.text("marking.earned", points=points(words, earned), of=points(words, of))
    return spoken.symbol(quantity), spoken.written(quantity, given), verdict(spoken, found), (Text(said),)


def verdict(spoken: Spoken, found: Sequence[Judged]) -> Spans:
    """What is to be said of a quantity: one word where all entries have the same verdict, else each with its places."""
    words = spoken.words
    by = {key: [one.index for one in found if one.verdict == key] for key in VERDICTS}
    kinds = [key for key in VERDICTS if by[key]]
    if len(kinds) == 1:
        return words.say(f"marking.{kinds[0]}")
    pieces: list[Spans] = []
    for key in kinds:
        word = words.say(f"marking.{key}")
        if key in (VERDICTS[0], CARRIED, EMPTY):  # what needs no looking for
            pieces.append(word)
        else:
            places = words.in_a_row(spoken.index(index) for index in by[key])
            pieces.append(words.say("marking.at", verdict=word, places=places))
    semicolon = Text(words.text("locale.semicolon"))
    return tuple(span for k, piece in enumerate(pieces) for span in ((semicolon, *piece) if k else piece))


def _slip(spoken: Spoken, slip: Slipped, found: Sequence[Judged]) -> Iterator[Block]:
    words = spoken.words
    said = spoken.slip(slip)
    yield Heading(3, spoken.symbol(slip.quantity))
    yield Paragraph(said[0])
    if len(said) > 1:
        yield Items(said[1:])
    expected = [one for one in found if one.index in slip.entries and one.own is not None]
    right = spoken.right(slip)
    if right is not None:
        yield Paragraph(words.say("marking.should"))
        yield right
    if expected:
        values = words.in_a_row(_place(spoken, one) for one in expected[:MOST_VALUES])
        key = "marking.expected" if len(expected) <= MOST_VALUES else "marking.expected_first"
        name = spoken.symbol(slip.quantity)  # the formula above may be that of a step on the way
        yield Paragraph(words.say(key, name=name, values=values))


MOST_VALUES = 6


def _place(spoken: Spoken, one: Judged) -> Spans:
    assert one.own is not None
    value = spoken.shown(one.own)
    if not one.index:
        return (value,)
    return spoken.words.say("marking.entry", value=value, place=spoken.index(one.index))
