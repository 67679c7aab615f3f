"""ATen's elementwise operations."""

from __future__ import annotations

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, number
from derive.problem.sources.aten.call import Call, operation

ACTIVATIONS = ("sigmoid", "tanh", "relu", "silu")
FUNCTIONS = ("exp", "log", "log2", "sqrt", "abs", "square", "sin", "cos", "maximum", "minimum")


@operation(*ACTIVATIONS)
def _activation(call: Call) -> Array:
    return blocks.activation(call.arrays, call.operation, call.array("self"))


@operation(*FUNCTIONS)
def _function(call: Call) -> Array:
    operands = [call.array(key) for key in ("self", "other") if key in call.given]
    return call.soft(call.arrays.apply(call.operation, *operands))


@operation("gelu")
def _gelu(call: Call) -> Array:
    call.only(approximate="none")
    return blocks.activation(call.arrays, "gelu", call.array("self"))


@operation("elu")
def _elu(call: Call) -> Array:
    call.only(alpha=1, scale=1, input_scale=1)
    return blocks.activation(call.arrays, "elu", call.array("self"))


@operation("softplus")
def _softplus(call: Call) -> Array:
    call.only(beta=1)  # past the threshold of 20 PyTorch takes z for softplus(z), off by less than 3e-9
    return blocks.activation(call.arrays, "softplus", call.array("self"))


@operation("leaky_relu")
def _leaky_relu(call: Call) -> Array:
    slope = exact(call["negative_slope"])
    return blocks.activation(call.arrays, "leaky_relu", call.array("self"), slope=slope)


@operation("clamp", "hardtanh", "relu6")
def _clip(call: Call) -> Array:
    arrays, x = call.arrays, call.array("self")
    low, high = (0, 6) if call.operation == "relu6" else (None, None)
    for key in ("min", "min_val"):
        low = call.given.get(key, low)
    for key in ("max", "max_val"):
        high = call.given.get(key, high)
    ends = [None if end is None else call.made(end) for end in (low, high)]
    return arrays.let(blocks.clip(arrays, x, ends[0], ends[1]), "activation")


SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "gt": ">",
    "lt": "<",
    "ge": ">=",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
}


@operation(*SIGNS)
def _binary(call: Call) -> Array:
    call.only(rounding_mode=None)
    other = _times(call, call.array("other"))
    return call.soft(call.arrays.binary(SIGNS[call.operation], call.array("self"), other))


@operation("rsub")
def _turned_difference(call: Call) -> Array:
    return call.soft(call.arrays.binary("-", call.array("other"), _times(call, call.array("self"))))


def _times(call: Call, array: Array) -> Array:
    """``alpha`` times the second operand, as ``torch.add`` has it."""
    alpha = call.given.get("alpha", 1)
    return array if alpha == 1 else call.arrays.binary("*", call.made(alpha), array)


@operation("neg")
def _negative(call: Call) -> Array:
    return call.soft(call.arrays.negate(call.array("self")))


@operation("pow")
def _power(call: Call) -> Array:
    return call.soft(call.arrays.power(call.array("self"), call.array("exponent")))


@operation("reciprocal")
def _reciprocal(call: Call) -> Array:
    return call.soft(call.arrays.binary("/", number(fmpq(1)), call.array("self")))


@operation("rsqrt")
def _reciprocal_root(call: Call) -> Array:
    root = call.arrays.apply("sqrt", call.array("self"))
    return call.soft(call.arrays.binary("/", number(fmpq(1)), root))


@operation("log1p")
def _log1p(call: Call) -> Array:
    return call.soft(call.arrays.apply("log", call.arrays.binary("+", number(fmpq(1)), call.array("self"))))


@operation("where")
def _where(call: Call) -> Array:
    arrays = call.arrays
    condition, yes, no = call.array("condition"), call.array("self"), call.array("other")
    kept = arrays.binary("*", condition, yes)
    rest = arrays.binary("*", arrays.binary("-", number(fmpq(1)), condition), no)
    return call.soft(arrays.binary("+", kept, rest))
