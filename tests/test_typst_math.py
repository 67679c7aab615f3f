"""The strict LaTeX subset and its conversion to Typst mathematics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import math_core
import pytest

import mathml
from derive.errors import ProblemError
from derive.problem import symbols
from derive.report import typst_math
from derive.report.latex_reader import parse, tokens
from derive.report.latex_tree import Scripts
from derive.report.typst_math import to_typst
from differences import both, by_typst, different
from formulas import FORMULAS


@lru_cache(maxsize=1)
def _by_typst() -> dict[str, str]:
    """The MathML that Typst makes of each converted formula."""
    return dict(zip(FORMULAS, by_typst([(formula,) for formula in FORMULAS]), strict=True))


def test_the_corpus_is_large() -> None:
    """At least 150 different formulas are compared."""
    assert len(set(FORMULAS)) >= 150


# Typst sets the line in a PDF but leaves it out of its HTML export.
LINES = frozenset({r"\overline{x}"})


@pytest.mark.parametrize("formula", [formula for formula in FORMULAS if formula not in LINES])
def test_typst_reads_what_an_independent_converter_reads(formula: str) -> None:
    """Characters, order and structure agree with math-core's MathML of the same LaTeX."""
    theirs, ours = both(formula, _by_typst()[formula])
    assert sorted(mathml.characters(ours)) == sorted(mathml.characters(theirs))
    assert ours == theirs


def test_the_form_that_is_compared_keeps_structure() -> None:
    """A lost parenthesis, a swapped fraction, a script in the wrong place and a lost empty cell are differences."""
    convert = math_core.LatexToMathML().convert_with_local_state

    def tree(latex: str) -> mathml.Tree:
        return mathml.read(convert(latex, displaystyle=True))

    for one, other in (
        ("(x)", "x"),
        (r"\frac{a}{b}", r"\frac{b}{a}"),
        (r"\frac{a+b}{c}", r"a+\frac{b}{c}"),
        (r"\frac{\frac{a}{b}}{c}", r"\frac{a}{\frac{b}{c}}"),
        ("x_1", "x^1"),
        ("x_{12}", "x_12"),
        ("x^{y_z}", "x^{y}_z"),
        (r"\hat{x}", r"\bar{x}"),
        (r"\hat{x}y", r"\hat{xy}"),
        (r"\sqrt{x}y", r"\sqrt{xy}"),
        (r"\sqrt[3]{x}", r"3\sqrt{x}"),
        (r"\begin{matrix} a & b \end{matrix}", r"\begin{matrix} a \\ b \end{matrix}"),
        (r"\begin{matrix} a & & b \end{matrix}", r"\begin{matrix} a & b \end{matrix}"),
    ):
        assert tree(one) != tree(other), (one, other)


