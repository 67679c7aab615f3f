"""The chapter on depth and width: counts against counting by hand, the experiment against plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from derive.chapters import experiment
from derive.chapters.architecture import SHOWN, key, three
from derive.chapters.chapter import Worked, work_out
from derive.chapters.costs import cost
from derive.errors import ProblemError
from derive.problem import problem_from_text
from derive.report.document import Figure, Math, Table
from derive.solution import solve
from readback_tokens import as_centred


@pytest.fixture(scope="module")
def worked() -> Worked:
    """The chapter at its own sizes."""
    return work_out("architecture")


@pytest.mark.parametrize("widths", experiment.ARCHITECTURES)
def test_costs_are_those_counted_by_hand(worked: Worked, widths: experiment.Widths) -> None:
    """Each weight once forward, twice back but for the first layer; what the solved network shows agrees."""
    sizes = (1, *widths, 1)
    weights = [a * b for a, b in pairwise(sizes)]
    found = cost(worked.sheets[key(widths)].part, "N")
    assert found.parameters == sum(weights) + sum(sizes[1:])
    assert found.forward == sum(weights)
    assert found.backward == 2 * sum(weights) - weights[0]


def test_a_product_that_is_not_linear_in_the_samples_is_not_counted() -> None:
    """A network that compares samples with each other has no cost for each of them."""
    text = 'equations = "J = sum(X @ W @ X.T)"\nshapes = { X = ["N", 3], W = [3, 3] }\nask = { gradients = ["W"] }'
    with pytest.raises(ValueError, match="not linear"):
        cost(solve(problem_from_text(text, name="gram")).part(), "N")


def _network(parameters: dict[str, np.ndarray], data: dict[str, np.ndarray], depth: int) -> list[np.ndarray]:
    """The layers' outputs in plain NumPy, the last one linear."""
    layers = [data["X"]]
    for k in range(1, depth + 1):
        layers.append(np.tanh(layers[-1] @ parameters[f"W_{k}"] + parameters[f"b_{k}"]))
    return [*layers, layers[-1] @ parameters["W"] + parameters["b"]]


def test_the_experiment_in_plain_numpy() -> None:
    """Textbook back-propagation, written out here, ends with the same training and validation errors."""
    widths, depth = (4, 4), 2
    training, validation = (
        {name: np.array(rows) for name, rows in experiment.sampled(16, seed).items()}
        for seed in (experiment.TRAINING_SEED, experiment.VALIDATION_SEED)
    )
    p = {name: np.array(rows) for name, rows in experiment.start(widths, 1).items()}
    for _ in range(experiment.UPDATES):
        *layers, out = _network(p, training, depth)
        delta, steps = 2 * (out - training["T"]) / out.size, {}
        for k in range(depth, -1, -1):
            weights, bias = (f"W_{k + 1}", f"b_{k + 1}") if k < depth else ("W", "b")
            steps[weights], steps[bias] = layers[k].T @ delta, delta.sum(axis=0, keepdims=True)
            delta = (delta @ p[weights].T) * (1 - layers[k] ** 2)
        p = {name: value - experiment.RATE * steps[name] for name, value in p.items()}
    ours = experiment.trained(widths, experiment.sampled(16, 11), experiment.sampled(16, 12), starts=(1,))
    for data, found in ((training, ours.training), (validation, ours.validation)):
        error = np.mean((_network(p, data, depth)[-1] - data["T"]) ** 2)
        assert found == pytest.approx((float(error),), rel=1e-9)


def test_three_digits_survive_a_shift_of_the_data() -> None:
    """Rounding differs from machine to machine; a shift a million times larger leaves the printed digits alone."""
    training, validation = (experiment.sampled(16, seed) for seed in (11, 12))
    shifted = {name: [[x * (1 + 1e-9) for x in row] for row in rows] for name, rows in training.items()}
    for widths in ((32,), (8, 8, 8)):
        plain, moved = (experiment.trained(widths, data, validation, starts=(1,)) for data in (training, shifted))
        for mine, other in zip(plain.training + plain.validation, moved.training + moved.validation, strict=True):
            assert three(mine) == three(other)
            assert other == pytest.approx(mine, rel=1e-6)


def test_a_network_without_hidden_layers_comes_to_the_least_squares_line() -> None:
    """The floor that the chapter speaks of: its training error is that of the best line, as NumPy finds it."""
    data = experiment.sampled(16, experiment.TRAINING_SEED)
    line = np.column_stack([np.array(data["X"]), np.ones(16)])
    residue = np.linalg.lstsq(line, np.array(data["T"]), rcond=None)[1]
    assert experiment.experiment(16)[0].middle[0] == pytest.approx(float(residue[0]) / 16, rel=1e-6)


def test_the_errors_are_in_the_json_document(worked: Worked) -> None:
    """Every architecture with its costs and the errors of every start: the medians are those of the table."""
    found = worked.json()["experiment"]
    assert found["certified"] is False
    assert [tuple(one["widths"][1:-1]) for one in found["architectures"]] == list(experiment.ARCHITECTURES)
    for one, errors in zip(found["architectures"], experiment.experiment(worked.sizes["N"]), strict=True):
        assert sorted(map(float, one["validation"]))[1] == float(f"{errors.middle[1]:.3g}")
        assert len(one["training"]) == len(experiment.STARTS)


def test_the_chapter_shows_what_was_counted_and_tried(worked: Worked) -> None:
    """Two tables with a line for each architecture, a plot, and the best ones named as they are in the table."""
    blocks = worked.document().blocks
    counted, tried = [b for b in blocks if isinstance(b, Table) and len(b.rows) == len(experiment.ARCHITECTURES)]
    assert [row[0] for row in counted.rows] == [row[0] for row in tried.rows]
    for row, errors in zip(tried.rows, experiment.experiment(16), strict=True):
        for cell, error in zip(row[2:4], errors.middle, strict=True):
            assert [as_centred(span.latex) for span in cell if isinstance(span, Math)] == [three(error)]
    assert sum(isinstance(block, Figure) for block in blocks) == 1
    assert SHOWN in worked.sheets


@pytest.mark.parametrize("sizes", ["N=7", "N=65", "m=3"])
def test_sizes_have_bounds(sizes: str) -> None:
    """Fewer than 8 samples, more than 64, and sizes that there are none of: one message each."""
    with pytest.raises(ProblemError, match=r"architecture|expected is a whole number from 8 to 64"):
        work_out("architecture", sizes)
