"""Papers for the tests of the builder: short documents, and composers that fail in known ways."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from derive.errors import ProblemError
from derive.exam.exam import Exam
from derive.exam.variant import Variant
from derive.report.compose import compose
from derive.report.document import Document, Figure
from derive.solution import CheckFailed, Solution

BAD, CRASHES = "BAD2", "CRSH"


def documents(exam: Exam, variant: Variant, solutions: Mapping[str, Solution], language: str) -> Mapping[str, Document]:
    """The sheet of the first question as paper and key, its report as solution."""
    solution = solutions[exam.questions[0].id]
    sheet = compose(solution, language=language, questions=True)
    return {"paper": sheet, "solution": compose(solution, language=language), "key": sheet}


def sheets(exam: Exam, variant: Variant, solutions: Mapping[str, Solution], language: str) -> Mapping[str, Document]:
    """Nothing but the sheet without its pictures, three times; a variant of the code ``BAD`` has an answer that nobody could print."""
    if variant.code == BAD:
        raise ProblemError("no digit of y can be decided", file="exam.toml", line=7)
    sheet = compose(solutions[exam.questions[0].id], language=language, questions=True)
    sheet = replace(sheet, blocks=tuple(block for block in sheet.blocks if not isinstance(block, Figure)))
    return {"paper": sheet, "solution": sheet, "key": sheet}


def crashing(exam: Exam, variant: Variant, solutions: Mapping[str, Solution], language: str) -> Mapping[str, Document]:
    """As ``sheets``; a variant of the code ``CRASHES`` ends its process."""
    if variant.code == CRASHES:
        os._exit(9)
    return sheets(exam, variant, solutions, language)


def unverified(
    exam: Exam, variant: Variant, solutions: Mapping[str, Solution], language: str
) -> Mapping[str, Document]:
    """A check fails in a variant of the code ``BAD``."""
    if variant.code == BAD:
        raise CheckFailed("a check failed, nothing was written: dE/dW2, entry 1")
    return sheets(exam, variant, solutions, language)


def mistaken(exam: Exam, variant: Variant, solutions: Mapping[str, Solution], language: str) -> Mapping[str, Document]:
    """A mistake of the program in a variant of the code ``BAD``."""
    return {} if variant.code == BAD else sheets(exam, variant, solutions, language)


def merged(pdfs: Sequence[tuple[str, bytes]]) -> bytes:
    """Names and lengths instead of pages."""
    return "\n".join(f"{name} {len(content)}" for name, content in pdfs).encode()
