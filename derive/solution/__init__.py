"""From a problem to a checked solution: steps, certified values, and witnesses that had to agree."""

from derive.solution.checks import Check, CheckFailed
from derive.solution.derivation import Derivation, ReplayError, Step, replay
from derive.solution.part import Part, Solution
from derive.solution.solve import solve

__all__ = ["Check", "CheckFailed", "Derivation", "Part", "ReplayError", "Solution", "Step", "replay", "solve"]
