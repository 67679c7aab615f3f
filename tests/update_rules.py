"""Update rules as their sources write them, in NumPy, for one layer with three samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from derive.numbers import arrays
from derive.problem import problem_from_text
from derive.problem.problem import Problem
from derive.solution import Part

HERE = Path(__file__).parent
RATE = 0.05


def layer(update: str, more: str = "") -> Problem:
    """A tanh layer with three samples; weights decay only where the update says so."""
    return problem_from_text(
        f'''equations = """
z = x @ W + b
h = tanh(z)
E = sum((h - y)**2) / 2
"""
[given]
x = [[1, -2], [0.5, 3], [2, 1]]
y = [[0.1, 0.2], [0.3, -0.2], [0.5, 0.5]]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
b = [0.1, 0.2]
[ask]
gradients = []
update = {{ rate = {RATE}, {update} }}
{more}''',
        name="layer",
    )


X = np.array([[1, -2], [0.5, 3], [2, 1]])
Y = np.array([[0.1, 0.2], [0.3, -0.2], [0.5, 0.5]])
Arrays = dict[str, Any]


def start() -> Arrays:
    """The parameters of the layer."""
    return {"W": np.array([[0.1, -0.2], [0.4, 0.5]]), "b": np.array([[0.1, 0.2]])}


def loss(p: Arrays, rows: list[int]) -> float:
    """Half the squared error of some rows."""
    return float(((np.tanh(X[rows] @ p["W"] + p["b"]) - Y[rows]) ** 2).sum() / 2)


def slope(p: Arrays, rows: list[int]) -> Arrays:
    """Its gradient, by hand."""
    h = np.tanh(X[rows] @ p["W"] + p["b"])
    g = (h - Y[rows]) * (1 - h**2)
    return {"W": X[rows].T @ g, "b": g.sum(axis=0, keepdims=True)}


# ── each rule, as its source writes it ──────────────────────────────────────────────────────────────────────────

Step = Callable[[Any, Arrays, Callable[[Any], Any], int], Any]


def _sum(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """PyTorch's SGD: b_t = mu b_(t-1) + g_t, theta = theta - lr b_t."""
    s["v"] = 0.9 * s.get("v", 0) + g(w)
    return w - RATE * s["v"]


def _mean(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """PyTorch's with a dampening of 0.9."""
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g(w)
    return w - RATE * s["v"]


def _step(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """Sutskever et al. (2013), equations 1 and 2: v = mu v - eps g(theta), theta = theta + v."""
    s["v"] = 0.9 * s.get("v", 0) - RATE * g(w)
    return w + s["v"]


def _ahead(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """Sutskever et al. (2013), equations 3 and 4: v = mu v - eps g(theta + mu v), theta = theta + v."""
    v = s.get("v", 0 * w)
    s["v"] = 0.9 * v - RATE * g(w + 0.9 * v)
    return w + s["v"]


def _pytorch_nesterov(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """PyTorch's SGD with nesterov=True: g_t + mu b_t in place of b_t."""
    here = g(w)
    s["v"] = 0.9 * s.get("v", 0) + here
    return w - RATE * (here + 0.9 * s["v"])


def _adagrad(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """PyTorch's Adagrad with eps = 1e-8."""
    s["s"] = s.get("s", 0) + g(w) ** 2
    return w - RATE * g(w) / (np.sqrt(s["s"]) + 1e-8)


def _rmsprop(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """PyTorch's RMSprop with alpha = 0.9."""
    s["s"] = 0.9 * s.get("s", 0) + 0.1 * g(w) ** 2
    return w - RATE * g(w) / (np.sqrt(s["s"]) + 1e-8)


def adam(w: Any, s: Arrays, g: Callable[[Any], Any], t: int) -> Any:
    """Kingma and Ba (2015), algorithm 1."""
    s["m"] = 0.9 * s.get("m", 0) + (1 - 0.9) * g(w)
    s["v"] = 0.999 * s.get("v", 0) + (1 - 0.999) * g(w) ** 2
    return w - RATE * (s["m"] / (1 - 0.9**t)) / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8)


RULES: Mapping[str, Step] = {
    'rule = "sgd"': lambda w, s, g, t: w - RATE * g(w),
    'rule = "momentum"': _sum,
    'rule = "momentum", form = "mean", gamma = 0.9': _mean,
    'rule = "momentum", form = "step", mu = 0.9': _step,
    'rule = "nesterov"': _ahead,
    'rule = "nesterov", form = "sum"': _pytorch_nesterov,
    'rule = "adagrad"': _adagrad,
    'rule = "rmsprop"': _rmsprop,
    'rule = "adam"': adam,
}


def followed(step: Step, orders: list[list[int]], decay: float = 0.0, decoupled: bool = False) -> tuple[Arrays, Arrays]:
    """Parameters and memory after one update for each batch of rows; the weights alone decay."""
    p = start()
    memory: dict[str, Arrays] = {"W": {}, "b": {}}
    for t, rows in enumerate(orders, 1):
        after = {}
        velocities = {name: memory[name].get("v", 0) for name in p}  # those that this update finds
        for name, w in p.items():
            strength = decay if name == "W" else 0.0

            def g(at: Any, here: Arrays = p, v: Arrays = velocities, rows: list[int] = rows, name: str = name) -> Any:
                # a rule that looks ahead moves every parameter there
                moved = here if at is here[name] else {k: x + 0.9 * v[k] for k, x in here.items()}
                return slope(moved, rows)[name]

            def with_decay(at: Any, g: Callable[[Any], Any] = g, strength: float = strength) -> Any:
                return g(at) + (0 if decoupled else strength * at)

            after[name] = step(w, memory[name], with_decay, t) - (RATE * strength * w if decoupled else 0)
        p = after
    return p, memory


def values(solution: Part) -> Arrays:
    """The parameters after the last certified update."""
    assert solution.history is not None
    return {name: arrays.to_floats(solution.history.runs[-1].value(name)) for name in ("W", "b")}
