"""Second derivatives, forward mode, error signals, alphabets, batches, difference quotients."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from derive.errors import ProblemError
from derive.problem import problem_from_text
from derive.report.compose import compose
from derive.report.document import Display, Document, Heading, Items, Math, Paragraph, Table, Text
from derive.report.result import as_json
from derive.solution import Solution, solve
from readback_document import read_document

LAYER = '''
equations = """
z = x @ W + b
h = sigmoid(z)
y = sum((h - t)**2) / 2
"""
[given]
x = [1, 2]
t = [0, 1]
[parameters]
W = [[0.1, 0.2], [0.3, -0.4]]
b = 0.5
[ask]
'''

TWO = """
equations = "f = sin(x*y) + x**2*exp(y)"
[given]
x = 1
y = 2
[ask]
"""

SQUARES = '''
equations = """
r = X @ w - y
f = sum(r**2) / 2
"""
[shapes]
X = ["N", "n"]
w = ["n", 1]
y = ["N", 1]
[ask]
'''

KINKED = '''
equations = """
z = x @ W
h = relu(z)
f = sum(h**3)
"""
[given]
x = [1, -2, 0.5]
[parameters]
W = [[1, 2], [-1, 0.5], [0.5, 3]]
[ask]
'''


@cache
def solved(text: str) -> tuple[Solution, Document]:
    """A problem solved and composed."""
    solution = solve(problem_from_text(text, "p"))
    return solution, compose(solution)


def formulas(document: Document) -> list[str]:
    """Every chain of a document as one line."""
    return [
        f"{chain.left} " + " ".join(f"{link.relation} {' '.join(link.terms)}" for link in chain.links)
        for block in document.blocks
        if isinstance(block, Display)
        for chain in block.chains
    ]


def prose(document: Document) -> str:
    """The sentences and headings of a document, formulas left out."""
    blocks = [block for block in document.blocks if isinstance(block, Heading | Paragraph)]
    return " ".join(span.text for block in blocks for span in block.spans if isinstance(span, Text))


def passed(solution: Solution, kind: str) -> list[str]:
    """What the checks of one kind were about."""
    return [check.of for check in solution.checks if check.check == kind and check.passed]


def refused(text: str) -> ProblemError:
    """The message for a problem."""
    with pytest.raises(ProblemError) as error:
        solve(problem_from_text(text, "p"))
    return error.value


def read_back(text: str) -> None:
    """Every chain of the report is read and right."""
    solution, document = solved(text)
    report = read_document(document, solution)
    found = [finding for finding in report.findings if finding.why != "no numbers"]  # a batch of N has none
    assert not found, "\n".join(map(str, found))
    assert report.links > 10


# ── second derivatives ──────────────────────────────────────────────────────────────────────────────────────────


def test_second_derivatives_of_two_numbers() -> None:
    """Twice by x, mixed, twice by y: the values by hand, each against SymPy and against complex steps."""
    solution, document = solved(TWO + 'gradients = ["d2f/dx2", "d2f/dxdy", "d2f/dy2"]')
    x, y, s, c, e = 1, 2, np.sin(2), np.cos(2), np.exp(2)
    expected = {"d2f/dx2": 2 * e - y**2 * s, "d2f/dxdy": 2 * x * e + c - x * y * s, "d2f/dy2": x**2 * (e - s)}
    found = as_json(solution)["parts"][0]["gradients"]
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected)
    assert passed(solution, "second") == passed(solution, "second_sympy") == list(expected)
    assert any(r"= 2 e^{y} - y^2 \sin(x y)" in line for line in formulas(document))


@pytest.mark.parametrize("wish", ['"d2y/dx2", "d2y/dbdx"', '"d2y/db2", "d2h/dz2"'])
def test_second_derivatives_of_a_layer_read_back(wish: str) -> None:
    """A Hessian by chains of Jacobians, by a shared number, of an activation: printed as they are."""
    read_back(LAYER + f"gradients = [{wish}]")


def test_a_hessian_is_symmetric_and_stands_in_numbers() -> None:
    """d2y/dx2 of a layer: rows and columns for the entries of x, the numbers those of two differences."""
    solution, _ = solved(LAYER + 'gradients = ["d2y/dx2", "d2y/dbdx"]')
    hessian = np.array(as_json(solution)["parts"][0]["gradients"]["d2y/dx2"], dtype=float)
    W, t = np.array([[0.1, 0.2], [0.3, -0.4]]), np.array([0, 1])

    def y(x: np.ndarray) -> float:
        return float(np.sum((1 / (1 + np.exp(-(x @ W + 0.5))) - t) ** 2) / 2)

    def twice(i: int, j: int, h: float = 1e-4) -> float:
        e = np.eye(2) * h
        x = np.array([1.0, 2.0])
        return (y(x + e[i] + e[j]) - y(x + e[i] - e[j]) - y(x - e[i] + e[j]) + y(x - e[i] - e[j])) / (4 * h * h)

    assert hessian == pytest.approx(np.array([[twice(i, j) for j in (0, 1)] for i in (0, 1)]), abs=1e-6)


def test_a_hessian_for_all_sizes() -> None:
    """Least squares with sizes that are letters: X^T X, tried on numbers of every kind."""
    solution, document = solved(SQUARES + 'gradients = ["d2f/dw2"]\nforward = ["w"]')
    assert r"\frac{\partial^{2} f}{\partial w^{2}} = X^{\top} X" in formulas(document)
    assert passed(solution, "instance") == ["df"]


def test_straight_pieces_have_no_second_derivative() -> None:
    """Of relu nothing is left but what comes after it: the Hessian of a cube of it, at a point with a dead unit."""
    solution, _ = solved(KINKED + 'gradients = ["d2f/dx2", "d2h/dz2"]')
    found = as_json(solution)["parts"][0]["gradients"]
    W, z = np.array([[1, 2], [-1, 0.5], [0.5, 3]]), np.array([3.25, 2.5])
    assert np.array(found["d2f/dx2"], dtype=float) == pytest.approx(W @ np.diag(6 * z) @ W.T)
    assert found["d2h/dz2"] == [["0", "0"]]


@pytest.mark.parametrize(
    ("problem", "wish", "message"),
    [
        (LAYER, '"d2y/dq2"', "d2y/dq2 is no second derivative of names that exist"),
        (LAYER, '"d2x/dx2"', "d2x/dx2: x is data and depends on nothing"),
        (LAYER, '"d2q/dx2"', "d2q/dx2: there is no equation q"),
        (LAYER, '"d2h/dx2"', "d2h/dx2: h is 1 x 2; second derivatives are taken of a number"),
        (LAYER, '"d2y/dy2"', "d2y/dy2: y does not depend on y"),
        (TWO, '"d2f/dxdq"', "d2f/dxdq is no second derivative"),
    ],
)
def test_second_derivatives_that_do_not_exist(problem: str, wish: str, message: str) -> None:
    """One message, on the line of the wish."""
    error = refused(problem + f"gradients = [{wish}]")
    assert message in error.message
    assert error.line == problem.count("\n") + 1


# ── forward mode ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        LAYER + "forward = { x = [1, 0], b = 2 }",
        TWO + 'forward = ["x", "y"]',
        KINKED + "forward = [{ x = [1, 0, -1] }, { W = [[1, 0], [0, 1], [0, 0]] }]",
        LAYER + 'forward = ["b"]\n[convention]\ncarry = "displayed"',
    ],
)
def test_tangents_read_back_and_agree_with_reverse_mode(text: str) -> None:
    """Every tangent is judged by complex steps, the last one by the adjoints; what is printed is right."""
    solution, _ = solved(text)
    assert passed(solution, "forward_reverse")
    assert passed(solution, "tangents")
    read_back(text)


def test_tangents_stand_in_the_result() -> None:
    """The JSON result has one table for each pass: the direction, then every tangent."""
    solution, _ = solved(TWO + 'forward = ["x", "y"]')
    first, then = as_json(solution)["parts"][0]["tangents"]
    assert first["along"] == ["x"]
    assert first["values"]["x"] == "1"
    assert float(then["values"]["f"]) == pytest.approx(np.cos(2) + np.exp(2))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ('forward = ["x"]', "forward: x is 1 x 2, and which way it moves is not said"),
        ("forward = { x = [1, 2, 3] }", "the direction of x is 1 x 3, and x is 1 x 2"),
        ('forward = ["h"]', "forward moves h, which is an equation"),
        ('forward = ["q"]', "forward names what does not exist: q"),
        ("forward = []", "forward is an empty list"),
        ("forward = 3", "forward is the number 3"),
        ('forward = ["b", "b"]', "forward has the same pass twice: b"),
        ('forward = ["b"]\nloss = "h"', "loss"),
    ],
)
def test_directions_that_do_not_fit(ask: str, message: str) -> None:
    """One message for each, on its line."""
    if "loss" in ask:  # of a matrix there is no reverse mode to compare with, and the pass stands by itself
        assert passed(solved(LAYER + ask)[0], "tangents")
        return
    error = refused(LAYER + ask)
    assert message in error.message
    assert error.line == LAYER.count("\n") + 1


# ── error signals and conventions ───────────────────────────────────────────────────────────────────────────────

TWO_LAYERS = '''
equations = """
z_h = x @ W1 + b1
h = sigmoid(z_h)
z_o = h @ W2 + b2
o = sigmoid(z_o)
E = sum((o - t)**2) / 2
"""
[given]
x = [1, 4, 5]
t = [0.1, 0.05]
[parameters]
W1 = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
b1 = [0.5, 0.5]
W2 = [[0.7, 0.8], [0.9, 0.1]]
b2 = 0.5
[ask]
'''
SIGNALS = TWO_LAYERS + 'delta = { z_o = "delta_o", z_h = "delta_h" }\n[convention]\n'


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


def said(text: str) -> str:
    """The conventions of a report in words, formulas as LaTeX."""
    document = solved(text)[1]
    items = next(block for block in document.blocks if isinstance(block, Items))
    lines = ("".join(span.latex if isinstance(span, Math) else str(span.text) for span in item) for item in items.items)
    return " ".join(lines)


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


# ── a prescribed alphabet ───────────────────────────────────────────────────────────────────────────────────────

CLASSES = '''
equations = """
h = sigmoid(x @ W + b1)
theta = h @ U + b2
yhat = softmax(theta)
J = cross_entropy(theta, y)
"""
[shapes]
x = [1, "D"]
W = ["D", "H"]
b1 = [1, "H"]
U = ["H", "K"]
b2 = [1, "K"]
y = [1, "K"]
[ask]
gradients = ["theta", "h", "U", "x"]
'''
RELU = '''
equations = """
h = relu(x @ W)
theta = h @ U
yhat = softmax(theta)
J = cross_entropy(theta, y)
"""
[given]
x = [1, 2]
y = [0, 1]
[parameters]
W = [[0.1, 0.2], [0.3, -0.4]]
U = [[0.1, -0.2], [0.5, 0.4]]
[ask]
gradients = ["theta", "h", "x"]
'''


def test_gradients_in_the_letters_of_the_question() -> None:
    """CS224n's question for all sizes: by theta in y and yhat, by h with U, by x with h and W besides."""
    letters = 'theta = ["y", "yhat"], h = ["y", "yhat", "U"], U = ["y", "yhat", "h"], x = ["y", "yhat", "U", "h", "W"]'
    lines = formulas(solved(CLASSES + f"in_terms_of = {{ {letters} }}")[1])
    assert r"\frac{\partial J}{\partial \theta} = \hat{y} - y" in lines
    assert r"\frac{\partial J}{\partial h} = (\hat{y} - y) U^{\top}" in lines
    assert r"\frac{\partial J}{\partial U} = h^{\top} (\hat{y} - y)" in lines
    assert any(r"(\hat{y} - y) U^{\top}" in line and r"h \odot (1 - h)" in line for line in lines)


