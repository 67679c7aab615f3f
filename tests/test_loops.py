"""Loops and families: what is read, what data give, what is asked, and one message for each slip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import derive
from derive.errors import ProblemError, Unsupported
from derive.problem import Problem, problem_from_text
from derive.problem.language import read_equations
from derive.problem.write import problem_to_toml
from derive.report.compose import compose
from derive.report.notation import Symbols
from derive.solution import solve
from outside import autograd_gradients
from readback_document import read_document

BLOCK = """
a = 2 * p
for t in range(1, 4):   # three steps
    z[t] = x[t] @ U + h[t-1] @ V
    h[t] = tanh(z[t]) * a**t   # state
y = h[3] @ W
"""
RNN: dict[str, Any] = {
    "given": {"x": [[1, 0], [0, 1], [1, 1]], "h[0]": [0, 0], "d": [[1]]},
    "parameters": {"U": [[0.5, -0.3], [0.2, 0.4]], "V": [[0.1, 0.6], [-0.2, 0.3]], "W": [[1], [-0.5]]},
}
STEPS = "for t in range(1, 4): h[t] = tanh(x[t] @ U + h[t-1] @ V)\n"


def rnn(equations: str = STEPS + "L = (h[3] @ W - d)**2", **tables: Any) -> Problem:
    """A network over three steps, with some tables changed."""
    given = RNN["given"] | tables.pop("given", {})
    return Problem.from_equations(equations, given=given, parameters=RNN["parameters"], **tables)


def message(text: str) -> ProblemError:
    """The error of a text of equations, which stands on line 2 and below."""
    with pytest.raises(ProblemError) as caught:
        read_equations("\n" + text)
    assert "\n" not in str(caught.value)
    return caught.value


# ── the language ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_is_unrolled_turn_by_turn() -> None:
    """Each turn gives each equation once, on the line it was written on; a comment is that of the first turn alone."""
    found = read_equations(BLOCK.replace("a**t", "2**t"))
    assert [statement.name for statement in found] == ["a", *(f"{s}[{t}]" for t in (1, 2, 3) for s in "zh"), "y"]
    assert found[1].source == "z[1] = x[1] @ U + h[0] @ V"
    assert found[6].source == "h[3] = tanh(z[3]) * 2**3"
    assert [statement.line for statement in found] == [2, 4, 5, 4, 5, 4, 5, 6]
    assert [statement.comment for statement in found] == ["", "three steps", "state", "", "", "", "", ""]
    assert {statement.loop for statement in found[1:-1]} == {"t"}


def test_a_line_and_a_block_say_the_same() -> None:
    """``for …: h[t] = …`` on one line is the block of one equation."""
    line = read_equations("for t in range(1, 4): h[t] = sigmoid(x[t] + h[t-1])")
    block = read_equations("for t in range(1, 4):\n    h[t] = sigmoid(x[t] + h[t-1])")
    assert line == block


def test_loops_run_backwards_by_steps_and_with_arithmetic() -> None:
    """The numbers are those of Python's range; an index is whole-number arithmetic, and the variable is a number."""
    found = read_equations("for t in range(4, 0, -2): g[t] = t * g[t+2] + X[t:t+1] + k[2*t-1]")
    assert [statement.source for statement in found] == [
        "g[4] = 4 * g[6] + X[4:5] + k[7]",
        "g[2] = 2 * g[4] + X[2:3] + k[3]",
    ]
    assert read_equations("for t in range(2): h[t] = h[t-1]")[0].source == "h[0] = h[-1]"


@pytest.mark.parametrize(
    ("text", "line", "words", "hint"),
    [
        ("for t in range(T): h[t] = x", 2, "without a bound: 'T'", "written out"),
        ("for t in range(10**6): h[t] = x", 2, "without a bound", None),
        ("for t in range(1000000): h[t] = x", 2, "1000000 turns, at most 1000", None),
        ("for t in range(4, 1): h[t] = x", 2, "no number in it", "range(4, 1, -1)"),
        ("for t in range(1, 4, 0): h[t] = x", 2, "step 0", None),
        ("for t in steps: h[t] = x", 2, "a loop runs over 'steps'", "range"),
        ("for t in range(3):", 2, "nothing in it", "indented"),
        ("for t in range(3):\n  a[t] = x\n    b[t] = x", 4, "one under the other", None),
        ("for t in range(3): y = u[t]", 2, "y is assigned in every turn", "y[t] = …"),
        ("for t in range(3): h[t] = h", 2, "h is a family, and stands here without an index", None),
        ("h = x\nfor t in range(3): g[t] = h[t-1]", 2, "h is a family, and is assigned without", None),
        ("for t in range(3): h[t] = u[t, 0] + v[s]", 2, "an index is a whole number", "in a loop"),
        ("for t in range(3): h[t] = u[s + t]", 2, "index of u has s", None),
        ("for t in range(3): h[t/2] = x", 2, "the index of h is a whole number", None),
        ("for t in range(3): h[t, 1] = x", 2, "one whole number", "never sliced"),
        ("for t in range(3): t = x", 2, "counts the loop", None),
        ("for h in range(3): h[h] = x", 2, "counts the loop, and is a family", None),
        ("for t in range(3): a[t] = x; b[t] = x", 2, "two statements", None),
        ("for sum in range(3): h[sum] = x", 2, "it is a function", None),
        ("for t, s in range(3): h[t] = x", 2, "counts with one name", None),
        ("while x: y = 2", 2, "while", None),
    ],
)
def test_a_loop_that_is_wrong_gets_one_message(text: str, line: int, words: str, hint: str | None) -> None:
    """What was found, where, and what helps."""
    found = message(text)
    assert found.line == line
    assert words in found.message
    assert (hint or "") in (found.hint or "")


