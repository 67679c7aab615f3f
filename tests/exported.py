"""An exam of every form of question, exported once, for the tests of each platform."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from flint import fmpq

import exams
from derive.exam.answers import answers
from derive.exam.building.solved import solved
from derive.exam.exam import Exam, Question
from derive.exam.platforms import export
from derive.exam.platforms.compose import items
from derive.exam.platforms.items import Item
from derive.exam.variant import Chosen, Variant
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem
from derive.solution import Solution

HOSTILE = "]]> & <script>alert(1)</script> {1:NUMERICAL:=7} =0.5 ~ # \\(x\\) $$y$$ \x00\x0b\x1b \u202e a/b"
FORMS = {
    "worked": exams.relu_question("a"),
    "cross_entropy": exams.sigmoid_question("b"),
    "choice": exams.relu_question("c", form="choice"),
    "judge": exams.relu_question("d", form="judge", points=fmpq(3), steps={"dE/dW2": fmpq(1), "dE/dW1": fmpq(2)}),
    "one_judged": exams.relu_question("e", form="judge", points=fmpq(1), steps={"dE/dW1": fmpq(1)}),
    "find_error": exams.relu_question("f", form="find_error", points=fmpq(2), steps={}),
    "one_number": exams.sigmoid_question("g", points=fmpq(5, 2), steps={"L": fmpq(5, 2)}),
}


def numbers_question() -> Question:
    """Numbers of every kind: a third, a power of ten, a negative one, zero, printed with commas and as fractions."""
    problem = Problem.from_equations(
        "y = x / 3\ns = sigmoid(z)\nE = sum((y - t)**2) + sum(s)",
        given={"x": [1, -2, 0], "t": [["0.5", 0, 0]], "z": [-12, 0]},
        convention={"decimal": "comma", "fractions": True, "digits": 4},
        ask={"gradients": ["x", "z"]},
        title="Numbers of every kind",
        name="numbers",
    )
    steps = {"y": fmpq(1), "s": fmpq(1), "E": fmpq(1), "dE/dz": fmpq(1)}
    return Question("n", problem, fmpq(4), steps)


def hostile_question() -> Question:
    """Texts of a stranger's wherever a teacher may write one."""
    question = exams.sigmoid_question("h <&\"'{}")
    problem = replace(question.problem, title={"en": HOSTILE}, captions={"x": {"en": HOSTILE}, "p": {"en": HOSTILE}})
    return replace(question, problem=problem, text={"en": HOSTILE})


EXAM = exams.exam(*FORMS.values(), numbers_question())
HOSTILE_EXAM = replace(exams.exam(hostile_question()), title={"en": HOSTILE}, name="hostile", languages=("en",))
PLATFORMS = ("moodle", "qti", "gift")


def variants(exam: Exam = EXAM) -> tuple[Variant, ...]:
    """The problems' own numbers, and others."""
    other = {"x": Tensor((1, 2), (fmpq(2), fmpq(-1))), "b2": Tensor((), (fmpq(-1, 2),))}
    first = Variant(1, "AB2C", {question.id: Chosen() for question in exam.questions})
    second = Variant(
        2, "XK7D", {question.id: Chosen(other if question.id == "a" else {}) for question in exam.questions}
    )
    return first, second


@cache
def solutions(hostile: bool = False) -> tuple[tuple[Variant, Mapping[str, Solution]], ...]:
    """Each variant with its solutions."""
    exam = HOSTILE_EXAM if hostile else EXAM
    return tuple((variant, solved(exam, variant)) for variant in variants(exam))


@cache
def files(language: str = "en", hostile: bool = False) -> dict[str, bytes]:
    """The files of all platforms, by platform."""
    exam = HOSTILE_EXAM if hostile else EXAM
    made = export(exam, solutions(hostile), PLATFORMS, (language,))
    return dict(zip(PLATFORMS, made.values(), strict=True))


@cache
def package(language: str = "en", hostile: bool = False) -> dict[str, bytes]:
    """The files in the QTI package."""
    with zipfile.ZipFile(io.BytesIO(files(language, hostile)["qti"])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def every_item(language: str = "en") -> tuple[Item, ...]:
    """The items of all variants."""
    return tuple(item for variant, found in solutions() for item in items(EXAM, variant, found, language))


def double(x: Any) -> float:
    """A rational or a ball as a double: the oldest python-flint turns balls alone into one."""
    return int(x.p) / int(x.q) if isinstance(x, fmpq) else float(x)


def right_values(question: str, number: int) -> list[tuple[str, tuple[int, ...], float, fmpq]]:
    """Quantity, index, value as a double, points: what the exam itself says of a question of a variant."""
    found = solutions()[number - 1][1][question]
    return [(a.quantity, a.index, double(a.value), a.points) for a in answers(EXAM.question(question), found)]
