"""Questions of choice: exactly one answer is right, and every other has one slip that its numbers show."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from derive.errors import ProblemError
from derive.numbers import arrays
from derive.numbers.balls import overlaps
from derive.problem import Problem, read_problem
from derive.problem.find import problem_from_text
from derive.report.compose import compose
from derive.report.document import Heading, Items, Text
from derive.report.plain import plain
from derive.solution import Part, solve
from derive.solution.differentiate import differentiated
from derive.solution.slips import KINDS, slips
from readback_problems import PROBLEMS

FILE = Path(__file__).parent / "problems/choose-judge-find.toml"


@cache
def part() -> Part:
    """The problem file with all three forms."""
    return solve(read_problem(FILE)).parts[0]


def equal(one: Part, a: Any, b: Any) -> bool:
    """Whether two formulas have the same certified value."""
    left, right = (arrays.entries(one.run.expression(x)) for x in (a, b))
    return all(overlaps(x, y) for x, y in zip(left, right, strict=True))


def test_one_answer_is_right() -> None:
    """Of four answers one is the derivation's formula; the others have other values, all different, and the right size."""
    quiz = part().quiz
    assert quiz is not None
    for choice in quiz.choices:
        assert choice.answers.count(None) == 1
        assert len(choice.answers) == 4
        formulas = [choice.right if slip is None else slip.wrong for slip in choice.answers]
        assert {formula.shape for formula in formulas} == {choice.right.shape}
        for k, formula in enumerate(formulas):
            assert not any(equal(part(), formula, other) for other in formulas[:k])
    assert len({choice.answers.index(None) for choice in quiz.choices}) > 1


def test_a_slip_without_a_value_is_no_answer() -> None:
    """A label in the place of a probability divides by 0: such a formula is passed over, and the others are told apart."""
    text = """
equations = \"\"\"
p = sigmoid(x @ W)
L = sum(binary_cross_entropy(p, t))
\"\"\"
[given]
x = [1, 2, -1]
t = [[1, 0]]
[parameters]
W = [[0.5, -0.5], [0.25, 1], [-1, 0.5]]
[ask]
gradients = ["W"]
choose = ["p"]
"""
    quiz = solve(problem_from_text(text, name="labels")).parts[0].quiz
    assert quiz is not None
    [choice] = quiz.choices
    assert len(choice.answers) > 1


def test_one_line_is_wrong() -> None:
    """The lines are the derivation's in order, and one has a slip."""
    quiz, derivation = part().quiz, part().derivation
    assert quiz is not None
    assert derivation is not None
    assert [line.of for line in quiz.lines] == list(derivation.adjoints)
    (wrong,) = [line.slip for line in quiz.lines if line.slip is not None]
    assert not equal(part(), wrong.wrong, wrong.right)


@pytest.mark.parametrize("name", ["rows_onehot", "cols_onehot", "tanh_mean", "skip", "tied", "maximum"])
def test_every_slip_is_a_slip(name: str) -> None:
    """No slip of any derivative is the right formula under another face: it has another value, or is left out."""
    (one,) = [differentiated(p) for p in problem_from_text(PROBLEMS[name], name).each()]
    assert one.derivation is not None
    kinds: set[str] = set()
    for right in one.derivation.adjoints.values():
        for slip in slips(one.network, right):
            assert slip.wrong.shape == right.shape
            assert slip.wrong != right
            kinds.add(slip.kind)
    assert kinds <= set(KINDS)
    assert len(kinds) >= 3


def test_questions_and_answers() -> None:
    """The sheet has the questions alone; the solution says which is right and what is wrong with the others."""
    solution = solve(read_problem(FILE))
    sheet, report = (plain(compose(solution, questions=q)) for q in (True, False))
    assert sheet.count("Which formula is") == report.count("Which formula is") == 3
    assert "The answer is" not in sheet
    assert report.count("The answer is") == 3
    assert "Line 2 is wrong." in report
    assert "It should read" not in sheet
    letters = [
        span.text for block in compose(solution).blocks if isinstance(block, Items) for item in block.items
        for span in item[:1] if isinstance(span, Text) and span.text.startswith("(")
    ]  # fmt: skip
    assert letters[:4] == ["(a) ", "(b) ", "(c) ", "(d) "]
    assert any(isinstance(block, Heading) for block in compose(solution).blocks)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"choose": "W"}, r"choose is .*expected is a list of names \(choose = \[\"W\"\]\)"),
        ({"choose": ["V"]}, "choose names what does not exist: V"),
        ({"judge": ["w", "w"]}, "judge has w twice"),
        ({"find_error": "yes"}, "find_error is .*expected is true or false"),
        ({"choose": ["x"], "gradients": ["w"]}, "choose: no derivative by x is worked out"),
    ],
)
def test_bad_wishes(ask: dict[str, Any], message: str) -> None:
    """Each is one message."""
    data: dict[str, Any] = {"given": {"x": [1, 2]}, "parameters": {"w": [[1], [2]]}}
    with pytest.raises(ProblemError, match=message):
        solve(Problem.from_equations("y = x @ w\nE = sum(y**2)", **data, ask=ask))


def test_no_numbers_no_choice() -> None:
    """Answers are told apart by their values: without numbers the question is refused."""
    shapes = {"x": [1, "n"], "w": ["n", 1]}
    ask = {"upstream": {"of": "J", "at": "y"}, "gradients": ["w"], "choose": ["w"]}
    with pytest.raises(ProblemError, match="choose needs a loss and numbers"):
        solve(Problem.from_equations("y = x @ w", shapes=shapes, ask=ask))
