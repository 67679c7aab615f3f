"""The sheet that PDF and LaTeX share, measured in em, so that one line break serves both.

An em is the size of the running text (``\\documentclass[11pt]`` means 10.95 pt); a width in em is the same number in
Typst, in TeX and in the estimates.
"""

from __future__ import annotations

from derive.records import dataclass

SIZE = 10.95 * 72 / 72.27  # of the running text, in Typst's (PostScript) points
MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Page:
    """A paper by the names that Typst and the ``article`` class have for it, with its width and margin in mm."""

    typst_paper: str
    tex_paper: str
    width: float
    margin: float = 25.0

    @property
    def line(self) -> float:
        """The width of the text in em."""
        return (self.width - 2 * self.margin) * MM / SIZE


A4 = Page("a4", "a4paper", 210.0)
LETTER = Page("us-letter", "letterpaper", 215.9)

INDENT = 1.6  # of a displayed formula from the left margin, in em
