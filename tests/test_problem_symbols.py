from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import ProblemError
from derive.problem.symbols import entry_name, symbol


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("w_10", "w_{10}"),
        ("w_{1}", "w_1"),
        ("w^{(1)}_{ij}", "w^{(1)}_{ij}"),
        ("z_{h1}", "z_{h1}"),
        (r"\hat{y}_1", r"\hat{y}_1"),
        (r"\alpha_1", r"\alpha_1"),
        (r"x_\alpha", r"x_{\alpha}"),
        ("x'_1", "x'_1"),
        ("x''", "x''"),
        ("w_{1,2}", "w_{1,2}"),
        (r"\tilde{\bar{x}}", r"\tilde{\bar{x}}"),
        ("10", "10"),
    ],
)
def test_names_of_entries(text: str, canonical: str) -> None:
    """A name of the grammar is returned as TeX means it; equal prints are equal texts."""
    assert entry_name(text) == canonical
    assert symbol(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (r"\ell", r"\ell"),
        (r"\mathbf{W}_1", r"\mathbf{W}_1"),
        (r"\alpha x", r"\alpha x"),
        (r"\boldsymbol{\theta}^{*}", r"\boldsymbol{\theta}^*"),
        (r"w^+", "w^+"),
        (r"A^\top", r"A^{\top}"),
        (r"\mathrm{out}", r"\mathrm{out}"),
        (r"\vec{x}", r"\vec{x}"),
    ],
)
def test_symbols(text: str, canonical: str) -> None:
    """A symbol may have the fonts and signs of a whitelist besides."""
    assert symbol(text) == canonical
    with pytest.raises(ProblemError):
        entry_name(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{}", "x_", "x^", "_1", "^2", "'", "x_1_2", "x^1^2", "x^2'", "x'^2"),
        *("{x", "x}", "x_{", "x_{}", "(x", "x)", "{" * 9 + "x" + "}" * 9, "x" * 81),
        *("x$", "x%", "x&y", "x#1", "x~y", "x\ny", "x\ty", "^^41", "é", "x−y", "x_*", "x!", "<x>", "x\u202e"),
        *("\\", r"\\", r"\ ", r"\hat", r"\hat y", r"\mathbf x", r"\alphax", r"\u{0}", r"\unicode{x}"),
        *(r"\input{x}", r"\write18{x}", r"\def\x{y}", r"\csname x\endcsname", r"\begin{x}", r"\text{x}"),
        *(r"\href{x}{y}", r"x\over y"),
    ],
)  # fmt: skip
def test_what_could_run_tex_is_refused(text: str) -> None:
    """Any command outside the whitelist, unbalanced braces and double scripts are errors of one line."""
    for read in (entry_name, symbol):
        if text == "x_*" and read is symbol:
            continue
        with pytest.raises(ProblemError) as caught:
            read(text)
        assert "\n" not in str(caught.value)


@given(st.text(alphabet=r"\{}_^'()abhatell12,$%&# *+-mrf", max_size=30))
def test_nothing_but_the_grammar_comes_out(text: str) -> None:
    """What is accepted has balanced braces, known commands only, and is its own canonical form."""
    for read in (entry_name, symbol):
        try:
            written = read(text)
        except ProblemError:
            continue
        assert read(written) == written
        assert written.count("{") == written.count("}")
        assert not set(written) & set("$%&#~\n")