def test_loops_inside_loops_are_not_built_yet() -> None:
    """A loop in a loop is understood and refused, and the message says what to write."""
    found = message("for t in range(3):\n  for s in range(2):\n    a[t] = x")
    assert isinstance(found, Unsupported)
    assert found.line == 3
    assert "h1[t]" in (found.hint or "")


# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_axis_of_data_is_time() -> None:
    """A nested list, a NumPy array, a table of numbers and single members give the same family."""
    plain = rnn().given
    assert [name for name in plain if name.startswith("x")] == ["x[1]", "x[2]", "x[3]"]
    assert plain["x[2]"].shape == (1, 2)
    assert rnn(given={"x": np.array([[1, 0], [0, 1], [1, 1]])}).given == plain
    assert rnn(given={"x": {"1": [1, 0], "2": [0, 1], "3": [1, 1]}}).given == plain
    columns = Problem.from_equations("for t in range(2): y[t] = A @ x[t] * c[t]\nL = sum(y[0]) + sum(y[1])",
        given={"x": [[[1], [2]], [[3], [4]]], "c": [5, 6]}, parameters={"A": [[1, 2]]})  # fmt: skip
    assert columns.given["x[1]"].shape == (2, 1)
    assert columns.given["c[1]"].shape == ()


def test_members_of_a_family_may_differ_in_size() -> None:
    """Weights of layers are a list of matrices, each with sizes of its own."""
    text = (derive.problem.find.CASES.parents[1] / "tests" / "problems" / "deep-chain.toml").read_text("utf-8")
    problem = problem_from_text(text)
    assert [problem.parameters[f"W[{k}]"].shape for k in (1, 2, 3, 4)] == [(3, 2), (2, 3), (3, 2), (2, 1)]
    assert [problem.parameters[f"b[{k}]"].shape for k in (1, 2, 3, 4)] == [(1, 2), (1, 3), (1, 2), (1, 1)]


@pytest.mark.parametrize(
    ("equations", "given", "words", "hint"),
    [
        (STEPS + "L = sum(h[5])", {}, "there is no h[5]", "h[0] to h[3]"),
        (STEPS + "L = sum(h[3])", {"x": [[1, 0], [0, 1]]}, "x has 2 entries", "there is no x[3]"),
        (STEPS + "L = sum(h[3])", {"x": [[1, 0]] * 4}, "x has 4 entries", "without 4"),
        (STEPS + "L = sum(h[3])", {"x": 5}, "an entry for each member", None),
        (STEPS + "L = sum(h[3])", {"x": [[1, 0], [0, 1], [1, [1]]]}, "entry 2 of x[3] is a list", None),
        (STEPS + "L = sum(h[3])", {"x[2]": [1, 2]}, "x[2] is given twice", None),
        (STEPS + "L = sum(h[3])", {"h[2]": [1, 2]}, "h[2] is an equation, and data", None),
        (STEPS + "L = sum(h[3])", {"t": 1}, "t counts a loop", None),
        (STEPS + "L = sum(h[3]) + h1", {"h1": 1}, "printed alike", "h[1] for both"),
        (STEPS.replace("t-1", "t+1") + "L = sum(h[3])", {"h[4]": [0, 0]}, "h[2] is used before it is defined", None),
        (STEPS + "L = sum(h[3])", {"x": [[1, 0], [0, 1], [1, 1, 1]]}, "'h[3] = tanh(x[3] @ U", None),
    ],
)
def test_data_that_do_not_fit_a_loop_get_one_message(
    equations: str, given: dict[str, Any], words: str, hint: str | None
) -> None:
    """The member that is missing, the size that is off, the name that means two things."""
    with pytest.raises(ProblemError) as caught:
        solve(rnn(equations, given=given))
    assert words in caught.value.message
    assert (hint or "") in (caught.value.hint or "")
    assert "\n" not in str(caught.value)