def test_the_letters_of_a_relu_layer_are_proved_and_read_back() -> None:
    """relu'(z) is relu'(h) where z has no letter; numbers and SymPy agree with the rule."""
    text = RELU + 'in_terms_of = ["y", "yhat", "U", "h", "W"]'
    solution, _ = solved(text)
    assert passed(solution, "alphabet") == ["dJ/dtheta", "dJ/dh", "dJ/dx"]
    read_back(text)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ('in_terms_of = ["y", "yhat"]', "dJ/dh cannot be said in y and yhat alone: it also needs U"),
        ('in_terms_of = { U = ["y", "yhat"] }', "dJ/dU cannot be said in y and yhat alone: it also needs h (or what"),
        ('in_terms_of = { b2 = ["y"] }', "in_terms_of names b2, whose derivative is not asked for"),
        ('in_terms_of = ["yhut"]', "in_terms_of names what does not exist: yhut"),
        ("in_terms_of = []", "in_terms_of is an empty list"),
    ],
)
def test_letters_that_do_not_suffice(ask: str, message: str) -> None:
    """What cannot be said names what is missing."""
    error = refused(CLASSES + ask)
    assert message in error.message
    assert error.line == CLASSES.count("\n") + 1


# ── from one sample to a batch ──────────────────────────────────────────────────────────────────────────────────

