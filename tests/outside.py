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


def _stack(*parts: Any, axis: int) -> Any:
    if anp.ndim(parts[0]) == 0:
        return anp.reshape(anp.stack(parts), (1, -1))
    return anp.stack([anp.ravel(part) for part in parts], axis=axis)


def _normal(x: Any, axis: int, eps: Any) -> Any:
    return (x - anp.mean(x, axis=axis, keepdims=True)) / anp.sqrt(anp.var(x, axis=axis, keepdims=True) + number(eps))


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
    "concat": lambda *parts, axis: anp.concatenate(parts, axis=axis),
    "stack": _stack,
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
    ">=": lambda a, b: (a >= b) * 1.0,
}


def outside(node: syntax.Node, env: Env) -> Any:
    """The value of a node in autograd's NumPy."""
    match node:
        case syntax.Number(value=value):
            return number(value)
        case syntax.Name(id=name):
            return env[name]
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
