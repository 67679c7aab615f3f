"""Second derivatives and forward mode."""

from __future__ import annotations

import numpy as np
import pytest

from derive.report.result import as_json
from further_problems import KINKED, LAYER, SQUARES, TWO, formulas, passed, read_back, refused, solved

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