def test_a_member_that_is_not_there_has_its_line() -> None:
    """Members stand on the line of their family in messages about files."""
    text = 'equations = """\n' + STEPS + 'L = sum(h[3])\n"""\n[given]\n"h[0]" = [0, 0]\nx = [[1, 0]]\n'
    with pytest.raises(ProblemError) as caught:
        problem_from_text(text + "[parameters]\nU = [[1, 2], [3, 4]]\nV = [[1, 2], [3, 4]]\n")
    assert caught.value.line == 7


# ── asks and results ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_family_is_asked_for_as_a_whole_or_by_member() -> None:
    """``h`` means every member, in the order of their numbers; members stand in ratios, rates and symbols too."""
    problem = rnn(
        ask={"gradients": ["h", "dL/dx[2]", "dh[3]/dh[1]"], "update": {"rate": {"U": 1, "rest": 0}}},
        symbols={"h": r"\mathbf{h}"}, captions={"h": "the state", "h[2]": "the middle"},
    )  # fmt: skip
    assert problem.ask.gradients == ("h[0]", "h[1]", "h[2]", "h[3]", "dL/dx[2]", "dh[3]/dh[1]")
    solution = derive.solve(problem)
    assert set(solution.json()["parts"][0]["gradients"]) >= {"h[0]", "h[3]", "dL/dx[2]", "dh[3]/dh[1]"}
    jacobian = solution.value("dh[3]/dh[1]").floats()
    assert np.shape(jacobian) == (2, 2)


def test_members_are_printed_as_the_problem_writes_any_of_them() -> None:
    """``"h[t]"`` under [symbols] is the symbol of every member, with its number for the letter of the loop."""
    problem = rnn(symbols={"h[t]": "h^{[t]}", "x": r"\mathbf{x}"}, ask={"gradients": ["h[1]"]})
    solution = solve(problem)
    symbols = Symbols(problem, solution.parts[0].network)
    assert [symbols.name(f"h[{k}]") for k in ("2", "t-1")] == ["h^{[2]}", "h^{[t-1]}"]
    assert symbols.entry("h[2]", (0, 1)) == "h^{[2]}_2"
    assert symbols.name("x[3]") == r"\mathbf{x}_3"
    assert symbols.name("z[12]") == "z_{12}"
    assert not read_document(compose(solution), solution).findings
    with pytest.raises(ProblemError, match=r"there are|nearest"):
        rnn(symbols={"h[k]": "h^{[k]}"})


def test_a_rate_for_a_family_is_one_for_every_member() -> None:
    """``rate = { W = 0.5, b = 0 }`` where W and b are layers."""
    problem = Problem.from_equations(
        "h[0] = x\nfor l in range(1, 3): h[l] = tanh(h[l-1] @ W[l] + b[l])\nE = sum(h[2])",
        given={"x": [1, 2]},
        parameters={"W": [[[1, 2], [3, 4]], [[1], [2]]], "b": [[0, 0], [1]]},
        ask={"update": {"rate": {"W": "1/2", "b": 0}}},
    )
    assert problem.ask.update is not None
    assert {name: str(rate) for name, rate in problem.ask.update.rates.items()} == {
        "W[1]": "1/2", "W[2]": "1/2", "b[1]": "0", "b[2]": "0",
    }  # fmt: skip


@pytest.mark.parametrize(
    "equations",
    [
        STEPS + "L = (h[3] @ W - d)**2",
        "h[4] = x[1]\nfor t in range(3, 0, -1): h[t] = sigmoid(x[t] @ U + h[t+1] @ V) * h[t+1]\nL = sum(h[1] @ W) - h[2] @ W",
        "s[0] = 0\nfor t in range(1, 4):\n  o[t] = softmax(x[t] @ U) + h[0]\n  s[t] = s[t-1] + sum(o[t] * (x[t] @ V)) / t\nL = s[3]",
    ],
    ids=["forward", "backward", "accumulated"],
)  # fmt: skip
def test_gradients_through_loops_agree_with_an_outside_autodiff(equations: str) -> None:
    """Every parameter's and every given state's gradient, to 1e-9 of its largest entry."""
    problem = rnn(equations, ask={"gradients": ["U", "V", "x", "h[0]"]})
    part = solve(problem).parts[0]
    theirs = autograd_gradients(problem, "L")
    for name in part.asked.gradients:
        ours = np.array(derive.solve(problem).value(f"dL/d{name}").floats(), dtype=float)
        assert np.allclose(ours, theirs[name], rtol=0, atol=1e-9 * max(1.0, float(np.max(np.abs(theirs[name])))))


def test_what_was_unrolled_can_be_written_down_and_read_again() -> None:
    """The problem file of a problem with a loop has every step written out, and is the same problem."""
    problem = rnn()
    text = problem_to_toml(problem)
    again = problem_from_text(text, problem.name)
    assert [s.expression for s in again.statements] == [s.expression for s in problem.statements]
    assert again.given == problem.given
