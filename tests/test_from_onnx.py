"""ONNX files as problems: values agree with ONNX's own reference evaluator, and no file does harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import derive
from derive.errors import ProblemError
from derive.oracle import Oracle
from derive.problem import Problem, problem_from_text

Values = NDArray[np.float64]
RNG = np.random.default_rng(4)


def rows(*shape: int) -> Values:
    """Some numbers with few digits."""
    return np.round(RNG.normal(size=shape), 2)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Sequence[int | str]],
    stored: dict[str, Any],
    outputs: Sequence[str] = ("out",),
) -> Any:
    """A model in double precision."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def saved(made: Any, folder: Path) -> Path:
    """The model in a file."""
    path = folder / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def agrees(made: Any, folder: Path, inputs: dict[str, Values], rtol: float = 1e-9) -> Problem:
    """The last equation's value is what the reference evaluator gives, in the evaluator's entries' order."""
    problem = derive.from_onnx(saved(made, folder), inputs)
    assert problem_from_text(problem.to_toml(), problem.name) == problem
    found = Oracle(problem).forward()[problem.statements[-1].name]
    (wanted,) = ReferenceEvaluator(made).run(None, inputs)
    np.testing.assert_allclose(np.ravel(found), np.ravel(wanted), rtol=rtol, atol=rtol / 10)
    return problem


N = helper.make_node
NETWORK = [
    N("Gemm", ["x", "fc1.weight", "fc1.bias"], ["a"], transB=1),
    N("Relu", ["a"], ["b"]),
    N("MatMul", ["b", "w2"], ["c"]),
    N("Add", ["c", "b2"], ["out"]),
]
STORED = {"fc1.weight": rows(4, 3), "fc1.bias": rows(4), "w2": rows(4, 2), "b2": rows(2)}


def test_the_usual_network_reads_as_in_a_lecture(tmp_path: Path) -> None:
    """Gemm keeps its transposed weight, MatMul and Add are one affine step; names and captions tell where it came from."""
    problem = agrees(model(NETWORK, {"x": ["batch", 3]}, STORED), tmp_path, {"x": rows(5, 3)})
    assert [" ".join(s.source.split()) for s in problem.statements] == [
        "z1 = x @ W1.T + b1",
        "h1 = relu(z1)",
        "y = h1 @ W2 + b2",
    ]
    assert problem.name == "net"
    assert problem.captions["W1"] == {"": "fc1.weight"}
    assert problem.statements[0].comment == "layer fc1"
    assert set(problem.parameters) == {"W1", "b1", "W2", "b2"}
    turned = derive.from_onnx(tmp_path / "net.onnx", transpose=True)
    assert turned.statements[0].source.startswith("z1 = x @ W1 + b1")
    assert turned.shapes == {"x": ("batch", 3)}


def test_a_loss_and_the_whole_way_to_a_solution(tmp_path: Path) -> None:
    """An imported network with a loss is solved, its checks pass; a single sample may be given as a flat list."""
    path = saved(model(NETWORK, {"x": ["batch", 3]}, STORED), tmp_path)
    problem = derive.from_onnx(path, [1, -2, 0.5], [0, 1], loss=derive.SquaredError(), ask={"update": {"rate": 0.1}})
    assert derive.solve(problem).value("dE/dW1").shape == (4, 3)
    problem = derive.from_onnx(path, [[1, 2, 3]], [1], loss=derive.CrossEntropyLoss())
    assert [statement.name for statement in problem.statements] == ["z1", "h1", "z2", "L"]


