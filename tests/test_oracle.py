"""The oracle against itself (three ways to a derivative), against HIPS autograd, and against known facts."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from derive.errors import ProblemError, Unsupported
from derive.oracle import ROWS, Oracle, update
from derive.problem import find_problem, problem_from_text, syntax
from derive.problem.problem import Convention, Problem
from outside import OPERATORS, VALUES, autograd_gradients


def oracle(equations: str, tables: str = "") -> Oracle:
    """The oracle of a problem written as in a file."""
    return Oracle(problem_from_text(f'equations = """\n{equations}\n"""\n{tables}'))


def given(values: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """A ``[given]`` table."""
    return "[given]\n" + "".join(f"{name} = {np.asarray(x).tolist()}\n" for name, x in values.items())


def close(a: Any, b: Any, tolerance: float = 1e-11) -> bool:
    """Equal up to ``tolerance``, relative to the largest entry where that is above 1."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * max(1.0, np.max(np.abs(b), initial=0))))


def agree_everywhere(o: Oracle, loss: str) -> None:
    """Backprop, complex step and central differences, and autograd, tell the same for every name."""
    rules, other = o.backprop(loss), autograd_gradients(o.problem, loss)
    for name in o.names:
        assert close(rules[name], other[name]), name
        exact, rough = o.complex_step(loss, name), o.central_differences(loss, name)
        assert not exact.left_out.any(), name
        assert close(exact.gradient(), rules[name]), name
        taken = ~rough.left_out
        assert close(rough.values.ravel()[taken], rules[name].ravel()[taken], 1e-6), name


# --- known facts -----------------------------------------------------------------------------------------------------


def test_case_1() -> None:
    """Half the squared error is 0.5932448719, and dE/db1, over all four paths, is 0.002388201194."""
    o = Oracle(find_problem("case1"))
    gradients = o.backprop("E")
    assert f"{o.forward()['E'].item():.10f}" == "0.5932448719"
    assert f"{gradients['b1'].item():.12f}" == "0.002388201194"
    agree_everywhere(o, "E")


@pytest.mark.parametrize(("part", "expected"), [("a", (-1, 2)), ("b", (0, 2)), ("c", (0, -2))])
def test_case_2(part: str, expected: tuple[int, int]) -> None:
    """dl/dx of the three parts, exactly, as columns in the layout of the variable."""
    (problem,) = (p for p in find_problem("case2").each() if p.part == part)
    o = Oracle(problem)
    assert o.backprop("l")["x"].tolist() == [[expected[0]], [expected[1]]]
    assert o.jacobian("l", "x").tolist() == [list(expected)]
    assert (o.jacobian("l", "z2") @ o.jacobian("z2", "z1") @ o.jacobian("z1", "x")).tolist() == [list(expected)]


# --- every operation -------------------------------------------------------------------------------------------------

A = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
UNARY = ("sigmoid", "tanh", "relu", "elu", "softplus", "gelu", "silu", "exp", "abs", "square", "sin", "cos")


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("turned", [False, True])
def test_elementwise_functions(name: str, turned: bool) -> None:
    """Each function's pullback is its derivative, in row and in column form."""
    a = A.T if turned else A
    agree_everywhere(oracle(f"y = {name}(a)\nL = sum(y * w)", given({"a": a, "w": a**2 + 0.1})), "L")


OPERATIONS = [
    *("log(p)", "log2(p)", "sqrt(p)", "p**3", "a**3", "p**-2", "p**0.5", "p**(1/3)", "a**0", "a**1", "-a", "a.T.T"),
    *("leaky_relu(a)", "leaky_relu(a, slope=0.25)", "clip(a, -0.5, 0.5)", "maximum(a, p - 1)", "minimum(a, 0.35)"),
    *("a + r", "r - a", "a * c", "c / p", "a / s", "s * a", "1 / p", "a @ a.T @ a", "a * (a < r)", "a * (p >= 1)"),
    *("a * sum(a, axis=0)", "a * sum(a, axis=-1)", "a * mean(a, axis=1)", "a * mean(a)", "a - mean(a, axis=0)"),
    *("softmax(a)", "softmax(a, axis=0)", "log_softmax(a)", "log_softmax(a, axis=0)", "a * a[0, 1]", "a * a[1]"),
    *("a * a[:, 1:2]", "a * a[-1, :]", "a[::-1] * r", "binary_cross_entropy(q, q * q)", "a * pi * q[1, 2]", "a"),
    *("a * cross_entropy(a, q)", 'a * cross_entropy(a, q, reduction="sum")', "a * cross_entropy(a, q, axis=0)"),
]
DATA = {"a": A, "p": A**2 + 0.2, "q": 1 / (1.5 + A**2), "r": A[:1] + 0.11, "c": A[:, :1] - 0.21, "s": np.array(1.7)}


