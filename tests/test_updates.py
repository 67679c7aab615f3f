"""Update rules and mini-batches: each rule against its source in NumPy, batches by hand, messages."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import derive
from derive.errors import ProblemError, Unsupported
from derive.numbers import arrays
from derive.problem import problem_from_text, read_problem
from derive.report.compose import compose
from derive.report.plain import plain
from derive.solution import rules, solve
from update_rules import HERE, RATE, RULES, X, Y, adam, followed, layer, values

FILES = (
    "adam-first-step",
    "momentum-two-steps",
    "nesterov-valley",
    "rmsprop-given-gradients",
    "sgd-sample-by-sample",
    "weight-decay-minibatch",
)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_what_its_source_says(rule: str) -> None:
    """Three updates from all samples: parameters and memory of each rule, as PyTorch or the paper writes it."""
    found = solve(layer(f"{rule}, steps = 3")).part()
    wanted, memory = followed(RULES[rule], [[0, 1, 2]] * 3)
    for name, value in values(found).items():
        assert np.allclose(value, wanted[name], rtol=1e-12, atol=1e-14)
    assert found.history is not None
    for name, states in memory.items():
        for state, value in states.items():
            ours = found.history.moves[-1].rule.value(rules.after(rules.remembered(state, name)))
            assert np.allclose(arrays.to_floats(ours), value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", ['rule = "momentum"', 'rule = "nesterov"', 'rule = "adam"'])
@pytest.mark.parametrize("decoupled", [False, True])
def test_batches_and_decay_go_with_every_rule(rule: str, decoupled: bool) -> None:
    """Two passes in an order of one's own, the last batch smaller, decay on the weights alone: as by hand."""
    text = f'{rule}, steps = 2, over = ["x", "y"], batch = 2, order = [2, 0, 1], decay = {{ W = 0.1 }}'
    found = solve(layer(f"{text}, decoupled = {str(decoupled).lower()}")).part()
    wanted, _ = followed(RULES[rule], [[2, 0], [1], [2, 0], [1]], 0.1, decoupled)
    for name, value in values(found).items():
        assert np.allclose(value, wanted[name], rtol=1e-12, atol=1e-14)


def test_a_long_run_goes_the_same_way_in_doubles() -> None:
    """More than 200 updates run in doubles; the first ones of the same run are certified."""
    text = 'rule = "adam", over = ["x", "y"], batch = 2, show = ["b"], steps = '
    long = solve(layer(f"{text}101")).part()
    assert long.history is None
    assert long.training is not None
    wanted, _ = followed(adam, [[0, 1], [2]] * 101)
    assert np.allclose(long.training.parameters["W"], wanted["W"], rtol=1e-9)
    short = solve(layer(f"{text}2")).part()
    assert short.history is not None
    for k in range(3):
        ours = arrays.to_floats(short.history.runs[k].value("b"))
        assert np.allclose(ours, long.training.history[k].values["b"], rtol=1e-12)
    [part] = derive.solve(layer(f"{text}101")).json()["parts"]
    assert part["history"][-1]["certified"] is False
    assert "202 updates were run in double precision" in plain(compose(derive.solve(layer(f"{text}101")).core))


def test_two_hundred_updates_are_certified_without_recursion() -> None:
    """Each of 200 states is worked out from the one before, whichever is asked for first."""
    text = (
        'equations = "E = exp(w) + w ** 2"\nparameters = { w = 0.3 }\nask = { update = { rate = 0.05, steps = 200 } }'
    )
    part = solve(problem_from_text(text, name="p")).part()
    assert part.history is not None
    w = 0.3
    for _ in range(200):
        w -= 0.05 * (np.exp(w) + 2 * w)
    assert arrays.to_floats(part.history.runs[200].value("w")).item() == pytest.approx(w, rel=1e-13)


# ── the problem files, each with numbers from its source or from plain NumPy ────────────────────────────────────


@cache
def document_of(name: str) -> dict[str, Any]:
    """The JSON of one of the problem files."""
    [part] = derive.solve(read_problem(HERE / "problems" / f"{name}.toml")).json()["parts"]
    return dict(part)


