"""Formulas as MathML, for a page that needs no script: the same LaTeX subset, through ``math-core``."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from derive.errors import ProblemError
from derive.report.latex_dialects import with_gaps

if TYPE_CHECKING:
    from math_core import LatexToMathML

_GAP = re.compile(r"\\\\\[\d+ex\]")  # a row gap, which the converter would print as text

_COMMA = re.compile(r'<mn>(\d+)</mn><mo rspace="0">,</mo><mn>(\d+)</mn>')  # 0{,}5, which is one number


@cache
def _converter() -> LatexToMathML:
    from math_core import LatexToMathML  # only a page pays for it

    return LatexToMathML()


@lru_cache(maxsize=1024)
def to_mathml(latex: str, display: bool = False) -> str:
    """One ``<math>`` element. Raises ``ProblemError`` for what is not in the subset."""
    from math_core import LatexError

    plain = _GAP.sub(r"\\\\", with_gaps(latex)).replace(r"\boxed", "")
    try:
        made: str = _converter().convert_with_local_state(plain, displaystyle=display)
    except LatexError as error:
        raise ProblemError(f"cannot set the formula {latex} as MathML: {error}") from None
    return _COMMA.sub(r"<mn>\1,\2</mn>", made) if "{,}" in plain else made
