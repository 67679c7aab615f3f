"""An exam with its solution: the sheet of questions, and behind it what the sheet does not say already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.document import Block, Document, Heading
from derive.report.setting import Setting
from derive.solution import Solution


def composed(solution: Solution, setting: Setting, *, questions: bool = False, **wishes: Any) -> Document:
    """The document of ``compose``; in the frame of an exam the solution comes behind its sheet of questions."""
    document = compose(solution, questions=questions, **wishes)
    if setting.frame != "exam" or questions:
        return document
    return with_sheet(compose(solution, questions=True, **wishes), document)


def with_sheet(sheet: Document, solution: Document) -> Document:
    """One document of both; ``answers`` says where the solution begins."""
    title = Heading(1, catalogue(solution.language).say("exam.solution"), "solution")
    blocks = (*sheet.blocks, title, *_new(sheet, solution))
    return replace(solution, blocks=blocks, answers=len(sheet.blocks))


def _new(sheet: Document, solution: Document) -> Iterator[Block]:
    """The blocks of a solution, without what its statement of the problem shares with the sheet."""
    stated = False
    for block in solution.blocks:
        if isinstance(block, Heading) and block.level == 1:
            stated = block.label == "problem"
        if not stated or block not in sheet.blocks:
            yield block
