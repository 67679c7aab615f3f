"""NumPy code of a derivation, run; and the operations of both passes, counted by hand for one network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.errors import Unsupported
from derive.graph.ops import FUNCTIONS, OPS
from derive.problem import Problem, built_in, find_problem, read_problem
from derive.problem.find import problem_from_text
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.code import WIDEST, program
from derive.report.compose.sheet import Sheet
from derive.report.document import Listing
from derive.report.notation.python import _RULES, identifier
from derive.report.render import render
from derive.solution import solve
from derive.solution.costs import FREE, ONE_AN_ENTRY, RULES, Cost, cost, nothing
from derive.solution.differentiate import differentiated
from derive.solution.part import Part
from readback_problems import PROBLEMS

FILES = sorted((Path(__file__).parent / "problems").glob("*.toml"))
ALL = [*PROBLEMS, *built_in(), *(path.stem for path in FILES)]


@cache
def parts(name: str) -> tuple[Part, ...]:
    """The parts of a problem, differentiated."""
    paths = {path.stem: path for path in FILES}
    problem = (
        problem_from_text(PROBLEMS[name], name) if name in PROBLEMS
        else read_problem(paths[name]) if name in paths else find_problem(name)
    )  # fmt: skip
    return tuple(differentiated(part) for part in problem.each())


@pytest.mark.parametrize("name", ALL)
def test_the_program_gives_the_derivatives(name: str) -> None:
    """Run as it is printed, the program gives every value and every derivative of the solution."""
    for part in parts(name):
        if not part.numeric or any(len(d.tensor.entries) > 400 for d in part.network.data.values() if d.tensor):
            continue
        try:
            lines = program(Sheet(part, catalogue("en")))
        except Unsupported:  # `test_every_operation_has_code` says which these are
            pytest.skip("an operation that has no code")
        assert all(line.isascii() for line in lines)
        env: dict[str, Any] = {}
        for upstream in part.problem.ask.upstream:
            assert upstream.value is not None
            entries = [float(x.p) / float(x.q) for x in upstream.value.entries]
            env[f"d{upstream.of}_d{identifier(upstream.at)}"] = np.array(entries).reshape(upstream.value.shape)
        exec("\n".join(lines), env)
        top = part.derivation.of if part.derivation is not None else None
        names = [e.name for e in part.network.equations] + [a for a in part.shape_adjoints if a.of == top]
        for quantity in names:
            ours = np.array(
                [float(x) if hasattr(x, "mid") else float(x.p) / float(x.q) for x in part.run.value(quantity).ravel()]
            )
            theirs = np.broadcast_to(env[identifier(quantity)], part.run.value(quantity).shape).ravel()
            assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-12), quantity


def test_every_operation_has_code() -> None:
    """No row of the op table is without its line of NumPy; letters for the ends of slices are what is not built."""
    assert {name for name in OPS if name not in _RULES and name not in FUNCTIONS} == {"derivative"}


def test_long_lines_are_folded() -> None:
    """No line is wider than a page of code, and the folded ones still run (case1 does above)."""
    for name in ("case1", "big", "wide"):
        assert all(len(line) <= WIDEST for line in program(Sheet(parts(name)[0], catalogue("en"))))


def test_the_sheet_leaves_the_derivatives_out() -> None:
    """With ``code = true`` the questions print the forward pass and a blank for each derivative."""
    problem = Problem.from_equations(
        "y = x @ w\nE = sum(y**2)", given={"x": [1, 2]}, parameters={"w": [[1], [2]]}, ask={"code": True}
    )
    solution = solve(problem)
    (listing,) = [block for block in compose(solution, questions=True).blocks if isinstance(block, Listing)]
    assert "dE_dw = ..." in listing.lines
    assert "y = x @ w" in listing.lines
    (full,) = [block for block in compose(solution).blocks if isinstance(block, Listing)]
    assert "dE_dw = x.T @ dE_dy" in full.lines
    for format in ("md", "tex", "typ"):
        assert "dE_dw = x.T @ dE_dy" in render(compose(solution), format).text


def test_costs_of_a_layer() -> None:
    """N samples through an m x n layer: mnN products, (m - 1)nN sums and nN for the bias; one function an entry."""
    problem = Problem.from_equations(
        "Z = X @ W + b\nH = sigmoid(Z)",
        shapes={"X": ["N", "m"], "W": ["m", "n"], "b": [1, "n"]},
        ask={"upstream": {"of": "J", "at": "H"}, "gradients": ["W", "b", "X"]},
    )
    part = differentiated(problem)
    layer, activation = (cost(equation.value) for equation in part.network.equations)
    assert layer.multiplications == {("N", "m", "n"): 1}
    assert layer.additions == {("N", "m", "n"): 1}
    assert activation == Cost(nothing().multiplications, nothing().additions, activation.functions)
    assert activation.functions == {("N", "n"): 1}
    back = {str(name): cost(value) for name, value in part.shape_adjoints.items()}
    assert back["dJ/dW"].multiplications == {("N", "m", "n"): 1}
    assert back["dJ/dX"].multiplications == {("N", "m", "n"): 1}
    assert back["dJ/db"].additions == {("N", "n"): 1, ("n",): -1}
    assert back["dJ/dZ"].multiplications == {("N", "n"): 2}


def test_costs_are_printed_with_their_totals() -> None:
    """2 x 2 weights, one sample: 4 products and 4 sums in the layer, 3 and 3 in the loss."""
    text = "z = x @ W + b\nE = sum((z - t)**2) / 2"
    data: dict[str, Any] = {"given": {"x": [1, 2], "t": [0, 1]}, "parameters": {"W": [[1, 2], [3, 4]], "b": "1/2"}}
    report = render(compose(solve(Problem.from_equations(text, **data, ask={"costs": True}))), "md").text
    assert "| Together | $7$ | $7$ | 0 |" in report
    assert "times the multiplications of the forward pass" in report


def test_every_operation_is_counted() -> None:
    """No row of the op table is without its count."""
    assert not set(OPS) - set(RULES) - FREE - ONE_AN_ENTRY - set(FUNCTIONS)


def test_costs_of_a_convolution() -> None:
    """A 2 x 2 filter on a 3 x 3 image: 4 windows of 4 products and 3 sums each."""
    (part,) = parts("convolution")
    first = cost(part.network.equations[0].value.args[0])
    assert first.multiplications == {(): 16}
    assert first.additions == {(): 12}
