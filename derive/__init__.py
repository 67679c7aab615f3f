"""derive turns a small neural network into a worked solution: every gradient derived, put in numbers and checked.

The names below are all that a user of the package needs. They are fetched on first use, so that ``import derive``
costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.api import CheckFailed, Problem, ProblemError, Solution, Unsupported, built_in, solve

__version__ = "0.1.0"

__all__ = ["CheckFailed", "Problem", "ProblemError", "Solution", "Unsupported", "built_in", "solve"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from derive import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
