"""Ten networks worked in plain NumPy, line by line, and slips put into the lines as text.

Nothing here knows derive's formulas: a line is Python, a slip is another line in its place. ``d_W`` is the derivative
of the loss by ``W``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Network:
    """``forward`` and ``backward`` are lines, ``data`` is what they start from; the names of ``trained`` move."""

    name: str
    equations: str
    forward: tuple[str, ...]
    backward: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    trained: tuple[str, ...]
    fixed: Mapping[str, Any]
    rate: str = "0.5"

    draw: int = 0

    @property
    def loss(self) -> str:
        """The last of the forward values."""
        return self.forward[-1].split()[0]

    def data(self) -> dict[str, Any]:
        """Numbers with one decimal, the same each time; another ``draw`` has others."""
        made = np.random.default_rng(sum(map(ord, self.name)) + 1000 * self.draw)
        numbers = {name: np.round(made.uniform(-1.5, 1.5, shape), 1) for name, shape in self.shapes.items()}
        return {**numbers, **{name: np.array(value, dtype=float) for name, value in self.fixed.items()}}

    def problem(self) -> str:
        """The same as a problem file."""

        def table(names: Any) -> str:
            return "\n".join(
                f"{name} = {np.array(value).tolist()}" for name, value in self.data().items() if name in names
            )

        wanted = ", ".join(f'"{line.split(" = ")[0][2:]}"' for line in self.backward)
        return (
            f'equations = """\n{self.equations.strip()}\n"""\n[given]\n{table(self.data().keys() - set(self.trained))}\n'
            f"[parameters]\n{table(self.trained)}\n[ask]\ngradients = [{wanted}]\nupdate = {{ rate = {self.rate} }}\n"
        )


def sig(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


def soft(z: Any) -> Any:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def rows(a: Any) -> Any:
    return a.sum(axis=0, keepdims=True)


def columns(a: Any) -> Any:
    return a.sum(axis=1, keepdims=True)


WORDS: dict[str, Any] = {
    "np": np,
    "sig": sig,
    "relu": relu,
    "soft": soft,
    "rows": rows,
    "columns": columns,
    "tanh": np.tanh,
    "log": np.log,
}


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def work(network: Network, changed: Mapping[str, str], order: str = "", digits: int | None = None) -> Values:
    """Every value of one round and of the forward pass after its update.

    ``changed`` has other lines for some names; ``order`` is ``"early:W2"`` (its new value is used on the way back) or
    ``"kept:b1"`` (it is not updated), ``"uphill:"``. With ``digits`` every value is rounded before it is used.
    """
    how, _, which = order.partition(":")
    here = network.data()
    values: Values = {}
    with np.errstate(all="ignore"):
        env = {**WORDS, **here}
        for line in (*network.forward, *network.backward):
            name = line.split(" = ")[0]
            line = changed.get(name, line)
            if how == "early" and f"d_{which}" in env and name.startswith("d_") and name != f"d_{which}":
                env[which] = here[which] - float(network.rate) * env[f"d_{which}"]
            env[name] = eval(line.split(" = ", 1)[1], env)
            values[name] = env[name] = _rounded(env[name], digits)
        env = {**WORDS, **here}
        for name in network.trained:
            if not (how == "kept" and name == which):
                step = float(network.rate) * values[f"d_{name}"]
                env[name] = _rounded(here[name] + step if how == "uphill" else here[name] - step, digits)
            values[f"{name}@1"] = env[name]
        for line in network.forward:
            name = line.split(" = ")[0]
            env[name] = _rounded(eval(changed.get(name, line).split(" = ", 1)[1], env), digits)
            values[f"{name}@1"] = env[name]
    return values


def _rounded(value: Any, digits: int | None) -> Any:
    return value if digits is None else np.sign(value) * np.floor(np.abs(value) * 10**digits + 0.5) / 10**digits


NETWORKS = (
    Network(
        "sigmoid", "z1 = x @ W1 + b1\nh = sigmoid(z1)\nz2 = h @ W2 + b2\no = sigmoid(z2)\nE = sum((o - t)**2) / 2",
        lines("z1 = x @ W1 + b1\nh = sig(z1)\nz2 = h @ W2 + b2\no = sig(z2)\nE = ((o - t)**2).sum() / 2"),
        lines("d_o = o - t\nd_z2 = d_o * o * (1 - o)\nd_W2 = h.T @ d_z2\nd_b2 = d_z2\nd_h = d_z2 @ W2.T\nd_z1 = d_h * h * (1 - h)\nd_W1 = x.T @ d_z1\nd_b1 = d_z1"),
        {"x": (1, 3), "t": (1, 2), "W1": (3, 2), "b1": (1, 2), "W2": (2, 2), "b2": (1, 2)}, ("W1", "b1", "W2", "b2"), {},
    ),
    Network(
        "relu", "z1 = x @ W1 + b1\nh = relu(z1)\ny = h @ W2 + b2\nE = (y - t)**2 / 2",
        lines("z1 = x @ W1 + b1\nh = relu(z1)\ny = h @ W2 + b2\nE = ((y - t)**2).sum() / 2"),
        lines("d_y = y - t\nd_W2 = h.T @ d_y\nd_b2 = d_y\nd_h = d_y @ W2.T\nd_z1 = d_h * (z1 > 0)\nd_W1 = x.T @ d_z1\nd_b1 = d_z1"),
        {"x": (1, 2), "t": (1, 1), "W2": (4, 1), "b2": (1, 1)}, ("W1", "b1", "W2", "b2"),
        {"W1": [[0.5, -1, 1.2, 0.7], [1.1, 0.4, -0.3, 0.9]], "b1": [[0.3, 0.6, -0.2, 0.1]]},
    ),
    Network(
        "classes", "Z1 = X @ W1 + b1\nH = tanh(Z1)\nZ2 = H @ W2 + b2\nP = softmax(Z2)\nL = cross_entropy(Z2, y)",
        lines("Z1 = X @ W1 + b1\nH = tanh(Z1)\nZ2 = H @ W2 + b2\nP = soft(Z2)\nL = -(y * log(P)).sum() / 3"),
        lines("d_Z2 = (P - y) / 3\nd_W2 = H.T @ d_Z2\nd_b2 = rows(d_Z2)\nd_H = d_Z2 @ W2.T\nd_Z1 = d_H * (1 - H**2)\nd_W1 = X.T @ d_Z1\nd_b1 = rows(d_Z1)"),
        {"X": (3, 2), "W1": (2, 3), "b1": (1, 3), "W2": (3, 3), "b2": (1, 3)}, ("W1", "b1", "W2", "b2"),
        {"y": [[1, 0, 0], [0, 0, 1], [0, 1, 0]]},
    ),
    Network(
        "mean", "Z1 = X @ W1 + b1\nH = tanh(Z1)\nY = H @ W2 + b2\nE = mean((Y - T)**2)",
        lines("Z1 = X @ W1 + b1\nH = tanh(Z1)\nY = H @ W2 + b2\nE = ((Y - T)**2).sum() / 6"),
        lines("d_Y = 2 * (Y - T) / 6\nd_W2 = H.T @ d_Y\nd_b2 = rows(d_Y)\nd_H = d_Y @ W2.T\nd_Z1 = d_H * (1 - H**2)\nd_W1 = X.T @ d_Z1\nd_b1 = rows(d_Z1)"),
        {"X": (3, 2), "T": (3, 2), "W1": (2, 3), "b1": (1, 3), "W2": (3, 2), "b2": (1, 2)}, ("W1", "b1", "W2", "b2"), {},
    ),
    Network(
        "logistic", "Z1 = X @ W1 + b1\nH = sigmoid(Z1)\nz = H @ w + b\np = sigmoid(z)\nE = sum(binary_cross_entropy(p, t))",
        lines("Z1 = X @ W1 + b1\nH = sig(Z1)\nz = H @ w + b\np = sig(z)\nE = -(t * log(p) + (1 - t) * log(1 - p)).sum()"),
        lines("d_p = (p - t) / (p * (1 - p))\nd_z = d_p * p * (1 - p)\nd_w = H.T @ d_z\nd_b = d_z.sum()\nd_H = d_z @ w.T\nd_Z1 = d_H * H * (1 - H)\nd_W1 = X.T @ d_Z1\nd_b1 = rows(d_Z1)"),
        {"X": (3, 2), "W1": (2, 2), "b1": (1, 2), "w": (2, 1), "b": ()}, ("W1", "b1", "w", "b"), {"t": [[1], [0], [1]]},
    ),
    Network(
        "deep", "z1 = x @ W1 + b1\nh1 = tanh(z1)\nz2 = h1 @ W2 + b2\nh2 = sigmoid(z2)\nz3 = h2 @ W3\ny = tanh(z3)\nE = sum((y - t)**2) / 2",
        lines("z1 = x @ W1 + b1\nh1 = tanh(z1)\nz2 = h1 @ W2 + b2\nh2 = sig(z2)\nz3 = h2 @ W3\ny = tanh(z3)\nE = ((y - t)**2).sum() / 2"),
        lines("d_y = y - t\nd_z3 = d_y * (1 - y**2)\nd_W3 = h2.T @ d_z3\nd_h2 = d_z3 @ W3.T\nd_z2 = d_h2 * h2 * (1 - h2)\nd_W2 = h1.T @ d_z2\nd_b2 = d_z2\nd_h1 = d_z2 @ W2.T\nd_z1 = d_h1 * (1 - h1**2)\nd_W1 = x.T @ d_z1\nd_b1 = d_z1"),
        {"x": (1, 2), "t": (1, 2), "W1": (2, 2), "b1": (1, 2), "W2": (2, 2), "b2": (1, 2), "W3": (2, 2)}, ("W1", "b1", "W2", "b2", "W3"), {},
    ),
    Network(
        "columns", "z1 = W1 @ x + b1\nh = sigmoid(z1)\nz2 = W2 @ h + b2\no = tanh(z2)\nE = sum((t - o)**2) / 2",
        lines("z1 = W1 @ x + b1\nh = sig(z1)\nz2 = W2 @ h + b2\no = tanh(z2)\nE = ((t - o)**2).sum() / 2"),
        lines("d_o = -(t - o)\nd_z2 = d_o * (1 - o**2)\nd_W2 = d_z2 @ h.T\nd_b2 = d_z2\nd_h = W2.T @ d_z2\nd_z1 = d_h * h * (1 - h)\nd_W1 = d_z1 @ x.T\nd_b1 = d_z1"),
        {"x": (3, 1), "t": (2, 1), "W1": (2, 3), "b1": (2, 1), "W2": (2, 2), "b2": (2, 1)}, ("W1", "b1", "W2", "b2"), {},
    ),
    Network(
        "skip", "z1 = x @ W1\nh1 = tanh(z1)\nz2 = h1 @ W2 + b2\nh2 = sigmoid(z2)\ns = h2 + h1\ny = s @ v\nE = (y - t)**2 / 2",
        lines("z1 = x @ W1\nh1 = tanh(z1)\nz2 = h1 @ W2 + b2\nh2 = sig(z2)\ns = h2 + h1\ny = s @ v\nE = ((y - t)**2).sum() / 2"),
        lines("d_y = y - t\nd_v = s.T @ d_y\nd_s = d_y @ v.T\nd_h2 = d_s\nd_z2 = d_h2 * h2 * (1 - h2)\nd_W2 = h1.T @ d_z2\nd_b2 = d_z2\nd_h1 = d_s + d_z2 @ W2.T\nd_z1 = d_h1 * (1 - h1**2)\nd_W1 = x.T @ d_z1"),
        {"x": (1, 2), "t": (1, 1), "W1": (2, 3), "W2": (3, 3), "b2": (1, 3), "v": (3, 1)}, ("W1", "W2", "b2", "v"), {},
    ),
    Network(
        "time", "a1 = x1 @ U + b\nh1 = tanh(a1)\na2 = x2 @ U + h1 @ V + b\nh2 = tanh(a2)\ny = h2 @ w\nE = (y - t)**2 / 2",
        lines("a1 = x1 @ U + b\nh1 = tanh(a1)\na2 = x2 @ U + h1 @ V + b\nh2 = tanh(a2)\ny = h2 @ w\nE = ((y - t)**2).sum() / 2"),
        lines("d_y = y - t\nd_w = h2.T @ d_y\nd_h2 = d_y @ w.T\nd_a2 = d_h2 * (1 - h2**2)\nd_V = h1.T @ d_a2\nd_h1 = d_a2 @ V.T\nd_a1 = d_h1 * (1 - h1**2)\nd_U = x1.T @ d_a1 + x2.T @ d_a2\nd_b = d_a1 + d_a2"),
        {"x1": (1, 2), "x2": (1, 2), "t": (1, 1), "U": (2, 3), "V": (3, 3), "b": (1, 3), "w": (3, 1)}, ("U", "V", "b", "w"), {},
    ),
    Network(
        "gate", "z = x @ W\nu = x @ U\ng = sigmoid(u)\nc = tanh(z)\nm = g * c\ny = m @ v + b\nE = sum((y - t)**2) / 2",
        lines("z = x @ W\nu = x @ U\ng = sig(u)\nc = tanh(z)\nm = g * c\ny = m @ v + b\nE = ((y - t)**2).sum() / 2"),
        lines("d_y = y - t\nd_v = m.T @ d_y\nd_b = d_y\nd_m = d_y @ v.T\nd_g = d_m * c\nd_c = d_m * g\nd_z = d_c * (1 - c**2)\nd_W = x.T @ d_z\nd_u = d_g * g * (1 - g)\nd_U = x.T @ d_u"),
        {"x": (1, 3), "t": (1, 2), "W": (3, 2), "U": (3, 2), "v": (2, 2), "b": (1, 2)}, ("W", "U", "v", "b"), {},
    ),
)  # fmt: skip


# ── slips, as text ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Injected:
    """The slip that was made: in which line, of which kind, and what the line became."""

    kind: str
    name: str
    line: str = ""
    order: str = ""


Rule = Callable[[str], Iterator[str]]


def _swap(pattern: str, by: str) -> Rule:
    """The right-hand side with one occurrence of a pattern replaced, each in turn."""

    def rule(right: str) -> Iterator[str]:
        for match in re.finditer(pattern, right):
            yield right[: match.start()] + match.expand(by) + right[match.end() :]

    return rule


RULES: tuple[tuple[str, Rule], ...] = (
    ("sign", _swap(r" - ", " + ")),
    ("sign", _swap(r"^(?=[^(-]+$)", "-")),  # minus in front of a product
    ("sign", _swap(r"\((\w+) - (\w+)\)", r"(\2 - \1)")),
    ("sign", _swap(r"^(\w+) - (\w+)$", r"\2 - \1")),
    ("slope", _swap(r" \* (\w+) \* \(1 - \1\)", "")),
    ("slope", _swap(r" \* \(1 - \w+\*\*2\)", "")),
    ("slope", _swap(r" \* \(z1 > 0\)", "")),
    ("square", _swap(r"\(1 - (\w+)\*\*2\)", r"(1 - \1)")),
    ("half", _swap(r" \* \(1 - (\w+)\)$", "")),
    ("number", _swap(r" / \d$", "")),
    ("term", _swap(r" \+ b\d?$", "")),
    ("term", _swap(r" \+ .+$", "")),
    ("term", _swap(r"^d_s \+ |^x1\.T @ d_a1 \+ |^d_a1 \+ ", "")),
    ("transpose", _swap(r"\b(W2|W3|V|v)\.T", r"\1")),
    ("activation", _swap(r"\b(sig|tanh|relu)\((\w+)\)", r"\2")),
    ("pre_activation", _swap(r"\bh\b", "z1")),
    ("pre_activation", _swap(r"\bH\b", "Z1")),
    ("pre_activation", _swap(r"\bh1\b", "a1")),
    ("pre_activation", _swap(r"\bo\b", "z2")),
    ("other", _swap(r"\bd_z(\d?)\b", r"d_h")),
    ("other", _swap(r"\bd_a2\b", r"d_h2")),
    ("factor", _swap(r"^(?=\w+ [-@] )(.*)$", r"2 * (\1)")),
    ("factor", _swap(r"^(rows\(\w+\))$", r"\1 / 3")),
    ("extra_slope", _swap(r"^\((P - y)\) / 3$", r"\1 * P * (1 - P) / 3")),
    ("softmax", _swap(r"^\(P - y\) / 3$", r"-y * (1 - P) / 3")),
    ("extra_slope", _swap(r"^(d_z2 @ W2\.T)$", r"(\1) * h * (1 - h)")),
    ("other_name", _swap(r"\bx\.T", "h1.T")),
    ("other_name", _swap(r"\bh2\b", "h1")),
    ("other_name", _swap(r"\bx1\.T", "x2.T")),
)  # fmt: skip


def injections(network: Network) -> Iterator[Injected]:
    """Every slip that changes a printed value, each line once."""
    right = work(network, {})
    seen: set[tuple[str, str]] = set()
    for line in (*network.forward, *network.backward):
        name, formula = line.split(" = ", 1)
        for kind, rule in RULES:
            for wrong in rule(formula):
                if wrong != formula and (name, wrong) not in seen:
                    seen.add((name, wrong))
                    yield from _shown(network, right, Injected(kind, name, f"{name} = {wrong}"))
    for name in network.trained:
        yield from _shown(network, right, Injected("early", "update", order=f"early:{name}"))
        yield from _shown(network, right, Injected("kept", "update", order=f"kept:{name}"))
    yield from _shown(network, right, Injected("uphill", "update", order="uphill:"))


def outcome(network: Network, slip: Injected) -> Values:
    """What the solution prints with the slip in it."""
    return work(network, {slip.name: slip.line} if slip.line else {}, slip.order)


def _shown(network: Network, right: Values, slip: Injected) -> Iterator[Injected]:
    try:
        found = outcome(network, slip)
    except (ValueError, NameError, TypeError, SyntaxError):  # sizes that do not fit, a bracket torn apart
        return
    if any(np.shape(found[name]) != np.shape(right[name]) for name in right):
        return
    finite = all(np.isfinite(found[name]).all() for name in right)
    if finite and any((np.round(found[name], 4) != np.round(right[name], 4)).any() for name in right):
        yield slip
