"""Derivatives without any rule: the complex step and central differences.

The complex step, Im f(x + ih)/h, has no rounding error to speak of (Squire and Trapp, SIAM Review 40, 1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from derive.oracle.tape import Step, Tape
from derive.oracle.values import Array, Floats, Shape
from derive.records import dataclass

COMPLEX_STEP = 1e-30
ALL_ENTRIES = 2000  # up to this many entries in all, differences are taken for every one of them
SAMPLES = 200
DIRECTIONS = 3
SEED = 20240229


@dataclass(frozen=True, slots=True)
class Direction:
    """The derivative of ``of`` along ``vector`` (the shape of ``by``, entries 1 and -1)."""

    vector: Floats
    value: Floats
    left_out: bool


@dataclass(frozen=True, slots=True)
class Differences:
    """Derivatives of the quantity ``of`` by single entries of ``by``, found without any rule.

    ``entries`` are the positions in ``by``, row by row; ``values[k]`` is the derivative by ``entries[k]``, in the shape
    of ``of``. ``left_out[k]`` marks a difference that means nothing, because the step crosses a kink. ``complete``:
    every entry was taken; otherwise ``entries`` is a seeded sample and ``directions`` holds random directions besides.
    """

    of: str
    by: str
    method: str
    shape: Shape
    entries: tuple[int, ...]
    values: Floats
    left_out: npt.NDArray[np.bool_]
    complete: bool
    directions: tuple[Direction, ...] = ()

    def gradient(self) -> Floats:
        """The whole gradient of a scalar in the shape of ``by``; ``nan`` where there is no difference to show."""
        result = np.full(math.prod(self.shape), np.nan)
        result[list(self.entries)] = np.where(self.left_out, np.nan, self.values.reshape(len(self.entries)))
        return result.reshape(self.shape)


def differences_by(
    tape: Tape, of: str, by: str, entries: Sequence[int] | None, method: str, directions: int = 0
) -> Differences:
    """The derivatives of ``of`` by entries of ``by`` without a rule."""
    top, slot = tape.slot(of), tape.slot(by)
    shape, size = np.shape(tape.values[slot]), np.size(tape.values[slot])
    if entries is None:
        everything = size <= ALL_ENTRIES
        entries, directions = (range(size), 0) if everything else (sample(size, SAMPLES), DIRECTIONS)
    steps = tape.between(slot, top)
    step_along = {"complex step": complex_step, "central differences": central_difference}[method]
    values = np.zeros((len(entries), *np.shape(tape.values[top])))
    left_out = np.zeros(len(entries), dtype=bool)
    with np.errstate(all="ignore"):
        for k, entry in enumerate(entries):
            vector = np.zeros(size)
            vector[entry] = 1
            values[k], left_out[k] = step_along(tape, top, slot, vector.reshape(shape), steps)
        chosen = signs((directions, *shape)) if directions else ()
        along = tuple(Direction(vector, *step_along(tape, top, slot, vector, steps)) for vector in chosen)
    complete = len(set(entries)) == size
    return Differences(of, by, method, shape, tuple(map(int, entries)), values, left_out, complete, along)


def complex_step(tape: Tape, top: int, slot: int, vector: Floats, steps: list[Step]) -> tuple[Floats, bool]:
    """The derivative of ``top`` along ``vector`` at ``slot``, and whether a tie moved."""
    v = list(tape.values)
    v[slot] = v[slot] + 1j * COMPLEX_STEP * vector
    tape.forward(v, steps, tape.sides, fixed=True)
    crossed = any(
        np.any(np.imag(step.gap(*(v[i] for i in step.inputs)))[step.ties(tape.sides[step.out])] != 0)
        for step in steps
        if step.gap is not None and step.ties(tape.sides[step.out]).any()
    )
    return np.imag(v[top]) / COMPLEX_STEP, crossed


def central_difference(tape: Tape, top: int, slot: int, vector: Floats, steps: list[Step]) -> tuple[Floats, bool]:
    """The same by two real runs; a kink is crossed where any side differs from that of the problem's own run."""
    here = tape.values[slot]
    scale = float(np.max(np.abs(here * vector), initial=1.0))
    h = 2.0 ** round(math.log2(6e-6 * scale))  # a power of two: x + h and x - h are equally far from x
    ends, crossed = [], False
    for sign in (1, -1):
        v = list(tape.values)
        v[slot] = here + sign * h * vector
        for step in steps:
            sides = dict[int, Array]()
            if step.gap is not None:
                # A gap that did not move keeps its side, which doubles alone might get wrong.
                gap = np.asarray(step.gap(*(v[i] for i in step.inputs)))
                own = tape.sides[step.out]
                sides[step.out] = np.where(gap == tape.gaps[step.out], own, np.sign(gap))
                crossed = crossed or bool((sides[step.out] != own).any())
            tape.forward(v, [step], sides, fixed=True)
        ends.append(v[top])
    result = np.asarray((ends[0] - ends[1]) / (2 * h))
    return result, crossed or not bool(np.isfinite(result).all())


def signs(shape: tuple[int, ...]) -> Floats:
    """Seeded directions, each entry 1 or -1."""
    signs: Floats = np.random.default_rng(SEED).choice([-1.0, 1.0], size=shape)
    return signs


def sample(size: int, count: int) -> list[int]:
    """Seeded positions, in order."""
    if count >= size:
        return list(range(size))
    return sorted(np.random.default_rng(SEED).choice(size, size=count, replace=False).tolist())
