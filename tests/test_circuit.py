"""The computation graph: one operation a node, numbers on both sides of an arrow, and both orders of visit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

from derive.errors import ProblemError
from derive.graph.expression import Adjoint
from derive.problem import Problem, read_problem
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.circuit import Circuit
from derive.report.compose.sheet import Sheet
from derive.report.document import Figure, Math, Table
from derive.report.scene import Label
from derive.solution import Solution, solve
from derive.solution.checks import CheckFailed
from derive.solution.gates import agree
from geometry import collisions

HERE = Path(__file__).parent / "problems"


@cache
def circuit(name: str) -> Solution:
    """One of the circuits of the CS231n notes."""
    return solve(read_problem(HERE / f"cs231n-circuits-{name}.toml"))


def nested(**ask: object) -> Problem:
    """``f = (x + y) * z`` on one line."""
    given = {"x": -2, "y": 5, "z": -4}
    return Problem.from_equations("f = (x + y) * z", given=given, ask={"gradients": ["x", "y", "z"], **ask})


def table(solution: Solution) -> Table:
    """The forward | backward table of a report."""
    heads = [block for block in compose(solution).blocks if isinstance(block, Table) and len(block.head) == 4]
    (found,) = heads
    return found


def test_a_nested_line_has_a_gate_for_each_operation() -> None:
    """The sum inside the product gets a name; its value 3 and derivative -4 are those of the notes."""
    gates = solve(nested()).parts[0].gates
    assert gates is not None
    assert gates.order == ("x", "y", "z", "v1", "f")
    assert gates.run.value("v1").item() == 3
    assert gates.run.value(Adjoint("f", "v1")).item() == -4


@pytest.mark.parametrize(
    ("name", "source", "target", "forward", "back"),
    [("a", "q", "f", "3", "-4"), ("b", "e", "p", "0.37", "-0.53"), ("c", "z", "larger", "2", "2"), ("c", "w", "larger", "-1", "0")],
)  # fmt: skip
def test_arrows_carry_what_the_notes_print(name: str, source: str, target: str, forward: str, back: str) -> None:
    """Values above and derivatives below as in the CS231n notes; the smaller of a maximum gets nothing back."""
    part = circuit(name).parts[0]
    assert part.gates is not None
    drawn = Circuit(Sheet(part, catalogue("en")), part.gates)
    assert (drawn.on_arrow(source), drawn.comes_back(source, target)) == (forward, back)


def test_each_arrow_has_its_own_share() -> None:
    """x * x + x: 2x comes back through the product, 1 through the sum, and the table adds them up."""
    problem = Problem.from_equations("f = x * x + 3 * x", given={"x": 5}, ask={"gradients": ["x"]})
    part = solve(problem).parts[0]
    assert part.gates is not None
    drawn = Circuit(Sheet(part, catalogue("en")), part.gates)
    shares = {drawn.comes_back("x", str(equation.name)) for equation in part.gates.network.equations} - {""}
    assert shares == {"10", "3"}
    assert part.gates.run.value(Adjoint("f", "x")).item() == 13


def test_the_table_visits_forward_and_backward() -> None:
    """The last column starts at the loss and reaches every node after all that it feeds."""
    rows = [[span for cell in row for span in cell] for row in table(circuit("a")).rows]
    latex = [[span.latex if isinstance(span, Math) else span.text for span in row] for row in rows]
    assert [row[0] for row in latex] == ["1", "2", "3", "4", "5"]
    assert sorted(row[2] for row in latex) == ["1", "2", "3", "4", "5"]
    assert latex[-1][2] == "1"
    assert latex[3][1] == "q = x + y = 3"
    assert latex[3][3] == r"\frac{\partial f}{\partial q} = z = -4"


def test_the_sheet_has_the_graph_to_fill_in() -> None:
    """Where the graph is asked for, the questions show it without a number on it."""
    document = compose(solve(nested(graph=True)), questions=True)
    (figure,) = [block for block in document.blocks if isinstance(block, Figure)]
    assert not [mark for mark in figure.scene.marks if isinstance(mark, Label) and any(c.isdigit() for c in mark.latex)]
    plain = compose(solve(nested()), questions=True)
    assert not [block for block in plain.blocks if isinstance(block, Figure)]


def test_a_network_of_matrices_has_a_graph_on_demand() -> None:
    """Names stand on the arrows of matrices; without the wish there is no graph."""
    text = "z = x @ W + b\nh = sigmoid(z)\nE = sum(h)"
    data: dict[str, Any] = {"given": {"x": [1, 2]}, "parameters": {"W": [[1, 2], [3, 4]], "b": "1/2"}}
    assert solve(Problem.from_equations(text, **data)).parts[0].gates is None
    part = solve(Problem.from_equations(text, **data, ask={"graph": True})).parts[0]
    assert part.gates is not None
    drawn = Circuit(Sheet(part, catalogue("en")), part.gates)
    assert drawn.on_arrow("W") == "W"
    assert drawn.comes_back("h", "E") == r"\partial E / \partial h"


def test_a_gate_that_disagrees_stops_the_report() -> None:
    """The second way through the network is a check: a wrong value in it is found."""
    part = circuit("a").parts[0]
    assert part.gates is not None
    wrong = part.gates.run
    spoiled = type(wrong)(
        {**wrong.equations, Adjoint("f", "x"): wrong.equations[Adjoint("f", "z")]}, wrong.data, wrong.kind
    )
    gates = type(part.gates)(part.gates.network, part.gates.derivation, spoiled, spoiled)
    assert [check.figure for check in agree(part, part.gates)] == ["6 of 6"]
    with pytest.raises(CheckFailed, match="df/dx by gates"):
        list(agree(part, gates))


@pytest.mark.parametrize(
    ("ask", "message"),
    [({"graph": "yes"}, "graph is .*, expected is true or false")],
)
def test_a_wish_that_is_none(ask: dict[str, object], message: str) -> None:
    """``graph`` is true or false."""
    with pytest.raises(ProblemError, match=message):
        nested(**ask)


def test_too_many_operations() -> None:
    """A graph of a thousand operations is refused where it is asked for, and left out where it is not."""
    text = "\n".join(["a1 = x + 1", *(f"a{k} = a{k - 1} + x" for k in range(2, 80))])
    assert solve(Problem.from_equations(text, given={"x": 1}, ask={"gradients": ["x"]})).parts[0].gates is None
    with pytest.raises(ProblemError, match="more than 60 operations"):
        solve(Problem.from_equations(text, given={"x": 1}, ask={"gradients": ["x"], "graph": True}))


def test_exact_numbers_stay_exact() -> None:
    """Nothing is rounded on the way: 1/3 of 3 is 1."""
    part = solve(Problem.from_equations("f = x / 3 * y", given={"x": 1, "y": 3}, ask={"gradients": ["x"]})).parts[0]
    assert part.gates is not None
    assert part.gates.run.value("f").item() == fmpq(1)


def test_a_value_that_occurs_again_is_not_the_one_that_has_a_name() -> None:
    """Beside h = tanh(x) the derivative by h knows nothing of another tanh(x): 1 by h, and by x both."""
    problem = Problem.from_equations(
        "h = tanh(x)\nf = h + tanh(x) * x", given={"x": "0.5"}, ask={"gradients": ["h", "x"]}
    )
    part = solve(problem).parts[0]
    assert part.gates is not None
    assert part.gates.run.value(Adjoint("f", "h")).item() == 1


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_the_circuits_of_the_notes_are_drawn(name: str) -> None:
    """All four have room for their operations side by side, the sigmoid in eight columns too, and nothing touches."""
    part = circuit(name).parts[0]
    assert part.gates is not None
    assert collisions(Circuit(Sheet(part, catalogue("en")), part.gates).figure().scene) == []
