"""One question of one variant, ready for a learning platform, before any platform's format is chosen.

Words and formulas are the blocks and spans of every other document, so that each format sets them in its own way; what
is to be filled in, chosen or judged is a task with its key.
"""

from __future__ import annotations

from flint import fmpq

from derive.records import dataclass
from derive.report.document import Block, Spans

# ── what is to be done ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value that a common slip gives, and the slip in words."""

    answer: str
    said: Spans


@dataclass(frozen=True, slots=True)
class Field:
    """One number to be entered.

    ``label`` is the entry's symbol and ``index`` its place counted from 1 (empty for a number). ``answer`` is the right
    value as a decimal with a point, as every platform reads it; whatever differs from it by no more than ``tolerance``
    is right and earns ``points``.
    """

    label: Spans
    index: tuple[int, ...]
    answer: str
    tolerance: fmpq
    points: fmpq
    wrong: tuple[Wrong, ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """All entries of one quantity, row by row; ``label`` is what stands before the equals sign."""

    quantity: str
    label: Spans
    shape: tuple[int, ...]
    fields: tuple[Field, ...]

    @property
    def points(self) -> fmpq:
        """The points of all entries."""
        return sum((field.points for field in self.fields), fmpq(0))

    @property
    def rows(self) -> tuple[tuple[Field, ...], ...]:
        """The fields as they stand in the matrix; of anything deeper than a matrix, its matrices below each other."""
        width = self.shape[-1] if self.shape else 1
        return tuple(self.fields[k : k + width] for k in range(0, len(self.fields), width))


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to choose, and what is said to those who choose it."""

    said: Spans
    right: bool
    feedback: Spans = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One right answer among ``options``. ``fixed``: their order means something and must not be shuffled."""

    asked: Spans
    options: tuple[Option, ...]
    points: fmpq
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A statement that is true or not; ``feedback`` says why."""

    asked: Spans
    true: bool
    feedback: Spans
    points: fmpq


Task = Entries | Choice | Judgement


# ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Item:
    """One question of one variant in one language.

    ``identifier`` is the same for every language of the same question of the same variant, and different for any other;
    it has letters, digits, ``-`` and ``_`` only and begins with a letter. ``variant`` is the code of the variant,
    ``prompt`` states the problem, ``advice`` how numbers are to be entered, ``solution`` works it out.
    """

    identifier: str
    question: str
    variant: str
    title: str
    language: str
    prompt: tuple[Block, ...]
    advice: Spans
    tasks: tuple[Task, ...]
    solution: tuple[Block, ...]

    @property
    def points(self) -> fmpq:
        """The points of all tasks."""
        return sum((task.points for task in self.tasks), fmpq(0))