@pytest.mark.parametrize("expression", OPERATIONS)
def test_operations(expression: str) -> None:
    """Each operation, stretched or not, under a sum with weights."""
    expression = expression.replace("pi", "3.5")  # autograd's side has no names but the problem's
    o = oracle(f"y = {expression}\nL = sum(y * w)", given(DATA | {"w": np.cos(A)}))
    agree_everywhere(o, "L")


@pytest.mark.parametrize("expression", [*OPERATIONS, *(f"{name}(a)" for name in UNARY)])
def test_operations_in_balls(expression: str) -> None:
    """With a kink that doubles cannot judge, the whole run is repeated in balls: it knows every operation too."""
    plain = oracle(f"y = {expression}\nL = sum(y * a)", given(DATA))
    judged = oracle(f"y = {expression}\nL = sum(y * a) + abs(t)", given(DATA | {"t": np.array(0)}))
    assert any(kink.function == "abs" for kink in judged.kinks())
    assert close(judged.backprop("L")["a"], plain.backprop("L")["a"])


@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("name", ["max", "min"])
def test_largest_and_smallest(name: str, axis: int | None) -> None:
    """A maximum over an axis hands its adjoint to the one entry that won."""
    source = oracle("y = a\nL = sum(y * b)", given({"a": A, "b": A * A})).problem
    call = syntax.Call(name, (syntax.Name("a"),), (("axis", axis),))
    top = syntax.Binary("*", call, syntax.Name("b"))
    statements = (
        syntax.Statement("y", top, ""),
        syntax.Statement("L", syntax.Call("sum", (syntax.Name("y"),), (("axis", None),)), ""),
    )
    agree_everywhere(Oracle(Problem("max", {}, statements, given=source.given)), "L")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_class_numbers(turned: bool, reduction: str) -> None:
    """Class numbers mean the same as one-hot rows (or columns), and get no gradient."""
    hot = np.array([[0, 0, 1], [1, 0, 0]])
    axis, z, y = (0, A.T, hot.T) if turned else (-1, A, hot)
    line = f'L = cross_entropy(z, y, axis={axis}, reduction="{reduction}")'
    numbers = oracle(line, given({"z": z, "y": np.array([2, 0])}))
    one_hot = oracle(line, given({"z": z, "y": y}))
    assert close(numbers.forward()["L"], one_hot.forward()["L"])
    assert close(numbers.backprop("L")["z"], one_hot.backprop("L")["z"])
    assert not numbers.backprop("L")["y"].any()
    assert close(numbers.complex_step("L", "z").gradient(), one_hot.complex_step("L", "z").gradient())
    agree_everywhere(one_hot, "L")


def test_own_function() -> None:
    """A function of [functions] is differentiated through its formula, at every place where it is called."""
    o = oracle("y = phi(a) * phi(2 * a)\nL = sum(y)", '[functions]\nphi = "z**3 / 3 - tanh(z)"\n' + given({"a": A}))
    f, slope = A**3 / 3 - np.tanh(A), A**2 - 1 / np.cosh(A) ** 2
    g, steep = (2 * A) ** 3 / 3 - np.tanh(2 * A), 4 * A**2 - 1 / np.cosh(2 * A) ** 2
    assert close(o.backprop("L")["a"], slope * g + 2 * f * steep)
    assert close(o.complex_step("L", "a").gradient(), o.backprop("L")["a"])


