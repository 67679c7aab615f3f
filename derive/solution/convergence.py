"""Training to convergence, in doubles: one update after another until a rule says that it is enough.

The run is the second engine's. Its first update has been worked out and certified; ``Witness.training`` holds the run
to that. What comes after is as good as doubles are, and is marked wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derive.oracle import Diverged, Floats, Oracle, State
from derive.problem.problem import Train, Update
from derive.records import dataclass


@dataclass(frozen=True)
class Convergence:
    """A run, and the rule that stopped it: ``"loss"``, ``"settled"``, ``"at_most"`` or ``"diverged"``.

    ``losses[k]`` is the loss after k updates; ``moves[k]`` is the largest change of a parameter in update k + 1, as a
    share of the largest parameter. Where the run diverged, ``parameters`` are the last at which the loss is a number.
    """

    train: Train
    stopped: str
    losses: tuple[float, ...]
    moves: tuple[float, ...]
    first: Mapping[str, Floats] | None
    parameters: Mapping[str, Floats]

    @property
    def updates(self) -> int:
        """How many updates were made; the one that led out of the numbers is not among them."""
        return len(self.losses) - 1

    def change(self, k: int) -> float:
        """How far update k moved the loss, as a share of the loss at the start (of the loss itself if that is 0)."""
        scale = abs(self.losses[0]) or abs(self.losses[k]) or 1.0
        return abs(self.losses[k] - self.losses[k - 1]) / scale

    def chosen(self) -> list[int]:
        """The iterations worth a line: 0, 1, 2, 5, 10, 20, 50, … and the last."""
        marks = [0, *(digit * 10**power for power in range(7) for digit in (1, 2, 5))]
        return [*(k for k in marks if k < self.updates), self.updates]


def converge(oracle: Oracle, loss: str, train: Train, update: Update | None = None) -> Convergence:
    """Train, by the rule of the worked ``update``, until it is enough.

    Raises ``ProblemError`` where not even the start has a gradient.
    """
    below, tolerance = (None if x is None else float(x.p) / float(x.q) for x in (train.below, train.tolerance))
    losses: list[float] = []
    moves: list[float] = []
    first: State | None = None
    last: State | None = None
    stopped = ""
    try:
        for state in oracle.descend(loss, update or Update(train.rates)):
            losses.append(state.loss)
            if last is not None:
                moves.append(_move(last.parameters, state.parameters))
            first, last = (state if state.step == 1 else first), state
            if below is not None and state.loss < below:
                stopped = "loss"
            elif tolerance is not None and state.step and _settled(losses, moves[-1], tolerance):
                stopped = "settled"
            elif state.step == train.at_most:
                stopped = "at_most"
            if stopped:
                break
    except Diverged:
        if last is None:
            raise
        stopped = "diverged"
    assert last is not None
    return Convergence(
        train, stopped, tuple(losses), tuple(moves), None if first is None else first.parameters, last.parameters
    )


def _settled(losses: list[float], move: float, tolerance: float) -> bool:
    """Whether the last update changed next to nothing, in the loss as well as in every parameter."""
    return abs(losses[-1] - losses[-2]) <= tolerance * (abs(losses[0]) or abs(losses[-1])) and move <= tolerance


def _move(before: Mapping[str, Floats], after: Mapping[str, Floats]) -> float:
    """The largest change of an entry, as a share of the largest entry; of two huge parameters it may be infinite."""
    with np.errstate(over="ignore"):
        change = max(float(np.max(np.abs(after[name] - before[name]), initial=0.0)) for name in after)
        largest = max(float(np.max(np.abs(value), initial=0.0)) for value in after.values())
    return change / largest if largest else change
