"""Exams for tests, put together in Python: what the reader of exam files gives for a file."""

from __future__ import annotations

from flint import fmpq

from derive.exam.exam import Activations, Decimals, Exam, Numbers, Question, Require
from derive.exam.variant import Chosen, Variant
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem

RELU = """
z = x @ W1 + b1     # hidden layer
h = relu(z)
y = h @ W2 + b2
E = sum((y - t)**2) / 2
"""
SIGMOID = """
z = x @ W + b
p = sigmoid(z)
L = sum(binary_cross_entropy(p, t))
"""


def grid(low: fmpq | int, high: fmpq | int, step: fmpq | int = 1) -> Numbers:
    """Every number from ``low`` to ``high`` in steps."""
    low, step = fmpq(low), fmpq(step)
    return Numbers(tuple(low + step * k for k in range(int((fmpq(high) - low) / step) + 1)))


def relu_question(id: str = "a", **changes: object) -> Question:
    """A 2-3-1 network with a squared error: forward values, three derivatives and an update; every number varies."""
    problem = Problem.from_equations(
        RELU,
        given={"x": [1, 2], "t": 1},
        parameters={
            "W1": [["1", "-0.5", "2"], ["0.5", "1", "-1.5"]], "b1": ["0.5", 0, 1], "W2": [[1], [-2], ["0.5"]], "b2": "0.5",
        },
        ask={"gradients": ["W1", "b1", "W2", "b2", "h", "z"], "update": {"rate": "0.1", "symbol": "alpha"}},
        title={"en": "A 2-3-1 network", "zh": "2-3-1 网络"},
        name="relu",
    )  # fmt: skip
    half = fmpq(1, 2)
    fields: dict[str, object] = {
        "points": fmpq(10),
        "steps": {"z": fmpq(2), "h": fmpq(1), "y": fmpq(1), "E": fmpq(1), "dE/dW2": fmpq(2), "dE/dW1": fmpq(2), "W2@1": fmpq(1)},
        "vary": {"x": grid(-3, 3), "W1": grid(-2, 2, half), "b1": grid(-1, 1, half), "W2": grid(-2, 2, half), "b2": grid(-1, 1, half), "t": grid(-3, 3, half)},
        "require": Require(decimals=(Decimals(2),)),
    }  # fmt: skip
    return Question(id, problem, **{**fields, **changes})  # type: ignore[arg-type]  # fields by name, from a test


def sigmoid_question(id: str = "b", **changes: object) -> Question:
    """One layer with a binary cross-entropy; the label is not varied, the activation of question a may be."""
    problem = Problem.from_equations(
        SIGMOID,
        given={"x": [1, 2, -1], "t": [[1, 0]]},
        parameters={"W": [["0.5", "-0.5"], ["0.25", "1"], ["-1", "0.5"]], "b": ["0.5", "-0.5"]},
        ask={"gradients": ["W", "b", "z"]},
        title={"en": "Logistic regression with two outputs", "zh": "两个输出的逻辑回归"},
        name="sigmoid",
    )
    quarter = fmpq(1, 4)
    fields: dict[str, object] = {
        "points": fmpq(6),
        "steps": {"z": fmpq(1), "p": fmpq(1), "L": fmpq(1), "dL/dz": fmpq(1), "dL/dW": fmpq(2)},
        "vary": {"x": grid(-3, 3), "W": grid(-1, 1, quarter), "b": grid(-1, 1, quarter)},
        "require": Require(decimals=(Decimals(2, ("z",)),)),
    }
    return Question(id, problem, **{**fields, **changes})  # type: ignore[arg-type]  # fields by name, from a test


def exam(*questions: Question, **changes: object) -> Exam:
    """An exam of these questions, or of one of each network."""
    fields: dict[str, object] = {
        "title": {"en": "Backpropagation quiz", "zh": "反向传播测验"},
        "date": {"en": "Autumn term", "zh": "秋季学期"},
        "instructions": {"en": "Show your work.", "zh": "请写出完整的推导过程。"},
        "languages": ("en", "zh"),
    }
    return Exam("quiz", questions=questions or (relu_question(), sigmoid_question()), **{**fields, **changes})  # type: ignore[arg-type]


def variant(number: int = 1, code: str = "AB2C", **values: dict[str, Tensor]) -> Variant:
    """A variant of ``exam()`` with the problems' own numbers but for ``values``: tensors by name, by question."""
    return Variant(number, code, {id: Chosen(values.get(id, {})) for id in ("a", "b")})


def every_form() -> Exam:
    """An exam with a question in each form, and one with blanks beside its working."""
    one, two = fmpq(1), fmpq(2)
    some = {"z": one, "dE/dW2": two, "dE/dz": two, "dE/dW1": one}
    both = {
        "z": two,
        "h": one,
        "y": one,
        "E": one,
        "dE/dy": one,
        "dE/dh": one,
        "dE/dz": one,
        "dE/dW2": one,
        "dE/dW1": one,
    }
    return exam(
        relu_question("worked", text={"en": "A small network:", "zh": "一个小网络："}),
        relu_question("matrix", form="matrix"),
        relu_question("table", form="table", steps=both),
        relu_question("choice", form="choice"),
        relu_question("judge", form="judge", points=fmpq(6), steps=some),
        relu_question("find_error", form="find_error", steps={}),
        sigmoid_question("blanks", blanks=True, space=fmpq(5)),
    )


def steps_question() -> Question:
    """Two updates of a weight that is 0 and stays so: no slip shows in its number."""
    problem = Problem.from_equations(
        "E = w**2", parameters={"w": 0},
        ask={"gradients": ["w"], "update": {"rate": "0.1", "steps": 2}}, title={"en": "Two steps"}, name="steps",
    )  # fmt: skip
    return Question("steps", problem, fmpq(2), {"w@0": fmpq(1), "w@2": fmpq(1)})


def graph_question() -> Question:
    """A computation graph to fill in, values and derivatives."""
    problem = Problem.from_equations(
        "q = x + y\nf = q * z", given={"x": -2, "y": 5, "z": -4},
        ask={"gradients": ["x", "y", "z"], "graph": True}, title={"en": "A graph"}, name="graph",
    )  # fmt: skip
    one = fmpq(1)
    steps = {"q": one, "f": one, "df/dz": one, "df/dq": one, "df/dx": one, "df/dy": one}
    return Question("graph", problem, fmpq(6), steps, form="table")


def variant_of(whole: Exam, number: int = 1, code: str = "AB2C", student: str | None = None) -> Variant:
    """A variant of any exam with the problems' own numbers."""
    return Variant(number, code, {question.id: Chosen() for question in whole.questions}, student)


__all__ = ["Activations", "exam", "grid", "relu_question", "sigmoid_question", "variant"]
