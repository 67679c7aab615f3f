"""What a class did, question by question: mean points, which slips how often, and the entries most often wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flint import fmpq

from derive.exam.exam import Exam
from derive.exam.marking.judge import EARNS, EMPTY, VERDICTS, Judged, Marked, Slipped
from derive.exam.marking.marks import Benches, Paper, number
from derive.exam.marking.spoken import Named, Spoken, mean, points
from derive.exam.marking.tick import label
from derive.exam.marking.ticked import TickBench
from derive.exam.marking.ticked_pages import SpokenTicks
from derive.records import dataclass
from derive.report.catalogue import catalogue
from derive.report.compose.statement import localised
from derive.report.document import Block, Document, Heading, Paragraph, Spans, Table, Text
from derive.report.numerals import set_numbers

MOST_SLIPS = 12
MOST_ENTRIES = 8


@dataclass(frozen=True)
class Slips:
    """One slip as a class made it: where, what kinds explain it, an example, and who made it."""

    quantity: str
    kinds: tuple[str, ...]
    example: Slipped
    students: tuple[str, ...]


@dataclass(frozen=True)
class Summed:
    """One question of all papers. ``lost`` has the entries with how many answered them and earned nothing.

    Where answers are ticked, ``ticks`` has each option, counted from 0, with how many ticked it, quantity by quantity.
    """

    question: str
    mean: fmpq
    of: fmpq
    verdicts: Mapping[str, int]
    slips: tuple[Slips, ...]
    lost: tuple[tuple[str, tuple[int, ...], int], ...]
    ticks: tuple[tuple[str, int, int], ...] = ()


def summed(exam: Exam, papers: Sequence[Paper]) -> tuple[Summed, ...]:
    """Every question, in the order of the exam."""
    return tuple(_summed(exam, papers, one.id) for one in exam.questions)


def _summed(exam: Exam, papers: Sequence[Paper], id: str) -> Summed:
    own = [(paper.sheet.student, one) for paper in papers for one in paper.questions if one.question == id]
    entries = [one for _, marked in own for one in marked.entries]
    counts = {verdict: sum(one.verdict == verdict for one in entries) for verdict in VERDICTS}
    average = mean(marked.points for _, marked in own)
    return Summed(id, average, exam.question(id).points, counts, _slips(own), _lost(entries), _ticks(entries))


def _slips(own: Sequence[tuple[str, Marked]]) -> tuple[Slips, ...]:
    found: dict[tuple[object, ...], list[tuple[str, Slipped]]] = {}
    for student, marked in own:
        for slip in marked.slips:
            where = slip.alternatives[0].quantity if slip.alternatives else ""
            found.setdefault((slip.quantity, slip.kinds, where), []).append((student, slip))
    made = [
        Slips(both[0][1].quantity, both[0][1].kinds, both[0][1], tuple(student for student, _ in both))
        for both in found.values()
    ]
    return tuple(sorted(made, key=lambda one: (-len(one.students), one.quantity, one.kinds)))


def _lost(entries: Sequence[Judged]) -> tuple[tuple[str, tuple[int, ...], int], ...]:
    counts: dict[tuple[str, tuple[int, ...]], int] = {}
    for one in entries:
        if one.verdict not in (*EARNS, EMPTY):
            counts[one.quantity, one.index] = counts.get((one.quantity, one.index), 0) + 1
    return tuple((*entry, count) for entry, count in sorted(counts.items(), key=lambda both: -both[1]))


def _ticks(entries: Sequence[Judged]) -> tuple[tuple[str, int, int], ...]:
    quantities = list(dict.fromkeys(one.quantity for one in entries))
    counts = Counter((one.quantity, one.tick.option) for one in entries if one.tick is not None)
    return tuple((*key, counts[key]) for key in sorted(counts, key=lambda key: (quantities.index(key[0]), key[1])))


def as_json(exam: Exam, papers: Sequence[Paper]) -> dict[str, Any]:
    """Every mark and the summary as data. Points are texts of decimals; ``format`` is 1."""
    return {
        "format": 1,
        "exam": exam.name,
        "students": [
            {
                "student": paper.sheet.student, "variant": paper.code, "points": number(paper.points),
                "questions": [_question(marked) for marked in paper.questions],
            }
            for paper in papers
        ],
        "questions": [
            {
                "question": one.question, "mean": number(one.mean), "of": number(one.of),
                "verdicts": dict(one.verdicts),
                "slips": [
                    {"quantity": slip.quantity, "kinds": list(slip.kinds), "students": list(slip.students)}
                    for slip in one.slips
                ],
                "most_often_wrong": [
                    {"quantity": quantity, "index": list(index), "count": count} for quantity, index, count in one.lost
                ],
                "ticks": [
                    {"quantity": quantity, "answer": label(exam.question(one.question).form, k), "count": count}
                    for quantity, k, count in one.ticks
                ],
            }
            for one in summed(exam, papers)
        ],
    }  # fmt: skip


def _question(marked: Marked) -> dict[str, Any]:
    return {
        "question": marked.question,
        "points": number(marked.points),
        "entries": [
            {
                "quantity": one.quantity, "index": list(one.index), "answer": one.answer,
                "verdict": one.verdict, "points": number(one.points), "of": number(one.of), "flag": one.flag,
            }
            for one in marked.entries
        ],
        "slips": [
            {
                "quantity": slip.quantity, "entries": [list(index) for index in slip.entries],
                "kinds": list(slip.kinds), "in": list(dict.fromkeys(one.quantity for one in slip.alternatives)),
            }
            for slip in marked.slips
        ],
    }  # fmt: skip


def summary(exam: Exam, papers: Sequence[Paper], benches: Benches, language: str, stem: str) -> Document:
    """The summary as a document; formulas and symbols are those of ``benches``, of any one variant."""
    words = catalogue(language)
    average = mean(paper.points for paper in papers)
    said = "marking.papers" if len(papers) != 1 else "marking.papers_one"
    blocks: list[Block] = [
        Paragraph(
            words.say(said, count=words.count(len(papers)), mean=points(words, average), of=points(words, exam.points))
        )
    ]
    places = {question.id: place for place, question in enumerate(exam.questions, start=1)}
    for one in summed(exam, papers):
        question = exam.question(one.question)
        title = localised(question.problem.title, language) or question.id
        blocks.append(Heading(1, words.say("marking.question", number=places[question.id], title=title)))
        bench = benches[question.id]
        if isinstance(bench, TickBench):
            blocks += _of_ticks(SpokenTicks(bench, words), one)
        else:
            blocks += _of_values(Spoken(bench, words), one)
    title = words.text("marking.summary", exam=localised(exam.title, language) or exam.name)
    return set_numbers(Document(stem, title, language, tuple(blocks)), words)


def _of_ticks(spoken: SpokenTicks, one: Summed) -> Iterator[Block]:
    words = spoken.words
    yield from _verdicts(spoken, one, words.say("marking.answers"))
    if one.ticks:
        yield Heading(2, words.say("marking.options"))
        yield spoken.counted(one.ticks)
    yield from _slips_made(spoken, one)


def _of_values(spoken: Spoken, one: Summed) -> Iterator[Block]:
    words = spoken.words
    yield from _verdicts(spoken, one, words.say("marking.entries"))
    yield from _slips_made(spoken, one)
    if one.lost:
        yield Heading(2, words.say("marking.often_wrong"))
        head = tuple(words.say(f"marking.{key}") for key in ("quantity", "place", "students"))
        yield Table(head, tuple(_lost_row(spoken, *row) for row in one.lost[:MOST_ENTRIES]), "llr")


def _verdicts(spoken: Named, one: Summed, counted: Spans) -> Iterator[Block]:
    words = spoken.words
    yield Paragraph(words.say("marking.mean", mean=points(words, one.mean), of=points(words, one.of)))
    every = sum(one.verdicts.values())
    rows: list[tuple[Spans, ...]] = [
        (words.say(f"marking.{verdict}"), (Text(str(count)),), (Text(f"{100 * count // max(every, 1)} %"),))
        for verdict, count in one.verdicts.items()
        if count
    ]
    yield Table((words.say("marking.verdict"), counted, words.say("marking.share")), tuple(rows), "lrr")


def _slips_made(spoken: Named, one: Summed) -> Iterator[Block]:
    words = spoken.words
    if one.slips:
        yield Heading(2, words.say("marking.slips_made"))
        head = tuple(words.say(f"marking.{key}") for key in ("quantity", "slip", "students"))
        yield Table(head, tuple(_slip_row(spoken, slip) for slip in one.slips[:MOST_SLIPS]), "llr")


def _slip_row(spoken: Named, slip: Slips) -> tuple[Spans, ...]:
    said = spoken.slip(slip.example) if slip.kinds else (spoken.words.say("marking.no_slip"),)
    first = said[0] if len(said) == 1 else spoken.words.sentences(said[1:3])
    return spoken.symbol(slip.quantity), first, (Text(str(len(slip.students))),)


def _lost_row(spoken: Named, quantity: str, index: tuple[int, ...], count: int) -> tuple[Spans, ...]:
    return spoken.symbol(quantity), (spoken.index(index),) if index else (Text("–"),), (Text(str(count)),)