def test_momentum_two_steps() -> None:
    """w = 0.5, y = 2 w, E = (y - 3)^2 / 2: v is -4, then 0.9 (-4) - 2.4 = -6; w is 0.9, then 1.5, where E is 0."""
    part = document_of("momentum-two-steps")
    assert [entry["loss"] for entry in part["history"]] == ["2", "0.72", "0"]
    assert [entry["values"]["w"] for entry in part["history"]] == ["0.5", "0.9", "1.5"]
    assert [entry["gradients"]["dE/dw"] for entry in part["history"]] == ["-4", "-2.4", "0"]
    assert (part["state"], part["t"], part["change"]["w"]) == ({"v": {"w": "-6"}}, 2, "0.6")


def test_adam_first_step() -> None:
    """After bias correction the first step is the rate times g / (|g| + eps), whatever the size of g."""
    part = document_of("adam-first-step")
    z = 1 * 0.5 - 2 * 0.25 + 0.1
    g = (1 / (1 + np.exp(-z)) - 1) * np.array([1, -2, 1])
    wanted = np.array([0.5, 0.25, 0.1]) - 0.001 * g / (np.abs(g) + 1e-8)
    found = [float(part["updated"]["w"][0][0]), float(part["updated"]["w"][1][0]), float(part["updated"]["b"])]
    assert np.allclose(found, wanted, rtol=1e-15)
    assert float(part["state"]["m"]["b"]) == pytest.approx(0.1 * g[2], rel=1e-14)


def test_rmsprop_from_given_gradients() -> None:
    """Three given gradients, no network: s and w by the formula; there is no loss in the history."""
    part = document_of("rmsprop-given-gradients")
    w, s = np.array([1.0, -0.5]), np.zeros(2)
    for g in np.array([[0.1, -0.2], [0.3, 0.1], [-0.05, 0.4]]):
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.01 * g / (np.sqrt(s) + 1e-6)
    assert np.allclose(np.array(part["updated"]["w"], dtype=float), [w], rtol=1e-14)
    assert part["state"]["s"]["w"] == [["0.0087600000000000004", "0.01694"]] or np.allclose(
        np.array(part["state"]["s"]["w"], dtype=float), [s], rtol=1e-15
    )
    assert part["values"] == {}
    assert all("loss" not in entry for entry in part["history"])


def test_nesterov_in_a_valley() -> None:
    """f = x1^2 / 20 + x2^2 from (-7, 2), rate 0.4, momentum 0.5: three looks ahead by hand."""
    part = document_of("nesterov-valley")
    x, v = np.array([-7.0, 2.0]), np.zeros(2)
    for _ in range(3):
        v = 0.5 * v - 0.4 * np.array([0.1, 2.0]) * (x + 0.5 * v)
        x = x + v
    assert np.allclose([float(part["updated"]["x1"]), float(part["updated"]["x2"])], x, rtol=1e-15)
    assert [entry["values"]["x2"] for entry in part["history"][:3]] == ["2", "0.4", "-0.08"]


def test_sample_by_sample() -> None:
    """Two passes over three samples, each update from what the last one left; the loss after them is that of all."""
    part = document_of("sgd-sample-by-sample")
    x, t = np.array([[1, 0], [0, 1], [1, 1]]), np.array([1, 2, 4])
    w, b, found = np.array([0.5, -0.5]), 0.0, []
    for row in [0, 1, 2] * 2:
        error = x[row] @ w + b - t[row]
        found.append(error**2 / 2)
        w, b = w - 0.1 * error * x[row], b - 0.1 * error
    entries = part["history"]
    single = [entry for entry in entries if "rows" in entry]
    assert [(entry["update"], entry["pass"], entry["rows"]) for entry in single] == [
        (1, 1, [0]), (2, 1, [1]), (3, 1, [2]), (4, 2, [0]), (5, 2, [1]), (6, 2, [2]),
    ]  # fmt: skip
    assert np.allclose([float(entry["loss"]) for entry in single], found, rtol=1e-15)
    assert [entry["step"] for entry in entries if "step" in entry] == [0, 1, 2]
    assert float(entries[-1]["loss"]) == pytest.approx(float(((x @ w + b - t) ** 2).sum() / 2), rel=1e-14)
    assert float(entries[-1]["values"]["b"]) == pytest.approx(b, rel=1e-14)
    assert single[1]["values"]["b"] == single[0]["updated"]["b"]
    assert part["gradients"] == {}


