"""Questions with a right answer among wrong ones: what every variant is held to, and how right answers are spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from flint import fmpq

import exams
from derive.errors import ProblemError
from derive.exam.building.solved import solved
from derive.exam.exam import Exam, Numbers, Question
from derive.exam.papers import documents
from derive.exam.papers.choices import OPTIONS, choices, hunt, place, statements
from derive.exam.papers.posed import Asked, Posed
from derive.exam.papers.wrongs import _key
from derive.exam.variant import Chosen, Variant
from derive.graph.expression import Expression
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem
from derive.report.document import Paragraph
from derive.report.plain import words
from derive.review.simulation import RIGHT

MANY = 12


def drawn(question: Question, number: int) -> Chosen:
    """Numbers of a variant, each taken from its domain by a digest: the same on every machine."""
    values = {}
    for name, domain in question.vary.items():
        assert isinstance(domain, Numbers)
        before = question.problem.given.get(name) or question.problem.parameters[name]
        entries = tuple(
            domain.values[sha256(f"{number} {name} {k}".encode()).digest()[0] % len(domain.values)]
            for k in range(len(before.entries))
        )
        values[name] = Tensor(before.shape, entries)
    return Chosen(values)


def variants(exam: Exam) -> Iterator[tuple[Variant, Posed]]:
    """Many variants of an exam, each with what its papers are made of."""
    for number in range(1, MANY + 1):
        chosen = {question.id: drawn(question, number) for question in exam.questions}
        variant = Variant(number, f"C{number:03d}", chosen)
        yield variant, Posed(exam, variant, solved(exam, variant), "en")


@pytest.mark.slow
def test_wrong_values_are_told_apart_in_every_variant() -> None:
    """No wrong value is the right one or another wrong one as printed, and every one has the right one's shape."""
    for _, posed in variants(exams.exam()):
        for asked in posed.questions:
            for quantity, right in asked.values.items():
                found = asked.wrongs.of(quantity, 40)
                keys = [_key(right.texts), *(_key(wrong.value.texts) for wrong in found)]
                assert len(set(keys)) == len(keys)
                assert {wrong.value.shape for wrong in found} <= {right.shape}


@pytest.mark.slow
def test_choices_of_every_variant_have_one_right_answer() -> None:
    """The options look different, one has no slip and prints the right value, formulas differ in what they give."""
    exam = exams.exam(exams.relu_question(form="choice"), exams.sigmoid_question(form="choice"))
    for _, posed in variants(exam):
        for asked in posed.questions:
            for choice in choices(asked, asked.wrongs):
                latex = [option.latex for option in choice.options]
                assert len(set(latex)) == len(latex) > 1
                assert [option.slip is None for option in choice.options].count(True) == 1
                if not choice.formula:
                    assert latex[choice.right] == asked.values[choice.quantity].latex
                else:
                    assert (
                        len({_value(asked, option.slip.wrong) for option in choice.options if option.slip})
                        == len(latex) - 1
                    )


def _value(asked: Asked, formula: Expression | None) -> tuple[object, ...]:
    """A formula's value by the certified arithmetic, printed."""
    assert formula is not None
    return tuple(asked.part.shown.shown(formula, asked.part.rounding))


def test_right_answers_are_evenly_spread() -> None:
    """Of as many variants as there are places, one behind the other, each has its own; other questions another order."""
    exam = exams.exam()
    posed = [
        Posed(exam, Variant(number, "X", {"a": Chosen(), "b": Chosen()}), solutions, "en").questions[0]
        for solutions in [solved(exam, exams.variant())]
        for number in range(1, 25)
    ]
    orders = {key: [place(asked, key, OPTIONS) for asked in posed] for key in ("choice z", "choice h")}
    for order in orders.values():
        assert all(sorted(order[k : k + OPTIONS]) == list(range(OPTIONS)) for k in range(0, 24, OPTIONS))
        assert len({tuple(order[k : k + OPTIONS]) for k in range(0, 24, OPTIONS)}) > 1
    assert orders["choice z"] != orders["choice h"]


