"""A problem's equations run by Python itself in plain NumPy, and differentiated by differences: no engine of derive's.

The text of the equations is Python but for what the language page says: no one-dimensional arrays, a slice keeps its
axes, labels may be class numbers. An array type with that indexing, and one short function for each of the language's,
make up for it. Derivatives are differences of fourth order, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from derive.problem import Problem

Env = dict[str, Any]
MEMBER = re.compile(r"(\w+)\[(-?\d+)\]")


class Axes(np.ndarray):
    """An array whose slices keep their axes; whole numbers for all of them pick a number."""

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if len(items) == self.ndim and all(isinstance(item, int) for item in items):
            return np.asarray(self)[items]
        return super().__getitem__(tuple(slice(i, i + 1 or None) if isinstance(i, int) else i for i in items))


def array(x: Any) -> Any:
    """``x`` with that indexing."""
    return np.asarray(x, dtype=float).view(Axes)


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf)(np.asarray(x, dtype=float))


def _keep(reduce: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None: reduce(x, axis=axis, keepdims=axis is not None)


def _softmax(z: Any, axis: int = -1) -> Any:
    return np.exp(z) / np.sum(np.exp(z), axis=axis, keepdims=True)


def _one_hot(z: Any, y: Any, axis: int) -> Any:
    if np.shape(y) == np.shape(z):
        return y
    return np.moveaxis(np.eye(z.shape[axis])[np.ravel(y).astype(int)].reshape(np.moveaxis(z, axis, -1).shape), -1, axis)


def _cross_entropy(z: Any, y: Any, axis: int = -1, reduction: str = "mean") -> Any:
    whole = -np.sum(_one_hot(z, y, axis) * np.log(_softmax(z, axis)))
    return whole / (z.size // z.shape[axis] if reduction == "mean" else 1)


def _pair(n: Any) -> tuple[int, int]:
    return tuple(map(int, n)) if isinstance(n, tuple) else (int(n), int(n))  # type: ignore[return-value]


def _conv2d(x: Any, w: Any, stride: Any = 1, padding: Any = 0) -> Any:
    plain = np.ndim(x) == 2
    x, w = (np.asarray(a)[None, None] if plain else np.asarray(a) for a in (x, w))
    (s, t), (p, q) = _pair(stride), _pair(padding)
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    height, width = (x.shape[2] - w.shape[2]) // s + 1, (x.shape[3] - w.shape[3]) // t + 1
    z = np.zeros((x.shape[0], w.shape[0], height, width))
    for n, f, i, j in itertools.product(*map(range, z.shape)):
        z[n, f, i, j] = np.sum(x[n, :, s * i : s * i + w.shape[2], t * j : t * j + w.shape[3]] * w[f])
    return array(z[0, 0] if plain else z)


def _conv1d(x: Any, w: Any, stride: int = 1, padding: int = 0) -> Any:
    plain = np.ndim(x) == 2
    x, w = (np.asarray(a)[None] if plain else np.asarray(a) for a in (x, w))
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    z = np.zeros((x.shape[0], w.shape[0], (x.shape[2] - w.shape[2]) // stride + 1))
    for n, f, i in itertools.product(*map(range, z.shape)):
        z[n, f, i] = np.sum(x[n, :, stride * i : stride * i + w.shape[2]] * w[f])
    return array(z[0] if plain else z)


def _pool(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def pool(x: Any, n: Any, stride: Any = None) -> Any:
        (height, width), (s, t) = _pair(n), _pair(n if stride is None else stride)
        rows, columns = (x.shape[-2] - height) // s + 1, (x.shape[-1] - width) // t + 1
        lead = x.shape[:-2]
        z = np.zeros((*lead, rows, columns))
        for i, j in itertools.product(range(rows), range(columns)):
            window = np.asarray(x)[..., s * i : s * i + height, t * j : t * j + width]
            z[..., i, j] = reduce(window, axis=(-2, -1))
        return array(z)

    return pool


def _normal(axis: int) -> Callable[..., Any]:
    def normal(x: Any, eps: float = 1e-5) -> Any:
        centred = x - np.mean(x, axis=axis, keepdims=True)
        return centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + eps)

    return normal


def _norm(x: Any, axis: int | None = None) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=axis is not None))


def _diag(x: Any) -> Any:
    return np.diag(np.ravel(x)) if 1 in x.shape else np.diag(x).reshape(1, -1)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z, slope=0.01: np.where(z > 0, z, slope * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "gelu": lambda z: z * (1 + _erf(z / math.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "exp": np.exp, "log": np.log, "log2": np.log2, "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos,
    "square": np.square, "maximum": np.maximum, "minimum": np.minimum, "clip": np.clip,
    "sum": _keep(np.sum), "mean": _keep(np.mean), "max": _keep(np.max), "min": _keep(np.min),
    "norm": _norm, "trace": np.trace, "det": np.linalg.det, "inv": np.linalg.inv,
    "logdet": lambda a: np.linalg.slogdet(a)[1],
    "diag": _diag, "outer": lambda a, b: np.ravel(a)[:, None] * np.ravel(b)[None, :],
    "softmax": _softmax, "log_softmax": lambda z, axis=-1: np.log(_softmax(z, axis)),
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
    "concat": lambda *parts, axis=0: np.concatenate(parts, axis=axis),
    "stack": lambda *parts, axis=0: np.stack(parts, axis=axis),
    "reshape": lambda a, *shape: np.reshape(a, shape),
    "flatten": lambda a: np.reshape(a, (a.shape[0] if np.ndim(a) > 2 else 1, -1)),
    "one_hot": lambda y, classes: np.eye(classes)[np.ravel(y).astype(int)],
    "embedding": lambda e, index: np.asarray(e)[np.ravel(index).astype(int)],
    "ones": lambda *shape: np.ones(shape), "zeros": lambda *shape: np.zeros(shape),
    "conv1d": _conv1d, "conv2d": _conv2d, "max_pool": _pool(np.max), "avg_pool": _pool(np.mean),
    "layer_norm": _normal(-1), "batch_norm": _normal(0),
}  # fmt: skip


def _numbers(tensor: Any) -> Any:
    return np.array([int(x.p) / int(x.q) for x in tensor.entries]).reshape(tensor.shape)


class Plain:
    """One part of a problem: ``run`` gives all values by name, ``gradient`` a derivative by differences."""

    def __init__(self, problem: Problem) -> None:
        self.data = {n: _numbers(t) for n, t in (*problem.given.items(), *problem.parameters.items())}
        self._lines = [compile(_assigned(s.source, s.name), s.name, "exec") for s in problem.statements]
        self._names = [s.name for s in problem.statements]
        own = {
            name: eval(f"lambda {formula[0]}: {_text(formula[1])}", {**FUNCTIONS, "pi": math.pi})
            for name, formula in problem.functions.items()
            if formula is not None
        }
        self._functions = {**FUNCTIONS, "pi": math.pi, **own}

    def run(self, **nudges: Any) -> Env:
        """Every value; ``nudges`` are added to data, or to an equation's value as soon as it is there."""
        env: Env = dict(self._functions)
        families: dict[str, dict[int, Any]] = defaultdict(dict)
        values: Env = {}

        def keep(name: str, value: Any) -> None:
            value = np.asarray(value, dtype=float) + nudges.get(name, 0.0)
            values[name] = np.asarray(value)
            member = MEMBER.fullmatch(name)
            if member:
                families[member[1]][int(member[2])] = array(value)
                env[member[1]] = families[member[1]]
            else:
                env[name] = array(value) if value.ndim else float(value)

        for name, value in self.data.items():
            keep(name, value)
        for name, line in zip(self._names, self._lines, strict=True):
            exec(line, env)
            keep(name, env.pop("_value_"))
        return values

    def gradient(self, of: str, by: str, step: float = 1e-3) -> Any:
        """d of / d by for a scalar ``of``, entry by entry, in the shape of ``by``."""
        here = self.run()[by]
        result = np.zeros(here.shape)
        for index in np.ndindex(here.shape):

            def at(h: float, index: Any = index) -> float:
                nudge = np.zeros(here.shape)
                nudge[index] = h
                return float(np.sum(self.run(**{by: nudge})[of]))

            result[index] = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
        return result


def _assigned(source: str, name: str) -> str:
    """The right-hand side of an equation, for a variable of its own."""
    return "_value_ = (" + source.split("=", 1)[1].strip() + ")"


def _text(node: Any) -> str:
    """A formula of the problem's own as Python."""
    from derive.problem import syntax

    match node:
        case syntax.Number(value=value):
            return f"({int(value.p)} / {int(value.q)})"
        case syntax.Name(id=name):
            return str(name)
        case syntax.Negate(operand=operand):
            return f"(-{_text(operand)})"
        case syntax.Binary(operator=operator, left=left, right=right):
            return f"({_text(left)} {operator} {_text(right)})"
        case syntax.Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(_text, arguments))})"
    raise AssertionError(node)
