"""An ONNX file as a problem: its graph node by node, its initializers as parameters.

The file is not trusted. It is bounded before it is parsed, the size of each tensor before the tensor is made, and data
that lie in other files are never read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from derive.errors import DeriveError
from derive.problem.names import NAME
from derive.problem.problem import Problem
from derive.problem.sources.arrays import Array, Arrays
from derive.problem.sources.draft import MOST_ENTRIES, Draft, Shape, Size
from derive.problem.sources.extras import extra
from derive.problem.sources.given import shape_of
from derive.problem.sources.losses import Loss
from derive.problem.sources.onnx_operations import FOLDED, OPERATIONS, Node
from derive.problem.sources.stored import Part, exactly
from derive.problem.wording import hint, listing, shown

LARGEST_FILE = 16 * 1024 * 1024  # bytes; parsed, a file of small pieces takes many times as much
MOST_NODES = 5_000
PLAIN = ("input", "inputs", "data")  # names of inputs that say nothing

FLOATS = {"FLOAT": 4, "DOUBLE": 8, "FLOAT16": 2, "BFLOAT16": 2}
WHOLES = {"INT8": 1, "UINT8": 1, "INT16": 2, "UINT16": 2, "INT32": 4, "UINT32": 4, "INT64": 8, "UINT64": 8, "BOOL": 1}


def from_onnx(
    path: str | os.PathLike[str],
    inputs: Any = None,
    target: Any = None,
    *,
    loss: Loss | None = None,
    output: str | None = None,
    transpose: bool = False,
    exact: bool = False,
    ask: Mapping[str, Any] | None = None,
    convention: Mapping[str, Any] | None = None,
    title: str | Mapping[str, str] | None = None,
    name: str | None = None,
    **tables: Mapping[str, Any],
) -> Problem:
    """The problem of an ONNX file.

    ``inputs`` maps the graph's inputs to values (of a single input the values alone will do); an input without values
    is known by its shape, in which a free size keeps its name. ``loss`` is one of derive's (``derive.MSELoss()``)
    against ``target``; ``output`` chooses from several outputs by name. Initializers of real numbers are parameters,
    single-precision ones by their shortest decimals (``exact=True``: to the last digit of the binary value). With
    ``transpose`` a weight that is used as ``W.T`` alone is stored the other way round. The other arguments are tables
    of a problem file. Raises ``ProblemError`` for a file that is missing, damaged or not to be trusted, and
    ``Unsupported`` for an operation that has no place in a problem.
    """
    onnx = extra("onnx", "an ONNX file")
    place = Path(path)
    draft = Draft(str(path))
    graph = _model(onnx, place, draft).graph
    reader = _Graph(onnx, graph, draft, exact)
    reader.inputs(inputs)
    result = reader.run(output)
    if target is not None and loss is None:
        raise draft.error("a target without a loss", hint="loss=derive.MSELoss()")
    if loss is not None:
        draft.where = ""
        result = loss.draw(reader.arrays, reader.arrays.let(result, "soft"), target)
    own = {"title": title, "ask": ask, "convention": convention, **tables}
    return draft.problem(result.node, transpose=transpose, tables=own, name=place.stem if name is None else name)


def _model(onnx: Any, place: Path, draft: Draft) -> Any:
    """The model in the file. Raises ``ProblemError`` for everything that is none."""
    try:
        if not place.is_file():
            raise draft.error("this is a folder, expected is a file" if place.is_dir() else "there is no such file")
        size = place.stat().st_size
        if size > LARGEST_FILE:
            raise draft.error(f"the file has more than {LARGEST_FILE // 2**20} MiB: no network for a blackboard")
        data = place.read_bytes()
    except (OSError, ValueError) as error:
        raise draft.error(f"the file cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # noqa: BLE001 - whatever the parser says, the file is no model
        reason = shown(str(error), 120)[1:-1]
        raise draft.error(f"this is no ONNX model, or a part of one: {reason}") from None
    if not model.HasField("graph") or not model.graph.output or not model.opset_import:
        raise draft.error("this is no ONNX model, or a part of one: it has no graph with an output")
    if len(model.graph.node) > MOST_NODES:
        raise draft.error(f"a graph of {len(model.graph.node)} nodes, at most {MOST_NODES} are read")
    if model.functions:
        raise draft.unsupported("a model with functions of its own")
    if model.graph.sparse_initializer:
        raise draft.unsupported("a model with sparse initializers")
    return model


class _Graph:
    """Walks the nodes of a graph. ``found`` has what each name is: an array, a stored tensor, a constant of NumPy's."""

    def __init__(self, onnx: Any, graph: Any, draft: Draft, exact: bool) -> None:
        self.onnx, self.graph, self.draft, self.exact = onnx, graph, draft, exact
        self.arrays = Arrays(draft)
        self.found: dict[str, Any] = {}

    def inputs(self, given: Any) -> None:
        """The initializers, then the graph's inputs with their values or shapes."""
        for tensor in self.graph.initializer:
            self.draft.where = f"initializer {shown(tensor.name)[1:-1]}"
            self._enter(tensor.name, self.stored(tensor, trained=True))
        self.draft.where = ""
        free = [one for one in self.graph.input if one.name not in self.found]
        values = self._values(given, [one.name for one in free])
        for one in free:
            self.draft.where = f"input {shown(one.name)[1:-1]}"
            self._enter(one.name, self._input(one, values.get(one.name)))
        self.draft.where = ""

    def _values(self, given: Any, names: list[str]) -> dict[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            if len(names) != 1:
                raise self.draft.error(f"inputs is to be a table of values for {listing(names, 'and')}")
            return {names[0]: given}
        for name in given:
            if name not in names:
                tip = hint(str(name), names) or f"there are {listing(names, 'and')}"
                raise self.draft.error(f"the graph has no input {shown(name)[1:-1]}", hint=tip)
        return dict(given)

    def _input(self, one: Any, value: Any) -> Part:
        declared = one.type.tensor_type.shape if one.type.HasField("tensor_type") else None
        sizes = [self._size(dim, k) for k, dim in enumerate(declared.dim)] if declared is not None else None
        name = one.name if NAME.fullmatch(one.name) and one.name not in PLAIN else None
        if value is None:
            if sizes is None:
                raise self.draft.error("its shape is not in the file", hint="give values for it")
            shape: Shape = tuple(sizes)
        else:
            shape = shape_of(value)
            if sizes is not None and len(sizes) == len(shape) + 1 and (sizes[0] == 1 or isinstance(sizes[0], str)):
                value, shape = (value[None] if hasattr(value, "shape") else [value]), (1, *shape)  # one sample
            if sizes is not None and (
                len(sizes) != len(shape)
                or any(isinstance(a, int) and a != b for a, b in zip(sizes, shape, strict=True))
            ):
                found, wanted = (" × ".join(map(str, each)) or "a number" for each in (shape, sizes))
                raise self.draft.error(f"the values are {found}, expected is {wanted}")
        part = Part(self.arrays, shape, value, False, "", name)
        part.role = "input"
        return part

    def _size(self, dim: Any, place: int) -> Size:
        if dim.HasField("dim_value"):
            if not 1 <= dim.dim_value <= MOST_ENTRIES:
                raise self.draft.error(f"a size of {dim.dim_value}, expected is one from 1 to {MOST_ENTRIES}")
            return int(dim.dim_value)
        return str(dim.dim_param) if NAME.fullmatch(dim.dim_param or "") else "NMKL"[min(place, 3)]

    def stored(self, tensor: Any, trained: bool = False) -> Any:
        """A tensor of the file: real numbers are data to come, whole numbers a constant of NumPy's."""
        types = self.onnx.TensorProto.DataType
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise self.draft.error(
                "its data lie in another file, which is never read", hint="save the model as one file"
            )
        try:
            type_name = types.Name(tensor.data_type)
        except ValueError:
            type_name = str(tensor.data_type)
        bytes_each = FLOATS.get(type_name) or WHOLES.get(type_name)
        if bytes_each is None:
            raise self.draft.unsupported(f"a tensor of the type {type_name}", [*FLOATS, *WHOLES])
        shape = tuple(int(size) for size in tensor.dims)
        if any(size < 0 for size in shape) or len(shape) > 8 or prod(shape) > MOST_ENTRIES:
            sizes = " × ".join(map(str, shape))
            raise self.draft.error(f"a tensor of {shown(sizes)[1:-1]}, at most {MOST_ENTRIES} entries are allowed")
        count = len(tensor.raw_data) / bytes_each if tensor.HasField("raw_data") else self._typed(tensor, type_name)
        if count != prod(shape):
            raise self.draft.error(f"a tensor of {prod(shape)} entries with data for {count:g}")
        array = self.onnx.numpy_helper.to_array(tensor)
        if type_name in WHOLES:
            return array.astype("int64")
        if type_name == "BFLOAT16":
            array = array.astype("float32")
        return Part(self.arrays, shape, exactly(array) if self.exact else array, trained, tensor.name)

    def _typed(self, tensor: Any, type_name: str) -> int:
        """How many entries the list of a tensor's own type has."""
        key = {"FLOAT": "float_data", "DOUBLE": "double_data", "INT64": "int64_data"}.get(type_name)
        if type_name in ("UINT32", "UINT64"):
            key = "uint64_data"
        return len(getattr(tensor, key or "int32_data"))

    def run(self, output: str | None) -> Array:
        """The output that is wanted."""
        for node in self.graph.node:
            label = shown(node.name or (node.output[0] if node.output else ""))[1:-1]
            self.draft.where = f"node {label} ({shown(node.op_type)[1:-1]})"
            self._step(node)
        self.draft.where = ""
        names = [one.name for one in self.graph.output]
        if output is None and len(names) > 1:
            raise self.draft.error(
                f"the graph has {len(names)} outputs: {listing(names, 'and')}", hint=f'output="{names[0]}"'
            )
        wanted = names[0] if output is None else output
        if wanted not in names or wanted not in self.found:
            raise self.draft.error(
                f"the graph has no output {shown(wanted)[1:-1]}", hint=f"there are {listing(names, 'and')}"
            )
        return Node(self, None, [wanted], {}).array(0)

    def _step(self, node: Any) -> None:
        operation = node.op_type
        own = node.domain not in ("", "ai.onnx")
        if own or operation not in OPERATIONS:
            domain = f" of {shown(node.domain)[1:-1]}" if own else ""
            raise self.draft.unsupported(f"the operation {shown(operation)[1:-1]}{domain}", OPERATIONS)
        for name in node.input:
            if name and name not in self.found:
                raise self.draft.error(f"it uses {shown(name)[1:-1]}, which nothing before it gives")
        try:
            made = self._drawn(node, operation)
        except DeriveError:
            raise
        except Exception as error:  # noqa: BLE001 - a damaged file puts any value in any place
            reason = shown(f"{type(error).__name__}: {error}", 120)[1:-1]
            raise self.draft.error(f"this node cannot be read: {reason}") from None
        for name in node.output[1:]:
            if name:
                self.found[name] = None  # a second output that nothing here gives; who uses it gets a message
        if not node.output:
            raise self.draft.error("it has no output")
        self._enter(node.output[0], made)

    def _drawn(self, node: Any, operation: str) -> Any:
        attributes = {one.name: self._attribute(one) for one in node.attribute}
        step = Node(self, node, list(node.input), attributes)
        constant = all(step.is_constant(k) for k in range(len(node.input)) if node.input[k])
        table = FOLDED if operation in FOLDED and constant and node.input else OPERATIONS
        return table[operation](step)

    def _enter(self, name: str, value: Any) -> None:
        if name in self.found:
            raise self.draft.error(f"the name {shown(name)[1:-1]} is given twice")
        self.found[name] = value

    def _attribute(self, one: Any) -> Any:
        kinds = self.onnx.AttributeProto
        if one.type == kinds.TENSOR:
            return self.stored(one.t)
        if one.type in (kinds.GRAPH, kinds.GRAPHS, kinds.SPARSE_TENSOR, kinds.SPARSE_TENSORS, kinds.TENSORS):
            raise self.draft.unsupported(f"the attribute {shown(one.name)[1:-1]} with a graph or tensors inside")
        value = self.onnx.helper.get_attribute_value(one)
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return value if isinstance(value, int | float) else list(value)