@pytest.mark.slow
def test_statements_are_right_in_half_of_the_variants() -> None:
    """Each equation to judge is right as often as wrong; a wrong one shows its slip."""
    steps = {"z": fmpq(1), "dE/dz": fmpq(1), "dE/dW1": fmpq(1)}
    exam = exams.exam(exams.relu_question(form="judge", steps=steps, points=fmpq(3)))
    count: Counter[tuple[str, bool]] = Counter()
    for _, posed in variants(exam):
        [asked] = posed.questions
        for one in statements(asked, asked.wrongs):
            assert (one.shown == one.right) == (one.slip is None)
            count[one.quantity, one.slip is None] += 1
    assert set(count.values()) == {MANY // 2}


@pytest.mark.slow
def test_one_line_is_wrong() -> None:
    """A derivation has one slip, in a line that differs from variant to variant."""
    exam = exams.exam(exams.relu_question(form="find_error", steps={}))
    places: Counter[int] = Counter()
    for _, posed in variants(exam):
        [asked] = posed.questions
        lines = hunt(asked, asked.wrongs)
        [wrong] = [k for k, line in enumerate(lines) if line.slip is not None]
        assert all((line.shown == line.right) == (k != wrong) for k, line in enumerate(lines))
        places[wrong] += 1
    assert len(places) > 3


def test_the_right_value_in_doubles_is_the_certified_one() -> None:
    """What the wrong values are told apart from is what the key prints."""
    exam = exams.exam()
    for asked in Posed(exam, exams.variant(), solved(exam, exams.variant()), "en").questions:
        for quantity, right in asked.values.items():
            value = np.asarray(asked.wrongs.simulation.values(RIGHT, [quantity])[quantity]).ravel()
            assert [float(text.text) for text in right.texts] == pytest.approx(list(value), abs=5.1e-5)


def test_the_guide_says_what_is_still_deserved() -> None:
    """A slip that leaves n of m entries right leaves n of m points; a slip before an asked value is not its own."""
    exam = exams.exam(exams.relu_question())
    [asked] = Posed(exam, exams.variant(), solved(exam, exams.variant()), "en").questions
    wrongs = asked.wrongs.of("dE/dW1", 20)
    assert wrongs
    right = asked.values["dE/dW1"]
    for wrong in wrongs:
        equal = [a.text == b.text for a, b in zip(wrong.value.texts, right.texts, strict=True)]
        assert wrong.entries_right(right) == sum(equal) < len(equal)
        # z, h, y and E are asked for themselves: what goes wrong there is lost there
        assert wrong.slip.quantity in {"dE/dW1", "dE/dz", "dE/dh", "dE/dy"}
    assert {wrong.slip.quantity for wrong in asked.wrongs.of("dE/dW1", 20, own=True)} == {"dE/dW1"}


def test_slips_of_an_update_are_those_of_its_step() -> None:
    """Uphill, without the rate, not at all: each gives another value of the parameter."""
    exam = exams.exam(exams.relu_question())
    [asked] = Posed(exam, exams.variant(), solved(exam, exams.variant()), "en").questions
    kinds = {wrong.slip.kind for wrong in asked.wrongs.of("W2@1", 20)}
    assert {"uphill", "no_rate", "kept"} <= kinds


def test_a_question_in_which_no_slip_shows_is_refused() -> None:
    """With the question, the variant and the line of the file, and what to do."""
    problem = Problem.from_equations(
        "E = sum(x * 0)", given={"x": [1, 2]}, ask={"gradients": ["x"]}, title={"en": "Nothing"}, name="nothing"
    )
    question = Question("nothing", problem, fmpq(1), {"dE/dx": fmpq(1)}, form="choice", line=7)
    exam = replace(exams.exam(question), file="quiz.toml")
    variant = exams.variant_of(exam)
    with pytest.raises(
        ProblemError, match=r"question nothing, variant AB2C: .* shows at the printed digits"
    ) as refused:
        documents(exam, variant, solved(exam, variant))
    assert (refused.value.file, refused.value.line) == ("quiz.toml", 7)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_key_names_the_letter_of_the_right_answer(language: str) -> None:
    """The letter in key and solution is that under which the paper prints the right answer."""
    exam = exams.exam(exams.relu_question(form="choice"))
    variant = exams.variant_of(exam)
    found = documents(exam, variant, solved(exam, variant), language)
    [asked] = Posed(exam, variant, solved(exam, variant), language).questions
    letters = ["abcd"[choice.right] for choice in choices(asked, asked.wrongs)]
    said = [words(block.spans) for block in found["solution"].blocks if isinstance(block, Paragraph)]
    before = "Right is (" if language == "en" else "正确选项为（"
    assert [text.partition(before)[2][0] for text in said if before in text] == letters


def test_the_right_answer_is_not_the_only_bare_one() -> None:
    """Where the others of a formula were mostly its multiples, values are offered; formulas otherwise."""
    from derive.exam.papers.choices import MULTIPLES, SIGNS

    exam = exams.exam(exams.relu_question(form="choice"), exams.sigmoid_question(form="choice"))
    for _, posed in variants(exam):
        for asked in posed.questions:
            for choice in choices(asked, asked.wrongs):
                kinds = [option.slip.kind for option in choice.options if option.slip is not None]
                weak = sum(kind in (*MULTIPLES, *SIGNS) for kind in kinds)
                assert not choice.formula or 2 * weak < len(kinds)
