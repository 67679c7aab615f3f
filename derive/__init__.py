"""derive turns a small neural network into a worked solution: every gradient derived, put in numbers and checked.

The names below are all that a user of the package needs. They are fetched on first use, so that ``import derive``
costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from derive.version import __version__ as __version__

if TYPE_CHECKING:
    from derive.api import Solution, Value, solve
    from derive.errors import ProblemError, Unsupported
    from derive.problem import Problem, built_in
    from derive.problem.sources.layers import (
        ELU,
        GELU,
        Activation,
        AvgPool2d,
        BatchNorm,
        Conv1d,
        Conv2d,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        Identity,
        LayerNorm,
        LeakyReLU,
        Linear,
        LogSoftmax,
        MaxPool2d,
        ReLU,
        Sigmoid,
        SiLU,
        Softmax,
        Softplus,
        Tanh,
    )  # fmt: skip
    from derive.problem.sources.losses import (
        BCELoss,
        BCEWithLogitsLoss,
        CrossEntropyLoss,
        L1Loss,
        MSELoss,
        SquaredError,
    )  # fmt: skip
    from derive.problem.sources.numpy_source import from_numpy
    from derive.problem.sources.onnx_file import from_onnx
    from derive.problem.sources.pytorch import from_torch
    from derive.problem.sources.sequential import Residual, Sequential
    from derive.solution import CheckFailed

__all__ = [
    "ELU", "GELU", "Activation", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm", "CheckFailed", "Conv1d",
    "Conv2d", "CrossEntropyLoss", "Dense", "Dropout", "Embedding", "Flatten", "Identity", "L1Loss", "LayerNorm",
    "LeakyReLU", "Linear", "LogSoftmax", "MSELoss", "MaxPool2d", "Problem", "ProblemError", "ReLU", "Residual",
    "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus", "Solution", "SquaredError", "Tanh", "Unsupported", "Value",
    "built_in", "from_numpy", "from_onnx", "from_torch", "solve",
]  # fmt: skip

_HOME = {"api": ["Solution", "Value", "solve"], "errors": ["ProblemError", "Unsupported"], "solution": ["CheckFailed"]}
_HOME["problem"] = ["Problem", "built_in"]
_HOME["problem.sources.sequential"] = ["Residual", "Sequential"]
_HOME["problem.sources.losses"] = [*(name for name in __all__ if name.endswith("Loss")), "SquaredError"]
_HOME["problem.sources.onnx_file"] = ["from_onnx"]
_HOME["problem.sources.numpy_source"] = ["from_numpy"]
_HOME["problem.sources.pytorch"] = ["from_torch"]
_HOME["problem.sources.layers"] = sorted(set(__all__) - {name for names in _HOME.values() for name in names})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for room, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"derive.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