def test_weight_decay_with_class_numbers_in_batches() -> None:
    """Class numbers in a flat list are one to a sample: batches (1, 2) and (3), decay on W alone."""
    part = document_of("weight-decay-minibatch")
    x, y = np.array([[1, 2], [-1, 0.5], [0.5, -1]]), np.eye(2)[[0, 1, 1]]
    w, b = np.array([[0.1, -0.2], [0.3, 0.4]]), np.zeros((1, 2))
    for rows in ([0, 1], [2]):
        e = np.exp(x[rows] @ w + b)
        g = (e / e.sum(axis=1, keepdims=True) - y[rows]) / len(rows)
        w, b = w - 0.5 * (x[rows].T @ g + 0.1 * w), b - 0.5 * g.sum(axis=0)
    assert np.allclose(np.array(part["updated"]["W"], dtype=float), w, rtol=1e-14)
    assert np.allclose(np.array(part["updated"]["b"], dtype=float), b, rtol=1e-13)


def test_columns_as_samples() -> None:
    """along = 1: the same network with its samples in columns gives the transposed parameters."""
    text = '''equations = """
z = W @ x + b
h = tanh(z)
E = sum((h - y)**2) / 2
"""
given = { x = [[1, 0.5, 2], [-2, 3, 1]], y = [[0.1, 0.3, 0.5], [0.2, -0.2, 0.5]] }
parameters = { W = [[0.1, 0.4], [-0.2, 0.5]], b = [[0.1], [0.2]] }
ask = { update = { rate = 0.05, over = ["x", "y"], batch = 2, along = 1 } }'''
    columns = solve(problem_from_text(text, name="columns")).part()
    by_rows = values(solve(layer('over = ["x", "y"], batch = 2')).part())
    assert np.allclose(values(columns)["W"], by_rows["W"].T, rtol=1e-14)


