"""HIPS autograd as an outside witness: values only, in its own NumPy, and its own derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad

from derive.problem import syntax
from derive.problem.problem import Problem

Env = dict[str, Any]


def number(x: Any) -> float:
    """A rational as a double (not every release of FLINT's binding has ``float`` of one)."""
    return int(x.p) / int(x.q)


def _erf(x: Any) -> Any:
    term = total = x
    for n in range(1, 80):
        term = term * (2 * x * x / (2 * n + 1))
        total = total + term
    return 2 / math.sqrt(math.pi) * anp.exp(-x * x) * total


def _cross_entropy(z: Any, y: Any, axis: int, reduction: str) -> Any:
    log_p = z - anp.log(anp.sum(anp.exp(z), axis=axis, keepdims=True))
    return -anp.sum(y * log_p) / (z.size // z.shape[axis] if reduction == "mean" else 1)


def _whole(numbers: Any) -> Any:
    return np.rint(np.array(getattr(numbers, "_value", numbers))).astype(int).ravel()


def _stack(*parts: Any, axis: int) -> Any:
    if anp.ndim(parts[0]) == 0:
        return anp.reshape(anp.stack(parts), (1, -1))
    return anp.stack([anp.ravel(part) for part in parts], axis=axis)


def _normal(x: Any, axis: int, eps: Any) -> Any:
    return (x - anp.mean(x, axis=axis, keepdims=True)) / anp.sqrt(anp.var(x, axis=axis, keepdims=True) + number(eps))


def _convolution(dims: int) -> Callable[..., Any]:
    """Every entry as the sum that it is, one loop inside another."""

    def convolve(x: Any, w: Any, stride: int, padding: int) -> Any:
        flat = x.ndim == 2
        if flat:
            lead = (1,) if dims == 1 else (1, 1)
            x, w = anp.reshape(x, (*lead, *x.shape)), anp.reshape(w, (*lead, *w.shape))
        x = anp.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * dims, "constant")
        counts = [(x.shape[2 + k] - w.shape[2 + k]) // stride + 1 for k in range(dims)]
        entries = []
        for n in range(x.shape[0]):
            for f in range(w.shape[0]):
                for place in np.ndindex(*counts):
                    part = tuple(slice(i * stride, i * stride + w.shape[2 + k]) for k, i in enumerate(place))
                    entries.append(anp.sum(x[(n, slice(None), *part)] * w[f]))
        whole = (1, *counts) if flat and dims == 1 else counts if flat else (x.shape[0], w.shape[0], *counts)
        return anp.reshape(anp.stack(entries), tuple(whole))

    return convolve


def _pooling(of_window: Callable[[Any], Any]) -> Callable[..., Any]:
    def pool(x: Any, n: int, stride: int) -> Any:
        shape = x.shape
        space = shape[2:] if len(shape) > 2 else shape
        x = anp.reshape(x, (-1, *space))
        sizes = [1 if size == 1 else n for size in space]
        counts = [(size - k) // stride + 1 if size > 1 else 1 for size, k in zip(space, sizes, strict=True)]
        entries = [
            of_window(x[(k, *(slice(i * stride, i * stride + s) for i, s in zip(place, sizes, strict=True)))])
            for k in range(x.shape[0])
            for place in np.ndindex(*counts)
        ]
        return anp.reshape(anp.stack(entries), (*(shape[:2] if len(shape) > 2 else ()), *counts))

    return pool


def _first_largest(window: Any) -> Any:
    flat = anp.reshape(window, (-1,))
    return flat[int(np.argmax(getattr(flat, "_value", flat)))]


VALUES: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)),
    "tanh": anp.tanh,
    "relu": lambda x: anp.where(x > 0, x, 0.0),
    "leaky_relu": lambda x, slope: anp.where(x > 0, x, number(slope) * x),
    "elu": lambda x: anp.where(x > 0, x, anp.exp(x) - 1),
    "softplus": lambda x: anp.log(1 + anp.exp(x)),
    "gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + anp.exp(-x)),
    "exp": anp.exp,
    "log": anp.log,
    "log2": anp.log2,
    "sqrt": anp.sqrt,
    "abs": anp.abs,
    "square": lambda x: x * x,
    "sin": anp.sin,
    "cos": anp.cos,
    "maximum": anp.maximum,
    "minimum": anp.minimum,
    "clip": lambda x, low, high: anp.minimum(anp.maximum(x, low), high),
    "sum": lambda x, axis: anp.sum(x, axis=axis, keepdims=axis is not None),
    "mean": lambda x, axis: anp.mean(x, axis=axis, keepdims=axis is not None),
    "max": lambda x, axis: anp.max(x, axis=axis, keepdims=axis is not None),
    "min": lambda x, axis: anp.min(x, axis=axis, keepdims=axis is not None),
    "softmax": lambda z, axis: anp.exp(z) / anp.sum(anp.exp(z), axis=axis, keepdims=True),
    "log_softmax": lambda z, axis: z - anp.log(anp.sum(anp.exp(z), axis=axis, keepdims=True)),
    "cross_entropy": _cross_entropy,
    "ones": lambda **sizes: np.ones(tuple(sizes.values())),
    "zeros": lambda **sizes: np.zeros(tuple(sizes.values())),
    "one_hot": lambda y, classes: np.eye(classes)[_whole(y)],
    "embedding": lambda table, index: table[_whole(index)],
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "max_pool": _pooling(_first_largest),
    "avg_pool": _pooling(anp.mean),
    "concat": lambda *parts, axis: anp.concatenate(parts, axis=axis),
    "stack": _stack,
    "flatten": lambda x: anp.reshape(x, (len(x) if len(x.shape) > 2 else 1, -1)),
    "reshape": lambda x, **sizes: anp.reshape(x, tuple(sizes.values())),
    "trace": lambda x: anp.sum(x * np.eye(len(x))),
    "diag": lambda x: (
        anp.reshape(x, (1, -1)) * np.eye(x.size) if 1 in x.shape else anp.sum(x * np.eye(len(x)), axis=0, keepdims=True)
    ),
    "det": anp.linalg.det,
    "logdet": lambda x: anp.linalg.slogdet(x)[1],
    "inv": anp.linalg.inv,
    "norm": lambda x, axis: anp.sqrt(anp.sum(x**2, axis=axis, keepdims=axis is not None)),
    "layer_norm": lambda x, eps: _normal(x, 1, eps),
    "batch_norm": lambda x, eps: _normal(x, 0, eps),
    "outer": lambda a, b: anp.reshape(a, (-1, 1)) * anp.reshape(b, (1, -1)),
    "binary_cross_entropy": lambda p, t: -(t * anp.log(p) + (1 - t) * anp.log(1 - p)),
}
OPERATORS: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "@": anp.dot,
    "**": lambda a, b: a**b,
    "<": lambda a, b: (a < b) * 1.0,
    "<=": lambda a, b: (a <= b) * 1.0,
    ">": lambda a, b: (a > b) * 1.0,
    ">=": lambda a, b: (a >= b) * 1.0,
    "==": lambda a, b: (a == b) * 1.0,
    "!=": lambda a, b: (a != b) * 1.0,
}


