"""Certified numbers as LaTeX."""

from __future__ import annotations

from derive.numbers.certify import Undecided
from derive.numbers.rounding import Printed
from derive.report.notation.cells import ATOM, PRODUCT, Cell

UNDECIDED = r"\text{undecided}"  # set in the language of a document when that is finished


def printed_text(value: Printed | Undecided) -> str:
    """A number as it is printed; ``1.2 \\times 10^{-7}`` with a power of ten; what is not decided says so."""
    if isinstance(value, Undecided):
        return UNDECIDED
    if value.below is not None:
        sign = "-" if value.mantissa.startswith("-") else ""
        return rf"{sign}\frac{{{value.mantissa.removeprefix('-')}}}{{{value.below}}}"
    return value.mantissa if value.exponent is None else rf"{value.mantissa} \times 10^{{{value.exponent}}}"


def printed_cell(value: Printed | Undecided) -> Cell:
    """A number as an entry of a formula."""
    text = printed_text(value)
    scientific = isinstance(value, Printed) and value.exponent is not None
    return Cell(text, PRODUCT if scientific else ATOM, numeric=True)
