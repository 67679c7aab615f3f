"""What published questions contain, covered by problem files: each solved, and held against plain NumPy."""

from __future__ import annotations

from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.graph.expression import Adjoint
from derive.problem import read_problem
from derive.solution import Part, Solution, solve
from plain_numpy import Plain
from survey import PRIMITIVES, QUESTIONS, ticks

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

FOLDER = Path(__file__).parent / "problems"
FILES = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}
TABLE = FOLDER / "README.md"
MOST_ENTRIES = 80  # of a name whose derivative is taken by differences


@cache
def solved(name: str) -> Solution:
    """A problem file, solved once."""
    return solve(read_problem(FILES[name]))


def floats(part: Part, quantity: Any) -> Any:
    """A certified quantity in doubles."""
    entries = part.run.value(quantity)
    return np.array([float(x) if hasattr(x, "mid") else float(x.p) / float(x.q) for x in entries.ravel()]).reshape(
        entries.shape
    )


def smooth(part: Part) -> bool:
    """Whether no value sits on a kink, where differences mean nothing."""
    return not part.kinks


@pytest.mark.parametrize("name", FILES)
def test_values_and_derivatives_are_those_of_plain_numpy(name: str) -> None:
    """Every value of every part, and every derivative of a loss, by Python's own reading of the equations."""
    for part in solved(name).parts:
        if not part.numeric:
            continue
        plain = Plain(part.problem)
        values = plain.run()
        for statement in part.problem.statements:
            ours = floats(part, statement.name)
            assert np.allclose(ours, np.broadcast_to(values[statement.name], ours.shape), rtol=1e-9, atol=1e-12), (
                statement.name
            )
        if part.asked.loss is None or part.derivation is None or not smooth(part):
            continue
        for wanted in part.asked.gradients:
            shape = part.network.shape(wanted)
            if prod(map(int, shape)) > MOST_ENTRIES or wanted not in values or wanted == part.asked.loss:
                continue
            ours = floats(part, Adjoint(part.asked.loss, wanted))
            theirs = plain.gradient(part.asked.loss, wanted)
            assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-7 * max(1.0, float(np.max(np.abs(ours))))), wanted


def test_every_primitive_and_every_question_is_ticked(request: pytest.FixtureRequest) -> None:
    """The table of ticks is the one that is committed, and no row of it is empty."""
    solutions = {name: solved(name) for name in FILES}
    table = ticks(solutions)
    if request.config.getoption("--regenerate", default=False):
        TABLE.write_text(table, encoding="utf-8")
    parts = [part for solution in solutions.values() for part in solution.parts]
    assert not [row for row, test in {**PRIMITIVES, **QUESTIONS}.items() if not any(map(test, parts))]
    assert TABLE.read_text(encoding="utf-8") == table
    assert len(FILES) >= 40
