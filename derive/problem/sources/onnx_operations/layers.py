"""ONNX's layers and losses: products with weights, convolutions, pooling, norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, shown
from derive.problem.sources.stored import Part

if TYPE_CHECKING:
    pass
from derive.problem.sources.onnx_operations.node import Node, operation


@operation("Gemm")
def _gemm(node: Node) -> Array:
    node.only(alpha=1.0, beta=1.0)
    arrays = node.arrays
    arrays.draft.layers += 1
    x, weight = node.array(0, "weight"), node.array(1, "weight")
    if x.axes != 2 or weight.axes != 2:
        raise node.error(f"a product of the shapes {shown(x.shape)} and {shown(weight.shape)}")
    x = arrays.transpose(x) if node.whole("transA", 0) else x
    turned = bool(node.whole("transB", 0))
    return blocks.affine(arrays, x, weight, node.optional(2, "bias"), node.layer(), turned=turned)


@operation("MatMul")
def _matmul(node: Node) -> Array:
    sides = [isinstance(node.value(k), Part) and node.value(k).trained for k in (0, 1)]
    if any(sides) and not all(sides):
        node.arrays.draft.layers += 1
    return node.soft(node.arrays.matmul(node.array(0, "weight" if sides[0] else ""), node.array(1, "weight")))


@operation("Conv")
def _convolution(node: Node) -> Array:
    node.only(group=1, auto_pad="NOTSET")
    if any(size != 1 for size in node.attributes.get("dilations", [])):
        raise node.unsupported(f"Conv with dilations = {node.attributes['dilations']}", hint="supported is 1")
    arrays, x = node.arrays, node.array(0)
    arrays.draft.layers += 1
    weight = node.array(1, "weight")
    bias = node.optional(2, "bias", blocks.bias_of_filters(node.shape(2), weight.axes) if node.has(2) else None)
    stride = blocks.one_size(arrays, node.attributes.get("strides", 1), "a stride of")
    padding = blocks.one_size(arrays, node.attributes.get("pads", 0), "a padding of")
    return blocks.convolution(arrays, x, weight, bias, node.layer(), stride=stride, padding=padding)


@operation("MaxPool", "AveragePool")
def _pooling(node: Node) -> Array:
    node.only(auto_pad="NOTSET", ceil_mode=0, storage_order=0)
    if any(node.attributes.get("pads", [])) or any(size != 1 for size in node.attributes.get("dilations", [])):
        raise node.unsupported(f"{node.operation} with padding or dilation")
    arrays = node.arrays
    size = blocks.one_size(arrays, node.attributes.get("kernel_shape", []), "a window of")
    stride = blocks.one_size(arrays, node.attributes.get("strides", 1), "a stride of")
    function = "max_pool" if node.operation == "MaxPool" else "avg_pool"
    return blocks.pooling(arrays, function, node.array(0), size, stride=stride)


@operation("GlobalAveragePool", "GlobalMaxPool")
def _global_pooling(node: Node) -> Array:
    x = node.array(0)
    function = "mean" if node.operation == "GlobalAveragePool" else "max"
    return node.arrays.let(node.arrays.reduce(function, x, range(2, x.axes), keepdims=True), "pool")


@operation("BatchNormalization")
def _batch_norm(node: Node) -> Array:
    node.only(training_mode=0, spatial=1)
    x = node.array(0)
    if x.axes != 2:
        raise node.unsupported(
            f"BatchNormalization of an array with {x.axes} axes", hint="supported is samples × features"
        )
    running = []
    for place in (3, 4):  # statistics are not trained, and have nothing to do with an initializer that is alike
        one = node.value(place)
        apart = Part(node.arrays, one.shape, one.value, False, one.path) if isinstance(one, Part) else None
        running.append(node.array(place) if apart is None else apart.array())
    gain, shift = node.array(1, "gain"), node.array(2, "shift")
    eps = node.real("epsilon", "1e-5")
    return blocks.settled_norm(node.arrays, x, running[0], running[1], gain, shift, eps, node.layer())


@operation("LayerNormalization")
def _layer_norm(node: Node) -> Array:
    x = node.array(0)
    if node.arrays.axis(node.whole("axis", -1), x.axes) != x.axes - 1:
        raise node.unsupported("LayerNormalization over several axes", hint="supported is the last one")
    gain, shift = node.array(1, "gain"), node.optional(2, "shift")
    return blocks.norm(node.arrays, "layer_norm", x, gain, shift, node.real("epsilon", "1e-5"), node.layer())


# ── losses ─────────────────────────────────────────────────────────────────────────────────────────────────


@operation("SoftmaxCrossEntropyLoss")
def _cross_entropy(node: Node) -> Array:
    node.only(ignore_index=None)
    if node.has(2):
        raise node.unsupported("SoftmaxCrossEntropyLoss with weights")
    z, target = node.array(0), node.array(1, "target")
    if z.axes != 2:
        raise node.unsupported("a cross-entropy of more than two axes", hint="supported is samples × classes")
    return blocks.cross_entropy(node.arrays, z, target, str(node.attributes.get("reduction", "mean")))