PLACEHOLDERS = '''
equations = """
h = phi(x @ W + b1)
theta = h @ U + b2
J = cross_entropy(theta, y)
"""
[shapes]
x = [1, "D"]
W = ["D", "H"]
b1 = [1, "H"]
U = ["H", "K"]
b2 = [1, "K"]
y = [1, "K"]
[functions]
phi = "unspecified"
[ask]
gradients = ["W", "b1", "U", "b2", "x"]
'''
PENALTY = '''
equations = """
y = x @ w
E = sum((y - t)**2) / 2 + sum(w**2) / 10
"""
[given]
x = [1, 2]
t = 3
[parameters]
w = [[0.5], [-1]]
[ask]
'''
UPSTREAM = '''
equations = """
z = x @ W + b
y = relu(z)
"""
[shapes]
x = [1, "n"]
W = ["n", "m"]
b = [1, "m"]
[ask]
upstream = { of = "L", at = "y" }
gradients = ["x", "W", "b"]
'''


def tables(document: Document) -> list[list[str]]:
    """The rows of all tables, as one line each."""
    return [
        ["".join(getattr(span, "latex", getattr(span, "text", "")) for span in cell) for cell in row]
        for block in document.blocks
        if isinstance(block, Table)
        for row in block.rows
    ]


def test_a_batch_says_what_changes() -> None:
    """The bias becomes a sum over the samples, the mean brings 1/N, and nothing else changes."""
    solution, document = solved(PLACEHOLDERS + 'batch = { size = "N", of = ["x", "y"] }')
    found = tables(document)
    bias = [r"\frac{\partial J}{\partial b_2}", r"\frac{\partial J}{\partial \theta}"]
    assert [*bias, r"\mathbf{1}^{\top} \frac{\partial J}{\partial \theta}"] in found
    assert any(row[2].startswith(r"\frac{1}{N}") for row in found if len(row) == 3)
    assert "is the mean of the losses of the" in prose(document)
    assert passed(solution, "batch") == ["dJ/dW", "dJ/db1", "dJ/dU", "dJ/db2", "dJ/dx"]


