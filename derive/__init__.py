"""derive turns a small neural network into a worked solution: every gradient derived, put in numbers and checked.

The names below are all that a user of the package needs. They are fetched on first use, so that ``import derive``
costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.api import Solution, Value, solve
    from derive.errors import ProblemError, Unsupported
    from derive.problem import Problem, built_in
    from derive.solution import CheckFailed

__version__ = "0.1.0"

__all__ = ["CheckFailed", "Problem", "ProblemError", "Solution", "Unsupported", "Value", "built_in", "solve"]

_HOME = {"api": ["Solution", "Value", "solve"], "errors": ["ProblemError", "Unsupported"], "solution": ["CheckFailed"]}
_HOME["problem"] = ["Problem", "built_in"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for room, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"derive.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
