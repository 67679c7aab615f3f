"""All sheets of an exam marked, and the tables that a gradebook takes: ``marks.csv`` and ``totals.csv``.

Points stand in tables as decimals of at most four places, rounded half up; they are added before they are rounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flint import fmpq

from derive.errors import ProblemError
from derive.exam.exam import Exam
from derive.exam.marking.bench import Bench
from derive.exam.marking.given import Given
from derive.exam.marking.judge import Marked, judge
from derive.exam.marking.read import Asked, Sheet
from derive.exam.marking.tick import Tick
from derive.exam.marking.ticked import FORMS, TickBench, judge_ticks
from derive.exam.tolerance import ONE_UNIT, Tolerance
from derive.exam.variant import Variant
from derive.numbers.rounding import Rounding, printed
from derive.records import dataclass
from derive.solution import Solution

Benches = Mapping[str, Bench | TickBench]
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
        self._last: tuple[int, Benches] | None = None

    def benches(self, variant: int) -> Benches:
        """The bench of each question in the order of the exam: of values, or of what is ticked."""
        if self._last is None or self._last[0] != variant:
            chosen = self.variants[variant]
            solutions = self.solve(self.exam, chosen)
            made = {
                one.id: TickBench(self.exam, chosen, one, solutions[one.id])
                if one.form in FORMS
                else Bench(one, solutions[one.id])
                for one in self.exam.questions
            }
            self._last = variant, made
        return self._last[1]

    def asked(self) -> Asked:
        """What every paper asks for: the same of all variants, whose numbers alone differ."""
        benches = self.benches(next(iter(self.variants)))
        return {id: bench.asked for id, bench in benches.items()}


def marked(room: Room, sheets: Iterable[Sheet], tolerance: Tolerance = ONE_UNIT) -> Iterator[tuple[Paper, Benches]]:
    """Every sheet marked, with the benches it was marked on: variant by variant, so that one is in memory at a time."""
    for sheet in sorted(sheets, key=lambda one: one.variant):
        benches = room.benches(sheet.variant)
        questions = tuple(_marked(bench, sheet, tolerance) for bench in benches.values())
        yield Paper(sheet, room.variants[sheet.variant].code, questions), benches


def _marked(bench: Bench | TickBench, sheet: Sheet, tolerance: Tolerance) -> Marked:
    answers = sheet.answers[bench.question.id]
    given = {(quantity, index): one for quantity, own in answers.items() for index, one in own.items()}
    if isinstance(bench, Bench):
        return judge(bench, {entry: one for entry, one in given.items() if isinstance(one, Given)}, tolerance)
    try:
        return judge_ticks(bench, {quantity: one for (quantity, _), one in given.items() if isinstance(one, Tick)})
    except ProblemError as error:
        raise error.at(sheet.file) from None


def in_order(papers: Iterable[Paper], sheets: Iterable[Sheet]) -> tuple[Paper, ...]:
    """The papers as the file of answers has them."""
    found = {paper.sheet.student: paper for paper in papers}
    return tuple(found[sheet.student] for sheet in sheets)


def mark(room: Room, sheets: Sequence[Sheet], tolerance: Tolerance = ONE_UNIT) -> tuple[Paper, ...]:
    """Every sheet marked, in the order of the sheets."""
    return in_order((paper for paper, _ in marked(room, sheets, tolerance)), sheets)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def marks_csv(papers: Iterable[Paper]) -> bytes:
    """A row for each entry and each tick of each student."""
    return table([HEAD, *(row for paper in papers for row in _rows(paper))])


def totals_csv(exam: Exam, papers: Iterable[Paper]) -> bytes:
    """A row for each student: the points of each question, of all together, and how many entries are flagged."""
    head = ("student", "variant", *(question.id for question in exam.questions), "points", "of", "flagged")
    of = number(exam.points)
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
                _written(one.answer or ""), number(one.points), number(one.of), one.verdict,
                one.flag or "", " ".join(kinds),
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