def test_a_batch_of_columns() -> None:
    """Where a sample is a column, N of them stand side by side, and the bias adds up along the rows."""
    text = '''
equations = """
z = W @ x + b
J = cross_entropy(z, y, axis=0)
"""
[given]
x = [[1], [2]]
y = [[0], [1], [0]]
[parameters]
W = [[0.1, 0.2], [0.3, -0.4], [0, 0.5]]
b = [[0], [0.1], [0]]
[ask]
batch = "m"
'''
    solution, document = solved(text)
    assert r"\frac{\partial J}{\partial b} = \frac{\partial J}{\partial z} \mathbf{1}" in formulas(document)
    assert any(line.startswith(r"\frac{\partial J}{\partial z} = \frac{1}{m}") for line in formulas(document))
    assert passed(solution, "batch") == ["dJ/dW", "dJ/db"]


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_batch_of_a_network_with_numbers(reduction: str) -> None:
    """Squared errors add up as they stand; asked for the mean, the loss gets its 1/N. The rest is read back."""
    text = TWO_LAYERS + f'batch = {{ size = "N", reduction = "{reduction}" }}'
    solution, document = solved(text)
    loss = [line for line in formulas(document) if line.startswith("E = ")][-1]
    assert (r"\frac{1}{2N}" in loss or r"\frac{1}{2 N}" in loss) == (reduction == "mean")
    assert f"is the {reduction} of the losses" in prose(document)
    assert len(passed(solution, "batch")) == 4


