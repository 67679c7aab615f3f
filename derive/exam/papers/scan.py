"""The code on a paper: the exam's name and the variant's code, for people and for a scanner."""

from __future__ import annotations

import segno

from derive.exam.exam import Exam
from derive.exam.variant import Variant
from derive.report.scene import Modules, Scene

SIDE = 2.2  # cm
QUIET = 4  # modules of white around the code, as the standard has it


def content(exam: Exam, variant: Variant) -> str:
    """What a scanner reads: ``quiz/AB2C``."""
    return f"{exam.name}/{variant.code}"


def code(text: str) -> Scene:
    """The QR code of a text, with its white margin; 15 % of it may be unreadable (level M)."""
    made = segno.make(text, error="m", micro=False, boost_error=False)
    dark = tuple(tuple(bool(module) for module in row) for row in made.matrix)
    quiet = SIDE * QUIET / (len(dark) + 2 * QUIET)
    return Scene(SIDE, SIDE, (Modules(SIDE / 2, SIDE / 2, SIDE - 2 * quiet, SIDE - 2 * quiet, dark),))
