"""The answers that came back, as CSV or JSON, read into one frozen ``Sheet`` for each student.

CSV has one row for each entry, or one for a whole matrix: the columns ``student, variant, question, quantity, index,
value``, of which ``variant`` may be missing where every variant is one student's, and ``index`` where matrices are
written whole; ``language`` may be there. A quantity that is ticked has one word for a value, and
no index. Separators are commas, semicolons or tabs. JSON has the same, nested:
``{"students": [{"student": "s1", "variant": "AB2C", "answers": {"a": {"z": [[1, 2]], "E": "0.5"}}}]}``.

A cell is text: nothing in it is evaluated. What is wrong is one ``ProblemError`` with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

import numpy as np

from derive.errors import ProblemError
from derive.exam.marking.given import Given, read_given
from derive.exam.marking.matrices import Shape, entries_of
from derive.exam.marking.tick import Tick, Ticks, read_tick
from derive.exam.tables import decoded, wrong_id
from derive.exam.variant import Variant
from derive.problem.texts import LANGUAGE
from derive.problem.wording import hint, listing, shown
from derive.records import dataclass

Asked = Mapping[str, Mapping[str, Shape | Ticks]]  # questions, their quantities, and the shape of each or its ticks
Index = tuple[int, ...]

MOST_ROWS = 200_000
MOST_BYTES = 64 * 2**20
NAMED = 5  # missing entries that a message names


@dataclass(frozen=True)
class Sheet:
    """What one student handed in: for each question and quantity the entries, ``None`` where a cell is empty.

    An index counts from 1 and is empty for a number. ``line`` is where the student comes first in
    ``file``.
    """

    student: str
    variant: int
    answers: Mapping[str, Mapping[str, Mapping[Index, Given | Tick | None]]]
    language: str | None = None
    line: int = field(default=1, compare=False)
    file: str | None = field(default=None, compare=False)


def read_sheets(
    path: str | Path,
    variants: Sequence[Variant],
    asked: Asked,
    *,
    exam: str | None = None,
    allow_missing: bool = False,
) -> tuple[Sheet, ...]:
    """The sheets of a file, in its order. ``asked`` has every quantity that is marked, ``exam`` is the exam's name.

    Raises ``ProblemError`` for whatever cannot be meant: see the module. With ``allow_missing`` entries that are not
    there at all are empty.
    """
    from derive.exam.marking.rows import csv_rows, json_rows

    file = Path(path)
    name = str(path)
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise ProblemError(f"cannot read the answers: {(error.strerror or 'error').lower()}", file=name) from None
    if size > MOST_BYTES:
        raise ProblemError(f"the file has {size:,} bytes, at most {MOST_BYTES:,} are read", file=name, hint=_SPLIT)
    text = decoded(content, name)
    rows = json_rows(text, name) if file.suffix.lower() == ".json" else csv_rows(text, name)
    gathered = Gathered(name, variants, asked, exam)
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise ProblemError(f"there are more than {MOST_ROWS:,} rows", file=name, line=row.line, hint=_SPLIT)
        gathered.add(row)
    return gathered.sheets(allow_missing)


_SPLIT = "mark it in several files"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or what stands for one in JSON: texts as they are; ``index`` is ``None`` where there is none."""

    line: int
    student: str
    variant: str | None
    question: str
    quantity: str
    index: str | None
    value: str | tuple[str, ...]
    language: str | None = None


