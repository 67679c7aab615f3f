"""The strict LaTeX subset and its conversion to Typst mathematics."""

from __future__ import annotations

import re
from functools import lru_cache

import math_core
import pytest
import typst

import mathml
from derive.errors import ProblemError
from derive.problem import symbols
from derive.report.latex_tree import parse, tokens
from derive.report.typst_math import PRELUDE, to_typst
from formulas import FORMULAS


@lru_cache(maxsize=1)
def _by_typst() -> dict[str, str]:
    """The MathML that Typst makes of each converted formula."""
    source = PRELUDE + "\n".join(f'#html.elem("section")[$ {to_typst(formula)} $]' for formula in FORMULAS)
    fonts = typst.Fonts(include_system_fonts=False)
    page = typst.compile(source.encode(), format="html", font_paths=fonts).decode()
    sections = re.findall(r"<section>(.*?)</section>", page, re.DOTALL)
    assert len(sections) == len(FORMULAS)
    return dict(zip(FORMULAS, sections, strict=True))


def test_the_corpus_is_large() -> None:
    """At least 150 different formulas are compared."""
    assert len(set(FORMULAS)) >= 150


# Typst sets the line in a PDF but leaves it out of its HTML export.
LINES = frozenset({r"\overline{x}"})


@pytest.mark.parametrize("formula", [formula for formula in FORMULAS if formula not in LINES])
def test_typst_reads_what_an_independent_converter_reads(formula: str) -> None:
    """Characters, order and structure agree with math-core's MathML of the same LaTeX."""
    bare = re.sub(r"(\\\\)\[\d+ex\]", r"\1", formula)  # math-core prints a row gap as text
    theirs = mathml.read(math_core.LatexToMathML().convert_with_local_state(bare, displaystyle=True))
    ours = mathml.read(_by_typst()[formula])
    assert sorted(mathml.characters(ours)) == sorted(mathml.characters(theirs))
    assert ours == theirs


def test_the_comparison_sees_a_slip() -> None:
    """A lost parenthesis, a swapped fraction and a script in the wrong place are differences."""
    convert = math_core.LatexToMathML().convert_with_local_state

    def tree(latex: str) -> mathml.Tree:
        return mathml.read(convert(latex, displaystyle=True))

    assert tree("(x)") != tree("x")
    assert tree(r"\frac{a}{b}") != tree(r"\frac{b}{a}")
    assert tree("x_1") != tree("x^1")
    assert tree("x_{12}") != tree("x_12")


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
