"""Layers by their usual names: each is a frozen record of what it is, and knows how it is written in the language."""

from __future__ import annotations

from typing import Any

from derive.problem.exact import exact
from derive.problem.names import check_name
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array
from derive.problem.sources.builder import Builder, expect, label
from derive.problem.sources.given import Values, flat, nested, rows, shape_of
from derive.problem.syntax import Call
from derive.records import dataclass

__all__ = [
    "ELU", "GELU", "Activation", "AvgPool2d", "BatchNorm", "Conv1d", "Conv2d", "Dense", "Dropout", "Embedding",
    "Flatten", "Identity", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MaxPool2d", "ReLU", "SiLU", "Sigmoid",
    "Softmax", "Softplus", "Tanh",
]  # fmt: skip


# ── layers with parameters ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Dense:
    """``x @ W + b`` with a weight of inputs × outputs, as Keras and most lectures write it.

    ``bias`` is a row, one number that all units share, or ``False`` for none.
    """

    inputs: int
    outputs: int
    weight: Values = None
    bias: Values = None

    turned = False

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        shape = (self.outputs, self.inputs) if self.turned else (self.inputs, self.outputs)
        expect(builder, self, x, self.inputs)
        builder.arrays.draft.layers += 1
        weight = builder.parameter(self, "weight", shape, self.weight, "weight")
        bias = None
        if self.bias is not False:
            bias = builder.parameter(self, "bias", (self.outputs,), None if self.bias is True else self.bias, "bias")
        return blocks.affine(builder.arrays, x, weight, bias, turned=self.turned)


@dataclass(frozen=True)
class Linear:
    """``x @ W.T + b`` with a weight of outputs × inputs, as PyTorch stores it."""

    inputs: int
    outputs: int
    weight: Values = None
    bias: Values = None

    turned = True
    draw = Dense.draw


@dataclass(frozen=True)
class Conv2d:
    """``conv2d(x, W) + b``: x is N, C, H, W, the filters are F, C, h, w and not flipped."""

    channels: int
    filters: int
    size: int
    stride: int = 1
    padding: int = 0
    weight: Values = None
    bias: Values = None

    axes = 2

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        builder.arrays.draft.layers += 1
        shape = (self.filters, self.channels, *(self.size,) * self.axes)
        weight = builder.parameter(self, "weight", shape, self.weight, "weight")
        bias = None
        if self.bias is not False:
            value = None if self.bias is True else self.bias
            laid = blocks.bias_of_filters((self.filters,), self.axes + 2)
            if value is not None and shape_of(value) == (self.filters,):
                value = nested(flat(value), laid)
            bias = builder.parameter(self, "bias", laid, value, "bias")
        return blocks.convolution(builder.arrays, x, weight, bias, stride=self.stride, padding=self.padding)


@dataclass(frozen=True)
class Conv1d:
    """``conv1d(x, W) + b``: x is N, C, L, the filters are F, C, l and not flipped."""

    channels: int
    filters: int
    size: int
    stride: int = 1
    padding: int = 0
    weight: Values = None
    bias: Values = None

    axes = 1
    draw = Conv2d.draw


@dataclass(frozen=True)
class LayerNorm:
    """``gamma * layer_norm(x) + beta`` along the last axis; ``affine=False`` leaves gain and shift out."""

    size: int
    eps: Any = "1e-5"
    gain: Values = None
    shift: Values = None
    affine: bool = True

    function = "layer_norm"

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        expect(builder, self, x, self.size)
        gain = shift = None
        if self.affine:
            gain = builder.parameter(self, "gain", (self.size,), self.gain, "gain", "ones")
            shift = builder.parameter(self, "shift", (self.size,), self.shift, "shift", "zeros")
        return blocks.norm(builder.arrays, self.function, x, gain, shift, exact(self.eps))


@dataclass(frozen=True)
class BatchNorm:
    """``gamma * batch_norm(x) + beta`` over the rows, with the batch's own mean and biased variance."""

    size: int
    eps: Any = "1e-5"
    gain: Values = None
    shift: Values = None
    affine: bool = True

    function = "batch_norm"
    draw = LayerNorm.draw


