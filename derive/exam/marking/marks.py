"""All sheets of an exam marked, and the tables that a gradebook takes: ``marks.csv`` and ``totals.csv``.

Points stand in tables as decimals of at most four places, rounded half up; they are added before they are rounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flint import fmpq

from derive.exam.exam import Exam
from derive.exam.marking.bench import Bench, Tolerance
from derive.exam.marking.judge import PRINTED, Marked, judge
from derive.exam.marking.read import Asked, Sheet
from derive.exam.variant import Variant
from derive.numbers.rounding import Rounding, printed
from derive.records import dataclass
from derive.solution import Solution

Solve = Callable[[Exam, Variant], Mapping[str, Solution]]

HEAD = ("student", "variant", "question", "quantity", "index", "answer", "points", "of", "verdict", "flag", "slip")
SHOWN = Rounding(digits=4)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # wide ones as well
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class Paper:
    """One student's paper, marked: the questions in the order of the exam."""

    sheet: Sheet
    code: str
    questions: tuple[Marked, ...]

    @property
    def points(self) -> fmpq:
        """What all questions earn."""
        return sum((one.points for one in self.questions), fmpq(0))


class Room:
    """The benches of an exam: each variant is solved when its first sheet is marked, and kept while it is the last."""

    def __init__(self, exam: Exam, variants: Sequence[Variant], solve: Solve) -> None:
        self.exam, self.solve = exam, solve
        self.variants = {one.number: one for one in variants}
        self._last: tuple[int, dict[str, Bench]] | None = None

    def benches(self, variant: int) -> dict[str, Bench]:
        """The bench of each question that asks for values."""
        if self._last is None or self._last[0] != variant:
            solutions = self.solve(self.exam, self.variants[variant])
            made = {one.id: Bench(one, solutions[one.id]) for one in self.exam.questions if one.steps}
            self._last = variant, made
        return self._last[1]

    def asked(self) -> Asked:
        """What every paper asks for: the same of all variants, whose numbers alone differ."""
        benches = self.benches(next(iter(self.variants)))
        return {
            id: {
                quantity: tuple(map(max, zip(*(one.index for one in entries), strict=True)))
                for quantity, entries in bench.quantities.items()
            }
            for id, bench in benches.items()
        }


def marked(
    room: Room, sheets: Iterable[Sheet], tolerance: Tolerance = PRINTED
) -> Iterator[tuple[Paper, Mapping[str, Bench]]]:
    """Every sheet marked, with the benches it was marked on: variant by variant, so that one is in memory at a time."""
    for sheet in sorted(sheets, key=lambda one: one.variant):
        benches = room.benches(sheet.variant)
        questions = tuple(
            judge(bench, {(q, i): given for q, own in sheet.answers[id].items() for i, given in own.items()}, tolerance)
            for id, bench in benches.items()
        )
        yield Paper(sheet, room.variants[sheet.variant].code, questions), benches


def in_order(papers: Iterable[Paper], sheets: Iterable[Sheet]) -> tuple[Paper, ...]:
    """The papers as the file of answers has them."""
    found = {paper.sheet.student: paper for paper in papers}
    return tuple(found[sheet.student] for sheet in sheets)


def mark(room: Room, sheets: Sequence[Sheet], tolerance: Tolerance = PRINTED) -> tuple[Paper, ...]:
    """Every sheet marked, in the order of the sheets."""
    return in_order((paper for paper, _ in marked(room, sheets, tolerance)), sheets)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def marks_csv(papers: Iterable[Paper]) -> bytes:
    """A row for each entry of each student."""
    return table([HEAD, *(row for paper in papers for row in _rows(paper))])


def totals_csv(exam: Exam, papers: Iterable[Paper]) -> bytes:
    """A row for each student: the points of each question, of all together, and how many entries are flagged."""
    marked = [question for question in exam.questions if question.steps]
    head = ("student", "variant", *(question.id for question in marked), "points", "of", "flagged")
    of = number(sum((question.points for question in marked), fmpq(0)))
    rows: list[Sequence[str]] = [head]
    for paper in papers:
        flagged = sum(one.flag is not None for question in paper.questions for one in question.entries)
        own = [number(question.points) for question in paper.questions]
        rows.append((paper.sheet.student, paper.code, *own, number(paper.points), of, str(flagged)))
    return table(rows)


def _rows(paper: Paper) -> Iterator[Sequence[str]]:
    for question in paper.questions:
        slips = {slip.quantity: slip for slip in question.slips}
        for one in question.entries:
            slip = slips.get(one.quantity)
            kinds = slip.kinds if slip is not None and one.index in slip.entries else ()
            yield (
                paper.sheet.student, paper.code, question.question, one.quantity, " ".join(map(str, one.index)),
                _written(one.given.text) if one.given is not None else "", number(one.points), number(one.of),
                one.verdict, one.flag or "", " ".join(kinds),
            )  # fmt: skip


def _written(answer: str) -> str:
    """An answer for a table: a decimal comma is a point, so that a negative number is a number to a spreadsheet."""
    point = answer.replace(",", ".")
    return point if is_number(point) else answer


def number(value: fmpq, rounding: Rounding = SHOWN) -> str:
    """Points as a decimal: ``0.6667``, ``2``."""
    found = printed(value, rounding)
    assert found is not None
    return found.text.rstrip("0").rstrip(".") if "." in found.text else found.text


def table(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV (RFC 4180): commas, CRLF, UTF-8.

    A text that a spreadsheet could take for a formula gets an apostrophe in front. Numbers stay numbers: ``-0.5`` is
    one to every spreadsheet, and not a formula; ``-0.5+1`` is a text, and gets its apostrophe.
    """
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in rows).encode()


def _cell(text: str) -> str:
    seen = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")  # what has no width hides nothing
    if seen.lstrip(" \u00a0\u3000").startswith(_FORMULA) and not is_number(text):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',;"\t\r\n') else text


def is_number(text: str) -> bool:
    """Whether a text is a plain decimal, with a sign and a power of ten or without."""
    return _NUMBER.fullmatch(text) is not None
