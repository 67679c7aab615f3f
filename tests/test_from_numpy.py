"""NumPy source as problems: what is read gives the numbers that the source gives when it runs, and it is never run."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import derive
from derive.errors import ProblemError
from derive.oracle import Oracle
from derive.problem import Problem, problem_from_text

HEAD = """
import numpy as np
from numpy import exp
x = np.array([1.0, -0.5, 2.0])
X = np.array([[1.0, -0.5, 2.0], [0.25, 3.0, -1.0]])
t = np.array([0.1, 0.9])
y = np.array([1, 0])
W = np.array([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]])
W1 = np.array([[0.1, 0.3, 0.5], [0.2, -0.4, 0.6]])
b = np.array([0.5, -0.25])
V = np.array([[0.7, 0.8], [0.9, 0.1]])
k = 2.0

def sigmoid(z):
    return 1.0 / (np.exp(-z) + 1)

def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=1, keepdims=True)
"""

SOURCES: dict[str, tuple[str, list[str]]] = {
    "rows": ("""
        def forward(x, W, b):
            z = np.dot(x, W) + b    # affine
            return sigmoid(z)
        """, ["z = x @ W + b", "y = sigmoid(z)"]),
    "columns": ("""
        def forward(x, W1, b):
            z = W1 @ x + b
            h = np.tanh(z)
            return np.sum((h - t) ** 2) / 2
        """, ["z = W1 @ x + b", "h = tanh(z)", "E = sum((h - t)**2) / 2"]),
    "softmax over rows": ("""
        def forward(X, W, b):
            p = softmax(X.dot(W) + b)
            loss = -np.sum(np.log(p)) / X.shape[0]
            return loss
        """, ["p = softmax(X @ W + b)", "loss = -sum(log(p)) / 2"]),
    "picked by class": ("""
        def probabilities(z):
            z = z - np.max(z, axis=1, keepdims=True)
            return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        def forward(X, W, b):
            p = probabilities(X @ W + b)
            loss = -np.log(p[np.arange(len(X)), y]).mean()
            return loss
        """, ["p = softmax(X @ W + b)", "loss = -mean(log(sum(p * one_hot(y, 2), axis=1)))"]),
    "zeros and ones": ("""
        def forward(X):
            a = np.ones((2, 3)) - X * np.zeros_like(X)
            c = X - np.max(X, axis=0) + np.min(X)
            return a * c
        """, []),
    "a table of parameters": ("""
        def forward(x, params):
            W1, b = params["W1"], params["b"]
            h = np.maximum(0, W1 @ x + b)
            y = h @ params["V"]
            return y
        """, []),
    "a class": ("""
        class Net:
            def __init__(self):
                self.U = np.array([[1.0, 2.0], [3.0, 4.0]])
            def forward(self, t):
                self.a = t @ self.U
                return self.act(self.a)
            def act(self, z):
                return z * (z > 0)
        """, ["a = t @ U", "y = relu(a)"]),
    "names twice": ("""
        def forward(x, W, V):
            x = x @ W
            x = np.tanh(x)
            x += k
            x = x @ V
            return x
        """, []),
    "loops": ("""
        def step(h, s):
            return np.tanh(s + h @ V)
        def forward(X, W):
            states = [t]
            for i in range(2):
                states.append(step(states[-1], X[i] @ W))
            return states[-1].sum()
        """, []),
    "functions": ("""
        def layer(a, W, b, f=None):
            z = a @ W + b
            return np.tanh(z)
        def forward(X, W, b, V):
            h = layer(X, W, b)
            out = layer(h, V, b)
            return np.mean(np.square(out - t))
        """, ["z = X @ W + b", "h = tanh(z)", "z2 = h @ V + b", "out = tanh(z2)", "E = mean(square(out - t))"]),
    "forms": ("""
        def relu(z): return np.maximum(z, 0)
        def leaky(z): return np.where(z > 0, z, 0.2 * z)
        def tanh(z): return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
        def swish(z, beta=1): return z * sigmoid(z)
        def soft(z): return np.log(1 + np.exp(z))
        def other(z): return 1 / (2 + np.exp(-z))
        def forward(t):
            a = relu(t - 0.5)
            c = leaky(a - 0.2)
            d = tanh(c)
            e = swish(d)
            f = soft(e)
            g = other(f)
            return g
        """, ["a = relu(t - 0.5)", "c = leaky_relu(a - 0.2, slope=0.2)", "d = tanh(c)", "e = silu(d)", "f = softplus(e)", "g = 1 / (2 + exp(-f))"]),
    "reductions": ("""
        def forward(X, W):
            m = X.mean(axis=0)
            s = np.sum(X * m, axis=1)
            c = X - X.mean(axis=1, keepdims=True)
            v = np.mean(c ** 2, axis=1)
            r = (s + v) @ t + np.linalg.norm(X) + X.var()
            return r
        """, []),
    "shapes": ("""
        def forward(X, W):
            a = X.reshape(3, 2)
            c = a.T[:, 1:]
            d = np.concatenate([c, X], axis=1)
            e = d.flatten()[2:5] * x
            f = e[:, None] * 2 + x[np.newaxis, 0]
            return np.outer(x, t)[1, 0] + f.sum()
        """, []),
    "the result is not the last line": ("""
        def forward(x, W):
            z = x @ W
            unused = np.exp(z)
            h = np.tanh(z)
            later = h * 2
            return h
        """, ["z = x @ W", "unused = exp(z)", "h = tanh(z)"]),
    "arithmetic": ("""
        def forward(x):
            a = -x / (1 + np.abs(x)) * k - np.sqrt(x ** 2 + 1e-3)
            c = np.clip(a, -1, 0.5) + np.minimum(a, 0.1) ** 3
            d = np.sin(c) * np.cos(np.pi * c) + exp(c) - np.log1p(c ** 2)
            return d
        """, []),
}  # fmt: skip


def ran(source: str) -> Any:
    """What the source gives when it runs."""
    space: dict[str, Any] = {}
    exec(HEAD + dedent(source), space)
    if "Net" in space:
        return space["Net"]().forward(space["t"])
    function = space["forward"]
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return function(*(space if name == "params" else space[name] for name in names))


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_read_gives_what_runs(name: str) -> None:
    """The last equation's value is the function's; the equations are those that stand there."""
    source, lines = SOURCES[name]
    problem = derive.from_numpy(HEAD + dedent(source))
    assert problem_from_text(problem.to_toml(), problem.name) == problem
    found = Oracle(problem).forward()[problem.statements[-1].name]
    np.testing.assert_allclose(np.ravel(found), np.ravel(ran(source)), rtol=1e-12)
    if lines:
        assert [" ".join(statement.source.split()) for statement in problem.statements] == lines


def test_a_source_is_solved_with_its_comments_and_its_parameters() -> None:
    """What is called like a weight is trained; comments become captions; the solution's checks pass."""
    problem = derive.from_numpy(HEAD + dedent(SOURCES["columns"][0]))
    assert set(problem.parameters) == {"W1", "b"}
    assert set(problem.given) == {"x", "t"}
    assert problem.given["x"].shape == (3, 1)
    assert derive.solve(problem).value("dE/dW1").shape == (2, 3)
    commented = derive.from_numpy(HEAD + dedent(SOURCES["rows"][0]))
    assert commented.statements[0].comment == "affine"
    listed = derive.from_numpy(HEAD + dedent(SOURCES["columns"][0]), parameters=["x"])
    assert set(listed.parameters) == {"x"}


