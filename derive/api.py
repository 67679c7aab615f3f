"""The face for Python: ``solve`` anything, and ask the ``Solution`` for values, SymPy objects, files.

Everything heavy is imported where it is used, so that a script pays for what it asks for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive.errors import ProblemError, Unsupported
from derive.problem import Problem, built_in, find_problem
from derive.problem.convention import read_convention
from derive.problem.find import kinds
from derive.problem.places import Places
from derive.problem.train import with_training
from derive.problem.wording import hint, listing
from derive.records import dataclass

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import sympy

    from derive import solution as solved
    from derive.numbers.arrays import Array
    from derive.numbers.rounding import Printed
    from derive.report.catalogue import Catalogue
    from derive.review.check import Checked

LONGEST_ENTRY = 20_000  # operations of an entry that is written out in data and parameters


def read(
    problem: str | os.PathLike[str] | Problem,
    *,
    digits: int | None = None,
    significant: int | None = None,
    style: str | Sequence[str] | None = None,
    decimal: str | None = None,
    fractions: bool | None = None,
    train: bool | Mapping[str, Any] = False,
) -> Problem:
    """A problem by its built-in name, from a file (``.toml``, or with a slash), or as it is; conventions overridden.

    Raises ``ProblemError`` for wrong input and ``Unsupported`` for what is not built.
    """
    found = problem if isinstance(problem, Problem) else find_problem(os.fspath(problem))
    wishes = {
        "digits": digits, "significant": significant, "style": list(style) if isinstance(style, tuple) else style,
        "decimal": decimal, "fractions": fractions,
    }  # fmt: skip
    table = {key: wish for key, wish in wishes.items() if wish is not None}
    wanted = read_convention(table, Places())
    changed: dict[str, Any] = {key: getattr(wanted, key) for key in table}
    if "digits" in changed:
        changed["significant"] = None

    def under(one: Problem) -> Problem:
        return replace(one, convention=replace(one.convention, **changed), parts=tuple(map(under, one.parts)))

    found = under(found) if changed else found
    return found if train is False else with_training(found, {} if train is True else train)


def solve(
    problem: str | os.PathLike[str] | Problem,
    *,
    digits: int | None = None,
    significant: int | None = None,
    style: str | Sequence[str] | None = None,
    decimal: str | None = None,
    fractions: bool | None = None,
    train: bool | Mapping[str, Any] = False,
) -> Solution:
    """The checked solution of a problem: a built-in name, a path, or a ``Problem``.

    ``digits``, ``significant``, ``style``, ``decimal`` (``"comma"`` or ``"point"``) and ``fractions`` override the
    problem's ``[convention]``; ``train=True``, or a table such
    as ``{"until": "E < 0.01"}``, trains to convergence with the problem's own rate. Raises ``ProblemError`` for wrong
    input, ``Unsupported`` for what is not built, and ``CheckFailed`` where a witness disagrees.
    """
    from derive.solution import solve as run

    found = read(
        problem, digits=digits, significant=significant, style=style, decimal=decimal, fractions=fractions, train=train
    )
    return Solution(run(found))


def titles(language: str = "en") -> dict[str, str]:
    """The built-in problems and what each is about."""
    return {name: title_of(find_problem(name), language) for name in built_in()}


def gallery(language: str = "en") -> dict[str, dict[str, str]]:
    """The built-in problems by kind, each with what it is about."""
    known = titles(language)
    return {kind: {name: known[name] for name in names} for kind, names in kinds().items()}


def title_of(problem: Problem, language: str = "en") -> str:
    """A problem's title in a language, or in the one it has; its name where it has none."""
    texts = problem.title
    return texts.get(language) or texts.get("") or texts.get("en") or next(iter(texts.values()), problem.name)