def test_a_batch_below_a_known_upstream() -> None:
    """Module by module there is no loss to reduce: the bias adds up over the rows of the upstream."""
    solution, document = solved(UPSTREAM + 'batch = { size = "N", of = ["x"] }')
    last = [line for line in formulas(document) if line.startswith(r"\frac{\partial L}{\partial b}")][-1]
    assert last == r"\frac{\partial L}{\partial b} = \mathbf{1}^{\top} \frac{\partial L}{\partial z}"
    assert passed(solution, "batch")


def test_a_penalty_is_neither_summed_nor_averaged() -> None:
    """A term that does not depend on the sample: the loss of the batch is what its equation makes of the rows."""
    assert "neither the sum nor the mean" in prose(solved(PENALTY + 'batch = { size = "N", of = ["x"] }')[1])


@pytest.mark.parametrize(
    ("problem", "ask", "message"),
    [
        (PLACEHOLDERS, 'batch = "N"', "batch: no data of [given] are a single row"),
        (PLACEHOLDERS, 'batch = { size = "N", of = ["W"] }', "batch: W is no row of a single sample"),
        (PLACEHOLDERS, 'batch = { size = "N", of = ["x"] }', "batch: the equations do not hold for several rows"),
        (PLACEHOLDERS, 'batch = "D"', "the size of the batch has a name that is taken: D"),
        (PLACEHOLDERS, "batch = 3", "batch is the number 3"),
        (TWO_LAYERS, 'batch = { size = "N", reduction = "median" }', "reduction is the text 'median'"),
        (TWO_LAYERS, 'batch = { size = "N", rows = ["x"] }', "unknown key rows in [ask.batch]"),
    ],
)
def test_batches_that_cannot_be(problem: str, ask: str, message: str) -> None:
    """One message for each, on its line."""
    error = refused(problem + ask)
    assert message in error.message
    assert error.line == problem.count("\n") + 1


# ── difference quotients ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("convention", ["", "significant = 5", 'carry = "displayed"'])
def test_a_difference_quotient_reads_back(convention: str) -> None:
    """Both ends, the quotient and the distance are right, whatever the digits."""
    ask = 'differences = [{ of = "W1", entry = [1, 2], h = 0.001 }, { of = "b2", h = 0.1 }]\n'
    read_back(TWO_LAYERS + ask + f"[convention]\n{convention}")
    assert len(passed(solved(TWO_LAYERS + ask + f"[convention]\n{convention}")[0], "quotients")) == 4


def test_the_distance_is_that_of_the_method() -> None:
    """Of a cube the quotient is off by exactly h^2, and half the step leaves a quarter; across a kink it does not."""
    cube = 'equations = "f = x**3"\n[given]\nx = 2\n[ask]\ngradients = ["x"]\ndifferences = { of = "x", h = 0.1 }'
    lines = formulas(solved(cube)[1])
    assert r"\frac{\Delta f}{\Delta x} - \frac{\partial f}{\partial x} = 0.01" in lines
    assert r"f(x + h) = 9.261" in lines
    assert "about a quarter" in prose(solved(cube)[1])
    kink = cube.replace("x**3", "abs(x) * x + abs(x)").replace("x = 2", "x = 0.01")
    assert "lies a kink" in prose(solved(kink)[1])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ('differences = { of = "W1", entry = [3, 3], h = 0.1 }', "W1 is 3 x 2 and has no entry [3, 3]"),
        ('differences = { of = "W1", entry = [0, 1], h = 0.1 }', "W1 is 3 x 2 and has no entry [0, 1]"),
        ('differences = { of = "W1", entry = "w_1", h = 0.1 }', "differences: no entry of W1 is called w_1"),
        ('differences = { of = "h", entry = [1, 1], h = 0.1 }', "differences is of h, which is an equation"),
        ('differences = { of = "W1", entry = [1, 1], h = 0 }', "h is 0, expected is a small number above 0"),
        ('differences = { of = "W1" }', "differences needs of and h"),
        ('differences = "W1"', "differences is"),
    ],
)
def test_differences_that_cannot_be_taken(ask: str, message: str) -> None:
    """One message for each, on its line."""
    error = refused(TWO_LAYERS + ask)
    assert message in error.message
    assert error.line == TWO_LAYERS.count("\n") + 1


