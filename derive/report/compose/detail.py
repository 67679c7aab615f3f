"""How much of the work a report shows: three levels, each a budget that every section reads.

``STANDARD`` is what a teacher hands out. ``BRIEF`` is the answer key: each formula in matrix form, and its result in
numbers. ``FULL`` leaves nothing out that a page can hold: every rewriting, every entry, every path to the loss.
"""

from __future__ import annotations

from derive.errors import ProblemError
from derive.problem.wording import hint, listing
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """A level of detail. Numbers are the most that is written out; 0 means that it is left out altogether.

    ``reasons``: a sentence for each rule, a heading for each derivative, the answers once more at the end, a table of
    checks. ``rewritings``: a derivative as the rule gives it, before like terms are collected. ``every``: also what
    says little that is new: formulas of later parts with the names of their entries, the entries of quantities that are
    links of a chain, each entry's paths to the very top.
    """

    name: str
    reasons: bool = True
    rewritings: bool = True
    every: bool = False
    named: int = 24  # entries of the largest matrix that is written out with its entries' names
    spelled: int = 40  # products that are spelled out in the entries of one matrix
    lines: int = 4  # lines of numbers put in; more help nobody
    paths: int = 16  # paths of one name's entries that are written out one by one
    named_paths: int = 9  # paths of one entry whose local derivatives are first written by their names
    at_once: int = 8  # paths of one entry that are written out to the very top
    steps: int = 6  # steps of a loop whose terms are written out one by one
    by_hand: int = 9  # entries of a convolution or a pooling that are worked out one by one
    products: int = 12  # products that such an entry adds up
    patches: int = 9  # rows and columns of the matrix of patches that is printed
    planes: int = 6  # matrices of a stack that are printed
    quantities: int = 6  # quantities that are listed beside a check
    entries_updated: int = 40  # entries in the table of one update
    ends: int = 40  # parameters whose first and last values are listed entry by entry
    updates: int = 40  # lines in a table of updates
    worked: int = 8  # updates that are written out; a table has all of them
    moved: int = 24  # entries of parameters in all these updates together
    passes: int = 16  # equations and derivatives of a pass that is written out in numbers


STANDARD = Detail("standard")
BRIEF = Detail(
    "brief", reasons=False, rewritings=False,
    named=0, spelled=0, lines=0, paths=0, named_paths=0, at_once=0, by_hand=0, products=0, patches=0,
    entries_updated=0, worked=1, moved=0, passes=0,
)  # fmt: skip
FULL = Detail(
    "full", every=True,
    named=144, spelled=400, lines=24, paths=120, named_paths=40, at_once=12, steps=24,
    by_hand=64, products=72, patches=16, planes=24, quantities=40,
    entries_updated=400, ends=400, updates=400, worked=40, moved=400, passes=60,
)  # fmt: skip
LEVELS = {level.name: level for level in (BRIEF, STANDARD, FULL)}


def level(name: str) -> Detail:
    """The level of that name. Raises ``ProblemError`` with the known ones."""
    if name not in LEVELS:
        raise ProblemError(f"the detail {name!r} is not known", hint=hint(name, LEVELS) or f"known: {listing(LEVELS)}")
    return LEVELS[name]