def test_saturated_functions_keep_their_digits() -> None:
    """σ'(40) = 4.248354255291589e-18 and tanh'(20) = 1.699341702116636e-17, which 1 - y would turn into zero."""
    o = oracle("y = sigmoid(a)\nu = tanh(b)\nL = sum(y) + sum(u)", "[given]\na = 40\nb = 20")
    gradients = o.backprop("L")
    assert gradients["a"].item() == pytest.approx(4.248354255291589e-18, rel=1e-12)
    assert gradients["b"].item() == pytest.approx(4 * math.exp(-40), rel=1e-12)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu", "gelu", "elu", "softmax", "log_softmax"])
def test_far_out(name: str) -> None:
    """At ±800 no function overflows, and all ways to the derivative still agree."""
    o = oracle(f"y = {name}(a)\nL = sum(y * w)", given({"a": np.array([[-800.0, 3, 800]]), "w": A[:1]}))
    assert close(o.complex_step("L", "a").gradient(), o.backprop("L")["a"])
    assert np.isfinite(o.backprop("L")["a"]).all()


def test_random_programs() -> None:
    """Two hundred seeded programs of up to eight equations, in row and column form, agree with autograd throughout."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        m, n = (int(k) for k in rng.integers(1, 4, size=2))
        if m == n == 1:
            m = 2
        shapes: dict[str, tuple[int, ...]] = {"a": (m, n), "W": (n, n), "V": (m, m), "r": (1, n), "c": (m, 1), "s": ()}
        data = {name: np.round(rng.normal(size=shape), 3) + 0.0005 for name, shape in shapes.items()}
        lines, last = [], "a"
        for k in range(int(rng.integers(2, 9))):
            other = str(rng.choice([name for name, shape in shapes.items() if shape == (m, n)]))
            stretched = str(rng.choice(["r", "c", "s", "0.7", other]))
            form = str(
                rng.choice(
                    [
                        *(f"{last} @ W + {stretched}", f"V @ {last} - {stretched}", f"{last} * {stretched}"),
                        *(f"{rng.choice(UNARY[:7])}({last}) + {other}", f"({last} + {other} * {stretched}) / 3"),
                        *(f"tanh({last}) / (1.5 + square({stretched}))", f"maximum({last}, {stretched} + {other} / 7)"),
                        *(
                            f"sin({last})**2 - {other}",
                            f"leaky_relu({last}) * mean({other}, axis={rng.integers(0, 2)})",
                        ),
                        f"softmax({last}, axis={rng.integers(0, 2)}) * 4 - {other}",
                        f"{last} - sum({other}, axis={rng.integers(0, 2)}) * cos({other})",
                        f"log(1 + exp(-{last})) * sqrt(abs({other}) + 1)",
                    ]
                )
            )
            lines.append(f"z{k} = {form}")
            last = f"z{k}"
            shapes[last] = (m, n)
        lines.append(
            str(rng.choice([f"L = mean({last}**2)", f"L = sum(({last} - a)**2) / 2", f"L = mean(tanh({last}))"]))
        )
        o = oracle("\n".join(lines), given(data))
        rules, other_rules = o.backprop("L"), autograd_gradients(o.problem, "L")
        for name in o.names:
            assert close(rules[name], other_rules[name], 1e-9), (lines, name)
            assert close(o.complex_step("L", name).gradient(), rules[name], 1e-9), (lines, name)


# --- seeds, Jacobians, intermediates ---------------------------------------------------------------------------------


def test_upstream() -> None:
    """A seed stands for dJ/dy; a mapping of seeds adds up; a top without one must be a scalar."""
    o = oracle("y = a @ W\nu = tanh(y)", given({"a": A, "W": A.T @ A}))
    seed = np.arange(6.0).reshape(2, 3)
    alone = o.backprop("u", seed)
    assert close(alone["a"].ravel(), seed.ravel() @ o.jacobian("u", "a"))
    both = o.backprop({"u": seed, "y": 2 * seed})
    assert close(both["W"], alone["W"] + o.backprop("y", 2 * seed)["W"])
    with pytest.raises(ProblemError, match="'u' is 2 × 3, not a scalar"):
        o.backprop("u")


def test_jacobian_by_rules_and_by_steps() -> None:
    """The Jacobian of a matrix by a matrix, rows and columns counted row by row."""
    o = oracle("y = softmax(a @ a.T, axis=0)", given({"a": A}))
    assert o.jacobian("y", "a").shape == (4, 6)
    assert close(o.complex_step("y", "a").values.reshape(6, 4).T, o.jacobian("y", "a"))
    assert not o.jacobian("a", "y").any()


def test_a_step_of_an_intermediate_runs_on_from_there() -> None:
    """dL/dy of L = y² + y·a is 2y + a, with a held still although y is made from it."""
    o = oracle("y = 3 * a\np = y\nL = p**2 + y * a", "[given]\na = 2")
    for way in (o.complex_step, o.central_differences):
        assert way("L", "y").gradient() == pytest.approx(2 * 6 + 2)
        assert way("L", "p").gradient() == pytest.approx(12)
        assert way("L", "a").gradient() == pytest.approx(2 * 9 * 2 + 12)
    assert [o.backprop("L")[name].item() for name in ("y", "p", "a")] == [14, 12, 48]


def test_new_values() -> None:
    """Other data, or another value of an intermediate, may be put in; other sizes may not."""
    o = oracle("y = 3 * a\nL = y**2", "[given]\na = 2")
    assert o.forward({"a": 1})["L"] == 9
    assert o.forward({"y": 1})["L"] == 1
    assert o.backprop("L", values={"y": 1})["y"] == 2
    assert o.forward()["L"] == 36
    with pytest.raises(ProblemError, match="the new value 1 × 2"):
        o.forward({"a": [[1, 2]]})


def test_a_name_that_the_loss_does_not_use_has_gradient_zero() -> None:
    """Zeros in the shape of the name."""
    o = oracle("y = 2 * a\nL = sum(b)", given({"a": A, "b": A}))
    assert o.backprop("L")["a"].tolist() == np.zeros((2, 3)).tolist()
    assert not o.complex_step("L", "y").gradient().any()


# --- kinks -----------------------------------------------------------------------------------------------------------


def with_relu_at_zero(problem: Problem, value: Any) -> Problem:
    """The same problem under another convention."""
    convention = Convention(relu_at_zero=value)
    return Problem("kink", {}, problem.statements, given=problem.given, convention=convention)


@pytest.mark.parametrize("at_zero", [0, 1])
def test_relu_at_its_kink(at_zero: int) -> None:
    """At 0 the convention rules, the kink is reported, and differences through it are left out, others not."""
    problem = oracle(
        "z = a @ w\nL = sum(relu(z))", given({"a": np.array([[1.0, 1], [2, 3]]), "w": np.array([[1.0], [-1]])})
    ).problem
    o = Oracle(with_relu_at_zero(problem, type(problem.convention.relu_at_zero)(at_zero)))
    (kink,) = o.kinks()
    assert (kink.name, kink.function, kink.entries) == ("L", "relu", ((0, 0),))
    assert o.backprop("L")["a"].tolist() == [[at_zero, -at_zero], [0, 0]]
    for way in (o.complex_step, o.central_differences):
        assert way("L", "a").left_out.tolist() == [True, True, False, False]
        assert way("L", "w").left_out.all()


@pytest.mark.parametrize("zero", ["a + b - c", "c - b - a", "(a + b) * 10 - c * 10", "a * c - (a * a + a * b)"])
def test_a_kink_that_doubles_miss(zero: str) -> None:
    """0.1 + 0.2 - 0.3 is zero, whatever doubles make of it: the convention applies, and the comparison is true."""
    o = oracle(f"z = {zero}\nL = relu(z) + (z <= 0)", "[given]\na = 0.1\nb = 0.2\nc = 0.3")
    assert {kink.function for kink in o.kinks()} == {"relu", "compare"}
    assert o.forward()["L"] == 1
    assert o.backprop("L")["z"] == 0
    assert o.central_differences("L", "z").left_out.all()
    assert np.isnan(o.complex_step("L", "z").gradient())


def test_next_to_a_kink_is_not_on_it() -> None:
    """A value of 1e-25 is positive, though 0.1 + 1e-25 - 0.1 is zero in doubles."""
    o = oracle("L = relu(a + e - a)", "[given]\na = 0.1\ne = 1e-25")
    assert o.kinks() == ()
    assert o.backprop("L")["e"] == 1
    assert o.complex_step("L", "e").gradient() == 1
    assert o.central_differences("L", "e").left_out.all()  # the step is longer than the way to the kink


def test_a_tie_after_transcendental_functions() -> None:
    """sigmoid(1) + sigmoid(-1) - 1 is zero to 1,024 bits, and counts as zero."""
    o = oracle("z = sigmoid(a) + sigmoid(-a) - 1\nL = abs(z)", "[given]\na = 1")
    assert [kink.function for kink in o.kinks()] == ["abs"]
    assert o.backprop("L")["a"] == 0


def test_ties_go_to_the_first() -> None:
    """Of equal operands of maximum and minimum the first gets the adjoint; at the ends of clip nobody does."""
    o = oracle("L = maximum(a, b) + minimum(a, b) + clip(a, 1, 2) + clip(b, 0, 1)", "[given]\na = 1\nb = 1")
    gradients = o.backprop("L")
    assert (gradients["a"].item(), gradients["b"].item()) == (2, 0)
    assert [kink.function for kink in o.kinks()] == ["maximum", "minimum", "clip", "clip"]


def test_equal_entries_of_a_maximum() -> None:
    """Of equal largest entries the first wins, even where doubles set them apart; and the tie is reported."""
    source = oracle("y = a + b\nL = sum(y)", "[given]\na = [0.3, 0.1]\nb = [0, 0.2]").problem
    top = syntax.Call("max", (syntax.Name("y"),), (("axis", None),))
    o = Oracle(Problem("max", {}, (source.statements[0], syntax.Statement("L", top, "")), given=source.given))
    assert o.backprop("L")["y"].tolist() == [[1, 0]]
    assert [kink.entries for kink in o.kinks()] == [((0, 0), (0, 1))]
    assert o.complex_step("L", "y").left_out.all()


def test_a_kink_off_the_path_disturbs_nothing() -> None:
    """Differences by a quantity that does not move the kink are taken."""
    o = oracle("u = relu(a - a)\nL = u + b**2", "[given]\na = 1\nb = 3")
    assert o.kinks()
    assert o.complex_step("L", "b").gradient() == 6
    assert not o.central_differences("L", "b").left_out.any()
    assert not o.complex_step("L", "a").left_out.any()  # a - a does not move


# --- large problems --------------------------------------------------------------------------------------------------


def test_differences_are_sampled_above_two_thousand_entries() -> None:
    """200 seeded entries shared among the names, three directions for each, and small names whole."""
    rng = np.random.default_rng(3)
    data = {"x": rng.normal(size=(8, 60)), "W": rng.normal(size=(60, 40)) / 8, "b": rng.normal(size=(1, 40))}
    o = oracle("h = tanh(x @ W + b)\nL = mean(h**2)", given({k: np.round(v, 3) for k, v in data.items()}))
    rules = o.backprop("L")
    for method in ("complex step", "central differences"):
        found = o.differences("L", ["W", "b", "x"], method)
        assert sum(len(d.entries) for d in found.values()) == 200
        assert found["b"].complete
        assert not found["W"].complete
        for name, d in found.items():
            assert close(d.values, rules[name].ravel()[list(d.entries)], 1e-9)
            assert [close(along.value, np.sum(along.vector * rules[name]), 1e-8) for along in d.directions] == [
                True
            ] * 3
    again = o.differences("L", ["W", "b", "x"])
    assert again["W"].entries == o.differences("L", ["x", "W", "b"])["W"].entries
    assert all(d.complete and not d.directions for d in o.differences("L", ["b", "x"]).values())


# --- training --------------------------------------------------------------------------------------------------------


def test_training_is_update_after_update() -> None:
    """All names move at once, from gradients at the old values; a name without a rate stays."""
    o = Oracle(find_problem("case1"))
    rates = {"W1": 0.5, "b1": 0.25, "W2": 0.5}
    values = {name: x for name, x in o.forward().items() if name in o.problem.parameters}
    run = o.train("E", rates, 4, show=("o", "W2", "dE/dW2", "dE/db2"), every=3)
    assert [entry.step for entry in run.history] == [0, 3, 4]
    for k in range(5):
        for entry in (e for e in run.history if e.step == k):
            assert entry.loss == pytest.approx(o.forward(values)["E"].item(), rel=1e-14)
            assert close(entry.values["W2"], values["W2"])
            assert close(entry.gradients["dE/dW2"], o.backprop("E", values=values)["W2"])
            assert close(entry.gradients["dE/db2"], o.backprop("E", values=values)["b2"])
        if k < 4:
            values = update(values, o.backprop("E", values=values), rates)
    assert all(close(run.parameters[name], values[name]) for name in rates)
    assert values["b2"] == 0.5


def test_ten_thousand_updates() -> None:
    """The known 2-2-2 network: after 10,000 updates of all weights with rate 0.5 the loss is 3.51018778298e-05."""
    o = oracle(
        "h = sigmoid(x @ W1 + b1)\no = sigmoid(h @ W2 + b2)\nE = sum((o - t)**2) / 2",
        "[given]\nx = [0.05, 0.10]\nt = [0.01, 0.99]\nb1 = 0.35\nb2 = 0.60\n"
        "[parameters]\nW1 = [[0.15, 0.25], [0.20, 0.30]]\nW2 = [[0.40, 0.50], [0.45, 0.55]]\n",
    )
    start = time.perf_counter()
    run = o.train("E", {"W1": 0.5, "W2": 0.5}, 10_000, every=5000)
    assert time.perf_counter() - start < 10
    assert run.history[-1].loss == pytest.approx(3.51018778298e-05, rel=1e-9)


def test_training_that_runs_away() -> None:
    """A rate far too large ends in one message, not in nan."""
    o = oracle("L = (w**2 - 1)**2", "[parameters]\nw = 3")
    with pytest.raises(ProblemError, match="'L' leaves the range of doubles after"):
        o.train("L", {"w": 10}, 50)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("y = r + c", "equation 'y': 1 × 3 and 2 × 1 would both be stretched to 2 × 3"),
        ("y = a @ r", "equation 'y': the matrix product of 2 × 3 and 1 × 3 does not exist"),
        ("y = a * s @ s", "equation 'y': the matrix product of 2 × 3 and a scalar does not exist"),
        ("y = a + c.T", "equation 'y': the sizes 2 × 3 and 1 × 2 do not fit"),
        ("y = sum(a, axis=2)", "equation 'y': 2 × 3 has no axis 2"),
        ("y = a[0, 3]", "equation 'y': there is no index 3 in 2 × 3"),
        ("y = a[0, 0, 0]", "equation 'y': 3 indices for 2 × 3"),
        ("y = log(a)", r"equation 'y' takes the log of a number that is not positive in entry \(1, 2\)"),
        ("y = 1 / (a - 0.7)", r"equation 'y' divides by zero in entry \(1, 3\)"),
        ("y = log(s - s)", "equation 'y' takes the log of a number that is not positive$"),
        ("y = a**0.5", r"equation 'y' takes a power outside its domain in entry \(1, 2\)"),
        ("y = sqrt(a)", r"equation 'y' takes a root .* in entry \(1, 2\)"),
        ("y = exp(1000 * a)", r"equation 'y' is too large for a double in entry \(2, 1\)"),
        ("y = binary_cross_entropy(a, a)", "probabilities lie between 0 and 1"),
        ("y = cross_entropy(c, c)", "the class axis of 2 × 1 has size 1: axis=0 is the other"),
        ("y = cross_entropy(a, r)", r"the labels \(1 × 3\) fit neither 2 × 3 nor one number a sample"),
        ("y = cross_entropy(a, c)", "class numbers are whole, from 0 to 2"),
    ],
)
def test_refusals(line: str, message: str) -> None:
    """What does not fit or does not exist is one message with the equation, the sizes or the entry, and the line."""
    with pytest.raises(ProblemError, match=message) as caught:
        oracle(line, given({"a": A, "r": A[:1], "c": A[:, :1], "s": np.array(1.7)}))
    assert caught.value.line == 2


def test_the_slope_of_a_root_at_zero() -> None:
    """sqrt(0) exists, its slope does not."""
    o = oracle("y = sqrt(a)", "[given]\na = 0")
    assert o.forward()["y"] == 0
    with pytest.raises(ProblemError, match="equation 'y' takes a root where it or its slope does not exist"):
        o.backprop("y")


def test_what_the_oracle_does_not_know() -> None:
    """An operation without a row, a name that is not there, a function without a formula."""
    o = oracle("y = a", "[given]\na = 0")
    with pytest.raises(ProblemError, match="'z' is not in the problem"):
        o.complex_step("y", "z")
    with pytest.raises(ProblemError, match="'Z' has sizes but no numbers"):
        oracle("y = 2 * Z", '[shapes]\nZ = ["N", 2]')
    strange = syntax.Statement("y", syntax.Call("bessel", (syntax.Name("a"),), (), 7), "")
    with pytest.raises(Unsupported, match="'bessel' is not built yet"):
        Oracle(Problem("p", {}, (strange,), given=o.problem.given))
    blank = syntax.Statement("y", syntax.Call("phi", (syntax.Name("a"),), ()), "")
    with pytest.raises(ProblemError, match="'phi' has no formula"):
        Oracle(Problem("p", {}, (blank,), given=o.problem.given, functions={"phi": None}))


def test_every_row_is_tested_here() -> None:
    """A new operation needs a value in the table that autograd differentiates."""
    internal = {"same", "negate", "transpose", "index", "compare"}
    assert set(ROWS) - internal <= set(VALUES) | set(OPERATORS)


CURVED = (
    "sum(x[0:1, :]**3)", "x[1, 0]**3 * x[0, 1]", "sum(embedding(x, i)**3)", "sum(concat(x, x**2, axis=1)**2)",
    "sum(reshape(x, 3, 2) @ x)", "sum(conv2d(x, x[:, 0:2])**2)", "sum(conv1d(x, x[:, 0:2], padding=1)**3)",
    "sum(max_pool(x[:, 0:2], 2)**3)", "sum(avg_pool(x[:, 0:2], 2)**3)", "sum(layer_norm(x)**3)", "max(x)**3",
    "sum(clip(x, -1, 1)**3)", "norm(x)**3", "logdet(x @ x.T)", "det(x @ x.T)", "sum(inv(x @ x.T)**2)",
    "trace(x @ x.T @ x @ x.T)", "sum(sigmoid(x) * gelu(x) + silu(x))", "sum(elu(x) * softplus(x))",
    "cross_entropy(x, y)", "sum(softmax(x, axis=0)**2)", "sum(maximum(x, x**2))", "sum(outer(x[0:1, :], x[1:2, :])**2)",
)  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", CURVED)
def test_second_derivatives_are_those_of_the_gradient(text: str) -> None:
    """Complex steps through back-propagation against differences of the gradient, for every kind of operation."""
    x = [["0.3", "-0.7", "1.1"], ["0.9", "0.4", "-0.2"]]
    oracle = Oracle(Problem.from_equations(f"f = {text}", given={"x": x, "i": [1, 0, 1], "y": [0, 2]}))
    here, step = np.array([[float(entry) for entry in row] for row in x]), 1e-5
    expected = np.zeros((6, 6))
    for k in range(6):
        unit = np.zeros(6)
        unit[k] = step
        ends = [oracle.backprop("f", values={"x": here + s * unit.reshape(2, 3)})["x"].ravel() for s in (1, -1)]
        expected[:, k] = (ends[0] - ends[1]) / (2 * step)
    found = oracle.second("f", "x", "x")
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-7 * max(1.0, float(np.max(np.abs(expected)))))
    assert np.allclose(found, found.T, rtol=1e-9, atol=1e-12)
