"""Recurrent layers of PyTorch, unrolled: ``h[t] = tanh(x[t] @ W.T + b + h[t-1] @ V.T + c)``; LSTM, GRU with gates.

Source of the formulas: the pages of ``torch.nn.RNN``, ``LSTM`` and ``GRU``. Weights stand as PyTorch stores them, those
of the gates one below the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flint import fmpq

from derive.problem.names import joined
from derive.problem.sources.arrays import Array, Arrays, number
from derive.problem.sources.stored import Part, Steps
from derive.problem.syntax import Call

LETTERS = "hgkqrs"  # of the states of one recurrent layer after another
Weights = tuple[Array, Array, Array | None, Array | None]


def unrolled(
    arrays: Arrays, kind: str, x: Any, states: Sequence[Any], weights: Weights, comment: str, *, batch_first: bool
) -> tuple[Steps, list[Steps]]:
    """The outputs of every step, and the last states. ``kind`` is tanh, relu, lstm or gru."""
    draft = arrays.draft
    used = {step.name.partition("[")[0] for step in draft.steps} | {name.partition("[")[0] for name in draft.data}
    free = [letter for letter in LETTERS if letter not in used]
    if not free or (kind in ("lstm", "gru") and free[0] != "h"):
        raise draft.unsupported(f"another recurrent layer ({kind}) in one network")
    axis = 1 if batch_first and len(x.shape) == 3 else 0
    inputs = _inputs(arrays, x, axis)
    h = _start(arrays, free[0], states[0])
    cell: Callable[..., tuple[Array, ...]] = {"lstm": _lstm, "gru": _gru}.get(kind, _plain)
    held: tuple[Array, ...] = (h, _start(arrays, "C", states[1])) if kind == "lstm" else (h,)
    first = "a" if kind == "lstm" else "p" if kind == "gru" else free[0]
    outputs = []
    for t, one in enumerate(inputs, 1):

        def let(letter: str, array: Array, t: int = t) -> Array:
            said = comment if t == 1 and letter == first else ""
            return arrays.let(array, "activation", said, joined(letter, t), loop=True)

        held = cell(arrays, let, free[0] if kind not in ("lstm", "gru") else kind, one, held, weights, kind)
        outputs.append(held[0])
    return Steps(arrays, tuple(outputs), axis), [Steps(arrays, (state,), 0) for state in held]


def _inputs(arrays: Arrays, x: Any, axis: int) -> list[Array]:
    """The input of each step: data of its own where the sample is used for nothing else."""
    if isinstance(x, Part) and not x.used and not x.trained:
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        stem = x.name or "x"
        values = [x.value.take(k, axis=axis) for k in range(x.value.shape[axis])]
        return [arrays.datum(shape, value, name=joined(stem, t)) for t, value in enumerate(values, 1)]
    whole = x.array()
    every: list[Any] = [(None, None, None)] * axis
    steps = range(arrays.whole(whole.shape[axis]))
    return [arrays.let(arrays.index(whole, [*every, k]), name=joined("u", k + 1)) for k in steps]


def _start(arrays: Arrays, letter: str, state: Any) -> Array:
    """The state before the first step: data, zeros where nothing is given."""
    import numpy

    name = joined(letter, 0)
    if isinstance(state, Part) and not state.used:
        return arrays.datum(state.shape[1:], state.value.reshape(state.shape[1:]), name=name, trained=state.trained)
    found = state.array() if isinstance(state, Part | Steps) else state
    shape = [arrays.whole(size) for size in found.shape[1:]]
    node = arrays.draft.written(found.node)
    if isinstance(node, Call) and node.function == "zeros":
        return arrays.datum(tuple(shape), numpy.zeros(shape, dtype=int), name=name)
    return arrays.let(arrays.reshape(found, shape), name=name)


def _both(arrays: Arrays, x: Array, h: Array, weights: Weights) -> tuple[Array, Array]:
    """``x @ W.T + b`` and ``h @ V.T + c``"""
    into, again, b, c = weights
    one, other = arrays.matmul(x, arrays.transpose(into)), arrays.matmul(h, arrays.transpose(again))
    one = one if b is None else arrays.binary("+", one, b)
    return one, other if c is None else arrays.binary("+", other, c)


def _sum(arrays: Arrays, x: Array, h: Array, weights: Weights) -> Array:
    """``x @ W.T + b + h @ V.T + c``, without a bracket."""
    into, again, b, c = weights
    found = arrays.matmul(x, arrays.transpose(into))
    for part in (b, arrays.matmul(h, arrays.transpose(again)), c):
        found = found if part is None else arrays.binary("+", found, part)
    return found


def _gate(arrays: Arrays, array: Array, k: int, width: int) -> Array:
    """The columns of one gate."""
    whole: tuple[int | None, int | None, int | None] = (None, None, None)
    return arrays.index(array, [*[whole] * (array.axes - 1), (k * width, (k + 1) * width, None)])


def _plain(
    arrays: Arrays, let: Any, letter: str, x: Array, held: tuple[Array, ...], weights: Weights, kind: str
) -> tuple[Array, ...]:
    return (let(letter, arrays.apply(kind, _sum(arrays, x, held[0], weights))),)


def _lstm(
    arrays: Arrays, let: Any, letter: str, x: Array, held: tuple[Array, ...], weights: Weights, kind: str
) -> tuple[Array, ...]:
    h, cell = held
    a = let("a", _sum(arrays, x, h, weights))
    width = arrays.whole(h.shape[-1])
    names = (("i", "sigmoid"), ("f", "sigmoid"), ("g", "tanh"), ("o", "sigmoid"))
    i, f, g, o = (
        let(name, arrays.apply(function, _gate(arrays, a, k, width))) for k, (name, function) in enumerate(names)
    )
    cell = let("C", arrays.binary("+", arrays.binary("*", f, cell), arrays.binary("*", i, g)))
    return let("h", arrays.binary("*", o, arrays.apply("tanh", cell))), cell


def _gru(
    arrays: Arrays, let: Any, letter: str, x: Array, held: tuple[Array, ...], weights: Weights, kind: str
) -> tuple[Array, ...]:
    (h,) = held
    one, other = _both(arrays, x, h, weights)
    p, q = let("p", one), let("q", other)
    width = arrays.whole(h.shape[-1])
    r, z = (
        let(name, arrays.apply("sigmoid", arrays.binary("+", _gate(arrays, p, k, width), _gate(arrays, q, k, width))))
        for k, name in enumerate("rz")
    )
    inside = arrays.binary("+", _gate(arrays, p, 2, width), arrays.binary("*", r, _gate(arrays, q, 2, width)))
    n = let("n", arrays.apply("tanh", inside))
    kept = arrays.binary("*", arrays.binary("-", number(fmpq(1)), z), n)
    return (let("h", arrays.binary("+", kept, arrays.binary("*", z, h))),)
