"""An experiment with networks of several depths and widths, run in doubles by the second engine.

Data and starts come from the raw bits of PCG64, which NumPy promises to be the same from version to version and from
machine to machine (NEP 19; its ``Generator`` promises less). The runs are smooth and short enough for three digits of
an error to be the same as well: a test moves the data by a part in 10^9 and looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

import numpy as np

from derive.oracle import Oracle
from derive.problem.problem import Problem

Widths = tuple[int, ...]

ARCHITECTURES: tuple[Widths, ...] = ((), (2,), (8,), (32,), (4, 4), (8, 8), (8, 8, 8))
"""The widths of the hidden layers, from none to three."""

FREQUENCY, NOISE = 3, 0.5  # targets are sin(3x) plus or minus at most 0.5
RATE, UPDATES = 0.05, 1000  # at twice the rate the deep networks oscillate, and rounding would show in the digits
STARTS = (1, 2, 3)  # seeds
TRAINING_SEED, VALIDATION_SEED = 11, 12


@dataclass(frozen=True, slots=True)
class Errors:
    """Mean squared errors of one architecture, one for each start."""

    widths: Widths
    training: tuple[float, ...]
    validation: tuple[float, ...]

    @property
    def middle(self) -> tuple[float, float]:
        """The medians over the starts: training, validation."""
        return median(self.training), median(self.validation)


def equations(widths: Widths) -> str:
    """A network with hidden layers of these widths, in the equation language."""
    lines, last = [], "X"
    for k in range(1, len(widths) + 1):
        lines += [f"h_{k} = {last} @ W_{k} + b_{k}", f"Z_{k} = tanh(h_{k})"]
        last = f"Z_{k}"
    return "\n".join([*lines, f"out = {last} @ W + b", "J = mean((out - T) ** 2)"])


def layers(widths: Widths) -> dict[str, tuple[int, int]]:
    """The sizes of all parameters of a network with one input and one output."""
    sizes, before = {}, 1
    for k, width in enumerate(widths, 1):
        sizes[f"W_{k}"], sizes[f"b_{k}"] = (before, width), (1, width)
        before = width
    return {**sizes, "W": (before, 1), "b": (1, 1)}


@cache
def experiment(samples: int) -> tuple[Errors, ...]:
    """Every architecture, trained on ``samples`` points and judged on as many others."""
    training, validation = (sampled(samples, seed) for seed in (TRAINING_SEED, VALIDATION_SEED))
    return tuple(trained(widths, training, validation) for widths in ARCHITECTURES)


Data = Mapping[str, list[list[float]]]


def uniform(seed: int) -> Callable[[], float]:
    """A source of numbers from 0 to below 1: the upper 53 of 64 random bits."""
    bits = np.random.PCG64(seed).random_raw
    return lambda: (int(bits()) >> 11) * 2.0**-53


def sampled(samples: int, seed: int) -> Data:
    """Inputs between -1 and 1, and their targets with noise."""
    draw = uniform(seed)
    inputs = [2 * draw() - 1 for _ in range(samples)]
    targets = [math.sin(FREQUENCY * x) + NOISE * (2 * draw() - 1) for x in inputs]
    return {"X": [[x] for x in inputs], "T": [[t] for t in targets]}


def start(widths: Widths, seed: int) -> dict[str, list[list[float]]]:
    """Weights with variance 1 / (number of inputs), biases between -1 and 1, both uniform."""
    draw = uniform(seed)
    found = {}
    for name, (rows, columns) in layers(widths).items():
        far = math.sqrt(3 / rows) if name.startswith("W") else 1.0
        found[name] = [[far * (2 * draw() - 1) for _ in range(columns)] for _ in range(rows)]
    return found


def trained(widths: Widths, training: Data, validation: Data, starts: Sequence[int] = STARTS) -> Errors:
    """One architecture from every start: the error on the training data, and on the validation data."""
    text, rates = equations(widths), dict.fromkeys(layers(widths), RATE)
    errors: list[tuple[float, float]] = []
    for seed in starts:
        parameters = start(widths, seed)
        engines = [Oracle(Problem.from_equations(text, given=d, parameters=parameters)) for d in (training, validation)]
        run = engines[0].train("J", rates, UPDATES, every=UPDATES)
        judged = (engine.forward(run.parameters)["J"] for engine in engines)
        errors.append((float(next(judged).item()), float(next(judged).item())))
    return Errors(widths, tuple(a for a, _ in errors), tuple(b for _, b in errors))
