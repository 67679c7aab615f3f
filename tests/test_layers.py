"""Networks built from layers by their usual names: the same numbers as plain NumPy, and files a lecturer would write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import derive
from derive import (
    ELU,
    GELU,
    Activation,
    AvgPool2d,
    BatchNorm,
    BCELoss,
    BCEWithLogitsLoss,
    Conv1d,
    Conv2d,
    CrossEntropyLoss,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Identity,
    L1Loss,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    MaxPool2d,
    MSELoss,
    Problem,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    SquaredError,
    Tanh,
)  # fmt: skip
from derive.errors import ProblemError
from derive.oracle import Floats, Oracle
from derive.problem import problem_from_text

X = [[1, 4, 5], [0.5, -1, 2]]


def forward(problem: Problem) -> dict[str, Floats]:
    """The values of the problem's equations."""
    return Oracle(problem).forward()


def test_the_usual_network_is_written_as_on_a_slide() -> None:
    """Dense and Sigmoid give z, h, … y and E; what is written reads again, and solves to the built-in case's numbers."""
    net = Sequential(
        Dense(3, 2, weight=[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], bias=0.5), Sigmoid(),
        Dense(2, 2, weight=[[0.7, 0.8], [0.9, 0.1]], bias=0.5), Sigmoid(),
    )  # fmt: skip
    problem = net.problem([1, 4, 5], [0.1, 0.05], loss=SquaredError(), ask={"update": {"rate": 0.01}})
    assert [statement.source for statement in problem.statements] == [
        "z1 = x @ W1 + b1",
        "h1 = sigmoid(z1)",
        "z2 = h1 @ W2 + b2",
        "y  = sigmoid(z2)",
        "E  = sum((y - t)**2) / 2",
    ]
    assert problem_from_text(problem.to_toml()) == problem
    ours, theirs = derive.solve(problem), derive.solve("case1")
    for name in ("dE/dW1", "dE/db1", "dE/dW2", "dE/db2"):
        assert repr(ours.value(name)) == repr(theirs.value(name))


def test_linear_is_dense_with_the_weight_the_other_way_round() -> None:
    """``Linear`` stores outputs × inputs, as PyTorch does, and computes the same."""
    weight = np.arange(6).reshape(3, 2) / 10
    one = derive.solve(Sequential(Dense(3, 2, weight, [0.1, 0.2]), Tanh()).problem(X, [[1, 0], [0, 1]], loss=MSELoss()))
    other = derive.solve(
        Sequential(Linear(3, 2, weight.T, [0.1, 0.2]), Tanh()).problem(X, [[1, 0], [0, 1]], loss=MSELoss())
    )
    assert "x @ W.T + b" in other.problem.to_toml()
    np.testing.assert_allclose(one.value("dE/dW").floats(), other.value("dE/dW").floats().T, rtol=1e-14)