@dataclass(frozen=True)
class Embedding:
    """Rows of a table by their numbers."""

    rows: int
    size: int
    weight: Values = None

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        builder.arrays.draft.require("embedding")
        table = builder.parameter(self, "weight", (self.rows, self.size), self.weight, "table")
        node = Call("embedding", (table.node, x.node))
        return builder.arrays.let(Array(node, (*x.shape, self.size)), "embedding")


# ── layers without ──────────────────────────────────────────────────────────────────────────────────────────────


class _Elementwise:
    """An elementwise function of the language."""

    function = ""

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        return blocks.activation(builder.arrays, self.function, x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Sigmoid(_Elementwise):
    """``sigmoid(z)``"""

    function = "sigmoid"


class Tanh(_Elementwise):
    """``tanh(z)``"""

    function = "tanh"


class ReLU(_Elementwise):
    """``relu(z)``"""

    function = "relu"


class ELU(_Elementwise):
    """``elu(z)``"""

    function = "elu"


class GELU(_Elementwise):
    """``gelu(z)``, with the normal distribution and not its approximation by tanh."""

    function = "gelu"


class SiLU(_Elementwise):
    """``silu(z)``, also called swish."""

    function = "silu"


class Softplus(_Elementwise):
    """``softplus(z)``"""

    function = "softplus"


@dataclass(frozen=True)
class LeakyReLU:
    """``leaky_relu(z, slope=0.01)``"""

    slope: Any = "0.01"

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        return blocks.activation(builder.arrays, "leaky_relu", x, slope=exact(self.slope))


@dataclass(frozen=True)
class Activation:
    """An activation of one's own: ``Activation("phi")`` stays unspecified, ``Activation("f", "z**3 / 3")`` does not."""

    name: str
    formula: str = "unspecified"

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        check_name(self.name, "an activation")
        if builder.functions.setdefault(self.name, self.formula) != self.formula:
            raise builder.arrays.draft.error(f"the activation {self.name} has two formulas")
        return builder.arrays.let(Array(Call(self.name, (x.node,)), x.shape), "activation")


@dataclass(frozen=True)
class Softmax:
    """``softmax(z)`` along an axis, the last one by default."""

    axis: int = -1

    function = "softmax"

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        return blocks.softmax(builder.arrays, self.function, x, self.axis)


@dataclass(frozen=True)
class LogSoftmax:
    """``log_softmax(z)`` along an axis, the last one by default."""

    axis: int = -1

    function = "log_softmax"
    draw = Softmax.draw


@dataclass(frozen=True)
class MaxPool2d:
    """The largest entry of each window; the stride is the window's size if nothing else is said."""

    size: int
    stride: int | None = None

    function = "max_pool"

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        return blocks.pooling(builder.arrays, self.function, x, self.size, stride=self.stride)


@dataclass(frozen=True)
class AvgPool2d:
    """The mean of each window; the stride is the window's size if nothing else is said."""

    size: int
    stride: int | None = None

    function = "avg_pool"
    draw = MaxPool2d.draw


@dataclass(frozen=True)
class Dropout:
    """``h * m / (1 - p)`` for a mask of zeros and ones; without ``p`` there is no division."""

    mask: Values
    p: Any = 0

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        share = exact(self.p)
        if not 0 <= share < 1:
            raise builder.arrays.draft.error(f"p of {label(self)} is {share}, expected is a number from 0 to below 1")
        value, shape = rows(self.mask)
        return blocks.dropout(builder.arrays, x, builder.arrays.datum(shape, value, role="mask"), share)


class Flatten:
    """Everything behind the first axis as one row a sample."""

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        return blocks.flatten(builder.arrays, x)

    def __repr__(self) -> str:
        return "Flatten()"


class Identity:
    """The input, unchanged."""

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        return x

    def __repr__(self) -> str:
        return "Identity()"