def test_the_sheet_of_questions_asks_for_them() -> None:
    """Every further question is a task of the sheet without solutions, and a sentence of the introduction."""
    ask = 'gradients = ["W1", "d2E/db22"]\nforward = ["b2"]\nbatch = "N"\nin_terms_of = ["x", "W1", "W2", "b1", "b2", "t"]\n'
    text = TWO_LAYERS + ask + 'differences = { of = "b2", h = 0.1 }'
    solution, document = solved(text)
    questions = compose(solution, questions=True)
    tasks = ["".join(getattr(s, "text", getattr(s, "latex", "")) for s in item) for item in _items(questions)]
    for wanted in (
        r"the second derivative \frac{\partial^{2} E}{\partial b_2^{2}};",
        "in forward mode, the derivative of E along b_2;",
        r"\frac{\partial E}{\partial W_1} in terms of x, W_1, W_2, b_1, b_2 and t alone;",
        "the equations and the derivatives for N samples;",
        "the difference quotient of E by b_2 with the step 0.1, and how far it is from the derivative;",
    ):
        assert wanted in tasks
    for wanted in ("It also gives the second derivative", "in forward mode too", "letters that the question allows"):
        assert wanted in prose(document)


def _items(document: Document) -> tuple[tuple[object, ...], ...]:
    return next(block.items for block in document.blocks if isinstance(block, Items) and block.ordered)


# ── placeholders ────────────────────────────────────────────────────────────────────────────────────────────────

LOGISTIC = '''
equations = """
z = X @ w
p = sigmoid(z)
L = sum(binary_cross_entropy(p, t))
"""
[shapes]
X = ["N", "n"]
w = ["n", 1]
t = ["N", 1]
[ask]
gradients = ["w", "d2L/dw2"]
in_terms_of = ["X", "p", "t"]
'''


def test_logistic_regression_as_in_a_textbook() -> None:
    """What the sigmoid and the cross-entropy have in common cancels: X^T (p - t), and X^T diag(p (1 - p)) X."""
    solution, document = solved(LOGISTIC)
    lines = formulas(document)
    assert r"\frac{\partial L}{\partial w} = X^{\top} (p - t)" in lines
    assert r"\frac{\partial^{2} L}{\partial w^{2}} = X^{\top} \operatorname{diag}(p \odot (1 - p)) X" in lines
    assert passed(solution, "instance")


def test_a_known_upstream_is_not_said_to_be_itself() -> None:
    """dL/dy is taken as known; no formula says that it equals itself."""
    lines = formulas(solved(UPSTREAM)[1])
    assert all(left.strip() != right.strip() for left, _, right in (line.partition(" = ") for line in lines))
    assert r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial z} W^{\top}" in lines


def test_jacobians_without_numbers() -> None:
    """A chain of Jacobians where vectors lead to vectors; one factor stands alone; by a matrix it is refused."""
    text = '''
equations = """
z = x @ W + b
s = softmax(z)
y = sigmoid(z) @ V
"""
[shapes]
x = [1, "n"]
W = ["n", "m"]
b = [1, "m"]
V = ["m", "k"]
[ask]
'''
    lines = formulas(solved(text + 'gradients = ["ds/dz", "dy/dz"]')[1])
    assert r"\frac{\partial s}{\partial z} = \operatorname{diag}(s) - s^{\top} s" in lines
    assert sum(r"\frac{\partial s}{\partial z} =" in line for line in lines) == 1
    assert any(line.startswith(r"\frac{\partial y}{\partial z} =") and r"V^{\top} \, " in line for line in lines)
    error = refused(text + 'gradients = ["ds/dW"]')
    assert "ds/dW is a Jacobian with a matrix on the way, and there are no numbers" in error.message
    assert "upstream" in (error.hint or "")