def test_a_run_that_is_under_way_goes_on_where_it_was() -> None:
    """t and state of an update after two others give the third of three."""
    three = solve(layer('rule = "adam", steps = 3')).part()
    assert three.history is not None
    state = {
        kind: {
            name: [[str(x) for x in row] for row in arrays.to_floats(
                three.history.moves[1].rule.value(rules.after(rules.remembered(kind, name)))
            ).tolist()]
            for name in ("W", "b")
        }
        for kind in ("m", "v")
    }  # fmt: skip
    two = {name: arrays.to_floats(three.history.runs[2].value(name)).tolist() for name in ("W", "b")}
    third = derive.Problem.from_equations(
        "z = x @ W + b\nh = tanh(z)\nE = sum((h - y)**2) / 2",
        given={"x": X.tolist(), "y": Y.tolist()},
        parameters=two,
        ask={"update": {"rate": RATE, "rule": "adam", "t": 2, "state": state}},
    )
    found = solve(third)
    for name, value in values(found.part()).items():
        assert np.allclose(value, values(three)[name], rtol=1e-12)
    report = plain(compose(found))
    assert "2 updates have been made" in report
    assert "Update 3" in report


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ('rule = "adm"', "there is no update rule adm (nearest: adam)"),
        ("rule = 3", "rule is the number 3"),
        ('rule = "momentum", beta1 = 0.9', "beta1 is no constant of the rule momentum (it has beta)"),
        ('rule = "momentum", beta = 1', "beta is 1, expected is a number from 0 to below 1"),
        ('rule = "adam", beta2 = -0.1', "beta2 is -1/10"),
        ('rule = "adam", eps = -1', "eps is -1, expected is a number from 0"),
        ('rule = "momentum", beta = 0.5, mu = 0.5', "two names of one constant"),
        ('rule = "momentum", form = "means"', 'expected is "sum", "mean" or "step" (nearest: mean)'),
        ('rule = "adam", form = "sum"', "the rule adam has one form"),
        ("decay = -1", "decay is -1"),
        ("decay = { V = 1 }", "decay names no parameter: V"),
        ("decoupled = true", "decoupled without decay"),
        ('rule = "adam", state = { s = 1 }', "the rule adam has no state s"),
        ("state = { v = 1 }", "the rule sgd has no state"),
        ('rule = "momentum", state = { v = { W = [[1, 2]], b = [0, 0] } }', "v of W is 1 × 2, and W is 2 × 2"),
        ('rule = "momentum", state = { v = { W = [[1, 2], [3, 4]] } }', "v leaves out b"),
        ('rule = "momentum", state = { v = 0 }', "v needs a value for every parameter that moves"),
        ("with = { W = [[1, 2], [3, 4]] }", "with leaves out b"),
        ("with = { W = 1, b = 2 }", "with of W is a scalar, and W is 2 × 2"),
        ("with = { W = [[1, 2], [3, 4]], b = [1, 2] }, steps = 2", "with gives one gradient, and steps is 2"),
        ("with = 3", "with is the number 3"),
        ("batch = 2", "batch without over"),
        ('over = "x"', "expected is a list of data"),
        ('over = ["x", "q"]', "over names no data: q"),
        ('over = ["W"]', "over names W, which is a parameter"),
        ('over = ["h"]', "over names h, which is an equation"),
        ('over = ["x", "x"]', "over has x twice"),
        ('over = ["x", "y"], batch = 4', "batch is 4, and there are 3 rows in a pass"),
        ('over = ["x", "y"], batch = 0', "batch is the number 0"),
        ('over = ["x", "y"], order = [0, 3]', "expected are rows from 0 to 2"),
        ('over = ["x", "y"], order = [[0, 1], [2]]', "order has 2 passes, and steps is 1"),
        ('over = ["x", "y"], each = "epoch"', 'expected is "update" or "pass"'),
        ('over = ["x", "y"], along = 2', "from 0 to 1"),
        ('over = ["x", "y"], with = { W = [[1, 2], [3, 4]], b = [1, 2] }', "with and over exclude each other"),
        ('rule = "momentum", t = -1', "t is the number -1"),
        ('rule = "momentum", symbol = "beta"', "the constant beta has the name of the rate"),
    ],
)
def test_a_wrong_update_is_one_message_with_its_line(update: str, message: str) -> None:
    """What cannot be meant is refused at its line, with the nearest right name where there is one."""
    with pytest.raises(ProblemError) as caught:
        layer(update)
    assert not isinstance(caught.value, Unsupported)
    assert message in str(caught.value)
    assert caught.value.line == 14


def test_samples_that_do_not_pair_are_refused() -> None:
    """Three rows of one and two of the other: the message names both."""
    text = 'equations = "E = sum(x * w) + sum(y * w)"\ngiven = { x = [[1], [2], [3]], y = [[1], [2]] }\n'
    text += 'parameters = { w = 1 }\nask = { update = { rate = 1, over = ["x", "y"] } }'
    with pytest.raises(ProblemError, match="x has 3 rows and y has 2"):
        problem_from_text(text, name="p")


def test_what_does_not_go_together_is_refused() -> None:
    """Training or a known upstream beside batches, a constant with the name of a quantity, eps = 0 under a zero."""
    with pytest.raises(Unsupported, match="training from mini-batches"):
        layer('over = ["x", "y"]', "train = { at_most = 3 }")
    with pytest.raises(ProblemError, match="over beside an upstream"):
        layer('over = ["x", "y"]', 'upstream = { of = "J", at = "h", value = [[1, 2], [1, 2], [1, 2]] }')
    with pytest.raises(ProblemError, match="looks ahead"):
        layer('rule = "nesterov"', 'upstream = { of = "J", at = "h", value = [[1, 2], [1, 2], [1, 2]] }')
    text = 'equations = "E = (w - beta) ** 2"\ngiven = { beta = 1 }\nparameters = { w = 1 }\n'
    with pytest.raises(ProblemError, match="the constant beta has the name of a quantity of the problem"):
        problem_from_text(text + 'ask = { update = { rate = 1, rule = "momentum" } }', name="p")
    flat = 'equations = "E = (w - 1) ** 2"\nparameters = { w = 1 }\n'
    flat += 'ask = { update = { rate = 1, rule = "adagrad", eps = 0 } }'
    with pytest.raises(ProblemError, match="the update of w divides by zero, since eps is 0") as caught:
        solve(problem_from_text(flat, name="p"))
    assert caught.value.line == 3
