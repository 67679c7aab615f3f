"""Alphabets, batches, difference quotients and placeholders."""

from __future__ import annotations

import pytest

from derive.report.compose import compose
from derive.report.document import Document, Items, Table
from further_problems import TWO_LAYERS, formulas, passed, prose, read_back, refused, said, solved

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