@pytest.mark.parametrize(
    ("layer", "rule"),
    [
        (Sigmoid(), lambda z: 1 / (1 + np.exp(-z))),
        (ReLU(), lambda z: np.maximum(z, 0)),
        (LeakyReLU(0.2), lambda z: np.where(z > 0, z, z / 5)),
        (ELU(), lambda z: np.where(z > 0, z, np.exp(z) - 1)),
        (SiLU(), lambda z: z / (1 + np.exp(-z))),
        (Softplus(), lambda z: np.log(1 + np.exp(z))),
        (Softmax(), lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True)),
        (Softmax(0), lambda z: np.exp(z) / np.exp(z).sum(0, keepdims=True)),
        (LogSoftmax(), lambda z: z - np.log(np.exp(z).sum(1, keepdims=True))),
        (Activation("cube", "z**3 / 3"), lambda z: z**3 / 3),
        (Dropout([[1, 0], [0, 1]], 0.5), lambda z: z * np.eye(2) * 2),
        (Residual(Tanh(), Identity()), lambda z: np.tanh(z) + z),
        (LayerNorm(2, gain=[2, 3], shift=[0, 1]), lambda z: [2, 3] * (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5) + [0, 1]),
        (BatchNorm(2, affine=False), lambda z: (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_each_layer_computes_what_its_name_says(layer: Any, rule: Any) -> None:
    """Against the formula in plain NumPy."""
    net = Sequential(Dense(3, 2, seed_weight(), False), layer)
    values = forward(net.problem(X))
    np.testing.assert_allclose(values["y"], rule(np.array(X) @ seed_weight()), rtol=1e-12)


def seed_weight() -> Floats:
    """Some weights without a pattern."""
    return np.array([[0.3, -0.2], [-0.1, 0.4], [0.2, 0.1]])


@pytest.mark.parametrize(
    ("loss", "target", "rule"),
    [
        (MSELoss(), [[1, 0], [0, 1]], lambda y, t: ((y - t) ** 2).mean()),
        (MSELoss("sum"), [[1, 0], [0, 1]], lambda y, t: ((y - t) ** 2).sum()),
        (L1Loss(), [[1, 0], [0, 1]], lambda y, t: abs(y - t).mean()),
        (BCELoss(), [[1, 0], [0, 1]], lambda y, t: -(t * np.log(y) + (1 - t) * np.log(1 - y)).mean()),
        (CrossEntropyLoss(), [[1, 0], [0, 1]], lambda y, t: -(t * (y - np.log(np.exp(y).sum(1, keepdims=True)))).sum(1).mean()),
        (CrossEntropyLoss("sum"), [1, 0], lambda y, t: -(np.eye(2)[t] * (y - np.log(np.exp(y).sum(1, keepdims=True)))).sum()),
    ],
    ids=["mse", "mse-sum", "l1", "bce", "ce", "ce-classes"],
)  # fmt: skip
def test_each_loss_is_the_one_of_that_name(loss: Any, target: list[object], rule: Any) -> None:
    """Means over entries for regression and binary classes, over samples for classes."""
    values = forward(Sequential(Dense(3, 2, seed_weight()), Sigmoid()).problem(X, target, loss=loss, seed=5))
    found = values["E"] if "E" in values else values["L"]
    np.testing.assert_allclose(found, rule(values["y"], np.array(target)), rtol=1e-12)


def test_a_sigmoid_inside_a_loss_leaves_the_logits_their_letter() -> None:
    """What comes before it is z, as it is in front of a softmax."""
    problem = Sequential(Dense(3, 1, [[1], [2], [3]], 0)).problem(X, [[0], [1]], loss=BCEWithLogitsLoss())
    assert [statement.name for statement in problem.statements] == ["z", "y", "L"]
    problem = Sequential(Dense(3, 4), GELU(), Dense(4, 2)).problem(X, [0, 1], loss=CrossEntropyLoss(), seed=1)
    assert [statement.name for statement in problem.statements] == ["z1", "h1", "z2", "L"]


def test_without_numbers_the_sizes_stand() -> None:
    """A network known by its sizes alone, for any number of samples, is derived with symbols."""
    problem = Sequential(Dense(3, 2), Activation("phi")).problem(loss=SquaredError(), samples="N")
    assert problem.shapes["x"] == ("N", 3)
    assert problem.shapes["W"] == (3, 2)
    assert problem.ask.gradients == ("W", "b")
    assert derive.solve(problem).core.parts


def test_a_seed_draws_the_same_weights_for_ever() -> None:
    """Tenths from a hash, none of them 0: no release of any package changes them."""
    problem = Sequential(Dense(3, 2), Tanh(), Dense(2, 1)).problem(X, [[1], [2]], loss=MSELoss(), seed=7)
    again = Sequential(Dense(3, 2), Tanh(), Dense(2, 1)).problem(X, [[1], [2]], loss=MSELoss(), seed=7)
    assert problem == again
    assert problem.to_toml().split("[parameters]\n")[1].startswith("W1 = [[")
    assert all(0 < abs(10 * entry) < 10 and (10 * entry).q == 1 for entry in problem.parameters["W1"])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Sequential(), "Sequential has no layer"),
        (lambda: Sequential(Dense(3, 2), Sigmoid), "Sigmoid, without brackets, which is no layer"),
        (lambda: Sequential(Dense(3, 2), Dense(3, 1)).problem(X), r"layer 2, Dense\(3, 1\): .* takes 3 inputs, and it is given 2"),
        (lambda: Sequential(Dense(3, 2, [[1, 2]])).problem(X), r"weight of Dense\(3, 2\) is 1 × 2, expected is 3 × 2"),
        (lambda: Sequential(Tanh()).problem(), r"the size of x is not known from Tanh\(\)"),
        (lambda: Sequential(Dense(3, 2)).problem(X, [[1], [2]], loss=MSELoss()), r"output has the shape \(2, 2\), and the target \(2, 1\)"),
        (lambda: Sequential(Dense(3, 2)).problem(X, [[1], [2]]), "a target without a loss"),
        (lambda: Sequential(Dropout([[1, 0, 1]], 1)).problem([1, 2, 3]), "expected is a number from 0 to below 1"),
        (lambda: Sequential(Activation("tanh")).problem([1, 2, 3]), "tanh cannot name an activation: it is a function"),
        (lambda: Sequential(Residual(Dense(3, 2))).problem([1, 2, 3]), "a skip connection from"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_message(build: Any, message: str) -> None:
    """It names the layer, what was found and what is expected."""
    with pytest.raises(ProblemError, match=message):
        build()


def test_images_go_through_filters_and_windows() -> None:
    """Convolution, pooling and flattening, against a convolution written out."""
    filters, image = np.array([[[[1, 2], [3, -4]]]]) / 10, np.arange(25).reshape(1, 1, 5, 5) % 7 / 10
    net = Sequential(
        Conv2d(1, 1, 2, weight=filters, bias=[0.5]),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dense(4, 1, [[1], [2], [3], [4]], 0),
    )
    conv = np.array(
        [[(image[0, 0, i : i + 2, j : j + 2] * filters[0, 0]).sum() + 0.5 for j in range(4)] for i in range(4)]
    )
    pooled = np.maximum(conv, 0).reshape(2, 2, 2, 2).max((1, 3)).reshape(1, 4)
    np.testing.assert_allclose(forward(net.problem(image))["y"], pooled @ [[1], [2], [3], [4]], rtol=1e-12)


def test_signals_and_words_are_solved() -> None:
    """A one-dimensional convolution, and rows of a table by their numbers, all the way to checked gradients."""
    signal = Sequential(Conv1d(1, 2, 2), Tanh(), Flatten(), Dense(6, 1)).problem(
        [[[1, 2, -1, 0.5]]], [[1]], loss=MSELoss(), seed=3
    )
    assert derive.solve(signal).value("dE/dW1").shape == (2, 1, 2)
    words = Sequential(Embedding(4, 2), Dense(2, 3)).problem([2, 0], [1, 2], loss=CrossEntropyLoss(), seed=3)
    assert derive.solve(words).checks
    image = Sequential(AvgPool2d(2), Flatten(), Dense(4, 1)).problem(
        np.arange(16).reshape(1, 1, 4, 4), [[1]], loss=L1Loss(), seed=3
    )
    np.testing.assert_allclose(forward(image)["f"], [[2.5, 4.5, 10.5, 12.5]])
