"""ONNX's elementwise operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flint import fmpq

from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, number
from derive.problem.sources.stored import Part

if TYPE_CHECKING:
    pass
from derive.problem.sources.onnx_operations.node import Node, operation

ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Softplus": "softplus"}
FUNCTIONS = {"Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs", "Sin": "sin", "Cos": "cos"}
SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
COMPARISONS = {"Greater": ">", "Less": "<", "GreaterOrEqual": ">=", "LessOrEqual": "<=", "Equal": "=="}


@operation(*ACTIVATIONS)
def _activation(node: Node) -> Array:
    return blocks.activation(node.arrays, ACTIVATIONS[node.operation], node.array(0))


@operation("LeakyRelu")
def _leaky_relu(node: Node) -> Array:
    return blocks.activation(node.arrays, "leaky_relu", node.array(0), slope=node.real("alpha", "0.01"))


@operation("Elu")
def _elu(node: Node) -> Array:
    node.only(alpha=1.0)
    return blocks.activation(node.arrays, "elu", node.array(0))


@operation("Gelu")
def _gelu(node: Node) -> Array:
    node.only(approximate="none")
    return blocks.activation(node.arrays, "gelu", node.array(0))


@operation("Swish")
def _swish(node: Node) -> Array:
    node.only(alpha=1.0)
    return blocks.activation(node.arrays, "silu", node.array(0))


@operation(*FUNCTIONS)
def _function(node: Node) -> Array:
    return node.soft(node.arrays.apply(FUNCTIONS[node.operation], node.array(0)))


@operation(*SIGNS, *COMPARISONS)
def _binary(node: Node) -> Array:
    sign = (SIGNS | COMPARISONS)[node.operation]
    left, right = node.value(0), node.value(1)
    roles = ["", ""]
    if sign == "+":  # a row that is added is the bias of the step before it
        roles = ["bias" if isinstance(one, Part) and one.trained else "" for one in (left, right)]
    made = node.arrays.binary(sign, node.array(0, roles[0]), node.array(1, roles[1]))
    return node.arrays.let(made, "affine" if _ends_layer(node, left, right, roles) else "soft", node.layer())


def _ends_layer(node: Node, left: Any, right: Any, roles: list[str]) -> bool:
    """Whether a sum is a product with a weight and a bias behind it: an affine step in two nodes."""
    from derive.problem.syntax import Binary

    if "bias" not in roles:
        return False
    other = left if roles[1] else right
    step = next(
        (s for s in node.arrays.draft.steps if isinstance(other, Array) and s.name == getattr(other.node, "id", "")),
        None,
    )
    return step is not None and isinstance(step.node, Binary) and step.node.operator == "@"


@operation("Neg")
def _negative(node: Node) -> Array:
    return node.soft(node.arrays.negate(node.array(0)))


@operation("Reciprocal")
def _reciprocal(node: Node) -> Array:
    return node.soft(node.arrays.binary("/", number(fmpq(1)), node.array(0)))


@operation("Pow")
def _power(node: Node) -> Array:
    return node.soft(node.arrays.power(node.array(0), number(node.number(1))))


@operation("Clip")
def _clip(node: Node) -> Array:
    bounds = [
        number(node.number(place))
        if node.has(place)
        else number(node.real(key, "0"))
        if key in node.attributes
        else None
        for place, key in ((1, "min"), (2, "max"))
    ]
    found = blocks.clip(node.arrays, node.array(0), bounds[0], bounds[1])
    return node.arrays.let(found, "activation")


@operation("Max", "Min", "Sum")
def _several(node: Node) -> Array:
    found = node.array(0)
    for place in range(1, len(node.names)):
        other = node.array(place)
        function = {"Max": "maximum", "Min": "minimum"}.get(node.operation)
        found = node.arrays.apply(function, found, other) if function else node.arrays.binary("+", found, other)
    return node.soft(found)


@operation("Where")
def _where(node: Node) -> Array:
    arrays, condition = node.arrays, node.array(0)
    kept = arrays.binary("*", condition, node.array(1))
    rest = arrays.binary("*", arrays.binary("-", number(fmpq(1)), condition), node.array(2))
    return node.soft(arrays.binary("+", kept, rest))