def _instead(name: str, change: Callable[[Any], Any]) -> Callable[[str], str]:
    """The converter with one of its parts changed."""

    def convert(latex: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(typst_math, name, change(getattr(typst_math, name)))
            return typst_math.write(parse(latex))

    return convert


def _swapped(scripts: Callable[[Scripts], str]) -> Callable[[Scripts], str]:
    return lambda node: scripts(replace(node, sub=node.sup, sup=node.sub))


SLIPS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "a subscript set as a superscript": ("_scripts", _swapped, "x_1+y"),
    "numerator and denominator swapped": (
        "_FRACTIONS",
        lambda kinds: {name: text.replace("{}, {}", "{1}, {0}") for name, text in kinds.items()},
        r"\frac{\partial E}{\partial w}",
    ),
    "the last row of a matrix lost": (
        "_cells",
        lambda cells: lambda rows, *rest, **named: cells(rows[:-1] or rows, *rest, **named),
        r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    ),
    "the columns of a matrix run together": (
        "_cells",
        lambda cells: (
            lambda rows, *rest, **named: cells(
                tuple((tuple(n for cell in row for n in cell),) for row in rows), *rest, **named
            )
        ),
        r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    ),
    "an accent instead of another": ("_ACCENTS", lambda accents: accents | {"hat": "macron"}, r"\hat{y}_1"),
    "a delimiter dropped": ("_fence", lambda fence: lambda delimiter: '""', r"\left(\frac{a}{b}\right)"),
    "the group of an argument lost": (
        "_argument",
        lambda argument: lambda row: argument(row[:1]),
        r"\frac{a+b}{c}",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_the_comparison_sees_a_slip_of_the_converter(slip: str) -> None:
    """A slip seeded in the converter itself is found; without it nothing is."""
    name, change, latex = SLIPS[slip]
    convert = _instead(name, change)
    assert different([(latex,)]) == []
    assert different([(latex,)], convert) == [latex]


@pytest.mark.parametrize("formula", FORMULAS)
def test_tokens_keep_every_character(formula: str) -> None:
    """Joining the tokens gives the formula back."""
    assert "".join(token.text for token in tokens(formula)) == formula


REFUSED = {
    r"\input{x}": r"\input", r"\write18{ls}": r"\write", r"\def\x{1}": r"\def", r"\color{red}x": r"\color",
    r"\tag{1}": r"\tag", r"\begin{tikzpicture}\end{tikzpicture}": "tikzpicture", "a & b": "'&'", r"a \\ b": r"'\\'",
    r"\left( a": r"\right", r"a \right)": r"\right", "a}": "'}'", "{a": "'}'", "x^12": "needs braces", "x_1_2": "double",
    "x^1^2": "double", r"\frac{a}": "ends", r"\text{a$b$}": r"\text", r"\operatorname{}": "no name", "x#1": "'#'",
    "$x$": "'$'", "a%b": "'%'", "a~b": "'~'", "é": "'é'", r"\begin{pmatrix} a": "not closed", "@": "'@'",
    r"\begin{pmatrix} a \end{bmatrix}": "bmatrix", r"\end{pmatrix}": r"\end{pmatrix}", "{" * 100: "deeper",
    r"\left\alpha x\right)": "no delimiter", r"\begin{array}{x} a \end{array}": "columns", "`": "'`'", "\"": "'\"'",
    r"\x": r"\x", r"\^^41": r"\^", r"\catcode`\$=1": r"\catcode", r"\text{\input{x}}": r"\text", "x^": "ends", "\\": "",
}  # fmt: skip


@pytest.mark.parametrize("formula", REFUSED)
def test_what_is_not_in_the_subset_is_refused_by_name(formula: str) -> None:
    """The message names what is refused and shows the formula."""
    with pytest.raises(ProblemError) as caught:
        parse(formula)
    assert REFUSED[formula] in caught.value.message
    assert formula[:90] in caught.value.message


def test_every_symbol_of_a_problem_file_can_be_set() -> None:
    """What the reader of problem files lets through as the name of a symbol is in the subset."""
    plain = symbols.GREEK | symbols.SIGNS
    for latex in [f"\\{name}" for name in plain] + [f"\\{name}{{x}}" for name in symbols.ACCENTS | symbols.FONTS]:
        assert to_typst(symbols.symbol(latex))


def test_identifiers_are_products_of_letters() -> None:
    """Neighbouring letters never become one word of Typst, not even the name of a Typst function."""
    assert to_typst("xy") == "x y"
    assert to_typst("sin") == "s i n"
    assert to_typst("2x") == "2 x"


def test_factors_beside_a_matrix_keep_their_distance() -> None:
    """A thin space between two matrices and between a letter or number and a matrix; none beside a relation."""
    matrix = r"\begin{pmatrix} 1 \end{pmatrix}"
    assert to_typst(matrix + matrix).count("thin") == 1
    assert to_typst("A" + matrix + r"^{\top}0.5").count("thin") == 2
    assert "thin" not in to_typst("=" + matrix + "+ 1")


def test_text_cannot_leave_its_string() -> None:
    """Quotes in a text stay inside the Typst string."""
    with pytest.raises(ProblemError):
        to_typst(r'x"#panic()"')
    assert to_typst(r"\text{a\_b}") == '"a_b"'
