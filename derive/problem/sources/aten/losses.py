"""ATen's losses."""

from __future__ import annotations

from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array
from derive.problem.sources.aten.call import Call, operation
from derive.problem.sources.stored import Part
from derive.problem.syntax import Index


def _output(call: Call, key: str) -> Array:
    """What a loss is of: a step of its own, since it is the network's output."""
    found = call.array(key)
    return call.arrays.let(found) if found.value is None and not _is_named(found) else found


def _is_named(array: Array) -> bool:
    return not isinstance(array.node, Index) and getattr(array.node, "id", None) is not None


@operation("mse_loss")
def _squared_error(call: Call) -> Array:
    return blocks.squared_error(call.arrays, _output(call, "self"), call.array("target"), call.reduction())


@operation("l1_loss")
def _absolute_error(call: Call) -> Array:
    return blocks.absolute_error(call.arrays, _output(call, "self"), call.array("target"), call.reduction())


@operation("cross_entropy_loss")
def _cross_entropy(call: Call) -> Array:
    call.only(weight=None, label_smoothing=0.0)
    _all_counted(call)
    z = _output(call, "self")
    if z.axes > 2:
        raise call.unsupported("a cross-entropy of more than two axes", hint="supported is samples × classes")
    return blocks.cross_entropy(call.arrays, z, call.array("target"), call.reduction())


@operation("nll_loss", "nll_loss_nd")
def _likelihood(call: Call) -> Array:
    call.only(weight=None)
    _all_counted(call)
    log_p, target = _output(call, "self"), call["target"]
    if not isinstance(target, Part) or log_p.axes > 2:
        raise call.unsupported("a likelihood of labels that are computed")
    import numpy

    classes = call.arrays.whole(log_p.shape[-1])
    target.value = numpy.eye(classes, dtype=int)[target.value]
    target.shape = target.value.shape
    return blocks.negative_log_likelihood(call.arrays, log_p, target.array("target"), call.reduction())


def _all_counted(call: Call) -> None:
    """Labels that a loss is to leave out are not in the language."""
    target = call["target"]
    if isinstance(target, Part) and target.value.dtype.kind in "iu" and (target.value == call["ignore_index"]).any():
        raise call.unsupported(f"a label of {call['ignore_index']}, which the loss leaves out")


@operation("binary_cross_entropy")
def _binary_cross_entropy(call: Call) -> Array:
    call.only(weight=None)
    return blocks.binary_cross_entropy(call.arrays, _output(call, "self"), call.array("target"), call.reduction())


@operation("binary_cross_entropy_with_logits")
def _binary_cross_entropy_of_logits(call: Call) -> Array:
    call.only(weight=None, pos_weight=None)
    z = _output(call, "self")
    return blocks.binary_cross_entropy_of_logits(call.arrays, z, call.array("target"), call.reduction())
