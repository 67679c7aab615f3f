"""The documents of a variant: the paper, its solution with points, and the key with its marking guide.

A paper states its questions as a sheet of questions does, narrowed to what is asked; a solution works out what the
asked quantities rest on, as a report does, with the points beside the lines that earn them. Both are ``Document``s,
so that every format and either engine sets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from derive.exam.exam import Exam
from derive.exam.papers.key import key
from derive.exam.papers.merging import merged
from derive.exam.papers.paper import paper
from derive.exam.papers.posed import Posed
from derive.exam.papers.solution import solution
from derive.exam.variant import Variant
from derive.report.document import Document
from derive.report.page import A4, LETTER
from derive.report.setting import Setting
from derive.solution import Solution

KINDS = ("paper", "solution", "key")
_MAKERS = {"paper": paper, "solution": solution, "key": key}
_PAGES = {"a4": A4, "us-letter": LETTER}


def documents(
    exam: Exam,
    variant: Variant,
    solutions: Mapping[str, Solution],
    language: str = "en",
    kinds: Iterable[str] = KINDS,
) -> dict[str, Document]:
    """The documents of a variant in a language: ``"paper"``, ``"solution"`` and ``"key"``, or those of ``kinds``.

    ``solutions`` are those of ``solved(exam, variant)``. Files are called ``001-AB2C-paper``, with the language behind
    that in any but English. Raises ``ProblemError`` where a form finds nothing to ask (no slip that the numbers show).
    """
    asked = Posed(exam, variant, solutions, language)
    return {kind: _MAKERS[kind](asked) for kind in kinds}


def setting(exam: Exam, engine: str = "typst") -> Setting:
    """How the papers of an exam are set: on its paper size, as TeX in the class ``exam``."""
    return Setting(engine=engine, page=_PAGES[exam.paper], frame="exam")


__all__ = ["KINDS", "documents", "merged", "setting"]