@pytest.mark.parametrize("loss", ["cross_entropy(theta, y)", "-sum(y * log(yhat))", "-sum(y * log_softmax(theta))"])
@pytest.mark.parametrize("axis", [1, 0])
def test_softmax_minus_label_however_the_loss_is_written(loss: str, axis: int) -> None:
    """By the function, by hand, by logarithms; labels without numbers add up to 1, and the report says so."""
    row, column = ("h @ U", "U @ h")[1 - axis], (f'[1, "{"K"}"]', '["K", 1]')[1 - axis]
    text = f'''
equations = """
theta = {row} + b
yhat = softmax(theta, axis={axis})
J = {loss.replace("y)", f"y, axis={axis})").replace("x(theta)", f"x(theta, axis={axis})")}
"""
[shapes]
h = {'[1, "H"]' if axis else '["H", 1]'}
U = {'["H", "K"]' if axis else '["K", "H"]'}
b = {column}
y = {column}
[ask]
gradients = ["theta", "U"]
in_terms_of = ["y", "yhat", "h"]
'''
    lines = formulas(solved(text)[1])
    assert r"\frac{\partial J}{\partial \theta} = \hat{y} - y" in lines
    assert any(r"(\hat{y} - y)" in line and "h" in line for line in lines)
    assert "The labels y of a sample add up to 1" in said(text)


EVERYTHING = '''
equations = """
z = x @ W + b
h = relu(z)
y = h @ v
E = (y - t)**2 / 2
"""
[given]
x = [1, -2]
t = 1
[parameters]
W = [[0.5, 0.25], [-1, 0.5]]
b = [0.1, 0.2]
v = [[1], [-1]]
[ask]
gradients = ["W", "d2E/dh2", "d2E/dW2", "d2E/dtdy", "d2E/dbdv"]
forward = [{ W = [[1, 0], [0, 0]] }, "t"]
delta = { y = "delta", z = "delta_z" }
in_terms_of = ["x", "y", "t", "h", "v", "W", "b"]
batch = { size = "M", reduction = "sum" }
differences = { of = "W", entry = [2, 1], h = "1/8" }
[convention]
'''


@pytest.mark.parametrize(
    "convention", ['layout = "numerator"', 'delta_sign = "negative"\nsignificant = 3', "digits = 6"]
)
def test_every_question_at_once_reads_back(convention: str) -> None:
    """All of them about one network, in either layout and sign, with decimals or significant digits."""
    read_back(EVERYTHING + convention)


def test_letters_in_numerator_layout_are_laid_out_as_the_gradients_are() -> None:
    """(yhat - y)^T where a derivative by a column is a row."""
    lines = formulas(solved(EVERYTHING.replace("h = relu(z)", "h = tanh(z)") + 'layout = "numerator"')[1])
    assert any(line.startswith(r"\frac{\partial E}{\partial W} = [[v (y - t)] \odot ") for line in lines)


def test_second_derivatives_from_python() -> None:
    """Value, explicit SymPy expression and matrix formula under the text they were asked for."""
    import sympy

    import derive

    quadratic = derive.Problem.from_equations(
        "f = x.T @ A @ x / 2",
        given={"x": [[1], [2]], "A": [[2, 1], [0, 3]]},
        ask={"gradients": ["x", "d2f/dx2"]},
    )
    solution = derive.solve(quadratic)
    assert repr(solution.value("d2f/dx2")) == "[[2, 0.5], [0.5, 3]]"
    a = {(i, j): sympy.Symbol(f"A[{i},{j}]", real=True) for i in (0, 1) for j in (0, 1)}
    mixed = (a[0, 1] + a[1, 0]) / 2
    expected = sympy.Matrix([[a[0, 0], mixed], [mixed, a[1, 1]]])
    assert (solution.sympy("d2f/dx2") - expected).expand() == sympy.zeros(2, 2)
    A = sympy.MatrixSymbol("A", 2, 2)
    assert (solution.sympy("d2f/dx2", form="matrix") - (A + A.T) / 2).as_explicit().expand() == sympy.zeros(2, 2)
    assert "d2f/dx2" in [result.quantity for result in solution.results()]
