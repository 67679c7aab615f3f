r"""A solution as TeX macros, for a paper of one's own: every value, entry and formula under the quantity's own name.

Names of macros have letters only, and quantities are called ``dE/dW2``; so they are looked up: ``\derivevalue{dE/dW2}``
stands for the value as the report displays it, every digit certified. A name that is not there is an error of LaTeX
that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from math import prod

import numpy as np

from derive.graph.expression import Expression, Name
from derive.numbers.balls import Number
from derive.numbers.certify import Undecided, certify
from derive.numbers.rounding import Printed
from derive.records import dataclass
from derive.report.catalogue import catalogue
from derive.report.compose.sheet import Sheet
from derive.report.document import Chain
from derive.report.latex_dialects import array_columns, for_tex
from derive.report.notation.printed import printed_text
from derive.solution import Part, Solution
from derive.solution.values import START_BITS

MOST_ENTRIES = 2_000  # of one quantity that have a macro each
Texts = Sequence[Printed | Undecided]

HEAD = r"""% Values and formulas of a solution as TeX macros, written by derive: the digits are those of the report.
% \input this file, in the preamble or later, in a paper with amsmath.
%   \derivevalue{@}        the value; of a matrix all of it
%   \deriveentry{@}{1,2}   one entry, rows and columns counted from 1
%   \derivesymbol{@}       how it is written
%   \deriveformula{@}      what it is worked out by
%   \deriveresult{@}       symbol, sign and value: = where every digit is there, \approx where it is rounded
% They stand in the text and in formulas. Of several such files the last is meant; \derivevalue[@@]{@} asks this one.
%
"""
MACROS = r"""\edef\deriveat{\catcode64=\the\catcode64\relax}\makeatletter
\ifx\derive@set\undefined
  \gdef\derive@set#1#2#3{\expandafter\gdef\csname derive@#1@\derive@problem @\detokenize{#2}\endcsname{#3}}
  \gdef\derive@get#1#2#3#4{%
    \ifcsname derive@#1@#2@\detokenize{#3}\zap@space#4 \@empty\endcsname
      \ensuremath{\csname derive@#1@#2@\detokenize{#3}\zap@space#4 \@empty\endcsname}%
    \else
      \PackageError{derive}{There is no #1 of \detokenize{#3}#4 in #2}{The file of macros lists what there is.}%
      \textbf{??}%
    \fi}
  \DeclareRobustCommand{\derivevalue}[2][\derive@problem]{\derive@get{value}{#1}{#2}{}}
  \DeclareRobustCommand{\deriveentry}[3][\derive@problem]{\derive@get{entry}{#1}{#2}{:#3}}
  \DeclareRobustCommand{\derivesymbol}[2][\derive@problem]{\derive@get{symbol}{#1}{#2}{}}
  \DeclareRobustCommand{\deriveformula}[2][\derive@problem]{\derive@get{formula}{#1}{#2}{}}
  \DeclareRobustCommand{\deriveresult}[2][\derive@problem]{%
    \ensuremath{\derive@get{symbol}{#1}{#2}{} \derive@get{sign}{#1}{#2}{} \derive@get{value}{#1}{#2}{}}}
\fi
"""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity under its name: LaTeX of symbol, formula and value (empty where there is none), and its entries."""

    name: str
    symbol: str
    formula: str = ""
    relation: str = ""
    value: str = ""
    shape: tuple[int, ...] = ()
    entries: tuple[str, ...] = ()


def macros(solution: Solution) -> str:
    """The file of macros. Quantities of a part have its name in front: ``a:dE/dW2``."""
    words = catalogue("en")
    found = list(chain.from_iterable(_quantities(Sheet(part, words)) for part in solution.parts))
    problem = _plain(solution.problem.name)
    examples = [one.name for one in found if one.entries and one.formula] or [one.name for one in found] or ["E"]
    lines = [HEAD.replace("@@", problem).replace("@", examples[-1]) + "% The quantities:"]
    lines += [f"%   {one.name}{_size(one.shape)}" for one in found]
    columns = max((array_columns(text) for one in found for text in (one.value, one.formula)), default=0)
    lines += [MACROS + rf"\gdef\derive@problem{{{problem}}}"]
    if columns > 10:
        lines.append(rf"\ifnum\value{{MaxMatrixCols}}<{columns} \setcounter{{MaxMatrixCols}}{{{columns}}}\fi")
    lines += [line for one in found for line in _set(one)]
    return "\n".join([*lines, r"\deriveat", r"\endinput", ""])


def _size(shape: tuple[int, ...]) -> str:
    return f"  ({' x '.join(map(str, shape))})" if shape else ""


def _set(one: Quantity) -> Iterator[str]:
    told = {"symbol": one.symbol, "formula": one.formula, "sign": one.relation, "value": one.value}
    for what, latex in told.items():
        if latex:
            yield rf"\derive@set{{{what}}}{{{one.name}}}{{{for_tex(latex)}}}"
    for index, text in zip(np.ndindex(one.shape), one.entries, strict=False):
        yield rf"\derive@set{{entry}}{{{one.name}:{','.join(str(k + 1) for k in index)}}}{{{text}}}"


def _plain(text: str) -> str:
    """A name of a file or of a part in characters that TeX reads as themselves."""
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-()") else "-" for c in text)


# ── what there is ───────────────────────────────────────────────────────────────────────────────────────────────


def _quantities(sheet: Sheet) -> Iterator[Quantity]:
    """Data, values, gradients, ratios, second derivatives, and what updates made of parameters and loss."""
    part = sheet.part
    prefix = "" if part.problem.part is None else f"{_plain(part.problem.part)}:"
    for name, datum in part.network.data.items():
        yield _named(sheet, prefix, name, None, datum.tensor is not None)
    for equation in part.network.equations:
        yield _named(sheet, prefix, equation.name, equation.value, sheet.numeric)
    if part.derivation is not None:
        for adjoint, right in part.derivation.adjoints.items():
            yield _named(sheet, prefix, adjoint, right, sheet.numeric)
    if not sheet.numeric:
        return
    for ratio in part.asked.ratios:
        yield _ratio(sheet, prefix, ratio.text, sheet.ratio(ratio))
    if part.further is not None and part.further.seconds:
        from derive.report.compose.further import results  # only who asks for second derivatives pays for them

        for second, shown in zip(part.further.seconds, results(sheet), strict=True):
            yield _ratio(sheet, prefix, second.text, shown)
    yield from _updated(sheet, prefix)


def _named(sheet: Sheet, prefix: str, name: Name, right: Expression | None, numeric: bool) -> Quantity:
    """A quantity with an equation, or a datum."""
    formula = "" if right is None else sheet.letters.text(right)
    if not numeric:
        return Quantity(f"{prefix}{name}", sheet.symbols.name(name), formula)
    shape = tuple(map(int, sheet.shape(name)))
    return _told(f"{prefix}{name}", sheet.assigned(name, sheet.printed(name)), formula, shape, sheet.printed(name))


def _ratio(sheet: Sheet, prefix: str, text: str, shown: Chain) -> Quantity:
    """A ratio of two names, or a second derivative."""
    part = sheet.part
    shape = tuple(part.value_of(text).shape)
    few = prod(shape) <= MOST_ENTRIES
    entries = [
        certify(partial(_entry, part, text, index), part.rounding, START_BITS) for index in np.ndindex(shape) if few
    ]
    return _told(f"{prefix}{text}", shown, "", shape, entries)


def _entry(part: Part, text: str, index: tuple[int, ...], bits: int) -> Number:
    value: Number = part.value_of(text, bits)[index]
    return value


def _updated(sheet: Sheet, prefix: str) -> Iterator[Quantity]:
    """Parameters and loss after the k-th update, under ``W@k``."""
    part = sheet.part
    if part.history is None:
        return
    history = part.history.printed
    names: list[str] = [*history.update.moving, *([history.loss] if history.loss else [])]
    for k, run in enumerate(history.runs):
        for name in names if k else ():
            texts = run.shown(name, part.rounding)
            shape = tuple(map(int, sheet.shape(name)))
            yield _told(f"{prefix}{name}@{k}", sheet.assigned(name, texts), "", shape, texts)


def _told(name: str, shown: Chain, formula: str, shape: tuple[int, ...], texts: Texts) -> Quantity:
    last = shown.links[-1]
    entries = tuple(map(printed_text, texts)) if shape and len(texts) <= MOST_ENTRIES else ()
    return Quantity(name, shown.left, formula, last.relation, last.terms[-1], shape, entries)