ONE = np.array([1])
CASES: dict[str, tuple[list[Any], dict[str, Sequence[int]], dict[str, Any]]] = {
    "sigmoid": ([N("Sigmoid", ["x"], ["out"])], {"x": [2, 3]}, {}),
    "activations": ([N("Tanh", ["x"], ["a"]), N("LeakyRelu", ["a"], ["b"], alpha=0.25), N("Elu", ["b"], ["c"]), N("Softplus", ["c"], ["out"])], {"x": [2, 3]}, {}),
    "gelu": ([N("Gelu", ["x"], ["out"])], {"x": [2, 3]}, {}),
    "softmax": ([N("Softmax", ["x"], ["a"], axis=0), N("LogSoftmax", ["a"], ["out"])], {"x": [2, 3]}, {}),
    "arithmetic": ([N("Sub", ["k", "x"], ["a"]), N("Mul", ["a", "x"], ["b"]), N("Exp", ["b"], ["c"]), N("Neg", ["c"], ["d"]), N("Div", ["d", "k"], ["e"]), N("Reciprocal", ["e"], ["out"])], {"x": [2, 3]}, {"k": rows(3) + 3}),
    "power": ([N("Abs", ["x"], ["a"]), N("Pow", ["a", "p"], ["b"]), N("Sqrt", ["b"], ["out"])], {"x": [2, 3]}, {"p": np.array(3.0)}),
    "reductions": ([N("ReduceMean", ["x", "one"], ["a"], keepdims=0), N("ReduceSum", ["x", "one"], ["b"], keepdims=1), N("Mul", ["x", "b"], ["c"]), N("ReduceSum", ["c", "one"], ["d"], keepdims=0), N("Add", ["a", "d"], ["out"])], {"x": [2, 3]}, {"one": ONE}),
    "norms": ([N("ReduceL2", ["x"], ["a"], keepdims=0), N("ReduceL1", ["x"], ["b"], keepdims=0), N("Add", ["a", "b"], ["out"])], {"x": [2, 3]}, {}),
    "transpose": ([N("Transpose", ["x"], ["a"]), N("MatMul", ["x", "a"], ["out"])], {"x": [2, 3]}, {}),
    "vector": ([N("MatMul", ["w", "x"], ["a"]), N("Add", ["a", "b"], ["out"])], {"x": [3]}, {"w": rows(2, 3), "b": rows(2)}),
    "maximum": ([N("Max", ["x", "k"], ["a"]), N("Min", ["a", "k", "x"], ["out"])], {"x": [2, 3]}, {"k": rows(3)}),
    "clip": ([N("Clip", ["x", "low", "high"], ["a"]), N("Clip", ["a", "low"], ["out"])], {"x": [2, 3]}, {"low": np.array(-0.5), "high": np.array(0.25)}),
    "where": ([N("Greater", ["x", "k"], ["c"]), N("Where", ["c", "x", "k"], ["out"])], {"x": [2, 3]}, {"k": rows(3)}),
    "shape arithmetic": ([N("Shape", ["x"], ["s"]), N("Gather", ["s", "zero"], ["n"]), N("Unsqueeze", ["n", "zeros"], ["m"]), N("Concat", ["m", "minus"], ["t"], axis=0), N("Reshape", ["x", "t"], ["out"])], {"x": [2, 3]}, {"zero": np.array(0), "zeros": np.array([0]), "minus": np.array([-1])}),
    "a slice of sizes": ([N("Shape", ["x"], ["s"]), N("Slice", ["s", "one", "two"], ["n"]), N("Concat", ["minus", "n"], ["t"], axis=0), N("Slice", ["s", "two", "two"], ["empty"]), N("Concat", ["t", "empty"], ["u"], axis=0), N("Reshape", ["x", "u"], ["out"])], {"x": [2, 3]}, {"one": ONE, "two": np.array([2]), "minus": np.array([-1])}),
    "squeeze": ([N("Unsqueeze", ["x", "one"], ["a"]), N("Squeeze", ["a"], ["out"])], {"x": [2, 3]}, {"one": ONE}),
    "slice": ([N("Slice", ["x", "one", "two", "one"], ["out"])], {"x": [2, 3]}, {"one": ONE, "two": np.array([3])}),
    "one row": ([N("Gather", ["x", "i"], ["a"]), N("Mul", ["a", "k"], ["out"])], {"x": [2, 3]}, {"i": np.array(1), "k": rows(3)}),
    "settled batch norm": ([N("BatchNormalization", ["x", "g", "s", "m", "v"], ["out"])], {"x": [2, 3]}, {"g": rows(3), "s": rows(3), "m": rows(3), "v": rows(3) ** 2 + 0.5}),
    "layer norm": ([N("LayerNormalization", ["x", "g", "s"], ["out"])], {"x": [2, 3]}, {"g": rows(3), "s": rows(3)}),
    "embedding": ([N("Gather", ["table", "i"], ["a"]), N("MatMul", ["a", "w"], ["b"]), N("Mul", ["b", "x"], ["out"])], {"x": [3, 2]}, {"table": rows(4, 2), "i": np.array([1, 3, 1]), "w": rows(2, 2)}),
    "filled": ([N("ConstantOfShape", ["s"], ["a"], value=numpy_helper.from_array(np.array([1.0]))), N("Sub", ["a", "x"], ["out"])], {"x": [2, 3]}, {"s": np.array([2, 3])}),
    "expanded": ([N("Expand", ["k", "s"], ["a"]), N("Mul", ["x", "a"], ["out"])], {"x": [2, 3]}, {"s": np.array([2, 3]), "k": rows(3)}),
    "joined": ([N("Concat", ["x", "k"], ["out"], axis=1)], {"x": [2, 3]}, {"k": rows(2, 1)}),
    "convolution": ([N("Conv", ["x", "w", "b"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]), N("Flatten", ["a"], ["out"])], {"x": [1, 2, 4, 4]}, {"w": rows(3, 2, 3, 3), "b": rows(3)}),
    "pooling": ([N("MaxPool", ["x"], ["a"], kernel_shape=[2, 2], strides=[2, 2]), N("AveragePool", ["x"], ["b"], kernel_shape=[2, 2], strides=[2, 2]), N("Sub", ["a", "b"], ["c"]), N("GlobalAveragePool", ["c"], ["out"])], {"x": [1, 2, 4, 4]}, {}),
    "a constant as an attribute": ([N("Constant", [], ["k"], value_ints=[2, 3]), N("Reshape", ["x", "k"], ["out"])], {"x": [3, 2]}, {}),
    "constants": ([N("Constant", [], ["k"], value=numpy_helper.from_array(np.array(0.5))), N("Mul", ["x", "k"], ["a"]), N("Dropout", ["a"], ["b"]), N("Identity", ["b"], ["out"])], {"x": [2, 3]}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_operation_agrees_with_the_reference_evaluator(name: str, tmp_path: Path) -> None:
    """In double precision, on some numbers."""
    nodes, inputs, stored = CASES[name]
    made = model(nodes, inputs, stored)
    values = {key: rows(*shape) for key, shape in inputs.items()}
    agrees(made, tmp_path, values, 1e-6 if name == "gelu" else 1e-9)  # the evaluator's erf is in single precision


def test_statistics_are_not_trained_even_where_they_are_alike(tmp_path: Path) -> None:
    """An exporter may store a zero mean and a zero shift once: one is given, the other a parameter."""
    made = model(
        [N("BatchNormalization", ["x", "g", "s", "s", "g"], ["out"])],
        {"x": [2, 3]},
        {"g": np.ones(3), "s": np.zeros(3)},
    )
    problem = agrees(made, tmp_path, {"x": rows(2, 3)})
    assert set(problem.parameters) == {"gamma", "beta"}
    assert len(problem.given) == 3


def external(tensor: Any) -> Any:
    """The tensor with its data in another file."""
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    tensor.ClearField("raw_data")
    return tensor


def broken(change: Any) -> Any:
    """A model of which one thing is changed."""
    made = model([N("MatMul", ["x", "w"], ["out"])], {"x": [1, 3]}, {"w": rows(3, 2)})
    change(made.graph)
    return made


def huge(graph: Any) -> None:
    """Sizes that no data stand behind."""
    graph.initializer[0].ClearField("dims")
    graph.initializer[0].dims.extend([2**40, 2**20])


BROKEN: dict[str, tuple[Any, str]] = {
    "data elsewhere": (lambda g: external(g.initializer[0]), r"initializer w: its data lie in another file, which is never read"),
    "huge sizes": (huge, "initializer w: a tensor of 1099511627776 × 1048576, at most 1000000"),
    "negative size": (lambda g: g.initializer[0].dims.__setitem__(0, -3), "a tensor of -3 × 2"),
    "data cut off": (lambda g: setattr(g.initializer[0], "raw_data", b"1234"), "a tensor of 6 entries with data for 0.5"),
    "no such type": (lambda g: setattr(g.initializer[0], "data_type", TensorProto.STRING), "a tensor of the type STRING"),
    "an input of huge size": (lambda g: setattr(g.input[0].type.tensor_type.shape.dim[1], "dim_value", 2**50), "a size of 1125899906842624"),
    "an unknown operation": (lambda g: setattr(g.node[0], "op_type", "LSTM"), r"node out \(LSTM\): the operation LSTM .*supported are .*MatMul"),
    "another domain": (lambda g: setattr(g.node[0], "domain", "com.evil"), "the operation MatMul of com.evil"),
    "an input from nowhere": (lambda g: g.node[0].input.__setitem__(1, "v"), "it uses v, which nothing before it gives"),
    "a name twice": (lambda g: g.node.add().CopyFrom(g.node[0]), "the name out is given twice"),
    "shapes that do not fit": (lambda g: g.input[0].type.tensor_type.shape.dim[1].__setattr__("dim_value", 4), r"a matrix product of the shapes \(1, 4\) and \(3, 2\)"),
    "no such output": (lambda g: setattr(g.output[0], "name", "z"), "the graph has no output z"),
    "two outputs": (lambda g: g.output.add().CopyFrom(g.input[0]), r'the graph has 2 outputs: out and x \(output="out"\)'),
    "a huge constant": (lambda g: g.node[0].CopyFrom(N("ConstantOfShape", ["big"], ["out"])) or g.initializer.add().CopyFrom(numpy_helper.from_array(np.array([10**9, 10**9]), "big")), r"a constant of the shape \(1000000000, 1000000000\)"),
    "an impossible shape": (lambda g: g.node[0].CopyFrom(N("Reshape", ["x", "s"], ["out"])) or g.initializer.add().CopyFrom(numpy_helper.from_array(np.array([2, -1]), "s")), r"the shape \(1, 3\) cannot have the shape \(2, -1\)"),
    "a wrong attribute": (lambda g: g.node[0].CopyFrom(N("Softmax", ["x"], ["out"], axis="one")), "this node cannot be read"),
    "a graph inside": (lambda g: g.node[0].CopyFrom(N("If", ["x"], ["out"])), "the operation If"),
    "not a number": (lambda g: g.initializer[0].CopyFrom(numpy_helper.from_array(np.full((3, 2), np.nan), "w")), "nan"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_or_malicious_file_is_one_message(name: str, tmp_path: Path) -> None:
    """It names the place; nothing is allocated for sizes that the file only claims, and no other file is opened."""
    change, message = BROKEN[name]
    with pytest.raises(ProblemError, match=message):
        derive.from_onnx(saved(broken(change), tmp_path))


def test_a_file_cut_off_anywhere_is_one_message(tmp_path: Path) -> None:
    """Every prefix, and every byte turned over, reads as a problem or is refused: nothing else comes out."""
    whole = model(NETWORK, {"x": [1, 3]}, STORED).SerializeToString()
    path = tmp_path / "net.onnx"
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(ProblemError):
            derive.from_onnx(path)
    for place in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            derive.from_onnx(path)
        except ProblemError as error:
            assert str(error)  # noqa: PT017 - a byte of a number may be anything


def test_what_is_no_model_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder, a text, a file beyond all bounds, values of the wrong size; a missing package."""
    (tmp_path / "text.onnx").write_text("hello, this is no model")
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate(2**33)  # a hole: it takes no room
    for name, message in {
        "none.onnx": "there is no such file",
        ".": "this is a folder",
        "text.onnx": "no ONNX model",
        "large.onnx": "more than 16 MiB",
    }.items():
        with pytest.raises(ProblemError, match=message):
            derive.from_onnx(tmp_path / name)
    path = saved(broken(lambda graph: None), tmp_path)
    with pytest.raises(ProblemError, match="the values are 1 × 2, expected is 1 × 3"):
        derive.from_onnx(path, [[1, 2]])
    with pytest.raises(ProblemError, match="the graph has no input y"):
        derive.from_onnx(path, {"y": [[1, 2, 3]]})
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ProblemError, match=r"needs the package onnx.*pip install 'derive-backprop\[onnx\]'"):
        derive.from_onnx(path)


def test_single_precision_keeps_its_shortest_decimals(tmp_path: Path) -> None:
    """0.1 in single precision is meant as 0.1; exactly, it is the binary fraction that the float is."""
    nodes = [N("Constant", [], ["k"], value_float=0.7), N("MatMul", ["x", "w"], ["a"]), N("Mul", ["a", "k"], ["out"])]
    made = model(nodes, {"x": [1, 2]}, {"w": np.array([[0.1], [0.3]], dtype=np.float32)})
    path = saved(made, tmp_path)
    problem = derive.from_onnx(path)
    assert "W = [[0.1], [0.3]]" in problem.to_toml()
    assert problem.statements[-1].source == "y = x @ W * 0.7"
    entries = derive.from_onnx(path, exact=True).parameters["W"].entries
    assert [float(e.p) / float(e.q) for e in entries] == [float(np.float32(0.1)), float(np.float32(0.3))]
    assert onnx.__version__
