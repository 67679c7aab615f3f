"""The writer of problem files, and the speller of expressions under it: what is written reads as the same thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import Unsupported
from derive.problem import Problem, problem_from_text, read_problem
from derive.problem.language import read_equations
from derive.problem.spell import spell, spell_number
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Transpose
from derive.problem.values import read_value
from derive.problem.write_toml import WIDTH

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*(ROOT / "derive" / "cases").glob("*.toml"), *(ROOT / "tests" / "problems").glob("*.toml")])

EVERYTHING = r'''
title = { en = "Say \"all\"", zh = "一切" }
equations = """
z = (x @ W + b) * k   # a \\ backslash and 'quotes'
h = phi(z) + psi(z)
y = sum(h * c, axis=1)
p = softmax(h, axis=0)
E = sum((y - t)**2) / 2 + 0.05 * sum(W**2)
"""
[given]
x = [[1, 4, 5], [0.5, -1e-7, 123456789012345678901234567890]]
t = "1/3"
k = 2
c = [1, 2]
[parameters]
W = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
b = "2/7"
[functions]
phi = "unspecified"
psi = "(1 + u)**(1/2) - -u / (2 * u * -3)"
[names]
W = "w_1 w_2; w_3 w_4; w_5 w_10"
[symbols]
z = '\boldsymbol{z}_1'
[captions]
x = "two samples"
W = { en = "weights", zh = "权重" }
[ask]
loss = "E"
gradients = ["W", "dy/dz"]
update = { rate = { W = 0.5, rest = "1/3" }, symbol = "alpha", steps = 3, show = ["W", "dE/dW"], every = 2 }
train = { until = "E < 1/7", at_most = 50 }
shapes = true
paths = [{ of = "W", entry = "w_5" }, { of = "h", entry = [1, 2] }]
[convention]
style = ["matrix", "jacobian"]
significant = 3
layout = "numerator"
relu_at_zero = 0.5
[[part]]
name = "a"
given = { x = [[1, 2, 3]], c = [[1], [2]] }
shapes = { t = [] }
ask = { update = false, train = false, shapes = false, gradients = [] }
convention = { layout = "shape", digits = 4, style = ["elements"], relu_at_zero = 0 }
[[part]]
name = "b"
title = "another"
symbols = { W = '\mathbf{W}' }
ask = { upstream = [{ of = "J", at = "h", value = [[1, 2], [3, 4]] }, { of = "K", at = "y", value = [[1], [2]] }], update = { rate = 1 }, train = false }
'''


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_problem_file_written_anew_is_the_same_problem(path: Path) -> None:
    """Every problem file of the repository, parts and lines of prose included, survives the way through the writer."""
    problem = read_problem(path)
    again = problem_from_text(problem.to_toml(), problem.name)
    assert again == problem
    assert again.to_toml() == problem.to_toml()


def test_whatever_a_file_can_say_is_written() -> None:
    """One file with every table, two languages, fractions, formulas, parts that add, replace and withdraw."""
    problem = problem_from_text(EVERYTHING, "everything")
    again = problem_from_text(problem.to_toml(), "everything")
    assert again == problem
    assert again.parts == problem.parts
    assert [part.ask.update is None for part in again.parts] == [True, False]


def test_what_a_file_cannot_say_is_refused() -> None:
    """A problem made by hand that no file describes gets a message, not a file that says less."""
    problem = Problem.from_equations("y = x", given={"x": 1})
    with pytest.raises(Unsupported, match=r"cannot say problem: .* nothing"):
        replace(problem, captions={"nothing": {"": "?"}}).to_toml()
    with pytest.raises(Unsupported, match="cannot say the convention"):
        replace(problem, convention=replace(problem.convention, digits=6, significant=3)).to_toml()


def test_lines_are_broken_where_they_would_run_off_the_screen() -> None:
    """A large matrix stands a row a line, a long row over several; the numbers stay what they are."""
    values = {
        "x": [[k / 8 for k in range(40)] for _ in range(3)],
        "r": list(range(200)),
        "c": [[[k] for k in range(60)]] * 2,
    }
    problem = Problem.from_equations("y = sum(x)\nq = sum(r)\ns = sum(c)", given=values)
    text = problem.to_toml()
    assert max(map(len, text.splitlines())) <= WIDTH
    assert problem_from_text(text).given == problem.given


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.1", "0.1"), ("1/3", "1/3"), ("-2.50", "-2.5"), ("1e-7", "0.0000001"), ("1.5e-30", "1.5e-30"), ("1e21", "1e21"), ("7/8", "0.875"), ("-3", "-3"), ("0", "0")],
)  # fmt: skip
def test_numbers_are_spelled_exactly_and_shortly(number: str, text: str) -> None:
    """A decimal where one ends, with an exponent where zeros would have to be counted, else a fraction."""
    value = next(iter(read_value(number, None, None)))  # type: ignore[arg-type]
    assert spell_number(value) == text
    assert next(iter(read_value(text, None, None))) == value  # type: ignore[arg-type]


NUMBERS = st.sampled_from([fmpq(1, 2), fmpq(2), fmpq(1, 10**9), fmpq(0), fmpq(12345)])
SLICES = st.tuples(*[st.none() | st.integers(-3, 3)] * 2, st.none() | st.integers(1, 3))


def _larger(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(Negate, below),
        st.builds(Transpose, below),
        st.builds(Binary, st.sampled_from("+-*/@"), below, below),
        st.builds(lambda a, b: Binary("**", a, Number(b)), below, st.sampled_from([fmpq(2), fmpq(-1), fmpq(1, 2), fmpq(1, 3)])),
        st.builds(Compare, st.sampled_from(["<", "==", ">="]), below, below),
        st.builds(Index, below, st.lists(st.integers(-2, 2) | SLICES, min_size=1, max_size=2).map(tuple)),
        st.builds(lambda a: Call("tanh", (a,)), below),
        st.builds(lambda a, s: Call("leaky_relu", (a,), (("slope", s),)), below, st.sampled_from([fmpq(1, 100), fmpq(1, 5)])),
        st.builds(lambda a, x: Call("sum", (a,), (("axis", x),)), below, st.sampled_from([None, 0, -1])),
        st.builds(lambda a, b: Call("cross_entropy", (a, b), (("axis", 0), ("reduction", "sum"))), below, below),
    )  # fmt: skip


NODES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(st.builds(Name, st.sampled_from(["x", "W_1"])), st.builds(Number, NUMBERS)), _larger, max_leaves=12
)


@settings(max_examples=150, deadline=None)
@given(NODES)
def test_an_expression_read_back_is_the_same_expression(node: Node) -> None:
    """Brackets stand where they must: the text of any tree reads as that tree."""
    (statement,) = read_equations(f"y = {spell(node)}")
    assert statement.expression == node


def test_brackets_stand_only_where_they_must() -> None:
    """What a person writes comes back as it was written."""
    for text in (
        "sum((y - t)**2) / 2",
        "-x**2 + a * b - (c - d)",
        "(x @ W1.T + b1).T @ v",
        "a / (b * c) / d",
        "(-a)**2",
    ):
        (statement,) = read_equations(f"y = {text}")
        assert spell(statement.expression) == text


NETWORK = '''
equations = """
z = x @ W + b
E = sum((z - t)**2) / 2
"""
given = { x = [[1, 2], [3, 4], [5, 6]], t = [[1], [0], [2]] }
parameters = { W = [[1], [2]], b = 0.5 }
'''


@pytest.mark.parametrize(
    "lines",
    [
        'ask.update = { rate = 0.1, rule = "adam", beta1 = 0.8, eps = 1e-6, steps = 2, t = 3, state = { m = { W = [[1], [2]], b = 0 } } }',
        'ask.update = { rate = 0.1, rule = "momentum", mu = 0.9, form = "step", decay = { W = 0.1 } }',
        'ask.update = { rate = { W = 0.1, b = 0 }, rule = "adamw", decay = 0, decoupled = true }',
        'ask.update = { rate = 0.1, rule = "adamw" }',
        'ask.update = { rate = 0.1, decay = 0.5, decoupled = true, steps = 2, over = ["x", "t"], batch = 2, each = "update", order = [[2, 1, 0], [0, 1, 2]] }',
        "ask.update = { rate = 0.1, with = [{ W = [[1], [2]], b = 1 }, { W = [[0], [1]], b = '1/3' }] }",
        'ask = { graph = false, costs = true, code = true, recursion = false, judge = ["W"], choose = ["b"], find_error = true }',
        'ask = { forward = ["b"], delta = { z = "d" } }',
        'ask.forward = { x = [[1, 0], [0, 0], [0, 1]], b = 1 }',
        'convention = { delta_sign = "negative", index_order = "to-from", carry = "displayed" }',
        'ask = { graph = true, judge = ["W"], delta = { z = "d" } }\npart = [{ name = "a", ask = { graph = false, judge = [], delta = false, costs = true } }, { name = "b" }]',
    ],
)  # fmt: skip
def test_every_wish_survives(lines: str) -> None:
    """Rules with their constants and state, mini-batches, given gradients, switches, questions; in a part, taken back."""
    problem = problem_from_text(NETWORK + lines, "wish")
    again = problem_from_text(problem.to_toml(), "wish")
    assert again == problem
    assert again.parts == problem.parts


def test_a_loop_is_rolled_up_again() -> None:
    """Turns of one body become a loop; forwards and backwards, with its comments, and with what does not count."""
    equations = """for t in range(1, 4):
    h[t] = tanh(x[t] @ U + h[t-1] @ V + h[0])   # state
    o[t] = sum(h[t], axis=1)[0, 0]
y = o[1] + o[3]
for t in range(3, 0, -1):
    g[t] = h[t+1 - 1] * 0.5 - y
for k in range(5, 6):
    q[k] = o[k-2]"""
    data = {"x": [[[1, 2]], [[3, 4]], [[5, 6]]], "h[0]": [0, 0], "U": [[1, 2], [3, 4]], "V": [[1, 0], [0, 1]]}
    problem = Problem.from_equations(equations, given=data)
    text = problem.to_toml()
    assert "for t in range(1, 4):\n    h[t] = tanh(x[t] @ U + h[t-1] @ V + h[0])   # state\n" in text
    assert "for t in range(3, 0, -1):\n    g[t] = h[t] * 0.5 - y\n" in text
    assert "x      = [[1, 2], [3, 4], [5, 6]]" in text  # members one after the other are one list …
    assert '"h[0]" = [0, 0]' in text  # … and one alone stands alone
    assert problem_from_text(text) == problem
