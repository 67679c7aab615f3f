"""The functions of the equation language: one row each, with what they take.

A row holds the name, the number of operands (the arguments that carry values) and the options with their defaults.
Whatever the language page lists stands here; a row with ``built=False`` is known by name and answers "not built yet".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from flint import fmpq

from derive.records import dataclass

OptionValue = int | fmpq | str | None
OptionKind = Literal["axis", "number", "size", "reduction"]


@dataclass(frozen=True, slots=True)
class Option:
    """``key=default``; ``kind`` says what may stand there: an axis or None, a number, a positive size, a word."""

    key: str
    kind: OptionKind
    default: OptionValue


@dataclass(frozen=True, slots=True)
class Function:
    """One row. ``operands`` is how many values it takes (``None``: any); ``elementwise`` ones map entry to entry."""

    name: str
    operands: int | None
    options: tuple[Option, ...] = ()
    elementwise: bool = False
    built: bool = True
    usage: str = ""

    @property
    def signature(self) -> str:
        """How it is written: ``leaky_relu(z, slope=0.01)``."""
        if self.usage:
            return self.usage
        operands = ["z"] if self.operands == 1 else ["a", "b", "c"][: self.operands]
        return f"{self.name}({', '.join(operands + [f'{o.key}={o.default}' for o in self.options])})"


ALL_AXES = Option("axis", "axis", None)
LAST_AXIS = Option("axis", "axis", -1)
MEAN = Option("reduction", "reduction", "mean")
EPS = Option("eps", "number", fmpq(1, 100000))
SLOPE = Option("slope", "number", fmpq(1, 100))

_ROWS = (
    *(
        Function(name, 1, elementwise=True)
        for name in (
            *("sigmoid", "tanh", "relu", "elu", "softplus", "gelu", "silu"),
            *("exp", "log", "log2", "sqrt", "abs", "square", "sin", "cos"),
        )
    ),
    Function("leaky_relu", 1, (SLOPE,), elementwise=True, usage="leaky_relu(z, slope=0.01)"),
    Function("maximum", 2, elementwise=True),
    Function("minimum", 2, elementwise=True),
    Function("clip", 3, elementwise=True, usage="clip(a, low, high)"),
    Function("binary_cross_entropy", 2, elementwise=True, usage="binary_cross_entropy(p, t)"),
    Function("sum", 1, (ALL_AXES,)),
    Function("mean", 1, (ALL_AXES,)),
    Function("softmax", 1, (LAST_AXIS,)),
    Function("log_softmax", 1, (LAST_AXIS,)),
    Function("cross_entropy", 2, (LAST_AXIS, MEAN), usage='cross_entropy(z, y, axis=-1, reduction="mean")'),
    # Known, not built yet: their operands and options are checked once they are.
    Function("max", 1, (ALL_AXES,), built=False),
    Function("min", 1, (ALL_AXES,), built=False),
    *(Function(name, 1, built=False) for name in ("norm", "trace", "det", "logdet", "inv", "diag")),
    Function("outer", 2, built=False),
    *(
        Function(name, None, built=False)
        for name in (
            *("concat", "stack", "reshape", "one_hot", "embedding", "ones", "zeros"),
            *("conv1d", "conv2d", "max_pool", "avg_pool"),
        )
    ),
    Function("layer_norm", 1, (EPS,), built=False),
    Function("batch_norm", 1, (EPS,), built=False),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({row.name: row for row in _ROWS})

# What people write out of habit, and how this language says it.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "dot": "a matrix product is written a @ b",
        "matmul": "a matrix product is written a @ b",
        "mm": "a matrix product is written a @ b",
        "transpose": "a transpose is written a.T",
        "power": "a power is written a**2",
        "pow": "a power is written a**2",
        "ln": "the natural logarithm is log",
        "log10": "log is natural; log(a) / log(10) is the decimal one",
        "absolute": "write abs",
        "add": "write a + b",
        "subtract": "write a - b",
        "multiply": "write a * b",
        "divide": "write a / b",
        "hadamard": "the elementwise product is a * b",
        "average": "write mean",
        "logistic": "write sigmoid",
        "swish": "write silu",
        "mse": "write mean((a - b)**2)",
        "bce": "write mean(binary_cross_entropy(p, t))",
        "softmax_cross_entropy": "write cross_entropy",
        "range": "time is written: for t in range(1, 4): h[t] = …",
    }
)
