"""Matrices as wholes, normalisation and attention: problem files against plain NumPy, exact numbers, and every message."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq

from derive.errors import ProblemError
from derive.numbers import arrays, linear
from derive.numbers.balls import DomainError, UndecidedSign, precision
from derive.problem import Problem, read_problem
from derive.solution import Solution, solve
from derive.solution.differentiate import differentiated
from derive.solution.fused import fused
from derive.solution.verify import verified

HERE = Path(__file__).parent / "problems"
Env = dict[str, Any]


@cache
def solved(name: str) -> Solution:
    """A problem file, solved."""
    return solve(read_problem(HERE / f"{name}.toml"))


def data(name: str) -> Env:
    """Its numbers as doubles."""
    problem = solved(name).problem
    return {k: arrays.to_floats(arrays.from_tensor(t)) for k, t in {**problem.given, **problem.parameters}.items()}


def gradients(f: Callable[[Env], float], env: Env, names: list[str]) -> Env:
    """Central differences of plain NumPy code."""
    found = {}
    for name in names:
        slope = np.zeros(np.shape(env[name]))
        for index in np.ndindex(slope.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = np.array(env[name], dtype=float)
                moved[index] += step
                ends.append(f(env | {name: moved}))
            slope[index] = (ends[0] - ends[1]) / 2e-5
        found[name] = slope
    return found


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def quadratic(e: Env) -> float:
    return float((e["x"].T @ e["A"] @ e["x"] / 2 - e["b"].T @ e["x"]).item())


def gaussian(e: Env) -> float:
    r = e["x"] - e["mu"]
    return float((np.linalg.slogdet(e["S"])[1] + (r.T @ np.linalg.solve(e["S"], r)).item()) / 2)


def whole(e: Env) -> float:
    a = e["A"]
    return float(np.trace(np.linalg.inv(a) @ e["C"]) + np.log(np.linalg.det(a)) + (a**2).sum() / 4)


def layer(e: Env) -> float:
    x = e["x"]
    h = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    return float(((e["g"] * h + e["b"] - e["t"]) ** 2).sum() / 2)


def batch(e: Env) -> float:
    x = e["x"]
    h = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    upstream = np.array([[0.1, 0.2], [0, -0.1], [-0.3, 0.4], [0.2, 0]])
    return float((upstream * (e["gamma"] * h + e["beta"])).sum())


def one_head(e: Env) -> float:
    o = softmax(e["Q"] @ e["K"].T / np.sqrt(2)) @ e["V"]
    return float((np.array([[1, -1], [0.5, 2]]) * o).sum())


def two_heads(e: Env) -> float:
    q, k, v = (e["X"] @ e[name] for name in ("W_q", "W_k", "W_v"))
    heads = [softmax(q[:, s] @ k[:, s].T / np.sqrt(2)) @ v[:, s] for s in (slice(0, 2), slice(2, 4))]
    return float(((np.hstack(heads) @ e["W_o"] - e["T"]) ** 2).sum() / 2)


def lstm(e: Env) -> float:
    f, i, g, o = (e["x"] @ e[f"W_{k}"] + e["h_0"] @ e[f"U_{k}"] + e[f"b_{k}"] for k in "figo")
    c = sigmoid(f) * e["c_0"] + sigmoid(i) * np.tanh(g)
    return float(((sigmoid(o) * np.tanh(c) - e["y"]) ** 2).sum() / 2)


def dropout(e: Env) -> float:
    h = np.maximum(e["x"] @ e["W1"] + e["b1"], 0)
    return float(((h * e["m"] / (1 - e["p"]) @ e["W2"] - e["t"]) ** 2).sum() / 2)


def penalty(e: Env) -> float:
    w = e["w"]
    fit = ((e["X"] @ w - e["y"]) ** 2).mean()
    return float(fit + e["alpha"] * np.abs(w).sum() + e["lambda_2"] / 2 * (w**2).sum())


FILES: dict[str, tuple[Callable[[Env], float], list[str]]] = {
    "quadratic-form": (quadratic, ["x", "A", "b"]),
    "gaussian-likelihood": (gaussian, ["mu", "S"]),
    "determinant-inverse-trace": (whole, ["A", "C"]),
    "layer-norm": (layer, ["x", "g", "b"]),
    "batch-norm": (batch, ["x", "gamma", "beta"]),
    "attention-one-head": (one_head, ["Q", "K", "V"]),
    "attention-two-heads": (two_heads, ["W_q", "W_k", "W_v", "W_o"]),
    "lstm-cell": (lstm, ["c_0", "h_0", "x", "W_f", "U_f", "b_f", "W_o"]),
    "dropout-mask": (dropout, ["W1", "b1", "W2", "x", "m", "p"]),
    "l1-l2-penalty": (penalty, ["w"]),
}


@pytest.mark.parametrize("name", FILES)
def test_gradients_are_those_of_plain_numpy(name: str) -> None:
    """Each problem file solved, its gradients by central differences of a few lines of NumPy."""
    f, names = FILES[name]
    part = solved(name).parts[0]
    env = data(name)
    loss = part.asked.top
    for by, slope in gradients(f, env, names).items():
        ours = arrays.to_floats(part.value_of(f"d{loss}/d{by}"))
        assert np.allclose(ours, slope, rtol=1e-6, atol=1e-8), by
    if part.asked.loss is not None:
        assert np.isclose(float(arrays.to_floats(part.value_of(part.asked.loss)).item()), f(env), rtol=1e-12)


def test_the_quadratic_form_is_exact() -> None:
    """Rational data give rational answers: the gradient of x^T A x / 2 - b^T x, and a squared norm without a root."""
    part = solved("quadratic-form").parts[0]
    assert part.value_of("df/dx").ravel().tolist() == [fmpq(5), fmpq(-6)]
    assert solved("l1-l2-penalty").parts[0].value_of("E").item() == fmpq(33, 2)


# ── normalisation ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["layer-norm", "batch-norm"])
def test_one_formula_beside_the_steps(name: str) -> None:
    """Mean, centred, variance and deviation have names, and the one formula is printed, checked and free of them."""
    part = solved(name).parts[0]
    steps = [equation.step[1] for equation in part.network.equations if equation.step]
    assert steps == ["mean", "centred", "variance", "deviation"]
    (found,) = fused(part)
    names = {str(getattr(name, "by", name)) for name in found.value.names()}
    assert names == {found.normalisation.normalised, found.normalisation.deviation}
    assert [check.passed for check in part.checks if check.check == "fused"] == [True]


def test_one_formula_where_a_connection_skips_the_norm() -> None:
    """What comes back to x along another way is part of the formula; in numerator layout it is transposed."""
    x = [["1", "2", "4"], ["0.5", "-3", "1"]]
    equations = "y = x * 2 + layer_norm(x) * g\nL = sum(y**3)"
    for layout in ("shape", "numerator"):
        problem = Problem.from_equations(
            equations, given={"x": x, "g": ["1", "2", "-1"]}, ask={"gradients": ["x"]}, convention={"layout": layout}
        )
        part = verified(differentiated(problem))
        (found,) = fused(part)
        assert found.shown.shape == ((2, 3) if layout == "shape" else (3, 2))
        assert found.adjoint.numerator == (layout == "numerator")


def test_names_of_steps_give_way_to_the_problems_own() -> None:
    """A name that the problem has is not taken; two norms of one matrix with one eps share their steps."""
    problem = Problem.from_equations(
        "c_x = x * 2\nh = layer_norm(x) + layer_norm(x) * c_x\nL = sum(h)", given={"x": [["1", "2"], ["0", "5"]]}
    )
    names = [str(equation.name) for equation in differentiated(problem).network.equations]
    assert names == ["c_x", "mu_x", "c_x2", "v_x", "s_x", "xhat", "h", "L"]


# ── exact numbers ───────────────────────────────────────────────────────────────────────────────────────────────


def test_inverse_of_rationals_is_exact() -> None:
    """Hilbert's matrix of five rows: an inverse of whole numbers, a determinant that doubles would lose."""
    hilbert = arrays.filled((5, 5), [fmpq(1, i + j + 1) for i in range(5) for j in range(5)])
    inverse = linear.inverse(hilbert)
    assert inverse[0].tolist() == [25, -300, 1050, -1400, 630]
    assert linear.determinant(hilbert).item() == fmpq(1, 266716800000)
    assert arrays.matmul(hilbert, inverse).tolist() == arrays.diag(arrays.filled((1, 5), [fmpq(1)] * 5)).tolist()