def forward(x: Any, W: Any, b: Any) -> Any:
    """A function that is handed over itself."""
    z = x @ W + b
    return np.tanh(z)


def test_a_function_and_values_beside_it() -> None:
    """The function itself will do; values and shapes come from the call, symbolic ones too."""
    problem = derive.from_numpy(forward, given={"x": [[1, 2]]}, parameters={"W": [[1], [2]], "b": [0.5]})
    assert problem == Problem.from_equations(
        problem.to_toml().split('"""')[1],
        given={"x": [[1, 2]]},
        parameters={"W": [[1], [2]], "b": [0.5]},
        name="forward",
    )
    problem = derive.from_numpy(forward, shapes={"x": ["N", 3], "W": [3, "m"], "b": ["m"]})
    assert dict(problem.shapes) == {"x": ("N", 3), "W": (3, "m"), "b": (1, "m")}


def test_a_source_is_never_run(tmp_path: Path) -> None:
    """Nothing of the module happens: no import, no file, no call."""
    trap = tmp_path / "trap"
    path = tmp_path / "net.py"
    path.write_text(
        f"import os, nowhere_to_be_found\nopen({str(trap)!r}, 'w').close()\nos.system('touch {trap}')\nx = np.array([1, 2])\n"
        "def evil(z=open('/nowhere')):\n    raise SystemExit\n"
        "def forward(x):\n    return x * 2\n"
    )
    problem = derive.from_numpy(path)
    assert not trap.exists()
    assert problem.name == "net"
    assert problem.statements[-1].source == "y = x * 2"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def forward(x):\n    return np.fft.fft(x)", r"source:\d+: the function np.fft.fft .*supported are .*tanh"),
        ("def forward(x):\n    if x.sum() > 0:\n        return x\n    return -x", "the statement if"),
        ("def forward(x):\n    while True:\n        x = x + 1\n    return x", "the statement while"),
        ("def forward(q):\n    return q", r"source:\d+: q has no value"),
        ("def forward(x):\n    return q + x", "q is used and has no value"),
        ("def forward(x):\n    return x @ W1", r"a matrix product of the shapes \(3,\) and \(2, 3\)"),
        ("def forward(x):\n    return x + t", r"shapes \(3,\) and \(2,\) do not fit"),
        ("def forward(x):\n    return x[5]", "the index 5 into an axis of size 3"),
        ("def forward(x):\n    return x.sum(axis=1)", "axis 1 of an array with 1 axis"),
        ("def forward(x):\n    x[0] = 1\n    return x", "an assignment to a part of an array"),
        ("def forward(x):\n    return f(x)\ndef f(x):\n    return f(x)", "f, which calls itself"),
        ("def forward(x):\n    for i in range(10**7):\n        x = x + 1\n    return x", "a loop of 10000000 turns|that is no whole number"),
        ("def forward(x):\n    for i in range(1000000):\n        x = x + 1\n    return x", "a loop of 1000000 turns, at most 1000"),
        ("def forward(x):\n    for i in range(1000):\n        for j in range(1000):\n            x = x + 1\n    return x", "more than 5000 steps"),
        ("def forward(x):\n    return f19(x)\ndef f0(x): return x\n" + "".join(f"def f{i+1}(x): return f{i}(x) + f{i}(x) * k\n" for i in range(19)), "more than 50000 expressions"),
        ("def forward(x):\n    return [i for i in x]", "in an expression"),
        ("def forward(x):\n    return x ** x", "a power whose exponent is no constant"),
        ("def forward(x):\n    pass", "forward returns nothing"),
        ("def forward(x):\n    return x", "gives back what it was given"),
        ("def backward(x):\n    return x", r"there is no function forward"),
        ("def forward(x:\n    return x", r"source:\d+: this is not Python"),
        ("def forward(*x):\n    return x", "with \\* or \\*\\* among its arguments"),
        ("def forward(x):\n    return np.clip(x, 1, 0.5)", "an interval from 1 to 1/2"),
        ("def forward(x):\n    return x[np.arange(3), y]", r"entries of an array of the shape \(3,\) by lists"),
        ("def forward(x):\n    return x.fit()", "the method .fit"),
        ("def forward(x):\n    return np.reshape(x, (2, 2))", r"the shape \(3,\) cannot have the shape \(2, 2\)"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_one_message_with_its_line(source: str, message: str) -> None:
    """It names the function or statement, the line, and what is supported."""
    with pytest.raises(ProblemError, match=message):
        derive.from_numpy(HEAD + source)
