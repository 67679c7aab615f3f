"""What a set of variants looks like: how hard they are, what was rejected on the way, and which two are most alike."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
import numpy.typing as npt
from flint import fmpq

from derive.exam.exam import Exam, Question
from derive.exam.searching.search import Searched, Unused
from derive.exam.variant import Variant
from derive.records import dataclass

BARS = 8  # of a histogram, at most
MOST_REJECTIONS = 8  # of a question's, in the report


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, middle and most of some counts."""

    least: int
    middle: fmpq
    most: int


@dataclass(frozen=True, slots=True)
class Bar:
    """How many variants have a count from ``low`` to ``high``."""

    low: int
    high: int
    variants: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two variants, by their codes, with ``different`` of ``entries`` entries."""

    codes: tuple[str, str]
    different: int
    entries: int


@dataclass(frozen=True)
class QuestionReport:
    """One question that varies.

    ``operations`` are those of working it out, of two numbers and without those by 0 and 1; ``negative`` and
    ``fractional`` count the given numbers that are so. ``rejections`` have the kind, the quantity and the bound of a
    constraint, and how often it was not met.
    """

    id: str
    operations: Spread
    histogram: tuple[Bar, ...]
    negative: Spread
    fractional: Spread
    candidates: int
    restarts: int
    rejections: tuple[tuple[str, str, str, int], ...]
    nearest: Pair | None
    unused: tuple[Unused, ...]


@dataclass(frozen=True)
class SetReport:
    """All questions that vary, and the two papers that are most alike (``None`` of a single one)."""

    exam: str
    variants: int
    questions: tuple[QuestionReport, ...]
    nearest: Pair | None


def set_report(exam: Exam, variants: Sequence[Variant], statistics: Sequence[Searched]) -> SetReport:
    """The report on the variants that a search found."""
    codes = [variant.code for variant in variants]
    reports, tables = [], []
    for one in statistics:
        question = exam.question(one.question)
        table = _numbered(question, variants)
        tables.append(table)
        reports.append(_question(question, one, variants, _nearest(table, codes)))
    whole = np.concatenate(tables, axis=1) if tables else np.zeros((len(codes), 0), dtype=np.int32)
    return SetReport(exam.name, len(variants), tuple(reports), _nearest(whole, codes))


def _question(
    question: Question, searched: Searched, variants: Sequence[Variant], nearest: Pair | None
) -> QuestionReport:
    given = [[x for tensor in one.chosen[question.id].values.values() for x in tensor] for one in variants]
    rejections = tuple(
        (constraint.kind, constraint.quantity, constraint.number, count)
        for constraint, count in searched.rejections[:MOST_REJECTIONS]
    )
    return QuestionReport(
        question.id,
        _spread(searched.operations),
        histogram(searched.operations),
        _spread([sum(x < 0 for x in numbers) for numbers in given]),
        _spread([sum(x.q != 1 for x in numbers) for numbers in given]),
        searched.candidates,
        searched.restarts,
        rejections,
        nearest,
        searched.unused,
    )


def _spread(counts: Sequence[int]) -> Spread:
    return Spread(min(counts), fmpq(int(2 * median(counts)), 2), max(counts))


def histogram(counts: Sequence[int]) -> tuple[Bar, ...]:
    """At most ``BARS`` bars of one width, from the least count on."""
    low, high = min(counts), max(counts)
    width = (high - low) // BARS + 1
    found = []
    for start in range(low, high + 1, width):
        number = sum(start <= count < start + width for count in counts)
        found.append(Bar(start, start + width - 1, number))
    return tuple(found)


# ── which two are most alike ──


def _numbered(question: Question, variants: Sequence[Variant]) -> npt.NDArray[np.int32]:
    """A row for each variant: its entries and functions, equal ones as equal whole numbers."""
    known: dict[fmpq | str, int] = {}
    rows = []
    for variant in variants:
        chosen = variant.chosen[question.id]
        entries: list[fmpq | str] = [x for name in sorted(chosen.values) for x in chosen.values[name]]
        entries += [chosen.functions[name] for name in sorted(chosen.functions)]
        rows.append([known.setdefault(entry, len(known)) for entry in entries])
    return np.array(rows, dtype=np.int32).reshape(len(rows), -1)


def _nearest(rows: npt.NDArray[np.int32], codes: Sequence[str]) -> Pair | None:
    """The pair with the fewest different entries, the first of equals; a row is held against all below it at once."""
    best: tuple[int, int, int] | None = None
    for k in range(len(rows) - 1):
        different = np.count_nonzero(rows[k + 1 :] != rows[k], axis=1)
        other = int(different.argmin())
        if best is None or int(different[other]) < best[0]:
            best = int(different[other]), k, k + 1 + other
    if best is None:
        return None
    return Pair((codes[best[1]], codes[best[2]]), best[0], int(rows.shape[1]))
