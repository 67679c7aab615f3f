"""The witness: the same equations once more in plain NumPy doubles, with derivatives of its own.

A problem's statements are flattened into a list of single operations (a Wengert list), run forwards for the values
and backwards for the gradients. Every operation is one row of ``ROWS``: its value and, operand by operand, its
pullback. Besides the pullbacks there are two witnesses that use no derivative at all: the complex step, Im f(x + ih)/h,
which has no rounding error to speak of (Squire and Trapp, SIAM Review 40, 1998), and central differences.

Nothing here is shared with the graph, and nothing here knows SymPy. All numbers are doubles, with one exception: on
which side of a kink a value lies (is 0.1 + 0.2 - 0.3 above zero?) is looked up at 1,024 bits where doubles cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache, partial
from itertools import count, islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat, ctx, fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem import syntax
from derive.problem.problem import Problem
from derive.records import dataclass

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float64]

COMPLEX_STEP = 1e-30
ALL_ENTRIES = 2000  # up to this many entries in all, differences are taken for every one of them
SAMPLES = 200
DIRECTIONS = 3
SEED = 20240229
NEAR = 1e-8  # a gap this small beside the largest value of the run may be a kink: ask at KINK_BITS
KINK_BITS = 1024


# --- values that are not one NumPy call. Each takes float64, complex128 and object arrays of balls alike --------------


def _real(x: Array) -> Array:
    """The numbers that decide a branch."""
    return np.array([float(ball) for ball in x.ravel().tolist()]).reshape(x.shape) if x.dtype == object else x.real


def _positive(x: Array) -> Array:
    return _real(x) > 0


def _sum(x: Array, axis: int | None = None) -> Any:
    return np.add.reduce(x, axis=axis, keepdims=True) if axis is not None else np.add.reduce(x, axis=None)


def _count(x: Array, axis: int | None) -> int:
    return x.size if axis is None else int(x.shape[axis])


def _matmul(a: Array, b: Array) -> Any:
    if a.dtype == object:
        left, right = (arb_mat(x.shape[0], x.shape[1], x.ravel().tolist()) for x in (a, b))
        return _balls((a.shape[0], b.shape[1]), (left * right).entries())
    if a.dtype != b.dtype:  # a complex step in one factor: two real products instead of the four of a complex one
        return (a.real @ b.real) + 1j * (a @ b.imag if b.dtype == complex else a.imag @ b)
    return a @ b


def _sigmoid(x: Array) -> Any:
    positive = _positive(x)
    small = np.exp(np.where(positive, -x, x))  # never overflows
    return np.where(positive, 1, small) / (1 + small)


def _softplus(x: Array) -> Any:
    positive = _positive(x)
    return np.where(positive, x, 0) + np.log1p(np.exp(np.where(positive, -x, x)))


def _elu(x: Array) -> Any:
    positive = _positive(x)
    return np.where(positive, x, np.expm1(np.where(positive, 0 * x, x)))


def _log2(x: Array) -> Any:
    return np.log(x) / (arb(2).log() if x.dtype == object else math.log(2))


def _power(x: Array, exponent: Any) -> Any:
    if x.dtype == object:
        return np.power(x, exponent)
    if isinstance(exponent, int) and x.dtype == complex:  # the library goes through log, with a branch cut
        result, square, n = np.ones_like(x), x, abs(exponent)
        while n:
            result, square, n = (result * square if n & 1 else result), (square * square if n > 1 else square), n >> 1
        return result if exponent >= 0 else 1 / result
    return np.power(x, float(exponent))


_math_erf = np.vectorize(math.erf, otypes=[float])


def _erf(x: Array) -> Any:
    """The error function; beside the real line by Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (Abramowitz and Stegun 7.1.6)."""
    if x.dtype == object:
        return _balls(x.shape, [ball.erf() for ball in x.ravel().tolist()])
    if x.dtype != complex:
        return _math_erf(x)
    inner = np.where(abs(x.real) < 6, x, 0)  # beyond 6 it is 1 to the last bit of a double
    term, total = inner, inner
    for n in range(1, 160):
        term = term * (2 * inner * inner / (2 * n + 1))
        total = total + term
    return np.where(abs(x.real) < 6, 2 / math.sqrt(math.pi) * np.exp(-inner * inner) * total, np.sign(x.real))


def _gelu(x: Array) -> Any:
    return x * (1 + _erf(x * math.sqrt(0.5))) * 0.5


def _softmax(z: Array, axis: int = -1) -> Any:
    powers = np.exp(z - _top(z, axis))
    return powers / _sum(powers, axis)


def _log_softmax(z: Array, axis: int = -1) -> Any:
    shifted = z - _top(z, axis)
    return shifted - np.log(_sum(np.exp(shifted), axis))


def _top(z: Array, axis: int) -> Any:
    return np.max(_real(z), axis=axis, keepdims=True)


def _one_hot(z: Array, y: Array, axis: int) -> Array:
    """The target distribution: ``y`` itself, or the indicator of its class numbers (one a sample, in order)."""
    if y.shape == z.shape:
        return y
    lines = np.zeros_like(np.moveaxis(_real(z), axis, -1), order="C")
    flat = lines.reshape(-1, lines.shape[-1])
    flat[np.arange(len(flat)), _real(y).ravel().astype(int)] = 1
    return np.moveaxis(lines, -1, axis)


def _samples(z: Array, axis: int, reduction: str) -> int:
    return z.size // z.shape[axis] if reduction == "mean" else 1


def _cross_entropy(z: Array, y: Array, axis: int = -1, reduction: str = "mean") -> Any:
    return -_sum(_one_hot(z, y, axis) * _log_softmax(z, axis)) / _samples(z, axis, reduction)


def _cross_entropy_by_z(g: Array, v: Array, z: Array, y: Array, axis: int = -1, reduction: str = "mean") -> Any:
    t = _one_hot(z, y, axis)
    return g * (_softmax(z, axis) * _sum(t, axis) - t) / _samples(z, axis, reduction)


def _cross_entropy_by_y(g: Array, v: Array, z: Array, y: Array, axis: int = -1, reduction: str = "mean") -> Any:
    if y.shape != z.shape:
        return np.zeros(y.shape)  # class numbers do not move
    return -g * _log_softmax(z, axis) / _samples(z, axis, reduction)


def _key(x: Array, items: tuple[Any, ...]) -> tuple[Any, ...]:
    """NumPy's key: whole numbers for every axis pick an entry, otherwise every axis stays."""
    if len(items) == x.ndim and all(isinstance(item, int) for item in items):
        return items
    return tuple(slice(i, i + 1 or None) if isinstance(i, int) else slice(*i) for i in items)


