"""ATen's layers: linear, convolutions, pooling, norms, embeddings, recurrent layers, attention."""

from __future__ import annotations

from math import sqrt
from typing import Any

from flint import fmpq

from derive.problem.exact import exact
from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, number
from derive.problem.sources.aten.call import Call, operation
from derive.problem.sources.recurrent import unrolled
from derive.problem.syntax import Call as Written


@operation("linear")
def _linear(call: Call) -> Array:
    call.arrays.draft.layers += 1
    weight, bias = call.array("weight", "weight"), call.optional("bias", "bias")
    return blocks.affine(call.arrays, call.array("input"), weight, bias, call.layer, turned=True)


@operation("addmm")
def _addmm(call: Call) -> Array:
    call.only(beta=1, alpha=1)
    call.arrays.draft.layers += 1
    return blocks.affine(
        call.arrays, call.array("mat1"), call.array("mat2", "weight"), call.array("self", "bias"), call.layer
    )


@operation("conv1d", "conv2d")
def _convolution(call: Call) -> Array:
    call.only(groups=1)
    if blocks.one_size(call.arrays, call["dilation"], "a dilation of") != 1:
        raise call.unsupported(f"{call.operation} with dilation = {call['dilation']}", hint="supported is 1")
    x = call.array("input")
    bias = None
    if call["bias"] is not None:
        bias = call.array("bias", "bias", blocks.bias_of_filters(call.shape("bias"), len(call.shape("weight"))))
    if isinstance(call["padding"], str):
        raise call.unsupported(f"{call.operation} with padding = {call['padding']!r}", hint="give a number")
    call.arrays.draft.layers += 1
    stride, padding = (blocks.one_size(call.arrays, call[key], f"a {key} of") for key in ("stride", "padding"))
    weight = call.array("weight", "weight")
    return blocks.convolution(call.arrays, x, weight, bias, call.layer, stride=stride, padding=padding)


@operation("max_pool2d", "avg_pool2d", "max_pool1d", "avg_pool1d")
def _pooling(call: Call) -> Array:
    call.only(ceil_mode=False, divisor_override=None)
    sizes = {key: call.given.get(key) for key in ("stride", "padding", "dilation", "kernel_size")}
    found = {
        key: blocks.one_size(call.arrays, value, f"a {key.replace('_', ' ')} of")
        for key, value in sizes.items()
        if value not in (None, [])
    }
    if found.get("padding", 0) or found.get("dilation", 1) != 1:
        raise call.unsupported(f"{call.operation} with padding or dilation")
    function = call.operation.removesuffix("2d").removesuffix("1d")
    size = found["kernel_size"]
    return blocks.pooling(call.arrays, function, call.array("self"), size, stride=found.get("stride"))


@operation("layer_norm")
def _layer_norm(call: Call) -> Array:
    x = call.array("input")
    if list(call["normalized_shape"]) != list(x.shape[-1:]):
        raise call.unsupported("layer_norm over several axes", hint="supported is the last one")
    gain, shift = call.optional("weight", "gain"), call.optional("bias", "shift")
    return blocks.norm(call.arrays, "layer_norm", x, gain, shift, exact(call["eps"]), call.layer)


@operation("batch_norm")
def _batch_norm(call: Call) -> Array:
    x = call.array("input")
    if x.axes != 2:
        raise call.unsupported(f"batch_norm of an array with {x.axes} axes", hint="supported is samples × features")
    gain, shift = call.optional("weight", "gain"), call.optional("bias", "shift")
    if call["training"]:
        return blocks.norm(call.arrays, "batch_norm", x, gain, shift, exact(call["eps"]), call.layer)
    mean, variance = call.array("running_mean"), call.array("running_var")
    return blocks.settled_norm(call.arrays, x, mean, variance, gain, shift, exact(call["eps"]), call.layer)


@operation("dropout", "feature_dropout", "alpha_dropout")
def _dropout(call: Call) -> Array:
    if call["train"] and call["p"]:
        raise call.unsupported(
            "dropout that draws its mask", hint="module.eval() leaves it out; multiply by a mask of your own to show it"
        )
    return call.array("input")


@operation("embedding")
def _embedding(call: Call) -> Array:
    call.arrays.draft.require("embedding")
    index, table = call.array("indices"), call.array("weight", "table")
    node = Written("embedding", (table.node, index.node))
    shape = (*index.shape, table.shape[1])
    laid = (*call.arrays.laid(index.shape), table.shape[1])  # a row of indices is 1 × n, and its rows 1 × n × m
    return call.arrays.let(call.arrays.fitted(node, laid, shape), "embedding", call.layer)


@operation("rnn_tanh_cell", "rnn_relu_cell")
def _recurrent_cell(call: Call) -> Array:
    arrays = call.arrays
    x, h = call.array("input"), call.array("hx")
    into, again = call.array("w_ih", "weight"), call.array("w_hh", "recurrent")
    z = arrays.binary("+", arrays.matmul(x, arrays.transpose(into)), arrays.matmul(h, arrays.transpose(again)))
    for key in ("b_ih", "b_hh"):
        if (bias := call.optional(key, "bias")) is not None:
            z = arrays.binary("+", z, bias)
    function = "tanh" if "tanh" in call.operation else "relu"
    return blocks.activation(arrays, function, arrays.let(z, "affine", call.layer))


@operation("rnn_tanh", "rnn_relu", "lstm", "gru")
def _recurrent(call: Call) -> list[Any]:
    call.only(num_layers=1, bidirectional=False)
    if call["train"] and call["dropout"]:
        raise call.unsupported(f"{call.operation} with dropout")
    roles = ("weight", "recurrent", "bias", "recurrent_bias")
    given = [call.made(value, role) for value, role in zip(call["params"], roles, strict=False)]
    if len(call["params"]) not in (2, 4):
        raise call.unsupported(f"{call.operation} with {len(call['params'])} weights")
    weights = (given[0], given[1], *(given[2:] or (None, None)))
    states = call["hx"] if isinstance(call["hx"], list) else [call["hx"]]
    call.arrays.draft.layers += 1
    every, last = unrolled(
        call.arrays, call.operation.removeprefix("rnn_"), call["input"], states, weights, call.layer,
        batch_first=call["batch_first"],
    )  # fmt: skip
    return [every, *last]


@operation("scaled_dot_product_attention")
def _attention(call: Call) -> Array:
    call.only(attn_mask=None, is_causal=False, enable_gqa=False, dropout_p=0.0)
    arrays = call.arrays
    q, k, v = call.array("query"), call.array("key"), call.array("value")
    if q.axes != 2:
        raise call.unsupported("attention over a batch", hint="supported are matrices: positions × features")
    width = arrays.whole(q.shape[-1])
    scores = arrays.matmul(q, arrays.transpose(k))
    if call["scale"] is not None:
        scores = arrays.binary("*", scores, number(exact(call["scale"])))
    elif (root := round(sqrt(width))) ** 2 == width:
        scores = arrays.binary("/", scores, number(fmpq(root)))
    else:
        scores = arrays.binary("/", scores, arrays.apply("sqrt", number(fmpq(width))))
    share = blocks.softmax(arrays, "softmax", arrays.let(scores, "soft"), -1)
    return arrays.let(arrays.matmul(share, v))