def test_logarithm_of_a_determinant() -> None:
    """Of its absolute value: 0 for -1; what cannot be told from 0 asks for more precision."""
    assert linear.log_determinant(arrays.filled((2, 2), [fmpq(0), fmpq(1), fmpq(1), fmpq(0)])).item() == 0
    with precision(64):
        third = arb(1) / 3
        blurred = arrays.filled((2, 2), [third, third, third, third])
        with pytest.raises(UndecidedSign):
            linear.log_determinant(blurred)
        with pytest.raises(UndecidedSign):
            linear.inverse(blurred)
    with pytest.raises(DomainError):
        linear.inverse(arrays.filled((1, 1), [fmpq(0)]))


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

SINGULAR = [["1", "2"], ["2", "4"]]
MESSAGES: dict[str, tuple[str, Env, str]] = {
    "inverse of a singular matrix": (
        "Y = inv(A)\nt = sum(Y)", {"A": SINGULAR}, "Y: the matrix is singular .*: there is no inverse",
    ),
    "logdet of a singular matrix": ("t = logdet(A)", {"A": SINGULAR}, "t: the matrix is singular .*does not exist"),
    "slope of det at a singular matrix": ("t = det(A)", {"A": SINGULAR}, "the derivative dt/dA: the matrix is singular"),
    "inverse that is not square": ("Y = inv(A)", {"A": [["1", "2"]]}, "an inverse needs a square matrix, .* 1 x 2"),
    "determinant that is not square": ("t = det(A)", {"A": [["1", "2"]]}, "a determinant needs a square matrix"),
    "logdet that is not square": ("t = logdet(A)", {"A": "2"}, "logdet needs a square matrix, and this is a scalar"),
    "trace that is not square": ("t = trace(A)", {"A": [["1"], ["2"]]}, "a trace needs a square matrix, .* 2 x 1"),
    "diagonal that is not square": (
        "t = sum(diag(A))", {"A": [["1", "2", "3"], ["4", "5", "6"]]}, "only a square matrix has its diagonal taken",
    ),
    "outer product of a matrix": ("Y = outer(A, A)", {"A": SINGULAR}, "outer takes two vectors, .* 2 x 2"),
    "norm at its kink": ("t = norm(x)", {"x": [["0"], ["0"]]}, "the norm in the equation for t is 0, .* kink"),
    "axis of a norm": ("t = norm(A, axis=2)", {"A": SINGULAR}, "there is no axis 2 in 2 x 2"),
    "rows of one entry": ("h = layer_norm(x)", {"x": [["1"], ["2"]]}, "did you mean batch_norm"),
    "columns of one entry": ("h = batch_norm(x)", {"x": ["1", "2"]}, "did you mean layer_norm"),
    "norm of a number": ("h = layer_norm(x)", {"x": "1"}, "layer_norm needs a matrix, and this is a scalar"),
    "option that is not there": ("h = layer_norm(x, epsilon=1)", {"x": SINGULAR}, "layer_norm has no option epsilon"),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_bad_input_is_one_message_with_its_line(name: str, tmp_path: Path) -> None:
    """Each misuse is a ``ProblemError`` that says what was found, with file and line."""
    equations, given, message = MESSAGES[name]
    lines = "\n".join(f"{key} = {value}".replace("'", "") for key, value in given.items())
    text = f'equations = """\n{equations}\n"""\n[given]\n{lines}\n[ask]\ngradients = "all"\n'
    path = tmp_path / "problem.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemError, match=message) as raised:
        solve(read_problem(path))
    assert raised.value.line == 2
    assert str(raised.value.file).endswith("problem.toml")


def test_squared_norm_has_a_derivative_at_zero() -> None:
    """The norm has a kink there, its square has not; a value alone needs no derivative."""
    zero = [["0"], ["0"]]
    part = solve(Problem.from_equations("t = norm(x)**2", given={"x": zero}, ask={"gradients": ["x"]})).parts[0]
    assert part.value_of("dt/dx").ravel().tolist() == [0, 0]
    value = solve(Problem.from_equations("t = norm(x)", given={"x": zero}, ask={"gradients": []})).parts[0]
    assert value.value_of("t").item() == 0
