"""Documents as text for a terminal: formulas on one line, prose folded."""

from __future__ import annotations

import pytest

from derive.errors import ProblemError
from derive.problem import built_in, find_problem
from derive.report.compose import compose
from derive.report.document import (
    Chain,
    Code,
    Display,
    Document,
    Heading,
    Items,
    Link,
    Math,
    Note,
    Paragraph,
    Table,
    Text,
)
from derive.report.plain import formula, plain
from derive.solution import solve

FORMULAS = {
    r"\sum_{q=1}^{m} z_{iq} w_{qj}": "Σ_{q≤m} z_iq w_qj",
    r"\frac{\partial J}{\partial w_{kl}}": "∂J/∂w_kl",
    r"\frac{a + b}{c d}": "(a + b)/(c d)",
    r"-x - y": "−x − y",
    r"(Z^{\top} G)_{kl}": "(Zᵀ G)_kl",
    r"\sigma'(z_{ij})": "σ'(z_ij)",
    r"x^2 + x^{10}": "x² + x¹⁰",
    r"e^{-x}": "e^(−x)",
    r"\sqrt{x}": "√x",
    r"\hat{y}": "y\u0302",
    r"2 \cdot 3": "2 ⋅ 3",
    r"\mathbf{1}^{\top} G": "1ᵀ G",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}": "(1  2; 3  4)",
    r"\operatorname{ReLU}(z)": "ReLU(z)",
}


@pytest.mark.parametrize("latex", FORMULAS)
def test_a_formula_is_one_line(latex: str) -> None:
    """Sums with their limits, fractions with a stroke, indices and powers as one types them."""
    assert " ".join(formula(latex).split()) == " ".join(FORMULAS[latex].split())


def test_what_is_not_set_is_refused() -> None:
    """A command outside the subset is an error here as in every format."""
    with pytest.raises(ProblemError):
        formula(r"\input{x}")


def test_every_kind_of_block_has_lines() -> None:
    """Headings are underlined, lists marked, tables aligned, a chain's later links stand under its first."""
    chain = Chain("x", (Link("=", ("a", "+ b")), Link(r"\approx", ("1",))))
    document = Document(
        "name", "Title", "en",
        (
            Heading(1, (Text("One "), Code("x"))),
            Paragraph((Text("word " * 30),)),
            Display((chain,)),
            Items(((Text("a"),), (Math("b"),)), ordered=True),
            Table(((Text("k"),), (Text("v"),)), (((Text("long"),), (Math("x^2"),)),), "ll"),
            Note((Text("mind"),)),
        ),
    )  # fmt: skip
    lines = plain(document, 60).splitlines()
    for line in (
        "Title",
        "One `x`",
        "=======",
        "    x = a + b",
        "      ≈ 1",
        "1. a",
        "2. b",
        "k     v",
        "long  x²",
        "mind",
    ):
        assert line in lines
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("name", built_in())
def test_a_whole_report_can_be_read_in_a_terminal(name: str) -> None:
    """Every formula of a built-in report has its line: no command is left over."""
    assert "\\" not in plain(compose(solve(find_problem(name))))
