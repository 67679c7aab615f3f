"""Error signals with either sign, and the conventions that a reader could take otherwise."""

from __future__ import annotations

import pytest

from derive.report.result import as_json
from further_problems import SIGNALS, TWO_LAYERS, formulas, read_back, refused, said, solved

# ── error signals and conventions ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "convention",
    [
        "",
        'delta_sign = "negative"',
        'delta_sign = "negative"\nlayout = "numerator"',
        'carry = "displayed"\ndelta_sign = "negative"',
        'index_order = "to-from"',
    ],
)
def test_error_signals_read_back(convention: str) -> None:
    """With either sign, in either layout, carried by hand or not: every chain with a delta is right."""
    read_back(SIGNALS + convention)


def test_an_error_signal_is_defined_once_and_used() -> None:
    """delta_o stands for its derivative once; the weights' derivatives and the layer below are said with it."""
    lines = formulas(solved(SIGNALS)[1])
    assert sum(line.startswith(r"\delta_o = \frac{\partial E}{\partial z_o} =") for line in lines) == 1
    assert any(line.startswith(r"\frac{\partial E}{\partial W_2} = h^{\top} \delta_o") for line in lines)
    assert any(r"\delta_h =" in line and r"(\delta_o W_2^{\top}) \odot h \odot (1 - h)" in line for line in lines)
    assert any(line.startswith(r"\frac{\partial E}{\partial w^{(2)}_{11}} = \delta_{o,1} \, ") for line in lines)


def test_a_negative_error_signal_turns_the_signs_around() -> None:
    """delta_o = -dE/dz_o = (t - o) o (1 - o), and the derivatives by weights carry a minus; values stay what they are."""
    text = SIGNALS + 'delta_sign = "negative"'
    solution, document = solved(text)
    lines = formulas(document)
    assert any(r"\delta_o = -\frac{\partial E}{\partial z_o}" in li and r"(t - o) \odot o \odot" in li for li in lines)
    assert any(line.startswith(r"\frac{\partial E}{\partial W_2} = -h^{\top} \delta_o") for line in lines)
    plain = as_json(solved(TWO_LAYERS)[0])["parts"][0]["gradients"]
    assert as_json(solution)["parts"][0]["gradients"] == plain


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ('delta = { q = "delta" }', "delta names what does not exist: q"),
        ('delta = { z_o = "h" }', "the error signal of z_o has the name of another quantity: h"),
        ('delta = { z_o = "d1", z_h = "d1" }', "two error signals have the name d1"),
        ('delta = "z_o"', "delta is"),
        ('delta = { t = "delta" }', "delta names t, and no derivative that is asked for passes through it"),
    ],
)
def test_error_signals_that_cannot_be(ask: str, message: str) -> None:
    """One message for each, on its line."""
    error = refused(TWO_LAYERS + ask)
    assert message in error.message
    assert error.line == TWO_LAYERS.count("\n") + 1


def test_conventions_that_a_reader_could_take_otherwise_are_stated() -> None:
    """Factor and reduction of the loss, order of indices, sign of the error signal, base of the logarithm."""
    assert r"The loss E is a sum over all entries, with the factor \frac{1}{2} in front" in said(SIGNALS)
    assert r"\delta_o stands for \frac{\partial E}{\partial z_o}, so that an update subtracts" in said(SIGNALS)
    assert "The first index of a weight is the unit that it comes from" in said(SIGNALS)
    assert "The first index of a weight is the unit that it goes to" in said(SIGNALS + 'index_order = "to-from"')
    assert "so that an update adds" in said(SIGNALS + 'delta_sign = "negative"')
    mean = TWO_LAYERS.replace("sum((o - t)**2) / 2", "mean((o - t)**2)")
    assert "The loss E is a mean over all entries, with no factor in front" in said(mean)
    logs = TWO_LAYERS.replace("sum((o - t)**2) / 2", "-sum(t * log2(o))")
    assert r"\log_2 is the logarithm to the base 2" in said(logs)
    assert r"\log is the natural logarithm" in said(logs.replace("log2", "log"))


def test_the_order_of_indices_follows_the_side_of_the_weights() -> None:
    """In columns the first index is where a weight goes to; asked for from-to, w_12 is the entry in row 2, column 1."""
    text = '''
equations = """
z = W @ x
E = sum(tanh(z)**2)
"""
[given]
x = [[1], [2]]
[parameters]
W = [[0.1, 0.2], [0.3, 0.4]]
'''
    assert "The first index of a weight is the unit that it goes to" in said(text)
    turned = text + '[convention]\nindex_order = "from-to"'
    assert r"W = \begin{pmatrix} w_{11} & w_{21} \\ w_{12} & w_{22} \end{pmatrix}" in " ".join(
        formulas(solved(turned)[1])
    )
    read_back(turned)
