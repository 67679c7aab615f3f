"""The formulas that a lecturer would write: one line of LaTeX for each equation and derivative, held letter by letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from derive.problem import Problem
from derive.report.notation import Matrices, Symbols
from derive.solution.differentiate import differentiated

G = r"\frac{\partial J}{\partial %s}"
MU = r"\mu_x"
Shapes = Mapping[str, list[int | str]]

# Equations, the sizes of their letters, and every line that is printed for them, J being any function of the last name.
FORMS: Mapping[str, tuple[str, Shapes, Mapping[str, str]]] = {
    "matmul": ("Y = X @ W", {"X": ["N", "m"], "W": ["m", "n"]}, {
        "Y": "X W", "dX": rf"{G % 'Y'} W^{{\top}}", "dW": rf"X^{{\top}} {G % 'Y'}",
    }),
    "bias row": ("Y = X + b", {"X": ["N", "n"], "b": [1, "n"]}, {
        "Y": "X + b", "dX": G % "Y", "db": rf"\mathbf{{1}}^{{\top}} {G % 'Y'}",
    }),
    "bias column": ("Y = X + b", {"X": ["n", "N"], "b": ["n", 1]}, {
        "Y": "X + b", "dX": G % "Y", "db": rf"{G % 'Y'} \mathbf{{1}}",
    }),
    "elementwise": ("h = phi(z)", {"z": ["N", "n"]}, {
        "h": r"\phi(z)", "dz": rf"{G % 'h'} \odot \phi'(z)",
    }),
    "sigmoid": ("h = sigmoid(z)", {"z": ["N", "n"]}, {
        "h": r"\sigma(z)", "dz": rf"{G % 'h'} \odot h \odot (1 - h)",
    }),
    "product": ("h = f * c", {"f": ["N", "n"], "c": ["N", "n"]}, {
        "h": r"f \odot c", "df": rf"{G % 'h'} \odot c", "dc": rf"{G % 'h'} \odot f",
    }),
    "softmax": ("P = softmax(Z)", {"Z": ["N", "n"]}, {
        "P": r"\operatorname{softmax}(Z)",
        "dZ": rf"P \odot \left[{G % 'P'} - \left({G % 'P'} \odot P\right) \mathbf{{1}}\right]",
    }),
    "attention": (
        "S = Q @ K.T / sqrt(d)\nA = softmax(S)\nO = A @ V",
        {"Q": ["N", "k"], "K": ["M", "k"], "V": ["M", "v"], "d": []},
        {
            "S": r"\frac{Q K^{\top}}{\sqrt{d}}",
            "A": r"\operatorname{softmax}(S)",
            "O": "A V",
            "dV": rf"A^{{\top}} {G % 'O'}",
            "dA": rf"{G % 'O'} V^{{\top}}",
            "dS": rf"A \odot \left[{G % 'A'} - \left({G % 'A'} \odot A\right) \mathbf{{1}}\right]",
            "dQ": rf"\frac{{1}}{{\sqrt{{d}}}} {G % 'S'} K",
            "dK": rf"\frac{{1}}{{\sqrt{{d}}}} \left({G % 'S'}\right)^{{\top}} Q",
        },
    ),
    "recurrent cell": (
        "a = x @ U + h_0 @ V + b\nh = tanh(a)",
        {"x": [1, "m"], "U": ["m", "n"], "h_0": [1, "n"], "V": ["n", "n"], "b": [1, "n"]},
        {
            "a": "x U + h_0 V + b",
            "da": rf"{G % 'h'} \odot (1 - h^{{\odot 2}})",
            "dU": rf"x^{{\top}} {G % 'a'}",
            "dV": rf"h_0^{{\top}} {G % 'a'}",
            "dh_0": rf"{G % 'a'} V^{{\top}}",
            "db": G % "a",
        },
    ),
    "quadratic form": ("f = x.T @ A @ x", {"x": ["n", 1], "A": ["n", "n"]}, {
        "f": r"x^{\top} A x", "dx": rf"(A + A^{{\top}}) x {G % 'f'}", "dA": rf"x {G % 'f'} x^{{\top}}",
    }),
    "quadratic form of a row": ("f = x @ A @ x.T", {"x": [1, "n"], "A": ["n", "n"]}, {
        "f": r"x A x^{\top}", "dx": rf"{G % 'f'} x (A + A^{{\top}})", "dA": rf"x^{{\top}} {G % 'f'} x",
    }),
    "distance": (
        "r = x - mu\nf = r.T @ inv(S) @ r",
        {"x": ["n", 1], "mu": ["n", 1], "S": ["n", "n"]},
        {
            "f": r"r^{\top} S^{-1} r",
            "dr": rf"(S^{{-1}} + S^{{-\top}}) r {G % 'f'}",
            "dS": rf"-S^{{-\top}} r {G % 'f'} r^{{\top}} S^{{-\top}}",
        },
    ),
    "least squares": ("r = X @ w - y\nf = norm(r)**2 / 2", {"X": ["N", "n"], "w": ["n", 1], "y": ["N", 1]}, {
        "f": r"\frac{1}{2} \lVert r \rVert^2", "dr": rf"{G % 'f'} r", "dw": rf"X^{{\top}} {G % 'r'}",
    }),
    "trace": ("f = trace(A @ X @ B)", {"A": ["m", "n"], "X": ["n", "k"], "B": ["k", "m"]}, {
        "f": r"\operatorname{tr}(A X B)", "dX": rf"{G % 'f'} A^{{\top}} B^{{\top}}",
    }),
    "log-determinant": ("f = logdet(S)", {"S": ["n", "n"]}, {
        "f": r"\log \left|\det S\right|", "dS": rf"{G % 'f'} S^{{-\top}}",
    }),
    "determinant": ("f = det(S)", {"S": ["n", "n"]}, {"f": r"\det(S)", "dS": rf"{G % 'f'} f S^{{-\top}}"}),
    "inverse": ("B = inv(A)", {"A": ["n", "n"]}, {
        "B": "A^{-1}", "dA": rf"-B^{{\top}} {G % 'B'} B^{{\top}}",
    }),
    "linear system": ("y = inv(A) @ b", {"A": ["n", "n"], "b": ["n", 1]}, {
        "y": "A^{-1} b", "db": rf"A^{{-\top}} {G % 'y'}", "dA": rf"-A^{{-\top}} {G % 'y'} b^{{\top}} A^{{-\top}}",
    }),
    "norms": ("f = norm(W) + norm(w)", {"W": ["m", "n"], "w": ["n", 1]}, {
        "f": r"\lVert W \rVert_F + \lVert w \rVert", "dw": rf"{G % 'f'} \frac{{w}}{{\lVert w \rVert}}",
    }),
    "dropout": ("r = h * m / (1 - p)", {"h": ["N", "n"], "m": ["N", "n"], "p": []}, {
        "r": r"\frac{h \odot m}{1 - p}", "dh": rf"\frac{{1}}{{1 - p}} {G % 'r'} \odot m",
    }),
    "penalty": ("E = alpha * sum(abs(w)) + beta / 2 * norm(w)**2", {"w": ["n", 1], "alpha": [], "beta": []}, {
        "dw": rf"{G % 'E'} \alpha \operatorname{{sgn}}(w) + {G % 'E'} \beta w",
    }),
    "layer norm": ("h = layer_norm(x)", {"x": ["N", "n"]}, {
        "mu_x": r"\frac{1}{n} x \mathbf{1}",
        "c_x": r"x - \mu_x",
        "v_x": r"\frac{1}{n} c_x^{\odot 2} \mathbf{1}",
        "s_x": r"\sqrt{v_x + 0.00001}",
        "h": r"c_x \oslash s_x",
        "ds_x": rf"-\left({G % 'h'} \odot c_x \oslash s_x^{{\odot 2}}\right) \mathbf{{1}}",
        "dmu_x": rf"-{G % 'c_x'} \mathbf{{1}}",
        "dx": rf"{G % 'c_x'} + \frac{{1}}{{n}} {G % MU} \mathbf{{1}}^{{\top}}",
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_line_is_the_lecturers(name: str) -> None:
    """Each equation and each derivative, for sizes that are letters."""
    text, shapes, lines = FORMS[name]
    functions = {"phi": "unspecified"} if "phi(" in text else {}
    last = text.rpartition("\n")[2].partition(" =")[0]
    ask = {"upstream": {"of": "J", "at": last}, "gradients": "all"}
    part = differentiated(Problem.from_equations(text, shapes=shapes, functions=functions, ask=ask))
    letters = Matrices(Symbols(part.problem, part.network))
    shown = {str(equation.name): letters.text(equation.value) for equation in part.network.equations}
    assert part.derivation is not None
    shown |= {f"d{adjoint.by}": letters.text(value) for adjoint, value in part.derivation.adjoints.items()}
    assert {key: shown[key] for key in lines} == dict(lines)


def test_cross_entropy_is_softmax_minus_label() -> None:
    """With labels that add up to 1; the mean over the samples stands in front."""
    part = differentiated(
        Problem.from_equations(
            "E = cross_entropy(Z, Y)",
            given={"Z": [["0", "1"], ["2", "0"], ["1", "1"]], "Y": [["1", "0"], ["0", "1"], ["1", "0"]]},
            ask={"gradients": ["Z"]},
        )
    )
    letters = Matrices(Symbols(part.problem, part.network))
    assert part.derivation is not None
    assert [letters.text(value) for value in part.derivation.adjoints.values()] == [r"\frac{1}{3} (p - Y)"]


def test_class_numbers_are_softmax_minus_label_from_the_first_line() -> None:
    """Rows of labels that add up to 1 are not added up on the way."""
    data = {"given": {"x": [[1, 2], [0, 1]], "y": [1, 0]}, "parameters": {"W": [[1, 0], [0, 1]]}}
    report = printed("Z = x @ W\nP = softmax(Z)\nE = cross_entropy(Z, y)", **data)
    assert r"\frac{\partial E}{\partial Z} & = \frac{1}{2} (P - y)" in report


@pytest.mark.parametrize(
    ("loss", "squared"),
    [
        ("E = sum(binary_cross_entropy(sigmoid(z), y))", False),
        ("E = (z * y)**2", False),
        ("E = sum((z - y)**2) / 2", True),
        ("e = z - y\nE = e**2 / 2", True),
    ],
)
def test_only_a_squared_difference_is_called_a_squared_error(loss: str, squared: bool) -> None:
    """Of the losses of a single number."""
    report = printed(f"z = w * x\n{loss}", given={"x": 2, "y": 1}, parameters={"w": "0.5"})
    assert ("single squared error" in report) == squared


def test_numbers_behind_a_softmax_stay_matrices() -> None:
    """What is taken off every entry of a sample is one number, and nothing is worked into the entries."""
    data = {"given": {"v": [[1], [3]]}, "parameters": {"z": [[0, 0]]}}
    report = printed("P = softmax(z)\nE = sum((P @ v)**2) / 2", **data)
    numbers = r"\begin{pmatrix} 0.5 & 0.5 \end{pmatrix} \odot \left(\begin{pmatrix} 2 & 6 \end{pmatrix} - %s\right)"
    assert numbers % r"\begin{pmatrix} 4 & 4 \end{pmatrix}" in report


def test_a_matrix_over_a_number_is_no_matrix_of_fractions() -> None:
    """The number stands in front of the product of matrices, once."""
    data = {"given": {"Q": [[1, 2]], "K": [[3, 4], [5, 6]]}}
    report = printed("S = Q @ K.T / sqrt(2)", **data)
    assert (
        r"\frac{1}{\sqrt{2}} \begin{pmatrix} 1 & 2 \end{pmatrix} \begin{pmatrix} 3 & 5 \cr 4 & 6 \end{pmatrix}"
        in report
    )


def test_a_minus_over_a_number_is_one_number() -> None:
    """-a / 2 is minus half of a, and a minus before a factor of a product stands before the product."""
    equations = "s = -w @ A\nE = -sum(w**2) / 2 + sum(s)"
    report = printed(equations, given={"A": [[1, 0], [2, 1]]}, parameters={"w": [1, 2]})
    assert r"s & = -w A" in report
    assert r"E & = -\frac{1}{2} \sum_{j} w_j^2 + s \mathbf{1}" in report


def printed(equations: str, **data: Any) -> str:
    """The whole report as Markdown."""
    import derive

    return derive.solve(derive.Problem.from_equations(equations, **data))._repr_markdown_()


def test_an_update_by_a_negative_error_signal_adds() -> None:
    """What the convention says of the sign is seen in the update."""
    report = printed(
        "z = x @ W\nE = sum((z - t)**2) / 2",
        given={"x": [1, 2], "t": [1]},
        parameters={"W": [[1], [0]]},
        ask={"delta": {"z": "delta"}, "update": {"rate": 0.1, "symbol": "eta"}},
        convention={"delta_sign": "negative"},
    )
    assert r"= W + \eta x^{\top} \delta" in report


def test_the_target_of_a_sample_may_be_a_number() -> None:
    """In a batch it is a column of them, and each sample has its own."""
    report = printed(
        "y = x @ w\nE = (y - t)**2 / 2",
        given={"x": [1, -1], "t": 1},
        parameters={"w": [[1], [2]]},
        ask={"batch": {"size": "N", "of": ["x", "t"]}},
    )
    assert r"\sum_{i} \frac{1}{2} (y_i - t_i)^2" in report


def test_what_is_divided_by_a_product_of_numbers_is_a_multiple() -> None:
    """2 e over 2 times 3 is a third of e, not two sixths."""
    report = printed("E = sum(e**2) / (2 * 3)", parameters={"e": [1, 2]})
    assert r"\frac{1}{2 \cdot 3} \cdot 2 e = \frac{1}{3} e" in report