def _index_back(g: Array, y: Array, x: Array, items: tuple[Any, ...]) -> Array:
    result = np.zeros(x.shape)
    result[_key(x, items)] = g
    return result


# --- kinks: the sign of a gap decides the branch ----------------------------------------------------------------------


def _first_zero(side: Array, axis: int | None) -> Array:
    """Where ``side`` is zero for the first time along the axis: the winner of a max, the first among equals."""
    zero = side == 0
    order = zero.cumsum(axis=axis).reshape(zero.shape) if axis is None else zero.cumsum(axis=axis)
    return np.asarray(zero & (order == 1))


def _below_max(x: Array, axis: int | None, flip: int = 1) -> Any:
    """The gap of a reduction: x minus its largest entry (``flip=-1``: the smallest), never positive."""
    real = flip * (_ranks(x) if x.dtype == object else x.real)
    return flip * (x - _sum(np.where(_first_zero(real - np.max(real, axis=axis, keepdims=True), axis), x, 0), axis))


def _ranks(x: Array) -> Array:
    """The order of balls by their midpoints, which doubles may blur."""
    mids = [ball.mid() for ball in x.ravel().tolist()]
    ranks, last = np.zeros(len(mids)), -1
    for rank, i in enumerate(sorted(range(len(mids)), key=mids.__getitem__)):
        ranks[i] = ranks[last] if last >= 0 and mids[last] == mids[i] else rank
        last = i
    return ranks.reshape(x.shape)


def _several(side: Array, axis: int | None) -> Array:
    return np.asarray((side == 0) & (np.sum(side == 0, axis=axis, keepdims=True) > 1))


def _pick(side: Array, x: Array, axis: int | None) -> Any:
    return _sum(np.where(_first_zero(side, axis), x, 0), axis)


def _clip_gap(x: Array, low: Any, high: Any) -> Any:
    """Positive inside, zero at either end, negative outside."""
    return np.where(_real(np.asarray(x - low)) < _real(np.asarray(high - x)), x - low, high - x)


def _clip(side: Array, x: Array, low: Any, high: Any) -> Any:
    return np.where(side > 0, x, np.where(_real(np.asarray(x - low)) <= _real(np.asarray(high - x)), low, high))


def _relu_slope(side: Array, low: float, at_zero: float) -> Array:
    return np.where(side > 0, 1.0, np.where(side == 0, low + (1 - low) * at_zero, low))


_RELATIONS: dict[str, Callable[[Array], Any]] = {
    "<": lambda side: side < 0,
    "<=": lambda side: side <= 0,
    ">": lambda side: side > 0,
    ">=": lambda side: side >= 0,
    "==": lambda side: side == 0,
    "!=": lambda side: side != 0,
}


# --- what fits --------------------------------------------------------------------------------------------------------

Shape: TypeAlias = tuple[int, ...]


class _Misfit(Exception):
    """Sizes that do not fit, or labels that are none: the engine adds the equation."""


def _size(shape: Shape) -> str:
    return " × ".join(map(str, shape)) or "a scalar"


def _broadcast(*operands: Array, **_: Any) -> None:
    """The result must have the shape of one operand: only the others are stretched."""
    shapes = [x.shape for x in operands]
    try:
        whole = np.broadcast_shapes(*shapes)
    except ValueError:
        raise _Misfit(f"the sizes {' and '.join(map(_size, shapes))} do not fit") from None
    if whole not in shapes:
        raise _Misfit(f"{' and '.join(map(_size, shapes))} would both be stretched to {_size(whole)}")


def _fits_matmul(a: Array, b: Array) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise _Misfit(f"the matrix product of {_size(a.shape)} and {_size(b.shape)} does not exist")


def _has_axis(x: Array, axis: int | None = None, **_: Any) -> None:
    if axis is not None and not -x.ndim <= axis < x.ndim:
        raise _Misfit(f"{_size(x.shape)} has no axis {axis}")


def _fits_labels(z: Array, y: Array, axis: int = -1, **_: Any) -> None:
    _has_axis(z, axis)
    classes = z.shape[axis]
    if classes == 1:
        raise _Misfit(
            f"the class axis of {_size(z.shape)} has size 1: axis={0 if axis in (-1, 1) else -1} is the other"
        )
    if y.shape == z.shape:
        return
    if y.size != z.size // classes:
        raise _Misfit(f"the labels ({_size(y.shape)}) fit neither {_size(z.shape)} nor one number a sample")
    labels = _real(y).ravel()
    if ((labels != np.floor(labels)) | (labels < 0) | (labels >= classes)).any():
        raise _Misfit(f"class numbers are whole, from 0 to {classes - 1}")


