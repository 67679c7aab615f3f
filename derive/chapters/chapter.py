"""What a chapter is, and the way from its name to a document: sizes, problems, solutions, blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from importlib import import_module
from typing import Any

from derive.chapters import MODULES, chapter_names
from derive.chapters.legend import with_legend
from derive.chapters.prose import prose
from derive.errors import ProblemError
from derive.problem.problem import Problem
from derive.problem.wording import hint
from derive.records import dataclass
from derive.report.catalogue import Catalogue
from derive.report.compose.sheet import Sheet
from derive.report.compose.witnesses import checks
from derive.report.document import Block, Document, Heading, stem_in
from derive.report.numerals import set_numbers
from derive.report.result import as_json
from derive.solution import Check, Solution, solve

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter: the sizes of its written-out case with their bounds, its problems, and what is written about them.

    ``least`` is 1 where it does not say otherwise; ``most`` may bound sizes that have no default: they are there where
    they are given. ``problems`` states the problems for given sizes and a factor, each under a key of the chapter's
    own; ``write`` makes blocks of the solved ones. ``factors`` are what may stand in front of a loss, the chapter's
    choice first; empty where there is no loss. ``data`` is what the chapter finds beside its solved problems, for JSON.
    """

    name: str
    sizes: Mapping[str, int]
    most: Mapping[str, int]
    problems: Callable[[Sizes, str], Mapping[str, Problem]]
    write: Callable[[Worked], Iterator[Block]]
    factors: tuple[str, ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)
    data: Callable[[Worked], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Worked:
    """A chapter with its problems solved and checked."""

    chapter: Chapter
    sizes: Sizes
    solutions: Mapping[str, Solution]
    words: Catalogue
    factor: str = ""

    @cached_property
    def sheets(self) -> dict[str, Sheet]:
        """For each problem what its section leans on: symbols, formulas, printed entries."""
        return {key: Sheet(solution.part(), self.words) for key, solution in self.solutions.items()}

    @property
    def title(self) -> str:
        """The chapter's title."""
        return self.words.text(f"{self.chapter.name}.title")

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all problems."""
        return tuple(check for solution in self.solutions.values() for check in solution.checks)

    def document(self, *, proofs: bool = False) -> Document:
        """The chapter as a document; the table of checks comes last, or the ``proofs`` of the rules that were used."""
        blocks = with_legend(list(self.chapter.write(self)), list(self.sheets.values()), self.words)
        blocks.append(Heading(1, self.words.say("checks.heading")))
        blocks += checks(list(self.sheets.values()), self.words)
        if proofs:
            from derive.report.compose.proofs import section  # only a chapter that asks for proofs pays for them

            blocks += section(self.sheets.values(), self.words)
        name = stem_in(self.words.language, self.chapter.name)
        return set_numbers(Document(name, self.title, self.words.language, tuple(blocks)), self.words)

    def json(self) -> dict[str, Any]:
        """Every solved problem as its own document, under its key, and what the chapter finds beside them."""
        problems = {key: as_json(solution) for key, solution in self.solutions.items()}
        beside = self.chapter.data(self) if self.chapter.data is not None else {}
        return {"format": 1, "chapter": self.chapter.name, "sizes": dict(self.sizes), "problems": problems, **beside}


def find_chapter(name: str) -> Chapter:
    """The chapter of that name. Raises ``ProblemError`` with the known ones."""
    if name not in MODULES:
        raise ProblemError(f"there is no chapter {name!r}", hint="there are " + ", ".join(chapter_names()))
    found: Chapter = import_module(MODULES[name]).CHAPTER
    return found


def work_out(
    name: str, sizes: str = "", language: str = "en", factor: str | None = None, decimal: str | None = None
) -> Worked:
    """A chapter with its problems solved; ``sizes`` and ``factor`` as on the command line: ``"N=2,m=3"``, ``"1/2N"``.

    ``decimal`` is ``"point"`` or ``"comma"``, the language's own sign where nothing is said.
    Raises ``ProblemError`` for sizes or a factor that are not to be had, ``CheckFailed`` where a witness disagrees.
    """
    chapter, words = find_chapter(name), prose(language).with_decimal(decimal)
    wanted, factor = read_sizes(chapter, sizes), _factor(chapter, factor)
    solutions = {key: solve(problem) for key, problem in chapter.problems(wanted, factor).items()}
    return Worked(chapter, wanted, solutions, words, factor)


def _factor(chapter: Chapter, factor: str | None) -> str:
    """The factor in front of the loss: the chapter's own where none is asked for."""
    if factor is None:
        return chapter.factors[0] if chapter.factors else ""
    if not chapter.factors:
        raise ProblemError(f"--factor {factor}: {chapter.name} has no loss")
    if factor not in chapter.factors:
        raise ProblemError(f"--factor {factor}: {chapter.name} knows {', '.join(chapter.factors)}")
    return factor


def read_sizes(chapter: Chapter, text: str) -> dict[str, int]:
    """The sizes of the written-out case: the chapter's own, where ``text`` says nothing else.

    Raises ``ProblemError`` for a name that the chapter does not have, for what is not a whole number, for 0, and for a
    number above the chapter's bound.
    """
    found, said = dict(chapter.sizes), set()
    known = ",".join(f"{name}={size}" for name, size in chapter.sizes.items())
    for piece in text.split(",") if text else ():
        name, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or not name:
            raise ProblemError(f"--sizes {text}: {piece.strip()!r} is not NAME=NUMBER", hint=f"write --sizes {known}")
        if name not in chapter.most:
            tip = hint(name, list(chapter.most)) or f"{chapter.name} has {known}"
            raise ProblemError(f"--sizes {text}: {chapter.name} has no size {name!r}", hint=tip)
        if name in said:
            raise ProblemError(f"--sizes {text}: {name} is given twice")
        least, most = chapter.least.get(name, 1), chapter.most[name]
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            is_now, wanted = value or "empty", f"a whole number from {least} to {most}"
            raise ProblemError(f"--sizes {text}: {name} is {is_now}, expected is {wanted}")
        said.add(name)
        found[name] = int(value)
    return found
