"""The differential test of the converters: what Typst makes of each formula, held against what math-core makes of it.

The two share no code. Each formula goes to Typst through ``to_typst`` and comes back as Typst's own MathML (its HTML
export), and to math-core as it is; ``mathml`` brings both to one form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import math_core
import typst

import mathml
from derive.report.typst_math import PRELUDE, to_typst

Pieces = tuple[str, ...]  # of one formula, converted piece by piece, set side by side
_AT_ONCE = 1000
_GAP = re.compile(r"(\\\\)\[\d+ex\]")  # math-core prints a row gap as text


def by_typst(formulas: Sequence[Pieces], convert: Callable[[str], str] = to_typst) -> list[str]:
    """The MathML that Typst makes of each converted formula."""
    compiler = typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False))
    made: list[str] = []
    for start in range(0, len(formulas), _AT_ONCE):
        some = formulas[start : start + _AT_ONCE]
        cells = (f'#html.elem("section")[$ {" ".join(map(convert, pieces))} $]' for pieces in some)
        page = compiler.compile(input=(PRELUDE + "\n".join(cells)).encode(), format="html")
        assert isinstance(page, bytes)
        sections = re.findall(r"<section>(.*?)</section>", page.decode(), re.DOTALL)
        assert len(sections) == len(some)
        made += sections
    return made


def both(latex: str, typsts: str) -> tuple[mathml.Tree, mathml.Tree]:
    """math-core's reading of a formula, and Typst's."""
    convert = math_core.LatexToMathML().convert_with_local_state
    every = not mathml.aligned(latex)
    theirs = mathml.read(convert(_GAP.sub(r"\1", latex), displaystyle=True), empty_cells=every)
    return theirs, mathml.read(typsts, empty_cells=every)


def different(formulas: Iterable[Pieces], convert: Callable[[str], str] = to_typst) -> list[str]:
    """The formulas that Typst reads otherwise than math-core does."""
    wanted = sorted(set(formulas))
    found = []
    for pieces, made in zip(wanted, by_typst(wanted, convert), strict=True):
        latex = " ".join(pieces)
        theirs, ours = both(latex, made)
        if theirs != ours:
            found.append(latex)
    return found