class Value:
    """One quantity in numbers: exact rationals, or balls that enclose the true values.

    ``shape`` is ``()`` for a scalar, ``(1, n)`` for a row. Prints as the JSON result does: exact values as they are,
    others with 17 certified digits.
    """

    def __init__(self, array: Array) -> None:
        self._array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return tuple(self._array.shape)

    @property
    def exact(self) -> bool:
        """Whether every entry is known as a rational."""
        from derive.numbers.arrays import all_exact

        return all_exact(self._array)

    def floats(self) -> npt.NDArray[np.float64]:
        """The nearest doubles (of an enclosure, its middle), as a NumPy array of this shape."""
        from derive.numbers.arrays import to_floats

        return to_floats(self._array)

    def enclosure(self, *index: int) -> tuple[Fraction, Fraction]:
        """The ends of the interval that certainly holds an entry; equal where it is exact. Indices count from 0."""
        from derive.numbers.balls import enclosure

        low, high = enclosure(self._array[index])
        return Fraction(int(low.p), int(low.q)), Fraction(int(high.p), int(high.q))

    def __getitem__(self, index: Any) -> Value:
        from derive.numbers.arrays import wrap

        return Value(wrap(self._array[index]))

    def __float__(self) -> float:
        return float(self.floats().item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self.floats().astype(dtype) if dtype is not None else self.floats()

    def __repr__(self) -> str:
        from derive.numbers.arrays import entries, filled
        from derive.numbers.json_form import json_number

        texts = [json_number(entry) or str(entry) for entry in entries(self._array)]
        nested = filled(self.shape, texts).tolist()  # type: ignore[arg-type]
        return str(nested).replace("'", "")


@dataclass(frozen=True, slots=True)
class Result:
    """A result as it is displayed: under the problem's convention, every digit certified.

    ``part`` is the name of its part or ``None``; ``rows`` holds one text for each entry, a scalar as a single row.
    A matrix too large to be displayed has no rows.
    """

    part: str | None
    quantity: str
    shape: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


class Solution:
    """A solved and checked problem. A notebook shows it as its report."""

    def __init__(self, core: solved.Solution) -> None:
        self.core = core

    @property
    def problem(self) -> Problem:
        """The problem, as it was solved."""
        return self.core.problem

    @property
    def name(self) -> str:
        """The problem's name: the stem of the files that ``save`` writes."""
        return self.problem.name

    @property
    def checks(self) -> tuple[solved.Check, ...]:
        """Every check that was passed, with the bound that it met."""
        return self.core.checks

    def title(self, language: str = "en") -> str:
        """The problem's title."""
        return title_of(self.problem, language)

    # ── quantities ──────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, quantity: str, part: str | None = None) -> Value:
        """The value of a name (``"h"``), a gradient (``"dE/dW2"``) or a ratio (``"do/dz_o"``) at the start.

        Gradients are laid out as the problem's convention says. Raises ``ProblemError`` for a quantity that the
        solution does not have, and where there are no numbers.
        """
        here = self.core.part(part)
        if not here.numeric:
            raise ProblemError(f"{quantity} has no value: the problem gives sizes without numbers")
        array = here.value_of(quantity)
        return Value(array.T if self._turned(here, quantity) else array)

    def sympy(self, quantity: str, part: str | None = None, *, form: str = "explicit") -> sympy.Expr:
        """The SymPy object of a quantity.

        ``form="explicit"``: a scalar or a ``Matrix`` whose entries stand in the entries of data and parameters, under
        the problem's names for them, functions by their formulas; for networks small enough to be written out.
        ``form="matrix"``: the right-hand side of its equation, a ``MatrixExpr`` in the names that it uses.
        Raises ``ProblemError`` for an unknown quantity or form, ``Unsupported`` where the form is not to be had.
        """
        if form not in ("explicit", "matrix"):
            raise ProblemError(f"form is {form!r}, expected is 'explicit' or 'matrix'")
        here = self.core.part(part)
        return (_explicit if form == "explicit" else _matrix)(here, quantity, self._turned(here, quantity))

    def check(
        self,
        quantity: str,
        printed: str,
        part: str | None = None,
        *,
        index: Sequence[int] = (),
        expression: str | None = None,
        decimal: str = ".",
    ) -> Checked:
        """The verdict on a printed value: ``solution.check("dE/dW2", "0.1183", index=(1, 2))``.

        ``printed`` is a text, since its digits count; ``index`` counts from 1; ``"W1@1"`` is the value after update 1.
        ``expression`` is the arithmetic printed in front of the value. The result has ``verdict``, ``right`` (the right
        value to the same digits), ``diagnosis`` and, in ``judged``, everything else. Raises ``ProblemError`` for what
        the problem does not have and for what is no printed number.
        """
        from derive.review.check import check_value
        from derive.review.claims import claim

        asked = claim(quantity, printed, part=part, index=index, expression=expression, decimal=decimal)
        return check_value(self.core, asked, decimal)

    def results(self, largest: int = 96, lang: str = "en") -> list[Result]:
        """The loss, the gradients and ratios asked for, and the loss after the updates, as they are displayed.

        Of matrices with more than ``largest`` entries, or more than 24 columns, only the shape is told. Empty where
        there are no numbers.
        ``lang`` is the language of what is said of the updates.
        """
        from derive.report.catalogue import catalogue

        words = catalogue(lang).with_decimal(self.problem.convention.decimal)
        found = (result for part in self.core.parts if part.numeric for result in _results(part, largest, words))
        return [replace(one, rows=tuple(tuple(map(words.numbers, row)) for row in one.rows)) for one in found]

    def json(self) -> dict[str, Any]:
        """Everything as one document of plain dicts, lists and strings, as ``--json`` prints it."""
        from derive.report.result import as_json

        return as_json(self.core)

    def macros(self) -> str:
        """Every value, entry and formula as a TeX macro, for a paper of one's own; what ``--macros`` writes."""
        from derive.report.tex_macros import macros

        return macros(self.core)

    def _turned(self, part: solved.Part, quantity: str) -> bool:
        """Whether a quantity is a gradient that numerator layout turns on its side."""
        derivation = part.derivation
        if derivation is None or derivation.layout != "numerator":
            return False
        return any(adjoint.numerator and str(adjoint) == quantity for adjoint in derivation.adjoints)

    # ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────

    def files(
        self,
        formats: Iterable[str] = ("md", "tex", "pdf"),
        *,
        lang: str = "en",
        questions: bool = False,
        engine: str = "typst",
        proofs: bool = False,
        frame: str = "article",
        fragment: bool = False,
        templates: str | os.PathLike[str] | None = None,
        detail: str = "standard",
        only: str | Iterable[str] = (),
    ) -> dict[str, bytes]:
        """The report in each format, and what stands beside it (figures, TeX macros), by file name; see ``save``."""
        from derive.report.compose.exam import composed
        from derive.report.files import check_formats, files
        from derive.report.setting import setting_for

        wanted = check_formats(formats)
        setting = setting_for(wanted, engine=engine, frame=frame, fragment=fragment, templates=templates)
        document = composed(
            self.core, setting, questions=questions, language=lang, proofs=proofs, detail=detail, only=only
        )
        return files(document, wanted, setting)

    def save(
        self,
        folder: str | os.PathLike[str] = "reports",
        formats: Iterable[str] = ("md", "tex", "pdf"),
        *,
        lang: str = "en",
        questions: bool = False,
        engine: str = "typst",
        proofs: bool = False,
        frame: str = "article",
        fragment: bool = False,
        templates: str | os.PathLike[str] | None = None,
        detail: str = "standard",
        only: str | Iterable[str] = (),
    ) -> list[Path]:
        """Write the report into a folder, which is made where it is missing: all files, or none.

        ``formats`` are of md, tex, pdf and typ; ``questions`` leaves the solutions out; ``proofs`` appends a
        proof for all sizes of every rule that was used; ``engine`` sets the PDF. ``frame`` is the class of the TeX
        file, article or exam; ``fragment`` makes it a body to ``\\input``; ``templates`` is a folder with templates of
        one's own. ``detail`` is ``"brief"`` (formulas and results), ``"standard"`` or ``"full"`` (every intermediate).
        ``only`` names quantities, as in ``"dE/dW2"``, ``["h", "dE/dh"]`` or ``"W1@1"`` (W1 after the first update):
        these and what they rest on. Both stand in the names of the files (``net-brief.md``, ``net-dE-dW2.md``), so
        that no report replaces another. Returns the paths written. Raises ``ProblemError`` for a format, language,
        detail or quantity that is not known, an engine that is not installed, a template that is broken, and a folder
        that cannot be written.
        """
        from derive.report.write import write_files

        made = {Path(folder) / name: content for name, content in self.files(
            formats, lang=lang, questions=questions, engine=engine, proofs=proofs, frame=frame, fragment=fragment,
            templates=templates, detail=detail, only=only,
        ).items()}  # fmt: skip
        write_files(made)
        return list(made)

    def _repr_markdown_(self) -> str:
        """The Markdown report with its figures inside, for a notebook."""
        from derive.report.compose import compose
        from derive.report.notebook import markdown

        return markdown(compose(self.core))

    def __repr__(self) -> str:
        passed = len(self.checks)
        return f"<Solution of {self.name}: {passed} checks passed>"


WIDEST = 24  # numbers in a row that a terminal shows


def _results(part: solved.Part, largest: int, words: Catalogue) -> Iterator[Result]:
    from derive.graph.expression import Adjoint, Name
    from derive.numbers.certify import Undecided
    from derive.numbers.rounding import Printed
    from derive.report.spacing import spaced_text
    from derive.solution.values import Run

    def text(entry: Printed | Undecided | None) -> str:
        return entry.text if isinstance(entry, Printed) else words.text("terminal.undecided")

    def result(
        quantity: str, shape: tuple[int, ...], entries: Callable[[], Iterable[Printed | Undecided | None]]
    ) -> Result:
        if prod(shape) > largest or (shape and shape[-1] > WIDEST):
            return Result(part.problem.part, quantity, shape, ())
        texts = [text(entry) for entry in entries()]
        width = shape[-1] if shape else 1
        rows = tuple(tuple(texts[start : start + width]) for start in range(0, len(texts), width))
        return Result(part.problem.part, quantity, shape, rows)

    def named(quantity: str, name: Name, run: Run) -> Result:
        return result(quantity, tuple(run.value(name).shape), lambda: run.shown(name, part.rounding))

    top = part.asked.loss or (str(part.network.equations[-1].name) if part.network.equations else "")
    if top:
        yield named(top, top, part.shown)
    if part.derivation is not None:
        for name in part.asked.gradients:
            adjoint = part.derivation.adjoint(name)
            if adjoint in part.derivation.adjoints:
                yield named(str(adjoint), adjoint, part.shown)
    for ratio in part.asked.ratios:
        if ratio.kind == "jacobian":
            yield result(ratio.text, part.value_of(ratio.text).shape, partial(_jacobian_shown, part, ratio.text))
        else:
            yield named(ratio.text, Adjoint(ratio.of, ratio.by), part.shown)
    for one in part.further.seconds if part.further is not None else ():
        yield result(one.text, part.value_of(one.text).shape, partial(_jacobian_shown, part, one.text))
    if part.history is not None and len(part.history.runs) > 1 and top:
        count = len(part.history.runs) - 1
        unit = "updates" if part.history.update.batches is None else "passes"
        number = "one" if count == 1 else "many"
        told = words.text(f"terminal.{unit}_{number}", loss=top, count=str(count))
        yield named(spaced_text(told), top, part.history.runs[-1])
    if part.convergence is not None:
        run = part.convergence
        why = words.text(f"terminal.stopped_{run.stopped}")
        told = words.text("terminal.run", loss=top, count=words.count(run.updates), why=why)
        yield Result(part.problem.part, spaced_text(told), (), ((f"{run.losses[-1] + 0.0:.6g}",),))
    elif part.training is not None:
        last = part.training.history[-1]
        told = spaced_text(words.text("terminal.doubles", loss=top, count=str(last.step)))
        yield Result(part.problem.part, told, (), ((f"{last.loss if last.loss != 0 else 0:.10g}",),))


def _jacobian_shown(part: solved.Part, ratio: str) -> list[Printed | None]:
    """The entries of a Jacobian as they are displayed, at whatever precision decides their digits."""
    from derive.numbers.rounding import printed

    for bits in (128, 512, 2048, 4096):
        found = [printed(entry, part.rounding) for entry in part.value_of(ratio, bits).ravel()]
        if None not in found:
            break
    return found


def _matrix(part: solved.Part, quantity: str, turned: bool) -> sympy.Expr:
    """The right-hand side of a quantity's equation; data are their own symbol."""
    from derive.calculus.matrix_form import matrix_form, symbol

    if quantity in part.network.data:
        return symbol(quantity, part.network.shape(quantity)).value
    second = part.further.second(quantity) if part.further is not None else None
    if second is not None:
        if second.formula is None:
            raise Unsupported(f"the matrix form of {quantity} is not built; ask for form='explicit'")
        return matrix_form(second.formula, part.functions)
    rights: dict[Any, Any] = {equation.name: equation.value for equation in part.network.equations}
    rights |= part.derivation.adjoints if turned and part.derivation is not None else part.shape_adjoints
    for name, right in rights.items():
        if str(name) == quantity:
            return matrix_form(right, part.functions)
    if part.ratio(quantity) is not None:
        raise Unsupported(f"the matrix form of the Jacobian {quantity} is not built; ask for form='explicit'")
    raise _unknown(part, quantity)


def _explicit(part: solved.Part, quantity: str, turned: bool) -> sympy.Expr:
    """The entries of a quantity, written out in data and parameters."""
    import sympy

    from derive.graph.expression import Adjoint

    explicit, ratio = part.explicit, part.ratio(quantity)
    second = part.further.second(quantity) if part.further is not None else None
    if second is not None:
        if second.written is None:
            raise Unsupported(f"{quantity} is too long to be written out entry by entry; ask for form='matrix'")
        return second.written if second.written.shape != (1, 1) else second.written[0, 0]
    if explicit is None:
        raise Unsupported("this network is too large to be written out entry by entry; ask for form='matrix'")
    if quantity in (*part.network.data, *(str(equation.name) for equation in part.network.equations)):
        array = explicit.symbols(quantity)
        return _as_matrix([_written_out(part, {}, entry) for entry in array.ravel()], array.shape)
    if ratio is None or ratio.kind != "jacobian":
        for adjoint in part.shape_adjoints:
            if str(adjoint) == quantity:
                array = explicit.symbols(adjoint)
                found = _as_matrix(
                    [_written_out(part, part.shape_adjoints, entry) for entry in array.ravel()], array.shape
                )
                return found.T if turned else found
        raise _unknown(part, quantity)
    rights = part.ratios[quantity].adjoints
    seeds = list(explicit.symbols(Adjoint("", ratio.of)).ravel())
    below = explicit.symbols(Adjoint(ratio.of, ratio.by)).ravel()
    handed = [_written_out(part, rights, entry) for entry in below]
    rows = [{other: sympy.Integer(other == seed) for other in seeds} for seed in seeds]
    return sympy.Matrix(len(seeds), len(handed), [entry.subs(row) for row in rows for entry in handed])


def _as_matrix(entries: list[sympy.Expr], shape: tuple[int, ...]) -> sympy.Expr:
    import sympy

    if len(shape) > 2:
        return sympy.ImmutableDenseNDimArray(entries, shape)
    return sympy.Matrix(*shape, entries) if shape else entries[0]


def _written_out(part: solved.Part, adjoints: Mapping[Any, Any], entry: sympy.Expr) -> sympy.Expr:
    """An entry with adjoints, then intermediates, then functions replaced by what they are."""
    explicit = part.explicit
    assert explicit is not None
    adjoints = {name: right for name, right in adjoints.items() if right.op != "name" or right.name != name}
    while named := [s for s in entry.free_symbols if s in explicit.entry_of and explicit.entry_of[s].name in adjoints]:
        places = {s: explicit.entry_of[s] for s in named}
        entry = entry.xreplace({s: explicit.entries(adjoints[e.name])[e.index] for s, e in places.items()})
        _not_too_long(entry)
    for equation in reversed(part.network.equations):
        entry = explicit.written_out(entry, (str(equation.name),))
        _not_too_long(entry)
    return explicit.with_definitions(entry)


def _not_too_long(entry: sympy.Expr) -> None:
    if entry.count_ops() > LONGEST_ENTRY:
        raise Unsupported(
            f"an entry has more than {LONGEST_ENTRY:,} operations when written out; ask for form='matrix'"
        )


def _unknown(part: solved.Part, quantity: str) -> ProblemError:
    known = [*part.network.data, *(str(equation.name) for equation in part.network.equations)]
    known += [*map(str, part.shape_adjoints), *part.ratios]
    return ProblemError(
        f"there is no quantity {quantity!r} in this solution",
        hint=hint(quantity, known) or f"there are {listing(dict.fromkeys(known), 'and')}",
    )
