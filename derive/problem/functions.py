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
OptionKind = Literal["axis", "number", "size", "count", "reduction"]


@dataclass(frozen=True, slots=True)
class Option:
    """``key=default``; ``kind`` says what may stand there: an axis or None, a number, a positive size, a count, a word.

    A size whose default is ``None`` must be given; one whose default is a text is that other option's, where it is not.
    """

    key: str
    kind: OptionKind
    default: OptionValue


@dataclass(frozen=True, slots=True)
class Function:
    """One row. ``operands`` is how many values it takes (``None``: one or more); ``elementwise``: entry to entry.

    ``sizes`` says that sizes follow, as many as one likes: a call carries them as the options ``size1``, ``size2``, …
    """

    name: str
    operands: int | None
    options: tuple[Option, ...] = ()
    elementwise: bool = False
    sizes: bool = False
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
FIRST_AXIS = Option("axis", "axis", 0)
LAST_AXIS = Option("axis", "axis", -1)
MEAN = Option("reduction", "reduction", "mean")
EPS = Option("eps", "number", fmpq(1, 100000))
STRIDE, PADDING = Option("stride", "size", 1), Option("padding", "count", 0)
WINDOWS = (Option("n", "size", None), Option("stride", "size", "n"))
CLASSES = Option("classes", "size", None)
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
    *(Function(name, 1) for name in ("trace", "det", "logdet", "inv", "diag")),
    Function("norm", 1, (ALL_AXES,)),
    Function("outer", 2),
    *(
        Function(name, 2, (STRIDE, PADDING), usage=f"{name}(x, w, stride=1, padding=0)")
        for name in ("conv1d", "conv2d")
    ),
    *(Function(name, 1, WINDOWS, usage=f"{name}(x, n, stride=n)") for name in ("max_pool", "avg_pool")),
    *(Function(name, None, (FIRST_AXIS,), usage=f"{name}(a, b, …, axis=0)") for name in ("concat", "stack")),
    Function("flatten", 1, usage="flatten(a)"),
    Function("reshape", 1, sizes=True, usage="reshape(a, m, n)"),
    *(Function(name, 1, (EPS,), usage=f"{name}(x, eps=1e-5)") for name in ("layer_norm", "batch_norm")),
    *(Function(name, 0, sizes=True, usage=f"{name}(m, n)") for name in ("ones", "zeros")),
    Function("max", 1, (ALL_AXES,)),
    Function("min", 1, (ALL_AXES,)),
    Function("one_hot", 1, (CLASSES,), usage="one_hot(y, classes)"),
    Function("embedding", 2, usage="embedding(E, index)"),
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
        "concatenate": "write concat(a, b, axis=0)",
        "hstack": "write concat(a, b, axis=1)",
        "vstack": "write concat(a, b, axis=0)",
        "cat": "write concat(a, b, axis=0)",
        "ravel": "write reshape(a, 1, -1)",
        "amax": "write max",
        "amin": "write min",
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