def _fits_key(x: Array, items: tuple[Any, ...]) -> None:
    if len(items) > x.ndim:
        raise _Misfit(f"{len(items)} indices for {_size(x.shape)}")
    for item, size in zip(items, x.shape, strict=False):
        if isinstance(item, int) and not -size <= item < size:
            raise _Misfit(f"there is no index {item} in {_size(x.shape)} (counted from 0)")


def _anything(*_: Any, **__: Any) -> None:
    """Every size fits."""


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One operation. ``pulls[k](g, y, *operands)`` carries the adjoint ``g`` of the value ``y`` to operand ``k``.

    Where ``gap`` is given the operation has a kink: ``value`` and ``pulls`` get the sign of the gap before the
    operands, and ``ties`` marks the entries that sit on the kink.
    """

    value: Callable[..., Any]
    pulls: tuple[Callable[..., Any], ...]
    fits: Callable[..., None] = _anything
    gap: Callable[..., Any] | None = None
    ties: Callable[..., Array] = lambda side, **_: side == 0
    trouble: str = "is too large for a double"


ROWS: dict[str, Row] = {
    "same": Row(lambda x: x, (lambda g, y, x: g,)),
    "+": Row(np.add, (lambda g, y, a, b: g, lambda g, y, a, b: g), _broadcast),
    "-": Row(np.subtract, (lambda g, y, a, b: g, lambda g, y, a, b: -g), _broadcast),
    "*": Row(np.multiply, (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a), _broadcast),
    "/": Row(
        np.true_divide,
        (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        _broadcast,
        trouble="divides by zero",
    ),
    "**": Row(
        _power,
        (lambda g, y, x, exponent: g * float(exponent) * _power(x, exponent - 1) if exponent != 0 else 0 * g,),
        trouble="takes a power outside its domain",
    ),
    "@": Row(_matmul, (lambda g, y, a, b: g @ b.T, lambda g, y, a, b: a.T @ g), _fits_matmul),
    "negate": Row(np.negative, (lambda g, y, x: -g,)),
    "transpose": Row(np.transpose, (lambda g, y, x: g.T,)),
    "index": Row(lambda x, items: x[_key(x, items)], (_index_back,), _fits_key),
    "sum": Row(_sum, (lambda g, y, x, axis=None: np.broadcast_to(g, x.shape),), _has_axis),
    "mean": Row(
        lambda x, axis=None: _sum(x, axis) / _count(x, axis),
        (lambda g, y, x, axis=None: np.broadcast_to(g / _count(x, axis), x.shape),),
        _has_axis,
    ),
    "exp": Row(np.exp, (lambda g, y, x: g * y,)),
    "log": Row(np.log, (lambda g, y, x: g / x,), trouble="takes the log of a number that is not positive"),
    "log2": Row(
        _log2, (lambda g, y, x: g / (x * math.log(2)),), trouble="takes the log2 of a number that is not positive"
    ),
    "sqrt": Row(np.sqrt, (lambda g, y, x: g / (2 * y),), trouble="takes a root where it or its slope does not exist"),
    "square": Row(np.square, (lambda g, y, x: 2 * g * x,)),
    "sin": Row(np.sin, (lambda g, y, x: g * np.cos(x),)),
    "cos": Row(np.cos, (lambda g, y, x: -g * np.sin(x),)),
    # σ(-x) rather than 1 - σ(x), and sech² x = 4 σ(2x) σ(-2x): no digits are lost where the function saturates
    "sigmoid": Row(_sigmoid, (lambda g, y, x: g * y * _sigmoid(-x),)),
    "tanh": Row(np.tanh, (lambda g, y, x: 4 * g * _sigmoid(2 * x) * _sigmoid(-2 * x),)),
    "softplus": Row(_softplus, (lambda g, y, x: g * _sigmoid(x),)),
    "silu": Row(lambda x: x * _sigmoid(x), (lambda g, y, x: g * _sigmoid(x) * (1 + x * _sigmoid(-x)),)),
    "gelu": Row(
        _gelu,
        (lambda g, y, x: g * (0.5 + 0.5 * _erf(x / math.sqrt(2)) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)),),
    ),
    "elu": Row(_elu, (lambda g, y, x: g * np.exp(np.minimum(x, 0)),)),
    "softmax": Row(_softmax, (lambda g, y, z, axis=-1: y * (g - _sum(g * y, axis)),), _has_axis),
    "log_softmax": Row(_log_softmax, (lambda g, y, z, axis=-1: g - np.exp(y) * _sum(g, axis),), _has_axis),
    "cross_entropy": Row(_cross_entropy, (_cross_entropy_by_z, _cross_entropy_by_y), _fits_labels),
    "binary_cross_entropy": Row(
        lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
        (lambda g, y, p, t: g * ((1 - t) / (1 - p) - t / p), lambda g, y, p, t: g * (np.log(1 - p) - np.log(p))),
        _broadcast,
        trouble="takes the log of a number that is not positive (probabilities lie between 0 and 1)",
    ),
    "relu": Row(
        lambda side, x, at_zero: np.where(side > 0, x, 0),
        (lambda g, y, side, x, at_zero: g * _relu_slope(side, 0.0, at_zero),),
        gap=lambda x, at_zero: x,
    ),
    "leaky_relu": Row(
        lambda side, x, at_zero, slope: np.where(side > 0, x, slope * x),
        (lambda g, y, side, x, at_zero, slope: g * _relu_slope(side, float(slope), at_zero),),
        gap=lambda x, at_zero, slope: x,
    ),
    "abs": Row(lambda side, x: side * x, (lambda g, y, side, x: g * side,), gap=lambda x: x),
    "maximum": Row(
        lambda side, a, b: np.where(side >= 0, a, b),
        (lambda g, y, side, a, b: g * (side >= 0), lambda g, y, side, a, b: g * (side < 0)),
        _broadcast,
        gap=np.subtract,
    ),
    "minimum": Row(
        lambda side, a, b: np.where(side <= 0, a, b),
        (lambda g, y, side, a, b: g * (side <= 0), lambda g, y, side, a, b: g * (side > 0)),
        _broadcast,
        gap=np.subtract,
    ),
    "clip": Row(
        _clip,
        (
            lambda g, y, side, x, low, high: g * (side > 0),
            lambda g, y, side, x, low, high: g * ((side < 0) & (x < low)),
            lambda g, y, side, x, low, high: g * ((side < 0) & (x > high)),
        ),
        _broadcast,
        gap=_clip_gap,
    ),
    "max": Row(
        _pick,
        (lambda g, y, side, x, axis: g * _first_zero(side, axis),),
        _has_axis,
        gap=_below_max,
        ties=_several,
    ),
    "min": Row(
        _pick,
        (lambda g, y, side, x, axis: g * _first_zero(side, axis),),
        _has_axis,
        gap=partial(_below_max, flip=-1),
        ties=_several,
    ),
    "compare": Row(
        lambda side, a, b, relation: _RELATIONS[relation](side) * 1.0,
        (lambda g, y, side, a, b, relation: 0 * g, lambda g, y, side, a, b, relation: 0 * g),
        _broadcast,
        gap=lambda a, b, relation: a - b,
    ),
}


# --- results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kink:
    """Entries (indices from 0) of an operation inside the equation ``name`` that sit on the kink of ``function``."""

    name: str
    function: str
    entries: tuple[tuple[int, ...], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Direction:
    """The derivative of ``of`` along ``vector`` (the shape of ``by``, entries 1 and -1)."""

    vector: Floats
    value: Floats
    left_out: bool


@dataclass(frozen=True, slots=True)
class Differences:
    """Derivatives of the quantity ``of`` by single entries of ``by``, found without any rule.

    ``entries`` are the positions in ``by``, row by row; ``values[k]`` is the derivative by ``entries[k]``, in the shape
    of ``of``. ``left_out[k]`` marks a difference that means nothing, because the step crosses a kink. ``complete``:
    every entry was taken; otherwise ``entries`` is a seeded sample and ``directions`` holds random directions besides.
    """

    of: str
    by: str
    method: str
    shape: Shape
    entries: tuple[int, ...]
    values: Floats
    left_out: npt.NDArray[np.bool_]
    complete: bool
    directions: tuple[Direction, ...] = ()

    def gradient(self) -> Floats:
        """The whole gradient of a scalar in the shape of ``by``; ``nan`` where there is no difference to show."""
        result = np.full(math.prod(self.shape), np.nan)
        result[list(self.entries)] = np.where(self.left_out, np.nan, self.values.reshape(len(self.entries)))
        return result.reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Entry:
    """The state after ``step`` updates: the loss there, and what else was to be shown."""

    step: int
    loss: float
    values: Mapping[str, Floats]
    gradients: Mapping[str, Floats]


class Diverged(ProblemError):
    """A run of gradient descent that has left the range of doubles, or the domain of a function."""


@dataclass(frozen=True, slots=True)
class State:
    """The loss and the parameters after ``step`` updates."""

    step: int
    loss: float
    parameters: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Training:
    """A run of gradient descent in doubles."""

    history: tuple[Entry, ...]
    parameters: Mapping[str, Floats]


def update(
    parameters: Mapping[str, Floats], gradients: Mapping[str, Floats], rates: Mapping[str, float]
) -> dict[str, Floats]:
    """``name - rate * gradient`` for every name in ``rates``; other parameters as they are."""
    return {
        name: np.asarray(value - float(rates[name]) * gradients[name]) if name in rates else value
        for name, value in parameters.items()
    }


# --- the engine -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation of the flattened problem: ``v[out] = function(v[inputs])``; ``exact`` keeps rational options."""

    function: str
    row: Row
    inputs: tuple[int, ...]
    out: int
    options: Mapping[str, Any]
    exact: Mapping[str, Any]
    statement: syntax.Statement
    line: int
    value: Callable[..., Any] = field(init=False)
    gap: Callable[..., Any] | None = field(init=False)
    pulls: tuple[Callable[..., Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        def bind(f: Callable[..., Any]) -> Callable[..., Any]:
            return partial(f, **self.options) if self.options else f

        object.__setattr__(self, "value", bind(self.row.value))
        object.__setattr__(self, "gap", bind(self.row.gap) if self.row.gap else None)
        object.__setattr__(self, "pulls", tuple(map(bind, self.row.pulls)))

    def ties(self, side: Array) -> Array:
        return self.row.ties(side, **({"axis": self.options["axis"]} if "axis" in self.options else {}))


_Values: TypeAlias = list[Any]  # what each slot holds; None before it is computed
_Sides: TypeAlias = dict[int, Array]  # slot of a step with a kink -> signs of its gap


class Oracle:
    """The NumPy run of one problem (a single part, with numbers for all its data).

    Everything is worked out once at the problem's own numbers. Raises ``ProblemError`` for sizes that do not fit and
    for values that do not exist (log of zero, division by zero), ``Unsupported`` for operations it does not know.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._slots: dict[str, int] = {}
        self._initial: list[tuple[int, Shape, tuple[fmpq | None, ...]]] = []  # slots and their numbers; None is pi
        self._count = 0
        self._steps: list[_Step] = []
        for name, tensor in (*problem.given.items(), *problem.parameters.items()):
            self._slots[name] = self._new()
            self._initial.append((self._slots[name], tensor.shape, tensor.entries))
        for statement in problem.statements:
            self._slots[statement.name] = self._flatten(statement)
        self._users = self._reached_from()
        self._values, self._sides, self._gaps = self._run_at_the_problem()
        self._plan = lru_cache(maxsize=64)(self._make_plan)

    @property
    def names(self) -> tuple[str, ...]:
        """Data, parameters and equations, in the order in which they get their values."""
        return tuple(self._slots)

    # values

    def forward(self, values: Mapping[str, npt.ArrayLike] | None = None) -> dict[str, Floats]:
        """All values by name, in doubles; ``values`` replaces data, or an intermediate once it is computed."""
        v, _ = self._run(values)
        return {name: np.array(v[slot], dtype=float) for name, slot in self._slots.items()}

    def kinks(self) -> tuple[Kink, ...]:
        """Where the problem's own values sit on a kink: relu or abs at 0, equals in a max, clip at an end."""
        found = []
        for step in self._steps:
            if step.out in self._sides and (ties := step.ties(self._sides[step.out])).any():
                places = tuple(tuple(map(int, place)) for place in np.argwhere(ties))
                found.append(Kink(step.statement.name, step.function, places, step.line))
        return tuple(found)

    # derivatives by rules

    def backprop(
        self,
        loss: str | Mapping[str, npt.ArrayLike],
        seed: npt.ArrayLike | None = None,
        values: Mapping[str, npt.ArrayLike] | None = None,
    ) -> dict[str, Floats]:
        """The gradient of ``loss`` by every name, each in the shape of its name.

        For a loss that is no scalar ``seed`` is the adjoint it starts from (its shape); a mapping gives the adjoints of
        several names at once. ``values`` as in ``forward``.
        """
        v, sides = self._run(values)
        seeds: dict[int, Array] = {}
        for name, start in loss.items() if isinstance(loss, Mapping) else [(loss, seed)]:
            shape = np.shape(v[self._slot(name)])
            if start is None and math.prod(shape) != 1:
                raise ProblemError(f"{name!r} is {_size(shape)}, not a scalar", hint="its gradient needs an upstream")
            seeds[self._slot(name)] = np.ones(shape) if start is None else np.broadcast_to(np.asarray(start), shape)
        adjoints = self._backward(v, sides, seeds, self._plan(tuple(seeds), tuple(self._slots.values())))
        return {
            name: np.zeros(np.shape(v[slot])) if slot not in adjoints else np.array(adjoints[slot], dtype=float)
            for name, slot in self._slots.items()
        }

    def jacobian(self, of: str, by: str) -> Floats:
        """Rows: entries of ``of``, row by row; columns: entries of ``by``. By backprop, one row at a time."""
        slot, wanted = self._slot(of), self._slot(by)
        shape, size = np.shape(self._values[slot]), np.size(self._values[wanted])
        result = np.zeros((math.prod(shape), size))
        for row, seed in zip(result, np.eye(len(result)), strict=True):
            adjoints = self._backward(
                self._values, self._sides, {slot: seed.reshape(shape)}, self._plan((slot,), (wanted,))
            )
            if wanted in adjoints:
                row[:] = np.ravel(adjoints[wanted])
        return result

    # derivatives without rules

    def complex_step(self, of: str, by: str, entries: Sequence[int] | None = None) -> Differences:
        """Im f(x + ih)/h by the entries of ``by`` (positions row by row; all or a sample where not given)."""
        return self._differences(of, by, entries, "complex step")

    def central_differences(self, of: str, by: str, entries: Sequence[int] | None = None) -> Differences:
        """(f(x + h) - f(x - h)) / 2h; good to about ten digits where values are near 1."""
        return self._differences(of, by, entries, "central differences")

    def differences(self, of: str, names: Iterable[str], method: str = "complex step") -> dict[str, Differences]:
        """The differences by several names, together no more than can be afforded.

        Up to 2,000 entries in all every one is taken; above that 200 seeded ones, shared out evenly, and three random
        directions for each name.
        """
        sizes = {name: np.size(self._values[self._slot(name)]) for name in names}
        if sum(sizes.values()) <= ALL_ENTRIES:
            return {name: self._differences(of, name, range(size), method) for name, size in sizes.items()}
        result, left = {}, SAMPLES
        for k, (name, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
            share = min(size, -(-left // (len(sizes) - k)))
            left -= share
            result[name] = self._differences(of, name, _sample(size, share), method, DIRECTIONS)
        return {name: result[name] for name in sizes}

    # training

    def train(
        self, loss: str, rates: Mapping[str, float], steps: int, show: Sequence[str] = (), every: int = 1
    ) -> Training:
        """``steps`` updates of the names in ``rates``, all at once.

        ``history`` has entry 0, every ``every``-th and the last; ``show`` adds values (``"y"``) and gradients
        (``"dE/dW1"``) to them. Raises ``ProblemError`` where the run leaves the range of doubles.
        """
        names = {f"d{loss}/d{name}": slot for name, slot in self._slots.items()}
        shown_values = {item: self._slot(item) for item in show if item not in names}
        shown_gradients = {item: names[item] for item in show if item in names}
        history, zero = [], np.zeros(())
        for k, now, v, adjoints in islice(self._descent(loss, rates, shown_gradients.values()), steps + 1):
            if k % every == 0 or k == steps:
                history.append(
                    Entry(
                        k,
                        now,
                        {item: np.array(v[slot], dtype=float) for item, slot in shown_values.items()},
                        {
                            item: np.array(adjoints.get(slot, zero * v[slot]), dtype=float)
                            for item, slot in shown_gradients.items()
                        },
                    )
                )
        return Training(tuple(history), {name: np.array(v[self._slots[name]], dtype=float) for name in rates})

    def descend(self, loss: str, rates: Mapping[str, float]) -> Iterator[State]:
        """Gradient descent without an end: the state at the start, and after each update. Raises ``Diverged``."""
        for k, now, v, _ in self._descent(loss, rates):
            yield State(k, now, {name: v[self._slots[name]] for name in rates})

    def _descent(
        self, loss: str, rates: Mapping[str, float], more: Iterable[int] = ()
    ) -> Iterator[tuple[int, float, _Values, dict[int, Any]]]:
        """Updates made, the loss, all values and the adjoints there; ``more`` are slots that need their adjoint."""
        top = self._slot(loss)
        if np.size(self._values[top]) != 1:
            raise ProblemError(f"{loss!r} is {_size(np.shape(self._values[top]))}, not a scalar")
        moved = [(self._slot(name), float(rate)) for name, rate in rates.items()]
        plan = self._plan((top,), tuple(dict.fromkeys([*(slot for slot, _ in moved), *more])))
        v, sides, seed = list(self._values), self._sides, {top: np.ones(np.shape(self._values[top]))}
        adjoints: dict[int, Any] = {}
        for k in count():
            try:
                with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                    if k:
                        for slot, rate in moved:
                            if slot in adjoints:
                                v[slot] = v[slot] - rate * adjoints[slot]
                        sides = {}
                        self._forward(v, self._steps, sides)
                    now = float(v[top].item())
                    if not math.isfinite(now):
                        raise FloatingPointError("it is not finite")
                    adjoints = self._backward(v, sides, seed, plan)
            except (FloatingPointError, ProblemError) as error:
                raise Diverged(f"{loss!r} leaves the range of doubles after {k} updates: {error}") from None
            yield k, now, v, adjoints

    # flattening the equations

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _slot(self, name: str) -> int:
        if name not in self._slots:
            why = "has sizes but no numbers" if name in self.problem.shapes else "is not in the problem"
            raise ProblemError(f"{name!r} {why}", file=self.problem.file)
        return self._slots[name]

    def _constant(self, value: fmpq | None) -> int:
        """A slot that holds a number; ``None`` stands for pi."""
        slot = self._new()
        self._initial.append((slot, (), (value,)))
        return slot

    def _flatten(self, statement: syntax.Statement) -> int:
        """The slot of the statement's value."""

        def emit(function: str, inputs: Sequence[int], line: int, **options: Any) -> int:
            if (row := ROWS.get(function)) is None:
                raise Unsupported(f"{function!r} is not built yet", file=self.problem.file, line=line or statement.line)
            exact = dict(options)
            if row.gap is not None and function in ("relu", "leaky_relu"):
                exact["at_zero"] = self.problem.convention.relu_at_zero
            doubles = {key: _double(x) if isinstance(x, fmpq) else x for key, x in exact.items()}
            slot = self._new()
            self._steps.append(
                _Step(function, row, tuple(inputs), slot, doubles, exact, statement, line or statement.line)
            )
            return slot

        def visit(node: syntax.Node, local: Mapping[str, int]) -> int:
            match node:
                case syntax.Number(value=value):
                    return self._constant(value)
                case syntax.Name(id=name):
                    if name in local:
                        return local[name]
                    return self._constant(None) if name == "pi" and name not in self._slots else self._slot(name)
                case syntax.Negate(operand=operand):
                    return emit("negate", [visit(operand, local)], node.line)
                case syntax.Transpose(operand=operand):
                    return emit("transpose", [visit(operand, local)], node.line)
                case syntax.Binary(operator="**", left=left, right=syntax.Number(value=n)):
                    return emit("**", [visit(left, local)], node.line, exponent=int(n.p) if n.q == 1 else n)
                case syntax.Binary(operator=operator, left=left, right=right):
                    return emit(operator, [visit(left, local), visit(right, local)], node.line)
                case syntax.Compare(operator=operator, left=left, right=right):
                    return emit("compare", [visit(left, local), visit(right, local)], node.line, relation=operator)
                case syntax.Index(operand=operand, items=items):
                    slot = visit(operand, local)
                    return emit("index", [slot], node.line, items=items)
                case syntax.Call(function=function, arguments=arguments, options=options):
                    inputs = [visit(argument, local) for argument in arguments]
                    if function in self.problem.functions:
                        formula = self.problem.functions[function]
                        if formula is None:
                            raise ProblemError(
                                f"{function!r} has no formula, so equation {statement.name!r} has no numbers",
                                file=self.problem.file,
                                line=node.line or statement.line,
                            )
                        return visit(formula[1], {formula[0]: inputs[0]})
                    return emit(function, inputs, node.line, **dict(options))

        slot = visit(statement.expression, {})
        if isinstance(statement.expression, syntax.Name | syntax.Number) or slot in self._slots.values():
            slot = emit("same", [slot], statement.line)  # a name of its own, with an adjoint of its own
        return slot

    # running

    def _run_at_the_problem(self) -> tuple[_Values, _Sides, _Sides]:
        """Values, sides and gaps at the problem's own numbers; sizes are checked on the way."""
        v: _Values = [None] * self._count
        for slot, shape, entries in self._initial:
            v[slot] = np.array([math.pi if x is None else _double(x) for x in entries]).reshape(shape)
            if not np.isfinite(v[slot]).all():
                names = [name for name, at in self._slots.items() if at == slot]
                raise ProblemError(
                    f"{repr(names[0]) if names else 'a number'} is too large for a double", file=self.problem.file
                )
        sides: _Sides = {}
        gaps: _Sides = {}
        largest = max([1.0, *(float(np.max(np.abs(x))) for x in v if x is not None and x.size)])
        doubtful = False
        for step in self._steps:
            operands = [np.asarray(v[i]) for i in step.inputs]
            try:
                step.row.fits(*operands, **step.options)
            except _Misfit as misfit:
                raise self._error(step, f": {misfit}") from None
            with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                self._forward(v, [step], sides, gaps)
            if not np.isfinite(v[step.out]).all():  # a matrix product overflows in silence
                raise self._trouble(step, v[step.out])
            if step.gap is not None:
                near = np.where(np.abs(gaps[step.out]) > NEAR * largest, 1, 0)
                doubtful = doubtful or bool(step.ties(near).any())
            largest = max(largest, float(np.max(np.abs(v[step.out]), initial=0)))
        if doubtful:
            sides = self._certain_sides()
            self._forward(v, self._steps, sides, fixed=True)
        return v, sides, gaps

    def _run(self, values: Mapping[str, npt.ArrayLike] | None) -> tuple[_Values, _Sides]:
        """The problem's own run, or a new one with some values replaced."""
        if not values:
            return self._values, self._sides
        v, replaced, sides = list(self._values), {}, dict[int, Array]()
        for name, value in values.items():
            slot, new = self._slot(name), np.asarray(value, dtype=float)
            if new.shape != np.shape(v[slot]):
                raise ProblemError(f"{name!r} is {_size(np.shape(v[slot]))}, the new value {_size(new.shape)}")
            v[slot] = replaced[slot] = new
        with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
            self._forward(v, [step for step in self._steps if step.out not in replaced], sides)
        return v, self._sides | sides

    def _forward(
        self, v: _Values, steps: Iterable[_Step], sides: _Sides, gaps: _Sides | None = None, fixed: bool = False
    ) -> None:
        """Fill ``v`` step by step; the sides of kinks are taken from ``sides`` where ``fixed``, else put there."""
        for step in steps:
            operands = [v[i] for i in step.inputs]
            try:
                if step.gap is None:
                    v[step.out] = step.value(*operands)
                    continue
                if not fixed:
                    gap = np.asarray(step.gap(*operands))
                    sides[step.out] = np.sign(gap)
                    if gaps is not None:
                        gaps[step.out] = gap
                v[step.out] = step.value(sides[step.out], *operands)
            except FloatingPointError:
                with np.errstate(all="ignore"):
                    value = step.value(*operands) if step.gap is None else step.gap(*operands)
                raise self._trouble(step, value) from None

    def _trouble(self, step: _Step, value: Any) -> ProblemError:
        """What went wrong in which entry (counted from 1)."""
        bad = np.argwhere(~np.isfinite(np.asarray(value)))
        place = f" in entry ({', '.join(str(i + 1) for i in bad[0])})" if bad.size and np.ndim(value) else ""
        return self._error(step, f" {step.row.trouble}{place}")

    def _error(self, step: _Step, what: str) -> ProblemError:
        return ProblemError(f"equation {step.statement.name!r}{what}", file=self.problem.file, line=step.line or None)

    def _certain_sides(self) -> _Sides:
        """The sides of all kinks from a run in balls of 1,024 bits; what even they cannot tell from zero is zero."""
        sides: _Sides = {}
        with ctx.workprec(KINK_BITS):
            v: _Values = [None] * self._count
            for slot, shape, entries in self._initial:
                v[slot] = _balls(shape, [arb.pi() if x is None else arb(x) for x in entries])
            for step in self._steps:
                operands = [v[i] for i in step.inputs]
                if step.row.gap is not None:
                    gap = _as_balls(step.row.gap(*operands, **step.exact))
                    signs = [int(ball > 0) - int(ball < 0) for ball in gap.ravel().tolist()]
                    sides[step.out] = np.array(signs, dtype=float).reshape(gap.shape)
                    operands.insert(0, sides[step.out])
                v[step.out] = _as_balls(step.row.value(*operands, **step.exact))
        return sides

    def _make_plan(
        self, heads: tuple[int, ...], wanted: tuple[int, ...]
    ) -> list[tuple[_Step, list[tuple[int, int, Callable[..., Any]]]]]:
        """The steps between ``wanted`` and ``heads``, last first, each with the operands whose adjoints are needed."""
        live = set(wanted)
        for step in self._steps:
            if not live.isdisjoint(step.inputs):
                live.add(step.out)
        needed, plan = set(heads), []
        for step in reversed(self._steps):
            if step.out in needed:
                targets = [
                    (k, slot, pull)
                    for k, (slot, pull) in enumerate(zip(step.inputs, step.pulls, strict=True))
                    if slot in live
                ]
                if targets:
                    plan.append((step, targets))
                    needed.update(slot for _, slot, _ in targets)
        return plan

    def _backward(
        self,
        v: _Values,
        sides: _Sides,
        seeds: Mapping[int, Array],
        plan: list[tuple[_Step, list[tuple[int, int, Callable[..., Any]]]]],
    ) -> dict[int, Any]:
        """Adjoints by slot: each step hands the adjoint of its value on to its operands, which add them up."""
        adjoints: dict[int, Any] = dict(seeds)
        with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
            for step, targets in plan:
                if (g := adjoints.get(step.out)) is None:
                    continue
                operands = [v[i] for i in step.inputs]
                before = (g, v[step.out]) if step.gap is None else (g, v[step.out], sides[step.out])
                for k, slot, pull in targets:
                    try:
                        part = pull(*before, *operands)
                    except FloatingPointError:
                        raise self._error(step, f" {step.row.trouble}, on the way back") from None
                    if part.shape != operands[k].shape:
                        part = _sum_to(part, operands[k].shape)
                    adjoints[slot] = adjoints[slot] + part if slot in adjoints else part
        return adjoints

    # stepping

    def _reached_from(self) -> Callable[[int, int], list[_Step]]:
        """A cached function: the steps on the way from one slot to another."""

        @lru_cache(maxsize=256)
        def between(start: int, end: int) -> list[_Step]:
            reached, needed = {start}, {end}
            for step in self._steps:
                if step.out != start and not reached.isdisjoint(step.inputs):
                    reached.add(step.out)
            for step in reversed(self._steps):
                if step.out in needed and step.out != start:
                    needed.update(step.inputs)
            return [step for step in self._steps if step.out in reached & needed and step.out != start]

        return between

    def _differences(
        self, of: str, by: str, entries: Sequence[int] | None, method: str, directions: int = 0
    ) -> Differences:
        top, slot = self._slot(of), self._slot(by)
        shape, size = np.shape(self._values[slot]), np.size(self._values[slot])
        if entries is None:
            everything = size <= ALL_ENTRIES
            entries, directions = (range(size), 0) if everything else (_sample(size, SAMPLES), DIRECTIONS)
        steps = self._users(slot, top)
        step_along = {"complex step": self._complex, "central differences": self._central}[method]
        values = np.zeros((len(entries), *np.shape(self._values[top])))
        left_out = np.zeros(len(entries), dtype=bool)
        with np.errstate(all="ignore"):
            for k, entry in enumerate(entries):
                vector = np.zeros(size)
                vector[entry] = 1
                values[k], left_out[k] = step_along(top, slot, vector.reshape(shape), steps)
            signs = _signs((directions, *shape)) if directions else ()
            along = tuple(Direction(vector, *step_along(top, slot, vector, steps)) for vector in signs)
        complete = len(set(entries)) == size
        return Differences(of, by, method, shape, tuple(map(int, entries)), values, left_out, complete, along)

    def _complex(self, top: int, slot: int, vector: Floats, steps: list[_Step]) -> tuple[Floats, bool]:
        """The derivative of ``top`` along ``vector`` at ``slot``, and whether a tie moved."""
        v = list(self._values)
        v[slot] = v[slot] + 1j * COMPLEX_STEP * vector
        self._forward(v, steps, self._sides, fixed=True)
        crossed = any(
            np.any(np.imag(step.gap(*(v[i] for i in step.inputs)))[step.ties(self._sides[step.out])] != 0)
            for step in steps
            if step.gap is not None and step.ties(self._sides[step.out]).any()
        )
        return np.imag(v[top]) / COMPLEX_STEP, crossed

    def _central(self, top: int, slot: int, vector: Floats, steps: list[_Step]) -> tuple[Floats, bool]:
        """The same by two real runs; a kink is crossed where any side differs from that of the problem's own run."""
        here = self._values[slot]
        scale = float(np.max(np.abs(here * vector), initial=1.0))
        h = 2.0 ** round(math.log2(6e-6 * scale))  # a power of two: x + h and x - h are equally far from x
        ends, crossed = [], False
        for sign in (1, -1):
            v = list(self._values)
            v[slot] = here + sign * h * vector
            for step in steps:
                sides = dict[int, Array]()
                if step.gap is not None:
                    # A gap that did not move keeps its side, which doubles alone might get wrong.
                    gap = np.asarray(step.gap(*(v[i] for i in step.inputs)))
                    own = self._sides[step.out]
                    sides[step.out] = np.where(gap == self._gaps[step.out], own, np.sign(gap))
                    crossed = crossed or bool((sides[step.out] != own).any())
                self._forward(v, [step], sides, fixed=True)
            ends.append(v[top])
        result = np.asarray((ends[0] - ends[1]) / (2 * h))
        return result, crossed or not bool(np.isfinite(result).all())


def _double(x: fmpq) -> float:
    """The nearest double, for rationals of any length."""
    try:
        return int(x.p) / int(x.q)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def _balls(shape: Shape, entries: Iterable[Any]) -> Array:
    """An object array of balls."""
    result = np.empty(shape, dtype=object)
    result.reshape(-1)[:] = [arb(x) for x in entries]
    return result


def _as_balls(value: Any) -> Array:
    """An array of balls again, where NumPy has unwrapped a scalar or a branch has put in plain numbers."""
    if not isinstance(value, np.ndarray):
        return _balls((), [value])
    return _balls(value.shape, value.ravel().tolist())


def _sum_to(g: Array, shape: Shape) -> Any:
    """Undo a broadcast: sum over the axes along which an operand was stretched."""
    if g.ndim < len(shape) or g.size < math.prod(shape):
        return np.broadcast_to(g, shape)
    if g.ndim > len(shape):
        g = np.add.reduce(g, axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and g.shape[i] != 1)
    return np.add.reduce(g, axis=stretched, keepdims=True) if stretched else g


def _signs(shape: tuple[int, ...]) -> Floats:
    """Seeded directions, each entry 1 or -1."""
    signs: Floats = np.random.default_rng(SEED).choice([-1.0, 1.0], size=shape)
    return signs


def _sample(size: int, count: int) -> list[int]:
    """Seeded positions, in order."""
    if count >= size:
        return list(range(size))
    return sorted(np.random.default_rng(SEED).choice(size, size=count, replace=False).tolist())