def outside(node: syntax.Node, env: Env) -> Any:
    """The value of a node in autograd's NumPy."""
    match node:
        case syntax.Number(value=value):
            return number(value)
        case syntax.Name(id=name):
            return env.get(name, math.pi)
        case syntax.Negate(operand=operand):
            return -outside(operand, env)
        case syntax.Transpose(operand=operand):
            return outside(operand, env).T
        case syntax.Binary() | syntax.Compare():
            return OPERATORS[node.operator](outside(node.left, env), outside(node.right, env))
        case syntax.Index(operand=operand, items=items):
            x = outside(operand, env)
            if len(items) == len(x.shape) and all(isinstance(i, int) for i in items):
                return x[items]
            return x[tuple(slice(i, i + 1 or None) if isinstance(i, int) else slice(*i) for i in items)]
        case syntax.Call(function=function, arguments=arguments, options=options):
            return VALUES[function](*(outside(a, env) for a in arguments), **dict(options))


def autograd_gradients(problem: Problem, loss: str) -> Env:
    """The gradient of ``loss`` by every name: intermediates get a zero added, by which autograd differentiates."""
    data = {
        name: np.array([number(x) for x in tensor]).reshape(tensor.shape)
        for name, tensor in (*problem.given.items(), *problem.parameters.items())
    }

    def run(nudges: Env) -> Env:
        env = {name: x + nudges.get(name, 0.0) for name, x in data.items()}
        for statement in problem.statements:
            env[statement.name] = outside(statement.expression, env) + nudges.get(statement.name, 0.0)
        return env

    values = run({})
    return dict(
        grad(lambda nudges: anp.sum(run(nudges)[loss]))({name: np.zeros(np.shape(x)) for name, x in values.items()})
    )
