"""``derive import``, ``derive new`` and ``derive schema`` as a user meets them; and what the README says of them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import derive
from derive.cli import main
from derive.problem import read_problem
from derive.problem.schema import schema
from derive.problem.starters import starter, starter_names

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")

SOURCE = """
import numpy as np
x = np.array([[1.0, 2.0]])
W = np.array([[0.5], [-0.25]])
def forward(x, W):
    y = np.tanh(x @ W)
    return y
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with a network in NumPy and one in ONNX."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SOURCE)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "fc.weight", "fc.bias"], ["out"], transB=1)],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.array([[0.1, -0.3]], dtype=np.float32), "fc.weight"),
            numpy_helper.from_array(np.array([0.5], dtype=np.float32), "fc.bias"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "net.onnx")
    return tmp_path


@pytest.mark.parametrize("kind", starter_names())
def test_new_writes_a_starter_once(kind: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is the starter, byte for byte; a second time it is left alone, whatever is in it."""
    assert main(["new", kind]) == 0
    path = here / f"{kind}.toml"
    assert path.read_text(encoding="utf-8") == starter(kind)
    assert capsys.readouterr().out.split() == [f"{kind}.toml"]
    path.write_text("mine")
    assert main(["new", kind]) == 2
    assert "there already" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert main(["new", kind, "--out", "deep/other.toml"]) == 0
    assert read_problem(here / "deep" / "other.toml").statements


def test_an_unknown_kind_lists_the_known_ones(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the nearest; nothing is written."""
    before = sorted(here.iterdir())
    assert main(["new", "mpl"]) == 2
    said = capsys.readouterr().err
    assert all(kind in said for kind in starter_names())
    assert "nearest: mlp" in said
    assert sorted(here.iterdir()) == before


def test_import_prints_or_writes_a_problem_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both kinds of files; what is printed is what is written, and reads as the problem of the Python call."""
    assert main(["import", "net.py"]) == 0
    printed = capsys.readouterr().out
    assert "y = tanh(x @ W)" in printed
    assert main(["import", "net.py", "--out", "net.toml"]) == 0
    assert (here / "net.toml").read_text(encoding="utf-8") == printed
    assert read_problem(here / "net.toml") == derive.from_numpy(here / "net.py")
    assert main(["import", "net.py", "--out", "net.toml"]) == 2
    words = ["import", "net.onnx", "--input", "x=[[1, 0.1]]", "--target", "1", "--loss", "squared-error", "--transpose"]
    assert main([*words, "--out", "net.toml", "--force"]) == 0
    problem = read_problem(here / "net.toml")
    assert [statement.name for statement in problem.statements] == ["y", "E"]
    assert problem.statements[0].source == "y = x @ W + b"
    assert str(problem.given["x"].entries[1]) == "1/10"  # a decimal of the command line is exact
    assert derive.solve(problem).checks


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["import", "net.pt"], ["net.pt", "derive.from_torch"]),
        (["import", "net.txt"], [".onnx or .py"]),
        (["import", "none.py"], ["none.py", "cannot be read"]),
        (["import", "net.py", "--function", "backward"], ["net.py", "backward", "forward"]),
        (["import", "net.py", "--loss", "mse"], ["--loss", ".py"]),
        (["import", "net.py", "--parameters", "V"], ["V is to be trained", "net.py"]),
        (["import", "net.onnx", "--loss", "msee", "--target", "1"], ["msee", "mse"]),
        (["import", "net.onnx", "--target", "1"], ["a target without a loss"]),
        (["import", "net.onnx", "--input", "x"], ["NAME=VALUES"]),
        (["import", "net.onnx", "--input", "x=1;2"], ["1,4,5"]),
        (["import", "net.onnx", "--input", "z=1,2"], ["no input z", "x"]),
        (["import", "net.onnx", "--input", "x=1,2,3"], ["1 × 3", "batch × 2"]),
        (["import", "net.onnx", "--output", "z"], ["no output z"]),
        (["import", "net.onnx", "--parameters", "W"], ["--parameters", ".onnx"]),
        (["import"], ["FILE"]),
        (["new"], ["KIND"]),
    ],
    ids=lambda value: " ".join(value),
)  # fmt: skip
def test_bad_words(words: list[str], expected: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, nothing on standard output, nothing written, one message that names what was found."""
    before = sorted(here.rglob("*"))
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(word in said.err for word in expected), said.err
    assert sorted(here.rglob("*")) == before


def test_without_its_package_the_extra_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message says what to install; a PyTorch module needs another extra."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["import", "net.onnx"]) == 2
    assert "derive-backprop[onnx]" in capsys.readouterr().err
    with pytest.raises(derive.ProblemError, match=r"derive-backprop\[torch\]"):
        derive.from_torch(None, None)


def test_the_schema_is_printed_and_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are the same JSON; a schema is written anew, another file is not written over."""
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
    for _ in range(2):
        assert main(["schema", "--out", "problem.schema.json"]) == 0
    assert json.loads((here / "problem.schema.json").read_text(encoding="utf-8")) == schema()
    assert main(["schema", "--out", "net.py"]) == 2
    assert (here / "net.py").read_text() == SOURCE


def _blocks(language: str) -> list[str]:
    section = README.split("## Other ways in", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_readmes_commands_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of the section's shell example, in a folder with a net.onnx and a net.py."""
    (block,) = _blocks("sh")
    for line in block.strip().splitlines():
        command = line.partition("#")[0].split()
        assert command[0] == "derive"
        assert main(command[1:]) == 0, line
    for written in ("mlp.toml", "net.toml", "problem.schema.json"):
        assert (here / written).exists()


@pytest.mark.parametrize("package", ["derive", "torch"])
def test_the_readmes_python_runs(package: str, here: Path) -> None:
    """The section's examples in Python; the one with PyTorch where it is installed."""
    pytest.importorskip(package)
    blocks = [block for block in _blocks("python") if ("torch" in block) == (package == "torch")]
    assert blocks
    for block in blocks:
        exec(block, {})