class Gathered:
    """The rows of a file as they come, put in order by student."""

    def __init__(self, file: str, variants: Sequence[Variant], asked: Asked, exam: str | None = None) -> None:
        self.file, self.variants, self.asked, self.exam = file, variants, asked, exam
        self.named = {key: one for one in variants for key in (str(one.number), one.code)}
        self.of_student = {one.student: one for one in variants if one.student is not None}
        self._found: dict[str, tuple[Variant, int]] = {}
        self._languages: dict[str, str] = {}
        self._entries: dict[str, dict[tuple[str, str], dict[Index, tuple[Given | Tick | None, int]]]] = {}
        self._line = 1

    def error(self, message: str, tip: str | None = None) -> ProblemError:
        """The error at the row that is being read."""
        return ProblemError(message, file=self.file, line=self._line, hint=tip)

    def add(self, row: Row) -> None:
        """One more row. Raises ``ProblemError`` with its line."""
        self._line = row.line
        student = row.student.strip()
        wrong = wrong_id(student)
        if wrong is not None:
            raise self.error(wrong)
        self._place(student, row.variant)
        self._speak(student, row.language)
        asked = self._asked(row.question, row.quantity)
        own = self._entries.setdefault(student, {}).setdefault((row.question, row.quantity), {})
        for index, text in self._cells(row, asked):
            if index in own:
                line = own[index][1]
                what = _entry(row.question, row.quantity, index)
                raise self.error(f"{what} of {shown(student)} stands twice, in line {line} and here")
            try:
                own[index] = (self._given(text, asked), row.line)
            except ProblemError as error:
                what = _entry(row.question, row.quantity, index)
                raise self.error(f"{what} of {shown(student)}: {error.message}", error.hint) from None

    def _place(self, student: str, word: str | None) -> None:
        """The variant of a student, the same in every row."""
        if self.of_student and student not in self.of_student:
            raise self.error(f"there is no student {shown(student)} in this exam", hint(student, self.of_student))
        variant = self.of_student.get(student)
        if word is not None and word.strip():
            named = self._named(word)
            if named is None:
                codes = [one.code for one in self.variants]
                tip = hint(word.strip(), codes) or f"there are {listing(codes, 'and')}"
                raise self.error(f"there is no variant {shown(word.strip())} in this exam", tip)
            if variant is not None and named is not variant:
                raise self.error(f"{shown(student)} has the variant {variant.code}, and the row says {named.code}")
            variant = named
        if variant is None and student in self._found:
            variant = self._found[student][0]
        if variant is None:
            raise self.error(
                f"the row of {shown(student)} names no variant", "the column variant has its number or its code"
            )
        before, _ = self._found.setdefault(student, (variant, self._line))
        if before is not variant:
            raise self.error(f"{shown(student)} has the variants {before.code} and {variant.code}")

    def _named(self, word: str) -> Variant | None:
        """The variant of a number or a code, as it is printed (``K2 JTN``) or scanned (``quiz/K2JTN``)."""
        name, scanned, code = (part.strip() for part in word.rpartition("/"))
        if scanned and self.exam is not None and name != self.exam:
            raise self.error(f"{shown(word.strip())} is on a paper of another exam", f"this one is {self.exam}")
        return self.named.get(code) or self.named.get("".join(code.split()).replace("-", "").upper())

    def _speak(self, student: str, language: str | None) -> None:
        word = (language or "").strip()
        if not word:
            return
        if not LANGUAGE.fullmatch(word):
            raise self.error(f"{shown(word)} is no language code such as en or zh")
        if self._languages.setdefault(student, word) != word:
            raise self.error(f"{shown(student)} has the languages {self._languages[student]} and {word}")

    def _given(self, text: str, asked: Shape | Ticks) -> Given | Tick | None:
        if not text.strip():
            return None
        return read_tick(text, asked, self._line) if isinstance(asked, Ticks) else read_given(text)

    def _asked(self, question: str, quantity: str) -> Shape | Ticks:
        if question not in self.asked:
            tip = hint(question, self.asked) or f"there are {listing(self.asked, 'and')}"
            raise self.error(f"there is no question {shown(question)} in this exam", tip)
        known = self.asked[question]
        if quantity not in known:
            tip = hint(quantity, known) or f"asked are {listing(known, 'and')}"
            raise self.error(f"question {question} does not ask for {shown(quantity)}", tip)
        return known[quantity]

    def _cells(self, row: Row, asked: Shape | Ticks) -> list[tuple[Index, str]]:
        """The entries that a row speaks of."""
        if isinstance(asked, Ticks):
            return [((), self._tick(row, asked))]
        shape = asked
        every = [tuple(k + 1 for k in place) for place in np.ndindex(*shape)]
        try:
            if row.index is not None and row.index.strip():
                if not isinstance(row.value, str):
                    raise ProblemError("an entry has a list for a value, expected is a number")
                return [(self._index(row, shape), row.value)]
            if not isinstance(row.value, str):
                return list(zip(every, row.value, strict=True))
            if not row.value.strip():
                return [(index, "") for index in every]
            if not shape:
                return [((), row.value)]
            if len(every) > 1 and row.value.strip()[:1] in "=@":
                raise ProblemError(f"{shown(row.value.strip())} is a formula, and formulas are not worked out")
            return list(zip(every, entries_of(row.value, shape), strict=True))
        except ProblemError as error:
            what = _entry(row.question, row.quantity, ())
            raise self.error(f"{what} of {shown(row.student)}: {error.message}", error.hint) from None

    def _tick(self, row: Row, ticks: Ticks) -> str:
        """The one word of a quantity that is ticked."""
        what = f"{_entry(row.question, row.quantity, ())} of {shown(row.student)}"
        if row.index is not None and row.index.strip():
            raise self.error(f"{what}: there is no entry {shown(row.index)} of a tick", "leave the index empty")
        if not isinstance(row.value, str):
            raise self.error(f"{what}: a tick has a list for a value", ticks.expected)
        return row.value

    def _index(self, row: Row, shape: Shape) -> Index:
        words = (row.index or "").strip().strip("()[]").replace(",", " ").replace(";", " ").split()
        size = " × ".join(map(str, shape)) or "a number"
        if not all(word.isascii() and word.isdigit() and len(word) < 9 for word in words):
            raise ProblemError(f"the index {shown(row.index)} is not counted from 1, such as 1,2")
        index = [int(word) for word in words]
        long = [axis for axis, length in enumerate(shape) if length > 1]
        if len(index) < len(shape) and len(index) == len(long):  # [2] of a row or a column
            whole = [1] * len(shape)
            for axis, k in zip(long, index, strict=True):
                whole[axis] = k
            index = whole
        elif all(k == 1 for k in index) and not shape:
            index = []
        if len(index) != len(shape) or any(not 1 <= k <= length for k, length in zip(index, shape, strict=True)):
            raise ProblemError(f"there is no entry {shown(row.index)}: {row.quantity} is {size}")
        return tuple(index)

    def sheets(self, allow_missing: bool) -> tuple[Sheet, ...]:
        """All students. Raises ``ProblemError`` for entries that are not there, unless they are allowed to be."""
        missing: list[str] = []
        where = 1  # the line of the first student with a missing entry
        found: list[Sheet] = []
        for student, (variant, line) in self._found.items():
            answers: dict[str, dict[str, dict[Index, Given | Tick | None]]] = {}
            for question, quantities in self.asked.items():
                for quantity, asked in quantities.items():
                    own = self._entries[student].get((question, quantity), {})
                    entries: dict[Index, Given | Tick | None] = {}
                    for place in np.ndindex(*(() if isinstance(asked, Ticks) else asked)):
                        index = tuple(k + 1 for k in place)
                        if index not in own:
                            where = where if missing else line
                            missing.append(f"{_entry(question, quantity, index)} of {shown(student)}")
                        entries[index] = own[index][0] if index in own else None
                    answers.setdefault(question, {})[quantity] = entries
            found.append(Sheet(student, variant.number, answers, self._languages.get(student), line, self.file))
        if missing and not allow_missing:
            rest = len(missing) - NAMED
            said = ", ".join(missing[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
            raise ProblemError(
                f"rows are missing: {said}",
                file=self.file,
                line=where,
                hint="leave their cells empty, or mark with --allow-missing",
            )
        if not found:
            raise ProblemError("there are no answers in the file", file=self.file, line=1)
        return tuple(found)


def _entry(question: str, quantity: str, index: Index) -> str:
    place = "[" + ",".join(map(str, index)) + "]" if index else ""
    return f"{question}: {quantity}{place}"
